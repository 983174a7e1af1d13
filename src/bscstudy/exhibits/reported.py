"""What people report by wave and group, such as practices that spread or tools they lack, and what they keep to a later wave."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in, wave_order
from bscstudy.exhibits.reported_figure import shares_figure
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("measures/reported", "measures/reported_kept", "centers")
FIGURE = True
SECTIONS = ("reported",)
ALL = "all"
HIDDEN = "hidden"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the shares of one set (option `set`; the first by default) by wave and group.

    Option `by` names the groups (default: every group but single centers); single centers are shown by letters where the study allows it.
    """
    spec = next((s for s in context.rows("reported") if str(s["id"]) == context.options.get("set", str(s["id"]))), None)
    data, kept = tables.get("measures/reported"), tables.get("measures/reported_kept")
    if spec is None or data is None or (data := data[data["set"] == spec["id"]]).empty:
        return empty_exhibit("Nothing of this kind was asked.")
    wanted = context.option_list("by") or [by for by in spec.get("by") or [] if by != "center_id"]
    wanted = [ALL, *(by for by in wanted if by != "center_id" or context.show_centers)]
    kept = kept[kept["set"] == spec["id"]]
    parts = [_sorted(_lettered(table[table["by"].isin(wanted)], tables, context), wanted, spec, context) for table in (data, kept)]
    data, kept = _shares_hidden(parts[0], context), _kept_hidden(parts[1], parts[0], context)
    said = _sentences(data, kept, context)
    return Exhibit(
        table=_shown(data, kept, context),
        caption=f"{spec['label']}: share of people by wave and group",
        notes=_notes(data, kept, spec, context),
        sentences=tuple(said),
        group_by="Item",
        figure=shares_figure(data, [item["label"] for item in spec["items"]], lambda row: _group_name(row, context), context),
        alt="Shares of people by wave, one line for each group. " + " ".join(said),
        data=data[["item", "wave", "by", "group", "share"]],
    )


def _lettered(table: pd.DataFrame, tables: dict[str, pd.DataFrame], context: Context) -> pd.DataFrame:
    of_centers = table["by"] == "center_id"
    if not of_centers.any():
        return table
    letters = center_codes(tables["centers"], context)
    return table.assign(group=table["group"].where(~of_centers, table["group"].map(letters)))


def _sorted(table: pd.DataFrame, wanted: list[str], spec: dict, context: Context) -> pd.DataFrame:
    known = [group for section in ("roles", "collaboratives") for group in context.labels(section)]
    order = in_order(table["group"], ["core", "other", *known])
    waves = wave_order(context)
    return table.assign(
        _item=places_in(table["item"], [item["item"] for item in spec["items"]]), _by=places_in(table["by"], wanted),
        _group=places_in(table["group"], order), _wave=places_in(table["wave" if "wave" in table else "wave_from"], waves),
    ).sort_values(["_item", "_by", "_group", "_wave"], kind="stable", ignore_index=True)  # fmt: skip


