"""One model from its declaration to its result: rows, design, fit, check, verdict, estimates, contrasts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd

from bscstudy.checks.drift import comparable
from bscstudy.models.check import check_fit
from bscstudy.models.contrasts import contrast_weights
from bscstudy.models.criterion import Point
from bscstudy.models.degrees_of_freedom import BetweenWithin, between_within
from bscstudy.models.design import ModelFrame, model_design, model_file, model_frame
from bscstudy.models.design_matrix import DesignMatrix
from bscstudy.models.formula import parse_formula
from bscstudy.models.mixed import fit_mixed
from bscstudy.models.terms import Vocabulary, term_label, vocabulary
from bscstudy.models.verdict import NO_RANDOM_SLOPE, NotEstimable, Verdict, judge

DF_METHOD = "between-within (t)"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """One coefficient or contrast, in points of the score.

    ``low`` and ``high`` bound the 95% interval from t with ``df``; ``standardized`` is the estimate over the baseline SD of the
    outcome (contrasts, terms of wave, predictors scaled by their SD; otherwise None); ``level`` is the grouping level the df are of.
    """

    term: str
    label: str
    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    low: float
    high: float
    standardized: float | None
    level: str
    in_family: bool


@dataclass(frozen=True)
class FitResult:
    """A model result; section 5 of docs/architecture.md names the fields. Estimates only where the verdict allows them."""

    model: str
    label: str
    question: str
    outcome: str
    construct: str
    unit: str
    formula: str
    family: str
    estimator: str
    df_method: str
    n: int
    n_outside_sample: int
    groups: dict[str, int]
    n_excluded: dict[str, int]
    verdict: Verdict
    log_likelihood: float | None = None
    sigma2: float | None = None
    variance_components: tuple[dict, ...] = ()
    icc_center: float | None = None
    smallest_p: float | None = None
    fixed_effects: tuple[Estimate, ...] = ()
    contrasts: tuple[Estimate, ...] = ()
    outcome_sd_baseline: float | None = None
    predictors: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Return the result as plain values for JSON; a contrast carries its id both as `id` and as `term`."""
        plain = asdict(self)
        plain["contrasts"] = [{"id": c["term"], **c} for c in plain["contrasts"]]
        return plain


def fit_model(spec: dict, tables: dict[str, pd.DataFrame], config: dict) -> FitResult:
    """Fit one declared model.

    Parameters
    ----------
    spec : dict
        A model of ``config/models`` with its ``id``.
    tables : dict
        Analysis tables by unit: person, visit, center; those the model needs.
    config : dict
        Sections waves, roles, collaboratives, scales, items, sources, observation: labels, order of levels, changes of items.

    Returns
    -------
    FitResult
        With verdict `failed` and its reasons where the data cannot answer the model.

    Raises
    ------
    BscError
        BSC-MOD-010 to 016 where the model file asks for what does not exist or what this engine cannot fit.
    """
    words = vocabulary(config)
    formula = parse_formula(spec["formula"], model_file(spec) + ", formula")
    model = model_frame(spec, formula, tables, words)
    refusals, flags = _comparability(spec, _waves_present(model, words), config)
    empty = _without_estimates(spec, model, tuple(flags))
    if refusals:
        return replace(empty, verdict=Verdict("failed", tuple(refusals)))
    try:
        design = model_design(model)
        weights = [contrast_weights(c, design, model.frame, model.levels, formula.variables) for c in spec.get("contrasts") or []]
    except NotEstimable as refusal:
        return replace(empty, verdict=Verdict("failed", refusal.reasons))
    return _fitted(spec, model, design, weights, words, empty, flags)


