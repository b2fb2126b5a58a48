"""What the columns of a study measure, in words, for its pictures and its report."""

from __future__ import annotations

import re

__all__ = ["measure_label", "metric_label", "metric_meaning"]

#: Columns of the metrics under their own names: label, and what to know of it.
_WORDS = {
    "angle": (
        "Angle to the true direction (degrees)",
        "Between estimated and true coefficients: 0 is the true direction, 90 no relation.",
    ),
    "index_correlation": (
        "Correlation with the true scores",
        "Within menus; 1 is the true score up to scale.",
    ),
    "log_loss": ("Expected log loss", "Of the predicted under the exact probabilities; smaller is better."),
    "excess_log_loss": ("Excess log loss", "Expected log loss above that of the truth; 0 is the truth."),
    "link_error": (
        "Largest error of the link",
        "Over the central range of the index: a difference of probabilities, 0 for the true link.",
    ),
    "coverage": (
        "Share of intervals that cover",
        "Of the intervals of a replication that contain the true coefficient; right at their level.",
    ),
    "coverage_length": ("Mean length of intervals", "In units of the normalised coefficients."),
}
#: Columns with a budget in brackets.
_AT_BUDGET = {
    "regret": (
        "Regret",
        "True score lost to the optimal policy at the same divergence from the reference; 0 is the best.",
    ),
    "gain_share": (
        "Share of the optimal policy's gain",
        "Gain of the policy over the reference, as a share of that of the optimal policy at the same "
        "divergence; 1 is the best.",
    ),
    "reward": ("Reward", "True score that the policy attains, on average over menus; larger is better."),
    "total_variation": (
        "Total variation distance to the optimal policy",
        "Share of choices that differ from those of the optimal policy, on average over menus.",
    ),
    "kl": (
        "KL divergence from the optimal policy",
        "Mean over menus; 0 is the optimal policy.",
    ),
}


def measure_label(measure: str) -> str:
    """Words for a measure of policies, whatever the budget.

    Parameters
    ----------
    measure : str
        Column of `PolicyError` without its budget.

    Returns
    -------
    str
        The name itself for an unknown measure.

    Examples
    --------
    >>> from semiindex.display.metric_words import measure_label
    >>> measure_label("total_variation")
    'Total variation distance to the optimal policy'
    """
    return _AT_BUDGET[measure][0] if measure in _AT_BUDGET else measure


def metric_label(metric: str) -> str:
    """Words for a column: of an axis, of a table.

    Parameters
    ----------
    metric : str
        Column of the table of a study.

    Returns
    -------
    str
        The name itself where a metric has one of its own.

    Examples
    --------
    >>> from semiindex.display.metric_words import metric_label
    >>> metric_label("regret[0.2]")
    'Regret at divergence 0.2'
    >>> metric_label("my_metric")
    'my_metric'
    """
    measure, budget = _split(metric)
    if budget and measure in _AT_BUDGET:
        return f"{_AT_BUDGET[measure][0]} at divergence {budget}"
    return _WORDS[metric][0] if metric in _WORDS else metric


def metric_meaning(metric: str) -> str:
    """A sentence on how to read a column; empty where a metric has a name of its own.

    Parameters
    ----------
    metric : str
        Column of the table of a study.

    Returns
    -------
    str

    Examples
    --------
    >>> from semiindex.display.metric_words import metric_meaning
    >>> metric_meaning("kl[0.1]")
    'Mean over menus; 0 is the optimal policy.'
    """
    measure, budget = _split(metric)
    if budget and measure in _AT_BUDGET:
        return _AT_BUDGET[measure][1]
    return _WORDS[metric][1] if metric in _WORDS else ""


def _split(metric: str) -> tuple[str, str]:
    """Measure and budget of a column such as ``regret[0.2]``; no budget for any other."""
    match = re.fullmatch(r"(\w+)\[([^\]]+)\]", metric)
    return (match[1], match[2]) if match else (metric, "")
