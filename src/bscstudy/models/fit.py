"""One model from its declaration to its result: rows, engine, second engine, verdict, estimates and what stands beside them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.models import described
from bscstudy.models.center_means import unsupported_center_means
from bscstudy.models.contrasts import contrast_weights, refuse_contrasts
from bscstudy.models.diagnostics import residual_diagnostics
from bscstudy.models.estimates import Estimate, answered, asked_of_ladder, coefficient_questions, contrast_questions
from bscstudy.models.fitting import DRAWS, family_of, fit_rows, group_names, in_words, inference_of, levels_of_columns, or_reason, rungs_of
from bscstudy.models.influence import influence_rows
from bscstudy.models.inputs import ModelComparability, read_rows, waves_present
from bscstudy.models.rows import ModelRows, model_file, refuse_too_little
from bscstudy.models.second_engine import second_engine
from bscstudy.models.terms import Vocabulary
from bscstudy.models.verdict import NO_RANDOM_SLOPE, NotEstimable, Verdict, joint_verdict


@dataclass(frozen=True)
class FitResult:
    """A model result; section 5 of docs/architecture.md names the fields. Estimates only where the verdict allows them."""

    model: str
    label: str
    question: str
    outcome: str
    construct: str
    unit: str
    distribution: str
    link: str
    hypotheses: str
    adjust: str
    formula: str
    interpretation: str
    estimator: str
    df_method: str
    n: int
    n_outside_sample: int
    groups: dict[str, int]
    n_excluded: dict[str, int]
    verdict: Verdict
    left_out: bool = False
    second_engine: dict | None = None
    log_likelihood: float | None = None
    sigma2: float | None = None
    icc_center: float | None = None
    r2: dict | None = None
    smallest_p: float | None = None
    outcome_sd_baseline: float | None = None
    fixed_effects: tuple[Estimate, ...] = ()
    contrasts: tuple[Estimate, ...] = ()
    variance_components: tuple[dict, ...] = ()
    variance_partition: tuple[dict, ...] = ()
    ladder: tuple[dict, ...] = ()
    marginal_means: tuple[dict, ...] = ()
    center_modes: tuple[dict, ...] = ()
    influence: tuple[dict, ...] = ()
    diagnostics: dict | None = None
    predictors: dict = field(default_factory=dict)
    harmonised: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Return the result as plain values for JSON: missing and infinite numbers are null, a contrast carries its id also as `term`."""
        plain = _plain(asdict(self))
        plain["contrasts"] = [{"id": c["term"], **c} for c in plain["contrasts"]]
        return plain


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def fit_model(spec: dict, tables: dict[str, pd.DataFrame], config: dict, comparability: ModelComparability, *, seed: int = 1) -> FitResult:
    """Fit one declared model.

    Parameters
    ----------
    spec : dict
        A model of ``config/models`` with its ``id``.
    tables : dict
        Analysis tables by unit: person, visit, center; those the model needs. ``aggregation``: evidence for center means of scales.
    config : dict
        Sections waves, roles, collaboratives, scales, observation: labels and order of levels.
    comparability : ModelComparability
        Whether the scores can be compared over the model's waves (`bscstudy.models.inputs.model_comparability`).
    seed : int
        Of the ladder's random parts.

    Returns
    -------
    FitResult
        With verdict `failed` and its reasons where the data cannot answer the model.

    Raises
    ------
    BscError
        BSC-MOD-010 to 021 where the model file asks for what does not exist or does not fit together.
    """
    try:
        rows, words = read_rows(spec, tables, config)
    except BscError as absent:
        if spec.get("optional") and absent.code in ("BSC-MOD-012", "BSC-MOD-013"):
            return _left_out(spec, absent)
        raise
    waves, refusals, flags = waves_present(rows, words), comparability.refusals, list(comparability.flags)
    unsupported = unsupported_center_means(spec, tables.get("aggregation"), waves)
    empty = replace(_without_estimates(spec, rows, (*flags, *unsupported, *rows.notes)), harmonised=tuple(flags))
    if refusals:
        return replace(empty, verdict=Verdict("failed", tuple(refusals)))
    try:
        refuse_too_little(rows, gaussian=family_of(spec) == "gaussian")
        refuse_contrasts(spec.get("contrasts") or [], rows)
        result = fit_rows(spec, rows)
    except NotEstimable as refusal:
        return replace(empty, verdict=Verdict("failed", tuple(map(in_words, refusal.reasons))))
    return _Fitted(spec, rows, result, words, seed).result(empty, flags)


