"""The named divergences, scaled so that ``f''(1) = 1`` (Jensen-Shannon: 1/2).

Each class states in a line or two what the protocol asks for; the table of all of them, and the
conventions of other libraries, stand in the theory pages (:eq:`divergence`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence

__all__ = [
    "ChiSquared",
    "ForwardKL",
    "Hellinger",
    "JensenShannon",
    "ReverseKL",
    "chi_squared",
    "excess",
    "forward_kl",
    "hellinger",
    "inf_at_inf",
    "js_divergence",
    "log_of",
    "reverse_kl",
]

#: exp of anything below is 0: keeps 0 * log(0) at its limit 0.
_LOG_ZERO = -1e4


def _ratios(r: ArrayLike) -> FloatArray:
    return np.asarray(r, dtype=np.float64)


def log_of(r: FloatArray) -> FloatArray:
    """Logarithm, -inf at 0 without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(r))


def inf_at_inf(r: FloatArray, value: FloatArray) -> FloatArray:
    """Value of f, inf at inf, where its formulas are undefined: every f grows without end."""
    return np.asarray(np.where(np.isinf(r), np.inf, value))


def excess(log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
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
            return inf_at_inf(r, r * np.maximum(log_of(r), _LOG_ZERO) - (r - 1))

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``log r``."""
        return log_of(_ratios(r))

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
        return p_log_ratio - excess(log_reference, log_ratio)

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
            return inf_at_inf(r, (r - 1) - log_of(r))

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
        return np.asarray(-np.logaddexp(-log_ratio, log_of(gap)))

    def ratio_below(self, top: FloatArray, gap: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``1 / (1/top + gap)``."""
        ratio = 1 / (1 / top + gap)
        return ratio, ratio**2 / top

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``2 log r``."""
        return 2 * log_ratio

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``p - q - q log(p / q)``; inf where an option is given up, however small q is."""
        with np.errstate(invalid="ignore"):
            q_log_ratio = np.exp(log_reference) * log_ratio
        change = excess(log_reference, log_ratio)
        return np.where(np.isneginf(log_ratio), np.inf, change - q_log_ratio)


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
        half = np.maximum(log_of(r), _LOG_ZERO) / 2
        with np.errstate(invalid="ignore"):
            value = (r - 1) * half - (1 + r) * _log_cosh(half)
        value = np.where(r == 0, self.at_zero, value)
        return inf_at_inf(r, value)

    def derivative(self, r: ArrayLike) -> FloatArray:
        """``log(2r / (1 + r))``."""
        r = _ratios(r)
        with np.errstate(divide="ignore"):
            far = math.log(2) - np.log1p(1 / r)
        return np.where(r < 0.5, math.log(2) + log_of(r) - np.log1p(np.minimum(r, 1)), far)

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
        return np.asarray(log_ratio - gap - np.logaddexp(0, log_ratio + log_of(-np.expm1(-gap))))

    def ratio_below(self, top: FloatArray, gap: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``top exp(-gap) / (1 + top (1 - exp(-gap)))``."""
        ratio = top * np.exp(-gap) / (1 - top * np.expm1(-gap))
        return ratio, ratio * (1 + ratio) / (1 + top)

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

    def log_ratio_above(self, log_ratio: FloatArray, rise: FloatArray) -> FloatArray:
        """``log(r + rise)``."""
        return np.asarray(np.logaddexp(log_ratio, log_of(rise)))

    def ratio_below(self, top: FloatArray, gap: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``max(top - gap, 0)``."""
        ratio = np.maximum(top - gap, 0)
        return ratio, top * (ratio > 0)

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """0, for options that are not given up."""
        return np.where(np.isneginf(log_ratio), -np.inf, 0.0)

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``(p / sqrt(q) - sqrt(q))^2 / 2``."""
        root = log_reference / 2
        with np.errstate(over="ignore"):
            return (np.exp(root + log_ratio) - np.exp(root)) ** 2 / 2


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
        return inf_at_inf(r, value)

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
        return np.asarray(-2 * np.logaddexp(-log_ratio / 2, log_of(gap / 2)))

    def ratio_below(self, top: FloatArray, gap: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``(1/sqrt(top) + gap/2)^-2``."""
        best = 1 / np.sqrt(top)
        root = 1 / (best + gap / 2)
        ratio = root**2
        return ratio, ratio * root * best

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``3/2 log r``."""
        return 1.5 * log_ratio

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``2 (sqrt p - sqrt q)^2``."""
        root = log_reference / 2
        return 2 * (np.exp(root + log_ratio / 2) - np.exp(root)) ** 2


reverse_kl = ReverseKL()
forward_kl = ForwardKL()
js_divergence = JensenShannon()
chi_squared = ChiSquared()
hellinger = Hellinger()
