"""How far shares of themes depend on who coded: each other coder in place of the codings that are counted."""

from __future__ import annotations

import pandas as pd

from bscstudy.qual.codes import counted_codings, settled_documents
from bscstudy.qual.presence import presence_table
from bscstudy.qual.shares import theme_summary

COUNTED = "counted"


def coder_sensitivity(
    documents: pd.DataFrame, asked: set[tuple[str, str]], codings: pd.DataFrame, themes: list[dict], unit: str = "session"
) -> pd.DataFrame:
    """Return the shares of themes as counted, and with each coder in turn in place of the codings counted.

    Parameters
    ----------
    documents, asked, codings, themes, unit
        As `bscstudy.qual.presence.presence_table` takes them; codings with `coder_id`.

    Returns
    -------
    DataFrame
        `coder` (`counted`, else `role:coder_id`), `n_documents` (whose codings were replaced), and of each theme, wave, role and unit
        `n_asked`, `n_present`, `share`, `low`, `high`, and `difference` from the share as counted.

    Not for: documents in which a coder gave no code at all; they cannot be told from documents that the coder did not read, and keep
    the codings counted.
    """
    counted = counted_codings(codings, documents)
    read = documents["document_id"].isin(settled_documents(codings, documents)) | (documents["coded"] == 1)
    plain = documents.assign(coded=read.astype(int), settled=0)
    parts = [_shares(plain, asked, counted, themes, unit).assign(coder=COUNTED, n_documents=0)]
    named = codings.assign(coder=codings["coder_role"].astype(str) + ":" + codings["coder_id"].fillna("").astype(str))
    for coder, own in named.groupby("coder", sort=True):
        replaced = set(own["document_id"])
        kept = counted[~counted["document_id"].isin(replaced)]
        if set(own["coding_id"]) == set(counted.loc[counted["document_id"].isin(replaced), "coding_id"]):
            continue  # these are the codings counted
        shares = _shares(plain, asked, pd.concat([kept, own[kept.columns]]), themes, unit)
        parts.append(shares.assign(coder=coder, n_documents=len(replaced)))
    table = pd.concat(parts, ignore_index=True)
    key = ["theme", "wave", "role", "unit"]
    base = table[table["coder"] == COUNTED].set_index(key)["share"]
    table["difference"] = table["share"] - base.reindex(pd.MultiIndex.from_frame(table[key])).to_numpy()
    return table[["coder", *key, "n_documents", "n_asked", "n_present", "share", "low", "high", "difference"]]


def _shares(documents: pd.DataFrame, asked: set, codings: pd.DataFrame, themes: list[dict], unit: str) -> pd.DataFrame:
    return theme_summary(presence_table(documents, asked, codings.assign(coder_role="main"), themes, unit))
