"""Agreement of coders on themes, in the documents that two or more of them have coded.

Called by the rule `code_themes`; the codings are those before any consensus. A theme is compared only in documents in which its topic was
asked: where it was not, coders agree on its absence without having judged anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.measures.chance_agreement import ChanceCorrected, agreement_coefficient, observed_agreement, pooled_kappa, specific_agreement
from bscstudy.measures.krippendorff_alpha import krippendorff_alpha
from bscstudy.measures.rating_patterns import RatingPatterns, category_counts, cluster_draws, percentile_limits, rating_patterns
from bscstudy.measures.unitizing_alpha import unitizing, unitizing_disagreement
from bscstudy.qual.agreement_texts import Texts, check_lengths, check_paragraphs
from bscstudy.qual.agreement_units import CHARACTER, DOCUMENT, PARAGRAPH, CodingRecord, Pieces, coding_record, pieces_of, theme_ratings
from bscstudy.qual.codes import settled_documents
from bscstudy.qual.columns import AGREEMENT as COLUMNS
from bscstudy.qual.presence import was_asked
from bscstudy.qual.reliability import AGREEMENT, ALPHA, OF_UNITS, UNITIZING, ReliabilitySettings

POOLED = "all"
RARE = 0.10
PRESENT = np.eye(2)


@dataclass(frozen=True)
class Compared:
    """One theme in the documents in which coders can be compared (`used`, of those coded twice), and how many were left out.

    `draws` are the bootstrap samples of the patterns' frequencies. `n_coded` documents were asked and coded by anybody, `n_asked` of them
    by two or more.
    """

    theme: str
    unit: str
    used: np.ndarray
    patterns: RatingPatterns
    draws: np.ndarray
    n_coded: int
    n_asked: int
    n_not_asked: int
    n_consensus: int

    @property
    def n_documents(self) -> int:
        """How many documents are compared."""
        return int(self.used.sum())


def agreement_table(
    codings: pd.DataFrame,
    themes: list[dict],
    documents: pd.DataFrame,
    asked: set[tuple[str, str]],
    settings: ReliabilitySettings,
    texts: Texts | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the coders' agreement on each theme by each declared coefficient, and rows `all` over themes.

    Parameters
    ----------
    codings : DataFrame
        As `bscstudy.qual.codes.join_codes` returns it.
    themes : list of dict
        Rows with `theme` and `topic`; each gets a row, also where nobody found it.
    documents : DataFrame
        See `bscstudy.qual.agreement_units.coding_record`.
    asked : set of (document_id, topic)
    settings : ReliabilitySettings
    texts : Texts, optional
        Lengths and paragraphs, for units below the excerpt.
    seed : int
        Of the bootstrap over documents.

    Returns
    -------
    DataFrame
        The columns of qual/coder_agreement.csv. No rows where no second coder exists, or where the study declares no coefficients.
        `estimate` is blank where it is not defined, `low` and `high` also where `percentile_limits` gives none.

    Raises
    ------
    BscError
        BSC-QUA-117 to -119 for texts that cannot be used, -120 for codings without a coder, -121 for Cohen's kappa of three coders.
    """
    columns = [column.name for column in COLUMNS]
    if settings.approach != AGREEMENT:
        return pd.DataFrame(columns=columns)
    record = coding_record(codings, documents, settings.coders)
    if len(record.coders) < 2 or (settings.coders == "role" and not (codings["coder_role"] == "second").any() and not record.documents):
        return pd.DataFrame(columns=columns)
    _check_coders(record, settings)
    texts = texts or Texts()
    _check_texts(record, settings, texts)
    draws = cluster_draws(len(record.documents), settings.draws, seed) if record.documents else np.zeros((0, 0))
    settled = np.isin(record.documents, sorted(settled_documents(codings, documents)))
    ordered = sorted(themes, key=lambda row: row["theme"])
    rows = []
    if set(settings.coefficients) - {UNITIZING}:
        pieces = pieces_of(record, settings.unit, texts)
        rows += _rows_of_units([_compare(record, theme, asked, pieces, draws, settled) for theme in ordered], record, settings)
    if UNITIZING in settings.coefficients:
        pieces = pieces_of(record, CHARACTER, texts)
        compared = [_compare(record, theme, asked, pieces, draws, settled, by_all=True) for theme in ordered]
        rows += _rows_of_stretches(compared, record, pieces.size, draws, settings)
    return pd.DataFrame(rows, columns=columns)