@dataclass(frozen=True)
class _Fitted:
    """Builds the result of one fit."""

    spec: dict
    rows: ModelRows
    fit: object
    words: Vocabulary
    seed: int

    def result(self, empty: FitResult, flags: list[str]) -> FitResult:
        """Return the result: judged first, with numbers only where they may be shown."""
        grouped = bool(self.fit.fit.design.factors)
        empty = replace(empty, link=self.fit.family.link, estimator=self.fit.estimator if grouped else "ordinary least squares")
        own = self.fit.verdict
        own = replace(own, reasons=tuple(in_words(reason, group_names(self.fit)) for reason in own.reasons))
        if not own.estimated:
            return replace(empty, verdict=own)
        inference = inference_of(self.spec, self.fit, model_file(self.spec))
        questions, contrasts = self._questions()
        baseline = _baseline_sd(self.rows, self.words) if self.fit.linear else None
        fixed, compared = answered(questions, inference, baseline), answered(contrasts, inference, baseline)
        second = second_engine(self.fit)
        lacking = [row.term for row in (*fixed, *compared) if not row.p_value >= 0]
        verdict = joint_verdict(own, second.faults if second else (), lacking, flags)
        empty = replace(
            empty,
            verdict=verdict,
            df_method=_method_words(inference, questions),
            second_engine=None if second is None else second.as_dict(),
        )
        if not verdict.estimated:
            return empty
        found = replace(empty, fixed_effects=tuple(fixed), contrasts=tuple(compared), outcome_sd_baseline=baseline)
        return self._described(found, inference, asked_of_ladder(questions, contrasts))

    def _questions(self) -> tuple[list, list]:
        from bscstudy.multilevel.new_rows import fixed_part

        design, levels = self.fit.fit.design, levels_of_columns(self.fit)
        part = fixed_part(design)
        weights = [contrast_weights(c, part, self.rows) for c in self.spec.get("contrasts") or []]
        questions = coefficient_questions(self.spec, self.rows, design.fixed_names, levels, self.words)
        return questions, contrast_questions(self.spec, self.rows, weights, levels)

    def _described(self, found: FitResult, inference: object, asked: list) -> FitResult:
        """Add all that stands beside the estimates."""
        spec, rows, fit, notes = self.spec, self.rows, self.fit, []
        partition = or_reason(lambda: described.partition_rows(fit), "partition of variance", notes)
        draws = int(spec.get("draws", DRAWS))
        ladder = or_reason(lambda: described.ladder_rows(asked, fit, rungs_of(spec, fit), self.seed, draws), "ladder", notes)
        means = or_reason(lambda: described.means_rows(spec, fit, rows, inference, self.words), "marginal means", notes)
        paths = {group_names(fit)[p.name]: p.variables for p in fit.fit.design.information.parts}
        smallest = _smallest_p(fit)
        r2 = fit.r_squared
        return replace(
            found,
            log_likelihood=fit.log_likelihood,
            sigma2=None if fit.sigma is None else fit.sigma**2,
            icc_center=described.icc_center(partition, paths),
            r2={"marginal": r2.marginal, "conditional": r2.conditional},
            smallest_p=smallest,
            variance_components=tuple(described.variance_rows(fit)),
            variance_partition=tuple(partition),
            ladder=tuple(ladder),
            marginal_means=tuple(means),
            center_modes=tuple(described.mode_rows(fit, rows, self.words)),
            influence=tuple(influence_rows(asked, fit, rows, inference_name(spec))),
            diagnostics=residual_diagnostics(fit),
            notes=(*found.notes, *notes, *_notes(spec, rows, fit, [*found.fixed_effects, *found.contrasts], smallest, self.words)),
        )


def inference_name(spec: dict) -> str | None:
    """Return the engine's name of the declared method, None for the default of its kind."""
    from bscstudy.models.fitting import METHODS

    return METHODS.get(spec.get("df"), spec.get("df"))


