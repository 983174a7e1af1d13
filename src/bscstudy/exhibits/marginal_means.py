"""Means that the models expect for groups and waves, with intervals; lines over waves where the means have them."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking, model_cells, model_choice, model_notes
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.exhibits.means_figure import means_figure
from bscstudy.exhibits.means_privacy import withheld_cells
from bscstudy.exhibits.model_words import SCALE_WORDS

TABLES = ("models/marginal_means", "models/fits")
FIGURE = True
_NUMBERS = ("estimate", "std_error", "df", "low", "high", "n")
_SIZES = ("n_people", "n_centers")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the declared means of the chosen models.

    Options: `model` (ids) or `question` choose the models; `means` (such as `wave` or `wave:core`) which of their means. Cells with fewer
    rows or people than the smallest cell or with too few centers, and what would give them away, are withheld.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/marginal_means"), fits)
    wanted = context.option_list("means")
    rows = rows[rows["means"].isin(wanted)].reset_index(drop=True) if wanted and len(rows) else rows
    if rows.empty:
        return empty_exhibit("No estimated model of this study declares marginal means.")
    data = _ordered(_masked(model_choice.floats(rows, (*_NUMBERS, *_SIZES)), context), context)
    return Exhibit(
        table=_shown(data),
        caption="Means expected by the models, each group of the other factors counting the same",
        notes={
            **_notes(data, context),
            **model_choice.panels_note(data["panel"].nunique()),
            **model_notes.model_notes(fits, row_each=False),
        },
        sentences=tuple(_sentences(data)),
        group_by="Model",
        figure=means_figure(data, context),
        alt=_alt(data),
        data=data[["model", "means", "cell", "scale", "estimate", "low", "high"]],
    )


def _masked(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return rows with `n_shown`, and without the numbers of withheld cells."""
    shown = rows["n"].map(lambda n: None if numbers.is_missing(n) else int(n)).astype(object)
    withheld = pd.Series(False, index=rows.index)
    for _, part in rows.groupby(["model", "means"], sort=False):
        people = part["n_people"].fillna(part["n"])
        few = [model_cells.few_centers(n, context) for n in part["n_centers"]]
        counts = part["n"].where(people >= part["n"], people).tolist()
        withheld.loc[part.index], own = withheld_cells(part["cell"].tolist(), counts, context.min_cell, few)
        shown.loc[part.index] = [s if isinstance(s, str) else n for s, n in zip(own, shown.loc[part.index], strict=True)]
    numbers_of = list(_NUMBERS)
    return rows.assign(n_shown=shown, withheld=withheld, **{c: rows[c].mask(withheld) for c in numbers_of})


def _ordered(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return rows with waves in time and roles as declared, with the parts of a cell in words."""
    known = {"wave": wave_order(context), "role": list(context.labels("roles")), "collaborative": list(context.labels("collaboratives"))}
    names = {"wave": context.labels("waves"), "role": context.labels("roles"), "collaborative": context.labels("collaboratives")}
    models = places_in(rows["model"], list(dict.fromkeys(rows["model"])))
    rows = rows.assign(_model=models, _n=rows["means"].str.count(":")).sort_values(["_model", "_n", "means", "cell"], kind="stable")
    rows, parts = rows.drop(columns=["_model", "_n"]), []
    for (model, means), part in rows.groupby(["model", "means"], sort=False):
        factors = str(means).split(":")
        part = part.assign(panel=_panel(part["title"].iloc[0], factors, rows[rows["model"] == model]["means"].nunique()))
        cells = [str(cell).split(":") for cell in part["cell"]]
        if any(len(cell) != len(factors) for cell in cells):
            parts.append(part.assign(x=part["label"].astype(str), series="", over_waves=False))
            continue
        across = factors.index("wave") if "wave" in factors else 0
        order = pd.DataFrame(cells, index=part.index)
        ranks = pd.DataFrame({k: places_in(order[k], known.get(f, [])) for k, f in enumerate(factors)})
        ordered = part.assign(
            x=[names.get(factors[across], {}).get(c[across], labels.words(c[across])) for c in cells],
            series=[
                ", ".join(names.get(f, {}).get(v, labels.words(v)) for k, (f, v) in enumerate(zip(factors, c, strict=True)) if k != across)
                for c in cells
            ],
            over_waves="wave" in factors,
        )
        keys = [*(k for k in range(len(factors)) if k != across), across]
        by = pd.concat([ranks.add_prefix("r"), order.add_prefix("v")], axis=1)
        place = by.sort_values([name for k in keys for name in (f"r{k}", f"v{k}")], kind="stable").index
        parts.append(ordered.loc[place])
    return pd.concat(parts, ignore_index=True)


def _panel(title: str, factors: list[str], n_means: int) -> str:
    return title if n_means == 1 else f"{title}: by {numbers.listed([labels.words(f).lower() for f in factors])}"


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Model": row["panel"],
                "Group": str(row["label"]),
                "Mean": numbers.estimate(row["estimate"]),
                "95% interval": numbers.interval(row["low"], row["high"]),
                "SE": numbers.estimate(row["std_error"]),
                "df": numbers.degrees_of_freedom(row["df"]),
                "n": numbers.count(row["n_shown"]),
            }
            for row in data.to_dict("records")
        ]
    )


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    scales = list(dict.fromkeys(str(s) for s in data["scale"]))
    notes = {
        "Reading": "a mean is what the model expects of a group, covariates at their means and groups of other factors counting the same",
        "Scale": "; ".join(SCALE_WORDS.get(s, s) for s in scales),
    }
    if data["withheld"].any():
        notes["Small cells"] = (
            f"{numbers.plural(int(data['withheld'].sum()), 'cell')} withheld: {model_cells.group_words(context)}, or would give such a "
            f"cell away; {masking.note(context.min_cell)}"
        )
    return notes


def _sentences(data: pd.DataFrame) -> list[str]:
    """Return the first and last wave of each series that is a mean by wave alone."""
    said = []
    for panel, part in data[data["over_waves"] & (data["series"] == "")].groupby("panel", sort=False):
        known = part.dropna(subset=["estimate"])
        if len(known) < 2:
            continue
        ends = [
            f"{numbers.estimate_with_interval(row['estimate'], row['low'], row['high'])} at {row['x']}"
            for row in (known.iloc[0], known.iloc[-1])
        ]
        said.append(f"{panel}: the expected mean is {' and '.join(ends)} (95% intervals in brackets).")
    return said


def _alt(data: pd.DataFrame) -> str:
    n = min(data["panel"].nunique(), model_choice.MOST_PANELS)
    lines = "as lines over waves" if data["over_waves"].all() else "as points" if not data["over_waves"].any() else "as lines or points"
    return (
        f"Expected means {lines} with 95% intervals in {numbers.plural(n, 'panel')}, one for each model and set of means; "
        f"{numbers.plural(int(data['withheld'].sum()), 'cell')} withheld. The table holds every number."
    )
