"""How well the comparisons determine the direction of the index, given its order.

Comparisons of nearly equal index are put together in blocks. What the features vary within blocks is
what the index does not say of them: only through it can a wrong direction show. The numbers here are
sums over the sample at hand and no estimates: the inequality :eq:`angle-bound` holds for them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, null_space

from semiindex._types import FloatArray, IntArray

__all__ = ["Coordinates", "Determinacy", "coordinates_of", "determinacy", "widest_determinacy"]

#: Shares of the comparisons tried as the central ones.
_SHARES = np.arange(0.05, 1.001, 0.05)
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
        Comparisons whose norm in the metric of the sample is at most this are the central ones: their
        index is at most this under every direction of unit root mean square.
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


def determinacy(
    differences: FloatArray,
    weight: FloatArray,
    t: FloatArray,
    probability: FloatArray,
    coordinates: Coordinates,
    limit: float,
) -> Determinacy:
    """Spread of the features within blocks of equal index, among the central comparisons.

    Parameters
    ----------
    differences : array of shape (n, d)
        Feature differences.
    weight : array of shape (n,)
        Frequency weights.
    t, probability : arrays of shape (n,)
        Fitted index of unit root mean square, and fitted probabilities.
    coordinates : Coordinates
        At the fitted direction.
    limit : float
        Largest norm of a central comparison.
    """
    norm = np.linalg.norm(differences @ coordinates.whitening, axis=1)
    return _within(differences @ coordinates.tangent, weight, t, probability, norm, limit)


def widest_determinacy(
    differences: FloatArray,
    weight: FloatArray,
    t: FloatArray,
    probability: FloatArray,
    coordinates: Coordinates,
    slope: Callable[[float], float],
) -> Determinacy:
    """The central comparisons that determine the direction best, for a link that flattens outwards.

    Parameters
    ----------
    differences, weight, t, probability, coordinates
        As for `determinacy`.
    slope : callable
        Least slope of the link on ``[-limit, limit]``.
    """
    norm = np.linalg.norm(differences @ coordinates.whitening, axis=1)
    rows = differences @ coordinates.tangent
    found = [
        _within(rows, weight, t, probability, norm, float(limit))
        for limit in np.unique(np.quantile(norm, _SHARES))
    ]
    return max(found, key=lambda one: one.spread * slope(one.limit))


def _within(
    rows: FloatArray,
    weight: FloatArray,
    t: FloatArray,
    probability: FloatArray,
    norm: FloatArray,
    limit: float,
) -> Determinacy:
    total = float(np.sum(weight))
    central = np.flatnonzero(norm <= limit * (1 + 1e-12))
    central = central[np.argsort(t[central], kind="stable")]
    size = int(np.clip(np.cbrt(central.size), _SMALLEST_BLOCK, _LARGEST_BLOCK))
    block = np.arange(central.size) // size
    w = weight[central]
    values = np.column_stack([t[central], probability[central], rows[central]])
    values = values - _means(values, w, block)[block]
    moments = values.T @ (w[:, None] * values) / total
    spread = eigh(moments[2:, 2:], eigvals_only=True, subset_by_index=[0, 0])[0] if rows.shape[1] else 1.0
    return Determinacy(
        limit,
        float(np.sum(w)) / total,
        float(np.sqrt(max(spread, 0.0))),
        float(np.sqrt(moments[0, 0])),
        float(np.sqrt(moments[1, 1])),
    )


def _means(values: FloatArray, weight: FloatArray, block: IntArray) -> FloatArray:
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    sums = np.add.reduceat(weight[:, None] * values, starts, axis=0)
    return np.asarray(sums / np.add.reduceat(weight, starts)[:, None])
