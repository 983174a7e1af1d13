# Coded interviews become counts with a denominator of those asked; then the strands are merged.
if STUDY["qual"]:

    rule code_themes:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "code_themes")),
            codings=source_tables(pipeline.coding_sources(STUDY)),
            documents=pipeline.source_table(STUDY["qual"]["documents"]),
            asked=pipeline.source_table(STUDY["qual"]["asked"]),
            paragraphs=source_tables(pipeline.paragraph_sources(STUDY)),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            codings="data/derived/qual/codings.csv",
            presence="data/derived/qual/presence.csv",
            theme_center="data/derived/qual/theme_center.csv",
            theme_summary="data/derived/qual/theme_summary.csv",
            agreement="data/derived/qual/coder_agreement.csv",
        log:
            "reports/logs/code_themes.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("code_themes"),
            config=config_for("code_themes"),
            code=code_for("code_themes"),
        message:
            "Counting themes among those asked"
        script:
            "../scripts/run_step.py"


if STUDY["qual"] and STUDY["models"]:

    rule merge_strands:
        input:
            estimates=settled_first(rules.collect_models.output.estimates),
            fits=rules.collect_models.output.fits,
            scores=rules.score_scales.output.table,
            observation=pipeline.present_tables(STUDY, ["measures/observation"]),
            fidelity=pipeline.present_tables(STUDY, ["measures/fidelity"]),
            presence=rules.code_themes.output.presence,
            theme_center=rules.code_themes.output.theme_center,
            centers=settled_centers,
        output:
            joint="data/derived/integrate/joint_display.csv",
            centers_table="data/derived/integrate/center_themes.csv",
        log:
            "reports/logs/merge_strands.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("merge_strands"),
            config=config_for("merge_strands"),
            code=code_for("merge_strands"),
        message:
            "Bringing survey, observation, fidelity and themes together"
        script:
            "../scripts/run_step.py"
