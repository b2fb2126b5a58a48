"""Specification and knots of the monotone spline for the logit of the link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["MonotoneSpline", "spline_breakpoints", "weighted_quantiles"]


@dataclass(frozen=True)
class MonotoneSpline:
    """Specification of a monotone spline for the logit of the link.

    Parameters
    ----------
    n_knots : int, default=10
        Knots on the range of the index, at weighted quantiles of a pilot index (the logistic
        direction). Ten follow every link of the simulation studies within sampling error; the
        penalty keeps idle ones quiet.
    penalty : float, default=0.2
        Weight of the integrated squared curvature of the logit, in units in which the index has
        unit root mean square (about its mean, where ``antisymmetric=False`` leaves that to the link),
        against the *sum* of the log losses: it fades as the sample grows.
        A linear logit (a logistic link) is not penalised.
    max_slope : float or None, default=None
        Bound on the slope of the logit, per unit of the index; in an estimator without a ridge that
        is per root mean square of the index (standard deviation with ``antisymmetric=False``). With 1
        the slope of the link is at most 1/4, that of the logistic function; estimators set it where a
        ridge makes the scale of the index part of the regularisation. None leaves the slope free.

    Raises
    ------
    InvalidParameterError
        For fewer than two knots, a penalty or a bound that is not positive.

    Examples
    --------
    >>> from semiindex import MonotoneSpline, ProfiledLinkPolicy
    >>> ProfiledLinkPolicy(link=MonotoneSpline(n_knots=6)).link
    MonotoneSpline(n_knots=6, penalty=0.2, max_slope=None)
    """

    n_knots: int = 10
    penalty: float = 0.2
    max_slope: float | None = None

    def __post_init__(self) -> None:
        n_knots: Any = self.n_knots
        if not (isinstance(n_knots, (int, np.integer)) and n_knots >= 2):
            raise InvalidParameterError(f"n_knots must be an integer >= 2, got {self.n_knots!r}")
        if not (np.isfinite(self.penalty) and self.penalty > 0):
            raise InvalidParameterError(
                f"penalty must be a positive number, got {self.penalty!r}; it keeps the link unique "
                "where there are no data, so use a small one rather than none"
            )
        if self.max_slope is not None and not (np.isfinite(self.max_slope) and self.max_slope > 0):
            raise InvalidParameterError(f"max_slope must be positive or None, got {self.max_slope!r}")


def weighted_quantiles(values: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles by inversion of the weighted distribution function, without interpolation.

    Integer weights then give exactly what repeated values give.
    """
    order = np.argsort(values)
    cumulative = np.cumsum(weight[order])
    position = np.searchsorted(cumulative, levels * cumulative[-1] * (1 - 1e-14), side="left")
    return np.asarray(values[order][np.minimum(position, values.size - 1)])


def spline_breakpoints(t: FloatArray, weight: FloatArray, n_knots: int, antisymmetric: bool) -> FloatArray:
    """Knots at weighted quantiles of the index; mirrored at 0 for an antisymmetric link.

    The outermost knots stand at the 2% and 98% points (98% of ``|t|`` if antisymmetric): beyond
    them the data support a linear logit at most. Coinciding quantiles are merged.

    Parameters
    ----------
    t : array of shape (n,)
        Index values.
    weight : array of shape (n,)
        Frequency weights.
    n_knots : int
        Number of knots, fewer where quantiles coincide.
    antisymmetric : bool
        Whether knots are placed on ``|t|`` and mirrored.

    Returns
    -------
    array of shape (m,), 2 <= m <= n_knots + 1
    """
    if antisymmetric:
        size = np.abs(t)
        half = n_knots // 2
        levels = 0.98 * np.arange(1, half + 1) / half
        positive = size > 0
        if not positive.any():
            return np.array([-1.0, 1.0])
        outer = _merged(weighted_quantiles(size[positive], weight[positive], levels))
        middle = [0.0] if n_knots % 2 else []
        return np.concatenate([-outer[::-1], middle, outer])
    knots = _merged(weighted_quantiles(t, weight, np.linspace(0.02, 0.98, n_knots)))
    if knots.size == 1:
        reach = max(abs(float(knots[0])), 1.0)
        return np.array([knots[0] - reach, knots[0] + reach])
    return knots


def _merged(quantiles: FloatArray) -> FloatArray:
    """Distinct quantiles, none closer to the last kept one than a thousandth of the range."""
    gap = 1e-3 * max(float(quantiles[-1] - quantiles[0]), abs(float(quantiles[-1])))
    kept = [float(quantiles[0])]
    for value in quantiles[1:]:
        if value - kept[-1] > gap:
            kept.append(float(value))
    return np.array(kept)
