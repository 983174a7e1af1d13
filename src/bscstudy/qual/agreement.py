"""Agreement of two coders on the presence of themes in the documents both have coded.

Called by the rule `code_themes`; the codings are those before any consensus. A document that the second coder read without
finding anything has no row in an export and is therefore not known to be double-coded: it does not enter.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

POOLED = "all"
RARE = 0.10
NAN = float("nan")


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of two coders on one theme over `n_units` documents.

    `percent`, `positive`, `negative` and `prevalence` are shares from 0 to 1, `kappa` from -1 to 1; nan where not defined.
    `note` says why kappa is missing or hard to read.
    """

    n_units: int
    n_both: int
    n_only_first: int
    n_only_second: int
    n_neither: int
    percent: float
    positive: float
    negative: float
    expected: float
    kappa: float
    prevalence: float
    note: str


def pair_agreement(n_both: int, n_only_first: int, n_only_second: int, n_neither: int) -> PairAgreement:
    """Return percent, positive and negative agreement, Cohen's kappa and prevalence from a two-by-two table.

    Parameters
    ----------
    n_both, n_only_first, n_only_second, n_neither : int
        Documents in which both, one or neither of two coders found the theme.

    Source: Cohen 1960, Educational and Psychological Measurement 20(1), eq. 1: (po - pe) / (1 - pe); Cicchetti and Feinstein
    1990, Journal of Clinical Epidemiology 43(6): positive 2a / (2a + b + c), negative 2d / (2d + b + c).
    Checked against: statsmodels 0.15.0 cohens_kappa and the table [[118, 5], [2, 0]] (po .944, kappa -.023) in
    tests/unit/test_qual_agreement.py.
    Not for: themes found by both coders everywhere or nowhere; kappa is then not defined and left out.
    """
    n = n_both + n_only_first + n_only_second + n_neither
    counts = (n, n_both, n_only_first, n_only_second, n_neither)
    if n == 0:
        return PairAgreement(*counts, NAN, NAN, NAN, NAN, NAN, NAN, "no_double_coded_document")
    split = n_only_first + n_only_second
    percent = (n_both + n_neither) / n
    first, second = (n_both + n_only_first) / n, (n_both + n_only_second) / n
    expected = first * second + (1 - first) * (1 - second)
    prevalence = (first + second) / 2
    constant = n_both == n or n_neither == n
    return PairAgreement(
        *counts,
        percent=percent,
        positive=2 * n_both / (2 * n_both + split) if n_both + split else NAN,
        negative=2 * n_neither / (2 * n_neither + split) if n_neither + split else NAN,
        expected=expected,
        kappa=NAN if constant else (percent - expected) / (1 - expected),
        prevalence=prevalence,
        note="kappa_not_defined" if constant else "kappa_unstable" if min(prevalence, 1 - prevalence) < RARE else "",
    )


def pooled_kappa(pairs: list[PairAgreement]) -> float:
    """Return the pooled kappa over themes: (mean po - mean pe) / (1 - mean pe); nan without a double-coded document.

    Source: De Vries, Elliott, Kanouse and Teleki 2008, Field Methods 20(3), 272-282.
    Checked against: the formula by hand for two themes in tests/unit/test_qual_agreement.py.
    It is neither the mean of the kappas nor the kappa of all documents put together; the three differ.
    """
    used = [pair for pair in pairs if pair.n_units]
    if not used:
        return NAN
    observed = sum(pair.percent for pair in used) / len(used)
    expected = sum(pair.expected for pair in used) / len(used)
    return NAN if expected == 1 else (observed - expected) / (1 - expected)


def double_coded(codings: pd.DataFrame) -> list[str]:
    """Return the documents that hold at least one coding (of any code) of the main and of the second coder."""
    main = set(codings.loc[codings["coder_role"] == "main", "document_id"])
    return sorted(main & set(codings.loc[codings["coder_role"] == "second", "document_id"]))


def agreement_table(codings: pd.DataFrame, themes: list[dict]) -> pd.DataFrame:
    """Return coder agreement for each theme over the double-coded documents, and a last row `all` with the pooled kappa.

    Parameters
    ----------
    codings : DataFrame
        With `document_id`, `coder_role` (main, second) and `theme`.
    themes : list of dict
        Rows with `theme`; each gets a row, also where nobody found it.

    Returns
    -------
    DataFrame
        The columns of qual/coder_agreement.csv. No rows where no second coder exists.
    """
    documents = double_coded(codings)
    columns = ["theme", "unit", *[c for c in PairAgreement.__dataclass_fields__ if c != "expected"], "statistic"]
    if not (codings["coder_role"] == "second").any():
        return pd.DataFrame(columns=columns)
    found = {
        role: set(zip(part["document_id"], part["theme"], strict=True))
        for role, part in codings.dropna(subset=["theme"]).groupby("coder_role")
    }
    rows, pairs = [], []
    for theme in sorted(row["theme"] for row in themes):
        seen = [((d, theme) in found.get("main", ()), (d, theme) in found.get("second", ())) for d in documents]
        pairs.append(pair_agreement(*[seen.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))]))
        rows.append({"theme": theme, "unit": "document", **asdict(pairs[-1]), "statistic": "Cohen kappa"})
    rows.append(_pooled_row(pairs))
    return pd.DataFrame(rows)[columns]


def _pooled_row(pairs: list[PairAgreement]) -> dict:
    cells = {name: sum(getattr(pair, name) for pair in pairs) for name in ("n_both", "n_only_first", "n_only_second", "n_neither")}
    whole = pair_agreement(*cells.values())
    row = asdict(whole) | {"kappa": pooled_kappa(pairs), "note": ""}
    return {"theme": POOLED, "unit": "document x theme", **row, "statistic": "pooled kappa (De Vries 2008)"}
