# Tables and figures, one job a section of the report, then the one page that holds them.


for SECTION, NAMES in pipeline.exhibits_by_job(STUDY).items():

    rule:
        name:
            SECTION
        input:
            tables=settled_first(pipeline.exhibit_tables(STUDY, NAMES)),
        output:
            **pipeline.exhibit_files(STUDY, NAMES),
        log:
            f"reports/logs/make_exhibits/{SECTION}.log",
        conda:
            "../../environment.yml"
        params:
            step="make_exhibits",
            sections=sections_for(SECTION),
            config=config_for(SECTION),
            code=code_for(SECTION),
        message:
            f"Drawing up {', '.join(NAMES)}"
        script:
            "../scripts/run_step.py"


if STUDY["qual"]:

    rule fill_checklists:
        input:
            tables=settled_first(
                pipeline.present_tables(STUDY, list(pipeline.CHECKLIST_TABLES))
            ),
            codings=source_tables(pipeline.coding_sources(STUDY)),
        output:
            pages=pipeline.checklist_files(STUDY, "md"),
            tables=pipeline.checklist_files(STUDY, "csv"),
        log:
            "reports/logs/fill_checklists.log",
        conda:
            "../../environment.yml"
        params:
            sections=sections_for("fill_checklists"),
            config=config_for("fill_checklists"),
            code=code_for("fill_checklists"),
        message:
            "Filling reporting checklists where the data know the answer"
        script:
            "../scripts/run_step.py"


rule write_report:
    input:
        records=settled_first(
            [f"reports/data/{row['exhibit']}.json" for row in STUDY["exhibits"]]
        ),
        tables_html=[
            f"reports/tables/{row['exhibit']}.html" for row in STUDY["exhibits"]
        ],
        figures=[
            f"reports/figures/{name}.svg"
            for name in pipeline.exhibits_with_figure(STUDY)
        ],
        gate=rules.check_gate.output.gate,
        summary=rules.check_quality.output.summary,
        flow=rules.check_quality.output.flow,
        models=pipeline.present_tables(STUDY, ["models/fits"]),
        checklists=pipeline.checklist_files(STUDY, "csv"),
    output:
        report="reports/report.html",
    log:
        "reports/logs/write_report.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("write_report"),
        config=config_for("write_report"),
        code=code_for("write_report"),
    message:
        "Writing the report"
    script:
        "../scripts/run_step.py"
