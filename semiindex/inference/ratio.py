"""Ratios of coefficients, by the delta method and by Fieller's theorem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["FiellerSet", "Ratio", "fieller_set", "ratio_of"]


@dataclass(frozen=True)
class FiellerSet:
    """Values of a ratio that a test does not reject.

    Attributes
    ----------
    kind : {"interval", "complement", "line"}
        Between the bounds; everything but what lies between them; every number. The last two mean
        that the denominator may be 0, so that no bounded set can be right.
    lower, upper : float
        The bounds; infinite for "line".
    """

    kind: Literal["interval", "complement", "line"]
    lower: float
    upper: float

    def __contains__(self, value: float) -> bool:
        inside = self.lower <= value <= self.upper
        return {"interval": inside, "complement": value <= self.lower or value >= self.upper, "line": True}[
            self.kind
        ]

    def __str__(self) -> str:
        if self.kind == "interval":
            return f"[{self.lower:.4g}, {self.upper:.4g}]"
        if self.kind == "complement":
            return f"(-inf, {self.lower:.4g}] and [{self.upper:.4g}, inf): the denominator may be 0"
        return "the whole line: numerator and denominator may both be 0"


@dataclass(frozen=True)
class Ratio:
    """Ratio of two coefficients.

    Attributes
    ----------
    numerator, denominator : str
        Names of the coefficients.
    value : float
        The ratio of the estimates.
    standard_error : float
        By the delta method.
    delta_interval : tuple of two floats
        Value plus and minus a multiple of the standard error; wrong where the denominator is not far
        from 0 in standard errors.
    fieller : FiellerSet
        Values that the test of "numerator - ratio * denominator = 0" does not reject.
    level : float
        Confidence level of both.
    """

    numerator: str
    denominator: str
    value: float
    standard_error: float
    delta_interval: tuple[float, float]
    fieller: FiellerSet
    level: float

    def __str__(self) -> str:
        low, high = self.delta_interval
        return (
            f"{self.numerator} / {self.denominator} = {self.value:.4g} (standard error "
            f"{self.standard_error:.3g})\n  {100 * self.level:g}% interval, delta method: [{low:.4g}, "
            f"{high:.4g}]\n  {100 * self.level:g}% set, Fieller: {self.fieller}"
        )


def ratio_of(
    pair: FloatArray, covariance: FloatArray, quantile: float, level: float, names: tuple[str, str]
) -> Ratio:
    """Ratio with both intervals.

    Parameters
    ----------
    pair : array of shape (2,)
        Estimates of numerator a and denominator b.
    covariance : array of shape (2, 2)
        Their covariance.
    quantile : float
        Of the reference distribution at ``(1 + level) / 2``.
    level : float
        Confidence level.
    names : tuple of two str
        Names of both.
    """
    a, b = (float(v) for v in pair)
    if b == 0:
        raise InvalidParameterError(
            f"the coefficient of {names[1]!r} is estimated as 0, so that no ratio exists"
        )
    value = a / b
    gradient = np.array([1.0, -value]) / b
    error = float(np.sqrt(max(float(gradient @ covariance @ gradient), 0.0)))
    half = quantile * error
    return Ratio(
        *names, value, error, (value - half, value + half), fieller_set(pair, covariance, quantile), level
    )


def fieller_set(pair: FloatArray, covariance: FloatArray, quantile: float) -> FiellerSet:
    """Solve ``(a - rho b)^2 <= q^2 (v_aa - 2 rho v_ab + rho^2 v_bb)`` for rho (Fieller 1954).

    The set is an interval if b is significantly different from 0 at the level; otherwise it is
    unbounded.

    Parameters
    ----------
    pair, covariance, quantile
        As in `ratio_of`.
    """
    a, b = (float(v) for v in pair)
    square = quantile**2
    # second * rho^2 - 2 middle rho + constant <= 0
    second = b * b - square * float(covariance[1, 1])
    middle = a * b - square * float(covariance[0, 1])
    constant = a * a - square * float(covariance[0, 0])
    discriminant = middle * middle - second * constant
    if second > 0:
        root = float(np.sqrt(max(discriminant, 0.0)))
        return FiellerSet("interval", (middle - root) / second, (middle + root) / second)
    if second == 0 or discriminant <= 0:
        return FiellerSet("line", -np.inf, np.inf)
    root = float(np.sqrt(discriminant))
    ends = sorted([(middle - root) / second, (middle + root) / second])
    return FiellerSet("complement", ends[0], ends[1])
