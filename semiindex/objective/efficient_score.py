"""The efficient score of the index, with its nuisances fitted out of fold.

    S(theta) = sum_i w_i  g'(t_i) / (g(t_i) (1 - g(t_i)))  (g(t_i) - z_i)  ( D_i - E[D | t_i] ) / sum w

It is Neyman-orthogonal: at the truth its derivative in every direction of the link g, of the weight and
of E[D | t] vanishes, because ``E[D - E[D | t] | t] = 0`` and ``E[z | x] = g(t)``; errors of the nuisances
enter through their products only. They are kernel regressions on the other folds, so that no label takes
part in its own prediction.

With a linear smoother S for E[D | t] the score is a function of the index: ``D'(e - S'e)``, e the weighted
residuals. No column of D is ever smoothed on the way to the root; `ScoreNuisance.centre` does it for the
information matrix.

Smoothing runs over the distinct index values, or over the nodes of a grid (`Grid`) for a large sample, with
the masses of every fold there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.link.compression import Compression, compress
from semiindex.link.kernel_regression import PRIOR_WEIGHT, FoldedSums, LocalFit, local_constant
from semiindex.objective.base import Evaluation
from semiindex.objective.fold import Folded, fold
from semiindex.objective.kernel_criterion import KernelCriterion
from semiindex.objective.smoothing import SmoothingRule

__all__ = ["EfficientScoreObjective", "RowSmoother", "ScoreNuisance", "efficient_score"]

#: Pseudo-observations of one half in the window of a row when its weight ``g'/(g (1 - g))`` is formed. The
#: weight decides how efficient the score is, not where its root lies; without them a few comparisons in
#: the tails get enormous weights, and the score jumps when they move.
WEIGHT_PRIOR = 2.0
#: Number of rows above which the sample is compressed to a grid: as many as that has nodes.
_COMPRESSION_THRESHOLD = 5_000


def efficient_score(
    z: FloatArray,
    weight: FloatArray,
    probability: FloatArray,
    multiplier: FloatArray,
    rows: FloatArray,
    conditional_mean: FloatArray,
) -> FloatArray:
    """The score for given nuisances, as it is written.

    Parameters
    ----------
    z, weight : arrays of shape (n,)
        Labels and frequency weights.
    probability, multiplier : arrays of shape (n,)
        ``g(t_i)``, and the weight ``g'(t_i) / (g(t_i) (1 - g(t_i)))``.
    rows : array of shape (n, d)
        ``D_i``, derivative of the index in the parameters.
    conditional_mean : array of shape (n, d)
        ``E[D | t_i]``.

    Returns
    -------
    array of shape (d,)
        With the sign of a gradient of the loss.
    """
    residual = weight * (probability - z) * multiplier
    return np.asarray(residual @ (rows - conditional_mean) / np.sum(weight))


@dataclass(frozen=True)
class ScoreNuisance:
    """What the efficient score of a sample is made of, row by row.

    Attributes
    ----------
    probability : array of shape (n,)
        ``g(t_i)``, held within the bound, from the other folds.
    slope : array of shape (n,)
        ``g'(t_i)``, derivative in the index.
    multiplier : array of shape (n,)
        ``g' / (g (1 - g))``, with the g of a fit that holds `WEIGHT_PRIOR` pseudo-observations of
        one half in every window.
    trimmed : array of shape (n,) of bool
        Rows whose probability is held at the bound.
    smoother : RowSmoother
        Centres rows of the design.
    """

    probability: FloatArray
    slope: FloatArray
    multiplier: FloatArray
    trimmed: AnyArray
    smoother: RowSmoother

    @property
    def information(self) -> FloatArray:
        """``g'^2 / (g (1 - g))`` of every row, shape (n,)."""
        return np.asarray(self.slope * self.multiplier)

    def residual(self, z: FloatArray) -> FloatArray:
        """``(g - z) g' / (g (1 - g))`` of every row, shape (n,)."""
        return np.asarray((self.probability - z) * self.multiplier)

    def centre(self, rows: FloatArray) -> FloatArray:
        """``C_i = D_i - E[D | t_i]``, E from the other folds.

        Parameters
        ----------
        rows : array of shape (n, d)
            ``D_i``, derivative of the index in the parameters.

        Returns
        -------
        array of shape (n, d)
        """
        return self.smoother.centre(rows)


