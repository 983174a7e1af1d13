"""Whether the items of scales measure the same in all waves, roles or collaboratives."""

from __future__ import annotations

import pandas as pd

from bscstudy.io.comparability import incomparable
from bscstudy.measures.invariance import factor_table
from bscstudy.measures.pooled import pool_parts
from bscstudy.measures.scales import scale_parts
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

KEY = [
    Column("model", "Factor model"),
    Column("across", "What makes the groups (blank: all together, each person once)"),
    Column("step", "model (all together), configural, metric (equal loadings), scalar (equal intercepts too)"),
]
INVARIANCE = [
    *KEY,
    Column("decision", "fits, does not fit; holds, does not hold; not judged; not tested, n too small"),
    Column("reason", "Why it is not judged or tested, and which groups are left out"),
    Column("n", "Complete forms", "integer", units="forms"),
    Column("n_groups", "Groups", "integer"),
    Column("smallest_group", "Complete forms of the smallest group", "integer", units="forms"),
    Column("n_parameters", "Parameters", "integer"),
    Column("chi2", "Chi-square against the saturated model", "number"),
    Column("df", "Its degrees of freedom", "integer"),
    Column("p_value", "Its p", "number"),
    Column("cfi", "Comparative fit index", "number"),
    Column("tli", "Tucker-Lewis index", "number"),
    Column("rmsea", "Root mean square error of approximation", "number"),
    Column("rmsea_low", "Its lower 90 % limit", "number"),
    Column("rmsea_high", "Its upper 90 % limit", "number"),
    Column("srmr", "Standardized root mean square residual of the covariances", "number"),
    Column("chi2_change", "Rise of chi-square since the step before", "number"),
    Column("df_change", "Its degrees of freedom", "integer"),
    Column("p_change", "Its p", "number"),
    Column("cfi_change", "Change of CFI since the step before", "number"),
    Column("rmsea_change", "Change of RMSEA since the step before", "number"),
]
LOADINGS = [
    *KEY,
    Column("group", "Group (blank: all together)"),
    Column("factor", "Scale"),
    Column("item", "Item"),
    Column("estimate", "Loading, 1 for the first item", "number"),
    Column("std_error", "Standard error", "number"),
    Column("standardized", "Standardized loading", "number"),
]


def run(job: Job) -> None:
    """Write measures/invariance.csv and measures/factor_loadings.csv."""
    tables = {path.stem: read_table(path) for path in job.inputs["tables"]}
    pooled = pool_parts(scale_parts(tables, job.config), read_table(job.inputs["scores"]))
    waves = [wave["id"] for wave in sorted(job.config["waves"], key=lambda wave: wave["order"])]
    refused = incomparable([scale for model in job.config["factor_models"] for scale in model["scales"]], job.config)
    rows, loadings = factor_table(pooled, job.config["factor_models"], waves, refused)
    names = [column.name for column in INVARIANCE]
    described = "Fit of the declared factor models, and whether their items measure the same in different groups."
    write_output(job, "invariance", pd.DataFrame(rows, columns=names), key=names[:3], columns=INVARIANCE, description=described)
    names = [column.name for column in LOADINGS]
    described = "Loadings of the factor models that were fitted properly."
    write_output(job, "loadings", pd.DataFrame(loadings, columns=names), key=names[:6], columns=LOADINGS, description=described)
