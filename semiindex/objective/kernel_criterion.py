"""What the two orthogonal criteria share: the choice of the smoothing, and a link for predictions."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.base import Link
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.objective.base import Objective
from semiindex.objective.smoothing import SmoothingRule, fit_smoothing
from semiindex.objective.spline import SplineObjective

__all__ = ["KernelCriterion"]

#: Above this number of rows the sample is compressed to a grid of index values.
_COMPRESSION_THRESHOLD = 20_000


class KernelCriterion(Objective):
    """A criterion of the index whose link is a kernel regression on the normal scores of a pilot index.

    Parameters
    ----------
    rule : SmoothingRule
        Kernel, bandwidth, and bound of the fitted probabilities.
    antisymmetric : bool
        Use the doubled sample; a row and its mirror image are one unit.
    compression_threshold : int, default=20000
        Number of rows above which the sample is compressed to a grid (see `Grid`).

    Attributes
    ----------
    smoothing : Smoothing
        Scale, kernel and bandwidth in use, after `update`.
    n_trimmed : float
        Weight of the comparisons whose fitted probability the last evaluation held at the bound.
    """

    nuisance = "link"

    def __init__(
        self,
        rule: SmoothingRule,
        *,
        antisymmetric: bool,
        compression_threshold: int = _COMPRESSION_THRESHOLD,
    ) -> None:
        self.rule = rule
        self.antisymmetric = antisymmetric
        self.compression_threshold = compression_threshold
        self.n_trimmed = 0.0

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Fix the scale of the smoothing, the bandwidth, and the grid of a large sample."""
        self._prior = 0.5 if self.antisymmetric else float(np.dot(weight, z) / np.sum(weight))
        self.smoothing, self._nodes = fit_smoothing(
            self.rule,
            t,
            z,
            weight,
            antisymmetric=self.antisymmetric,
            threshold=self.compression_threshold,
        )

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Monotone spline link of this index: kernel regressions need not be monotone."""
        link = SplineObjective(MonotoneSpline(), antisymmetric=self.antisymmetric)
        link.update(t, z, weight)
        return link.fit_link(t, z, weight)
