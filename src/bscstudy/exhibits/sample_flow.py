"""Who was asked and who answered: forms expected and received by instrument and wave, and how staff came and went."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking, sentences, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in, wave_order
from bscstudy.exhibits.people_flow_cells import people_flow

TABLES = ("checks/flow", "people")
FIGURE = True
ALL = "All"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the flow by instrument and wave; option `by` = `collaborative` or `role` adds rows for each (never both, never a center)."""
    flow = tables["checks/flow"]
    if flow.empty:
        return empty_exhibit("No form was expected or received.")
    by = context.options.get("by", "collaborative")
    data = _counts(flow, [], context)
    if by in ("collaborative", "role"):
        data = pd.concat([data, _counts(flow, [by], context)], ignore_index=True)
    data = data.sort_values(["_instrument", "_wave", "_group"], kind="stable").reset_index(drop=True)
    total = data[data["group"] == ALL].copy()
    for column in ("expected", "received"):
        total[column] = masking.masked(total, [column], [], context.min_cell, total=total["group"] == ALL)[column]
    return Exhibit(
        table=_shown(data, context),
        caption="Forms expected, received and left out, by instrument and wave",
        notes=_notes(tables, context, by),
        sentences=tuple(
            sentences.response_sentence(r["instrument"], r["wave"], r["expected"], r["received"]) for r in total.to_dict("records")
        ),
        group_by="Instrument",
        figure=_figure(total, context),
        alt=_alt(total),
        data=total[["instrument", "wave", "expected", "received", "excluded", "n_centers"]],
    )


def _counts(flow: pd.DataFrame, by: list[str], context: Context) -> pd.DataFrame:
    frame = flow.copy()
    for column in ("instrument", "wave", *by):
        frame[column] = frame[column].fillna("").astype(str)
    grouped = frame.groupby(["instrument", "wave", *by], sort=True)
    data = grouped[["expected", "received", "excluded"]].sum(min_count=1).reset_index()
    with_forms = frame[frame["received"].fillna(0) > 0].groupby(["instrument", "wave", *by])["center_id"].nunique()
    data["n_centers"] = (
        with_forms.reindex(pd.MultiIndex.from_frame(data[["instrument", "wave", *by]]) if data.shape[0] else None).fillna(0).to_numpy()
    )
    waves, groups = wave_order(context), context.labels(f"{by[0]}s") if by else {}
    data["_instrument"] = data["instrument"]
    data["_wave"] = places_in(data["wave"], waves)
    data["_group"] = places_in(data[by[0]], list(groups)) + 1 if by else 0
    data["instrument"] = data["instrument"].map(labels.words)
    data["wave"] = data["wave"].map(lambda w: context.labels("waves").get(w, w or "Whole study"))
    data["group"] = data[by[0]].map(lambda g: groups.get(g, g or "Not stated")) if by else ALL
    return data


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    cells = masking.masked(data, ["expected", "received"], ["instrument", "wave"], context.min_cell, total=data["group"] == ALL)
    rows = zip(data.to_dict("records"), cells.to_dict("records"), strict=True)
    return pd.DataFrame(
        [
            {
                "Instrument": row["instrument"],
                "Wave": row["wave"] if row["group"] == ALL else f"{row['wave']}: {row['group']}",
                "Expected": numbers.count(cell["expected"]),
                "Received": numbers.count(cell["received"]),
                "Response": _response(cell),
                "Left out": numbers.count(row["excluded"]),
                "Centers": numbers.count(row["n_centers"]),
            }
            for row, cell in rows
        ]
    )


def _response(cell: dict) -> str:
    expected, received = cell["expected"], cell["received"]
    if (
        isinstance(expected, str)
        or isinstance(received, str)
        or numbers.is_missing(expected)
        or numbers.is_missing(received)
        or not expected
    ):
        return numbers.MISSING
    return numbers.percent(received / expected) if received <= expected else f">{numbers.percent(1.0)}"


