r"""Influence functions: what one comparison does to the coefficients of a fit.

Every estimator with an influence function here solves ``sum_i w_i e_i D_i = 0`` (its tangent part),
e the derivative of its criterion in the index with the sign of a likelihood, and what is profiled out
removes the mean of D given the index. With h the curvature of the criterion in the index,

    psi_i = J H^- e_i C_i,      H = sum_i w_i h_i C_i C_i',      C_i = D_i - E[D | t_i],

J the derivative of the normalisation. The table of e, h and C:

================================  ==============================  ===================  =============
estimator                         e                               h                    C
================================  ==============================  ===================  =============
known link G, log loss            (z - G) G' / (G (1 - G))        -de/dt               D, uncentred
profiled link, log loss           (z - g) g' / (g (1 - g))        g'^2 / (g (1 - g))   D - E[D | t]
profiled link, squared loss       (z - g) g'                      g'^2                 D - E[D | t]
isotonic score                    z - g                           g'                   D - E[D | t]
================================  ==============================  ===================  =============

A known link may be the wrong one, so that its h is the observed curvature: its expectation,
``G'^2 / (G (1 - G))``, is that of the criterion only where G is the truth (White 1982). For the logistic
link the two are one. It is negative at some labels where the link is not log-concave (Cauchit, lapses), not
in sum. The g of the other estimators is fitted, so that the expectation holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import eigh, null_space

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearDesign
from semiindex.inference.conditional_mean import centred, index_basis
from semiindex.inference.eligibility import Criterion, assumes_monotone_link
from semiindex.inference.fit_statistics import links_by_class
from semiindex.inference.normalizing import normalizing_jacobian
from semiindex.inference.sample import InferenceSample
from semiindex.inference.smooth_regression import SmoothRegression, fit_smooth_regression
from semiindex.link.base import Link
from semiindex.link.lapsed import LapsedLink
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.parametric import ParametricLink
from semiindex.link.spline import SplineLink
from semiindex.objective.spline import SplineObjective

__all__ = ["IndexScore", "Influence", "index_score", "influence", "parameters"]

SHIFT_NAME = "(position)"
#: Information below this share of the largest, in units of each feature's spread, counts as none.
_SINGULAR = 1e-10
#: Probabilities are held this far from 0 and 1 where they are divided by.
_TINY = 1e-12
#: Relative step of central differences.
_STEP = 1e-5


@dataclass(frozen=True)
class IndexScore:
    """Derivative and curvature of a criterion in the index of every row; see the module's table.

    Attributes
    ----------
    residual : array of shape (n,)
        e.
    curvature : array of shape (n,)
        h in expectation, not negative.
    smoothing_weight : array of shape (n,) or None
        Weights, besides frequencies, of the regression that estimates ``E[D | t]``; None where
        nothing is profiled out.
    """

    residual: FloatArray
    curvature: FloatArray
    smoothing_weight: FloatArray | None


@dataclass(frozen=True)
class Influence:
    """Influence of every row on the normalised parameters, in factors.

    Attributes
    ----------
    directions : array of shape (n, r)
        ``H^{-1/2} C_i`` along the r free directions: ``sum_i w_i h_i`` of their squares is the identity.
    residual, curvature : arrays of shape (n,)
        e and h; of a known link the observed curvature, which may be negative in some rows.
    change : array of shape (k, r)
        ``J H^{-1/2}``: from the standardised directions to the k parameters.
    """

    directions: FloatArray
    residual: FloatArray
    curvature: FloatArray
    change: FloatArray

    @cached_property
    def rows(self) -> FloatArray:
        """Change of the estimates, to first order, when a row's weight grows by one, shape (n, k)."""
        psi = self.directions @ self.change.T
        psi *= self.residual[:, None]
        return psi

    @property
    def n_free(self) -> int:
        """Number r of free directions among the parameters."""
        return int(self.directions.shape[1])


def parameters(model: Any, sample: InferenceSample) -> tuple[tuple[str, ...], FloatArray]:
    """Names and estimates: the coefficients, and the shift of a known link where it was free."""
    theta = np.asarray(model.coef_, dtype=np.float64)
    link = getattr(model.link_, "links", (model.link_,))[0]  # a known link is that of every class
    if model.antisymmetric or not isinstance(link, LapsedLink):
        return sample.feature_names, theta
    return (*sample.feature_names, SHIFT_NAME), np.append(theta, link.shift / link.scale)


def influence(model: Any, sample: InferenceSample, criterion: Criterion) -> Influence:
    """Influence function of a fitted estimator on its sample.

    Parameters
    ----------
    model : fitted estimator
        With a log likelihood or a profiled link.
    sample : InferenceSample
        Its data.
    criterion : {"known", "log", "squared", "isotonic"}
        What the fit minimises or solves.

    Returns
    -------
    Influence

    Raises
    ------
    InvalidDataError
        If the data do not determine the coefficients.
    """
    score = index_score(model, sample, criterion)
    _, theta = parameters(model, sample)
    rows, tangent = sample.differences, np.eye(theta.size)
    spread = np.sqrt(np.append(np.diag(sample.second_moment), np.ones(theta.size - rows.shape[1])))
    if criterion == "known":
        score = replace(score, curvature=_observed_curvature(model.link_, sample))
    if score.smoothing_weight is not None:
        rows = _centred_by_class(sample, score.smoothing_weight, antisymmetric=model.antisymmetric)
        tangent = null_space((theta * spread)[None, :] / np.linalg.norm(theta * spread))
    elif theta.size > rows.shape[1]:
        rows = np.column_stack([rows, np.ones(rows.shape[0])])
    weight = sample.weight * score.curvature
    gram = _gram(rows, weight) / np.outer(spread, spread)
    root = tangent @ _inverse_root(tangent.T @ gram @ tangent, float(np.sum(weight)))
    jacobian = normalizing_jacobian(model.normalization, theta, sample.second_moment, sample.feature_names)
    scaling = root / spread[:, None]
    return Influence(rows @ scaling, score.residual, score.curvature, jacobian @ scaling)


