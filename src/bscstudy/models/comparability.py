"""Whether the scores of different waves may be compared: items that changed their answers, wording or presence between waves."""

from __future__ import annotations

import re

import pandas as pd


def incomparable(columns: list[str], waves: list[str], config: dict, drift: pd.DataFrame | None = None) -> tuple[list[str], list[str]]:
    """Return (refusals, flags) for the scales among some columns over the waves of a model.

    Parameters
    ----------
    columns : names of the outcome and of predictors; those that are no scale are passed over
    waves : ids of the waves with rows in the model, in order
    config : sections ``scales`` and ``items``
    drift : DataFrame, optional
        ``checks/drift``; its rows of kind rescaled or reworded are added.

    A changed response scale is a refusal; new wording, or an item asked in some of the waves only, is a flag.
    """
    refusals, flags = [], []
    if len(waves) < 2:
        return refusals, flags
    scales = {str(s["scale"]): s for s in config.get("scales") or []}
    for column in columns:
        if column not in scales:
            continue
        scale = scales[column]
        names = scale_items(scale)
        rows = [r for r in config.get("items") or [] if r["instrument"] == scale["instrument"] and ("*" in names or r["item"] in names)]
        for item in sorted({r["item"] for r in rows}):
            kind, text = _item_change(item, [r for r in rows if r["item"] == item], waves, scale)
            (refusals if kind == "rescaled" else flags).extend([text] if text else [])
        if drift is not None:
            _add_drift(drift, scale, names, waves, refusals, flags)
    return refusals, flags


def scale_items(scale: dict) -> list[str]:
    """Return the item ids of a scale without signs and codes."""
    tokens = scale["items"].split() if isinstance(scale["items"], str) else list(scale["items"])
    return [re.sub(r"=.*$", "", str(token)).lstrip("-") for token in tokens]


def _item_change(item: str, rows: list[dict], waves: list[str], scale: dict) -> tuple[str, str]:
    answers, wordings = {}, {}
    for wave in waves:
        here = _rows_of_wave(rows, wave)
        answers[wave] = sorted({(str(r.get("response_scale") or ""), _number(r.get("minimum")), _number(r.get("maximum"))) for r in here})
        wordings[wave] = sorted({(str(r.get("version") or ""), str(r.get("wording") or "")) for r in here})
    asked = [w for w in waves if answers[w]]
    absent = [w for w in waves if not answers[w]]
    if len({tuple(answers[w]) for w in asked}) > 1:
        text = f"item {item} of {scale['scale']} has other answers in some of {', '.join(asked)}, with no map declared between them"
        return "rescaled", f"scores of these waves cannot be compared: {text}"
    if absent and asked:
        return "absent", f"item {item} of {scale['scale']} was not asked in {', '.join(absent)}"
    if len({tuple(wordings[w]) for w in asked}) > 1:
        return "reworded", f"item {item} of {scale['scale']} was reworded between the waves {', '.join(asked)}"
    return "same", ""


def _rows_of_wave(rows: list[dict], wave: str) -> list[dict]:
    named = [r for r in rows if wave in str(r.get("waves") or "").split()]
    return named or [r for r in rows if not str(r.get("waves") or "").split()]


def _number(value: object) -> float | None:
    return None if value in (None, "") else float(value)


def _add_drift(drift: pd.DataFrame, scale: dict, names: list[str], waves: list[str], refusals: list[str], flags: list[str]) -> None:
    ours = drift[(drift["instrument"] == scale["instrument"]) & (drift["item"].isin(names) | ("*" in names))]
    ours = ours[ours["wave_from"].isin(waves) & ours["wave_to"].isin(waves)]
    for row in ours.to_dict("records"):
        known = any(f"item {row['item']} of {scale['scale']} " in text for text in refusals + flags)
        between = f"item {row['item']} of {scale['scale']} was {row['change']} between the waves {row['wave_from']}, {row['wave_to']}"
        if row["change"] == "rescaled" and not known:
            refusals.append(f"scores of these waves cannot be compared: {between}, and no map between them is declared")
        elif row["change"] == "reworded" and not known:
            flags.append(between)
