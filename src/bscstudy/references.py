"""What a configuration refers to must exist: instruments, items, waves, roles, scales, sources, themes, constructs."""

from __future__ import annotations

import re

from bscstudy.errors import BscError, unknown_names
from bscstudy.inferences.references import inference_references
from bscstudy.models.formula_words import ID_COLUMNS, read_formula
from bscstudy.qual.quote_references import quote_references
from bscstudy.references_integration import integration_references
from bscstudy.references_observation import observation_references
from bscstudy.references_ratings import rating_references


def check_references(study: dict) -> None:
    """Raise BSC-CFG-003 with every reference that leads nowhere, every id that is given twice and every formula that cannot be read."""
    findings = [
        *_sources(study),
        *_codebook(study),
        *_crosswalks(study),
        *_scales(study),
        *_models(study),
        *_measures(study),
        *_comparisons(study),
        *_qualitative(study),
        *quote_references(study),
        *_theory(study),
        *integration_references(study),
        *inference_references(study, observation_scores(study)),
        *_exhibits(study),
        *_repeated(study),
    ]
    if findings:
        raise BscError(
            "BSC-CFG-003",
            f"The configuration names {len(findings)} thing(s) that do not exist, exist twice or cannot be read.",
            tuple(findings),
            "A reference that leads nowhere would leave a table or a model silently empty.",
            "Correct the spelling, or add what is missing.",
        )


def _ids(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows]


def _sources(study: dict) -> list[str]:
    instruments = {row["instrument"] for row in study["items"]}
    registers = [study["sources"][n]["instrument"] for n in study["register"].values() if n in study["sources"]]
    instruments |= set(registers)  # a register may hold nothing but keys
    found = []
    for name, source in study["sources"].items():
        where = f"config/sources.yaml, {name}"
        found += unknown_names(where, "instrument (of config/codebook/items.csv)", [source["instrument"]], instruments)
        wave = source.get("wave")
        waves = [] if wave is None else [wave] if isinstance(wave, str) else list(map(str, wave.get("map", {}).values()))
        found += unknown_names(where, "wave", waves, _ids(study["waves"]))
    register = study["register"]
    wanted = [register["centers"]] + ([register["people"]] if register.get("people") else [])
    found += unknown_names("config/config.yaml, register", "source", wanted, study["sources"])
    return found + unknown_names("config/config.yaml, exclusions", "source", [e["source"] for e in study["exclusions"]], study["sources"])


def _codebook(study: dict) -> list[str]:
    found = []
    waves, roles = _ids(study["waves"]), _ids(study["roles"])
    scales = {row["response_scale"] for row in study["response_scales"]}
    for number, row in enumerate(study["items"], start=2):
        where = f"config/codebook/items.csv, row {number}"
        found += unknown_names(where, "wave", row["waves"].split(), waves) + unknown_names(where, "role", row["roles"].split(), roles)
        found += unknown_names(where, "source", row["sources"].split(), study["sources"])
        found += unknown_names(where, "response scale", [row["response_scale"]] if row["response_scale"] else [], scales)
    return found


def _crosswalks(study: dict) -> list[str]:
    found = []
    for key, rows in study["crosswalks"].items():
        file = study["ids"][key]["crosswalk"]
        found += [f"config/config.yaml, ids, {key}: the file '{file}' does not exist."] if rows is None else []
        for number, row in enumerate(rows or [], start=2):
            where = f"{file}, row {number}"
            found += unknown_names(where, "wave", [row["from_wave"]] if row["from_wave"] else [], _ids(study["waves"]))
            found += unknown_names(where, "source", [row["source"]] if row["source"] else [], study["sources"])
    return found


def _scales(study: dict) -> list[str]:
    found = []
    for number, row in enumerate(study["scales"], start=2):
        where = f"config/codebook/scales.csv, row {number}"
        items = [i["item"] for i in study["items"] if i["instrument"] == row["instrument"]]
        names = [re.sub(r"^-|=.*$", "", token) for token in row["items"].split() if token != "*"]
        found += unknown_names(where, "instrument", [row["instrument"]], {i["instrument"] for i in study["items"]})
        found += unknown_names(where, "item", names, items) if items else []
        found += unknown_names(where, "wave", row["waves"].split(), _ids(study["waves"]))
        found += unknown_names(where, "role", row["roles"].split(), _ids(study["roles"]))
        if row["construct"] and study["theory_of_change"]["constructs"]:
            found += unknown_names(where, "construct", [row["construct"]], _ids(study["theory_of_change"]["constructs"]))
        if row["rule"] in ("mean", "sum") and row["minimum_valid"] is None:
            found.append(f"{where}: the scale '{row['scale']}' needs minimum_valid.")
        if row["prorate"] == "yes" and row["rule"] != "sum":
            found.append(f"{where}: only sums are prorated; a mean of the answered items needs nothing of the kind.")
    return found


