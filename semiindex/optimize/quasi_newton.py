"""Preconditioned limited-memory BFGS for smooth objectives.

scipy's L-BFGS-B starts with a step of unit length and knows no preconditioner; with a Gauss-Newton
matrix at hand the natural first step is the whole one, and a warm-started fit of a large sample
then needs a handful of passes over the data instead of dozens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.optimize.preconditioner import Preconditioner

__all__ = ["Minimum", "minimize"]

_MEMORY = 12
_ARMIJO = 1e-4
_MAX_HALVINGS = 30


@dataclass(frozen=True)
class Minimum:
    """Where an iteration ended.

    Attributes
    ----------
    x : array of shape (r,)
        Final parameters.
    value : float
        Objective there.
    decrement : float
        ``g' H^{-1} g``, twice the predicted decrease of the objective.
    n_iter : int
        Steps taken.
    converged : bool
        Whether the decrement reached the tolerance.
    reason : str
        Why the iteration ended.
    values : tuple of float
        Objective after every step, the start included.
    """

    x: FloatArray
    value: float
    decrement: float
    n_iter: int
    converged: bool
    reason: str
    values: tuple[float, ...]


class _History:
    """Step and gradient differences of the last iterations."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[FloatArray, FloatArray, float]] = deque(maxlen=_MEMORY)

    def __len__(self) -> int:
        return len(self._pairs)

    def clear(self) -> None:
        self._pairs.clear()

    def add(self, step: FloatArray, change: FloatArray) -> None:
        product = float(step @ change)
        if product > 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(change)):
            self._pairs.append((step, change, 1.0 / product))

    def apply(self, gradient: FloatArray, precondition: Preconditioner) -> FloatArray:
        """Two-loop recursion: the quasi-Newton inverse Hessian times the gradient."""
        vector = gradient.copy()
        multipliers = []
        for step, change, rho in reversed(self._pairs):
            multiplier = rho * float(step @ vector)
            multipliers.append(multiplier)
            vector -= multiplier * change
        vector = precondition(vector)
        for (step, change, rho), multiplier in zip(self._pairs, reversed(multipliers), strict=True):
            vector += (multiplier - rho * float(change @ vector)) * step
        return vector


def minimize(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    precondition: Callable[[FloatArray], Preconditioner],
    *,
    tolerance: float,
    max_iter: int,
    interrupt: Callable[[FloatArray], str | None] = lambda _: None,
) -> Minimum:
    """Minimise a smooth function.

    Parameters
    ----------
    function : callable
        ``x -> (value, gradient)``.
    start : array of shape (r,)
        Start.
    precondition : callable
        ``x -> (g -> H^{-1} g)``; asked for after `function` at the same x, once per step.
    tolerance : float
        The iteration ends when ``g' H^{-1} g <= tolerance``.
    max_iter : int
        Largest number of steps.
    interrupt : callable, optional
        ``x -> reason`` to stop at once (for example separated data), or None.

    Returns
    -------
    Minimum
    """
    x = start
    value, gradient = function(x)
    values = [value]
    history = _History()
    n_iter, reason, decrement = 0, "", np.inf
    while True:
        solve = precondition(x)
        direction = -history.apply(gradient, solve)
        decrement = -float(gradient @ direction)
        if decrement <= 0:  # the memory has lost positive definiteness to rounding
            history.clear()
            direction = -solve(gradient)
            decrement = -float(gradient @ direction)
        if decrement <= tolerance:
            return Minimum(x, value, decrement, n_iter, True, "tolerance reached", tuple(values))
        reason = interrupt(x) or ""
        if reason or n_iter >= max_iter:
            break
        accepted = _search(function, x, value, direction, decrement)
        if accepted is None:
            if len(history) == 0:
                reason = "no further decrease along the search direction"
                break
            history.clear()
            continue
        new_x, new_value, new_gradient = accepted
        history.add(new_x - x, new_gradient - gradient)
        x, value, gradient = new_x, new_value, new_gradient
        values.append(value)
        n_iter += 1
    reason = reason or f"{max_iter} iterations"
    return Minimum(x, value, decrement, n_iter, False, reason, tuple(values))


def _search(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    x: FloatArray,
    value: float,
    direction: FloatArray,
    decrement: float,
) -> tuple[FloatArray, float, FloatArray] | None:
    """Halve the step until the value falls enough; None where it does not.

    Close to the optimum the decrease is lost in the rounding of the value: there a step is taken
    if it does not raise the value by more than rounding and shrinks the directional derivative.
    """
    length = 1.0
    noise = 1e-14 * (1 + abs(value))
    for _ in range(_MAX_HALVINGS):
        trial = x + length * direction
        trial_value, trial_gradient = function(trial)
        if np.isfinite(trial_value):
            if trial_value <= value - _ARMIJO * length * decrement:
                return trial, trial_value, trial_gradient
            if trial_value <= value + noise and abs(float(trial_gradient @ direction)) < 0.9 * decrement:
                return trial, trial_value, trial_gradient
        length /= 2
    return None
