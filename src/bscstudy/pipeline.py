"""Which tables and which sections of the configuration each rule of the workflow needs.

Rules ask this module, so that what reruns after an edit is decided in one place and can be tested without Snakemake.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from bscstudy.checks.gate import sources_compared
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import MERGING, READERS
from bscstudy.models.center_means import center_mean_columns
from bscstudy.models.inputs import model_units
from bscstudy.settled import SETTLED
from bscstudy.workflow import PACKAGE, code_digest, file_digest

DERIVED = "data/derived"
SETTLED_CENTERS = f"{SETTLED}/people/centers.csv"
EXHIBIT_KINDS = (
    "sample_flow", "people_flow", "data_quality", "instrument_drift", "descriptives", "reliability", "aggregation", "informant_gaps",
    "invariance", "observation", "rater_agreement", "rater_drift", "generalizability", "fidelity", "change_by_wave", "facilitators",
    "run_charts", "coder_agreement", "theme_heatmap", "center_themes", "joint_display", "model_ladder", "variance_partition",
    "center_caterpillar", "marginal_means", "influence", "diagnostics", "model_agreement",
    "elements", "attendance", "costs", "peer_network", "reported", "item_statistics", "rater_icc",
    "theme_measures", "co_occurrence", "saturation", "cfir_ratings",
    "meta_inferences", "quotes",
    "theme_links", "joint_side_by_side", "statistics_by_themes", "pillar_integration", "themes_on_run_chart",
)  # fmt: skip

#: tables that score_observation writes
OBSERVATION_TABLES = tuple(
    f"measures/{name}"
    for name in (
        "observation", "observation_person", "rater_agreement", "rater_icc", "rater_drift", "generalizability", "decision_study",
    )
)  # fmt: skip

#: tables that collect_models gathers from the results of all models
MODEL_TABLES = tuple(
    f"models/{name}"
    for name in (
        "estimates", "fits", "ladder", "variance_components", "variance_partition", "marginal_means", "center_modes", "influence",
        "diagnostics",
    )
)  # fmt: skip

#: tables that code_themes writes
THEME_TABLES = tuple(
    f"qual/{name}"
    for name in (
        "codings", "presence", "theme_center", "theme_summary", "coder_agreement", "theme_measures", "coder_sensitivity", "co_occurrence",
        "saturation",
    )
)  # fmt: skip

#: tables that rate_constructs writes
RATING_TABLES = tuple(f"qual/{name}" for name in ("ratings", "distinguishing", "rater_reliability", "rating_outcome"))

#: tables that merge_strands writes
STRAND_TABLES = {"integrate/joint_display", "integrate/center_themes", "integrate/theme_groups"}

#: reporting checklists, and the tables that they are filled from
CHECKLISTS = ("coreq", "gramms", "jars_mixed", "mmat", "srqr")
CHECKLIST_TABLES = (
    "checks/flow", "checks/summary", "people", "centers", "measures/reliability", "models/fits", "qual/presence", "qual/codings",
    "qual/coder_agreement", "qual/saturation", "qual/quotes", "integrate/joint_display", "integrate/meta_inferences",
)  # fmt: skip


def table_path(name: str) -> str:
    """Return the path of a derived table from its name (``models/estimates``)."""
    return f"{DERIVED}/{name}.csv"


def source_table(source: str) -> str:
    """Return the path of the ingested table of a source."""
    return table_path(f"sources/{source}")


def source_files(study: dict, source: str) -> list[str]:
    """Return the raw files one source is read from."""
    return files_of(study["sources"][source])


def sources_of_instruments(study: dict, instruments: set[str]) -> list[str]:
    """Return the sources that hold one of these instruments."""
    return [name for name, source in study["sources"].items() if source["instrument"] in instruments]


def scored_sources(study: dict) -> list[str]:
    """Return the sources whose instruments have scales."""
    return sources_of_instruments(study, {row["instrument"] for row in study["scales"]})


def person_sources(study: dict) -> list[str]:
    """Return the scored sources that name a person."""
    return [name for name in scored_sources(study) if "person_id" in study["sources"][name].get("keys", {})]


def register_sources(study: dict) -> list[str]:
    """Return the registers of centers and, where there is one, of people."""
    return [name for name in (study["register"]["centers"], study["register"].get("people")) if name]


def observation_sources(study: dict) -> list[str]:
    """Return the sources that observation instruments are read from."""
    return sorted({instrument["source"] for instrument in study["observation"]})


def fidelity_sources(study: dict) -> list[str]:
    """Return the sources that fidelity indices and their derived fields are read from."""
    return sorted({part["source"] for part in (*study["fidelity"], *study["derive"]) if "source" in part})


def reported_sources(study: dict) -> list[str]:
    """Return the sources of what people report."""
    return sorted({source for part in study["reported"] for source in part["sources"]})


def annotation_sources(study: dict) -> list[str]:
    """Return the sources of what is marked on the charts of monthly metrics."""
    return sorted({part["source"] for part in study["run_charts"].get("annotations", []) if "source" in part})


#: rule -> the sources it scores, none where the study has no such section
SCORED = {
    "link_people": person_sources,
    "score_scales": scored_sources,
    "score_observation": observation_sources,
    "score_fidelity": fidelity_sources,
    "build_run_charts": lambda study: [study["run_charts"]["source"], *annotation_sources(study)] if study["run_charts"] else [],
    "count_attendance": lambda study: [study["attendance"]["source"]] if study["attendance"] else [],
    "price_costs": lambda study: [study["costs"]["source"]] if study["costs"] else [],
    "map_peer_network": lambda study: study["peer_network"]["sources"] if study["peer_network"] else [],
    "count_reports": reported_sources,
    "code_themes": lambda study: (
        [*coding_sources(study), study["qual"]["documents"], study["qual"]["asked"], *paragraph_sources(study)] if study["qual"] else []
    ),
    "rate_constructs": lambda study: [*rating_sources(study), *([study["qual"]["documents"]] if rating_sources(study) else [])],
}


def compared_sources(study: dict, rule: str) -> list[str]:
    """Return what a rule's sources and the registers are compared with, so that its step judges them as the gate does."""
    return sources_compared([*SCORED[rule](study), *register_sources(study)], study)


