"""The pseudo-likelihood of Klein & Spady (1993): the link is a leave-one-out kernel regression.

    L(t) = - sum_i w_i [ z_i log g_{-i}(u_i) + (1 - z_i) log(1 - g_{-i}(u_i)) ] / sum w,

    g_{-i}(u) = sum_{j != i} w_j z_j K((u - u_j) / h) / sum_{j != i} w_j K((u - u_j) / h),

u the normal score of t (`NormalScore`), fixed by a pilot index. The link need not be monotone. L is a
smooth function of the index, and its derivative runs through the query u_i *and* through every memory
point u_j: that second part is what centres the score at E[D | t] and makes the estimator efficient.
"""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.kernel_regression import FoldedSums
from semiindex.objective.base import Evaluation
from semiindex.objective.fold import fold
from semiindex.objective.kernel_criterion import KernelCriterion
from semiindex.objective.leave_one_out import LeaveOneOut, Masses
from semiindex.objective.smoothing import Nodes

__all__ = ["KleinSpadyObjective"]


class KleinSpadyObjective(KernelCriterion):
    """Leave-one-out kernel likelihood of the index.

    Parameters
    ----------
    rule : SmoothingRule
        Kernel, bandwidth, and bound of the fitted probabilities.
    antisymmetric : bool
        Fit the doubled sample, original and mirror image left out together.
    compression_threshold : int, default=20000
        Number of rows above which the sample is compressed to a grid (see `Grid`). The value is then
        that of the compressed sample, and its derivative is exact for it.

    Attributes
    ----------
    smoothing, n_trimmed
        As in `KernelCriterion`.
    """

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, full derivative and curvature; see `Objective.evaluate`."""
        folded = fold(t, z, self.antisymmetric)
        if self._nodes is None:
            value, gradient, information = self._on_rows(folded.t, folded.z, weight)
        else:
            value, gradient, information = self._on_nodes(self._nodes, folded.t, folded.z, weight)
        share = weight / np.sum(weight)
        return Evaluation(
            value, folded.unfold_gradient(self._require_finite(gradient)), lambda: share * information
        )

    def _on_rows(
        self, t: FloatArray, z: FloatArray, weight: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Value, derivative, and information in every row, of a sample of moderate size."""
        order = np.argsort(t, kind="stable")
        scale = self.smoothing.scale
        criterion = self._criterion(scale.score(t[order]), Masses.of_rows(z[order], weight[order]), None)
        slope = scale.slope(t[order])
        gradient, information = np.empty_like(t), np.empty_like(t)
        gradient[order] = criterion.by_point() * slope
        information[order] = criterion.information() * slope**2
        return criterion.value, gradient, information

    def _on_nodes(
        self, nodes: Nodes, t: FloatArray, z: FloatArray, weight: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """The same of a large sample: the value is a function of the masses at the nodes."""
        binned = nodes.grid.compress(t, z, weight)
        criterion = self._criterion(
            nodes.points, Masses.of_nodes(*binned.counts, unit=nodes.unit), nodes.sums
        )
        gradient = binned.binned_gradient(*criterion.by_masses()) / np.sum(weight)
        return criterion.value, gradient, (criterion.information() * nodes.slope**2)[binned.segment]

    def _criterion(self, points: FloatArray, masses: Masses, sums: FoldedSums | None) -> LeaveOneOut:
        criterion = LeaveOneOut(
            points,
            masses,
            self.smoothing.kernel,
            self.smoothing.bandwidth,
            antisymmetric=self.antisymmetric,
            prior=self._prior,
            bound=self.rule.bound,
            sums=sums,
        )
        self.n_trimmed = float(np.sum(criterion.touched))
        return criterion

    def resolution(self) -> float:
        """Half a percent of a standard error on a grid, whose derivative jumps from cell to cell."""
        return 0.0 if self._nodes is None else 0.005