def _check_coders(record: CodingRecord, settings: ReliabilitySettings) -> None:
    if "cohen_kappa" in settings.coefficients and len(record.coders) > 2:
        raise BscError(
            "BSC-QUA-121",
            f"Cohen's kappa is declared, and there are {len(record.coders)} coders.",
            "config/qual.yaml: reliability, coefficients",
            "Cohen's kappa compares two coders.",
            "Choose fleiss_kappa, conger_kappa, gwet_ac1 or krippendorff_alpha, or compare main and second coder (`coders: role`).",
        )


def _check_texts(record: CodingRecord, settings: ReliabilitySettings, texts: Texts) -> None:
    characters = settings.unit == CHARACTER or UNITIZING in settings.coefficients
    if not characters and settings.unit != PARAGRAPH:
        return
    placed = [document for document in record.documents if document not in record.unplaced]
    passages: dict[str, list] = {}
    for place, *span in record.passages():
        passages.setdefault(record.documents[int(place)], []).append(tuple(span))
    if characters:
        check_lengths(passages, placed, texts)
    if settings.unit == PARAGRAPH:
        check_paragraphs(passages, placed, texts)


def _compare(record: CodingRecord, theme: dict, asked: set, pieces: Pieces, draws, settled, *, by_all: bool = False) -> Compared:
    possible = np.array([was_asked(document, theme, asked) for document in record.documents], bool)
    used = possible.copy()
    if pieces.unit != DOCUMENT:
        used &= ~np.isin(record.documents, sorted(record.unplaced))
    if by_all:
        used &= record.read.all(axis=1)
    codes, clusters, times = theme_ratings(record, theme["theme"], used, pieces)
    patterns = rating_patterns(codes, clusters, times)
    own = draws[:, list(patterns.clusters)] @ patterns.times
    coded = sum(was_asked(document, theme, asked) for document in record.read_by_any)
    n_asked = int(possible.sum())
    return Compared(
        theme["theme"], pieces.unit, used, patterns, own, coded, n_asked, len(possible) - n_asked, int((settled & used).sum())
    )  # fmt: skip


def _rows_of_units(compared: list[Compared], record: CodingRecord, settings: ReliabilitySettings) -> list[dict]:
    rows = []
    for kind in (kind for kind in settings.coefficients if kind in OF_UNITS):
        found = [tuple(_coefficient(kind, part.patterns.codes, times) for times in (part.patterns.total, part.draws)) for part in compared]
        for part, (whole, drawn) in zip(compared, found, strict=True):
            limits = percentile_limits(drawn.estimate, settings.confidence)
            rows.append({**_described(part, record), **_result(part, kind, float(whole.estimate), limits)})
        if kind == "cohen_kappa" and compared:
            rows.append({**_over_themes(compared, record), **_pooled(found, settings.confidence)})
    return rows


def _coefficient(kind: str, codes: np.ndarray, times: np.ndarray) -> ChanceCorrected:
    if kind == ALPHA:
        alpha = krippendorff_alpha(codes, times, np.arange(2.0))
        return ChanceCorrected(alpha, alpha, alpha)
    return agreement_coefficient(kind, codes, times, PRESENT)


def _pooled(found: list[tuple[ChanceCorrected, ChanceCorrected]], confidence: float) -> dict:
    """Return the pooled kappa over themes with its interval, documents being drawn for all themes together."""
    whole, drawn = (
        pooled_kappa(*(np.stack([getattr(theme[place], name) for theme in found], axis=-1) for name in ("observed", "chance")))
        for place in (0, 1)
    )
    low, high = percentile_limits(drawn, confidence)
    return {"coefficient": "pooled_kappa", "estimate": float(whole), "low": low, "high": high}


