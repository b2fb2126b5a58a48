"""The alpha family of Cressie & Read 1984, continuous in alpha through its two limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.divergence.standard import excess, forward_kl, inf_at_inf, log_of, reverse_kl
from semiindex.exceptions import InvalidParameterError

__all__ = ["AlphaDivergence", "alpha_divergence"]


@dataclass(frozen=True)
class AlphaDivergence(Divergence):
    """``f(r) = (r^a - 1 - a(r - 1)) / (a(a - 1))``, the family of Cressie & Read 1984.

    Made by `alpha_divergence`, which returns the two Kullback-Leibler divergences at their alphas.

    Parameters
    ----------
    alpha : float
        Any number but 0 and 1, where the family has its limits.
    """

    alpha: float
    name: ClassVar[str] = "alpha_divergence"

    @property
    def _power(self) -> float:
        """``a - 1``, the power in f'."""
        return self.alpha - 1

    @property
    def at_zero(self) -> float:
        """``1/a``, or inf for ``a < 0``."""
        return 1 / self.alpha if self.alpha > 0 else math.inf

    @property
    def derivative_at_zero(self) -> float:
        """``-1/(a - 1)`` for ``a > 1``, else -inf."""
        return -1 / self._power if self._power > 0 else -math.inf

    @property
    def derivative_at_infinity(self) -> float:
        """``1/(1 - a)`` for ``a < 1``, else inf."""
        return -1 / self._power if self._power < 0 else math.inf

    def f(self, r: ArrayLike) -> FloatArray:
        """``(r^a - 1 - a(r - 1)) / (a(a - 1))``, divided first by what tends to zero."""
        r = np.asarray(r, dtype=np.float64)
        a, k = self.alpha, self._power
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            if abs(a) < 0.5:
                value = (np.expm1(a * log_of(r)) / a - (r - 1)) / k
            else:
                value = (r * (np.expm1(k * log_of(r)) / k) - (r - 1)) / a
        value = np.where(r == 0, self.at_zero, value)
        return inf_at_inf(r, value)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``(r^(a - 1) - 1) / (a - 1)``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(self._power * log_of(np.asarray(r, dtype=np.float64))) / self._power)

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``(1 + (a - 1) u)^(1/(a - 1))``, clipped to 0 or inf outside of the range of f'."""
        k = self._power
        with np.errstate(over="ignore", divide="ignore"):
            return np.asarray(np.exp(np.log1p(np.maximum(k * np.asarray(u, dtype=np.float64), -1)) / k))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``(exp((a - 1) x) - 1) / (a - 1)``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(self._power * log_ratio) / self._power)

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``x + log(1 - (a - 1) gap r^(1 - a)) / (a - 1)``."""
        k = self._power
        relative = math.log(abs(k)) + log_of(gap) - k * log_ratio
        if k < 0:
            return np.asarray(log_ratio + np.logaddexp(0, relative) / k)
        with np.errstate(divide="ignore"):
            return np.asarray(log_ratio + np.log1p(-np.exp(np.minimum(relative, 0))) / k)

    def log_ratio_above(self, log_ratio: FloatArray, rise: FloatArray) -> FloatArray:
        """``log(r^(a - 1) + (a - 1) rise) / (a - 1)``: a sum, which does not cancel."""
        k = self._power
        return np.asarray(np.logaddexp(k * log_ratio, log_of(k * rise)) / k)

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``(2 - a) log r``."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isneginf(log_ratio), -np.inf, (2 - self.alpha) * log_ratio)

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``(q r^a - q - a(p - q))/(a(a - 1))``, in the order of `f`."""
        a, k = self.alpha, self._power
        near_zero = abs(a) < 0.5
        base, power = (log_reference, a) if near_zero else (log_reference + log_ratio, k)
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.exp(base) * np.expm1(power * log_ratio)
            far = np.exp(log_reference + a * log_ratio) - np.exp(base)
        change = np.where(np.abs(power * log_ratio) < 1, near, far) / power
        return (change - excess(log_reference, log_ratio)) / (k if near_zero else a)


def alpha_divergence(alpha: float) -> Divergence:
    """Return the divergence of Cressie & Read 1984 with a given power.

    ``f(r) = (r^a - 1 - a(r - 1)) / (a(a - 1))``, scaled so that ``f''(1) = 1`` for every alpha. Alpha 1 is
    the reverse and 0 the forward Kullback-Leibler divergence, 1/2 the squared Hellinger distance,
    2 chi-squared. Above 1 policies are sparse. The family is continuous in alpha.

    Parameters
    ----------
    alpha : float
        Finite.

    Returns
    -------
    Divergence

    Raises
    ------
    InvalidParameterError
        If alpha is not a finite number.

    References
    ----------
    Cressie & Read 1984.

    Examples
    --------
    >>> from semiindex.divergence import alpha_divergence, reverse_kl
    >>> alpha_divergence(1) == reverse_kl
    True
    >>> alpha_divergence(2.0).inverse_derivative([-3.0, 0.0, 1.0])
    array([0., 1., 2.])
    """
    given: Any = alpha
    number = isinstance(given, Real) and not isinstance(given, bool | np.bool_)
    if not (number and math.isfinite(given)):
        raise InvalidParameterError(f"alpha must be a finite number, got {alpha!r}")
    value = float(given)
    limits: dict[float, Divergence] = {0.0: forward_kl, 1.0: reverse_kl}
    return limits[value] if value in limits else AlphaDivergence(value)
