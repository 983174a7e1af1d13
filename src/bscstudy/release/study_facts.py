"""What the data know of a study that a reporting checklist asks for: one function, one fact, said in a sentence; blank where unknown.

Nothing here is invented: each sentence is made of numbers of the derived tables and of the declared configuration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.report import exhibit_number
from bscstudy.exhibits.theme_words import few_raised
from bscstudy.privacy import is_small
from bscstudy.qual.codes import IGNORE
from bscstudy.qual.reliability import AGREEMENT, NAMES, reliability_settings

#: kinds of exhibits that show both strands together
JOINT_KINDS = (
    "joint_display", "center_themes", "theme_heatmap", "meta_inferences", "quotes", "theme_links", "joint_side_by_side",
    "statistics_by_themes", "pillar_integration", "themes_on_run_chart",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What facts are taken from.

    Attributes
    ----------
    config : dict
        Sections of the configuration.
    tables : dict of str to DataFrame
        The derived tables that the study has, by name (`bscstudy.pipeline.CHECKLIST_TABLES`).
    software : list of (str, str)
        Packages and versions that made the numbers.
    programs : list of str
        Programs that wrote the coded projects, as their files say.
    """

    config: dict
    tables: dict[str, pd.DataFrame]
    software: list[tuple[str, str]] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)

    def table(self, name: str) -> pd.DataFrame:
        """Return a derived table, without rows where the study does not have it."""
        return self.tables.get(name, pd.DataFrame())

    def rows(self, section: str) -> list[dict]:
        """Return a list of the configuration, empty where the study does not declare it."""
        return list(self.config.get(section) or [])

    def label(self, section: str, name: object) -> str:
        """Return the label of an id of the configuration."""
        return next((str(row.get("label") or row["id"]) for row in self.rows(section) if row["id"] == name), str(name))


def waves_and_dates(study: Study) -> str:
    """Waves of data collection with first and last day."""
    waves = sorted(study.rows("waves"), key=lambda wave: wave["order"])
    said = [f"{w.get('label') or w['id']}" + (f" ({w['start']} to {w['end']})" if w.get("start") and w.get("end") else "") for w in waves]
    return f"{numbers.plural(len(waves), 'wave')}: {'; '.join(said)}." if waves else ""


def centers(study: Study) -> str:
    """Centers and collaboratives."""
    table = study.table("centers")
    if table.empty:
        return ""
    n = table["collaborative"].dropna().nunique()
    return f"{numbers.plural(len(table), 'center')}" + (f" in {numbers.plural(n, 'collaborative')}." if n else ".")


def strands(study: Study) -> str:
    """Which kinds of data there are, by their declarations and tables."""
    parts = [
        numbers.plural(n, name, many)
        for n, name, many in (
            (len({row["scale"] for row in study.rows("scales")}), "survey scale", ""),
            (len(study.rows("observation")), "observation instrument", ""),
            (len(study.rows("fidelity")), "fidelity index", "fidelity indices"),
            (len(_sessions(study)), "interview or focus group", "interviews and focus groups"),
        )
        if n
    ]
    return f"Data: {numbers.listed(parts)}." if parts else ""


def survey_sample(study: Study) -> str:
    """Forms received of those expected, and how many people and centers they are of."""
    flow, people = study.table("checks/flow"), study.table("people")
    if flow.empty:
        return ""
    known = flow["expected"].notna()
    said = f"{numbers.count(flow['received'].sum())} forms and visits received"
    if known.any():
        of_known = numbers.count_of(int(flow.loc[known, "received"].sum()), int(flow.loc[known, "expected"].sum()))
        said += f", among them {of_known} that the register expected"
    said += f"; {numbers.count(flow['excluded'].sum())} excluded"
    if len(people):
        answered = people[people["responded"] == 1]
        n_people, n_centers = answered["person_id"].nunique(), answered["center_id"].nunique()
        said += f"; {numbers.plural(n_people, 'person', 'people')} known by id in {numbers.plural(n_centers, 'center')}"
    return said + "."


def session_sample(study: Study) -> str:
    """Interviews and focus groups, by role where no role has few."""
    sessions = _sessions(study)
    if sessions.empty:
        return ""
    said = f"{numbers.plural(len(sessions), 'interview or focus group', 'interviews and focus groups')} in "
    said += numbers.plural(sessions["center_id"].nunique(), "center")
    roles = sessions["role"].value_counts().sort_index()
    if len(roles) and not any(is_small(n, _min_cell(study)) for n in (*roles, len(sessions) - roles.sum())):
        by_role = [f"{study.label('roles', role)} {numbers.count(n)}" for role, n in roles.items()]
        said += f" ({numbers.listed(by_role)})"
    return said + "."


