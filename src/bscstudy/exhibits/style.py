"""How every figure looks and how it becomes the same bytes each time."""

from __future__ import annotations

import io
import textwrap

INK = "#1b1f24"
MUTED = "#5b6470"
RULE = "#c9ced6"
WARNING = "#a11212"
BLUE, ORANGE, GREEN, PINK, BROWN = "#0072B2", "#B34700", "#00735C", "#9C4A82", "#7A5B00"
PALETTE = (BLUE, ORANGE, GREEN, PINK, BROWN, INK)
"""Okabe and Ito's colour-blind safe hues, the light ones darkened until each has a contrast of 4.5 on white."""
MARKERS = ("o", "s", "^", "D", "v", "P")
SYNTHETIC_MARK = "SYNTHETIC DATA"
#: of a figure's width and height, left blank at its sides and foot
_EDGE = 0.01

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "grid.color": "#e3e6eb",
    "axes.unicode_minus": True,
    "svg.hashsalt": "bscstudy",
    "svg.fonttype": "path",
    "figure.dpi": 100,
    "savefig.dpi": 150,
}


def new_figure(width: float = 7.5, height: float = 4.0, rows: int = 1, columns: int = 1, **options):
    """Return (figure, axes) in the house style; sizes in inches; ``options`` as for ``Figure.subplots``."""
    import matplotlib

    matplotlib.use("Agg")
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seaborn.set_theme(style="white", palette=list(PALETTE), rc=_RC)
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **options)
    for axis in [axes] if rows * columns == 1 and options.get("squeeze") is not False else list(axes.flat):
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def finish(figure, context) -> None:
    """Put the title on top and, where the study is synthetic, a mark that travels with the file."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(context.title, max(20, int(width * 11 - (16 if context.synthetic else 0))))
    head = 0.12 + 0.19 * max(1, len(lines))
    figure.get_layout_engine().set(rect=(_EDGE, _EDGE, 1 - 2 * _EDGE, 1 - _EDGE - head / height))
    top = 1 - 0.06 / height
    figure.text(0.012, top, "\n".join(lines), ha="left", va="top", fontsize=10.5, fontweight="bold", color=INK)
    if context.synthetic:
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": WARNING, "linewidth": 0.9}
        figure.text(0.985, top, SYNTHETIC_MARK, ha="right", va="top", fontsize=7.5, fontweight="bold", color=WARNING, bbox=box)


def add_foot(figure, text: str) -> None:
    """Say something at the foot of a figure, above what was said there before; after `finish`."""
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = figure.get_layout_engine().get()["rect"]
    lines = textwrap.wrap(text, max(20, int(width * 16)))
    foot = (0.08 + 0.13 * len(lines)) / height
    figure.get_layout_engine().set(rect=(left, bottom + foot, wide, tall - foot))
    figure.text(0.012, bottom - _EDGE + 0.05 / height, "\n".join(lines), ha="left", va="bottom", fontsize=7.5, color=MUTED)


def figure_bytes(figure, kind: str) -> bytes:
    """Return the figure as ``svg`` or ``png``; the same figure gives the same bytes, with no date and no program version."""
    import matplotlib

    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with matplotlib.rc_context(_RC):
        _freeze_layout(figure)
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=150, facecolor="white")
    return buffer.getvalue()


def _freeze_layout(figure) -> None:
    """Lay the figure out once and round the places; the solver behind the layout varies in the last bits from run to run."""
    if figure.get_layout_engine() is None:
        return
    figure.draw_without_rendering()
    foot = figure.get_layout_engine().get().get("rect", (0.0, 0.0))[1] - _EDGE
    figure.set_layout_engine("none")
    for legend in figure.legends if foot > 0 else ():  # while the layout is solved, a legend with an anchor has no place of its own
        legend.set_bbox_to_anchor((0, foot, 1, 1 - foot))
    for axis in figure.axes:
        axis.set_position([round(float(value), 5) for value in axis.get_position(original=True).bounds])
