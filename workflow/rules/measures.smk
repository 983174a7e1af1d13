# Scores of surveys and observation, their reliability, fidelity, run charts, and the tables that models read.


rule score_scales:
    input:
        register=source_tables(pipeline.register_sources(STUDY)),
        tables=source_tables(pipeline.scored_sources(STUDY)),
        people=rules.link_people.output.people,
        centers=rules.link_people.output.centers,
    output:
        table="data/derived/measures/scores.csv",
    log:
        "reports/logs/score_scales.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("score_scales"),
        config=config_for("score_scales"),
        code=code_for("score_scales"),
    message:
        "Scoring survey scales"
    script:
        "../scripts/run_step.py"


rule score_reliability:
    input:
        tables=source_tables(pipeline.scored_sources(STUDY)),
        scores=rules.score_scales.output.table,
    output:
        reliability="data/derived/measures/reliability.csv",
        aggregation="data/derived/measures/aggregation.csv",
    log:
        "reports/logs/score_reliability.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("score_reliability"),
        config=config_for("score_reliability"),
        code=code_for("score_reliability"),
    message:
        "Working out the reliability of the scales"
    script:
        "../scripts/run_step.py"


if STUDY["observation"]:

    rule score_observation:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            tables=source_tables(pipeline.observation_sources(STUDY)),
            centers=rules.link_people.output.centers,
        output:
            observation="data/derived/measures/observation.csv",
            person="data/derived/measures/observation_person.csv",
            agreement="data/derived/measures/rater_agreement.csv",
        log:
            "reports/logs/score_observation.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("score_observation"),
            config=config_for("score_observation"),
            code=code_for("score_observation"),
        message:
            "Scoring observation"
        script:
            "../scripts/run_step.py"


if STUDY["fidelity"]:

    rule score_fidelity:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            tables=source_tables(pipeline.fidelity_sources(STUDY)),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            table="data/derived/measures/fidelity.csv",
        log:
            "reports/logs/score_fidelity.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("score_fidelity"),
            config=config_for("score_fidelity"),
            code=code_for("score_fidelity"),
        message:
            "Counting engagement and fidelity"
        script:
            "../scripts/run_step.py"


if STUDY["run_charts"]:

    rule build_run_charts:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            table=pipeline.source_table(STUDY["run_charts"]["source"]),
            centers=rules.link_people.output.centers,
        output:
            series="data/derived/measures/run_charts.csv",
            signals="data/derived/measures/run_chart_signals.csv",
        log:
            "reports/logs/build_run_charts.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("build_run_charts"),
            config=config_for("build_run_charts"),
            code=code_for("build_run_charts"),
        message:
            "Reading the monthly metrics"
        script:
            "../scripts/run_step.py"


rule build_analysis:
    input:
        people=rules.link_people.output.people,
        centers=rules.link_people.output.centers,
        scores=rules.score_scales.output.table,
        observation=pipeline.present_tables(STUDY, ["measures/observation"]),
        fidelity=pipeline.present_tables(STUDY, ["measures/fidelity"]),
    output:
        person="data/derived/analysis/person.csv",
        visit="data/derived/analysis/visit.csv",
        center="data/derived/analysis/center.csv",
    log:
        "reports/logs/build_analysis.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("build_analysis"),
        config=config_for("build_analysis"),
        code=code_for("build_analysis"),
    message:
        "Building the tables that models read"
    script:
        "../scripts/run_step.py"
