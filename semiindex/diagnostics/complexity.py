"""Complexity of classes of indices: local Rademacher complexity, critical radius, effective dimension."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = [
    "critical_radius",
    "effective_dimension",
    "linear_supremum",
    "local_complexity",
    "sign_complexity",
]

#: Steps of the golden section in the dual of `linear_supremum`.
_DUAL_STEPS = 60


def local_complexity(eigenvalues: ArrayLike, n: float, delta: float, *, radius: float = np.inf) -> float:
    r"""Local Rademacher complexity of a linear or kernel class, by formula.

    ``sqrt((2 / n) sum_j min(delta^2, mu_j radius^2))``, :eq:`local-complexity`: an upper bound on how
    well an index of norm at most `radius` and root mean square at most `delta` can follow random signs.

    Parameters
    ----------
    eigenvalues : array-like of shape (k,)
        mu, eigenvalues of the Gram matrix of the comparisons divided by n (those of
        ``D'D / n`` are the same, but for zeros).
    n : float
        Number of comparisons.
    delta : float
        Root mean square.
    radius : float, default=inf
        Largest norm of the parameters; without a bound every direction counts delta^2.

    Returns
    -------
    float

    References
    ----------
    Mendelson 2002; Bartlett, Bousquet & Mendelson 2005.

    Examples
    --------
    >>> from semiindex import local_complexity
    >>> local_complexity([1.0, 1.0], 100, 0.5)
    0.1
    """
    mu = _read_eigenvalues(eigenvalues)
    _require_positive(n=n, delta=delta, radius=radius)
    return float(np.sqrt(2 / n * np.sum(np.minimum(delta**2, mu[mu > 0] * radius**2))))


def critical_radius(eigenvalues: ArrayLike, n: float, *, radius: float = np.inf, scale: float = 1.0) -> float:
    r"""Smallest delta at which the local complexity is at most ``delta^2 / scale``, :eq:`critical-radius`.

    The root mean square below which differences of indices are of the size of what chance does to a fit.

    Parameters
    ----------
    eigenvalues : array-like of shape (k,)
        As in `local_complexity`.
    n : float
        Number of comparisons.
    radius : float, default=inf
        Largest norm of the parameters.
    scale : float, default=1.0
        b, the bound on the functions of the class in the theory of local complexity.

    Returns
    -------
    float
        0 if all eigenvalues are 0.

    Notes
    -----
    Local complexity over delta falls in delta, so that there is one crossing. Between two
    consecutive values of ``sqrt(mu) radius`` the condition is a quadratic in ``delta^2``, and the root is
    found exactly.

    References
    ----------
    Bartlett, Bousquet & Mendelson 2005.

    Examples
    --------
    Without a bound on the norm it is ``scale * sqrt(2 k / n)``:

    >>> from semiindex import critical_radius
    >>> round(critical_radius([1.0, 1.0], 100), 3)
    0.2
    """
    mu = np.sort(_read_eigenvalues(eigenvalues))[::-1]
    _require_positive(n=n, radius=radius, scale=scale)
    mu = mu[mu > 0]
    count = np.arange(mu.size + 1)
    factor = 2 * scale**2 / n
    if np.isinf(radius):
        return float(np.sqrt(factor * mu.size))
    caps = mu * radius**2
    tails = np.append(np.cumsum(caps[::-1])[::-1], 0.0)
    # Where k directions count delta^2 and the others their cap, delta^4 = factor (k delta^2 + tail).
    roots = (factor * count + np.sqrt((factor * count) ** 2 + 4 * factor * tails)) / 2
    below, above = np.append(caps, 0.0), np.append(np.inf, caps)
    return float(np.sqrt(roots[np.argmin(np.maximum(below - roots, roots - above))]))


def effective_dimension(eigenvalues: ArrayLike, ridge: float) -> float:
    """Number of directions that a ridge leaves free, ``sum_j mu_j / (mu_j + ridge)``.

    Parameters
    ----------
    eigenvalues : array-like of shape (k,)
        As in `local_complexity`.
    ridge : float
        Penalty in units of the eigenvalues; 0 counts the positive ones.

    Returns
    -------
    float

    Examples
    --------
    >>> from semiindex import effective_dimension
    >>> effective_dimension([3.0, 1.0, 0.0], ridge=1.0)
    1.25
    """
    mu = _read_eigenvalues(eigenvalues)
    if not ridge >= 0:
        raise InvalidParameterError(f"ridge must be at least 0, got {ridge!r}")
    mu = mu[mu > 0]
    return float(np.sum(mu / (mu + ridge)))


def sign_complexity(
    supremum: Callable[[FloatArray], float], n: int, *, n_signs: int = 200, random_state: int = 0
) -> tuple[float, float]:
    """Rademacher complexity of any class by Monte Carlo over sign vectors.

    Parameters
    ----------
    supremum : callable
        Maps a vector of n signs (+1, -1) to the largest ``mean(signs * f)`` over the functions f of
        the class at the n comparisons.
    n : int
        Number of comparisons.
    n_signs : int, default=200
        Number of sign vectors; the standard error falls with its root.
    random_state : int, default=0
        Seed of the signs.

    Returns
    -------
    value : float
        Mean of the suprema.
    error : float
        Its Monte-Carlo standard error.

    Notes
    -----
    If `supremum` searches a class that is not convex (a neural index) and stops at a local maximum, the
    result is a lower estimate, and must not be used in a bound.

    Examples
    --------
    A class of a single function and its negative:

    >>> import numpy as np
    >>> from semiindex import sign_complexity
    >>> value, error = sign_complexity(lambda signs: abs(signs.mean()), 100, n_signs=2000)
    >>> bool(abs(value - np.sqrt(2 / np.pi / 100)) < 3 * error)
    True
    """
    if not (n >= 1 and n_signs >= 2):
        raise InvalidParameterError(f"n must be at least 1 and n_signs at least 2, got {n!r}, {n_signs!r}")
    rng = np.random.default_rng(random_state)
    values = np.array([supremum(rng.integers(0, 2, n) * 2.0 - 1.0) for _ in range(n_signs)])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n_signs))


def linear_supremum(
    rows: FloatArray, delta: float, *, radius: float = np.inf
) -> Callable[[FloatArray], float]:
    r"""Supremum over linear indices of bounded norm and root mean square, for `sign_complexity`.

    The largest ``mean(signs * rows @ theta)`` subject to ``|theta| <= radius`` and root mean square of
    ``rows @ theta`` at most `delta`: a linear function on the intersection of two ellipsoids, solved
    exactly by its dual, ``min over lambda in [0, 1]`` of the dual norm under the mixture of both.

    Parameters
    ----------
    rows : array of shape (n, k)
        Feature differences, or the features of a kernel index.
    delta : float
        Root mean square.
    radius : float, default=inf
        Largest norm of the parameters.

    Returns
    -------
    callable
        Maps signs, shape (n,), to the supremum.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import linear_supremum
    >>> supremum = linear_supremum(np.ones((4, 1)), 0.5)
    >>> supremum(np.array([1.0, 1.0, 1.0, -1.0]))
    0.25
    """
    _require_positive(delta=delta, radius=radius)
    mu, vectors = np.linalg.eigh(rows.T @ rows / rows.shape[0])
    kept = mu > mu[-1] * 1e-12
    mu, projected = mu[kept], rows @ vectors[:, kept]

    def supremum(signs: FloatArray) -> float:
        pull = (signs @ projected / rows.shape[0]) ** 2

        def dual(share: float) -> float:
            return float(np.sum(pull / (share * mu / delta**2 + (1 - share) / radius**2)))

        if not np.isfinite(radius):
            return float(np.sqrt(dual(1.0)))
        return float(np.sqrt(_golden_minimum(dual)))

    return supremum


def _golden_minimum(function: Callable[[float], float]) -> float:
    """Least value of a convex function on [0, 1]."""
    golden = (np.sqrt(5) - 1) / 2
    low, high = 0.0, 1.0
    for _ in range(_DUAL_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if function(left) < function(right) else (left, high)
    return min(function((low + high) / 2), function(0.0), function(1.0))


def _read_eigenvalues(eigenvalues: ArrayLike) -> FloatArray:
    mu = np.asarray(eigenvalues, dtype=np.float64)
    if mu.ndim != 1 or mu.size == 0 or not (np.isfinite(mu).all() and (mu >= 0).all()):
        raise InvalidParameterError("eigenvalues must be a vector of finite numbers that are at least 0")
    return mu


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise InvalidParameterError(f"{name} must be positive, got {value!r}")
