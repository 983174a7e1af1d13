"""Run the step of the rule: `bscstudy.steps.<rule>.run`."""

from bscstudy.workflow import run_step

run_step(snakemake)  # noqa: F821 - given by Snakemake