def settled_table(name: str) -> str:
    """Return the path of a settled copy: it keeps its date while its content stays (`bscstudy.settled`)."""
    return f"{SETTLED}/{name}.csv"


def analysis_tables(study: dict) -> list[str]:
    """Return the paths of the analysis tables that some model reads, those that this study has."""
    units = sorted({unit for spec in study["models"].values() for unit in model_units(spec)})
    return present_tables(study, [f"analysis/{unit}" for unit in units])


def evidence_tables(study: dict) -> list[str]:
    """Return the path of the evidence for center means where a model uses some of a scale."""
    return [table_path("measures/aggregation")] if any(map(center_mean_columns, study["models"].values())) else []


def model_tables(study: dict, model: str) -> dict[str, str]:
    """Return what a model reads: its own copies of the analysis tables by unit, the evidence for center means, and what it may compare.

    An optional model does without the tables that the study does not have.
    """
    spec, folder = study["models"][model], f"models/{model}"
    absent = optional_tables(study) if spec.get("optional") else set()
    tables = {unit: settled_table(f"{folder}/{unit}") for unit in model_units(spec) if f"analysis/{unit}" not in absent}
    evidence = {"aggregation": settled_table(f"{folder}/aggregation")} if center_mean_columns(spec) else {}
    return {**tables, **evidence, "comparability": f"{SETTLED}/{folder}/comparability.json"}


def optional_tables(study: dict) -> set[str]:
    """Return the derived tables that this study cannot have because it has no such data."""
    absent = set()
    if not study["observation"]:
        absent |= {*OBSERVATION_TABLES, "analysis/visit"}
    if not study["fidelity"]:
        absent.add("measures/fidelity")
    if not study["informant_gaps"]:
        absent |= {"measures/informant_gaps", "measures/informant_gap_tests"}
    if not study["factor_models"]:
        absent |= {"measures/invariance", "measures/factor_loadings"}
    for section, names in (
        ("elements", ("elements",)), ("attendance", ("attendance",)), ("costs", ("costs",)),
        ("peer_network", ("peer_network", "peer_ties")), ("reported", ("reported", "reported_kept")),
    ):  # fmt: skip
        absent |= set() if study[section] else {f"measures/{name}" for name in names}
    if not study["run_charts"]:
        absent |= {"measures/run_charts", "measures/run_chart_signals", "measures/run_chart_events"}
    if not study["qual"]:
        absent |= {*THEME_TABLES}
        absent |= STRAND_TABLES
    if not quote_settings(study):
        absent.add("qual/quotes")
    if not rating_sources(study):
        absent |= {*RATING_TABLES}
    if not (study["qual"] and study["integration"].get("links")):
        absent |= {"integrate/theme_links", "integrate/theme_link_centers"}
    if not (study["qual"] and study["models"] and study["meta_inferences"]):
        absent |= {"integrate/meta_inferences", "integrate/meta_inference_values"}
    if not study["models"]:
        absent |= {*MODEL_TABLES, *STRAND_TABLES}
    return absent


def present_tables(study: dict, names: list[str]) -> list[str]:
    """Return the paths of those tables that this study has."""
    absent = optional_tables(study)
    return [table_path(name) for name in names if name not in absent]


def exhibits_by_job(study: dict) -> dict[str, list[str]]:
    """Return the rule of each section of the report -> its exhibits, in the order of config/exhibits.csv.

    Sections that follow each other and show nothing but models read the same tables and are made by one job, named after the first.
    """
    held: dict[str, list[str]] = {}
    for row in study["exhibits"]:
        held.setdefault(row["section"], []).append(row["exhibit"])
    made: dict[str, list[str]] = {}
    after_models = False
    for section, exhibits in held.items():
        only_models = shows_only_models(study, exhibits)
        if not (after_models and only_models):
            name = "make_" + re.sub(r"\W+", "_", section.lower()).strip("_")
            made[rule := name if name not in made else f"{name}_{len(made)}"] = []
        made[rule] += exhibits
        after_models = only_models
    return made


