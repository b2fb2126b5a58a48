"""The profiled monotone-spline link: log loss minimised over the spline for every index.

    L(t) = min over (f0, a >= 0) of  sum_i w_i loss(z_i, sigmoid(f_a(t_i))) / sum w
                                     + penalty / (2 sum w) * int f_a''^2

The knots stay where `update` put them, so the inner optimum satisfies the envelope theorem,

    dL/dt_i = (w_i / sum w) (Psi(t_i) - z_i) f'(t_i),

and the profile loss may be minimised by gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from semiindex._types import FloatArray
from semiindex.exceptions import LinkFitError
from semiindex.link.base import Link
from semiindex.link.compression import Compression
from semiindex.link.monotone_spline import MonotoneSpline, spline_breakpoints
from semiindex.link.spline import SplineBasis, SplineLink
from semiindex.objective.base import Evaluation, Objective
from semiindex.objective.fold import Folded, fold
from semiindex.objective.grid import Grid
from semiindex.objective.projected_newton import minimize_in_box
from semiindex.objective.unit_index import root_mean_square

__all__ = ["SplineObjective"]

#: Above this number of rows the sample is compressed to a grid of index values.
_COMPRESSION_THRESHOLD = 20_000
#: Slope of the logit, per root mean square of the index, at which a link counts as a step.
_STEEPEST = 1e3


@dataclass(frozen=True)
class _Sample:
    """What the inner problem sees: masses of wins and losses at m points of the index axis."""

    points: FloatArray
    design: FloatArray
    wins: FloatArray
    losses: FloatArray
    binned: Compression | None

    def spread(self, values: FloatArray) -> FloatArray:
        """Values at the points, read off at every observation."""
        return values if self.binned is None else values[self.binned.segment]


@dataclass(frozen=True)
class _Inner:
    """Solution of the inner problem: coefficients, logit at the points, value per unit weight."""

    coefficients: FloatArray
    logit: FloatArray
    value: float


class SplineObjective(Objective):
    """Log loss with the monotone spline link profiled out; derivative :eq:`spline-gradient`.

    Parameters
    ----------
    spline : MonotoneSpline
        Knots, penalty and slope bound.
    antisymmetric : bool
        Keep the logit odd: the fit of the doubled sample.
    compression_threshold : int, default=20000
        Number of rows above which the sample is compressed to a grid (see `Grid`).
    """

    nuisance = "link"

    def __init__(
        self,
        spline: MonotoneSpline,
        *,
        antisymmetric: bool,
        compression_threshold: int = _COMPRESSION_THRESHOLD,
    ) -> None:
        self.spline = spline
        self.antisymmetric = antisymmetric
        self.compression_threshold = compression_threshold

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Place the knots, and the grid of a large sample, by the index of this sample."""
        self._scale = scale = root_mean_square(t, weight) or 1.0  # a class of raters may never vary
        self._grid: Grid | None = None
        if t.size > self.compression_threshold:
            # At unit root mean square no |t| exceeds sqrt(sum w / min w).
            reach = scale * float(np.sqrt(weight.sum() / weight[weight > 0].min()))
            self._grid = Grid.asinh(reach, scale / 2, two_sided=not self.antisymmetric)
            folded = fold(t, z, self.antisymmetric)
            wins, losses = self._grid.compress(folded.t, folded.z, weight).counts
            t, weight = self._grid.nodes, np.maximum(wins + losses, 0.0)
        knots = spline_breakpoints(t, weight, self.spline.n_knots, self.antisymmetric)
        self._basis = basis = SplineBasis(knots, self.antisymmetric)
        slopes = basis.n_coefficients
        lead = 0 if self.antisymmetric else 1  # the constant f0 comes first where it is free
        # Roughness of the logit as a function of the index in units of its root mean square.
        self._roughness = np.zeros((slopes + lead, slopes + lead))
        self._roughness[lead:, lead:] = self.spline.penalty * scale**3 * basis.roughness
        steepest = self.spline.max_slope if self.spline.max_slope is not None else _STEEPEST / scale
        self._lower = np.concatenate([np.full(lead, -np.inf), np.zeros(slopes)])
        self._upper = np.concatenate([np.full(lead, np.inf), np.full(slopes, steepest)])
        self._start = np.concatenate([np.zeros(lead), np.full(slopes, min(1 / scale, steepest))])
        if self._grid is not None:
            self._grid_design = self._design(self._grid.nodes)

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Profile value, envelope derivative and curvature; see `Objective.evaluate`."""
        folded = fold(t, z, self.antisymmetric)
        share = weight / np.sum(weight)
        sample = self._sample(folded, weight)
        inner = self._solve(sample)
        slope = self._slope(sample.points, inner)
        p = expit(inner.logit)
        if sample.binned is None:
            gradient = share * (p - folded.z) * slope
        else:
            won, lost = np.logaddexp(0.0, -inner.logit), np.logaddexp(0.0, inner.logit)
            gradient = sample.binned.binned_gradient(won, lost) / np.sum(weight)
        return Evaluation(
            inner.value,
            folded.unfold_gradient(gradient),
            lambda: share * sample.spread(p * (1 - p) * slope**2),
        )

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Spline link of this index, on the knots in place."""
        inner = self._solve(self._sample(fold(t, z, self.antisymmetric), weight))
        lead = 0 if self.antisymmetric else 1
        intercept = float(inner.coefficients[0]) if lead else 0.0
        slopes = np.maximum(inner.coefficients[lead:], 0.0)
        return SplineLink(self._basis.breakpoints, slopes, intercept, self.antisymmetric)

    def resolution(self) -> float:
        """Half a percent of a standard error on a grid, whose derivative jumps from cell to cell."""
        return 0.0 if self._grid is None else 0.005

    def smooth_slope(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> FloatArray:
        """``Psi'(t_i)`` of the spline link fitted to this index."""
        sample = self._sample(fold(t, z, self.antisymmetric), weight)
        inner = self._solve(sample)
        p = expit(inner.logit)
        return sample.spread(p * (1 - p) * self._slope(sample.points, inner))

    def _design(self, points: FloatArray) -> FloatArray:
        columns = self._basis.design(points)
        return columns if self.antisymmetric else np.column_stack([np.ones(points.size), columns])

    def _slope(self, points: FloatArray, inner: _Inner) -> FloatArray:
        """``f'`` at the points."""
        return self._basis.derivative(points, inner.coefficients[0 if self.antisymmetric else 1 :])

    def _sample(self, folded: Folded, weight: FloatArray) -> _Sample:
        if self._grid is None:
            wins = weight * folded.z
            return _Sample(folded.t, self._design(folded.t), wins, weight - wins, None)
        binned = self._grid.compress(folded.t, folded.z, weight)
        return _Sample(self._grid.nodes, self._grid_design, *binned.counts, binned)

    def _solve(self, sample: _Sample) -> _Inner:
        """The inner problem, from the last solution."""
        total = float(np.sum(sample.wins) + np.sum(sample.losses))
        wins, mass = sample.wins / total, (sample.wins + sample.losses) / total
        roughness = self._roughness / total

        def value(a: FloatArray) -> float:
            f = sample.design @ a
            return float(mass @ np.logaddexp(0.0, f) - wins @ f + a @ roughness @ a / 2)

        def derivatives(a: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            f = sample.design @ a
            p = expit(f)
            penalised = roughness @ a
            total_value = float(mass @ np.logaddexp(0.0, f) - wins @ f + a @ penalised / 2)
            gradient = sample.design.T @ (mass * p - wins) + penalised
            bend = sample.design.T @ ((mass * p * (1 - p))[:, None] * sample.design) + roughness
            # Where there are neither data nor roughness (all observations in one point) the
            # Hessian is singular: a jitter far below any curvature of interest keeps it regular.
            bend[np.diag_indices_from(bend)] += 1e-12 * np.trace(bend) + 1e-300
            return total_value, gradient, bend

        solution, converged = minimize_in_box(derivatives, value, self._start, self._lower, self._upper)
        if not converged:
            raise LinkFitError(
                "the monotone spline link could not be fitted to the current index; increase the penalty "
                "of MonotoneSpline, or use link='isotonic', which has no tuning"
            )
        self._start = solution
        return _Inner(solution, sample.design @ solution, value(solution))
