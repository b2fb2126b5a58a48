"""The logistic fit from which every link-free fit starts."""

from __future__ import annotations

from semiindex.link.parametric import LogisticLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.preconditioner import thinned_rows
from semiindex.optimize.penalty import NO_PENALTY, Penalty
from semiindex.optimize.separable import SeparableFit, fit_separable

__all__ = ["logistic_pilot"]

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


def _logistic(sample: IndexSample, shift: bool, penalty: Penalty, max_iter: int, tol: float) -> SeparableFit:
    objective = KnownLinkObjective(LogisticLink(), shift=shift)
    return fit_separable(sample, objective, penalty=penalty, tol=tol, max_iter=max_iter)