def observation_scores(study: dict) -> list[str]:
    """Return the ids of all observation scores of a study."""
    return [s["id"] for o in study["observation"] for s in (*o.get("parts", []), *o.get("scores", []))]


def analysis_columns(study: dict, unit: str) -> list[str]:
    """Return the columns of an analysis table that a model may name."""
    scales = list(dict.fromkeys(row["scale"] for row in study["scales"]))
    center_source = study["sources"].get(study["register"]["centers"], {})
    register = [i["item"] for i in study["items"] if i["instrument"] == center_source.get("instrument")]
    if unit == "person":
        return scales
    if unit == "visit":
        return observation_scores(study)
    return [*register, *_ids(study["fidelity"]), *scales, *(f"{s}__change" for s in scales)]


def _models(study: dict) -> list[str]:
    found = []
    waves, roles = _ids(study["waves"]), _ids(study["roles"])
    for name, model in study["models"].items():
        where = f"config/models/{name}.yaml"
        optional = bool(model.get("optional"))
        outcomes = [] if optional else [model["outcome"]]
        found += unknown_names(where, "outcome (scale or score)", outcomes, analysis_columns(study, model["unit"]))
        for predictor in [] if optional else model.get("predictors", {}).values():
            columns = [*analysis_columns(study, predictor.get("from", model["unit"])), *_keys()]
            found += unknown_names(where, "predictor's column", [predictor["column"]], columns)
        sample = model.get("sample", {})
        found += unknown_names(where, "wave", sample.get("waves", []), waves) + unknown_names(where, "role", sample.get("roles", []), roles)
        for contrast in model.get("contrasts", []):
            at = {factor: [level] for factor, level in contrast.get("at", {}).items()}
            found += _levels(study, where, contrast["compare"]) + _levels(study, where, at)
        found += _levels(study, where, {factor: [level] for factor, level in model.get("reference", {}).items()})
        found += _pieces(study, model, where)
        found += _formula(study, model, where)
    return found + _adjustments(study)


def _pieces(study: dict, model: dict, where: str) -> list[str]:
    """Return what is wrong with a model's pieces of time: waves that do not exist, a name that a column has."""
    pieces = model.get("time", {})
    known = {*_keys(), *model.get("predictors", {}), *analysis_columns(study, model["unit"])}
    found = [f"{where}, time: the name '{name}' is that of a column; choose another." for name in pieces if name in known]
    return found + unknown_names(f"{where}, time", "wave", [str(w) for ends in pieces.values() for w in ends], _ids(study["waves"]))


def _levels(study: dict, where: str, wanted: dict[str, list[str]]) -> list[str]:
    """Return the levels that a factor declared by the study does not have; of other factors only the data know the levels."""
    declared = {"wave": study["waves"], "role": study["roles"], "collaborative": study["collaboratives"]}
    known = {**{factor: _ids(rows) for factor, rows in declared.items()}, "core": ["core", "other"]}
    checked = [(factor, map(str, levels)) for factor, levels in wanted.items() if factor in known]
    return [finding for factor, levels in checked for finding in unknown_names(where, factor, levels, known[factor])]


def _formula(study: dict, model: dict, where: str) -> list[str]:
    """Return what is wrong with a model's formula: that it cannot be read, or names that no column has."""
    try:
        formula = read_formula(model["formula"], f"{where}, formula")
    except BscError as fault:
        return [f"{fault.where}: {fault.what}"]
    fixed = [*_keys(), *model.get("predictors", {}), *model.get("time", {}), *analysis_columns(study, model["unit"])]
    groups = [name for name in formula.group_columns if name not in _keys()]
    names = (*formula.fixed_names, *formula.slope_names)
    found = [] if model.get("optional") else unknown_names(f"{where}, formula", "name", names, fixed)
    found += unknown_names(f"{where}, formula", "group", groups, [*ID_COLUMNS, *ID_COLUMNS.values()])
    for factors in model.get("marginal_means", []):
        found += unknown_names(f"{where}, marginal_means", "factor of the formula", factors, formula.fixed_names)
    return found + _method(model, bool(formula.groupings), where)


