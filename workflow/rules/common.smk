# The only place with Python: the study's configuration, what each job needs, and the lists that wildcards may take.
import sys
from pathlib import Path

SOURCE = Path(str(workflow.current_basedir)).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from bscstudy import pipeline
from bscstudy.launch import open_study, print_failures, share_source

share_source(SOURCE)
STUDY = open_study(main_process=workflow.is_main_process)


wildcard_constraints:
    source="|".join(STUDY["sources"]),
    model="|".join(STUDY["models"]) or "none",


# Each job carries digests of the code and of the configuration it depends on, so that an edit of either reruns it.
def sections_for(rule):
    return lambda wildcards: pipeline.sections(STUDY, rule, dict(wildcards))


def config_for(rule):
    return lambda wildcards: pipeline.config_digest(STUDY, rule, dict(wildcards))


def code_for(rule):
    return lambda wildcards: pipeline.rule_digest(STUDY, rule, dict(wildcards))


def raw_files(wildcards):
    return pipeline.source_files(STUDY, wildcards.source)


def raw_digest(wildcards):
    return pipeline.raw_digest(STUDY, wildcards.source)


def source_tables(names):
    return [pipeline.source_table(name) for name in names]


def model_inputs(wildcards):
    return pipeline.model_tables(STUDY, wildcards.model)


onerror:
    print_failures(Path("reports/logs"), STUDY)
