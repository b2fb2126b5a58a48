"""Slope and intercept of many classes of raters at once, shrunk towards those of the common link.

The recalibration (a_c, b_c) of class c minimises

    sum_{i in c} w_i loss(z_i, sigmoid(a_c + b_c f_i)) + (m / J) sum_j loss(p_j, sigmoid(a_c + b_c f_j)),

:eq:`pooled-link`: f the logit of the common link, the second sum over J quantiles of the sample's index with
the common link's own probabilities p_j as labels. The prior sample is fitted by (0, 1) without error, so
that this is where a class goes as m grows; the more comparisons of its own, the less the prior counts.

All classes take their Newton steps together: a step costs O(n + K J), whatever the number K of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from semiindex._types import AnyArray, FloatArray, IntArray

__all__ = ["Recalibrations", "fit_recalibrations"]

_MAX_STEPS = 50
#: Newton decrement, in units of the log likelihood, at which a class is done.
_TOLERANCE = 1e-10
_MAX_HALVINGS = 30


@dataclass(frozen=True)
class Recalibrations:
    """Recalibration of every class.

    Attributes
    ----------
    intercept, slope_factor : arrays of shape (n_classes,)
        a and b of ``sigmoid(a + b f)``.
    """

    intercept: FloatArray
    slope_factor: FloatArray

    def probability(self, logit: FloatArray, classes: IntArray) -> FloatArray:
        """Probability of rows whose common link has a given logit."""
        return np.asarray(expit(self.intercept[classes] + self.slope_factor[classes] * logit))


@dataclass(frozen=True)
class _Problem:
    """Rows of all classes, and the prior sample that each of them gets."""

    logit: FloatArray
    z: FloatArray
    weight: FloatArray
    classes: IntArray
    n_classes: int
    prior_logit: FloatArray
    prior_weight: float

    def sums(self, own: FloatArray, prior: FloatArray) -> FloatArray:
        """Sum over the rows of every class and over its prior sample."""
        return np.asarray(np.bincount(self.classes, own, self.n_classes) + prior.sum(axis=1))

    def value(self, x: FloatArray) -> FloatArray:
        """Loss of every class, shape (n_classes,)."""
        eta, prior = self._predictors(x)
        own = self.weight * (np.logaddexp(0, eta) - self.z * eta)
        label = expit(self.prior_logit)
        return self.sums(own, self.prior_weight * (np.logaddexp(0, prior) - label * prior))

    def derivatives(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient, shape (n_classes, 2), and entries aa, ab, bb of the Hessian, shape (3, n_classes)."""
        eta, prior = self._predictors(x)
        p, q = expit(eta), expit(prior)
        f, g = self.logit, np.broadcast_to(self.prior_logit, prior.shape)
        residual = self.weight * (p - self.z), self.prior_weight * (q - expit(g))
        curvature = self.weight * p * (1 - p), self.prior_weight * q * (1 - q)
        gradient = [self.sums(residual[0] * f**k, residual[1] * g**k) for k in (0, 1)]
        hessian = [self.sums(curvature[0] * f**k, curvature[1] * g**k) for k in (0, 1, 2)]
        return np.stack(gradient, axis=1), np.stack(hessian)

    def _predictors(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        eta = x[self.classes, 0] + x[self.classes, 1] * self.logit
        return eta, x[:, :1] + x[:, 1:] * self.prior_logit


def fit_recalibrations(
    logit: FloatArray,
    z: FloatArray,
    weight: FloatArray,
    classes: IntArray,
    n_classes: int,
    *,
    prior_logit: FloatArray,
    prior_weight: float,
    shifts: bool,
    start: Recalibrations | None = None,
) -> Recalibrations:
    """Recalibrate a common link to every class, a prior sample of the common link added to its rows.

    Parameters
    ----------
    logit, z, weight : arrays of shape (n,)
        Logit f of the common link, label and frequency weight of every row.
    classes : array of shape (n,) of int
        Class of every row, from 0.
    n_classes : int
        Number of classes; those without rows keep the common link.
    prior_logit : array of shape (J,)
        Logits of the common link at the points of the prior sample.
    prior_weight : float
        Its total weight m, a positive number of comparisons.
    shifts : bool
        Whether the intercept is free; it is 0 if not, as an antisymmetric link demands.
    start : Recalibrations, optional
        Where the steps begin; the common link by default.

    Returns
    -------
    Recalibrations
        Slopes are not negative: a link does not fall.
    """
    each = prior_weight / prior_logit.size
    problem = _Problem(logit, z, weight, classes, n_classes, prior_logit, each)
    x = np.tile([0.0, 1.0], (n_classes, 1))
    if start is not None:
        x = np.column_stack([start.intercept, start.slope_factor])
    value = problem.value(x)
    for _ in range(_MAX_STEPS):
        gradient, hessian = problem.derivatives(x)
        step = _newton_step(gradient, hessian, at_zero=x[:, 1] <= 0, shifts=shifts)
        if float(np.max(-np.sum(step * gradient, axis=1))) <= _TOLERANCE:
            break
        x, value = _descend(problem, x, value, step, gradient)
    return Recalibrations(x[:, 0], x[:, 1])


def _newton_step(gradient: FloatArray, hessian: FloatArray, *, at_zero: AnyArray, shifts: bool) -> FloatArray:
    """Newton step of every class; a slope that is 0 and would fall stays."""
    aa, ab, bb = hessian
    if not shifts:
        step = -gradient[:, 1] / bb
        return np.column_stack([np.zeros_like(step), np.where(at_zero & (step < 0), 0.0, step)])
    determinant = aa * bb - ab**2
    first = (ab * gradient[:, 1] - bb * gradient[:, 0]) / determinant
    second = (ab * gradient[:, 0] - aa * gradient[:, 1]) / determinant
    held = at_zero & (second < 0)
    return np.column_stack([np.where(held, -gradient[:, 0] / aa, first), np.where(held, 0.0, second)])


def _descend(
    problem: _Problem, x: FloatArray, value: FloatArray, step: FloatArray, gradient: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The step of every class, halved until its loss falls, cut where the slope would become negative."""
    share = np.ones(len(x))
    falling = step[:, 1] < 0
    share[falling] = np.minimum(1.0, x[falling, 1] / -step[falling, 1])
    descent = np.sum(step * gradient, axis=1)
    for _ in range(_MAX_HALVINGS):
        trial = x + share[:, None] * step
        trial[:, 1] = np.maximum(trial[:, 1], 0.0)
        found = problem.value(trial)
        wrong = found > value + 1e-4 * share * descent + 1e-12 * (1 + np.abs(value))
        if not wrong.any():
            break
        share[wrong] /= 2
    better = ~wrong
    return np.where(better[:, None], trial, x), np.where(better, found, value)
