# One job a model; a fit that cannot be trusted says so and does not reach a table.


checkpoint settle_model_rows:
    input:
        tables=pipeline.analysis_tables(STUDY),
        aggregation=pipeline.evidence_tables(STUDY),
    output:
        index="data/derived/settled/models/index.json",
    log:
        "reports/logs/settle_model_rows.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("settle_model_rows"),
        config=config_for("settle_model_rows"),
        code=code_for("settle_model_rows"),
    message:
        "Comparing the rows of every model with those before"
    script:
        "../scripts/run_step.py"


rule fit_model:
    input:
        unpack(model_inputs),
    output:
        fit="data/derived/models/{model}.json",
    log:
        "reports/logs/fit_model/{model}.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("fit_model"),
        config=config_for("fit_model"),
        code=code_for("fit_model"),
    message:
        "Fitting {wildcards.model}"
    script:
        "../scripts/run_step.py"


rule collect_models:
    input:
        fits=settled_first(
            [f"data/derived/models/{model}.json" for model in STUDY["models"]]
        ),
    output:
        estimates="data/derived/models/estimates.csv",
        fits="data/derived/models/fits.csv",
        ladder="data/derived/models/ladder.csv",
        variance_components="data/derived/models/variance_components.csv",
        variance_partition="data/derived/models/variance_partition.csv",
        marginal_means="data/derived/models/marginal_means.csv",
        center_modes="data/derived/models/center_modes.csv",
        influence="data/derived/models/influence.csv",
        diagnostics="data/derived/models/diagnostics.csv",
    log:
        "reports/logs/collect_models.log",
    conda:
        "../../environment.yml"
    params:
        sections=sections_for("collect_models"),
        config=config_for("collect_models"),
        code=code_for("collect_models"),
    message:
        "Collecting the models"
    script:
        "../scripts/run_step.py"
