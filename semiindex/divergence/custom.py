"""Divergences that a user defines by f, f' and the inverse of f', checked before they are used."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.exceptions import InvalidParameterError

__all__ = ["CustomDivergence", "custom_divergence"]

#: Where the identities are checked, and how closely: a central difference is good to about 1e-9.
_RATIOS = np.logspace(-3, 3, 25)
_TOLERANCE = 1e-6
_STEP = 1e-5
#: Ratios at which a limit shows; in equal steps of log r, so that a logarithm moves equally each time.
_FAR = np.array([1e100, 1e200, 1e300])
#: A function that moves less than this over the last step has arrived at its limit.
_ARRIVED = 1e-9
#: Where the inverse is tried between f'(0+) and the least ratio checked, in parts of that distance.
_NEAR_THE_END = np.array([1e-6, 1e-3, 0.1, 0.5])

_Function = Callable[[Any], Any]


def _evaluate(function: _Function, values: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        return np.asarray(function(values), dtype=np.float64)


@dataclass(frozen=True)
class CustomDivergence(Divergence):
    """A divergence of given functions; made and checked by `custom_divergence`.

    Parameters
    ----------
    generator, generator_derivative, generator_inverse : callable
        f, f' and the inverse of f', vectorised.
    limits : tuple of float
        ``f(0+)``, ``f'(0+)`` and ``f'(inf)``.
    name : str
        Name for messages.
    """

    generator: _Function
    generator_derivative: _Function
    generator_inverse: _Function
    limits: tuple[float, float, float]
    name: str  # type: ignore[misc]  # a class has one name, a user's function one of its own

    @property
    def at_zero(self) -> float:
        """``f(0+)``."""
        return self.limits[0]

    @property
    def derivative_at_zero(self) -> float:
        """``f'(0+)``."""
        return self.limits[1]

    @property
    def derivative_at_infinity(self) -> float:
        """``f'(inf)``."""
        return self.limits[2]

    def f(self, r: ArrayLike) -> FloatArray:
        """The function given, and its limits at 0 and inf."""
        r = np.asarray(r, dtype=np.float64)
        inside = (r > 0) & (r < np.inf)
        value = _evaluate(self.generator, np.where(inside, r, 1.0))
        return np.where(inside, value, np.where(r == 0, self.at_zero, np.inf))

    def derivative(self, r: ArrayLike) -> FloatArray:
        """The function given, and its limits at 0 and inf."""
        r = np.asarray(r, dtype=np.float64)
        inside = (r > 0) & (r < np.inf)
        value = _evaluate(self.generator_derivative, np.where(inside, r, 1.0))
        limit = np.where(r == 0, self.derivative_at_zero, self.derivative_at_infinity)
        return np.where(inside, value, limit)

    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """The function given; 0 and inf outside of the range of f'."""
        u = np.asarray(u, dtype=np.float64)
        inside = (u > self.derivative_at_zero) & (u < self.derivative_at_infinity)
        value = _evaluate(self.generator_inverse, np.where(inside, u, self.derivative(1.0)))
        return np.where(inside, value, np.where(u > self.derivative_at_zero, np.inf, 0.0))

    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """Through f': no better form is known."""
        with np.errstate(over="ignore"):
            return self.derivative(np.exp(log_ratio))

    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """Through f' and its inverse: no better form is known of them."""
        with np.errstate(over="ignore", divide="ignore"):
            top = np.exp(log_ratio)
            below = np.log(self.inverse_derivative(self.derivative(top) - gap))
        return np.where(gap == 0, log_ratio, below)

    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """From a central difference of f' in log r."""
        x = np.where(np.isneginf(log_ratio), 0.0, log_ratio)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            rise = self.derivative(np.exp(x + _STEP)) - self.derivative(np.exp(x - _STEP))
            return np.where(np.isneginf(log_ratio), -np.inf, x - np.log(rise / (2 * _STEP)))

    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """``q f(p / q)``."""
        q = np.exp(log_reference)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(q > 0, q * self.f(np.exp(log_ratio)), 0.0)


