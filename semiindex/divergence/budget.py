"""Root of a divergence that grows with the inverse temperature, for one budget or many at once.

In ``s = log(1/temperature)`` the logarithm of the divergence D is nearly linear with slope 2 while D is
small (D is then quadratic in 1/temperature), and where D has a finite supremum the logarithm of what is
missing to it is smooth. Newton's method on these logarithms takes few steps; a bracket guards it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import ConvergenceWarning

__all__ = ["Response", "solve_budget"]

#: Relative error of a divergence that is accepted, besides that of rounding: log-ratios are of the order of
#: the root of the budget, and known to machine precision.
_TOLERANCE, _ROUNDING = 1e-11, 1e-15
#: Differences of log temperature below this change nothing that matters.
_RESOLUTION = 1e-15
#: Larger relative errors of a divergence are worth a warning.
_WORTH_SAYING = 1e-8
_LARGEST_STEP = 4.0
_MAX_STEPS = 200
#: A budget this close to the supremum is the supremum.
_AT_SUPREMUM = 1e-14
#: Inverse temperatures are floating point numbers.
_LIMIT = 709.0


class Response(NamedTuple):
    """Divergence at an inverse temperature, and its derivative in the logarithm of that.

    Attributes
    ----------
    value, slope : array of shape (g,)
        D and ``dD/ds``.
    """

    value: FloatArray
    slope: FloatArray


def solve_budget(
    respond: Callable[[FloatArray], Response], budget: FloatArray, supremum: FloatArray, start: FloatArray
) -> FloatArray:
    """Logarithm of the inverse temperature at which the divergence equals the budget.

    Parameters
    ----------
    respond : callable
        From s, shape (g,), to a `Response`; increasing in each entry.
    budget, supremum : array of shape (g,)
        Budgets between 0 and the suprema.
    start : array of shape (g,)
        Guess.

    Returns
    -------
    array of shape (g,)
        -inf for a budget of 0, inf for the supremum.

    Warns
    -----
    ConvergenceWarning
        Where rounding errors keep the divergence away from its budget.
    """
    none, everything = budget <= 0, budget >= supremum * (1 - _AT_SUPREMUM)
    done = none | everything
    s = np.clip(np.where(done, 0.0, start), -_LIMIT, _LIMIT)
    low, high = np.full_like(s, -_LIMIT), np.full_like(s, _LIMIT)
    tolerance = _TOLERANCE * budget + _ROUNDING * np.sqrt(budget)
    last = np.full_like(s, np.inf)
    for _ in range(_MAX_STEPS):
        if done.all():
            break
        response = respond(s)
        low = np.where(response.value < budget, s, low)
        high = np.where(response.value > budget, s, high)
        error = np.abs(response.value - budget)
        newton = _newton_step(response, budget, supremum)
        used = (s + newton > low) & (s + newton < high) & (np.abs(newton) <= _LARGEST_STEP)
        used &= error <= last / 2  # else the slope is no guide: where options are given up it may be infinite
        half = np.clip((low + high) / 2 - s, -_LARGEST_STEP, _LARGEST_STEP)
        done = done | (error <= tolerance) | (high - low <= _RESOLUTION * np.maximum(1, np.abs(s)))
        s = np.where(done, s, s + np.where(used, newton, half))
        last = error
    _warn_of_errors(np.where(none | everything, 0.0, last), budget)
    return np.where(none, -np.inf, np.where(everything, np.inf, s))


def _warn_of_errors(error: FloatArray, budget: FloatArray) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(error > 0, error / budget, 0.0)
    if not (relative <= _WORTH_SAYING).all():
        k = int(np.argmax(~(relative <= _WORTH_SAYING)))
        warnings.warn(
            f"the divergence could not be brought closer to the budget {budget[k]:.6g} than {error[k]:.2g}: "
            "rounding errors rule. Look for scores that differ by little beside their size (subtract a "
            "constant per context) or are below 1e-290 (multiply them: temperatures are numbers too), or for "
            "an f of a custom divergence that cancels near 1",
            ConvergenceWarning,
            stacklevel=2,
        )


def _newton_step(response: Response, budget: FloatArray, supremum: FloatArray) -> FloatArray:
    """Newton's step for the logarithm of D, or of what D lacks to its supremum; NaN where there is none."""
    value, slope = response
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        below = (np.log(budget) - np.log(value)) * value / slope
        missing = supremum - value
        above = (np.log(missing) - np.log(supremum - budget)) * missing / slope
    return np.where(budget <= supremum / 2, below, above)
