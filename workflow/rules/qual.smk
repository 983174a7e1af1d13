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
            theme_measures="data/derived/qual/theme_measures.csv",
            coder_sensitivity="data/derived/qual/coder_sensitivity.csv",
            co_occurrence="data/derived/qual/co_occurrence.csv",
            saturation="data/derived/qual/saturation.csv",
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


if pipeline.rating_sources(STUDY):

    rule rate_constructs:
        input:
            register=source_tables(pipeline.register_sources(STUDY)),
            compared=source_tables(pipeline.compared_sources(STUDY, "rate_constructs")),
            ratings=source_tables(pipeline.rating_sources(STUDY)),
            documents=pipeline.source_table(STUDY["qual"]["documents"]),
            coded=rules.code_themes.output.codings,
            scores=rules.score_scales.output.table,
            centers=rules.link_people.output.centers,
        output:
            ratings="data/derived/qual/ratings.csv",
            distinguishing="data/derived/qual/distinguishing.csv",
            reliability="data/derived/qual/rater_reliability.csv",
            outcome="data/derived/qual/rating_outcome.csv",
        log:
            "reports/logs/rate_constructs.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("rate_constructs"),
            config=config_for("rate_constructs"),
            code=code_for("rate_constructs"),
        message:
            "Comparing rated constructs between centers"
        script:
            "../scripts/run_step.py"


if pipeline.quote_settings(STUDY):

    rule scrub_quotes:
        input:
            raw=pipeline.source_files(STUDY, pipeline.quote_settings(STUDY)["source"]),
            codings=rules.code_themes.output.codings,
            documents=pipeline.source_table(STUDY["qual"]["documents"]),
            people=rules.link_people.output.people,
            centers=rules.link_people.output.centers,
        output:
            quotes="data/derived/qual/quotes.csv",
            review="data/derived/qual/quotes_review.csv",
        log:
            "reports/logs/scrub_quotes.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("scrub_quotes"),
            config=config_for("scrub_quotes"),
            code=code_for("scrub_quotes"),
            raw=pipeline.raw_digest(STUDY, pipeline.quote_settings(STUDY)["source"]),
            lists=pipeline.quote_lists_digest(STUDY),
        message:
            "Scrubbing approved quotes"
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
            groups="data/derived/integrate/theme_groups.csv",
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

    if STUDY["meta_inferences"]:

        rule judge_inferences:
            input:
                estimates=settled_first(rules.collect_models.output.estimates),
                fits=rules.collect_models.output.fits,
                observation=pipeline.present_tables(STUDY, ["measures/observation"]),
                fidelity=pipeline.present_tables(STUDY, ["measures/fidelity"]),
                run_charts=pipeline.present_tables(STUDY, ["measures/run_charts"]),
                signals=pipeline.present_tables(STUDY, ["measures/run_chart_signals"]),
                themes=rules.code_themes.output.theme_summary,
                joint=rules.merge_strands.output.joint,
            output:
                inferences="data/derived/integrate/meta_inferences.csv",
                values="data/derived/integrate/meta_inference_values.csv",
            log:
                "reports/logs/judge_inferences.log",
            conda:
                "../../environment.yml"
            params:
                sections=sections_for("judge_inferences"),
                config=config_for("judge_inferences"),
                code=code_for("judge_inferences"),
            message:
                "Looking for meta-inferences that have turned stale"
            script:
                "../scripts/run_step.py"


if STUDY["qual"] and STUDY["integration"].get("links"):

    rule link_themes:
        input:
            theme_center=rules.code_themes.output.theme_center,
            scores=rules.score_scales.output.table,
            fidelity=pipeline.present_tables(STUDY, ["measures/fidelity"]),
            centers=settled_centers,
        output:
            links="data/derived/integrate/theme_links.csv",
            values="data/derived/integrate/theme_link_centers.csv",
        log:
            "reports/logs/link_themes.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("link_themes"),
            config=config_for("link_themes"),
            code=code_for("link_themes"),
        message:
            "Linking themes with outcomes across centers"
        script:
            "../scripts/run_step.py"
