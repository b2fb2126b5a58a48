"""A band for the whole link: it covers all points at once, and needs no refits.

The fitted spline and the coefficients are linearised together. Every block (cluster or observation)
moves the logit at u by ``C_g(u)``; the band is the logit plus and minus ``c se(u)``, where c is the
quantile of ``max over u of |sum_g eta_g C_g(u)| / se(u)`` over random signs eta, :eq:`simultaneous-band`.
The variance is that of the blocks or of the penalised information, whichever is larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.special import expit, logit

from semiindex._types import FloatArray
from semiindex.diagnostics.leave_out import changes_without_block, inverse_root
from semiindex.diagnostics.score_process import Multipliers, NullModel, merged_blocks
from semiindex.index.linear import LinearDesign
from semiindex.inference.sample import InferenceSample
from semiindex.link.monotone_spline import MonotoneSpline, weighted_quantiles
from semiindex.link.spline import SplineBasis, SplineLink
from semiindex.objective.unit_index import root_mean_square
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["SimultaneousBand", "simultaneous_band"]

_POINTS = 101
#: The central share of the comparisons that the band spans.
_SHARE = 0.98


@dataclass(frozen=True, eq=False)
class SimultaneousBand:
    """Estimated link with a band that covers it everywhere at once.

    Attributes
    ----------
    t : array of shape (m,)
        Index under the normalisation of the fit.
    probability, lower, upper : arrays of shape (m,)
        Estimated link and the ends of the band.
    level : float
        Probability that the band holds the whole link on the range of `t`.
    critical_value : float
        Half width in standard errors of the logit.
    scale : str
        Normalisation of the index in words.
    """

    t: FloatArray
    probability: FloatArray
    lower: FloatArray
    upper: FloatArray
    level: float
    critical_value: float
    scale: str


def simultaneous_band(
    free: ProfiledLinkPolicy,
    null: NullModel,
    sample: InferenceSample,
    multipliers: Multipliers,
    level: float,
) -> SimultaneousBand:
    """Band of a fitted spline link.

    Parameters
    ----------
    free : ProfiledLinkPolicy
        Fit with a spline link.
    null : NullModel
        The same fit as `smooth_null` describes it.
    sample : InferenceSample
        Its data.
    multipliers : Multipliers
        Random signs.
    level : float
        Simultaneous confidence level.
    """
    link = free.link_
    if not isinstance(link, SplineLink):
        raise TypeError(f"a band needs a spline link, got {link!r}")
    t = _points(null.t, null.weight, bool(free.antisymmetric))
    changes, model_variance = _contributions(free, link, null, sample, t)
    contributions, frequency = merged_blocks(changes, null.blocks.frequency)
    # Far out, where a fit that is too steep leaves hardly any residuals, their squares know too little.
    error = np.sqrt(np.maximum(frequency @ contributions**2, model_variance))
    # An odd logit is 0 at 0 without error.
    scaled = np.divide(contributions, error, out=np.zeros_like(contributions), where=error > 0)
    largest = np.concatenate([np.abs(part @ scaled).max(axis=1) for part in multipliers.chunks(frequency)])
    critical = float(np.quantile(largest, level))
    odds = logit(link.probability(t))
    lower, upper = expit(odds - critical * error), expit(odds + critical * error)
    return SimultaneousBand(t, expit(odds), lower, upper, level, critical, str(free.normalization_))


def _points(t: FloatArray, weight: FloatArray, antisymmetric: bool) -> FloatArray:
    if antisymmetric:
        end = float(weighted_quantiles(np.abs(t), weight, np.array([_SHARE]))[0])
        return np.linspace(-end, end, _POINTS)
    low, high = weighted_quantiles(t, weight, np.array([(1 - _SHARE) / 2, (1 + _SHARE) / 2]))
    return np.linspace(low, high, _POINTS)


def _contributions(
    free: ProfiledLinkPolicy, link: SplineLink, null: NullModel, sample: InferenceSample, t: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """``C_g(u)``, shape (G, m), and the variance of the logit by the penalised information, shape (m,)."""
    d = sample.differences.shape[1]
    basis = SplineBasis(link.breakpoints, link.antisymmetric)
    # The coefficients move along the surface on which their root mean square is fixed.
    gradient = sample.second_moment @ np.asarray(free.coef_, dtype=np.float64)
    tangent = null_space(gradient[None, :] / np.linalg.norm(gradient))
    functions, grid = basis.design(null.t), basis.design(t)
    if not link.antisymmetric:
        functions, grid = (np.column_stack([np.ones(len(m)), m]) for m in (functions, grid))
    rows = np.column_stack([null.nuisance[:, :d] @ tangent, functions])
    roughness = np.zeros((rows.shape[1], rows.shape[1]))
    k = basis.n_coefficients
    roughness[-k:, -k:] = _penalty(free, null) * basis.roughness
    root = inverse_root(LinearDesign(rows).gram(null.weight * null.curvature) + roughness)
    changes = changes_without_block(
        rows @ root,
        null.residual,
        null.curvature,
        root[-grid.shape[1] :],
        null.blocks,
        clustered=null.clustered,
    )
    return changes @ grid.T, np.sum((grid @ root[-grid.shape[1] :]) ** 2, axis=1)


def _penalty(free: ProfiledLinkPolicy, null: NullModel) -> float:
    """Weight of the roughness on the scale of the fitted index, about its mean where location is free."""
    spline = free.link if isinstance(free.link, MonotoneSpline) else MonotoneSpline()
    centre = 0.0 if free.antisymmetric else float(np.average(null.t, weights=null.weight))
    return spline.penalty * root_mean_square(null.t - centre, null.weight) ** 3
