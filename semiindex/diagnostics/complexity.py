"""How rich a class of indices is: local Rademacher complexity, critical radius, effective dimension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex._types import FloatArray
from semiindex.data import PreferencePairs
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import Design
from semiindex.policy.base import PreferencePolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "IndexComplexity",
    "critical_radius",
    "effective_dimension",
    "index_complexity",
    "linear_supremum",
    "local_complexity",
    "sign_complexity",
]

#: Comparisons per effective parameter below which the class is called rich for the sample.
_FEW_PER_PARAMETER = 10
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

    The root mean square error below which the sample cannot tell indices of the class apart.

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


@dataclass(frozen=True, eq=False, repr=False)
class IndexComplexity(Diagnostic):
    """How rich the class of indices is for the sample.

    Attributes
    ----------
    eigenvalues : array of shape (k,)
        Of the Gram matrix of the comparisons over n, in descending order.
    n_comparisons : float
        Sum of the weights.
    radius : float
        Norm of the fitted parameters for a penalised index, infinity for one without a penalty.
    effective_dimension : float
        Directions that the ridge leaves free.
    critical_radius : float
        Root mean square below which the sample cannot tell indices apart, for indices of unit root
        mean square in the fit.
    formula, monte_carlo, monte_carlo_error : float
        Local complexity at the critical radius by formula and by signs, and the standard error of the
        latter.
    """

    eigenvalues: FloatArray
    n_comparisons: float
    radius: float
    effective_dimension: float
    critical_radius: float
    formula: float
    monte_carlo: float
    monte_carlo_error: float

    @property
    def title(self) -> str:
        """What was looked at."""
        return "Complexity of the class of indices"

    @property
    def per_parameter(self) -> float:
        """Comparisons per effective parameter."""
        return self.n_comparisons / max(self.effective_dimension, 1.0)

    @property
    def level(self) -> Level:
        """A note where there are fewer than 10 comparisons per effective parameter."""
        return "note" if self.per_parameter < _FEW_PER_PARAMETER else "fine"

    def reading(self) -> str:
        """What the class costs, in words."""
        text = (
            f"The class of indices has {self.effective_dimension:.3g} effective parameters, with "
            f"{self.per_parameter:,.0f} comparisons for each. Indices that differ by less than "
            f"{self.critical_radius:.2g} of their own size (root mean square) cannot be told apart with "
            f"these {self.n_comparisons:,.0f} comparisons, whatever the learner."
        )
        if self.level == "note":
            text += (
                " That is rich for the sample: the policy depends on the penalty as much as on the data. "
                "Use a larger ridge or fewer features, chosen by held-out loss, or collect more comparisons."
            )
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity."""
        import pandas as pd

        values = {
            "comparisons": self.n_comparisons,
            "parameters": float(self.eigenvalues.size),
            "effective dimension": self.effective_dimension,
            "critical radius": self.critical_radius,
            "local complexity there, formula": self.formula,
            "local complexity there, Monte Carlo": self.monte_carlo,
            "Monte Carlo / formula": self.monte_carlo / self.formula if self.formula else np.nan,
        }
        return pd.DataFrame({"value": values}).rename_axis("quantity")


def index_complexity(
    model: Any,
    X: Any,
    sample_weight: ArrayLike | None = None,
    *,
    n_signs: int = 100,
    random_state: int = 0,
) -> IndexComplexity:
    """Complexity of the class of indices of a fitted estimator on its comparisons.

    Parameters
    ----------
    model : fitted estimator
        With a linear or kernel index; a ridge bounds the norm at that of the fit.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Comparisons, or feature differences.
    sample_weight : array-like of shape (n,), optional
        Frequency weights; they multiply those of the pairs.
    n_signs : int, default=100
        Sign vectors of the Monte-Carlo check; at 100 its standard error is a few percent.
    random_state : int, default=0
        Seed of the signs.

    Returns
    -------
    IndexComplexity

    Raises
    ------
    InvalidDataError
        If no comparison varies.

    Notes
    -----
    Monte Carlo over formula lies between 0.68 and 1 for linear classes of bounded norm and five
    effective parameters or more: the formula replaces the intersection of two ellipsoids by one around
    it, and a mean of norms by the root of a mean of squares. With k free directions and no bound on the
    norm the ratio is known, ``E chi_k / sqrt(2 k)``: 0.56 for one, 0.65 for three, up to 0.71.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, index_complexity
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))
    >>> result = index_complexity(ProfiledLinkPolicy().fit(X, y), X)
    >>> round(result.effective_dimension), round(result.critical_radius, 2)
    (3, 0.11)
    """
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(f"model must be a fitted estimator, got {type(model).__name__}")
    check_is_fitted(model)
    weight = _read_weight(X, sample_weight)
    pairs = X if isinstance(X, PreferencePairs) or hasattr(X, "tocsr") else np.asarray(X, dtype=np.float64)
    used = np.flatnonzero(weight > 0)
    rows = _design_rows(model.index_.design(pairs))[used]
    theta = np.asarray(model.coef_, dtype=np.float64)
    scale = float(np.sqrt(np.average((rows @ theta) ** 2, weights=weight[used])))
    total = float(weight.sum())
    rows = rows * np.sqrt(weight[used] * used.size / total)[:, None]
    mu = np.linalg.eigvalsh(rows.T @ rows / used.size)[::-1]
    mu = np.maximum(mu, 0.0)
    if not (mu[0] > 0 and scale > 0):
        raise InvalidDataError(
            "X: no comparison varies in the features, so that there is no class to measure"
        )
    radius = float(np.linalg.norm(theta)) / scale if model.ridge > 0 else np.inf
    mu = np.where(mu > mu[0] * 1e-12, mu, 0.0)
    delta = critical_radius(mu, total, radius=radius)
    monte_carlo, error = sign_complexity(
        linear_supremum(rows, delta, radius=radius), used.size, n_signs=n_signs, random_state=random_state
    )
    shrink = np.sqrt(used.size / total)  # a weight of two is two signs, which average
    curvature = 4.0  # of the log loss: a probability of 1/2 has a variance of 1/4
    return IndexComplexity(
        eigenvalues=mu,
        n_comparisons=total,
        radius=radius,
        effective_dimension=effective_dimension(mu, curvature * model.ridge),
        critical_radius=delta,
        formula=local_complexity(mu, total, delta, radius=radius),
        monte_carlo=monte_carlo * shrink,
        monte_carlo_error=error * shrink,
    )


def _design_rows(design: Design) -> FloatArray:
    """Rows of a design as a dense matrix, by its products with unit vectors."""
    return np.column_stack([design.matvec(unit) for unit in np.eye(design.n_parameters)])


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


def _read_weight(X: Any, sample_weight: ArrayLike | None) -> FloatArray:
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    weight = np.ones(n_rows)
    if isinstance(X, PreferencePairs) and X.weights is not None:
        weight = np.array(X.weights, dtype=np.float64)
    if sample_weight is not None:
        weight = weight * np.asarray(sample_weight, dtype=np.float64)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise InvalidDataError("sample_weight must be finite, at least 0, and positive somewhere")
    return weight


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise InvalidParameterError(f"{name} must be positive, got {value!r}")
