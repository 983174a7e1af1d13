"""What each table of themes tells an attacker: the same sessions asked and raising a theme, as every exhibit prints them.

Not read, because no count of people or sessions in them is withheld elsewhere: groups of centers (`statistics_by_themes`, `theme_links`,
`cfir_ratings`), which the bands of single centers already tell; quotes, which may come from sessions that were not asked.
"""

import re
from itertools import chain

import numpy as np

DASH = "–"
BANDS = ("less than half", "half or more")
#: sessions asked from which a center's cell shows a band; fewer are `<5 asked`
FEWEST_ASKED = 3


def of(cell):
    """Return the two counts of ``12 of 19 (63%)``, with what stands for them where they are withheld."""
    text = str(cell)
    found = re.match(r"(\S+) of ([\d,]+|hidden)", text)
    if found:
        return found[1], found[2]
    asked = re.match(r"(\S+) asked$", text)
    return ("0", "0") if text == "not asked" else (DASH, asked[1] if asked and asked[1] != "not" else DASH)


def raised_of_asked(ledger, names, cell):
    """Take in ``53 of 80`` or what stands for it: who raised a theme was asked, and a band bounds their share."""
    for name, part in zip(names, of(cell), strict=True):
        ledger.know(name, part)
    raised, asked = names
    ledger.row({asked: 1, raised: -1}, 0, np.inf)
    if str(cell) in BANDS:
        ledger.row({raised: 2, asked: -1}, *((0, np.inf) if cell == BANDS[1] else (-np.inf, -1)))
        ledger.bound(raised, 1, np.inf)


def names_of(theme, part):
    return ("theme", theme, part, "raised"), ("theme", theme, part, "asked")


def add_up(ledger, theme, columns, groups):
    """Take in that waves add up to all sessions, and so do the roles that were interviewed."""
    for labels in (groups["waves"], groups["roles"]):
        here = [column for column in columns if column in labels]
        for what in ("raised", "asked") if here else ():
            ledger.total(("theme", theme, "All", what), [("theme", theme, column, what) for column in here])


def heat_map(ledger, _, table, groups):
    """Themes by wave and role."""
    for row in table.to_dict("records"):
        columns = [c for c in row if c not in ("Theme", "Share (95% interval)", "Direction", "Centers", "data")]
        for column in columns:
            raised_of_asked(ledger, names_of(row["Theme"], column), row[column])
        ledger.share(*names_of(row["Theme"], "All"), row["Share (95% interval)"].partition(" ")[0])
        directions(ledger, row["Theme"], row["Direction"])
        add_up(ledger, row["Theme"], columns, groups)


def directions(ledger, theme, cell):
    """Take in a net direction: how sessions that named a theme as a help differ from those that named it as a barrier."""
    if cell == DASH:
        return
    value, raised = float(cell.replace("\u2212", "-")), ("theme", theme, "All", "raised")
    good, bad = (("theme", theme, "All", what) for what in ("facilitator", "barrier"))
    ledger.row({good: 1 - value - 0.005, bad: -1 - value - 0.005}, -np.inf, 0)
    ledger.row({good: 1 - value + 0.005, bad: -1 - value + 0.005}, 0, np.inf)
    for name in (good, bad):
        ledger.derived.add(name)
        ledger.row({raised: 1, name: -1}, 0, np.inf)


def measures(ledger, _, table, groups):
    """Themes in numbers: the same counts once more, and no fewer excerpts than sessions; excerpts of waves and of roles add up."""
    for theme, part in table.groupby("Theme", sort=False):
        for row in part.to_dict("records"):
            names = names_of(theme, row["Of"])
            raised_of_asked(ledger, names, row["Raised"])
            ledger.share(*names, row["Share (95% interval)"].partition(" ")[0])
            excerpts = ("theme", theme, row["Of"], "excerpts")
            ledger.bound(excerpts, *[int(row["Excerpts"].replace(",", ""))] * 2 if row["Excerpts"] != DASH else (0, np.inf))
            ledger.row({excerpts: 1, names[0]: -1}, 0, np.inf)
        here = part["Of"].tolist()
        add_up(ledger, theme, here, groups)
        for labels in (groups["waves"], groups["roles"]):
            if parts := [("theme", theme, name, "excerpts") for name in here if name in labels]:
                ledger.row({("theme", theme, "All", "excerpts"): 1} | dict.fromkeys(parts, -1), 0, 0)


