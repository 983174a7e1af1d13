# What is wrong with the data, who is expected and who answered. Severe findings stop the run at the gate; the steps that
# score sources ask the same of their own sources, so nothing is computed from unsound ones whatever the order of jobs.


rule check_quality:
    input:
        tables=source_tables(STUDY["sources"]),
    output:
        findings="data/derived/checks/findings.csv",
        summary="data/derived/checks/summary.csv",
        flow="data/derived/checks/flow.csv",
        drift="data/derived/checks/drift.csv",
    log:
        "reports/logs/check_quality.log",
    priority: 20
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("check_quality"),
        config=config_for("check_quality"),
        code=code_for("check_quality"),
    message:
        "Checking all sources"
    script:
        "../scripts/run_step.py"


rule check_gate:
    input:
        findings=rules.check_quality.output.findings,
        summary=rules.check_quality.output.summary,
    output:
        gate="data/derived/checks/gate.json",
    log:
        "reports/logs/check_gate.log",
    priority: 10
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("check_gate"),
        config=config_for("check_gate"),
        code=code_for("check_gate"),
    message:
        "Weighing what the checks found"
    script:
        "../scripts/run_step.py"


rule link_people:
    input:
        register=source_tables(pipeline.register_sources(STUDY)),
        compared=source_tables(pipeline.compared_sources(STUDY, "link_people")),
        tables=source_tables(pipeline.person_sources(STUDY)),
    output:
        people="data/derived/people.csv",
        centers="data/derived/centers.csv",
    log:
        "reports/logs/link_people.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("link_people"),
        config=config_for("link_people"),
        code=code_for("link_people"),
    message:
        "Linking people across waves"
    script:
        "../scripts/run_step.py"


checkpoint settle_centers:
    input:
        centers=rules.link_people.output.centers,
    output:
        index="data/derived/settled/people/index.json",
    log:
        "reports/logs/settle_centers.log",
    priority: 20
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("settle_centers"),
        config=config_for("settle_centers"),
        code=code_for("settle_centers"),
    message:
        "Comparing the list of centers with the one before"
    script:
        "../scripts/run_step.py"
