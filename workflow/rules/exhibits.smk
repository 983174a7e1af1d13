# Tables and figures, then the one page that holds them.


rule make_table:
    input:
        tables=exhibit_inputs,
    output:
        table_html="reports/tables/{exhibit}.html",
        table_csv="reports/tables/{exhibit}.csv",
        record="reports/data/{exhibit}.json",
    log:
        "reports/logs/make_table/{exhibit}.log",
    wildcard_constraints:
        exhibit="|".join(pipeline.exhibits_with_figure(STUDY, False)) or "none",
    conda:
        "../../environment.yml"
    params:
        step="make_exhibit",
        sections=sections_for("make_exhibit"),
        config=config_for("make_exhibit"),
        code=code_for("make_exhibit"),
    message:
        "Drawing up {wildcards.exhibit}"
    script:
        "../scripts/run_step.py"


rule make_figure:
    input:
        tables=exhibit_inputs,
    output:
        table_html="reports/tables/{exhibit}.html",
        table_csv="reports/tables/{exhibit}.csv",
        figure_svg="reports/figures/{exhibit}.svg",
        figure_png="reports/figures/{exhibit}.png",
        record="reports/data/{exhibit}.json",
    log:
        "reports/logs/make_figure/{exhibit}.log",
    wildcard_constraints:
        exhibit="|".join(pipeline.exhibits_with_figure(STUDY, True)) or "none",
    conda:
        "../../environment.yml"
    params:
        step="make_exhibit",
        sections=sections_for("make_exhibit"),
        config=config_for("make_exhibit"),
        code=code_for("make_exhibit"),
    message:
        "Drawing {wildcards.exhibit}"
    script:
        "../scripts/run_step.py"


rule write_report:
    input:
        records=[f"reports/data/{row['exhibit']}.json" for row in STUDY["exhibits"]],
        tables_html=[
            f"reports/tables/{row['exhibit']}.html" for row in STUDY["exhibits"]
        ],
        figures=[
            f"reports/figures/{name}.svg"
            for name in pipeline.exhibits_with_figure(STUDY, True)
        ],
        gate=rules.check_gate.output.gate,
        summary=rules.check_quality.output.summary,
        flow=rules.check_quality.output.flow,
        models=pipeline.present_tables(STUDY, ["models/fits"]),
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
