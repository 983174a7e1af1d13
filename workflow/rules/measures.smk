# Scores of surveys and observation, their reliability, fidelity, run charts, and the tables that models read.


rule score_scales:
    input:
        register=source_tables(pipeline.register_sources(STUDY)),
        compared=source_tables(pipeline.compared_sources(STUDY, "score_scales")),
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
        item_statistics="data/derived/measures/items.csv",
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


if STUDY["informant_gaps"]:

    rule compare_informants:
        input:
            scores=rules.score_scales.output.table,
        output:
            gaps="data/derived/measures/informant_gaps.csv",
            tests="data/derived/measures/informant_gap_tests.csv",
        log:
            "reports/logs/compare_informants.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("compare_informants"),
            config=config_for("compare_informants"),
            code=code_for("compare_informants"),
        message:
            "Comparing the reports of leaders and staff"
        script:
            "../scripts/run_step.py"


if STUDY["factor_models"]:

    rule fit_factor_models:
        input:
            tables=source_tables(pipeline.scored_sources(STUDY)),
            scores=rules.score_scales.output.table,
        output:
            invariance="data/derived/measures/invariance.csv",
            loadings="data/derived/measures/factor_loadings.csv",
        log:
            "reports/logs/fit_factor_models.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("fit_factor_models"),
            config=config_for("fit_factor_models"),
            code=code_for("fit_factor_models"),
        message:
            "Testing whether scales measure the same in all groups"
        script:
            "../scripts/run_step.py"


if STUDY["observation"]:

    rule score_observation:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(
                pipeline.compared_sources(STUDY, "score_observation")
            ),
            tables=source_tables(pipeline.observation_sources(STUDY)),
            centers=settled_centers,
        output:
            observation="data/derived/measures/observation.csv",
            person="data/derived/measures/observation_person.csv",
            agreement="data/derived/measures/rater_agreement.csv",
            icc="data/derived/measures/rater_icc.csv",
            drift="data/derived/measures/rater_drift.csv",
            components="data/derived/measures/generalizability.csv",
            decision="data/derived/measures/decision_study.csv",
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
            compared=source_tables(pipeline.compared_sources(STUDY, "score_fidelity")),
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


if STUDY["elements"]:

    rule score_elements:
        input:
            fidelity=pipeline.table_path("measures/fidelity"),
        output:
            table="data/derived/measures/elements.csv",
        log:
            "reports/logs/score_elements.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("score_elements"),
            config=config_for("score_elements"),
            code=code_for("score_elements"),
        message:
            "Scoring the elements of the collaborative"
        script:
            "../scripts/run_step.py"


if STUDY["attendance"]:

    rule count_attendance:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "count_attendance")),
            table=pipeline.source_table(STUDY["attendance"]["source"]),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            table="data/derived/measures/attendance.csv",
        log:
            "reports/logs/count_attendance.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("count_attendance"),
            config=config_for("count_attendance"),
            code=code_for("count_attendance"),
        message:
            "Counting who came to the learning sessions"
        script:
            "../scripts/run_step.py"


if STUDY["costs"]:

    rule price_costs:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "price_costs")),
            table=pipeline.source_table(STUDY["costs"]["source"]),
            fidelity=pipeline.present_tables(STUDY, ["measures/fidelity"]),
            centers=rules.link_people.output.centers,
        output:
            table="data/derived/measures/costs.csv",
        log:
            "reports/logs/price_costs.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("price_costs"),
            config=config_for("price_costs"),
            code=code_for("price_costs"),
        message:
            "Pricing what taking part cost"
        script:
            "../scripts/run_step.py"


if STUDY["peer_network"]:

    rule map_peer_network:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "map_peer_network")),
            tables=source_tables(STUDY["peer_network"]["sources"]),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            network="data/derived/measures/peer_network.csv",
            ties="data/derived/measures/peer_ties.csv",
        log:
            "reports/logs/map_peer_network.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("map_peer_network"),
            config=config_for("map_peer_network"),
            code=code_for("map_peer_network"),
        message:
            "Describing who turns to whom"
        script:
            "../scripts/run_step.py"


if STUDY["reported"]:

    rule count_reports:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "count_reports")),
            tables=source_tables(pipeline.reported_sources(STUDY)),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            shares="data/derived/measures/reported.csv",
            kept="data/derived/measures/reported_kept.csv",
        log:
            "reports/logs/count_reports.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("count_reports"),
            config=config_for("count_reports"),
            code=code_for("count_reports"),
        message:
            "Counting what people report"
        script:
            "../scripts/run_step.py"


if STUDY["run_charts"]:

    rule build_run_charts:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "build_run_charts")),
            table=pipeline.source_table(STUDY["run_charts"]["source"]),
            marked=source_tables(pipeline.annotation_sources(STUDY)),
            centers=settled_centers,
        output:
            series="data/derived/measures/run_charts.csv",
            signals="data/derived/measures/run_chart_signals.csv",
            events="data/derived/measures/run_chart_events.csv",
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
