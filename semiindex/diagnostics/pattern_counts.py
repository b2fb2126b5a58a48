"""How many patterns a class of linear indices makes, and what union bounds over indices pay for them.

Counts are given as logarithms; those of indices are of cells of arrangements of hyperplanes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import betaln, gammaln

from semiindex.exceptions import InvalidParameterError

__all__ = [
    "log_binomial",
    "log_central_orderings",
    "log_half_space_patterns",
    "log_monotone_sequences",
    "log_orderings",
    "require_confidence",
    "require_counts",
    "union_deviation",
]


def log_half_space_patterns(n: float, dimension: int) -> float:
    """Logarithm of the largest number of ways in which half-spaces through 0 split n points.

    ``2 sum_{k < dimension} C(n - 1, k)``, and never more than ``2^n`` (Cover 1965). Half-spaces with
    a threshold in d dimensions are half-spaces through 0 in d + 1.

    Parameters
    ----------
    n : float
        Number of points.
    dimension : int
        Dimension of the space.

    Returns
    -------
    float

    Examples
    --------
    >>> from math import exp
    >>> from semiindex.diagnostics import log_half_space_patterns
    >>> round(exp(log_half_space_patterns(4, 2)))
    8
    """
    require_counts(n, dimension)
    k = np.arange(min(dimension, int(min(n, 1e9))))
    terms = log_binomial(n - 1, k)
    largest = float(terms.max())
    total = largest + math.log(float(np.sum(np.exp(terms - largest))))
    return min(math.log(2) + total, n * math.log(2))


def log_orderings(n: float, d: int) -> float:
    """Logarithm of a bound on the number of orders in which linear indices arrange n points.

    An order is a cell of the arrangement of the ``n (n - 1) / 2`` hyperplanes on which two points
    tie, and hyperplanes through 0 have no more cells than :func:`log_half_space_patterns` says.

    Parameters
    ----------
    n : float
        Number of points.
    d : int
        Number of features.

    Returns
    -------
    float
    """
    require_counts(n, d)
    if n < 2:
        return 0.0
    return min(log_half_space_patterns(n * (n - 1) / 2, d), float(gammaln(n + 1)))


def log_central_orderings(n: float, d: int) -> float:
    """Logarithm of a bound on the orders of those points whose index is small, over unit linear indices.

    Which of n points have an index below given thresholds in size, and in which order these
    stand, ties included, changes on ``n (n - 1) / 2`` hyperplanes on which two points tie and on ``2 n``
    on which an index reaches its threshold. Every hyperplane counts twice, so that a cell stands for
    what happens on it. They need not go through 0, but directions of a fixed length are a sphere, which
    hyperplanes cut into no more cells than if they did: see :func:`log_half_space_patterns`.

    Parameters
    ----------
    n : float
        Number of points.
    d : int
        Number of features.

    Returns
    -------
    float
    """
    return log_half_space_patterns(n * (n + 3), d)


def log_monotone_sequences(n: float, levels: Any) -> Any:
    """Logarithm of the number of nondecreasing sequences of n values on a grid of `levels`."""
    return log_binomial(n + levels - 1, levels - 1)


def log_binomial(n: float, k: Any) -> Any:
    """Logarithm of ``C(n, k)``; by the beta function, since differences of `gammaln` cancel for large n."""
    return -betaln(n - k + 1, k + 1) - np.log(n + 1)


def require_counts(n: float, d: int) -> None:
    """Refuse numbers of points and features that are none."""
    if not (n >= 1 and d >= 1):
        raise InvalidParameterError(f"n and the number of features must be at least 1, got {n!r} and {d!r}")


def require_confidence(confidence: float) -> None:
    """Refuse levels that are none."""
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence must lie between 0 and 1, such as 0.9, got {confidence!r}")


def union_deviation(n: float, log_count: Any, delta: Any) -> Any:
    """What the noise of n labels times a vector of unit mean square exceeds for none of that many vectors.

    But for a probability of `delta`, by Hoeffding's inequality for every one of them.
    """
    return np.sqrt((log_count - np.log(delta)) / (2 * n))