def _comparability(spec: dict, waves: list[str], config: dict) -> tuple[list[str], list[str]]:
    """Return (refusals, flags) for the scales among outcome and predictors over the waves of the model."""
    refusals, flags = [], []
    columns = [spec["outcome"], *(p["column"] for p in (spec.get("predictors") or {}).values())]
    for column in dict.fromkeys(columns if len(waves) > 1 else []):
        rows = [row for row in config.get("scales") or [] if row["scale"] == column]
        if rows:
            found = comparable(rows, waves, config.get("items") or [], config.get("sources"))
            refusals += [f"scores of {column} cannot be compared between waves: {reason}" for reason in found.reasons]
            flags += [f"{column}: {caution}".replace("; ", ", ") for caution in found.cautions]
    return refusals, flags


def _fitted(
    spec: dict, model: ModelFrame, design: DesignMatrix, weights: list, words: Vocabulary, empty: FitResult, flags: list
) -> FitResult:
    reml = bool(spec.get("reml", True))
    fit, data = fit_mixed(model.score, design.values, model.groups, model.group_names, reml=reml)
    df = between_within(design.values, design.terms, model.groups)
    lacking = [name for name, value in zip(design.names, df.by_column, strict=True) if value < 1]
    verdict = judge(fit, check_fit(fit, data), lacking_df=lacking, flags=flags)
    empty = replace(empty, verdict=verdict, estimator=fit.estimator)
    if not verdict.estimated:
        return empty
    rows = _Rows(spec, model, design, words, fit.point, df, _baseline_sd(model, words))
    levels = (*model.group_names, "row")
    fixed = [rows.coefficient(k, levels) for k in range(len(design.names))]
    contrasts = [rows.contrast(c, w, levels) for c, w in zip(spec.get("contrasts") or [], weights, strict=True)]
    components = [{"group": n, "variance": float(v)} for n, v in zip(model.group_names, fit.variances, strict=True)]
    smallest = _smallest_p(model)
    return replace(
        empty,
        log_likelihood=fit.point.log_likelihood,
        sigma2=fit.point.sigma2,
        variance_components=tuple(components),
        icc_center=_icc_center(model, fit.variances, fit.point.sigma2),
        smallest_p=smallest,
        fixed_effects=tuple(fixed),
        contrasts=tuple(contrasts),
        outcome_sd_baseline=rows.baseline_sd,
        notes=(*empty.notes, *_notes(model, design, [*fixed, *contrasts], smallest)),
    )


@dataclass(frozen=True)
class _Rows:
    """Builds the estimates of one fit."""

    spec: dict
    model: ModelFrame
    design: DesignMatrix
    words: Vocabulary
    point: Point
    df: BetweenWithin
    baseline_sd: float | None

    def coefficient(self, column: int, levels: tuple[str, ...]) -> Estimate:
        parts = self.design.parts[column]
        predictors = self.spec.get("predictors") or {}
        references = {name: known[0] for name, known in self.model.levels.items()}
        label = term_label(parts, self.design.parts, references, predictors, self.words)
        names = {name for name, _ in parts}
        declared = any(n in predictors for n in names)
        standardize = bool(parts) and all(n in self.model.levels or predictors.get(n, {}).get("scale") == "sd" for n in names)
        standardize = standardize and ("wave" in names or declared)
        weight = np.eye(len(self.design.names))[column]
        in_family = bool(self.spec.get("family")) and not self.spec.get("contrasts") and declared
        return self._row(self.design.names[column], label, weight, levels[self.df.level[column]], standardize, in_family)

    def contrast(self, contrast: dict, weight: np.ndarray, levels: tuple[str, ...]) -> Estimate:
        used = np.flatnonzero(np.abs(weight) > 1e-10)
        level = levels[self.df.level[used[np.argmin(self.df.by_column[used])]]]
        return self._row(contrast["id"], contrast["label"], weight, level, True, bool(self.spec.get("family")))

    def _row(self, term: str, label: str, weight: np.ndarray, level: str, standardize: bool, in_family: bool) -> Estimate:
        from scipy.stats import t

        value = float(weight @ self.point.estimates)
        error = float(np.sqrt(weight @ self.point.covariance @ weight))
        df = self.df.of_contrast(weight)
        half = float(t.ppf((1 + CONFIDENCE) / 2, df)) * error
        sd = self.baseline_sd
        standardized = value / sd if standardize and sd else None
        p_value = float(2 * t.sf(abs(value / error), df))
        return Estimate(term, label, value, error, df, value / error, p_value, value - half, value + half, standardized, level, in_family)


