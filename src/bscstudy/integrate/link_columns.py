"""What the columns of the tables of links and groups hold; written into their sidecars."""

from __future__ import annotations

from bscstudy.qual.columns import INTEGER, NUMBER, SHARE
from bscstudy.tables import Column

_CORRELATION = "-1 to 1"
_TEN_POINTS = "points of the scale for ten percentage points of the share"


def _ranks(name: str, words: str) -> list[Column]:
    return [
        Column(name, words, NUMBER, _CORRELATION),
        Column(f"{name}_p_value", "Its two-sided permutation p, ties counted", NUMBER),
        Column(f"{name}_p_error", "Standard error of this p from drawing orders at random; 0 where it is exact", NUMBER),
        Column(f"{name}_smallest_p", "The smallest p that these values can give", NUMBER),
        Column(f"{name}_without_low", "Lowest without one center", NUMBER, _CORRELATION),
        Column(f"{name}_without_high", "Highest without one center", NUMBER, _CORRELATION),
        Column(f"{name}_n_patterns", "Orders compared; 0 where the null distribution was counted", INTEGER),
    ]


THEME_LINKS = [
    Column("link", "Link"),
    Column("theme", "Theme"),
    Column("theme_measure", "share of the center's sessions asked, or presence in any"),
    Column("outcome", "Scale or fidelity index"),
    Column("outcome_waves", "Waves of a change, wave of a level; blank for an index"),
    Column("expected", "Direction expected before looking"),
    Column("n_centers", "Centers with both values", INTEGER, "centers"),
    Column("n_sessions", "Their sessions asked about the theme and coded", INTEGER, "sessions"),
    *_ranks("rho", "Spearman's rank correlation"),
    Column("rho_p_bh", "Benjamini-Hochberg value of this p over all declared links", NUMBER),
    *_ranks("tau", "Kendall's tau-b"),
    Column("rho_share_low", "Lower 2.5% of rho when shares are drawn from their Jeffreys posteriors", NUMBER, _CORRELATION),
    Column("rho_share_high", "Upper 2.5% of the same", NUMBER, _CORRELATION),
    Column("split_rule", "Which centers are high and which low"),
    Column("split_difference", "Mean outcome of the high centers minus that of the low ones", NUMBER, "units of the outcome"),
    Column("split_p_value", "Its exact p, by the absolute difference", NUMBER),
    Column("split_p_doubled", "Twice the smaller one-sided p", NUMBER),
    Column("split_smallest_p", "The smallest p that these values can give, by the absolute difference", NUMBER),
    Column("split_n_high", "High centers", INTEGER, "centers"),
    Column("split_n_low", "Low centers", INTEGER, "centers"),
    Column("split_mean_high", "Their mean outcome", NUMBER, "units of the outcome"),
    Column("split_mean_low", "Mean outcome of the low centers", NUMBER, "units of the outcome"),
    Column("share_reliability", "Share of the variance of observed shares that is between centers", NUMBER, SHARE),
    Column("slope_naive", "Slope of people's scores on the share as observed", NUMBER, _TEN_POINTS),
    Column("slope_naive_std_error", "Its standard error", NUMBER, _TEN_POINTS),
    Column("slope", "Slope on the calibrated share", NUMBER, _TEN_POINTS),
    Column("slope_std_error", "Its standard error, without each center in turn", NUMBER, _TEN_POINTS),
    Column("slope_low", "Lower limit of its 95% interval", NUMBER, _TEN_POINTS),
    Column("slope_high", "Upper limit of its 95% interval", NUMBER, _TEN_POINTS),
    Column("slope_p_value", "p value", NUMBER),
    Column("slope_df", "Degrees of freedom: centers minus 2", NUMBER),
    Column("slope_n", "Rows of the model", INTEGER),
    Column("slope_n_centers", "Centers of the model", INTEGER),
    Column("slope_reason", "Why there is no corrected slope"),
]

THEME_LINK_CENTERS = [
    Column("link", "Link"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("n_asked", "Sessions asked about the theme and coded", INTEGER, "sessions"),
    Column("n_present", "Of these, sessions that raised it", INTEGER, "sessions"),
    Column("theme_value", "Share, or presence (1 or 0)", NUMBER, SHARE),
    Column("outcome_value", "Change, level or index of the center", NUMBER, "units of the outcome"),
    Column("n_people", "Forms behind the outcome, in the wave with fewer; blank for an index", INTEGER, "forms"),
    Column("theme_rank", "Rank of the theme's value, 1 the lowest; blank where one value is missing", NUMBER),
    Column("outcome_rank", "Rank of the outcome's value, 1 the lowest", NUMBER),
]


def _group(name: str) -> list[Column]:
    return [
        Column(f"{name}_n_centers", f"Centers of the {name} group", INTEGER, "centers"),
        Column(f"{name}_n_asked", "Their sessions asked", INTEGER, "sessions"),
        Column(f"{name}_n_present", "Of these, sessions that raised the theme", INTEGER, "sessions"),
        Column(f"{name}_mean", "Mean change of the outcome", NUMBER, "points of the scale"),
        Column(f"{name}_sd", "Its standard deviation between centers", NUMBER, "points of the scale"),
    ]


THEME_GROUPS = [
    Column("outcome", "Survey scale"),
    Column("theme", "Theme"),
    Column("outcome_waves", "Waves compared"),
    *_group("high"),
    *_group("low"),
    Column("difference", "Mean of the high group minus that of the low group", NUMBER, "points of the scale"),
    Column("p_value", "Its exact p, by the absolute difference", NUMBER),
    Column("smallest_p", "The smallest p that these values can give", NUMBER),
]
