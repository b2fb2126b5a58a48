"""How well the comparisons determine the direction of the index, given its order.

Comparisons of nearly equal index are put together in blocks. What the features vary within blocks is
what the index does not say of them, and what the labels vary with it there shows a wrong direction. The
numbers are sums over the sample at hand and no estimates: :eq:`angle-bound` holds for them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import eigh, null_space

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.direction_theorem import direction_bound

__all__ = ["AngleBound", "Coordinates", "Determinacy", "TangentSample", "coordinates_of"]

#: Shares of the comparisons tried as the central ones.
_SHARES = np.arange(0.05, 1.001, 0.05)
#: Thresholds of "known to be within this angle already" are powers of this, for its sine: they must be
#: chosen beforehand, and every one used costs a little confidence.
_GRID = 0.95
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
    index_within : float
        What remains of the fitted index within blocks.
    moment : float
        Projection of the labels on the features orthogonal to the index, within blocks.
    product_within : float
        Size of the mean product of fitted index and label, within blocks.
    """

    limit: float
    share: float
    spread: float
    index_within: float
    moment: float
    product_within: float

    def sine(self, noise: float, slope: float, *, blocks: bool = True) -> float:
        """Bound on the sine of the angle between the indices, :eq:`angle-bound`, at most 1.

        Parameters
        ----------
        noise : float
            Of `direction_noise`.
        slope : float
            Least slope of the link up to `limit`.
        blocks : bool, default=True
            Whether to add what the index varies within blocks and what the fit has left in the labels;
            both vanish in large samples.
        """
        if not blocks:
            return direction_bound(noise, slope=slope, spread=self.spread)
        return direction_bound(
            noise,
            slope=slope,
            spread=self.spread,
            moment=self.moment,
            index_within=self.index_within,
            product_within=self.product_within,
        )


@dataclass(frozen=True)
class AngleBound:
    """A bound on the angle, and the central comparisons that gave it.

    Attributes
    ----------
    sine : float
        Bound on the sine.
    found : Determinacy
        Of these comparisons.
    noise : float
        Of the labels, for these comparisons.
    """

    sine: float
    found: Determinacy
    noise: float


@dataclass(frozen=True, eq=False)
class TangentSample:
    """A sample at a fitted direction: what bounds on the angle are computed from.

    Attributes
    ----------
    rows : array of shape (n, d - 1)
        Features orthogonal to the index, of unit second moment.
    t : array of shape (n,)
        Fitted index of unit root mean square.
    z : array of shape (n,)
        1 where option 1 was preferred.
    weight : array of shape (n,)
        Frequency weights.
    """

    rows: FloatArray
    t: FloatArray
    z: FloatArray
    weight: FloatArray

    @cached_property
    def _side(self) -> FloatArray:
        """Largest index of a direction orthogonal to the fitted one."""
        return np.asarray(np.linalg.norm(self.rows, axis=1))

    @cached_property
    def _cache(self) -> dict[tuple[float, float], Determinacy]:
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
        key = (limit, sine)
        if key not in self._cache:
            self._cache[key] = self._within(np.flatnonzero(self.reach(sine) <= limit * (1 + 1e-12)), limit)
        return self._cache[key]

    def angle(
        self, noise: Callable[[int], float], slope: float, limit: float, *, blocks: bool = True
    ) -> AngleBound:
        """Bound on the angle, used to find more central comparisons, until nothing is gained.

        Parameters
        ----------
        noise : callable
            Of `direction_noise`, by the number of the threshold.
        slope : float
            Least slope of the link up to `limit`.
        limit : float
            Largest size of the true index of a central comparison.
        blocks : bool, default=True
            As in `Determinacy.sine`.
        """
        best, step = AngleBound(1.0, self.determinacy(limit), noise(0)), 0
        while True:
            found, level = self.determinacy(limit, _GRID**step), noise(step)
            sine = found.sine(level, slope, blocks=blocks)
            if sine < best.sine:
                best = AngleBound(sine, found, level)
            reached = _threshold(best.sine)
            if reached == step:
                return best
            step = reached

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
            return Determinacy(limit, 0.0, 0.0, 0.0, 0.0, 0.0)
        central = central[np.argsort(self.t[central], kind="stable")]
        size = int(np.clip(np.cbrt(central.size), _SMALLEST_BLOCK, _LARGEST_BLOCK))
        block = np.arange(central.size) // size
        w = self.weight[central]
        values = np.column_stack([self.t[central], self.z[central], self.rows[central]])
        values = values - _means(values, w, block)[block]
        moments = values.T @ (w[:, None] * values) / total
        side, labels = moments[2:, 2:], moments[2:, 1]
        least = float(eigh(side, eigvals_only=True, subset_by_index=[0, 0])[0])
        explained = float(labels @ np.linalg.lstsq(side, labels, rcond=None)[0])
        return Determinacy(
            limit,
            float(np.sum(w)) / total,
            float(np.sqrt(max(least, 0.0))),
            float(np.sqrt(moments[0, 0])),
            float(np.sqrt(max(explained, 0.0))),
            float(abs(moments[0, 1])),
        )


def _threshold(sine: float) -> int:
    """Number of the smallest threshold that is at least `sine`."""
    return int(np.floor(np.log(max(sine, 1e-12)) / np.log(_GRID))) if sine < 1 else 0


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