def _without_estimates(spec: dict, model: ModelFrame, notes: tuple[str, ...]) -> FitResult:
    return FitResult(
        model=str(spec.get("id", "")),
        label=spec["label"],
        question=spec["question"],
        outcome=spec["outcome"],
        construct=spec.get("construct", ""),
        unit=spec["unit"],
        formula=spec["formula"],
        family=spec.get("family", ""),
        estimator="not estimated",
        df_method=DF_METHOD,
        n=len(model.frame),
        n_outside_sample=model.n_outside,
        groups=model.counts(),
        n_excluded=model.n_excluded,
        verdict=Verdict("failed", ("not fitted",)),
        predictors=model.predictors,
        notes=notes,
    )


def _waves_present(model: ModelFrame, words: Vocabulary) -> list[str]:
    if "wave" not in model.frame:
        return []
    present = set(model.frame["wave"].dropna().astype(str))
    declared = [w for w in words.levels.get("wave", {}) if w in present]
    return declared + sorted(present - set(declared))


def _baseline_sd(model: ModelFrame, words: Vocabulary) -> float | None:
    """SD (n - 1) of the score in the first wave with rows in the model; of all rows where there is no wave."""
    waves = _waves_present(model, words)
    scores = model.score[(model.frame["wave"] == waves[0]).to_numpy()] if waves else model.score
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
    return sd if sd > 0 else None


def _icc_center(model: ModelFrame, variances: np.ndarray, sigma2: float) -> float | None:
    """Share of the variance that people of one center have in common: that of the center and of any level above it."""
    if "center_id" not in model.group_names:
        return None
    upto = model.group_names.index("center_id") + 1
    return float(variances[:upto].sum() / (variances.sum() + sigma2))


def _smallest_p(model: ModelFrame) -> float | None:
    """Smallest two-sided p of an exact sign-flip test over the outermost groups: 2 / 2^G (study design notes, seven centers: 2/128)."""
    if not model.groups:
        return None
    return float(2.0 ** (1 - len(np.unique(model.groups[0]))))


def _notes(model: ModelFrame, design: DesignMatrix, rows: list[Estimate], smallest: float | None) -> list[str]:
    if not model.groups:
        return ["no grouping in the formula: rows are treated as independent"]
    top, n_groups = model.group_names[0], len(np.unique(model.groups[0]))
    one = top.removesuffix("_id")
    notes = []
    if any(row.level == top and row.term != "(Intercept)" for row in rows):
        bound = f"an exact sign-flip test could not give a p below {smallest:.2g}"
        notes.append(f"terms that vary between {one}s only rest on {n_groups} of them, and {bound}")
    columns = [(row, {name for name, _ in parts}) for row, parts in zip(rows, design.parts, strict=False)]
    constant = {v for v in model.formula.variables if model.frame.groupby(model.groups[0])[v].nunique().max() == 1}
    crossing = [row.label for row, names in columns if row.level != top and names & constant]
    if crossing:
        caution = f"their degrees of freedom hold only if change differs little between {one}s otherwise ({NO_RANDOM_SLOPE})"
        notes.append(f"{' and '.join(crossing)}: {caution}")
    if "wave" in model.formula.variables:
        notes.append(f"change is taken to be alike in every {one} ({NO_RANDOM_SLOPE}), else its intervals are too narrow")
    if n_groups < 10:
        notes.append(f"with {n_groups} {one}s the variance between them is hardly known")
    return notes
