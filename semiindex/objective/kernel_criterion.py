"""What the two orthogonal criteria share: the choice of the smoothing, and a link for predictions."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import LinkFitError
from semiindex.link.base import Link
from semiindex.link.kernel_regression import prior_label
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.objective.base import Objective
from semiindex.objective.smoothing import SmoothingRule, fit_smoothing
from semiindex.objective.spline import SplineObjective
from semiindex.objective.unit_index import root_mean_square

__all__ = ["KernelCriterion"]

#: Above this number of rows the sample is compressed to a grid of index values.
_COMPRESSION_THRESHOLD = 20_000
#: Slope of the logit, per root mean square of the index, of a link that passes for a step.
_STEP = 20.0


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
        self._prior = prior_label(z, weight, antisymmetric=self.antisymmetric)
        self.smoothing, self._nodes = fit_smoothing(
            self.rule,
            t,
            z,
            weight,
            antisymmetric=self.antisymmetric,
            threshold=self.compression_threshold,
        )

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Monotone spline link of this index: kernel regressions need not be monotone.

        Labels that the index separates, as it does in classes of a few comparisons, may drive the spline to a
        step that its solver does not reach; there its slope is bounded at what looks like one.
        """
        try:
            return self._fit_spline(MonotoneSpline(), t, z, weight)
        except LinkFitError:
            bound = _STEP / (root_mean_square(t, weight) or 1.0)
            return self._fit_spline(MonotoneSpline(max_slope=bound), t, z, weight)

    def _fit_spline(self, spline: MonotoneSpline, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        link = SplineObjective(spline, antisymmetric=self.antisymmetric)
        link.update(t, z, weight)
        return link.fit_link(t, z, weight)

    @staticmethod
    def _require_finite(gradient: FloatArray) -> FloatArray:
        """The derivative, unless it is none: a search would end where it began, and look like a fit."""
        if not np.isfinite(gradient).all():
            raise LinkFitError(
                "The derivative of the kernel criterion is not finite at some comparisons: features or "
                "weights of very different size overflow. Rescale the features, or look for outliers"
            )
        return gradient
