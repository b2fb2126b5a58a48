"""Fits under a known link with a shift, and the logistic one from which every link-free fit starts."""

from __future__ import annotations

from dataclasses import replace

from semiindex.index.shift import ShiftedDesign
from semiindex.link.parametric import CauchitLink, LogisticLink, ParametricLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.penalty import NO_PENALTY, Penalty
from semiindex.optimize.preconditioner import thinned_rows
from semiindex.optimize.separable import SeparableFit, fit_separable

__all__ = ["fit_with_shift", "logistic_pilot", "robust_pilot"]

#: Rows from which the pilot of a large sample is estimated.
_PILOT_ROWS = 20_000
#: Accuracy of the pilot, in standard errors.
_PILOT_TOLERANCE = 0.03


def logistic_pilot(
    sample: IndexSample, *, shift: bool, penalty: Penalty = NO_PENALTY, max_iter: int = 200
) -> SeparableFit:
    """Logistic fit from which every link-free fit starts.

    A large sample is thinned: the pilot only has to be near. Where the thinned sample looks
    separated the whole sample decides.
    """
    if sample.z.size > _PILOT_ROWS:
        part = sample.take(thinned_rows(sample.z.size, _PILOT_ROWS))
        pilot = _logistic(part, shift, penalty, max_iter, _PILOT_TOLERANCE)
        if pilot.separation != "complete":
            return pilot
    # Separated data take their direction from the pilot, so that it must be accurate.
    return _logistic(sample, shift, penalty, max_iter, 1e-4 if sample.z.size <= _PILOT_ROWS else 1e-2)


def robust_pilot(sample: IndexSample, *, shift: bool, max_iter: int = 200) -> SeparableFit:
    """Fit under the Cauchit link, whose heavy tails discount answers against the index.

    A second start beside the logistic one: lapses and flips bend it less.
    """
    if shift:
        fit, _ = fit_with_shift(
            sample, CauchitLink(), penalty=NO_PENALTY, tol=_PILOT_TOLERANCE, max_iter=max_iter
        )
        return fit
    return fit_separable(sample, KnownLinkObjective(CauchitLink()), tol=_PILOT_TOLERANCE, max_iter=max_iter)


def _logistic(sample: IndexSample, shift: bool, penalty: Penalty, max_iter: int, tol: float) -> SeparableFit:
    if not shift:
        objective = KnownLinkObjective(LogisticLink())
        return fit_separable(sample, objective, penalty=penalty, tol=tol, max_iter=max_iter)
    fit, _ = fit_with_shift(sample, LogisticLink(), penalty=penalty, tol=tol, max_iter=max_iter)
    return fit


def fit_with_shift(
    sample: IndexSample, link: ParametricLink, *, penalty: Penalty, tol: float, max_iter: int
) -> tuple[SeparableFit, float]:
    """Fit under a known link whose shift is free.

    Returns
    -------
    fit : SeparableFit
        Parameters of the index alone.
    shift : float
        The b in ``G(t + b)``: the effect of position.
    """
    shifted = replace(sample, design=ShiftedDesign(sample.design))
    objective = KnownLinkObjective(link)
    fit = fit_separable(shifted, objective, penalty=penalty, tol=tol, max_iter=max_iter)
    x = fit.minimum.x
    return replace(fit, minimum=replace(fit.minimum, x=x[:-1])), float(x[-1])
