"""The profiled shape-constrained link: a convex program in the values at knots for every index.

The knots stay where `update` put them and the value that is reported is that of the program that
was solved (squared loss exactly, log loss of the data binned onto the knots), so that the envelope
theorem gives its derivative in the index, exact wherever no index value sits on a knot.
"""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link._program import LinkProgram
from semiindex.link.base import Link
from semiindex.link.compression import Compression, compress, place_knots
from semiindex.link.isotonic import probability_bound
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.shape import ShapeConstrainedLink
from semiindex.objective.base import Evaluation, Objective
from semiindex.objective.fold import fold
from semiindex.objective.spline import SplineObjective

__all__ = ["ShapeObjective"]

#: The range of the knots in units of that of the index which placed them: the index moves during a
#: fit, and beyond the last knot the link is constant.
_REACH = 1.5
#: Knots closer to the one before than this share of the whole range are left out.
_NARROWEST = 1e-6


class ShapeObjective(Objective):
    """Loss with a shape-constrained link profiled out; derivative :eq:`envelope-gradient`.

    Parameters
    ----------
    spec : ShapeConstrainedLink
        Constraints, loss and number of knots.
    antisymmetric : bool
        Fit the doubled sample.
    """

    nuisance = "link"

    def __init__(self, spec: ShapeConstrainedLink, *, antisymmetric: bool) -> None:
        self.spec = spec
        self.antisymmetric = antisymmetric
        # The slope of a piecewise linear fit is too rough to scale steps by; that of a spline will do.
        self._smooth = SplineObjective(MonotoneSpline(), antisymmetric=antisymmetric)

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Place the knots by the index of this sample."""
        quantiles = place_knots(t, weight, self.spec.n_knots - 1, antisymmetric=self.antisymmetric)
        low, high = float(quantiles[0]), float(quantiles[-1])
        beyond = (_REACH - 1) * (high - low)
        # Quantiles are values of the sample, where the derivative does not exist; between them it does.
        start = [0.0] if self.antisymmetric else [low - beyond]
        knots = np.unique(np.concatenate([start, (quantiles[1:] + quantiles[:-1]) / 2, [high + beyond]]))
        # On separated data the index may come close to two values only.
        gap = _NARROWEST * (knots[-1] - knots[0])
        knots = knots[np.append(True, np.diff(knots) > gap)]
        self._smooth.update(t, z, weight)
        self._program = LinkProgram(self.spec, knots, self.antisymmetric)

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Profile value, envelope derivative and curvature; see `Objective.evaluate`."""
        total = float(np.sum(weight))
        folded = fold(t, z, self.antisymmetric)
        data = compress(folded.t, folded.z, weight, self._program.knots)
        values, value = self._solve(data, total)
        if self.spec.loss == "log":
            gradient = data.log_gradient(values)
        else:
            gradient = data.squared_gradient(values)

        return Evaluation(
            value,
            folded.unfold_gradient(gradient) / total,
            lambda: self._smooth.evaluate(t, z, weight).curvature(),
        )

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Link of this index, on the knots in place."""
        folded = fold(t, z, self.antisymmetric)
        data = compress(folded.t, folded.z, weight, self._program.knots)
        return self._program.link(self._solve(data, float(np.sum(weight)))[0])

    def resolution(self) -> float:
        """A quarter of a standard error: the derivative jumps when an index value passes a knot."""
        return 0.25

    def _solve(self, data: Compression, total: float) -> tuple[FloatArray, float]:
        """Values at the knots and the mean loss."""
        bound = probability_bound(total)
        if self.spec.loss == "log":
            solution = self._program.solve_log(*data.counts, bound)
            return solution.values, solution.objective / total
        gram = data.gram
        solution = self._program.solve_squared(gram.diagonal, gram.off_diagonal, gram.moment, bound)
        # The expected squared loss of a label in [0, 1] has the constant sum w z, not sum w z^2.
        wins = float(np.dot(data.weight, data.z))
        return solution.values, (solution.objective + wins) / total