def index_score(model: Any, sample: InferenceSample, criterion: Criterion) -> IndexScore:
    """Row of the module's table for a fitted estimator, with the expected curvature of a known link."""
    if criterion == "known":
        return _known_link_score(model.link_, sample)
    probability, slope = np.empty((2, sample.t.size))
    for rows, link in _smooth_links(model, sample):
        probability[rows] = np.clip(link.probability(sample.t[rows]), _TINY, 1 - _TINY)
        slope[rows] = link.slope(sample.t[rows])
    residual = sample.z - probability
    if criterion == "isotonic":
        return IndexScore(residual, slope, np.ones(sample.t.size))
    if criterion == "squared":
        return IndexScore(residual * slope, slope**2, slope**2)
    rate = slope / (probability * (1 - probability))
    return IndexScore(residual * rate, slope * rate, slope * rate)


def _known_link_score(link: Any, sample: InferenceSample) -> IndexScore:
    parametric: ParametricLink = getattr(link, "links", (link,))[0]  # that of every class
    up, down = parametric.reversed_hazard(sample.t), parametric.hazard(sample.t)
    return IndexScore(sample.z * up - (1 - sample.z) * down, up * down, None)


def _gram(rows: FloatArray, weight: FloatArray) -> FloatArray:
    """``sum_i w_i C_i C_i'`` with weights of either sign."""
    design = LinearDesign(rows)
    positive = design.gram(np.maximum(weight, 0.0))
    return positive - design.gram(np.maximum(-weight, 0.0)) if np.any(weight < 0) else positive


def _observed_curvature(link: Any, sample: InferenceSample) -> FloatArray:
    """``-de/dt`` by central differences, which err by some 1e-10: links know their slope, not its slope."""
    step = _STEP * np.maximum(1.0, np.abs(sample.t))
    high, low = (_known_link_score(link, replace(sample, t=sample.t + move)) for move in (step, -step))
    return np.asarray((low.residual - high.residual) / (2 * step))


def _smooth_links(model: Any, sample: InferenceSample) -> list[tuple[IntArray, Link | SmoothRegression]]:
    """The fitted links where they are smooth; else a smooth regression on the same index.

    An isotonic or piecewise linear link has no slope to speak of, and fits the labels of its own
    sample too well for their residuals; to first order neither matters which smooth estimate is taken.
    A criterion that lets the link fall needs an estimate that can: `link_` is made monotone for predictions.
    """
    result: list[tuple[IntArray, Link | SmoothRegression]] = []
    for rows, link in links_by_class(model, sample):
        t, z, weight = sample.t[rows], sample.z[rows], sample.weight[rows]
        if not assumes_monotone_link(model):
            regression = fit_smooth_regression(t, z, weight, antisymmetric=model.antisymmetric)
            result.append((rows, regression))
        elif isinstance(link, SplineLink):
            result.append((rows, link))
        else:
            objective = SplineObjective(MonotoneSpline(), antisymmetric=model.antisymmetric)
            centre = 0.0 if model.antisymmetric else float(np.average(t, weights=weight))
            objective.update(t - centre, z, weight)
            result.append((rows, objective.fit_link(t - centre, z, weight).shifted(-centre)))
    return result


def _centred_by_class(
    sample: InferenceSample, smoothing_weight: FloatArray, *, antisymmetric: bool
) -> FloatArray:
    """``C``: differences minus their mean given the index, in every class of raters by itself."""
    weight = sample.weight * smoothing_weight
    if sample.link_classes is None:
        basis = index_basis(sample.t, sample.weight, antisymmetric=antisymmetric)
        return centred(sample.differences, basis, weight)
    result = np.empty_like(sample.differences)
    for k in np.unique(sample.link_classes):
        rows = np.flatnonzero(sample.link_classes == k)
        basis = index_basis(sample.t[rows], sample.weight[rows], antisymmetric=antisymmetric)
        result[rows] = centred(sample.differences[rows], basis, weight[rows])
    return result


def _inverse_root(information: FloatArray, total_curvature: float) -> FloatArray:
    """R with ``R R'`` the inverse of the information, refused where some direction has none."""
    eigenvalues, vectors = eigh(information)
    if not eigenvalues[0] > _SINGULAR * max(total_curvature, float(eigenvalues[-1])):
        raise InvalidDataError(
            "The data hold no information on some combination of the coefficients: collinear features (or, "
            "with a free link, features that the index determines), a constant beside a position effect, "
            "or fewer different comparisons than features. Drop features, or collect more comparisons"
        )
    return np.asarray(vectors / np.sqrt(eigenvalues))