def custom_divergence(
    f: _Function,
    derivative: _Function,
    inverse_derivative: _Function,
    *,
    at_zero: float | None = None,
    derivative_at_zero: float | None = None,
    derivative_at_infinity: float | None = None,
    name: str = "custom_divergence",
) -> CustomDivergence:
    """Make a divergence from f, its derivative and the inverse of the derivative.

    The functions are checked at ratios from 0.001 to 1000 before they are used, and the limits against
    ratios down to 1e-300 and up to 1e300.

    Parameters
    ----------
    f : callable
        Strictly convex on (0, inf) with ``f(1) = 0``; takes and returns arrays. Functions that are
        defined in a module make a divergence that pickles.
    derivative : callable
        f', strictly increasing. It need not vanish at 1: a multiple of ``r - 1`` changes no divergence.
    inverse_derivative : callable
        Its inverse, on the range of f'.
    at_zero, derivative_at_zero, derivative_at_infinity : float, default=None
        ``f(0+)``, ``f'(0+)``, ``f'(inf)``, -inf and inf included. None: read off the functions far
        out, if these leave no doubt.
    name : str, default="custom_divergence"
        Name for messages and tables.

    Returns
    -------
    CustomDivergence

    Raises
    ------
    InvalidParameterError
        If an argument is no function of arrays, an identity fails (the message says which and where), or
        a limit is in doubt or contradicts the functions.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.divergence import custom_divergence
    >>> quadratic = custom_divergence(lambda r: (r - 1) ** 2, lambda r: 2 * (r - 1), lambda u: 1 + u / 2)
    >>> quadratic.derivative_at_zero, quadratic.derivative_at_infinity
    (-2.0, inf)
    """
    functions = {"f": f, "derivative": derivative, "inverse_derivative": inverse_derivative}
    for argument, function in functions.items():
        _require_vectorised(argument, function)
    _check_identities(f, derivative, inverse_derivative)
    limits = (
        _limit(f, 1 / _FAR, at_zero, "at_zero, f(0+),"),
        _limit(derivative, 1 / _FAR, derivative_at_zero, "derivative_at_zero, f'(0+),"),
        _limit(derivative, _FAR, derivative_at_infinity, "derivative_at_infinity, f'(inf),"),
    )
    values = _evaluate(derivative, _RATIOS)
    _require(values > limits[1], "f'(r) > derivative_at_zero", _RATIOS, values)
    _require(values < limits[2], "f'(r) < derivative_at_infinity", _RATIOS, values)
    _check_range(inverse_derivative, values, limits)
    return CustomDivergence(f, derivative, inverse_derivative, limits, name)


def _require_vectorised(argument: str, function: Any) -> None:
    """Refuse what is not a function from arrays to arrays of the same shape."""
    if not callable(function):
        raise InvalidParameterError(f"{argument} must be a function of an array of ratios, got {function!r}")
    at = np.ones(2) if argument != "inverse_derivative" else np.zeros(2)
    try:
        shape: object = _evaluate(function, at).shape
    except (TypeError, ValueError, AttributeError) as error:
        shape = f"{type(error).__name__}: {error}"
    if shape != (2,):
        raise InvalidParameterError(
            f"{argument} must take an array and return one of the same shape, but for shape (2,) the result "
            f"is {shape}; write it with numpy functions, or wrap it in numpy.vectorize"
        )


def _check_range(
    inverse_derivative: _Function, derivative: FloatArray, limits: tuple[float, float, float]
) -> None:
    """Refuse ends of the range of f' beyond which the inverse has no ratios."""
    first, last = derivative[0], derivative[-1]
    if math.isfinite(limits[1]):
        u = limits[1] + (first - limits[1]) * _NEAR_THE_END
        ratio = _evaluate(inverse_derivative, u)
        holds = (ratio >= 0) & (ratio <= _RATIOS[0])
        _require_end(holds, "derivative_at_zero", limits[1], u, ratio)
    if math.isfinite(limits[2]):
        u = limits[2] - (limits[2] - last) * _NEAR_THE_END
        ratio = _evaluate(inverse_derivative, u)
        _require_end(ratio >= _RATIOS[-1], "derivative_at_infinity", limits[2], u, ratio)


