"""Projected Newton method for a smooth convex function of a few variables in a box."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from semiindex._types import FloatArray

__all__ = ["minimize_in_box"]

Derivatives = tuple[float, FloatArray, FloatArray]

_SHORTEST = 1e-10


def minimize_in_box(
    function: Callable[[FloatArray], Derivatives],
    value_only: Callable[[FloatArray], float],
    start: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    tolerance: float = 1e-13,
    max_iter: int = 100,
) -> tuple[FloatArray, bool]:
    """Minimise a convex function subject to ``lower <= x <= upper`` (Bertsekas 1982).

    Variables at a bound whose derivative pushes outward are held there; the others take a Newton
    step, projected on the box, halved until the value falls. Quadratic convergence once the active
    set is right, which a dozen variables reach in a few steps; scipy's bounded solvers are first
    order or work on least squares only.

    Parameters
    ----------
    function : callable
        ``x -> (value, gradient, Hessian)``, Hessian positive definite.
    value_only : callable
        ``x -> value``.
    start, lower, upper : arrays of shape (k,)
        Start and bounds (may be infinite).
    tolerance : float
        Stops when the predicted decrease is below `tolerance` times ``1 + |value|``.
    max_iter : int
        Largest number of Newton steps.

    Returns
    -------
    x : array of shape (k,)
        Minimiser.
    converged : bool
        Whether the tolerance was reached.
    """
    x = np.clip(start, lower, upper)
    for _ in range(max_iter):
        value, gradient, hessian = function(x)
        step = _newton_step(x, gradient, hessian, lower, upper)
        decrement = -float(np.dot(gradient, step))
        if decrement <= tolerance * (1 + abs(value)):
            return x, True
        if decrement > 2 * value > 0:
            # No quadratic that stays above 0 falls that fast: far out, where a loss is linear, its Hessian
            # is next to nothing, and halving the step would not end at a length that helps.
            step *= 2 * value / decrement
        for length, trial in _along(x, step, lower, upper):
            expected = -float(np.dot(gradient, trial - x))
            if value_only(trial) <= value - 1e-4 * expected:
                x = trial
                break
            if length < _SHORTEST:
                # The decrease is lost in rounding: as good as a double can tell.
                return x, decrement <= 1e-8 * (1 + abs(value))
    return x, False


def _newton_step(
    x: FloatArray, gradient: FloatArray, hessian: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Newton step of the variables that are not held at a bound.

    Held are those that the gradient pushes outward, and those that the step of the others would
    take outward: cut off at the bound, the rest of the step need not lead downhill.
    """
    free = ~(((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0)))
    while True:
        step = np.zeros_like(x)
        if not free.any():
            return step
        step[free] = -cho_solve(cho_factor(hessian[np.ix_(free, free)]), gradient[free])
        outward = ((x <= lower) & (step < 0)) | ((x >= upper) & (step > 0))
        if not outward.any():
            return step
        free &= ~outward


def _along(
    x: FloatArray, step: FloatArray, lower: FloatArray, upper: FloatArray
) -> Iterator[tuple[float, FloatArray]]:
    """Projected points at halved lengths, among them the one where the first variable meets a bound.

    Up to there the path is straight, hence leads downhill: without that point the halvings would
    creep towards the bound and never hold the variable there.
    """
    room = np.where(step < 0, x - lower, np.where(step > 0, upper - x, np.inf))
    reach = float(np.min(room / np.maximum(np.abs(step), 1e-300)))
    length = 1.0
    while True:
        trial = np.clip(x + length * step, lower, upper)
        if length == reach:
            met = room <= reach * np.abs(step) * (1 + 1e-12)
            trial = np.where(met, np.where(step < 0, lower, upper), trial)
        yield length, trial
        half = length / 2
        length = reach if (half < reach < length) or (half < _SHORTEST and reach < half) else half
