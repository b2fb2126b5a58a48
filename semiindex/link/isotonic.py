"""Isotonic link: weighted pool-adjacent-violators after pooling tied index values.

The isotonic least-squares fit is at once the Bernoulli maximum-likelihood fit (Barlow, Bartholomew,
Bremner & Brunk 1972, theorem 3.1), and clipping it to an interval is the exact fit under that bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.link.base import Link
from semiindex.link.piecewise import PiecewiseLinearLink

__all__ = [
    "IsotonicFit",
    "PooledSample",
    "antisymmetric_fold",
    "fit_isotonic",
    "isotonic_fit",
    "pool_ties",
    "probability_bound",
]


@dataclass(frozen=True)
class IsotonicFit:
    """Isotonic fit at the observed index values.

    Attributes
    ----------
    knots : array of shape (m,)
        Distinct index values in increasing order (distinct absolute values if antisymmetric).
    values : array of shape (m,)
        Fitted probabilities there.
    rank : array of shape (n,)
        Position of every observation in `knots`.
    flipped : array of shape (n,) of bool
        Observations with t < 0 that were turned round by an antisymmetric fit.
    antisymmetric : bool
        Whether the fit is that of the doubled sample.
    """

    knots: FloatArray
    values: FloatArray
    rank: IntArray
    flipped: AnyArray
    antisymmetric: bool

    @property
    def fitted(self) -> FloatArray:
        """Fitted probability of every observation, shape (n,)."""
        values = self.values[self.rank]
        return np.where(self.flipped, 1 - values, values) if self.antisymmetric else values

    def to_link(self) -> PiecewiseLinearLink:
        """The fit as a link: interpolated between blocks, thresholds inside a block dropped."""
        knots, values = self.knots, self.values
        if self.antisymmetric:
            inner = knots > 0
            # Without an observation at 0 the link still passes through 1/2 there.
            knots = np.concatenate([-knots[inner][::-1], [0.0], knots[inner]])
            values = np.concatenate([1 - values[inner][::-1], [0.5], values[inner]])
        edge = np.ones(values.size, dtype=bool)
        edge[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
        return PiecewiseLinearLink(knots[edge], values[edge], self.antisymmetric)


@dataclass(frozen=True)
class PooledSample:
    """A sample with tied index values pooled: what an isotonic fit depends on.

    Attributes
    ----------
    knots : array of shape (m,)
        Distinct index values in increasing order, of the folded sample if antisymmetric.
    mass, wins : arrays of shape (m,)
        Weight at every knot, in all and of wins.
    rank, flipped, antisymmetric
        As in `IsotonicFit`.
    """

    knots: FloatArray
    mass: FloatArray
    wins: FloatArray
    rank: IntArray
    flipped: AnyArray
    antisymmetric: bool

    @property
    def present(self) -> AnyArray:
        """Knots with weight, shape (m,) of bool."""
        return self.mass > 0

    def fit(self, values: FloatArray, bound: float) -> IsotonicFit:
        """The fit with given isotonic values at the knots with weight, held within the bounds.

        Knots without weight get the value that the interpolated link has there without them: an
        observation without weight must not change the link.
        """
        known = self.knots[self.present]
        values = np.clip(values, 0.5 if self.antisymmetric else bound, 1 - bound)
        if self.antisymmetric and known[0] == 0:
            values[0] = 0.5
        if known.size < self.knots.size:
            if self.antisymmetric:
                known, values = np.append(0.0, known), np.append(0.5, values)
            values = np.interp(self.knots, known, values)
        return IsotonicFit(self.knots, values, self.rank, self.flipped, self.antisymmetric)


def probability_bound(total_weight: float) -> float:
    """Smallest fitted probability of an isotonic link, ``1 / (n + 2)`` (Laplace's rule).

    Without it a held-out observation beyond the extreme blocks has infinite log loss.

    Parameters
    ----------
    total_weight : float
        Sum of the frequency weights, the n of the rule.

    Returns
    -------
    float
    """
    return 1.0 / (total_weight + 2.0)


def antisymmetric_fold(t: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray, AnyArray]:
    """Absolute index values, labels turned round where t < 0, and where that is."""
    flipped = t < 0
    return np.abs(t), np.where(flipped, 1 - z, z), flipped


def pool_ties(t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> PooledSample:
    """Sum weights and wins over tied index values; see `isotonic_fit` for the parameters."""
    if antisymmetric:
        t, z, flipped = antisymmetric_fold(t, z)
    else:
        flipped = np.zeros(t.shape, dtype=bool)
    order = np.argsort(t)  # ties are pooled, so that the sort need not be stable
    sorted_t = t[order]
    first = np.empty(t.size, dtype=bool)
    first[0] = True
    np.not_equal(sorted_t[1:], sorted_t[:-1], out=first[1:])
    rank = np.empty(t.size, dtype=np.intp)
    rank[order] = np.cumsum(first) - 1
    knots = sorted_t[first]
    mass = _weighted_count(rank, weight, knots.size)
    wins = _weighted_count(rank, weight * z, knots.size)
    if antisymmetric and knots[0] == 0:
        wins[0] = mass[0] / 2  # a comparison at t = 0 stands beside its own mirror image
    return PooledSample(knots, mass, wins, rank, flipped, antisymmetric)


def _weighted_count(rank: IntArray, weight: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(rank, weights=weight, minlength=size), dtype=np.float64)


def isotonic_fit(
    t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool, bound: float | None = None
) -> IsotonicFit:
    """Fit a monotone link to labels by weighted least squares, :eq:`isotonic`.

    Equivalently by likelihood, :eq:`isotonic-likelihood`; the bound is :eq:`clipped`.

    Parameters
    ----------
    t : array of shape (n,)
        Index values; tied values share one fitted probability.
    z : array of shape (n,)
        Labels in [0, 1].
    weight : array of shape (n,)
        Nonnegative frequency weights with a positive sum.
    antisymmetric : bool
        Fit the doubled sample ``(t, z), (-t, 1 - z)``. Since its fit is antisymmetric, it is the
        fit on ``|t|`` with the labels turned round where t < 0, bounded below by 1/2: half the work.
    bound : float, optional
        Fitted values are held in ``[bound, 1 - bound]``; by default `probability_bound`.

    Returns
    -------
    IsotonicFit

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.link import isotonic_fit
    >>> t, z = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0])
    >>> isotonic_fit(t, z, np.ones(4), antisymmetric=False).fitted.round(3)
    array([0.167, 0.5  , 0.5  , 0.833])
    """
    if bound is None:
        bound = probability_bound(float(weight.sum()))
    pooled = pool_ties(t, z, weight, antisymmetric=antisymmetric)
    # scipy does not pool ties, and divides by the weights.
    mass, wins = pooled.mass[pooled.present], pooled.wins[pooled.present]
    return pooled.fit(isotonic_regression(wins / mass, weights=mass).x, bound)


def fit_isotonic(t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> Link:
    """Isotonic link of labels on index values; see `isotonic_fit` for the parameters."""
    return isotonic_fit(t, z, weight, antisymmetric=antisymmetric).to_link()
