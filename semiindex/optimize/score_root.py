"""Root of a piecewise constant estimating equation (the isotonic score).

The score jumps from one constant to the next, so it crosses zero between two of its values rather
than vanish. A preconditioned Newton iteration with halved steps comes to a point from which no step
shortens it; the remaining length, in standard errors, says whether that is a crossing. On the
study designs it is 0.005 at n = 4000 and 0.1 at n = 300, from any start.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semiindex._types import FloatArray
from semiindex.optimize.preconditioner import Preconditioner
from semiindex.optimize.quasi_newton import Minimum

__all__ = ["find_root"]

_MAX_HALVINGS = 6
#: Square of the ratio of the largest jump that counts as a crossing to the usual one.
_JUMP = 16
_LONGEST = 1e3


def find_root(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    precondition: Callable[[FloatArray], Preconditioner],
    *,
    tolerance: float,
    crossing: float,
    slack: float = np.inf,
    max_iter: int,
    scale_free: bool = False,
) -> Minimum:
    """Find where a score crosses zero.

    Parameters
    ----------
    function : callable
        ``x -> (value, score)``; the value is what the score should not raise.
    start : array of shape (r,)
        Start.
    precondition : callable
        ``x -> (s -> J^{-1} s)``, J an approximate, symmetric Jacobian of the score.
    tolerance : float
        The iteration ends when ``s' J^{-1} s <= tolerance``.
    crossing : float
        Where no step shortens the score, it counts as crossing zero if ``s' J^{-1} s <= crossing``,
        or up to 16 times that if it changes sign along the step: the jump itself is that large.
    slack : float
        Steps that raise the value by more than this are refused: far from the root a score may
        shorten on the wrong side, with the index reversed.
    max_iter : int
        Largest number of steps.
    scale_free : bool, default=False
        Whether the score is that of a direction, homogeneous of degree -1. Tangent steps lengthen
        such a point without end; it is then brought back to unit length.

    Returns
    -------
    Minimum
        The visited point of least norm ``s' J^{-1} s`` in the last metric.
    """
    x = start
    value, score = function(x)
    values = [value]
    for n_iter in range(max_iter):
        solve = precondition(x)
        step = -solve(score)
        norm = -float(score @ step)
        if norm <= tolerance:
            return Minimum(x, value, norm, n_iter, True, "tolerance reached", tuple(values))
        accepted, changes_sign = None, False
        for halving in range(_MAX_HALVINGS):
            trial = x + step / 2**halving
            trial_value, trial_score = function(trial)
            shorter = float(trial_score @ solve(trial_score)) < norm * (1 - 0.1 / 2**halving)
            if shorter and trial_value <= value + slack:
                accepted = trial, trial_value, trial_score
                break
            changes_sign = changes_sign or float(trial_score @ step) > 0
        if accepted is None:
            crossed = norm <= (_JUMP * crossing if changes_sign else crossing)
            reason = (
                "the score crosses zero between two of its steps"
                if crossed
                else "no step shortens the score, yet it is far from zero"
            )
            return Minimum(x, value, norm, n_iter, crossed, reason, tuple(values))
        x, value, score = accepted
        values.append(value)
        length = float(np.linalg.norm(x)) if scale_free else 1.0
        if length > _LONGEST:  # seldom: the next step has to look at the point again
            x, score = x / length, score * length
    norm = float(score @ precondition(x)(score))
    return Minimum(x, value, norm, max_iter, norm <= crossing, f"{max_iter} iterations", tuple(values))
