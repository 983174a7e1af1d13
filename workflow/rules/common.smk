# The only place with Python: the study's configuration, what each job needs, and the lists that wildcards may take.
import sys
from pathlib import Path

SOURCE = Path(str(workflow.current_basedir)).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from bscstudy import pipeline, sections
from bscstudy.launch import open_study, print_failures, share_source

share_source(SOURCE)
STUDY = open_study(main_process=workflow.is_main_process)


wildcard_constraints:
    source="|".join(STUDY["sources"]),
    model="|".join(STUDY["models"]) or "none",


# Each job carries digests of the code and of the configuration it depends on, so that an edit of either reruns it.
def sections_for(rule):
    return lambda wildcards: sections.sections_of(STUDY, rule, dict(wildcards))


def config_for(rule):
    return lambda wildcards: sections.config_digest(STUDY, rule, dict(wildcards))


def code_for(rule):
    return lambda wildcards: pipeline.rule_digest(STUDY, rule, dict(wildcards))


def raw_files(wildcards):
    return pipeline.source_files(STUDY, wildcards.source)


def raw_digest(wildcards):
    return pipeline.raw_digest(STUDY, wildcards.source)


def source_tables(names):
    return [pipeline.source_table(name) for name in names]


# Behind a checkpoint only that is made again whose settled inputs changed, and which those are is known once the checkpoint
# has run. `snakemake -n --config plan=whole` shows every job that may follow.
WHOLE_PLAN = config.get("plan") == "whole"


def settled_centers(wildcards):
    if WHOLE_PLAN:
        return rules.settle_centers.output.index
    checkpoints.settle_centers.get()
    return pipeline.SETTLED_CENTERS


def model_inputs(wildcards):
    if WHOLE_PLAN:
        return {"comparability": rules.settle_model_rows.output.index}
    checkpoints.settle_model_rows.get()
    return pipeline.model_tables(STUDY, wildcards.model)


def settled_first(paths):
    """Give inputs only once it is known which models are fitted again; with them the settled list of centers where it is one."""

    def inputs(wildcards):
        if STUDY["models"] and not WHOLE_PLAN:
            checkpoints.settle_model_rows.get()
        if isinstance(paths, str):
            return paths
        return [
            settled_centers(wildcards) if path == pipeline.SETTLED_CENTERS else path
            for path in paths
        ]

    return inputs


onerror:
    print_failures(Path("reports/logs"), STUDY)
