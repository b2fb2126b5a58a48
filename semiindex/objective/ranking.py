"""The ranking criterion: how often the index puts a loss above a win, whatever the link.

    R(t) = sum_ij a_i b_j phi(t_i - t_j) / (sum a sum b),      a = w z,  b = w (1 - z),

a mean over all pairs of a win and a loss (bipartite). With the indicator for phi it is one minus the
area under the ROC curve, of which only the order of the index matters. On the doubled sample
``(t, z), (-t, 1 - z)`` wins stand at the signed index ``s = (2z - 1) t`` and losses at ``-s``:

    R(t) = sum_ij w_i w_j phi(s_i + s_j) / (sum w)^2,      i = j included,

a mean over pairs of pairs. Maximum rank correlation minimises it over the index (Han 1987); it is
root-n consistent for any increasing link (Sherman 1993).
"""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.base import Link
from semiindex.link.isotonic import fit_isotonic
from semiindex.objective.base import Evaluation, Objective
from semiindex.objective.pairwise_sums import SigmoidSurrogate, Surrogate
from semiindex.objective.unit_index import root_mean_square
from semiindex.objective.win_loss import DoubledSample, SplitSample, split

__all__ = ["RankingObjective"]

#: Quantiles of the index at which the curvature of the rank criterion is estimated, and points from
#: which it is.
_N_NODES, _N_POINTS = 65, 20_000


class RankingObjective(Objective):
    """Mean cost of an ordered pair under a surrogate.

    Parameters
    ----------
    surrogate : Surrogate
        Cost of a pair. A convex one is consistent only where the index class contains the monotone
        transform of the index that matches it; the sigmoid, its temperature falling, always is.
    antisymmetric : bool
        Pairs of pairs: the criterion of the doubled sample.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.objective.pairwise_sums import SigmoidSurrogate
    >>> from semiindex.objective.ranking import RankingObjective
    >>> objective = RankingObjective(SigmoidSurrogate(0.01), antisymmetric=False)
    >>> t, z = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0])
    >>> round(objective.evaluate(t, z, np.ones(3)).value, 6)  # one of two pairs is in order
    0.5
    """

    def __init__(self, surrogate: Surrogate, *, antisymmetric: bool) -> None:
        self.surrogate = surrogate
        self.antisymmetric = antisymmetric
        # In the limit of the sigmoid no monotone transform of the index matters.
        self.nuisance = "none" if surrogate.convex else "link"
        self._last: tuple[FloatArray, FloatArray, SplitSample | DoubledSample | None] | None = None

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and curvature; see `Objective.evaluate`.

        A class of raters with wins or losses only has no pairs, and no say.
        """
        sample = self._split(t, z, weight)
        if sample is None:
            return Evaluation(0.0, np.zeros_like(t), lambda: np.zeros_like(t))
        value, gradient = sample.value_and_gradient(self.surrogate)

        def curvature() -> FloatArray:
            if self.surrogate.convex:
                return sample.bend(self.surrogate)
            return self._rank_curvature(sample, t, z, weight)

        return Evaluation(value, gradient, curvature)

    def _split(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> SplitSample | DoubledSample | None:
        """Wins and losses; a driver asks again and again for the same labels and weights."""
        if self._last is None or self._last[0] is not z or self._last[1] is not weight:
            self._last = z, weight, split(t, z, weight, antisymmetric=self.antisymmetric)
            return self._last[2]
        return None if self._last[2] is None else self._last[2].moved(t)

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Isotonic link on the fitted index: the criterion implies no probability."""
        return fit_isotonic(t, z, weight, antisymmetric=self.antisymmetric)

    def resolution(self) -> float:
        """A hundredth of a standard error for the sigmoid, 0 for a convex surrogate.

        It adds 0.005% to the error of an estimate that moves by more with the choice of the temperature.
        """
        return 0.0 if self.surrogate.convex else 0.01

    def _rank_curvature(
        self, sample: SplitSample | DoubledSample, t: FloatArray, z: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """``f(t) Psi'(t) / (pi (1 - pi))`` of every row: the Hessian of maximum rank correlation.

        With f the density of the index, pi the share of wins and C the features centred given the
        index, the Hessian of the population's R at its minimum is ``E f Psi' C C' / (pi (1 - pi))``. Both
        functions are estimated by logistic kernels at quantiles of the index.
        """
        total = float(np.sum(weight))
        share = 0.5 if self.antisymmetric else float(np.dot(weight, z)) / total
        # The kernel only has to be wide enough to see a slope; a power of two reuses what is cached.
        width = 0.6 * root_mean_square(t - np.average(t, weights=weight), weight) * total**-0.2
        width = 2.0 ** np.round(np.log2(max(width, getattr(self.surrogate, "temperature", 0.0))))
        nodes = np.unique(np.quantile(t[:: _stride(t)], np.linspace(0, 1, _N_NODES)))
        points = np.concatenate([nodes - width, nodes, nodes + width])
        kernel = SigmoidSurrogate(width)
        won = share * _density(kernel, points, sample.wins, sample.win_mass)
        lost = (1 - share) * _density(kernel, points, sample.losses, sample.loss_mass)
        density = np.maximum(won + lost, 1e-12 / width)
        left, _, right = np.split(won / density, 3)
        slope = np.maximum(right - left, 0.0) / (2 * width)
        product = slope * np.split(density, 3)[1] / (share * (1 - share))
        return np.asarray(weight / total * np.interp(t, nodes, product))


def _stride(t: FloatArray) -> int:
    """Every how many-th point is looked at."""
    return 1 + t.size // _N_POINTS


def _density(kernel: SigmoidSurrogate, points: FloatArray, t: FloatArray, mass: FloatArray) -> FloatArray:
    """Density of a sample: minus the slope of its smoothed survival function."""
    t, mass = t[:: _stride(t)], mass[:: _stride(t)]
    return -kernel.field(points, t, mass).slope / np.sum(mass)