def shows_only_models(study: dict, exhibits: list[str]) -> bool:
    """Return whether exhibits read the tables of models and the list of centers, and no other."""
    tables = {table for kind in exhibit_kinds(study, exhibits) for table in exhibit_constants(kind)["TABLES"]}
    return tables <= {*MODEL_TABLES, "centers"}


def exhibit_kinds(study: dict, exhibits: list[str]) -> list[str]:
    """Return the kinds of these exhibits, each once."""
    return sorted({row["kind"] for row in study["exhibits"] if row["exhibit"] in exhibits})


@cache
def exhibit_constants(kind: str) -> dict:
    """Return what a kind of exhibit declares of itself, read from its source without importing it.

    ``TABLES`` (derived tables it reads), ``FIGURE`` (whether it has one), and optionally ``SECTIONS`` (sections of the
    configuration beyond those that every exhibit reads).
    """
    tree = ast.parse((PACKAGE / "exhibits" / f"{kind}.py").read_text(encoding="utf-8"))
    assigned = [(t.id, node.value) for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)]
    return {name: ast.literal_eval(value) for name, value in assigned if name in ("TABLES", "FIGURE", "SECTIONS")}


def exhibits_with_figure(study: dict) -> list[str]:
    """Return the exhibits that have a figure."""
    return [row["exhibit"] for row in study["exhibits"] if exhibit_constants(row["kind"])["FIGURE"]]


def exhibit_tables(study: dict, exhibits: list[str]) -> list[str]:
    """Return the paths of the derived tables these exhibits read, those that this study has."""
    kinds = exhibit_kinds(study, exhibits)
    names = sorted({table for kind in kinds for table in exhibit_constants(kind)["TABLES"]})
    return [SETTLED_CENTERS if path == table_path("centers") else path for path in present_tables(study, names)]


def exhibit_files(study: dict, exhibits: list[str]) -> dict[str, list[str]]:
    """Return what is written for these exhibits, by form; a form that none of them has is left out."""
    drawn = [name for name in exhibits_with_figure(study) if name in exhibits]
    forms = {
        "tables_html": [f"reports/tables/{name}.html" for name in exhibits],
        "tables_csv": [f"reports/tables/{name}.csv" for name in exhibits],
        "figures_svg": [f"reports/figures/{name}.svg" for name in drawn],
        "figures_png": [f"reports/figures/{name}.png" for name in drawn],
        "records": [f"reports/data/{name}.json" for name in exhibits],
    }
    return {form: paths for form, paths in forms.items() if paths}


def checklist_files(study: dict, ending: str) -> list[str]:
    """Return the files of the reporting checklists (``md`` or ``csv``); none for a study without interviews."""
    return [f"reports/checklists/{name}.{ending}" for name in CHECKLISTS] if study["qual"] else []


def coding_sources(study: dict) -> list[str]:
    """Return the sources of codings, of all coders."""
    return [coding["source"] for coding in study["qual"]["codings"]]


def paragraph_sources(study: dict) -> list[str]:
    """Return the source of the texts' paragraphs, where the study has it."""
    return [name for name in (study["qual"].get("paragraphs"),) if name]


def quote_settings(study: dict) -> dict:
    """Return what the study says of quotes; nothing where it shows none."""
    return (study["qual"] or {}).get("quotes") or {}


def quote_lists_digest(study: dict) -> str:
    """Return the digest of the deny list and the key, which may lie outside of the study; a missing file counts as none."""
    named = [quote_settings(study)[name] for name in ("deny_list", "key") if name in quote_settings(study)]
    return file_digest(*(path for path in named if Path(path).is_file()))


def rating_sources(study: dict) -> list[str]:
    """Return the source of rated constructs, where the study has it."""
    return [study["qual"]["ratings"]["source"]] if (study["qual"] or {}).get("ratings") else []


def rule_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the code that a job runs."""
    made = exhibits_by_job(study)
    modules = ["bscstudy.steps.make_exhibits" if rule in made else f"bscstudy.steps.{rule}"]
    modules += [f"bscstudy.exhibits.{kind}" for kind in exhibit_kinds(study, made.get(rule, []))]
    if rule in ("ingest_source", "scrub_quotes"):
        source = wildcards["source"] if rule == "ingest_source" else quote_settings(study)["source"]
        settings = study["sources"][source]
        modules.append(f"bscstudy.io.{READERS[settings['reader']]}")
        modules += [f"bscstudy.io.{MERGING}"] if (settings.get("options") or {}).get("more_files") else []
    page = [PACKAGE / "exhibits" / name for name in ("report.css", "report.html.jinja")] if rule in (*made, "write_report") else []
    page += sorted((PACKAGE / "checklists").glob("*.csv")) if rule == "fill_checklists" else []
    return code_digest(*modules) + (file_digest(*page) if page else "")


def raw_digest(study: dict, source: str) -> str:
    """Return the digest of a source's raw files."""
    return file_digest(*source_files(study, source))
