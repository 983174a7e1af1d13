"""What people report by wave and group, and what they keep to a later wave."""

from __future__ import annotations

import pandas as pd

from bscstudy.identity import add_identity
from bscstudy.measures.reported import KEPT as KEPT_NAMES
from bscstudy.measures.reported import asked_waves, item_verdicts, kept_shares, mapped_rows, report_answers, report_shares
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

ITEM = [Column("set", "Set of items"), Column("item", "Item"), Column("label", "Label")]
GROUP = [Column("by", "What the group is one of, or all"), Column("group", "Group, or all")]
SHARES = [
    *ITEM,
    Column("wave", "Wave"),
    *GROUP,
    Column("n_asked", "People asked", "integer", units="people"),
    Column("n_answered", "People with an answer", "integer", units="people"),
    Column("n_yes", "People who report it", "integer", units="people"),
    Column("share", "Share of those with an answer", "number"),
    Column("not_comparable", "Why the waves of the item cannot be compared (blank: they can)"),
    Column("harmonised", "What of the map between versions this rests on (blank: nothing)"),
]
KEPT = [
    *ITEM,
    Column("wave_from", "First wave"),
    Column("wave_to", "Later wave"),
    *GROUP,
    Column("n_both", "People with an answer at both", "integer", units="people"),
    Column("n_before", "Of these, who reported it at the first", "integer", units="people"),
    Column("n_kept", "Of these, who report it at the later one too", "integer", units="people"),
    Column("n_taken_up", "Who report it at the later one only", "integer", units="people"),
    Column("share_kept", "Share kept", "number"),
    Column("share_taken_up", "Share of who did not report it at first", "number"),
]


def run(job: Job) -> None:
    """Write measures/reported.csv and measures/reported_kept.csv."""
    people, centers = read_table(job.inputs["people"]), read_table(job.inputs["centers"])
    tables = {name: add_identity(table, people, centers) for name, table in sound_tables(job).items()}
    shares, kept = [], []
    for spec in job.config["reported"]:
        rows = mapped_rows(tables, spec, job.config)
        groups = list(spec.get("by") or [])
        known = centers.set_index("center_id")
        rows = rows.assign(**{by: rows["center_id"].map(known[by]) for by in groups if by not in rows.columns and by in known.columns})
        answers = report_answers(rows, spec)
        waves = [str(wave["id"]) for wave in job.config["waves"]]
        shares.append(report_shares(answers, spec["id"], groups, item_verdicts(spec, asked_waves(rows, spec, waves), job.config)))
        if "kept" in spec:
            ends = (spec["kept"]["from"], spec["kept"]["to"])
            verdicts = item_verdicts(spec, {item["item"]: list(ends) for item in spec["items"]}, job.config)
            followed = answers[answers["item"].map({item: found.comparable for item, found in verdicts.items()})]
            kept.append(kept_shares(followed, spec["id"], ends, groups))
    table = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=KEPT_NAMES)
    key = ["set", "item", "by", "group"]
    write_output(job, "shares", pd.concat(shares), key=[*key, "wave"], columns=SHARES, description="Shares of people who report it.")
    write_output(job, "kept", table, key=key, columns=KEPT, description="People followed from one wave to a later one.")