def _require_end(holds: Any, argument: str, limit: float, u: FloatArray, ratio: FloatArray) -> None:
    if not np.all(holds):
        k = int(np.argmin(holds))
        raise InvalidParameterError(
            f"{argument}={limit:g} contradicts inverse_derivative, it is {ratio[k]:g} at {u[k]:g}, between "
            "this limit and the values of f' at ratios from 0.001 to 1000; correct the limit or the function"
        )


def _check_identities(f: _Function, derivative: _Function, inverse_derivative: _Function) -> None:
    """Refuse functions that do not belong together; the message names the identity."""
    at_one = _evaluate(f, np.ones(1))
    _require(np.abs(at_one) <= _TOLERANCE, "f(1) = 0", np.ones(1), at_one)
    slope = _evaluate(derivative, _RATIOS)
    rising = np.diff(slope) > 0
    _require(rising, "f' strictly increasing (f strictly convex)", _RATIOS[1:], slope[1:])
    step = _STEP * _RATIOS
    above, below = _evaluate(f, _RATIOS + step), _evaluate(f, _RATIOS - step)
    difference = (above - below) / (2 * step)
    rounding = 1e-15 * (np.abs(above) + np.abs(below)) / step
    close = np.abs(difference - slope) <= _TOLERANCE * (1 + np.abs(slope)) + rounding
    _require(close, "derivative(r) = the derivative of f (finite difference)", _RATIOS, slope)
    back = _evaluate(inverse_derivative, slope)
    close = np.abs(back - _RATIOS) <= _TOLERANCE * _RATIOS
    _require(close, "inverse_derivative(derivative(r)) = r", _RATIOS, back)


def _require(holds: Any, identity: str, r: FloatArray, value: FloatArray) -> None:
    if not np.all(holds):
        k = int(np.argmin(holds))
        raise InvalidParameterError(
            f"f, derivative and inverse_derivative do not define a divergence: {identity} fails at "
            f"r = {r[k]:g}, where the value is {value[k]:g}. Correct the function (they get arrays, and must "
            "return arrays)"
        )


def _limit(function: _Function, ratios: FloatArray, given: float | None, what: str) -> float:
    """The limit given, or that of a monotone function; an error where its values leave doubt."""
    values = _evaluate(function, ratios)
    last = float(values[-1])
    if given is not None:
        return _declared(values, given, what)
    if math.isinf(last):
        return last
    earlier, later = np.abs(np.diff(values))
    if later <= _ARRIVED * (1 + abs(last)):
        return last
    if later >= 0.9 * earlier:  # a logarithm or a power: no end in sight
        return math.copysign(math.inf, last)
    raise InvalidParameterError(
        f"{what} is in doubt: far out the function moves from {values[-2]:g} to {last:g}. Pass it as an "
        "argument"
    )


def _declared(values: FloatArray, given: Any, what: str) -> float:
    """A limit that was passed, refused if the function has passed it, or has arrived somewhere else."""
    if not isinstance(given, Real) or math.isnan(given):
        raise InvalidParameterError(f"{what} must be a number, -inf or inf, got {given!r}")
    limit, last = float(given), float(values[-1])
    with np.errstate(invalid="ignore"):
        move = last - float(values[-2]) if math.isfinite(last) else last
    arrived = math.isinf(last) or abs(move) <= _ARRIVED * (1 + abs(last))
    there = limit == last or abs(limit - last) <= _TOLERANCE * (1 + abs(last))
    if there or (not arrived and (limit - last) * move > 0):
        return limit
    raise InvalidParameterError(
        f"{what} is {limit:g} as passed, but far out the function moves from {values[-2]:g} to {last:g}: "
        "correct one of the two, or leave the limit out to have it read off"
    )
