"""What meta-inferences refer to must be declared: constructs, models and contrasts, indices, scores, metrics, themes."""

from __future__ import annotations

from bscstudy.errors import unknown_names

FILE = "config/meta_inferences.yaml"


def inference_references(study: dict, scores: list[str]) -> list[str]:
    """Return what meta-inferences name that the configuration does not have; `scores` are the ids of all observation scores."""
    if not study["meta_inferences"]:
        return []
    lacking = [name for name, part in (("models", study["models"]), ("coded interviews (config/qual.yaml)", study["qual"])) if not part]
    found = [f"{FILE}: there is nothing to join; the study has no {' and no '.join(lacking)}."] if lacking else []
    constructs = [construct["id"] for construct in study["theory_of_change"]["constructs"]]
    themes = [row["theme"] for row in study["themes"]]
    for inference in study["meta_inferences"]:
        where = f"{FILE}, {inference['id']}"
        found += unknown_names(where, "construct", [inference["construct"]], constructs)
        found += unknown_names(where, "theme", inference["themes"], themes)
        found += [text for result in inference["results"] for text in _result(study, result, scores, where)]
        if inference.get("strategy") and inference.get("fit") != "discord":
            found.append(f"{where}: 'strategy' says what is done about a discord; the fit is another.")
    return found


def _result(study: dict, result: dict, scores: list[str], where: str) -> list[str]:
    if "model" in result:
        found = unknown_names(where, "model", [result["model"]], study["models"])
        contrasts = [c["id"] for c in study["models"].get(result["model"], {}).get("contrasts") or []]
        named = [result["contrast"]] if "contrast" in result and not found else []
        return found + unknown_names(where, f"contrast of {result['model']}", named, contrasts)
    if "fidelity" in result:
        return unknown_names(where, "fidelity index", [result["fidelity"]], [index["id"] for index in study["fidelity"]])
    if "observation" in result:
        return unknown_names(where, "observation score", [result["observation"]], scores)
    charts = study["run_charts"] or {}
    groups = ["all", *((c["id"] for c in study["collaboratives"]) if "collaborative" in charts.get("by", []) else ())]
    found = unknown_names(where, "monthly metric", [result["run_chart"]], [metric["id"] for metric in charts.get("metrics", [])])
    return found + unknown_names(where, "group of charts", [result.get("group", "all")], groups)
