r"""Regression of the labels on the index that assumes no more than smoothness.

Influence functions need the link and its slope at the truth. Where the criterion of a fit does not assume
that the link rises, neither may these: a monotone estimate is flat wherever the link falls, and takes from
the information what the criterion found there. Rule: the spline of the monotone link without its sign
constraints, ``Psi = sigmoid(f)`` with f a cubic spline,

    min over (f0, a) of  sum_i w_i loss(z_i, sigmoid(f_a(t_i))) + penalty / 2 int f_a''^2,

on the same knots and with half the penalty. A kernel regression is flatter than what it estimates, so that
standard errors from its slope are too long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from semiindex._types import FloatArray
from semiindex.exceptions import LinkFitError
from semiindex.link.monotone_spline import MonotoneSpline, spline_breakpoints
from semiindex.link.spline import SplineBasis
from semiindex.objective.projected_newton import minimize_in_box
from semiindex.objective.unit_index import root_mean_square

__all__ = ["SmoothRegression", "fit_smooth_regression"]

#: Knots and penalty. Standard errors over standard deviations of orthogonal fits, n = 500 to 2000: for a
#: logistic link 0.93 to 1.00, for ``0.5 + 0.45 tanh(6 t) exp(-(t/1.2)^2)`` 0.97 to 1.14. With the penalty of
#: the monotone link, 0.2, the second are up to 1.2: a link that rises and falls bends more. With 0.05 they
#: are down to 0.91: the slope fits noise. More knots change nothing.
_SPLINE = MonotoneSpline(penalty=0.1)
#: Rows from which the fit sees sums over this number of cells of the index. Within a cell the spline is
#: linear to some 1e-7 of its curvature, and the fit then costs next to nothing beside one pass over the rows.
_LARGE, _CELLS = 50_000, 16_384


@dataclass(frozen=True, eq=False)
class SmoothRegression:
    """A smooth function of the index with values in (0, 1), monotone or not.

    Attributes
    ----------
    basis : SplineBasis
        Of the logit, about `centre`.
    coefficients : array of shape (k,)
        Of the logit's slope, of any sign.
    intercept : float
        Logit at the anchor of the basis; 0 for an odd logit.
    centre : float
        Index value that the knots count from.
    """

    basis: SplineBasis
    coefficients: FloatArray
    intercept: float
    centre: float

    def probability(self, t: FloatArray) -> FloatArray:
        """``sigmoid(f(t))``, shape (n,)."""
        return np.asarray(expit(self._logit(t)))

    def slope(self, t: FloatArray) -> FloatArray:
        """Its derivative in t, shape (n,)."""
        odds = self._logit(t)
        # The basis evaluates slopes of rising splines: every spline is the difference of two.
        up, down = np.maximum(self.coefficients, 0.0), np.maximum(-self.coefficients, 0.0)
        moved = t - self.centre
        derivative = self.basis.derivative(moved, up) - self.basis.derivative(moved, down)
        return np.asarray(expit(odds) * expit(-odds) * derivative)

    def _logit(self, t: FloatArray) -> FloatArray:
        return self.intercept + self.basis.value(t - self.centre, self.coefficients)


def fit_smooth_regression(
    t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool, spline: MonotoneSpline = _SPLINE
) -> SmoothRegression:
    """Penalised maximum likelihood of a spline for the logit, without constraints on its sign.

    Parameters
    ----------
    t, z, weight : arrays of shape (n,)
        Index values, labels, frequency weights.
    antisymmetric : bool
        Whether the logit is odd: the fit of the doubled sample.
    spline : MonotoneSpline, default=MonotoneSpline(penalty=0.1)
        Knots and penalty; its bound on the slope is not used.

    Returns
    -------
    SmoothRegression

    Raises
    ------
    LinkFitError
        If the minimum is not found.
    """
    centre = 0.0 if antisymmetric else float(np.average(t, weights=weight))
    moved = t - centre
    scale = root_mean_square(moved, weight) or 1.0
    if t.size > _LARGE:
        moved, z, weight = _sums_over_cells(moved, z, weight, scale)
    basis = SplineBasis(spline_breakpoints(moved, weight, spline.n_knots, antisymmetric), antisymmetric)
    design, lead = basis.design(moved), 0 if antisymmetric else 1
    if lead:
        design = np.column_stack([np.ones(moved.size), design])
    share, total = weight / np.sum(weight), float(np.sum(weight))
    roughness = np.zeros((design.shape[1], design.shape[1]))
    roughness[lead:, lead:] = spline.penalty * scale**3 / total * basis.roughness

    def value(a: FloatArray) -> float:
        f = design @ a
        return float(share @ (np.logaddexp(0.0, f) - z * f) + a @ roughness @ a / 2)

    def derivatives(a: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        p = expit(design @ a)
        gradient = design.T @ (share * (p - z)) + roughness @ a
        hessian = design.T @ ((share * p * (1 - p))[:, None] * design) + roughness
        # Without data and roughness (all rows at one index value) it is singular, as in the monotone fit.
        hessian[np.diag_indices_from(hessian)] += 1e-12 * np.trace(hessian) + 1e-300
        return value(a), gradient, hessian

    start = np.concatenate([np.zeros(lead), np.full(design.shape[1] - lead, 1 / scale)])
    bound = np.full(start.size, np.inf)
    solution, converged = minimize_in_box(derivatives, value, start, -bound, bound)
    if not converged:
        raise LinkFitError(
            "The smooth regression of the labels on the fitted index did not converge, so that there is no "
            "sandwich; use covariance='bootstrap'"
        )
    return SmoothRegression(basis, solution[lead:], float(solution[0]) if lead else 0.0, centre)


def _sums_over_cells(
    t: FloatArray, z: FloatArray, weight: FloatArray, scale: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean index, mean label and weight of every cell that is not empty; cells are fine near 0."""
    position = np.arcsinh(t / scale)
    low, high = float(np.min(position)), float(np.max(position))
    width = (high - low) / _CELLS or 1.0
    cell = np.minimum(((position - low) / width).astype(np.intp), _CELLS - 1)
    total = np.bincount(cell, weight, minlength=_CELLS).astype(np.float64)
    used = np.flatnonzero(total > 0)
    index, label = (np.bincount(cell, weight * values, minlength=_CELLS)[used] for values in (t, z))
    return index / total[used], label / total[used], total[used]