def _method_words(inference: object, questions: list) -> str:
    method = inference.tests(np.array([q.weights for q in questions])).method
    return method if "t" in method.split() or "normal" in method or "likelihood" in method else f"{method} (t)"


def _described_by_file(spec: dict) -> dict:
    """What a result takes over from the model's file as it stands."""
    given = {name: spec.get(name, "") for name in ("construct", "hypotheses", "interpretation", "link")}
    return {
        **{name: spec[name] for name in ("label", "question", "outcome", "unit", "formula")},
        **given,
        "model": str(spec.get("id", "")),
        "distribution": family_of(spec),
        "adjust": spec.get("adjust", "holm"),
        "estimator": "not estimated",
        "df_method": "",
    }


def _without_estimates(spec: dict, rows: ModelRows, notes: tuple[str, ...]) -> FitResult:
    return FitResult(
        **_described_by_file(spec),
        n=len(rows.frame),
        n_outside_sample=rows.n_outside,
        groups=rows.counts(),
        n_excluded=rows.n_excluded,
        verdict=Verdict("failed", ("not fitted",)),
        predictors=rows.predictors,
        notes=notes,
    )


def _left_out(spec: dict, absent: BscError) -> FitResult:
    reason = f"left out, as the model is optional: {absent.what[0].lower()}{absent.what[1:].rstrip('.')}"
    counts = {"n": 0, "n_outside_sample": 0, "groups": {}, "n_excluded": {}}
    return FitResult(**_described_by_file(spec), **counts, verdict=Verdict("failed", (reason,)), left_out=True, notes=(reason,))


def _baseline_sd(rows: ModelRows, words: Vocabulary) -> float | None:
    """SD (n - 1) of the score in the first wave with rows in the model; of all rows where there is no wave."""
    waves = waves_present(rows, words)
    scores = rows.score[(rows.frame["wave"].astype(str) == waves[0]).to_numpy()] if waves else rows.score
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
    return sd if sd > 0 else None


def _smallest_p(fit: object) -> float | None:
    """Smallest two-sided p of an exact sign-flip test over the independent groups: 2 / 2^G (study design notes, seven centers: 2/128)."""
    from bscstudy.multilevel.group_estimates import independent_groups

    if not fit.fit.design.factors:
        return None
    count = int(independent_groups(fit.fit.design).max()) + 1
    return float(2.0 ** (1 - count)) if count > 1 else None


def _notes(spec: dict, rows: ModelRows, fit: object, found: list[Estimate], smallest: float | None, words: Vocabulary) -> list[str]:
    design, names = fit.fit.design, group_names(fit)
    if not design.factors:
        return ["no grouping in the formula: rows are treated as independent"]
    top = min(design.factors, key=lambda f: (f.n_levels, f.name))
    one, notes = names[top.name].removesuffix("_id"), []
    if smallest is not None and any(row.level == names[top.name] and row.term != "(Intercept)" for row in found):
        bound = f"an exact sign-flip test could not give a p below {smallest:.2g}"
        notes.append(f"terms that vary between {one}s only rest on {top.n_levels} of them, and {bound}")
    if {"wave", *words.pieces} & set(rows.formula.fixed_names) and not _change_varies(rows):
        notes.append(f"change is taken to be alike in every {one} ({NO_RANDOM_SLOPE}), else its intervals are too narrow")
    notes += _caution(spec, fit)
    if top.n_levels < 10:
        notes.append(f"with {top.n_levels} {one}s the variance between them is hardly known")
    return notes


def _caution(spec: dict, fit: object) -> list[str]:
    """What must be said of the model's own method, where simulation found that it rejects true nulls too often."""
    from bscstudy.multilevel.ladder import CAUTIONS
    from bscstudy.multilevel.result_methods import default_method

    name = inference_name(spec) or default_method(fit.fit)
    return [f"its own method ({name.replace('_', '-')}) {CAUTIONS[name]}"] if name in CAUTIONS else []


def _change_varies(rows: ModelRows) -> bool:
    """Whether a random part lets groups change differently: a slope, or groups by wave."""
    by_wave = any("wave" in path for path in rows.formula.groupings)
    return by_wave or any(term.effects.strip() != "1" for term in rows.formula.parsed.random)
