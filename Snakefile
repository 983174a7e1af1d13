# The whole pipeline: raw files -> tables -> models and themes -> exhibits -> one report.
# A study is a folder with config/ and data/raw/. This repository is the demonstration study; run another one with
#   snakemake --snakefile <this file> --directory <study> --cores 8
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/checks.smk"
include: "workflow/rules/measures.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/qual.smk"
include: "workflow/rules/exhibits.smk"


rule all:
    default_target: True
    input:
        "reports/report.html",
