"""A sample seen from knots: linear binning for the log loss, the exact Gram matrix for squared loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semiindex._types import AnyArray, FloatArray, IntArray

__all__ = ["Compression", "Gram", "compress", "place_knots"]


@dataclass(frozen=True)
class Gram:
    """The squared loss of a piecewise linear link in its values v at the knots, :eq:`compressed-squares`.

    ``sum_i w_i (z_i - Psi(t_i))**2 = v'Gv - 2 moment'v + constant`` exactly, for any v.

    Attributes
    ----------
    diagonal : array of shape (m,)
        Of the tridiagonal G.
    off_diagonal : array of shape (m - 1,)
        Of the tridiagonal G.
    moment : array of shape (m,)
        ``B'Wz``, B the hat functions at the index values.
    constant : float
        ``sum_i w_i z_i**2``.
    """

    diagonal: FloatArray
    off_diagonal: FloatArray
    moment: FloatArray
    constant: float


@dataclass(frozen=True)
class Compression:
    """A sample seen from knots: each observation lies between two of them.

    Attributes
    ----------
    knots : array of shape (m,)
        Strictly increasing.
    z, weight : arrays of shape (n,)
        Labels in [0, 1] and frequency weights.
    segment : array of shape (n,) of int
        Number k of the left one of the two knots, at most m - 2.
    left : array of shape (n,)
        Share of the left knot, ``(knots[k + 1] - t) / (knots[k + 1] - knots[k])``, in [0, 1].
    inside : array of shape (n,) of bool
        Whether t lies between the end knots. Observations beyond belong wholly to the end knot, and
        moving them changes nothing.
    """

    knots: FloatArray
    z: FloatArray
    weight: FloatArray
    segment: IntArray
    left: FloatArray
    inside: AnyArray

    def _spread(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Sums over the observations: `left` goes to the left knot, `right` to the right one."""
        total = self._sum(left)
        total[1:] += self._sum(right)[:-1]
        return total

    def _hats(self, mass: FloatArray) -> FloatArray:
        """``B'm``: every observation's mass, divided between its two knots."""
        at_left = self._sum(mass * self.left)
        at_right = self._sum(mass) - at_left
        at_left[1:] += at_right[:-1]
        return at_left

    def _sum(self, shares: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(self.segment, shares, self.knots.size), dtype=np.float64)

    @cached_property
    def counts(self) -> tuple[FloatArray, FloatArray]:
        """Binned weights of wins and of losses, each of shape (m,), for the log loss.

        An observation is divided between its two knots by linear weights. The log loss *of the
        binned data* is an upper bound of that of the interpolated link; its gradient is
        `log_gradient`.
        """
        mass, wins = self._hats(self.weight), self._hats(self.weight * self.z)
        return wins, mass - wins

    @cached_property
    def gram(self) -> Gram:
        """The squared loss as a quadratic in the values at the knots; exact."""
        right = 1 - self.left
        mass_left, mass_right = self.weight * self.left, self.weight * right
        return Gram(
            self._spread(mass_left * self.left, mass_right * right),
            self._sum(mass_left * right)[:-1],
            self._spread(mass_left * self.z, mass_right * self.z),
            float(np.dot(self.weight, self.z**2)),
        )

    def probability(self, values: FloatArray) -> FloatArray:
        """Interpolated link at the observations, shape (n,)."""
        right_values = values[np.minimum(self.segment + 1, values.size - 1)]
        return np.asarray(self.left * values[self.segment] + (1 - self.left) * right_values)

    def slope(self, values: FloatArray) -> FloatArray:
        """Slope of the interpolated link at the observations, shape (n,); 0 beyond the knots."""
        return self._at_observations(np.diff(values))

    def log_gradient(self, values: FloatArray) -> FloatArray:
        """Derivative in t of the log loss of the binned data, shape (n,), :eq:`binned-gradient`.

        ``w_i (l_{k+1} - l_k) / (knots[k+1] - knots[k])`` with l the losses of the label at the two
        knots. Not divided by the sum of the weights.
        """
        return self.binned_gradient(-np.log(values), -np.log1p(-values))

    def binned_gradient(self, if_won: FloatArray, if_lost: FloatArray) -> FloatArray:
        """The same for losses at the knots, each of shape (m,), of a win and of a loss of option 1."""
        win, loss = self._at_observations(np.diff(if_won)), self._at_observations(np.diff(if_lost))
        return np.asarray(self.weight * (loss + self.z * (win - loss)))

    def squared_gradient(self, values: FloatArray) -> FloatArray:
        """Derivative in t of the squared loss, ``2 w (Psi(t) - z) Psi'(t)``, shape (n,)."""
        return np.asarray(2 * self.weight * (self.probability(values) - self.z) * self.slope(values))

    def _at_observations(self, rise: FloatArray) -> FloatArray:
        if rise.size == 0:
            return np.zeros(self.segment.shape)
        return np.where(self.inside, (rise / np.diff(self.knots))[self.segment], 0.0)


def compress(t: FloatArray, z: FloatArray, weight: FloatArray, knots: FloatArray) -> Compression:
    """Divide every observation between the two knots around it by linear (hat-function) weights.

    Parameters
    ----------
    t : array of shape (n,)
        Index values; for an antisymmetric link those of the folded sample, ``|t|``.
    z : array of shape (n,)
        Labels in [0, 1]; for an antisymmetric link turned round where t was negative.
    weight : array of shape (n,)
        Frequency weights.
    knots : array of shape (m,)
        Strictly increasing.

    Returns
    -------
    Compression
    """
    if knots.size == 1:
        nothing = np.zeros(t.size, dtype=bool)
        return Compression(knots, z, weight, np.zeros(t.size, dtype=np.intp), np.ones(t.size), nothing)
    segment = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, knots.size - 2)
    left = np.clip((knots[segment + 1] - t) / np.diff(knots)[segment], 0.0, 1.0)
    inside = (t >= knots[0]) & (t <= knots[-1])
    return Compression(knots, z, weight, segment, left, inside)


def place_knots(t: FloatArray, weight: FloatArray, n_knots: int, *, antisymmetric: bool) -> FloatArray:
    """Knots for a sample: its distinct index values if these are few, else weighted quantiles of them.

    Parameters
    ----------
    t : array of shape (n,)
        Index values.
    weight : array of shape (n,)
        Frequency weights; observations without weight do not count.
    n_knots : int
        Largest number of knots, ends included; ties may leave fewer.
    antisymmetric : bool
        Whether to return the nonnegative half: 0 and values of ``|t|``.

    Returns
    -------
    array of shape (m,)
        Strictly increasing, m <= n_knots. Quantiles are values of the sample, so that repeating a
        row and doubling its weight are the same.
    """
    t, weight = t[weight > 0], weight[weight > 0]
    if antisymmetric:
        t = np.abs(t)
    distinct = np.unique(t)
    room = n_knots - 1 if antisymmetric and distinct[0] > 0 else n_knots
    if distinct.size > room:
        levels = np.linspace(0.0, 1.0, room)
        distinct = np.unique(np.quantile(t, levels, method="inverted_cdf", weights=weight))
    return np.union1d([0.0], distinct) if antisymmetric else distinct
