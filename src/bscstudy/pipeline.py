"""Which tables and which sections of the configuration each rule of the workflow needs.

Rules ask this module, so that what reruns after an edit is decided in one place and can be tested without Snakemake.
"""

from __future__ import annotations

import ast
import re
from functools import cache

from bscstudy.config import sections_digest
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import READERS
from bscstudy.models.center_means import center_mean_columns
from bscstudy.workflow import PACKAGE, code_digest, file_digest

DERIVED = "data/derived"
EXHIBIT_KINDS = (
    "sample_flow", "people_flow", "data_quality", "instrument_drift", "descriptives", "reliability", "aggregation", "informant_gaps",
    "invariance", "observation", "rater_agreement", "rater_drift", "generalizability", "fidelity", "change_by_wave", "facilitators",
    "run_charts", "coder_agreement", "theme_heatmap", "center_themes", "joint_display", "model_ladder", "variance_partition",
    "center_caterpillar", "marginal_means", "influence", "diagnostics", "model_agreement",
    "elements", "attendance", "costs", "peer_network", "reported",
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


def model_tables(study: dict, model: str) -> dict[str, str]:
    """Return the analysis tables a model reads, by unit; an optional model does without those the study does not have.

    ``aggregation`` is the evidence for center means, for a model that uses some of a scale.
    """
    spec = study["models"][model]
    units = {spec["unit"], *(p.get("from", spec["unit"]) for p in spec.get("predictors", {}).values())}
    absent = optional_tables(study) if spec.get("optional") else set()
    evidence = {"aggregation": table_path("measures/aggregation")} if center_mean_columns(spec) else {}
    return {**{unit: table_path(f"analysis/{unit}") for unit in sorted(units) if f"analysis/{unit}" not in absent}, **evidence}


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
        absent |= {"qual/codings", "qual/presence", "qual/theme_center", "qual/theme_summary", "qual/coder_agreement"}
        absent |= {"integrate/joint_display", "integrate/center_themes"}
    if not study["models"]:
        absent |= {*MODEL_TABLES, "integrate/joint_display", "integrate/center_themes"}
    return absent


def present_tables(study: dict, names: list[str]) -> list[str]:
    """Return the paths of those tables that this study has."""
    absent = optional_tables(study)
    return [table_path(name) for name in names if name not in absent]


#: sections by which a step knows whether its sources are sound
_SOUND = ("waves", "roles", "collaboratives", "register", "sources", "items", "missing_codes", "checks")
#: rule -> sections of the configuration it reads
SECTIONS: dict[str, tuple[str, ...]] = {
    "check_quality": (*_SOUND, "scales", "harmonisation", "exclusions", "ids", "crosswalks", "observation", "manifest"),
    "check_gate": (),
    "link_people": _SOUND,
    "score_scales": (*_SOUND, "scales", "response_scales", "harmonisation"),
    "score_reliability": ("sources", "items", "response_scales", "missing_codes", "scales", "harmonisation", "aggregation"),
    "compare_informants": ("scales", "informant_gaps"),
    "fit_factor_models": ("waves", "sources", "items", "response_scales", "missing_codes", "scales", "harmonisation", "factor_models"),
    "score_observation": (*_SOUND, "observation", "response_scales"),
    "score_fidelity": (*_SOUND, "fidelity", "derive"),
    "build_run_charts": (*_SOUND, "run_charts"),
    "score_elements": ("fidelity", "elements", "composite"),
    "count_attendance": (*_SOUND, "attendance"),
    "price_costs": (*_SOUND, "costs"),
    "map_peer_network": (*_SOUND, "peer_network"),
    "count_reports": (*_SOUND, "reported", "harmonisation"),
    "build_analysis": ("waves", "sources", "scales", "items", "harmonisation"),
    "collect_models": (),
    "code_themes": (*_SOUND, "qual", "themes", "code_map"),
    "merge_strands": ("waves", "theory_of_change", "themes", "models", "sources", "scales", "items", "harmonisation"),
    "write_report": ("waves", "collaboratives", "exhibits", "models", "checks", "privacy", "exclusions"),
}
_EXHIBIT = (
    "waves",
    "collaboratives",
    "roles",
    "privacy",
    "scales",
    "harmonisation",
    "theory_of_change",
    "themes",
    "observation",
    "fidelity",
    "models",
    "run_charts",
)


def sections(study: dict, rule: str, wildcards: dict[str, str]) -> dict[str, str]:
    """Return local name -> address of the sections a job of a rule reads."""
    if rule == "ingest_source":
        source = wildcards["source"]
        instrument = study["sources"][source]["instrument"]
        rows = {name: f"{name}[instrument={instrument}]" for name in ("items", "missing_codes", "recodes")}
        whole = {name: name for name in ("ids", "crosswalks", "response_scales")}
        own = {"waves": _waves_of(study["sources"][source]), "source": f"sources.{source}", "exclusions": f"exclusions[source={source}]"}
        return {**whole, **rows, **own}
    if rule == "fit_model":
        names = ("waves", "roles", "collaboratives", "sources", "scales", "items", "harmonisation", "observation")
        return {**{n: n for n in names}, "model": f"models.{wildcards['model']}"}
    made = exhibits_by_section(study)
    if rule in made:
        own = {name for kind in exhibit_kinds(study, made[rule]) for name in exhibit_constants(kind).get("SECTIONS", ())}
        title = next(row["section"] for row in study["exhibits"] if row["exhibit"] in made[rule])
        return {**{n: n for n in sorted({*_EXHIBIT, *own})}, "exhibits": f"exhibits[section={title}]"}
    return {name: name for name in SECTIONS[rule]}


def _waves_of(source: dict) -> str:
    """Return the address of the waves a source can hold, so that a new wave does not read the files of the others again."""
    wave = source.get("wave")
    if isinstance(wave, dict) and not wave.get("map"):
        return "waves"
    named = [] if wave is None else [wave] if isinstance(wave, str) else sorted({str(meant) for meant in wave["map"].values()})
    return f"waves[id={'|'.join(named)}]"


def exhibits_by_section(study: dict) -> dict[str, list[str]]:
    """Return the rule of each section of the report -> its exhibits, in the order of config/exhibits.csv."""
    rules: dict[str, str] = {}
    made: dict[str, list[str]] = {}
    for row in study["exhibits"]:
        if row["section"] not in rules:
            name = "make_" + re.sub(r"\W+", "_", row["section"].lower()).strip("_")
            rules[row["section"]] = name if name not in made else f"{name}_{len(rules)}"
        made.setdefault(rules[row["section"]], []).append(row["exhibit"])
    return made


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
    return present_tables(study, sorted({table for kind in kinds for table in exhibit_constants(kind)["TABLES"]}))


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


def coding_sources(study: dict) -> list[str]:
    """Return the sources of codings, of all coders."""
    return [coding["source"] for coding in study["qual"]["codings"]]


def config_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the configuration that a job reads."""
    return sections_digest(study, sections(study, rule, wildcards))


def rule_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the code that a job runs."""
    made = exhibits_by_section(study)
    modules = ["bscstudy.steps.make_exhibits" if rule in made else f"bscstudy.steps.{rule}"]
    modules += [f"bscstudy.exhibits.{kind}" for kind in exhibit_kinds(study, made.get(rule, []))]
    if rule == "ingest_source":
        reader = study["sources"][wildcards["source"]]["reader"]
        modules.append(f"bscstudy.io.{READERS[reader]}")
    page = [PACKAGE / "exhibits" / name for name in ("report.css", "report.html.jinja")] if rule in (*made, "write_report") else []
    return code_digest(*modules) + (file_digest(*page) if page else "")


def raw_digest(study: dict, source: str) -> str:
    """Return the digest of a source's raw files."""
    return file_digest(*source_files(study, source))