class RowSmoother:
    """Regression on the index, out of fold, at the rows of one sample.

    Parameters
    ----------
    folded : Folded
        Index, labels, and where they were turned round.
    binned : Compression
        The rows between (or on) the nodes.
    folds : array of shape (n,) of int
        Fold of every row.
    sums : FoldedSums
        Kernel sums over the nodes, at the nodes.
    weight : array of shape (n,)
        Frequency weights.
    """

    def __init__(
        self, folded: Folded, binned: Compression, folds: IntArray, sums: FoldedSums, weight: FloatArray
    ) -> None:
        self._sign, self._sums, self._weight = folded.sign, sums, weight
        self._n_folds, self._m = int(folds.max()) + 1, binned.knots.size
        left = folds * self._m + binned.segment
        # Hat functions of the rows at the nodes of their fold: gathers, and transposed deposits.
        indices = np.column_stack([left, left + 1]).ravel()
        shares = np.column_stack([binned.left, 1 - binned.left]).ravel()
        shape = (left.size, self._n_folds * self._m)
        self._hats = sp.csr_array((shares, indices, np.arange(0, 2 * left.size + 1, 2)), shape=shape)
        self._mass: FloatArray = np.ones(left.size)

    def _deposit(self, values: FloatArray) -> FloatArray:
        """Sums at the nodes over the rows of the *other* folds, shape (folds, m)."""
        own = np.asarray(self._hats.T @ values).reshape(self._n_folds, self._m)
        if self._n_folds == 1:
            return own
        return np.stack([np.delete(own, k, axis=0).sum(axis=0) for k in range(self._n_folds)])

    def gather(self, values: FloatArray) -> FloatArray:
        """Values at the nodes for every fold, shape (folds, m), read off at the rows of that fold."""
        return np.asarray(self._hats @ values.ravel())

    def fit(self, z: FloatArray, prior: float) -> LocalFit:
        """Local constant regression of the labels at the nodes; arrays of shape (folds, m).

        A local line would have less bias at the ends of the index, but what it finds there hangs on
        single observations: the score then jumps when they move.
        """
        mass, label = self._deposit(self._weight), self._deposit(self._weight * (z - 0.5))
        k = self._n_folds
        value, slope = self._sums(list(mass), list(label), ("value", "slope"))
        self._mass = self.gather(value[:k]) + PRIOR_WEIGHT
        centred = local_constant(value[:k], value[k:], slope[:k], slope[k:], prior - 0.5)
        return LocalFit(centred.value + 0.5, centred.slope, centred.mass)

    def adjoint(self, e: FloatArray) -> FloatArray:
        """``S'e``, S the local constant smoother of the rows."""
        (spread,) = self._sums([], list(self._deposit(e / self._mass)), ("value",))
        return self._weight * self.gather(spread)

    def centre(self, rows: FloatArray) -> FloatArray:
        """``rows - S rows``."""
        sign = np.ones(len(rows)) if self._sign is None else self._sign
        centred = np.array(rows, dtype=np.float64, order="F")  # column after column
        for column in centred.T:
            (spread,) = self._sums([], list(self._deposit(self._weight * sign * column)), ("value",))
            column -= sign * self.gather(spread) / self._mass
        return centred


class EfficientScoreObjective(KernelCriterion):
    """Estimating equation of the index: its efficient score, cross-fitted.

    Parameters
    ----------
    rule : SmoothingRule
        Kernel, bandwidth, and bound of the fitted probabilities.
    folds : array of shape (n,) of int
        Fold of every row, from 0. Nuisances at a row come from the rows of the other folds; with a
        single fold they come from all.
    antisymmetric : bool
        Use the doubled sample; a row and its mirror image are in one fold.
    compression_threshold : int, default=5000
        Number of rows above which the sample is compressed to a grid (see `Grid`).

    Attributes
    ----------
    smoothing, n_trimmed
        As in `KernelCriterion`.
    """

    is_score = True

    def __init__(
        self,
        rule: SmoothingRule,
        folds: IntArray,
        *,
        antisymmetric: bool,
        compression_threshold: int = _COMPRESSION_THRESHOLD,
    ) -> None:
        super().__init__(rule, antisymmetric=antisymmetric, compression_threshold=compression_threshold)
        self.folds = folds

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Cross-fitted log loss, score in the index, and information; see `Objective.evaluate`."""
        folded = fold(t, z, self.antisymmetric)
        nuisance = self._nuisances(folded, weight)
        share = weight / np.sum(weight)
        p = nuisance.probability
        loss = -folded.z * np.log(p) - (1 - folded.z) * np.log1p(-p)
        e = share * nuisance.residual(folded.z)
        self.n_trimmed = float(np.sum(weight[nuisance.trimmed]))
        return Evaluation(
            float(np.dot(share, loss)),
            folded.unfold_gradient(self._require_finite(e - nuisance.smoother.adjoint(e))),
            lambda: share * nuisance.information,
        )

    def nuisances(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> ScoreNuisance:
        """Nuisances of a sample, on the scale and with the bandwidth in place.

        Parameters
        ----------
        t, z, weight : arrays of shape (n,)
            As in `evaluate`.

        Returns
        -------
        ScoreNuisance
            Its probabilities are those of the rows as they stand, none turned round.
        """
        folded = fold(t, z, self.antisymmetric)
        nuisance = self._nuisances(folded, weight)
        if folded.sign is None:
            return nuisance
        turned = np.where(folded.sign < 0, 1 - nuisance.probability, nuisance.probability)
        return replace(nuisance, probability=turned)

    def _nuisances(self, folded: Folded, weight: FloatArray) -> ScoreNuisance:
        """The same for the folded sample."""
        if self._nodes is not None:
            binned = self._nodes.grid.compress(folded.t, folded.z, weight)
            sums, score_slope = self._nodes.sums, self._nodes.slope
        else:
            knots = np.unique(folded.t)
            knots = np.append(knots, knots[-1] + 1) if knots.size == 1 else knots
            binned = compress(folded.t, folded.z, weight, knots)
            chosen = self.smoothing
            points, score_slope = chosen.scale.score(knots), chosen.scale.slope(knots)
            sums = FoldedSums(points, points, chosen.kernel, chosen.bandwidth, self.antisymmetric)
        smoother = RowSmoother(folded, binned, self.folds, sums, weight)
        fit = smoother.fit(folded.z, self._prior)
        value, mass = smoother.gather(fit.value), smoother.gather(fit.mass)
        p = np.clip(value, self.rule.bound, 1 - self.rule.bound)
        slope = smoother.gather(fit.slope * score_slope)
        cautious = (mass * p + WEIGHT_PRIOR / 2) / (mass + WEIGHT_PRIOR)
        return ScoreNuisance(p, slope, slope / (cautious * (1 - cautious)), p != value, smoother)

    def for_rows(self, rows: IntArray) -> EfficientScoreObjective:
        """The score of a subsample, in the same folds."""
        return EfficientScoreObjective(
            self.rule,
            self.folds[rows],
            antisymmetric=self.antisymmetric,
            compression_threshold=self.compression_threshold,
        )