def _rows_of_stretches(compared: list[Compared], record: CodingRecord, lengths: np.ndarray, draws: np.ndarray, settings) -> list[dict]:
    rows, whole, drawn = [], [], []
    for part in compared:
        place = np.where(part.used, np.cumsum(part.used) - 1, -1)
        spans = [record.found(coder, part.theme) for coder in record.coders]
        spans = [np.column_stack([place[own[:, 0].astype(int)], own[:, 1:]]) for own in spans]
        units = unitizing([own[own[:, 0] >= 0] for own in spans], lengths[part.used])
        whole.append(unitizing_disagreement(units))
        drawn.append(unitizing_disagreement(units, draws[:, part.used]))
        limits = percentile_limits(_alpha(drawn[-1]), settings.confidence)
        rows.append({**_described(part, record), **_result(part, UNITIZING, float(_alpha(whole[-1])), limits)})
    if compared:
        low, high = percentile_limits(_alpha(np.nansum(drawn, axis=0)), settings.confidence)
        estimate = float(_alpha(np.nansum(whole, axis=0)))
        rows.append({**_over_themes(compared, record), "coefficient": UNITIZING, "estimate": estimate, "low": low, "high": high})
    return rows


def _alpha(disagreement: np.ndarray) -> np.ndarray:
    """Return 1 - observed / expected of the last axis, NaN where nothing was marked."""
    expected = disagreement[..., 1]
    return 1 - disagreement[..., 0] / np.where(expected > 0, expected, np.nan)


def _result(part: Compared, kind: str, estimate: float, limits: tuple[float, float]) -> dict:
    return {"coefficient": kind, "estimate": estimate, "low": limits[0], "high": limits[1], "note": _note(part, kind, estimate)}


def _note(part: Compared, kind: str, estimate: float) -> str:
    if not part.n_documents:
        return "no_document_compared" if part.n_asked else "not_asked" if part.n_not_asked else "no_double_coded_document"
    if np.isnan(estimate):
        return "not_defined"
    prevalence = _shares(part.patterns.codes, part.patterns.total)["prevalence"]
    return "rare_or_common" if kind != UNITIZING and min(prevalence, 1 - prevalence) < RARE else ""


def _described(part: Compared, record: CodingRecord) -> dict:
    """Return what goes with each coefficient of a theme: unit, numbers, and agreement not corrected for chance."""
    return {
        "theme": part.theme,
        "unit": part.unit,
        "n_coders": len(record.coders),
        "n_coded": part.n_coded,
        "n_documents": part.n_documents,
        "n_not_asked": part.n_not_asked,
        "n_not_comparable": part.n_asked - part.n_documents,
        "n_consensus": part.n_consensus,
        **_shares(part.patterns.codes, part.patterns.total),
        "note": "",
    }


def _over_themes(compared: list[Compared], record: CodingRecord) -> dict:
    """Return the numbers of all themes together, each unit counting once for each theme asked in it."""
    codes = np.concatenate([part.patterns.codes for part in compared])
    times = np.concatenate([part.patterns.total for part in compared])
    return {
        **_described(compared[0], record),
        "theme": POOLED,
        "unit": f"{compared[0].unit} x theme",
        "n_coded": max(part.n_coded for part in compared),
        "n_documents": int(np.any([part.used for part in compared], axis=0).sum()),
        "n_not_asked": sum(part.n_not_asked for part in compared),
        "n_not_comparable": sum(part.n_asked - part.n_documents for part in compared),
        "n_consensus": max(part.n_consensus for part in compared),
        **_shares(codes, times),
    }


def _shares(codes: np.ndarray, times: np.ndarray) -> dict:
    counts = category_counts(codes, 2)
    absent, present = counts[:, 0], counts[:, 1]
    two = codes.shape[1] == 2
    given = float(times @ (absent + present))
    numbers = {
        "n_units": times.sum(),
        "n_both": times[absent == 0].sum(),
        "n_only_first": times[(codes == (1, 0)).all(axis=1)].sum() if two else np.nan,
        "n_only_second": times[(codes == (0, 1)).all(axis=1)].sum() if two else np.nan,
        "n_neither": times[present == 0].sum(),
    }
    return {
        **{name: value if np.isnan(value) else int(value) for name, value in numbers.items()},
        "percent": float(observed_agreement(codes, times, PRESENT)),
        "positive": float(specific_agreement(codes, times, 1)),
        "negative": float(specific_agreement(codes, times, 0)),
        "prevalence": float(times @ present) / given if given else np.nan,
    }
