"""Which sections of the configuration each rule of the workflow reads: a rule reruns when one of them changes, and only then."""

from __future__ import annotations

from bscstudy.checks.gate import sections_read
from bscstudy.config import sections_digest
from bscstudy.models.inputs import model_waves, named_in
from bscstudy.pipeline import (
    SCORED,
    exhibit_constants,
    exhibit_kinds,
    exhibits_by_job,
    register_sources,
    shows_only_models,
)

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
    "map_peer_network": (*_SOUND, "ids", "crosswalks", "peer_network"),
    "count_reports": (*_SOUND, "reported", "harmonisation"),
    "build_analysis": ("waves", "sources", "scales", "items", "harmonisation"),
    "settle_centers": (),
    "settle_model_rows": ("waves", "roles", "collaboratives", "sources", "scales", "items", "harmonisation", "observation", "models"),
    "collect_models": (),
    "code_themes": (*_SOUND, "qual", "themes", "code_map"),
    "rate_constructs": (*_SOUND, "qual", "scales", "harmonisation"),
    "scrub_quotes": ("sources", "qual", "quotes"),
    "merge_strands": ("waves", "theory_of_change", "themes", "models", "sources", "scales", "items", "harmonisation", "observation"),
    "judge_inferences": (
        "waves",
        "collaboratives",
        "privacy",
        "theory_of_change",
        "themes",
        "models",
        "sources",
        "scales",
        "items",
        "harmonisation",
        "observation",
        "fidelity",
        "run_charts",
        "meta_inferences",
    ),
    "link_themes": ("waves", "theory_of_change", "integration", "models", "sources", "scales", "items", "harmonisation"),
    "fill_checklists": (
        "waves",
        "roles",
        "exhibits",
        "privacy",
        "scales",
        "observation",
        "fidelity",
        "qual",
        "themes",
        "code_map",
    ),
    "write_report": ("waves", "collaboratives", "exhibits", "models", "checks", "privacy", "exclusions"),
}
#: rules behind the settled list of centers, which a wave without files for them leaves as they are
UNTOUCHED_BY_WAVES = ("score_observation", "build_run_charts")
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


def sections_of(study: dict, rule: str, wildcards: dict[str, str]) -> dict[str, str]:
    """Return local name -> address of the sections a job of a rule reads."""
    if rule == "ingest_source":
        source = wildcards["source"]
        instrument = study["sources"][source]["instrument"]
        rows = {name: f"{name}[instrument={instrument}]" for name in ("items", "missing_codes", "recodes")}
        whole = {name: name for name in ("ids", "crosswalks", "response_scales")}
        own = {"waves": _waves_of(study["sources"][source]), "source": f"sources.{source}", "exclusions": f"exclusions[source={source}]"}
        return {**whole, **rows, **own}
    if rule == "fit_model":
        return _model_sections(study["models"][wildcards["model"]], wildcards["model"])
    made = exhibits_by_job(study)
    if rule in made:
        own = {name for kind in exhibit_kinds(study, made[rule]) for name in exhibit_constants(kind).get("SECTIONS", ())}
        return {
            **{n: n for n in sorted({*_EXHIBIT, *own})},
            **_waves_shown(study, made[rule]),
            "exhibits": f"exhibits[exhibit={'|'.join(made[rule])}]",
        }
    own = _of_own_sources(study, SCORED[rule](study)) if rule in UNTOUCHED_BY_WAVES else {}
    read = sections_read([*SCORED[rule](study), *register_sources(study)], study) if rule in SCORED else {}
    return {**read, **{name: name for name in SECTIONS[rule]}, **own}


def _of_own_sources(study: dict, scored: list[str]) -> dict[str, str]:
    """Return the waves, sources and codebook rows of a step's own sources and the registers."""
    names = sorted({*scored, *register_sources(study)})
    instruments = "|".join(sorted({study["sources"][name]["instrument"] for name in names}))
    held = [_waves_of(study["sources"][name]) for name in names]
    waves = sorted({wave for address in held for wave in address.removeprefix("waves[id=").removesuffix("]").split("|") if wave})
    return {
        "waves": "waves" if "waves" in held else f"waves[id={'|'.join(waves)}]",
        "sources": f"sources[id={'|'.join(names)}]",
        **{name: f"{name}[instrument={instruments}]" for name in ("items", "missing_codes")},
    }


def _model_sections(spec: dict, model: str) -> dict[str, str]:
    """Return what a model's fit reads of the configuration: only the waves and scales that its file names."""
    waves, words = model_waves(spec), "|".join(sorted(named_in(spec)))
    scales = f"scales[scale={words}" + (f", waves={'|'.join(waves)}]" if waves else "]")
    named = {"waves": "waves" if waves is None else f"waves[id={'|'.join(waves)}]", "scales": scales, "model": f"models.{model}"}
    return {**named, **{name: name for name in ("roles", "collaboratives", "observation")}}


def _waves_shown(study: dict, exhibits: list[str]) -> dict[str, str]:
    """Return the waves, scales and map of exhibits that show nothing but models, which may leave waves out."""
    named = [model_waves(spec) for spec in study["models"].values()]
    if None in named or not shows_only_models(study, exhibits):
        return {}
    waves = "|".join(sorted(set().union(*named)))
    return {"waves": f"waves[id={waves}]", "scales": f"scales[waves={waves}]", "harmonisation": f"harmonisation[waves={waves}]"}


def _waves_of(source: dict) -> str:
    """Return the address of the waves a source can hold, so that a new wave does not read the files of the others again."""
    wave = source.get("wave")
    if isinstance(wave, dict) and not wave.get("map"):
        return "waves"
    named = [] if wave is None else [wave] if isinstance(wave, str) else sorted({str(meant) for meant in wave["map"].values()})
    return f"waves[id={'|'.join(named)}]"


def config_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the configuration that a job reads."""
    return sections_digest(study, sections_of(study, rule, wildcards))