def _method(model: dict, grouped: bool, where: str) -> list[str]:
    """Return what does not fit together: family, link, trials, REML, degrees of freedom and groups."""
    from bscstudy.multilevel.families import ALLOWED_LINKS

    family, method, found = model.get("family", "gaussian"), model.get("df"), []
    if family != "gaussian" and method in ("satterthwaite", "kenward_roger", "cr2", "residual"):
        found.append(f"{where}, df: '{method}' is derived for gaussian models; use between_within or wald.")
    if family == "gaussian" and method == "residual" and grouped:
        found.append(f"{where}, df: 'residual' is exact only without random terms; use satterthwaite or kenward_roger.")
    if family == "gaussian" and method in ("satterthwaite", "kenward_roger", "cr2") and not grouped:
        found.append(f"{where}, df: '{method}' is about groups, and the formula has none; use residual.")
    if family != "gaussian" and not grouped:
        found.append(f"{where}, formula: a model of the family {family} needs a random term, such as (1 | center).")
    if "trials" in model and family not in ("binomial", "beta_binomial"):
        found.append(f"{where}, trials: only binomial and beta_binomial models count indicators.")
    if family == "beta_binomial" and "trials" not in model:
        found.append(f"{where}, trials: a beta_binomial model needs the column with the number applicable.")
    links = ALLOWED_LINKS[family]
    if model.get("link") and model["link"] not in links:
        found.append(f"{where}, link: '{model['link']}' is no link of {family}. Use one of {', '.join(links)}.")
    return found


def _adjustments(study: dict) -> list[str]:
    """Return families of hypotheses whose models ask for different adjustments."""
    methods: dict[str, set[str]] = {}
    for model in study["models"].values():
        if model.get("hypotheses"):
            methods.setdefault(model["hypotheses"], set()).add(model.get("adjust", "holm"))
    return [
        f"config/models, adjust: the models of the hypotheses '{name}' ask for {' and '.join(sorted(used))}; one family has one adjustment."
        for name, used in sorted(methods.items())
        if len(used) > 1
    ]


def _keys() -> list[str]:
    return "wave role core collaborative center_id person_id classroom_id observation_id visit rater_id segment session_id".split()


def _measures(study: dict) -> list[str]:
    found = []
    fidelity = _ids(study["fidelity"])
    charts = [study["run_charts"], *study["run_charts"].get("annotations", [])] if study["run_charts"] else []
    participation = [{"column": name, **study[name]} for name in ("attendance", "costs", "peer_network") if study[name]]
    scored = (*study["observation"], *study["fidelity"], *study["derive"], *study["elements"])
    for part in (*scored, *charts, *participation, *study["reported"]):
        where = f"config/measures.yaml, {part.get('id', part.get('column', 'run_charts'))}"
        if "source" in part:
            found += unknown_names(where, "source", [part["source"]], study["sources"])
        found += unknown_names(where, "source", part.get("sources", []), study["sources"])
        counted = [per["index"] for per in part.get("per", []) if isinstance(per, dict)]
        found += unknown_names(where, "index", [*part.get("indices", []), *counted], fidelity)
        found += unknown_names(where, "wave", list(part.get("kept", {}).values()), _ids(study["waves"]))
    return found + [finding for instrument in study["observation"] for finding in observation_references(study, instrument)]


def _comparisons(study: dict) -> list[str]:
    """Return what informant gaps and factor models name that does not exist or cannot be used."""
    found, scales = [], {row["scale"]: row["rule"] for row in study["scales"]}
    for gap in study["informant_gaps"]:
        for side in ("leader", "staff"):
            where = f"config/measures.yaml, informant_gaps, {gap['id']}, {side}"
            found += unknown_names(where, "scale", [gap[side]["scale"]], scales)
            found += unknown_names(where, "role", gap[side]["roles"], _ids(study["roles"]))
    for model in study["factor_models"]:
        where = f"config/measures.yaml, factor_models, {model['id']}"
        found += unknown_names(where, "scale", model["scales"], scales)
        counted = [name for name in model["scales"] if scales.get(name, "mean") not in ("mean", "sum")]
        found += [f"{where}: the scale '{name}' counts answers; a factor model needs the answers themselves." for name in counted]
    return found


def _qualitative(study: dict) -> list[str]:
    qual = study["qual"]
    if not qual:
        return []
    parts = [("documents", qual["documents"]), ("asked", qual["asked"]), *(("codings", c["source"]) for c in qual["codings"])]
    parts += [("paragraphs", qual["paragraphs"])] if "paragraphs" in qual else []
    found = unknown_names("config/qual.yaml", "source", [source for _, source in parts], study["sources"])
    found += [finding for part, source in parts if source in study["sources"] for finding in _needed(study, part, source)]
    found += _reliability(study, qual) + rating_references(study)
    themes = [row["theme"] for row in study["themes"]]
    return found + unknown_names("config/qual/code_map.csv", "theme", [r["theme"] for r in study["code_map"]], [*themes, "ignore"])