def sessions_by_wave(study: Study) -> str:
    """Interviews and focus groups at each wave."""
    waves = _sessions(study)["wave"].value_counts() if len(_sessions(study)) else pd.Series(dtype=int)
    order = [wave["id"] for wave in sorted(study.rows("waves"), key=lambda wave: wave["order"]) if wave["id"] in waves.index]
    if not order or any(is_small(waves[wave], _min_cell(study)) for wave in order):
        return ""
    said = [f"{study.label('waves', wave)} {numbers.count(waves[wave])}" for wave in order]
    return f"Interviews and focus groups at {numbers.plural(len(order), 'wave')}: {numbers.listed(said)}."


def topics_asked(study: Study) -> str:
    """Topics of the guide, and that who was asked is recorded."""
    topics = {row["topic"] for row in study.rows("themes") if row.get("topic")}
    return f"Guide with {numbers.plural(len(topics), 'topic')}; for each session it is recorded which were asked." if topics else ""


def coders(study: Study) -> str:
    """How many people coded, and in which part."""
    codings = study.table("qual/codings")
    named = codings.dropna(subset=["coder_id"]) if len(codings) else codings
    if named.empty:
        return ""
    by_part = named.groupby("coder_role")["coder_id"].nunique()
    said = [f"{part} {numbers.count(n)}" for part, n in by_part.items()]
    return f"{numbers.plural(named['coder_id'].nunique(), 'coder')} ({numbers.listed(said)})."


def codebook(study: Study) -> str:
    """Codes, themes, and the version of the code map as a digest."""
    codes, themes = study.rows("code_map"), study.rows("themes")
    if not codes:
        return ""
    digest = hashlib.sha256(json.dumps([codes, themes], sort_keys=True, default=str).encode()).hexdigest()[:12]
    counted = [row for row in codes if row["theme"] != IGNORE]
    aside = f", {numbers.count(len(codes) - len(counted))} set aside" if len(counted) < len(codes) else ""
    said = f"{numbers.plural(len(counted), 'code')} counted as {numbers.plural(len(themes), 'theme')}{aside}"
    return f"{said}; version {digest} of the code map."


def coder_agreement(study: Study) -> str:
    """Agreement of coders with its coefficient, unit and documents, or why the study gives none."""
    settings = reliability_settings(study.config.get("qual") or {})
    if settings.approach != AGREEMENT:
        return f"No coefficient of agreement ({settings.approach}): {settings.reason.strip().rstrip('.')}."
    table = study.table("qual/coder_agreement")
    known = table.dropna(subset=["estimate"]) if len(table) else table
    if known.empty:
        return ""
    said = [_coefficient(kind, rows) for kind, rows in known.groupby("coefficient", sort=True)]
    return f"Agreement before consensus: {'; '.join(said)}."


def _coefficient(kind: str, rows: pd.DataFrame) -> str:
    unit, n = rows["unit"].iloc[0], numbers.plural(int(rows["n_documents"].max()), "document")
    if len(rows) == 1:
        return f"{NAMES[kind]} {numbers.estimate(rows['estimate'].iloc[0])} by {unit}, {n}"
    span = numbers.interval(rows["estimate"].min(), rows["estimate"].max())
    return f"{NAMES[kind]} {span} over {numbers.plural(len(rows), 'theme')} by {unit}, up to {n}"


def saturation(study: Study) -> str:
    """After how many sessions no theme was new."""
    table = study.table("qual/saturation")
    themes = table[table["kind"] == "theme"] if len(table) else table
    found = themes[themes["n_new"] > 0] if len(themes) else themes
    if found.empty:
        return ""
    last = found.sort_values("place").iloc[-1]
    return (
        f"{numbers.plural(int(last['n_found']), 'theme')} found; none was new after session {numbers.count(last['place'])} of "
        f"{numbers.count(themes['place'].max())}, in the order of wave, date where known, and id."
    )


def themes_presented(study: Study) -> str:
    """Themes with counts, and the sessions that they are counted in."""
    presence = study.table("qual/presence")
    if presence.empty:
        return ""
    raised = presence[(presence["unit"] == "session") & (presence["present"] == 1)]["theme"].nunique()
    return (
        f"{numbers.count_of(raised, presence['theme'].nunique())} themes were raised; each is counted among the sessions that were asked."
    )


def themes_both_ways(study: Study) -> str:
    """Themes that sessions named as a facilitator and as a barrier."""
    presence = study.table("qual/presence")
    if presence.empty:
        return ""
    sums = presence[presence["unit"] == "session"].groupby("theme")[["n_facilitator", "n_barrier"]].sum()
    both = int(((sums["n_facilitator"] > 0) & (sums["n_barrier"] > 0)).sum())
    return f"{numbers.count_of(both, len(sums))} themes were named both as a facilitator and as a barrier."


def quotes_shown(study: Study) -> str:
    """Approved quotes, how they are attributed."""
    quotes = study.table("qual/quotes")
    shown = quotes[quotes["shown"] == 1] if len(quotes) else quotes
    if shown.empty:
        return ""
    return (
        f"{numbers.plural(len(shown), 'approved quote')} on {numbers.plural(shown['theme'].nunique(), 'theme')}, scrubbed of names, "
        "places and contact data, attributed to a role or a center's letter or to neither."
    )


