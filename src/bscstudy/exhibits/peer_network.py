"""Who turns to whom: density, mutual ties, ties to other centers and isolation by wave, with a picture of the centers."""

from __future__ import annotations

import math

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.exhibits.panels import panel_grid
from bscstudy.exhibits.theme_words import center_codes
from bscstudy.privacy import is_small

TABLES = ("measures/peer_network", "measures/peer_ties", "centers")
FIGURE = True


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the figures of each wave's network, and the centers on a circle with the ties between them."""
    network, ties = tables.get("measures/peer_network"), tables.get("measures/peer_ties")
    if network is None or network.empty:
        return empty_exhibit("No answers on who turns to whom are recorded.")
    waves = wave_order(context)
    network = network.assign(_wave=places_in(network["wave"], waves)).sort_values(["level", "_wave", "wave"], kind="stable")
    said = _sentences(network, context)
    return Exhibit(
        table=_shown(network, context),
        caption="Who turns to whom, by wave: among people and among centers",
        notes=_notes(network, context),
        sentences=tuple(said),
        group_by="Among",
        figure=_figure(network, ties, tables["centers"], context),
        alt="Centers on a circle, with arrows from each center to those its people turn to, one panel a wave. " + " ".join(said),
        data=_data(network, context),
    )


def _data(network: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the shares, without the counts of people."""
    shares = network[["density", "reciprocity", "cross_center"]].mask(network.apply(_hidden, axis=1, args=(context,)))
    isolated = network["isolated"].mask(network.apply(_few_isolated, axis=1, args=(context,)))
    return pd.concat([network[["wave", "level"]], shares, isolated], axis=1).reset_index(drop=True)


def _hidden(row: pd.Series, context: Context) -> bool:
    return row["level"] == "person" and is_small(row["n_answered"], context.min_cell)


def _few_isolated(row: pd.Series, context: Context) -> bool:
    """Return whether the share of isolated people would give away how few they are."""
    return _hidden(row, context) or (row["level"] == "person" and is_small(row["n_isolated"], context.min_cell))


def _shown(network: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves, rows = context.labels("waves"), []
    for _, row in network.iterrows():
        people, hidden = row["level"] == "person", _hidden(row, context)
        few = f"<{context.min_cell}" if _few_isolated(row, context) else ""
        rows.append(
            {
                "Among": "People" if people else "Centers",
                "Wave": waves.get(row["wave"], row["wave"]),
                "Answered": numbers.count(masking.few(row["n_answered"], context.min_cell) if people else row["n_answered"]),
                "Could be named": numbers.MISSING if hidden else numbers.count(row["n_nodes"]),
                "Ties": numbers.MISSING if hidden else numbers.count(row["n_ties"]),
                "Density": numbers.MISSING if hidden else numbers.percent(row["density"], 1),
                "Mutual": numbers.MISSING if hidden else numbers.percent(row["reciprocity"]),
                "To another center": numbers.MISSING if hidden else numbers.percent(row["cross_center"]),
                "Isolated": numbers.MISSING if hidden else few or numbers.count_of(row["n_isolated"], row["n_answered"]),
                "Names that fit nobody": numbers.MISSING if hidden else numbers.count(row["n_unknown"]),
            }
        )
    return pd.DataFrame(rows)


def _notes(network: pd.DataFrame, context: Context) -> dict[str, str]:
    centers = network.loc[network["level"] == "center", "n_nodes"].max()
    left_out = int(network.loc[network["level"] == "person", "n_left_out"].sum())
    return {
        "Estimator": "density: ties over those that who answered could have named; mutual: share of ties between two who both "
        "answered that go both ways; isolated: names nobody and is named by nobody",
        "n": "as shown in the table; the network of a wave holds who answered and whom they could name",
        "Clusters": numbers.plural(centers, "center"),
        "Exclusions": "names that fit nobody, people naming themselves and, among centers, people naming their own center are no ties; "
        f"{numbers.plural(left_out, 'form')} without a person's id left out among people",
        "Privacy": f"{masking.note(context.min_cell)}; the figure shows centers only, and whether there is a tie, not how many",
    }


def _sentences(network: pd.DataFrame, context: Context) -> list[str]:
    waves, said = context.labels("waves"), []
    for level, part in network.groupby("level", sort=False):
        shown = part[~part.apply(lambda row: _hidden(row, context), axis=1)]
        among = "people" if level == "person" else "centers"
        if len(shown):
            said.append(f"Density of the network among {among}: {_by_wave(shown, 'density', waves, 1)}.")
        if len(shown) and level == "person":
            said.append(f"Ties to another center, of all ties among people: {_by_wave(shown, 'cross_center', waves, 0)}.")
    return said


def _by_wave(shown: pd.DataFrame, column: str, waves: dict[str, str], digits: int) -> str:
    return numbers.listed([f"{numbers.percent(r[column], digits)} ({waves.get(r['wave'], r['wave'])})" for r in shown.to_dict("records")])


def _figure(network: pd.DataFrame, ties: pd.DataFrame, centers: pd.DataFrame, context: Context):
    """Draw centers in the order of their letters, which tells nothing of who they are, from the top clockwise."""
    codes = center_codes(centers, context)
    order = sorted(codes, key=lambda center: (len(codes[center]), codes[center]))
    angle = {center: math.pi / 2 - 2 * math.pi * i / len(order) for i, center in enumerate(order)}
    spots = {center: (math.cos(a), math.sin(a)) for center, a in angle.items()}
    waves, labels = list(dict.fromkeys(network.sort_values("_wave", kind="stable")["wave"])), context.labels("waves")
    figure, axes = panel_grid([labels.get(wave, wave) for wave in waves], 2.2, context, columns=min(3, len(waves)))
    for axis, wave in zip(axes, waves, strict=True):
        part = ties[ties["wave"] == wave]
        pairs = set(zip(part["from_center"], part["to_center"], strict=True))
        for start, end in sorted(pairs):
            if start in spots and end in spots and (start < end or (end, start) not in pairs):
                _arrow(axis, spots[start], spots[end], mutual=(end, start) in pairs)
        reached = {center for pair in pairs for center in pair}
        for center, (x, y) in spots.items():
            fill = style.BLUE if center in reached else "white"
            axis.plot(x, y, marker="o", markersize=6, color=style.BLUE, markerfacecolor=fill, zorder=3)
            if context.show_centers:
                axis.text(1.16 * x, 1.16 * y, codes[center], ha="center", va="center", fontsize=7)
        axis.set_xlim(-1.3, 1.3)
        axis.set_ylim(-1.3, 1.3)
        axis.set_aspect("equal")
        axis.set_axis_off()
    key = "blue = both ways, grey = one way, white = no tie to another center was reported"
    figure.text(0.5, 0.01, key, ha="center", fontsize=7.5, color=style.MUTED)
    return figure


def _arrow(axis, start: tuple[float, float], end: tuple[float, float], *, mutual: bool) -> None:
    axis.annotate(
        "", end, start, zorder=2 if mutual else 1,
        arrowprops={
            "arrowstyle": "<|-|>" if mutual else "-|>", "color": style.BLUE if mutual else style.MUTED, "linewidth": 1.0 if mutual else 0.6,
            "mutation_scale": 6, "shrinkA": 4, "shrinkB": 4, "alpha": 0.8 if mutual else 0.6,
        },
    )  # fmt: skip