def _reliability(study: dict, qual: dict) -> list[str]:
    """Return what does not go together of `reliability` and `agreement_unit`, and the length of texts that they need."""
    settings, where = qual.get("reliability") or {}, "config/qual.yaml: reliability"
    if settings.get("approach", "agreement") != "agreement":
        beside = [name for name in ("coefficients", "coders", "confidence", "draws") if name in settings]
        return [
            f"{where}: '{name}' cannot stand beside the approach '{settings['approach']}', which gives no coefficient." for name in beside
        ]
    found = [f"{where}: 'reason' goes with the approaches consensus, reflexive and none."] if "reason" in settings else []
    named = settings.get("coefficients", [])
    needed = "alpha_u" if "alpha_u" in named else "agreement_unit: character" if qual.get("agreement_unit") == "character" else ""
    instrument = study["sources"].get(qual["documents"], {}).get("instrument")
    items = {row["item"] for row in study["items"] if row["instrument"] == instrument}
    if needed and "characters" not in items:
        found.append(f"config/codebook/items.csv: '{needed}' needs the item 'characters' (length of the text) of '{instrument}'.")
    return found


#: items that a source of the qualitative strand must have besides the key document_id
_QUALITATIVE_ITEMS = {"documents": (), "asked": (), "codings": ("code_path",), "paragraphs": ("start", "end")}


def _needed(study: dict, part: str, name: str) -> list[str]:
    """Return what a source of the qualitative strand lacks."""
    source = study["sources"][name]
    items = {row["item"] for row in study["items"] if row["instrument"] == source["instrument"]}
    found = (
        []
        if "document_id" in source.get("keys", {})
        else [f"config/sources.yaml, {name}: the source of {part} needs the key 'document_id'."]
    )
    missing = [item for item in _QUALITATIVE_ITEMS[part] if item not in items]
    return found + [
        f"config/codebook/items.csv: the source of {part} needs the item '{item}' of '{source['instrument']}'." for item in missing
    ]


def _theory(study: dict) -> list[str]:
    theory = study["theory_of_change"]
    scales = {row["scale"] for row in study["scales"]}
    found = []
    for construct in theory["constructs"]:
        where = f"config/theory_of_change.yaml, {construct['id']}"
        found += unknown_names(where, "scale", construct.get("scales", []), scales)
        found += unknown_names(where, "observation score", construct.get("observation", []), observation_scores(study))
        found += unknown_names(where, "fidelity index", construct.get("fidelity", []), _ids(study["fidelity"]))
    ends = [end for arrow in theory.get("arrows", []) for end in (arrow["from"], arrow["to"])]
    return found + unknown_names("config/theory_of_change.yaml, arrows", "construct", ends, _ids(theory["constructs"]))


def _exhibits(study: dict) -> list[str]:
    from bscstudy.pipeline import EXHIBIT_KINDS

    return unknown_names("config/exhibits.csv", "kind", [row["kind"] for row in study["exhibits"]], EXHIBIT_KINDS)


def _repeated(study: dict) -> list[str]:
    lists = {
        "config/config.yaml, waves": _ids(study["waves"]),
        "config/config.yaml, roles": _ids(study["roles"]),
        "config/exhibits.csv": [row["exhibit"] for row in study["exhibits"]],
        "config/measures.yaml, fidelity": _ids(study["fidelity"]),
        "config/measures.yaml, informant_gaps": _ids(study["informant_gaps"]),
        "config/measures.yaml, factor_models": _ids(study["factor_models"]),
        "config/measures.yaml, scores": observation_scores(study),
        "config/qual/themes.csv": [row["theme"] for row in study["themes"]],
        "config/meta_inferences.yaml": _ids(study["meta_inferences"]),
    }
    found = [
        f"{where}: the id '{n}' is given more than once."
        for where, names in lists.items()
        for n in sorted({x for x in names if names.count(x) > 1})
    ]
    versions = [(r["instrument"], r["item"], r["waves"], r["sources"]) for r in study["items"]]
    doubled = sorted({v for v in versions if versions.count(v) > 1}) if len(set(versions)) < len(versions) else []
    return found + [
        f"config/codebook/items.csv: the item '{v[1]}' of '{v[0]}' is given more than once for the same waves." for v in doubled
    ]