def joint_displays(study: Study) -> str:
    """Exhibits that show both strands together."""
    shown = [f"{exhibit_number(row['exhibit'])} ({row['title']})" for row in study.rows("exhibits") if row["kind"] in JOINT_KINDS]
    return f"Both strands stand side by side in {numbers.listed(shown)}." if shown and len(_sessions(study)) else ""


def proposed_fit(study: Study) -> str:
    """How survey and themes fit together by the declared rule, over the constructs of which enough sessions speak."""
    table = study.table("integrate/joint_display")
    few = [few_raised(row, _min_cell(study)) for row in table.to_dict("records")]
    known = table.loc[[not hidden for hidden in few], "fit_proposed"].dropna() if len(table) else pd.Series(dtype=object)
    if known.empty:
        return ""
    said = [f"{fit} {numbers.count(n)}" for fit, n in known.value_counts().sort_index().items()]
    return f"Fit of survey and themes by a declared rule, {numbers.plural(len(known), 'construct')}: {numbers.listed(said)}."


def meta_inferences(study: Study) -> str:
    """Signed and stale meta-inferences."""
    table = study.table("integrate/meta_inferences")
    if table.empty:
        return ""
    states = table["state"].value_counts().sort_index()
    said = [f"{state.replace('_', ' ')} {numbers.count(n)}" for state, n in states.items()]
    return f"{numbers.plural(len(table), 'meta-inference')}: {numbers.listed(said)}."


def models(study: Study) -> str:
    """Models with their verdicts, estimators and degrees of freedom."""
    fits = study.table("models/fits")
    fits = fits[fits["left_out"] != 1] if len(fits) else fits
    if fits.empty:
        return ""
    states = [f"{state} {numbers.count(n)}" for state, n in fits["state"].value_counts().sort_index().items()]
    used = [", ".join(sorted(fits[column].dropna().unique())) for column in ("distribution", "estimator", "df_method")]
    return (
        f"{numbers.plural(len(fits), 'model')}, verdicts {numbers.listed(states)}; distribution: {used[0]}; "
        f"estimator: {used[1] or 'none'}; degrees of freedom: {used[2] or 'none'}."
    )


def missing_answers(study: Study) -> str:
    """Share of the answers asked for that are blank or coded as missing, over all scales and waves."""
    table = study.table("measures/reliability")
    if table.empty:
        return ""
    asked = table["n_asked"] * table["k"]
    missing = ((table["missing_skipped"] + table["missing_coded"]) * asked).sum()
    return f"{numbers.percent(missing / asked.sum(), 1)} of the answers that scales ask for are missing." if asked.sum() else ""


def scale_reliability(study: Study) -> str:
    """Range of Cronbach's alpha over scales and waves."""
    table = study.table("measures/reliability")
    alpha = table["alpha"].dropna() if len(table) else pd.Series(dtype=float)
    if alpha.empty:
        return ""
    over = numbers.plural(len(alpha), "scale and wave", "scales and waves")
    return f"Cronbach's alpha {numbers.interval(alpha.min(), alpha.max())}, median {numbers.estimate(alpha.median())}, over {over}."


def data_checks(study: Study) -> str:
    """Checks of the raw data that found something."""
    table = study.table("checks/summary")
    if table.empty:
        return ""
    found = table[table["n"] > 0]["check"].nunique()
    return f"{numbers.plural(table['check'].nunique(), 'check')} of the raw files, {numbers.count(found)} with findings."


def small_cells(study: Study) -> str:
    """What is withheld so that nobody is recognised."""
    privacy = study.config.get("privacy") or {}
    if "min_cell" not in privacy:
        return ""
    shown = "single centers are shown by letters" if privacy.get("show_centers") else "single centers are not shown"
    return f"Counts of fewer than {privacy['min_cell']} people are withheld; {shown}."


def coding_software(study: Study) -> str:
    """Programs that wrote the coded projects."""
    return f"Coding: {numbers.listed(study.programs)}." if study.programs else ""


def software(study: Study) -> str:
    """Packages and versions that made the numbers."""
    return f"Analysis: {', '.join(f'{name} {version}' for name, version in study.software)}." if study.software else ""


def _sessions(study: Study) -> pd.DataFrame:
    presence = study.table("qual/presence")
    return presence[presence["unit"] == "session"].drop_duplicates("unit_id") if len(presence) else presence


def _min_cell(study: Study) -> int:
    return int((study.config.get("privacy") or {}).get("min_cell", 10))


#: name in the checklists' column `facts` -> its function
FACTS = {
    fact.__name__: fact
    for fact in (
        waves_and_dates, centers, strands, survey_sample, session_sample, sessions_by_wave, topics_asked, coders, codebook,
        coder_agreement, saturation, themes_presented, themes_both_ways, quotes_shown, joint_displays, proposed_fit, meta_inferences,
        models, missing_answers, scale_reliability, data_checks, small_cells, coding_software, software,
    )
}  # fmt: skip
