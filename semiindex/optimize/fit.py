"""Fit of an index under an objective: the driver that knows neither features nor losses.

A sample of moderate size is fitted by quasi-Newton steps whose preconditioner is renewed at every
step. A large one is fitted first on a subsample; its Gauss-Newton matrix then preconditions the
full sample, where a few passes remain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import UnboundedObjectiveError
from semiindex.index.whitening import WhitenedDesign
from semiindex.objective.base import Evaluation, Objective
from semiindex.optimize.penalty import NO_PENALTY, Penalty
from semiindex.optimize.preconditioner import GaussNewton, Preconditioner, thinned_rows
from semiindex.optimize.quasi_newton import Minimum, minimize
from semiindex.optimize.score_root import find_root

__all__ = ["IndexSample", "fit_index"]

#: ``(phi, t) -> reason`` to stop at once, or None to go on.
Interrupt = Callable[[FloatArray, FloatArray], str | None]

#: Above this number of rows a fit starts on a subsample.
_STAGE_THRESHOLD = 50_000
#: The subsample has a tenth of the rows, at least this number.
_STAGE_MINIMUM = 20_000
#: Smallest distance from the root of a score that jumps, in standard errors, that is worth a step.
_SCORE_TOLERANCE = 0.02
#: Log likelihood that a step towards the root of a score may cost: the isotonic likelihood is not
#: what the score maximises, but a point that costs more than this is not near its root.
_LOSS_SLACK = 5.0
#: Accuracy of a fit that only starts another one, in standard errors.
_STAGE_TOLERANCE = 0.1


@dataclass(frozen=True)
class IndexSample:
    """Design, labels and weights of the comparisons that a fit uses.

    Attributes
    ----------
    design : WhitenedDesign
        Operator of the index class.
    z : array of shape (n,)
        Labels in [0, 1].
    weight : array of shape (n,)
        Frequency weights, positive.
    """

    design: WhitenedDesign
    z: FloatArray
    weight: FloatArray

    def take(self, rows: IntArray) -> IndexSample:
        """A subsample."""
        return IndexSample(self.design.take(rows), self.z[rows], self.weight[rows])


class _Problem:
    """Objective, penalty and sample as one function of the parameters."""

    def __init__(self, sample: IndexSample, objective: Objective, penalty: Penalty) -> None:
        self.sample, self.objective, self.penalty = sample, objective, penalty
        self._gauss_newton = GaussNewton(sample.design, objective, penalty)
        self._x: FloatArray | None = None

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray]:
        sample = self.sample
        t = sample.design.matvec(x)
        evaluation = self.objective.evaluate(t, sample.z, sample.weight)
        penalty, shrink = self.penalty.value_and_gradient(sample.design, x)
        self._x, self._t, self._evaluation = x, t, evaluation
        return evaluation.value + penalty, sample.design.rmatvec(evaluation.gradient) + shrink

    def at(self, x: FloatArray) -> tuple[FloatArray, Evaluation]:
        """Index and evaluation at x, from the last call where it was there."""
        if self._x is not x:
            self(x)
        return self._t, self._evaluation

    def gauss_newton(self, x: FloatArray) -> Preconditioner:
        """The preconditioner at x."""
        return self._gauss_newton.at(x, *self.at(x))

    def check_bounded(self, x: FloatArray) -> None:
        """Raise where the objective is seen to fall without bound (no penalty holds it)."""
        if self.penalty is NO_PENALTY:
            t, _ = self.at(x)
            reason = self.objective.unbounded_reason(t, self.sample.z, self.sample.weight)
            if reason is not None:
                raise UnboundedObjectiveError(reason)


def fit_index(
    sample: IndexSample,
    objective: Objective,
    start: FloatArray,
    *,
    penalty: Penalty = NO_PENALTY,
    tol: float = 1e-3,
    max_iter: int = 200,
    interrupt: Interrupt | None = None,
) -> Minimum:
    """Minimise an objective over an index class, or solve its estimating equation.

    Parameters
    ----------
    sample : IndexSample
        Comparisons, their design in whitened coordinates.
    objective : Objective
        Criterion on the index vector.
    start : array of shape (r,)
        Start in whitened coordinates.
    penalty : Penalty, optional
        Added to the objective.
    tol : float, default=1e-3
        Largest distance from the solution, in standard errors: the iteration ends when
        ``g' H^{-1} g <= tol^2 / sum(w)``, H the Gauss-Newton matrix. A tolerance in units of the
        sampling error means the same for every sample size, scale and number of features.
    max_iter : int, default=200
        Largest number of steps.
    interrupt : callable, optional
        ``(x, t) -> reason`` to stop early, or None to go on.

    Returns
    -------
    Minimum
        In whitened coordinates.
    """
    if sample.z.size <= _STAGE_THRESHOLD:
        return _fit_once(_Problem(sample, objective, penalty), start, tol, max_iter, interrupt, None)
    rows = thinned_rows(sample.z.size, max(_STAGE_MINIMUM, sample.z.size // 10))
    part = _Problem(sample.take(rows), objective.for_rows(rows), penalty)
    whole = _Problem(sample, objective, penalty)
    try:
        first = _fit_once(part, start, max(tol, _STAGE_TOLERANCE), max_iter, None, None)
    except UnboundedObjectiveError:  # of the part, which proves nothing of the whole
        return _fit_once(whole, start, tol, max_iter, interrupt, None)
    return _fit_once(whole, first.x, tol, max_iter, interrupt, part.gauss_newton(first.x))


def _fit_once(
    problem: _Problem,
    start: FloatArray,
    tol: float,
    max_iter: int,
    interrupt: Interrupt | None,
    preconditioner: Preconditioner | None,
) -> Minimum:
    """One stage, with a given preconditioner or one renewed at every step."""
    sample, objective = problem.sample, problem.objective
    objective.update(sample.design.matvec(start), sample.z, sample.weight)
    # Weights that are fractions of frequencies must not make a sloppy fit.
    total = max(float(np.sum(sample.weight)), sample.z.size)
    resolution = objective.resolution()

    def precondition(x: FloatArray) -> Preconditioner:
        return problem.gauss_newton(x) if preconditioner is None else preconditioner

    if objective.is_score:
        return find_root(
            problem,
            start,
            precondition,
            tolerance=max(tol, _SCORE_TOLERANCE) ** 2 / total,
            crossing=max(tol, resolution) ** 2 / total,
            slack=_LOSS_SLACK / total,
            max_iter=max_iter,
            scale_free=objective.scale_free,
        )

    def stop(x: FloatArray) -> str | None:
        problem.check_bounded(x)
        return None if interrupt is None else interrupt(x, problem.at(x)[0])

    return minimize(
        problem,
        start,
        precondition,
        tolerance=max(tol, resolution) ** 2 / total,
        max_iter=max_iter,
        interrupt=stop,
    )