def centers(ledger, _, table, groups):
    """Themes of each center (or collaborative): they add up to all sessions; half or more is a bound."""
    first = "Center" if "Center" in table else "Collaborative"
    change = next(c for c in table if c.startswith("Change in "))
    for theme in [c for c in table if c not in ("Center", "Collaborative", change, "data")]:
        parts = [names_of(theme, ("center", group)) for group in table[first]]
        for (raised, asked), cell in zip(parts, table[theme], strict=True):
            text = re.sub(r" \(.\)$", "", cell)
            for name, part in zip((raised, asked), of(text), strict=True):
                few = first == "Center" and name == asked and part.startswith("<")
                ledger.know(name, f"1 to {FEWEST_ASKED - 1}" if few else part)
            ledger.row({asked: 1, raised: -1}, 0, np.inf)
            if text in BANDS:
                ledger.bound(asked, FEWEST_ASKED, np.inf)
                ledger.row({raised: 2, asked: -1}, *((0, np.inf) if text == BANDS[1] else (-np.inf, -1)))
        for what, names in zip(("raised", "asked"), zip(*parts, strict=True), strict=True):
            ledger.total(("theme", theme, "All", what), names)


def side_by_side(ledger, _, table, groups):
    """Themes of each construct: what all sessions said of each, and what is known of the construct by that."""
    for row in table[table["Interviews and focus groups"] != DASH].to_dict("records"):
        found = [re.match(r"(.+?): (not asked|[^,;]+)", text) for text in row["Interviews and focus groups"].split("; ")]
        themes = [names_of(one[1], "All") for one in found]
        for one, names in zip(found, themes, strict=True):
            raised_of_asked(ledger, names, one[2])
        for place, name in enumerate(names_of(row["Domain"], "construct")):
            parts = [names[place] for names in themes]
            ledger.row({name: 1} | dict.fromkeys(parts, -1), -np.inf, 0)
            for part in parts:
                ledger.row({name: 1, part: -1}, 0, np.inf)


def joint_display(ledger, _, table, groups):
    """Sessions that raised any theme of a construct."""
    for row in table.to_dict("records"):
        raised_of_asked(ledger, names_of(row["Construct"], "construct"), row["Raised by"])


def meta_inferences(ledger, _, table, groups):
    """What a signed statement rests on: the counts of now, and those of then, whose difference is what few sessions said."""
    for row in table.to_dict("records"):
        if not (found := re.match(r"Theme: (.+?)(, raised by)?$", row["Rests on"])):
            continue
        now = row["Now"] if found[2] else next(iter(re.findall(r"raised by ([^,]+)", row["Now"])), None)
        if now is None:
            continue
        names = names_of(found[1], "All")
        raised_of_asked(ledger, names, now)
        if found[2] and re.fullmatch(r"\d+ of \d+", row["When signed"]):
            for name, then in zip(names, of(row["When signed"]), strict=True):
                old, new = ("then", *name), ledger.bounds[name][0]
                ledger.know(old, then)
                whole, part = (name, old) if int(then) <= new else (old, name)
                ledger.total(whole, [part, ("since", *name)])


def pairs(ledger, records, labels):
    """Two themes in the same sessions, from the numbers behind the figure: who raised each of those asked about both."""
    for row in chain.from_iterable(dict_rows(record) for record in records):
        if row["n_asked"] is None or row["n_asked"] != row["n_asked"]:
            continue
        key = ("pair", row["theme_1"], row["theme_2"])
        both, either = int(row["n_both"]), round(row["n_both"] / row["share"]) if row["n_both"] else None
        ledger.bound((*key, "asked"), *[int(row["n_asked"])] * 2)
        ledger.bound((*key, "both"), both, both)
        own = [(*key, row[name]) for name in ("theme_1", "theme_2")]
        if either is not None:
            ledger.row(dict.fromkeys(own, 1), both + either, both + either)
        for name in own:
            raised, asked = names_of(labels[name[-1]], "All")
            ledger.row({name: 1, (*key, "both"): -1}, 0, np.inf)
            ledger.row({raised: 1, name: -1}, 0, np.inf)
            ledger.row({asked: 1, (*key, "asked"): -1, raised: -1, name: 1}, 0, np.inf)


def dict_rows(record):
    return [dict(zip(record["data"]["columns"], row, strict=True)) for row in record["data"]["rows"]]


READ_THEMES = {
    "theme_heatmap": heat_map,
    "theme_measures": measures,
    "center_themes": centers,
    "joint_side_by_side": side_by_side,
    "joint_display": joint_display,
    "meta_inferences": meta_inferences,
}