def _shares_hidden(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Blank shares of groups in which few answered, said yes or said no, and those that would give one such group away."""
    parts = (data["n_answered"], data["n_yes"], data["n_answered"] - data["n_yes"])
    return data.assign(share=data["share"].mask(_hidden(data, parts, ["item", "wave", "by"], context)))


def _kept_hidden(kept: pd.DataFrame, data: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Blank what people kept and took up where few of a group did or did not, and what would give one such group away.

    Beside the counts of each wave they also tell how many answered in one of the two waves only: these may not be few either.
    """
    without = kept["n_both"] - kept["n_before"]
    lost, still = kept["n_before"] - kept["n_kept"], without - kept["n_taken_up"]
    yes_first, no_first = _counts_at(kept, data, "wave_from")
    yes_last, no_last = _counts_at(kept, data, "wave_to")
    new = (yes_last - kept["n_kept"] - kept["n_taken_up"], no_last - lost - still)
    keep = _hidden(kept, (kept["n_before"], kept["n_kept"], lost, yes_first - kept["n_before"]), ["item", "by"], context)
    take = _hidden(kept, (without, kept["n_taken_up"], still, no_first - without, *new), ["item", "by"], context)
    return kept.assign(share_kept=kept["share_kept"].mask(keep), share_taken_up=kept["share_taken_up"].mask(take))


def _counts_at(kept: pd.DataFrame, data: pd.DataFrame, wave: str) -> tuple[pd.Series, pd.Series]:
    """Return who said yes and who said no at the first or the last wave of each row of what was kept."""
    keys = ["item", "by", "group"]
    at = kept[[*keys, wave]].merge(data.rename(columns={"wave": wave}), on=[*keys, wave], how="left").set_index(kept.index)
    return at["n_yes"], at["n_answered"] - at["n_yes"]


def _hidden(table: pd.DataFrame, counts: tuple[pd.Series, ...], within: list[str], context: Context) -> pd.Series:
    return masking.with_complement(masking.any_small(counts, context.min_cell), counts, table[within], context.min_cell)


def _group_name(row: dict, context: Context) -> str:
    by, group = row["by"], str(row["group"])
    if by == ALL:
        return "All"
    if by == "center_id":
        return f"Center {group}"
    if by == "core":
        return {"core": "Core team", "other": "Other staff"}.get(group, group)
    section = {"role": "roles", "collaborative": "collaboratives"}.get(by)
    return context.labels(section).get(group, group) if section else labels.words(group)


def _shown(data: pd.DataFrame, kept: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves, rows = list(dict.fromkeys(data.sort_values("_wave", kind="stable")["wave"])), []
    names = context.labels("waves")
    for (_, _, _, item, by, group), part in data.groupby(["_item", "_by", "_group", "label", "by", "group"], sort=True):
        by_wave = part.set_index("wave")
        row = {"Item": item, "Group": _group_name({"by": by, "group": group}, context)}
        for wave in waves:
            here = by_wave.loc[wave].to_dict() if wave in by_wave.index else None
            row[names.get(wave, wave)] = numbers.MISSING if here is None else _cell(here)
        if len(kept):
            mine = kept[(kept["label"] == item) & (kept["by"] == by) & (kept["group"] == group)].to_dict("records")
            ends = f"{names.get(kept['wave_from'].iloc[0], '')} to {names.get(kept['wave_to'].iloc[0], '')}"
            row[f"Kept, {ends}"] = _kept_cell(mine[0], "n_kept", "share_kept") if mine else numbers.MISSING
            row["Taken up since"] = _kept_cell(mine[0], "n_taken_up", "share_taken_up") if mine else numbers.MISSING
        rows.append(row)
    return pd.DataFrame(rows)


def _cell(row: dict) -> str:
    if numbers.is_missing(row["share"]):
        return HIDDEN if row["n_answered"] else numbers.MISSING
    return numbers.count_of(row["n_yes"], row["n_answered"])


def _kept_cell(row: dict, part: str, share: str) -> str:
    of = row["n_before"] if part == "n_kept" else row["n_both"] - row["n_before"]
    if numbers.is_missing(row[share]):
        return HIDDEN if of else numbers.MISSING
    return numbers.count_of(row[part], of)


def _notes(data: pd.DataFrame, kept: pd.DataFrame, spec: dict, context: Context) -> dict[str, str]:
    whole = data[data["by"] == ALL]
    blank = int((whole["n_asked"] - whole["n_answered"]).sum())
    notes = {
        "Estimator": "shares of people with an answer; nothing is estimated",
        "n": f"up to {numbers.count(whole['n_answered'].max())} answers of a wave to an item",
        "Clusters": "people of all centers together; answers within a center are alike",
        "Exclusions": f"{numbers.count(blank)} answers missing, over all items and waves",
        "Who": f"people with {spec['who']}" if spec.get("who") else "all people who were asked",
        "Privacy": f"hidden: 1 to {context.min_cell - 1} people answered, said yes or no, or did so in one wave only, or the cell tells it",
    }
    for column, name in (("not_comparable", "Not comparable between waves"), ("harmonised", "Harmonised")):
        told = whole.assign(why=whole[column].fillna("")).query("why != ''").drop_duplicates("label")
        if len(told):
            each = [(label, text) for label, why in zip(told["label"], told["why"], strict=True) for text in why.split("; ")]
            notes[name] = "; ".join(f"{label}: {text}" for label, text in each)
    if len(kept):
        notes["Kept"] = "people with an answer at both waves: of who reported it first, who still does; of the others, who took it up"
    if "center_id" in (spec.get("by") or []) and not context.show_centers:
        notes["Privacy"] += "; single centers are not shown in this study"
    return notes


def _sentences(data: pd.DataFrame, kept: pd.DataFrame, context: Context) -> list[str]:
    names, said = context.labels("waves"), []
    for item, part in data[data["by"] == ALL].groupby("label", sort=False):
        shown = part.dropna(subset=["share"]).to_dict("records")
        told = [f"{numbers.percent(row['share'])} ({names.get(row['wave'], row['wave'])})" for row in shown]
        if told:
            apart = " The waves cannot be compared." if numbers.text(part["not_comparable"].iloc[0]) else ""
            said.append(f"{item}: {numbers.listed(told)}.{apart}")
    for row in kept[kept["by"] == ALL].dropna(subset=["share_kept"]).to_dict("records"):
        before = names.get(row["wave_from"], row["wave_from"])
        said.append(f"{row['label']}: of those who reported it at {before}, {_kept_cell(row, 'n_kept', 'share_kept')} kept it.")
    return said
