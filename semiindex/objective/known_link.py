"""Log loss under a known link."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.base import Link
from semiindex.link.parametric import ParametricLink
from semiindex.objective.base import Evaluation, Objective

__all__ = ["KnownLinkObjective"]


class KnownLinkObjective(Objective):
    """``mean of -z log G(t) - (1 - z) log(1 - G(t))``, G known; :eq:`log-loss`.

    Parameters
    ----------
    link : ParametricLink
        G; logistic for Bradley-Terry and DPO, normal for Thurstone.
    """

    def __init__(self, link: ParametricLink) -> None:
        self.link = link
        self.antisymmetric = link.antisymmetric

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and Fisher information; see `Objective.evaluate`."""
        share = weight / np.sum(weight)
        log_p, log_q = self.link.log_probability(t), self.link.log_complement(t)
        up, down = self.link.reversed_hazard(t), self.link.hazard(t)
        loss = -z * log_p - (1 - z) * log_q
        # The Fisher information Psi'^2 / (Psi (1 - Psi)) is the product of the two hazards.
        return Evaluation(
            float(np.dot(share, loss)), share * ((1 - z) * down - z * up), lambda: share * up * down
        )

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """The known link."""
        return self.link
