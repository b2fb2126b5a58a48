"""`Inference`: coefficients with their uncertainty, as a frozen value that prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm, t

from semiindex._types import AnyArray, FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.covariance import CovarianceEstimate
from semiindex.inference.hypotheses import WaldTest, linear_hypothesis, wald
from semiindex.inference.ratio import Ratio, ratio_of
from semiindex.inference.rendering import as_html, as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Inference"]


@dataclass(frozen=True, eq=False, repr=False)
class Inference:
    """Coefficients of a linear index, their covariance, and what the intervals cover.

    Made by `infer`. Prints as a table in the manner of statsmodels, in a notebook as HTML.

    Parameters
    ----------
    estimator : str
        Name of the estimator.
    link : str
        The link in words.
    names : tuple of str
        Parameters: the features, and ``(position)`` where a known link has a free shift.
    coefficients : array of shape (k,)
        Estimates under the normalisation.
    estimate : CovarianceEstimate
        Covariance and how it was estimated.
    level : float
        Confidence level of the intervals.
    rule : {"rms", "norm"}, str, int or None
        The normalisation as the estimator's parameter names it.
    normalization : str
        The normalisation in words.
    covers : str
        What the intervals cover, in words.
    n_comparisons : float
        Sum of the weights.
    n_effective : float
        Independent observations that say something on the coefficients: rows of one unit count once,
        comparisons of an option with itself not at all.
    log_likelihood : float
        Log likelihood of the labels under the fitted probabilities.
    auc : float
        Area under the ROC curve of the index, that of the sample with its mirror image for an
        antisymmetric model.
    notes : tuple of str
        What should be known about the fit and the covariance.
    percentile_intervals : array of shape (k, 2), optional
        Intervals from the quantiles of bootstrap draws; without them they are estimate plus and minus
        a multiple of the standard error.
    draws : array of shape (n_draws, k), optional
        Bootstrap draws of the normalised estimates.

    Attributes
    ----------
    standard_errors, z, p_values : arrays of shape (k,)
        0 and NaN for a coefficient that the normalisation fixes. The p-values are those of
        "coefficient = 0", two-sided.
    intervals : array of shape (k, 2)
        Lower and upper ends.
    covariance : array of shape (k, k)
        Covariance of the estimates, singular along what the normalisation fixes.

    See Also
    --------
    infer : Computes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, infer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -2.0]))
    >>> result = infer(KnownLinkPolicy().fit(X, y), X, y)
    >>> result.to_frame().round(2)
             coefficient  standard_error      z  p_value  lower  upper
    feature
    x0              0.89            0.12   7.24      0.0   0.65   1.13
    x1             -2.04            0.18 -11.15      0.0  -2.40  -1.68
    """

    estimator: str
    link: str
    names: tuple[str, ...]
    coefficients: FloatArray
    estimate: CovarianceEstimate
    level: float
    rule: str | int | None
    normalization: str
    covers: str
    n_comparisons: float
    n_effective: float
    log_likelihood: float
    auc: float
    notes: tuple[str, ...] = ()
    percentile_intervals: FloatArray | None = None
    draws: FloatArray | None = None

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the estimates, shape (k, k)."""
        return self.estimate.matrix

    @cached_property
    def fixed(self) -> AnyArray:
        """Which coefficients the normalisation fixes, shape (k,) of bool."""
        scale = np.abs(self.coefficients)
        return np.asarray(np.diag(self.covariance) <= (1e-12 * scale) ** 2)

    @cached_property
    def standard_errors(self) -> FloatArray:
        """Square roots of the variances, 0 where the coefficient is fixed."""
        return np.where(self.fixed, 0.0, np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    @cached_property
    def z(self) -> FloatArray:
        """Estimate over standard error, NaN where the coefficient is fixed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.fixed, np.nan, self.coefficients / self.standard_errors)

    @cached_property
    def p_values(self) -> FloatArray:
        """Two-sided p-values of "coefficient = 0"."""
        return np.asarray(2 * self._reference.sf(np.abs(self.z)))

    @cached_property
    def intervals(self) -> FloatArray:
        """Lower and upper ends of the intervals, shape (k, 2)."""
        if self.percentile_intervals is not None:
            return self.percentile_intervals
        half = self._reference.ppf((1 + self.level) / 2) * self.standard_errors
        return np.column_stack([self.coefficients - half, self.coefficients + half])

    @property
    def _reference(self) -> Any:
        """Distribution of the z column."""
        df = self.estimate.degrees_of_freedom
        return norm() if df is None else t(df)

    @property
    def reference_name(self) -> str:
        """That distribution in words."""
        df = self.estimate.degrees_of_freedom
        return "normal" if df is None else f"t({df})"

    def wald_test(
        self,
        hypothesis: str | Sequence[str] | FloatArray,
        value: Any = 0.0,
        *,
        normalization: str | int | None = None,
    ) -> WaldTest:
        """Test of linear restrictions ``R theta = r`` on the coefficients.

        The data determine the coefficients up to a positive factor, so that a restriction has a meaning
        if it is homogeneous (r = 0: "the effects of a and b are equal"), or if it says in which scale
        it is meant.

        Parameters
        ----------
        hypothesis : str, sequence of str, or array of shape (q, k)
            Restrictions such as ``"price = -2 * quality"``, several in a list or separated by commas; or
            names of coefficients that are all zero; or the matrix R. Names with other characters than
            letters, digits and underscores stand in backticks.
        value : float or array of shape (q,), default=0
            r, for a matrix R.
        normalization : {"rms", "norm"}, feature name or column number, optional
            The scale that a restriction with r other than 0 is meant in: must be that of the fit. Not
            needed where a known link fixes the scale.

        Returns
        -------
        WaldTest

        Raises
        ------
        InvalidParameterError
            For a restriction without a meaning under the normalisation, or that it settles by itself.
        """
        restriction = linear_hypothesis(hypothesis, value, self.names)
        if np.any(restriction.value != 0) and self.rule is not None and normalization != self.rule:
            raise InvalidParameterError(
                f"The hypothesis {restriction.words} is not homogeneous: the data determine the "
                f"coefficients up to a positive factor, which {self.normalization} fixes here. Test a "
                "homogeneous one (R theta = 0, such as a ratio), or confirm the scale with "
                f"normalization={self.rule!r}"
            )
        return wald(restriction, self.coefficients, self.covariance, self.estimate.degrees_of_freedom)

    def ratio(self, numerator: str | int, denominator: str | int, *, level: float | None = None) -> Ratio:
        """Ratio of two coefficients, which no normalisation changes: what one is worth in the other.

        Parameters
        ----------
        numerator, denominator : str or int
            Names or positions of coefficients.
        level : float, optional
            Confidence level, by default that of the table.

        Returns
        -------
        Ratio
            With the delta-method interval, and Fieller's set, which is right where the denominator
            may be 0.
        """
        a, b = self._position(numerator), self._position(denominator)
        if a == b:
            raise InvalidParameterError(
                f"numerator and denominator are both {self.names[a]!r}: their ratio is 1"
            )
        level = self.level if level is None else level
        quantile = float(self._reference.ppf((1 + _checked_level(level)) / 2))
        pair = np.ix_([a, b], [a, b])
        names = (self.names[a], self.names[b])
        return ratio_of(self.coefficients[[a, b]], self.covariance[pair], quantile, level, names)

    def _position(self, name: str | int) -> int:
        if isinstance(name, str) and name in self.names:
            return self.names.index(name)
        if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < len(self.names):
            return int(name)
        raise InvalidParameterError(f"there is no coefficient {name!r}; there are {list(self.names)[:10]}")

    def to_frame(self) -> pd.DataFrame:
        """The table as a DataFrame indexed by feature.

        Returns
        -------
        DataFrame
            Columns ``coefficient``, ``standard_error``, ``z``, ``p_value``, ``lower``, ``upper``.
        """
        import pandas as pd

        columns = {
            "coefficient": self.coefficients,
            "standard_error": self.standard_errors,
            "z": self.z,
            "p_value": self.p_values,
            "lower": self.intervals[:, 0],
            "upper": self.intervals[:, 1],
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="feature"))

    def summary(self) -> str:
        """The table with what it rests on, for a terminal."""
        return as_text(self)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return (
            f"Inference({self.estimator}, {len(self.names)} coefficients, {self.estimate.kind} covariance, "
            f"level={self.level:g})"
        )

    def _repr_html_(self) -> str:
        return as_html(self)


def _checked_level(level: float) -> float:
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    return level
