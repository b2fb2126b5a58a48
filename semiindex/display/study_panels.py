"""Curves and panels of a study: the numbers that `StudyDisplay` draws."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semiindex._types import FloatArray
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "OPTIMAL",
    "StudyCurve",
    "StudyPanel",
    "make_panels",
    "means",
    "measured_budgets",
    "optimal_rewards",
    "warn_of_gaps",
]

#: Name of the curve of the policies of the true scores, where a study measured rewards.
OPTIMAL = "optimal policy"


@dataclass(frozen=True, eq=False)
class StudyCurve:
    """Means of one estimator.

    Attributes
    ----------
    name : str
        For the legend.
    x, mean, error : arrays of shape (k,)
        Severity, size or budget; mean over replications, and its Monte Carlo standard error.
    slope, slope_error : float
        Fitted slope of log mean in log x with its standard error; NaN where none was fitted.
    n_failed : int
        Fits without a value, which the means leave out.
    """

    name: str
    x: FloatArray
    mean: FloatArray
    error: FloatArray
    slope: float = np.nan
    slope_error: float = np.nan
    n_failed: int = 0

    @property
    def trend(self) -> FloatArray | None:
        """Values at x of the power of x that was fitted; None where there is no slope."""
        if np.isnan(self.slope):
            return None
        logarithms = np.log(self.x)
        centred = logarithms - logarithms.mean()
        return np.asarray(np.exp(np.log(self.mean).mean() + self.slope * centred))

    @property
    def label(self) -> str:
        """Name, with the slope and the failures if there are any."""
        error = "" if np.isnan(self.slope_error) else f" ± {self.slope_error:.2f}"  # of one replication
        slope = "" if np.isnan(self.slope) else f" ({self.slope:+.2f}{error})"
        failed = f" [{self.n_failed} failed]" if self.n_failed else ""
        return f"{self.name}{slope.replace('-', '−')}{failed}"


@dataclass(frozen=True, eq=False)
class StudyPanel:
    """Curves on common axes.

    Attributes
    ----------
    title : str
        What distinguishes the panel: link, design, size.
    curves : tuple of StudyCurve
        One per estimator.
    group : str, default=""
        What it shares with its neighbours, such as the truth; every group begins a row.
    """

    title: str
    curves: tuple[StudyCurve, ...]
    group: str = ""


def warn_of_gaps(summary: pd.DataFrame, *, positive: bool = False) -> None:
    """Say which means cannot be drawn; for functions that a user calls.

    Parameters
    ----------
    summary : DataFrame
        Means, as of `means`.
    positive : bool, default=False
        Whether only positive values can be drawn.

    Warns
    -----
    DataWarning
        If there are such means; it points at the caller's caller.
    """
    gaps = summary[~_drawable(summary["mean"].to_numpy(float), positive)]
    if len(gaps):
        kind = "positive and finite" if positive else "finite"
        named = sorted(set(gaps["estimator"]))
        warnings.warn(
            f"{len(gaps)} of {len(summary)} means are not {kind} and are not drawn; estimators: {named}",
            DataWarning,
            stacklevel=3,
        )


def _drawable(mean: FloatArray, positive: bool) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(mean) & ((mean > 0) | (not positive)))


def means(result: StudyResult, metric: str, estimators: Sequence[str] | None) -> pd.DataFrame:
    """Means of a metric, of the estimators asked for and in their order.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    metric : str
        Column of the table.
    estimators : sequence of str or None
        Which; None takes all.

    Returns
    -------
    pandas.DataFrame
        As of `StudyResult.summary`.

    Raises
    ------
    InvalidParameterError
        If the metric or an estimator is unknown.
    """
    summary = result.summary(metrics=[metric])
    if estimators is None:
        return summary
    known = list(summary["estimator"].unique())
    unknown = [name for name in estimators if name not in known]
    if unknown or not len(estimators):
        raise InvalidParameterError(f"estimators must be among {known}, got {list(estimators)}")
    order = {name: position for position, name in enumerate(estimators)}
    chosen = summary[summary["estimator"].isin(order)]
    return chosen.sort_values("estimator", key=lambda column: column.map(order), kind="stable")


def make_panels(
    summary: pd.DataFrame, x: str, keys: Sequence[str], *, positive: bool = False
) -> list[StudyPanel]:
    """Curves of means against a column, a panel per combination of the keys.

    Parameters
    ----------
    summary : DataFrame
        Means, as of `means`.
    x : str
        Column of the horizontal axis.
    keys : sequence of str
        Columns that distinguish panels; those that do not vary stay out of the titles.
    positive : bool, default=False
        Whether only positive values can be drawn.

    Returns
    -------
    list of StudyPanel

    Raises
    ------
    InvalidParameterError
        If an estimator has two means at one value of x in one panel.
    """
    import pandas as pd

    varying = [key for key in keys if summary[key].nunique(dropna=False) > 1]
    if summary.duplicated([*varying, "estimator", x]).any():
        raise InvalidParameterError(
            f"several truths share a value of {x!r} in one panel; give truths a factor that tells them apart"
        )
    # Values of a key come in the order of the table, and those of the first key side by side.
    places = [pd.factorize(summary[key], use_na_sentinel=False)[0] for key in varying]
    summary = summary.iloc[np.lexsort(places[::-1])] if varying else summary
    groups = summary.groupby(varying, sort=False, dropna=False) if varying else [((), summary)]
    panels = []
    for values, part in groups:
        titles = [_title(key, value) for key, value in zip(varying, values, strict=True)]
        curves = [_curve(name, rows, x, positive) for name, rows in part.groupby("estimator", sort=False)]
        panels.append(StudyPanel(", ".join(titles), tuple(curves), ", ".join(titles[:-1])))
    return panels


def _title(key: str, value: Any) -> str:
    return f"n = {value:,}" if key == "n" else str(value) if isinstance(value, str) else f"{key} {value:g}"


def _curve(name: Any, rows: pd.DataFrame, x: str, positive: bool) -> StudyCurve:
    rows = rows.sort_values(x)
    mean = rows["mean"].to_numpy(float)
    drawn = _drawable(mean, positive)
    slope, error = (float(rows[column].iloc[0]) if column in rows else np.nan for column in _SLOPE)
    return StudyCurve(
        str(name),
        rows[x].to_numpy(float)[drawn],
        mean[drawn],
        np.nan_to_num(rows["standard_error"].to_numpy(float)[drawn]),  # of one replication: no bar
        slope,
        error,
        int(rows["n_failed"].sum()),
    )


_SLOPE = ("slope", "slope_se")


def measured_budgets(result: StudyResult, measure: str) -> list[float]:
    """Budgets at which a study measured policies, from small to large.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    measure : str
        Column of `PolicyError`, without its budget.

    Returns
    -------
    list of float

    Raises
    ------
    InvalidParameterError
        If there are none.
    """
    pattern = re.compile(rf"{re.escape(measure)}\[(.+)\]")
    found = [match[1] for match in map(pattern.fullmatch, result.metrics) if match]
    if not found:
        raise InvalidParameterError(
            f"the study did not measure {measure!r} at budgets; add PolicyError((0.05, 0.1, 0.2)) to its "
            f"metrics. It has {list(result.metrics)}"
        )
    return sorted(map(float, found))


def optimal_rewards(result: StudyResult, budget: float) -> pd.DataFrame:
    """Reward of the optimal policy: that of any estimator and its regret.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    budget : float
        One of `measured_budgets`.

    Returns
    -------
    pandas.DataFrame
        A row per truth, design and n, with the columns of `means` that panels need.
    """
    import pandas as pd

    rows = []
    for (common, reward), (_, regret) in zip(
        *(result.cells(f"{name}[{budget:g}]") for name in ("reward", "regret")), strict=True
    ):
        best = (reward + regret).mean(axis=1).dropna()
        error = best.std(ddof=1) / np.sqrt(len(best)) if len(best) > 1 else np.nan
        row = {"mean": best.mean(), "standard_error": error, "n_failed": 0}
        rows.append(common | {"estimator": OPTIMAL, "budget": budget} | row)
    return pd.DataFrame(rows)
