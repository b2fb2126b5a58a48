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

from dataclasses import dataclass

import numpy as np

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.link.base import Link
from semiindex.link.isotonic import fit_isotonic
from semiindex.objective.base import Evaluation, Objective
from semiindex.objective.pairwise_sums import SigmoidSurrogate, Surrogate
from semiindex.objective.unit_index import UnitIndexObjective, root_mean_square

__all__ = ["DoubledSample", "RankingObjective", "SplitSample", "UnitSpreadObjective", "split"]

#: Quantiles of the index at which the curvature of the rank criterion is estimated.
_N_NODES = 65


@dataclass(frozen=True)
class SplitSample:
    """A sample as wins and losses on a line.

    Attributes
    ----------
    wins, losses : arrays of shape (m,), (k,)
        Index values.
    win_mass, loss_mass : arrays of shape (m,), (k,)
        Their shares, each with sum 1.
    won, lost : arrays of shape (n,) of bool
        Rows that are (partly) a win, and a loss, in whose order they stand; with soft labels a row may
        be both.
    """

    wins: FloatArray
    losses: FloatArray
    win_mass: FloatArray
    loss_mass: FloatArray
    won: AnyArray
    lost: AnyArray

    @classmethod
    def of(cls, t: FloatArray, z: FloatArray, weight: FloatArray) -> SplitSample | None:
        """Wins and losses of a sample; None where one of them is missing."""
        won, lost = z > 0, z < 1
        win_mass, loss_mass = (weight * z)[won], (weight * (1 - z))[lost]
        if win_mass.size == 0 or loss_mass.size == 0:
            return None
        win_mass /= np.sum(win_mass)
        loss_mass /= np.sum(loss_mass)
        return cls(t[won], t[lost], win_mass, loss_mass, won, lost)

    def mean(self, surrogate: Surrogate) -> float:
        """Mean cost of a pair."""
        return float(self.win_mass @ surrogate.field(self.wins, self.losses, self.loss_mass).potential)

    def value_and_gradient(self, surrogate: Surrogate) -> tuple[float, FloatArray]:
        """Mean cost of a pair, and its derivative in the index of every row."""
        field = surrogate.field(self.wins, self.losses, self.loss_mass)
        back = surrogate.field(-self.losses, -self.wins, self.win_mass)
        gradient = self._to_rows(self.win_mass * field.slope, -self.loss_mass * back.slope)
        return float(self.win_mass @ field.potential), gradient

    def bend(self, surrogate: Surrogate) -> FloatArray:
        """Second derivative of the mean cost of a pair in the index of every row, the others held."""
        bend = surrogate.bend(self.wins, self.losses, self.loss_mass)
        back = surrogate.bend(-self.losses, -self.wins, self.win_mass)
        return self._to_rows(self.win_mass * bend, self.loss_mass * back)

    def _to_rows(self, of_wins: FloatArray, of_losses: FloatArray) -> FloatArray:
        """Sums over what a row stands for."""
        rows = np.zeros(self.won.size)
        rows[self.won] = of_wins
        rows[self.lost] += of_losses
        return rows


