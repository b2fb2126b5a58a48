"""Choice of the smoothing: scale, kernel, bandwidth; and the nodes at which a large sample is smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.kernel import KERNELS, Kernel
from semiindex.link.kernel_regression import FoldedSums, Smoothing, prior_label
from semiindex.link.normal_score import NormalScore
from semiindex.objective.fold import fold
from semiindex.objective.grid import Grid
from semiindex.objective.leave_one_out import LeaveOneOut, Masses
from semiindex.objective.unit_index import root_mean_square

__all__ = ["Nodes", "SmoothingRule", "fit_smoothing"]

#: Factor of the normal reference rule ``1.06 n^(-1/5)``. Over six links and two designs at n = 4000 the
#: errors against the known link were at most 1.05 times as large with 1.1; 0.85 loses up to 8% to noise in
#: the tails, 1.4 up to 11% to bias where the link bends sharply.
_FACTOR = 1.1
#: Multiples of the rule among which cross-validation chooses.
_MULTIPLES = 2.0 ** np.arange(-1.0, 2.01, 0.5)


@dataclass(frozen=True)
class SmoothingRule:
    """How the smoothing of a sample is chosen.

    The score of the index is orthogonal to the link, so that the square of the link's bias counts and
    not the bias itself: the bandwidth may shrink like ``n^(-1/5)``, without undersmoothing.

    Parameters
    ----------
    kernel : Kernel, default=biweight
        Kernel.
    bandwidth : {"rule", "cv"} or float, default="rule"
        On the scale of normal scores, for the Gaussian kernel; others get the bandwidth that smooths
        as much. ``"rule"``: ``1.1 * 1.06 * n^(-1/5)``, n the sum of the weights; ``"cv"``: the
        longest multiple of that, from 1/2 to 4, whose leave-one-out loss at the pilot index exceeds
        the least one by no more than a standard error. (The least itself has up to 15% larger errors
        of the index: it changes with chance, and short bandwidths make the score noisy.)
    bound : float, default=1e-3
        Fitted probabilities are held in ``[bound, 1 - bound]``.
    """

    kernel: Kernel = KERNELS["biweight"]
    bandwidth: Literal["rule", "cv"] | float = "rule"
    bound: float = 1e-3

    def fit(self, t: FloatArray, masses: Masses, *, antisymmetric: bool, prior: float) -> Smoothing:
        """Smoothing for a sample.

        Parameters
        ----------
        t : array of shape (m,)
            Index values in increasing order, not negative if `antisymmetric`.
        masses : Masses
            Weights there.
        antisymmetric : bool
            Whether the sample stands for itself and its mirror image.
        prior : float
            Mean label.

        Returns
        -------
        Smoothing
        """
        scale = NormalScore.fit(t, masses.wins + masses.losses, antisymmetric=antisymmetric)
        if not isinstance(self.bandwidth, str):
            return Smoothing(scale, self.kernel, float(self.bandwidth) * self.kernel.equivalent)
        rule = _FACTOR * 1.06 * masses.total**-0.2 * self.kernel.equivalent
        if self.bandwidth == "rule":
            return Smoothing(scale, self.kernel, rule)
        points = scale.score(t)

        fits = [
            LeaveOneOut(
                points,
                masses,
                self.kernel,
                multiple * rule,
                antisymmetric=antisymmetric,
                prior=prior,
                bound=self.bound,
            )
            for multiple in _MULTIPLES
        ]
        best = min(fits, key=lambda fit: fit.value)
        excess = [fit.excess_over(best) for fit in fits]
        equivalent = [k for k, (mean, error) in enumerate(excess) if mean <= error]
        return Smoothing(scale, self.kernel, float(rule * _MULTIPLES[equivalent[-1]]))


@dataclass(frozen=True)
class Nodes:
    """The nodes of a grid on the scale of the smoothing.

    Attributes
    ----------
    grid : Grid
        The nodes on the scale of the index.
    points, slope : arrays of shape (m,)
        Their normal scores, and the derivative of the score there.
    sums : FoldedSums
        Kernel sums over the nodes, at the nodes.
    unit : float
        Weight of the unit that is left out of its own prediction, mean over the sample.
    """

    grid: Grid
    points: FloatArray
    slope: FloatArray
    sums: FoldedSums
    unit: float


def fit_smoothing(
    rule: SmoothingRule,
    t: FloatArray,
    z: FloatArray,
    weight: FloatArray,
    *,
    antisymmetric: bool,
    threshold: int,
) -> tuple[Smoothing, Nodes | None]:
    """Smoothing for a sample, and the nodes of a large one.

    Parameters
    ----------
    rule : SmoothingRule
        How it is chosen.
    t, z, weight : arrays of shape (n,)
        Index values, labels and frequency weights.
    antisymmetric : bool
        Whether the sample stands for itself and its mirror image.
    threshold : int
        Number of rows above which the sample is compressed to a grid. It reaches as far as an index
        of the same root mean square can.

    Returns
    -------
    smoothing : Smoothing
    nodes : Nodes or None
    """
    folded = fold(t, z, antisymmetric)
    prior = prior_label(z, weight, antisymmetric=antisymmetric)
    if t.size <= threshold:
        order = np.argsort(folded.t, kind="stable")
        masses = Masses.of_rows(folded.z[order], weight[order])
        return rule.fit(folded.t[order], masses, antisymmetric=antisymmetric, prior=prior), None
    scale = root_mean_square(t, weight)
    # No |t| exceeds scale * sqrt(sum w / min w).
    reach = scale * float(np.sqrt(np.sum(weight) / np.min(weight[weight > 0])))
    grid = Grid.asinh(reach, scale / 2, two_sided=not antisymmetric)
    unit = float(np.dot(weight, np.minimum(weight, 1.0)) / np.sum(weight))
    masses = Masses.of_nodes(*grid.compress(folded.t, folded.z, weight).counts, unit=unit)
    chosen = rule.fit(grid.nodes, masses, antisymmetric=antisymmetric, prior=prior)
    points = chosen.scale.score(grid.nodes)
    sums = FoldedSums(points, points, chosen.kernel, chosen.bandwidth, antisymmetric)
    return chosen, Nodes(grid, points, chosen.scale.slope(grid.nodes), sums, unit)
