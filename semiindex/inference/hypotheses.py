"""Wald tests of linear hypotheses, with the null hypothesis in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.stats import chi2, f

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.expressions import parse_restrictions

__all__ = ["LinearHypothesis", "WaldTest", "linear_hypothesis", "wald"]

#: Variance of a combination, relative to what its coefficients would have if independent, below which
#: the normalisation settles it.
_SINGULAR = 1e-9


@dataclass(frozen=True, eq=False)
class LinearHypothesis:
    """``R theta = r``.

    Attributes
    ----------
    matrix : array of shape (q, k)
        R.
    value : array of shape (q,)
        r.
    words : str
        The hypothesis with the names of the coefficients.
    """

    matrix: FloatArray
    value: FloatArray
    words: str


@dataclass(frozen=True)
class WaldTest:
    """Wald test of a linear hypothesis.

    Attributes
    ----------
    statistic : float
        ``(R theta - r)' (R V R')^{-1} (R theta - r)``, divided by q for the F distribution.
    distribution : str
        Its distribution under the hypothesis, "chi2(q)" or "F(q, G - 1)".
    p_value : float
        Probability of a statistic at least as large under the hypothesis.
    null : str
        The hypothesis in words.

    Examples
    --------
    >>> from semiindex.inference import WaldTest
    >>> print(WaldTest(7.2, "chi2(1)", 0.0073, "a - b = 0"))
    Wald test of a - b = 0: 7.2 ~ chi2(1), p = 0.0073
    """

    statistic: float
    distribution: str
    p_value: float
    null: str

    def __str__(self) -> str:
        return f"Wald test of {self.null}: {self.statistic:.4g} ~ {self.distribution}, p = {self.p_value:.3g}"


def linear_hypothesis(
    hypothesis: str | Sequence[str] | FloatArray, value: Any, names: Sequence[str]
) -> LinearHypothesis:
    """Read a hypothesis; see `Inference.wald_test` for the forms.

    Parameters
    ----------
    hypothesis : str, sequence of str, or array of shape (q, k)
        Restrictions, names, or R.
    value : float or array of shape (q,)
        r, for a matrix.
    names : sequence of str
        Names of the k coefficients.
    """
    parts = [hypothesis] if isinstance(hypothesis, str) else list(hypothesis)
    if all(isinstance(part, str) for part in parts):
        if np.any(np.asarray(value) != 0):
            raise InvalidParameterError(
                "value belongs to a hypothesis given as a matrix; write it into the text, as in 'a - b = 1'"
            )
        parsed = [parse_restrictions(str(part), names) for part in parts]
        matrix, right = (np.concatenate(pieces) for pieces in zip(*parsed, strict=True))
    else:
        matrix = np.atleast_2d(np.asarray(hypothesis, dtype=np.float64))
        right = np.broadcast_to(np.asarray(value, dtype=np.float64), matrix.shape[:1])
    if matrix.shape[1] != len(names) or not (np.isfinite(matrix).all() and np.isfinite(right).all()):
        raise InvalidParameterError(
            f"a hypothesis needs one finite number for each of the {len(names)} coefficients, got a matrix "
            f"of shape {matrix.shape}"
        )
    words = ", ".join(_in_words(row, r, names) for row, r in zip(matrix, right, strict=True))
    return LinearHypothesis(matrix, np.array(right), words)


def wald(
    hypothesis: LinearHypothesis, theta: FloatArray, covariance: FloatArray, degrees_of_freedom: int | None
) -> WaldTest:
    """Test of a linear hypothesis.

    Parameters
    ----------
    hypothesis : LinearHypothesis
        q restrictions.
    theta : array of shape (k,)
        Estimates.
    covariance : array of shape (k, k)
        Their covariance.
    degrees_of_freedom : int or None
        Of the denominator of the F distribution; None for the chi-squared one.
    """
    matrix = hypothesis.matrix
    middle = matrix @ covariance @ matrix.T
    # In units of what the restrictions would vary by if the coefficients were independent.
    unit = np.sqrt((matrix**2) @ np.diag(covariance))
    scaled = middle / np.where(unit > 0, np.outer(unit, unit), 1.0)
    if np.any(unit == 0) or eigh(scaled, eigvals_only=True)[0] < _SINGULAR:
        raise InvalidParameterError(
            f"The hypothesis {hypothesis.words} restricts what the normalisation fixes, or says the same "
            "twice, so that nothing is left to test; drop a restriction"
        )
    gap = (matrix @ theta - hypothesis.value) / unit
    statistic = float(gap @ np.linalg.solve(scaled, gap))
    q = matrix.shape[0]
    if degrees_of_freedom is None:
        return WaldTest(statistic, f"chi2({q})", float(chi2.sf(statistic, q)), hypothesis.words)
    statistic /= q
    p_value = float(f.sf(statistic, q, degrees_of_freedom))
    return WaldTest(statistic, f"F({q}, {degrees_of_freedom})", p_value, hypothesis.words)


def _in_words(row: FloatArray, value: float, names: Sequence[str]) -> str:
    words = ""
    for factor, name in zip(row, names, strict=True):
        if factor == 0:
            continue
        sign = "-" if factor < 0 else "+"
        size = "" if abs(factor) == 1 else f"{abs(factor):g} * "
        words += f" {sign} {size}{name}" if words else f"{'-' if factor < 0 else ''}{size}{name}"
    return f"{words or '0'} = {value:g}"
