"""Small panels in rows and columns, each with a title of its own, under the title of the exhibit."""

from __future__ import annotations

import math
import textwrap

from bscstudy.exhibits import style


def panel_grid(
    titles: list[str], height: float, context, *, columns: int = 3, letters: int = 0, sharey: bool = False, sharex: bool = False
):
    """Return (figure, axes in use); unused places are blank.

    Parameters
    ----------
    titles : list of str
        One for each panel; a line break in it is kept.
    height : float
        Of a row of panels without its title, in inches.
    columns : int
        Most panels beside each other.
    letters : int
        After which a title is broken; by default what fits the width of a panel.
    """
    wide = min(columns, max(1, len(titles)))
    rows = math.ceil(max(1, len(titles)) / wide)
    letters = letters or {1: 92, 2: 46, 3: 29}.get(wide, 22)
    wrapped = ["\n".join(line for part in title.split("\n") for line in textwrap.wrap(part, letters)) for title in titles]
    lines = max((text.count("\n") + 1 for text in wrapped), default=1)
    total = max(2.2, 0.9 + rows * (height + 0.14 * lines + 0.1))
    figure, axes = style.new_figure(7.5, total, rows, wide, squeeze=False, sharey=sharey, sharex=sharex)
    used = list(axes.flat)[: len(titles)]
    for axis in list(axes.flat)[len(titles) :]:
        axis.set_axis_off()
    for axis, text in zip(used, wrapped, strict=True):
        axis.set_title(text, fontsize=8)
    style.finish(figure, context)
    return figure, used
