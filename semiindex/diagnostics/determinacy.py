"""How well the comparisons determine the direction of the index, given its order.

Comparisons of nearly equal index are put together in blocks. What the features vary within blocks is
what the index does not say of them: only through it can a wrong direction show. The numbers here are
sums over the sample at hand and no estimates: the inequality :eq:`angle-bound` holds for them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import eigh, null_space

from semiindex._types import FloatArray, IntArray

__all__ = ["AngleBound", "Coordinates", "Determinacy", "TangentSample", "coordinates_of"]

#: Shares of the comparisons tried as the central ones.
_SHARES = np.arange(0.05, 1.001, 0.05)
#: Steps after which the bound on the angle is taken as it is; it only falls.
_STEPS = 100
#: Relative step at which it counts as settled.
_SETTLED = 1e-4
#: Bounds of the number of comparisons in a block, which is the cube root of their number.
_SMALLEST_BLOCK, _LARGEST_BLOCK = 2, 50


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Features in coordinates in which the sample's second moment is the identity.

    Attributes
    ----------
    whitening : array of shape (d, d)
        ``Sigma^{-1/2}``.
    tangent : array of shape (d, d - 1)
        From features to the coordinates orthogonal to the index.
    """

    whitening: FloatArray
    tangent: FloatArray


@dataclass(frozen=True)
class Determinacy:
    """How well a direction is determined by central comparisons; all are root mean squares over the sample.

    Attributes
    ----------
    limit : float
        The true index of central comparisons is at most this in size, in units of its root mean square.
    share : float
        Share of the comparisons that are central.
    spread : float
        Least root mean square, within blocks of equal index, of a direction orthogonal to the index.
    index_within, probability_within : float
        What remains of the fitted index and of the fitted probability within blocks.
    """

    limit: float
    share: float
    spread: float
    index_within: float
    probability_within: float

    def sine(self, error: float, slope: float, *, blocks: bool = True) -> float:
        """Bound on the sine of the angle between the indices, :eq:`angle-bound`, at most 1.

        Parameters
        ----------
        error : float
            Root mean square error of the probabilities.
        slope : float
            Least slope of the link up to `limit`.
        blocks : bool, default=True
            Whether to add what varies within blocks; it vanishes in large samples.
        """
        if not (slope > 0 and self.spread > 0):
            return 1.0
        within = (self.probability_within / slope + self.index_within) if blocks else 0.0
        return min(1.0, (error / slope + within) / self.spread)


@dataclass(frozen=True)
class AngleBound:
    """A bound on the angle, and the central comparisons that gave it.

    Attributes
    ----------
    sine : float
        Bound on the sine.
    found : Determinacy
        Of the last set of central comparisons.
    """

    sine: float
    found: Determinacy


@dataclass(frozen=True, eq=False)
class TangentSample:
    """A sample at a fitted direction: what bounds on the angle are computed from.

    Attributes
    ----------
    rows : array of shape (n, d - 1)
        Features orthogonal to the index, of unit second moment.
    t : array of shape (n,)
        Fitted index of unit root mean square.
    probability : array of shape (n,)
        Fitted probabilities.
    weight : array of shape (n,)
        Frequency weights.
    """

    rows: FloatArray
    t: FloatArray
    probability: FloatArray
    weight: FloatArray

    @cached_property
    def _side(self) -> FloatArray:
        """Largest index of a direction orthogonal to the fitted one."""
        return np.asarray(np.linalg.norm(self.rows, axis=1))

    @cached_property
    def _cache(self) -> dict[tuple[float, int], Determinacy]:
        """Determinacy of the sets of central comparisons that have been looked at."""
        return {}

    def reach(self, sine: float) -> FloatArray:
        """Largest size of the true index if the angle's sine is at most `sine`, shape (n,)."""
        cosine = np.sqrt(1 - sine**2)
        size = np.abs(self.t)
        inside = self._side * cosine <= size * sine  # the worst direction is within the angle
        return np.where(inside, np.hypot(size, self._side), size * cosine + self._side * sine)

    def determinacy(self, limit: float, sine: float = 1.0) -> Determinacy:
        """Spread of the features within blocks of equal index, among the central comparisons.

        Parameters
        ----------
        limit : float
            Largest size of the true index of a central comparison.
        sine : float, default=1.0
            Bound on the sine of the angle that is known already.
        """
        central = np.flatnonzero(self.reach(sine) <= limit * (1 + 1e-12))
        key = (limit, central.size)  # the sets are nested in the sine
        if key not in self._cache:
            self._cache[key] = self._within(central, limit)
        return self._cache[key]

    def angle(self, error: float, slope: float, limit: float, *, blocks: bool = True) -> AngleBound:
        """Bound on the angle, used to find more central comparisons, until nothing is gained.

        Parameters
        ----------
        error : float
            Root mean square error of the probabilities.
        slope : float
            Least slope of the link up to `limit`.
        limit : float
            Largest size of the true index of a central comparison.
        blocks : bool, default=True
            Whether to add what varies within blocks.
        """
        sine, found = 1.0, self.determinacy(limit)
        for _ in range(_STEPS):
            found = self.determinacy(limit, sine)
            lower = min(sine, found.sine(error, slope, blocks=blocks))
            if lower > (1 - _SETTLED) * sine:
                break
            sine = lower
        return AngleBound(sine, found)

    def widest(self, slope: Callable[[float], float]) -> float:
        """Limit at which the direction is determined best, for a link that flattens outwards.

        Parameters
        ----------
        slope : callable
            Least slope of the link up to a limit.
        """
        limits = np.unique(np.quantile(self.reach(1.0), _SHARES))
        return float(
            max(limits, key=lambda limit: self.determinacy(float(limit)).spread * slope(float(limit)))
        )

    def _within(self, central: IntArray, limit: float) -> Determinacy:
        total = float(np.sum(self.weight))
        if central.size == 0:
            return Determinacy(limit, 0.0, 0.0, 0.0, 0.0)
        central = central[np.argsort(self.t[central], kind="stable")]
        size = int(np.clip(np.cbrt(central.size), _SMALLEST_BLOCK, _LARGEST_BLOCK))
        block = np.arange(central.size) // size
        w = self.weight[central]
        values = np.column_stack([self.t[central], self.probability[central], self.rows[central]])
        values = values - _means(values, w, block)[block]
        moments = values.T @ (w[:, None] * values) / total
        least = float(eigh(moments[2:, 2:], eigvals_only=True, subset_by_index=[0, 0])[0])
        return Determinacy(
            limit,
            float(np.sum(w)) / total,
            float(np.sqrt(max(least, 0.0))),
            float(np.sqrt(moments[0, 0])),
            float(np.sqrt(moments[1, 1])),
        )


def coordinates_of(differences: FloatArray, weight: FloatArray, theta: FloatArray) -> Coordinates:
    """Whitened and tangent coordinates of a sample at a direction.

    Parameters
    ----------
    differences : array of shape (n, d)
        Feature differences of full rank.
    weight : array of shape (n,)
        Frequency weights.
    theta : array of shape (d,)
        Direction of the index.
    """
    sigma = differences.T @ (weight[:, None] * differences) / np.sum(weight)
    values, vectors = eigh(sigma)
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    direction = (vectors * np.sqrt(values)) @ vectors.T @ theta
    return Coordinates(whitening, whitening @ null_space(direction[None, :] / np.linalg.norm(direction)))


def _means(values: FloatArray, weight: FloatArray, block: IntArray) -> FloatArray:
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    sums = np.add.reduceat(weight[:, None] * values, starts, axis=0)
    return np.asarray(sums / np.add.reduceat(weight, starts)[:, None])
