# Every raw file becomes a typed, keyed table with a sidecar that says what each column is.


rule ingest_source:
    input:
        files=raw_files,
    output:
        table="data/derived/sources/{source}.csv",
        sidecar="data/derived/sources/{source}.json",
    log:
        "reports/logs/ingest_source/{source}.log",
    priority: 30
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("ingest_source"),
        config=config_for("ingest_source"),
        code=code_for("ingest_source"),
        data=raw_digest,
    message:
        "Reading {wildcards.source}"
    script:
        "../scripts/run_step.py"