@dataclass(frozen=True)
class DoubledSample:
    """A sample and its mirror image as wins on a line; the losses are the wins turned round.

    Attributes
    ----------
    wins : array of shape (n + k,)
        Signed index of every row, by the label of the larger share; then that of the other label for
        the k rows with a soft one.
    win_mass : array of shape (n + k,)
        Their shares, with sum 1.
    sign : array of shape (n,)
        Of the index in the first n.
    soft : array of shape (k,) of int
        Rows with both labels.
    """

    wins: FloatArray
    win_mass: FloatArray
    sign: FloatArray
    soft: IntArray

    @classmethod
    def of(cls, t: FloatArray, z: FloatArray, weight: FloatArray) -> DoubledSample:
        """Double a sample."""
        sign = np.where(z < 0.5, -1.0, 1.0)
        signed, mass = sign * t, weight / np.sum(weight)
        soft = np.flatnonzero((z > 0) & (z < 1))
        if soft.size:
            minor = np.minimum(z, 1 - z)[soft] * mass[soft]
            signed, mass = np.concatenate([signed, -signed[soft]]), np.concatenate([mass, minor])
            mass[soft] -= minor
        return cls(signed, mass, sign, soft)

    @property
    def losses(self) -> FloatArray:
        """Index values of the losses."""
        return -self.wins

    @property
    def loss_mass(self) -> FloatArray:
        """Their shares."""
        return self.win_mass

    def mean(self, surrogate: Surrogate) -> float:
        """Mean cost of a pair."""
        return float(self.win_mass @ surrogate.field(self.wins, self.losses, self.win_mass).potential)

    def value_and_gradient(self, surrogate: Surrogate) -> tuple[float, FloatArray]:
        """Mean cost of a pair, and its derivative in the index of every row.

        Every point is the one of a pair as a win and, turned round, as a loss: hence the factor two.
        """
        field = surrogate.field(self.wins, self.losses, self.win_mass)
        pull = self.win_mass * field.slope
        pull *= 2
        gradient = pull[: self.sign.size]
        gradient *= self.sign
        gradient[self.soft] -= pull[self.sign.size :] * self.sign[self.soft]
        return float(self.win_mass @ field.potential), gradient

    def bend(self, surrogate: Surrogate) -> FloatArray:
        """Second derivative of the mean cost of a pair in the index of every row, the others held."""
        bend = 2 * self.win_mass * surrogate.bend(self.wins, self.losses, self.win_mass)
        rows = bend[: self.sign.size]
        rows[self.soft] += bend[self.sign.size :]
        return rows


def split(
    t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool
) -> SplitSample | DoubledSample | None:
    """Wins and losses of a sample, or of the doubled one; None where there is no pair.

    Parameters
    ----------
    t : array of shape (n,)
        Index values.
    z : array of shape (n,)
        Labels in [0, 1]; a row counts ``w z`` as a win and ``w (1 - z)`` as a loss.
    weight : array of shape (n,)
        Frequency weights.
    antisymmetric : bool
        Whether to double the sample.
    """
    return DoubledSample.of(t, z, weight) if antisymmetric else SplitSample.of(t, z, weight)


class UnitSpreadObjective(UnitIndexObjective):
    """``t -> L(t / sd(t))`` of an L that sees no shift, such as the bipartite criterion.

    The root mean square would count the mean, of which the criterion knows nothing. For such an L the
    derivative is that of `UnitIndexObjective` at the centred index.

    Parameters
    ----------
    inner : Objective
        The objective of an index of unit standard deviation.
    """

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, tangent derivative and curvature; see `Objective.evaluate`."""
        return super().evaluate(t - np.average(t, weights=weight), z, weight)

    def for_rows(self, rows: IntArray) -> UnitSpreadObjective:
        """The unit spread of a subsample."""
        return UnitSpreadObjective(self.inner.for_rows(rows))


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

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and curvature; see `Objective.evaluate`.

        A class of raters with wins or losses only has no pairs, and no say.
        """
        sample = split(t, z, weight, antisymmetric=self.antisymmetric)
        if sample is None:
            return Evaluation(0.0, np.zeros_like(t), lambda: np.zeros_like(t))
        value, gradient = sample.value_and_gradient(self.surrogate)

        def curvature() -> FloatArray:
            if self.surrogate.convex:
                return sample.bend(self.surrogate)
            return self._rank_curvature(sample, t, z, weight)

        return Evaluation(value, gradient, curvature)

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
        nodes = np.unique(np.quantile(t, np.linspace(0, 1, _N_NODES)))
        points = np.concatenate([nodes - width, nodes, nodes + width])
        kernel = SigmoidSurrogate(width)
        won = -share * kernel.field(points, sample.wins, sample.win_mass).slope
        lost = -(1 - share) * kernel.field(points, sample.losses, sample.loss_mass).slope
        density = np.maximum(won + lost, 1e-12 / width)
        left, _, right = np.split(won / density, 3)
        slope = np.maximum(right - left, 0.0) / (2 * width)
        product = slope * np.split(density, 3)[1] / (share * (1 - share))
        return np.asarray(weight / total * np.interp(t, nodes, product))
