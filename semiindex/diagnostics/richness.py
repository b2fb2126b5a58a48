"""`index_complexity`: how rich the class of indices of a fit is for its comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex._types import FloatArray
from semiindex.data import PreferencePairs
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.complexity import (
    critical_radius,
    effective_dimension,
    linear_supremum,
    local_complexity,
    sign_complexity,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import Design
from semiindex.policy.base import PreferencePolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IndexComplexity", "index_complexity"]

#: Comparisons per effective parameter below which the class is called rich for the sample.
_FEW_PER_PARAMETER = 10


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
        Root mean square below which differences of indices are of the size of what chance does, for indices
        of unit root mean square in the fit.
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
            f"{self.per_parameter:,.0f} comparisons for each. With these {self.n_comparisons:,.0f} "
            f"comparisons differences between indices below about {self.critical_radius:.2g} of their own "
            "size (root mean square) are of the size of what chance does to a fit."
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
    model.decision_function(X)  # refuses, in its own words, what a prediction would refuse
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