def _notes(tables: dict, context: Context, by: str) -> dict[str, str]:
    people = tables.get("people")
    notes = {
        "Expected": "forms due by the register of people and centers; a dash where no register says how many were asked",
        "Exclusions": "named under `exclusions` in the configuration with a reason; not among the received, and in no result",
        "n": "forms with at least one valid answer are received",
        "Clusters": "Centers = centers with at least one form received",
        "Estimator": "counts; nothing is estimated",
    }
    if people is not None and len(people):
        notes["Turnover"] = turnover_text(people, context)
    if by in ("collaborative", "role"):
        notes["Privacy"] = (
            masking.note(context.min_cell) + "; forms left out are counted whatever their number, as in the quality of the data; "
            "counts by role within a center are never shown"
        )
    return notes


def turnover_text(people: pd.DataFrame, context: Context) -> str:
    """Return how many people were there in the first and the last wave, left, joined, or were there between; masked with their flow."""
    cells = people_flow(people, context).statuses
    if not cells:
        return "not shown: the counts of those who stayed, left and joined would give small ones away"
    n_waves = people.loc[people["present"] == 1, "wave"].nunique()
    between = "were there in neither the first nor the last wave" if n_waves > 1 else "were there in the one wave"
    words = {"stayer": "stayed", "leaver": "left", "joiner": "joined", "once": between}
    parts = [f"{numbers.count(cells[s])} {words[s]}" for s in words if cells.get(s, 0) != 0]
    everyone = numbers.count(cells["all"]) if "all" in cells else "the"
    listed = people.groupby("wave")["expected"].max()
    unlisted = [label for wave, label in context.labels("waves").items() if listed.get(wave) == 0]
    if len(unlisted) == len(listed):
        return f"of {everyone} people who answered, {numbers.listed(parts)}; no register lists people, so who did not answer counts as gone"
    rest = f"; for {numbers.listed(unlisted)} the register lists nobody, and who did not answer counts as gone" if unlisted else ""
    return f"of {everyone} people in the register, {numbers.listed(parts)}{rest}"


def _figure(total: pd.DataFrame, context: Context):
    names = in_order(total["instrument"], list(dict.fromkeys(total["instrument"])))
    figure, axis = style.new_figure(7.5, 1.2 + 0.3 * len(total) + 0.25 * len(names))
    position, ticks, wording = 0.0, [], []
    for name in names:
        axis.text(0, position, name, fontweight="bold", va="center", fontsize=9)
        for row in total[total["instrument"] == name].to_dict("records"):
            position -= 1
            _bar(axis, position, row)
            ticks.append(position)
            wording.append(row["wave"])
        position -= 1.2
    axis.set_yticks(ticks, wording)
    axis.set_ylim(position + 0.6, 0.6)
    sizes = pd.to_numeric(total[["expected", "received"]].stack(), errors="coerce")
    axis.set_xlim(0, 1.32 * max(context.min_cell, sizes.max()) if len(sizes.dropna()) else context.min_cell)
    axis.set_xlabel("Forms: received (filled) of expected (outline)")
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    style.finish(figure, context)
    return figure


def _bar(axis, position: float, row: dict) -> None:
    if isinstance(row["received"], str) or isinstance(row["expected"], str):
        axis.annotate(numbers.count(row["received"]), (0, position), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
        return
    received = 0 if numbers.is_missing(row["received"]) else row["received"]
    axis.barh(position, received, height=0.62, color=style.BLUE)
    known = not numbers.is_missing(row["expected"]) and row["expected"] > 0
    if known:
        axis.barh(position, row["expected"], height=0.62, facecolor="none", edgecolor=style.MUTED, linewidth=1)
    text = numbers.count_of(received, row["expected"]) if known and received <= row["expected"] else numbers.count(received)
    axis.annotate(
        text, (max(received, row["expected"] if known else 0), position), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
    )


def _alt(total: pd.DataFrame) -> str:
    parts = [sentences.response_sentence(r["instrument"], r["wave"], r["expected"], r["received"]) for r in total.to_dict("records")]
    return "Bars of forms received against forms expected. " + " ".join(parts)
