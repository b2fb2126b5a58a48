"""The named divergences, scaled so that ``f''(1) = 1`` (Jensen-Shannon: 1/2), and the alpha family.

Each class states in a line or two what the protocol asks for; the table of all of them, and the
conventions of other libraries, stand in the theory pages (:eq:`divergence`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.exceptions import InvalidParameterError

__all__ = [
    "AlphaDivergence",
    "ChiSquared",
    "ForwardKL",
    "Hellinger",
    "JensenShannon",
    "ReverseKL",
    "alpha_divergence",
    "chi_squared",
    "forward_kl",
    "hellinger",
    "js_divergence",
    "reverse_kl",
]

#: exp of anything below is 0: keeps 0 * log(0) at its limit 0.
_LOG_ZERO = -1e4
#: exp of this is a finite number.
_LOG_LARGEST = 700.0


def _ratios(r: ArrayLike) -> FloatArray:
    return np.asarray(r, dtype=np.float64)


def _log(r: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(r))


def _inf_at_inf(r: FloatArray, value: FloatArray) -> FloatArray:
    """Value of f, inf at inf, where its formulas are undefined: every f grows without end."""
    return np.asarray(np.where(np.isinf(r), np.inf, value))


def _excess(log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
    """``p - q`` from ``log q`` and ``log(p / q)``, without cancellation near ``p = q``."""
    q = np.exp(log_reference)
    near = q * np.expm1(np.minimum(log_ratio, 1.0))
    return np.asarray(np.where(log_ratio < 1, near, np.exp(log_reference + log_ratio) - q))


def _log_cosh(x: FloatArray) -> FloatArray:
    """``log cosh x`` without cancellation near 0 and without overflow."""
    size = np.abs(x)
    near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
    return np.asarray(np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - math.log(2)))


@dataclass(frozen=True)
class ReverseKL(Divergence):
    """``f(r) = r log r - r + 1``, the divergence of RLHF and DPO: KL(policy || reference).

    Examples
    --------
    >>> from semiindex.divergence import reverse_kl
    >>> reverse_kl.inverse_derivative(reverse_kl.derivative([0.5, 1.0, 2.0]))
    array([0.5, 1. , 2. ])
    """

    name: ClassVar[str] = "reverse_kl"
    at_zero: ClassVar[float] = 1.0
    derivative_at_zero: ClassVar[float] = -math.inf
    derivative_at_infinity: ClassVar[float] = math.inf

    def f(self, r: ArrayLike) -> FloatArray:
        """``r log r - r + 1``."""
        r = _ratios(r)
        with np.errstate(invalid="ignore"):
            return _inf_at_inf(r, r * np.maximum(_log(r), _LOG_ZERO) - (r - 1))

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``log r``."""
        return _log(_ratios(r))

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``exp(u)``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(_ratios(u)))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``x``."""
        return log_ratio

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``x - gap``: the log-ratio is linear in the score."""
        return np.asarray(np.subtract(log_ratio, gap))

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``log r``."""
        return log_ratio

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``p log(p / q) - (p - q)``."""
        p_log_ratio = np.exp(log_reference + log_ratio) * np.maximum(log_ratio, _LOG_ZERO)
        return p_log_ratio - _excess(log_reference, log_ratio)

    def masses(
        self, log_ratio_top: FloatArray, gap: FloatArray, log_reference: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """As the base class, with one exponential: probabilities are their own derivatives."""
        p = np.exp(log_reference + (log_ratio_top - gap))
        return p, p


@dataclass(frozen=True)
class ForwardKL(Divergence):
    """``f(r) = -log r + r - 1``: KL(reference || policy); no option is ever given up."""

    name: ClassVar[str] = "forward_kl"
    at_zero: ClassVar[float] = math.inf
    derivative_at_zero: ClassVar[float] = -math.inf
    derivative_at_infinity: ClassVar[float] = 1.0

    def f(self, r: ArrayLike) -> FloatArray:
        """``-log r + r - 1``."""
        r = _ratios(r)
        with np.errstate(invalid="ignore"):
            return _inf_at_inf(r, (r - 1) - _log(r))

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``1 - 1/r``."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 - 1 / _ratios(r))

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``1 / (1 - u)`` for ``u < 1``."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.maximum(1 - _ratios(u), 0))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``1 - exp(-x)``."""
        with np.errstate(over="ignore"):
            return np.asarray(-np.expm1(-log_ratio))

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``-log(1/r + gap)``."""
        return np.asarray(-np.logaddexp(-log_ratio, _log(gap)))

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``2 log r``."""
        return 2 * log_ratio

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``p - q - q log(p / q)``."""
        return _excess(log_reference, log_ratio) - np.exp(log_reference) * log_ratio


@dataclass(frozen=True)
class JensenShannon(Divergence):
    """``f(r) = r log r - (1 + r) log((1 + r)/2)``: twice the textbook's Jensen-Shannon divergence."""

    name: ClassVar[str] = "js_divergence"
    at_zero: ClassVar[float] = math.log(2)
    derivative_at_zero: ClassVar[float] = -math.inf
    derivative_at_infinity: ClassVar[float] = math.log(2)

    def f(self, r: ArrayLike) -> FloatArray:
        """``r log r - (1 + r) log((1 + r)/2)``, from symmetric parts that do not cancel near 1."""
        r = _ratios(r)
        half = np.maximum(_log(r), _LOG_ZERO) / 2
        with np.errstate(invalid="ignore"):
            value = (r - 1) * half - (1 + r) * _log_cosh(half)
        value = np.where(r == 0, self.at_zero, value)
        return _inf_at_inf(r, value)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``log(2r / (1 + r))``."""
        r = _ratios(r)
        with np.errstate(divide="ignore"):
            far = math.log(2) - np.log1p(1 / r)
        return np.where(r < 0.5, math.log(2) + _log(r) - np.log1p(np.minimum(r, 1)), far)

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``1 / (2 exp(-u) - 1)`` for ``u < log 2``."""
        below = math.log(2) - _ratios(u)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(1 / np.maximum(np.expm1(below), 0))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``log 2 - log(1 + exp(-x))``."""
        near = log_ratio / 2 - _log_cosh(log_ratio / 2)  # no difference of logarithms near 0
        far = math.log(2) - np.logaddexp(0, -log_ratio)
        return np.where(np.abs(log_ratio) < 1, near, far)

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``x - gap - log(1 + r (1 - exp(-gap)))``."""
        return np.asarray(log_ratio - gap - np.logaddexp(0, log_ratio + _log(-np.expm1(-gap))))

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``log r + log(1 + r)``."""
        return log_ratio + np.logaddexp(0, log_ratio)

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``(p - q) x/2 - (p + q) log cosh(x/2)``, in two parts where x is far from 0."""
        x = np.maximum(log_ratio, _LOG_ZERO)
        p, q = np.exp(log_reference + x), np.exp(log_reference)
        log_mean = np.logaddexp(0, x) - math.log(2)
        far = p * (x - log_mean) - q * log_mean
        return np.where(np.abs(x) < 1, (p - q) * x / 2 - (p + q) * _log_cosh(x / 2), far)


@dataclass(frozen=True)
class ChiSquared(Divergence):
    """``f(r) = (r - 1)^2 / 2``: half the textbook's chi-squared divergence; policies are sparse."""

    name: ClassVar[str] = "chi_squared"
    at_zero: ClassVar[float] = 0.5
    derivative_at_zero: ClassVar[float] = -1.0
    derivative_at_infinity: ClassVar[float] = math.inf

    def f(self, r: ArrayLike) -> FloatArray:
        """``(r - 1)^2 / 2``."""
        with np.errstate(over="ignore"):
            return np.asarray((_ratios(r) - 1) ** 2 / 2)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``r - 1``."""
        return _ratios(r) - 1

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``max(1 + u, 0)``."""
        return np.maximum(1 + _ratios(u), 0)

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``exp(x) - 1``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(log_ratio))

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``log(r - gap)``."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            relative = np.fmin(gap * np.exp(-log_ratio), 1)  # NaN is inf times zero: given up as well
            return np.asarray(log_ratio + np.log1p(-relative))

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """0, for options that are not given up."""
        return np.where(np.isneginf(log_ratio), -np.inf, 0.0)

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``(p / sqrt(q) - sqrt(q))^2 / 2``."""
        root = log_reference / 2
        with np.errstate(over="ignore"):
            return (np.exp(root + log_ratio) - np.exp(root)) ** 2 / 2

    def masses(
        self, log_ratio_top: FloatArray, gap: FloatArray, log_reference: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """As the base class, without logarithms where the ratios are ordinary numbers."""
        if np.max(log_ratio_top, initial=0.0) > _LOG_LARGEST:
            return super().masses(log_ratio_top, gap, log_reference)
        top, q = np.exp(log_ratio_top), np.exp(log_reference)
        ratio = np.maximum(top - gap, 0)
        return q * ratio, q * top * (ratio > 0)


@dataclass(frozen=True)
class Hellinger(Divergence):
    """``f(r) = 2 (1 - sqrt r)^2``: the squared Hellinger distance, scaled to ``f''(1) = 1``."""

    name: ClassVar[str] = "hellinger"
    at_zero: ClassVar[float] = 2.0
    derivative_at_zero: ClassVar[float] = -math.inf
    derivative_at_infinity: ClassVar[float] = 2.0

    def f(self, r: ArrayLike) -> FloatArray:
        """``2 (1 - sqrt r)^2``; ``1 - sqrt r = (1 - r)/(1 + sqrt r)`` does not cancel near 1."""
        r = _ratios(r)
        root = np.sqrt(r)
        with np.errstate(invalid="ignore"):
            value = 2 * ((1 - r) / (1 + root)) ** 2
        return _inf_at_inf(r, value)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``2 (1 - 1/sqrt r)``."""
        with np.errstate(divide="ignore"):
            return np.asarray(2 * (1 - 1 / np.sqrt(_ratios(r))))

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``(1 - u/2)^-2`` for ``u < 2``."""
        root = np.maximum(1 - _ratios(u) / 2, 0)
        with np.errstate(divide="ignore"):
            return np.asarray((1 / root) ** 2)

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``2 (1 - exp(-x/2))``."""
        with np.errstate(over="ignore"):
            return np.asarray(-2 * np.expm1(-log_ratio / 2))

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``-2 log(1/sqrt r + gap/2)``."""
        return np.asarray(-2 * np.logaddexp(-log_ratio / 2, _log(gap / 2)))

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``3/2 log r``."""
        return 1.5 * log_ratio

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``2 (sqrt p - sqrt q)^2``."""
        root = log_reference / 2
        return 2 * (np.exp(root + log_ratio / 2) - np.exp(root)) ** 2


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
        r = _ratios(r)
        a, k = self.alpha, self._power
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            if abs(a) < 0.5:
                value = (np.expm1(a * _log(r)) / a - (r - 1)) / k
            else:
                value = (r * (np.expm1(k * _log(r)) / k) - (r - 1)) / a
        value = np.where(r == 0, self.at_zero, value)
        return _inf_at_inf(r, value)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``(r^(a - 1) - 1) / (a - 1)``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(self._power * _log(_ratios(r))) / self._power)

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """``(1 + (a - 1) u)^(1/(a - 1))``, clipped to 0 or inf outside of the range of f'."""
        k = self._power
        with np.errstate(over="ignore", divide="ignore"):
            return np.asarray(np.exp(np.log1p(np.maximum(k * _ratios(u), -1)) / k))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``(exp((a - 1) x) - 1) / (a - 1)``."""
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(self._power * log_ratio) / self._power)

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``x + log(1 - (a - 1) gap r^(1 - a)) / (a - 1)``."""
        k = self._power
        relative = _log(abs(k) * gap) - k * log_ratio
        if k < 0:
            return np.asarray(log_ratio + np.logaddexp(0, relative) / k)
        with np.errstate(divide="ignore"):
            return np.asarray(log_ratio + np.log1p(-np.exp(np.minimum(relative, 0))) / k)

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
        return (change - _excess(log_reference, log_ratio)) / (k if near_zero else a)


reverse_kl = ReverseKL()
forward_kl = ForwardKL()
js_divergence = JensenShannon()
chi_squared = ChiSquared()
hellinger = Hellinger()


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
