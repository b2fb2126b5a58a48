"""Fit of a loss that separated data drive to infinity: a known link's likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from semiindex._types import FloatArray
from semiindex.objective.base import Objective
from semiindex.optimize.fit import IndexSample, Interrupt, fit_index
from semiindex.optimize.penalty import NO_PENALTY, Penalty, TieBreaker
from semiindex.optimize.quasi_newton import Minimum
from semiindex.optimize.separation import is_quasi_separated, separates

__all__ = ["SeparableFit", "fit_separable"]

Separation: TypeAlias = Literal["none", "quasi", "complete", "divergent"]

_SEPARATED = "the data are separated"
#: Index beyond which a finite maximum of the likelihood is in doubt: log odds of 15 are three in
#: ten million.
_SUSPICIOUS_INDEX = 15.0
#: ... if besides the curvature in some direction is below this share of the mean one.
_FLAT = 1e-3
#: Number of parameters up to which that is looked at.
_MOST_PARAMETERS = 2_000
#: Root mean square of an index that has not converged beyond which it is taken to grow for ever. A
#: link with lapses need not be separated for that: a step may fit best.
_DIVERGED = 1e3
#: Strengths of the vanishing ridge: the first one, as a rule; where the margin of the separation is
#: narrow it takes a smaller one to keep to it.
_STRENGTHS = (1e-6, 1e-8, 1e-10, 1e-12)


@dataclass(frozen=True)
class SeparableFit:
    """Fit under a known link.

    Attributes
    ----------
    minimum : Minimum
        In whitened coordinates.
    separation : {"none", "quasi", "complete", "divergent"}
        What was found; for all but the first the vanishing `TieBreaker` made the answer finite (it
        leaves a penalised fit alone).
    """

    minimum: Minimum
    separation: Separation


def fit_separable(
    sample: IndexSample,
    objective: Objective,
    *,
    penalty: Penalty = NO_PENALTY,
    start: FloatArray | None = None,
    tol: float = 1e-3,
    max_iter: int = 200,
) -> SeparableFit:
    """Minimise a loss with a known link; see `fit_index` for the parameters.

    Without a penalty, an index that orders every comparison rightly stops the iteration at once:
    the likelihood then grows along it for ever, and the fit starts again with `TieBreaker`.
    """
    start = np.zeros(sample.design.n_parameters) if start is None else start

    def separated(_: FloatArray, t: FloatArray) -> str | None:
        return _SEPARATED if separates(sample, t) else None

    watch = separated if penalty is NO_PENALTY else None
    minimum = fit_index(
        sample, objective, start, penalty=penalty, tol=tol, max_iter=max_iter, interrupt=watch
    )
    if watch is None:
        return SeparableFit(minimum, "none")
    t = sample.design.matvec(minimum.x)
    separation: Separation = "none"
    if separated(minimum.x, t):
        separation = "complete"
    elif _is_suspicious(sample, objective, t) and is_quasi_separated(sample):
        separation = "quasi"
    elif not minimum.converged and np.average(t**2, weights=sample.weight) > _DIVERGED**2:
        separation = "divergent"
    if separation != "none":
        minimum = _fit_separated(
            sample, objective, separated, complete=separation == "complete", tol=tol, max_iter=max_iter
        )
    return SeparableFit(minimum, separation)


def _is_suspicious(sample: IndexSample, objective: Objective, t: FloatArray) -> bool:
    """Whether a finite maximum of the likelihood is in doubt, so that the linear program is worth its time.

    Along a direction that no label contradicts, the index grows until the curvature is gone.
    """
    if np.abs(t).max() <= _SUSPICIOUS_INDEX or sample.design.n_parameters > _MOST_PARAMETERS:
        return False
    curvature = objective.evaluate(t, sample.z, sample.weight).curvature()
    eigenvalues = np.linalg.eigvalsh(sample.design.gram(curvature))
    return bool(eigenvalues[0] < _FLAT * np.mean(eigenvalues))


def _fit_separated(
    sample: IndexSample,
    objective: Objective,
    separated: Interrupt,
    *,
    complete: bool,
    tol: float,
    max_iter: int,
) -> Minimum:
    """The fit under a vanishing ridge, which vanishes until it separates what can be separated."""
    x: FloatArray = np.zeros(sample.design.n_parameters)
    values: tuple[float, ...] = ()
    n_iter = 0
    for strength in _STRENGTHS:
        minimum = fit_index(sample, objective, x, penalty=TieBreaker(strength), tol=tol, max_iter=max_iter)
        x, values, n_iter = minimum.x, values + minimum.values, n_iter + minimum.n_iter
        if not complete or separated(x, sample.design.matvec(x)):
            break
    return replace(minimum, values=values, n_iter=n_iter)
