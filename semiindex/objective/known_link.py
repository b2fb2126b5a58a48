"""Log loss under a known link, with or without a free shift of the link."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.base import Link
from semiindex.link.parametric import LapsedLink, ParametricLink
from semiindex.objective.base import Evaluation, Objective

__all__ = ["KnownLinkObjective"]

_MAX_SHIFT_STEPS = 50
#: Predicted decrease of the loss below which a step is lost in its rounding; the envelope gradient
#: then errs by the square root of it, far below any tolerance of the outer problem.
_SHIFT_TOLERANCE = 1e-17


class KnownLinkObjective(Objective):
    """``mean of -z log G(t + b) - (1 - z) log(1 - G(t + b))``, G known.

    Parameters
    ----------
    link : ParametricLink
        G; logistic for Bradley-Terry and DPO, normal for Thurstone.
    shift : bool, default=False
        Whether a shift b of the link (a position effect) is profiled out. An antisymmetric model
        has none.
    """

    def __init__(self, link: ParametricLink, *, shift: bool = False) -> None:
        self.link = link
        self.shift = shift
        self.nuisance = "shift" if shift else "none"
        self.antisymmetric = not shift and link.antisymmetric
        self._b = 0.0

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and Fisher information; see `Objective.evaluate`."""
        if self.shift:
            self._b = self._profile_shift(t, z, weight)
            t = t + self._b
        value, gradient, information = self._terms(t, z)
        share = weight / np.sum(weight)
        return Evaluation(float(np.dot(share, value)), share * gradient, lambda: share * information)

    def _terms(self, t: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss, its derivative and the Fisher information of every row."""
        log_p, log_q = self.link.log_probability(t), self.link.log_complement(t)
        up, down = self.link.reversed_hazard(t), self.link.hazard(t)
        loss = -z * log_p - (1 - z) * log_q
        # The Fisher information Psi'^2 / (Psi (1 - Psi)) is the product of the two hazards.
        return loss, (1 - z) * down - z * up, up * down

    def _profile_shift(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> float:
        """Minimise over b by Fisher scoring with halving, from the last b."""
        share = weight / np.sum(weight)
        b = self._b
        value, gradient, information = self._terms(t + b, z)
        best = float(np.dot(share, value))
        for _ in range(_MAX_SHIFT_STEPS):
            slope, bend = float(np.dot(share, gradient)), float(np.dot(share, information))
            step = -slope / max(bend, 1e-12)
            if abs(slope * step) <= _SHIFT_TOLERANCE * (1 + best):
                break
            for _halving in range(40):
                trial = self._terms(t + b + step, z)
                trial_value = float(np.dot(share, trial[0]))
                if trial_value <= best:
                    break
                step /= 2
            else:
                break
            b, best, (value, gradient, information) = b + step, trial_value, trial
        return b

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """The known link, shifted where a shift is free."""
        if not self.shift:
            return self.link
        return LapsedLink(self.link, shift=self._profile_shift(t, z, weight))

    def offset(self) -> float:
        """The last b."""
        return self._b
