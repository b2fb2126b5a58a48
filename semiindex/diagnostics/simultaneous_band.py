"""A band for the whole link: it covers all points at once, and needs no refits.

The fitted spline and the coefficients are linearised together. Every block (cluster or observation)
moves the logit at u by ``C_g(u)``; the band is the logit plus and minus ``c se(u)``, where c is the
quantile of ``max over u of |sum_g eta_g C_g(u)| / se(u)`` over random signs eta, :eq:`simultaneous-band`;
with few blocks every draw repeats the fit, standard error included. The variance is that of the blocks or
of the penalised information, whichever is larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.special import expit, logit

from semiindex._types import FloatArray
from semiindex.diagnostics.block_refits import BlockRefits, pull_of_blocks, worth_refitting
from semiindex.diagnostics.leave_out import changes_without_block, inverse_root
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.score_process import NullModel, merged_blocks
from semiindex.index.linear import LinearDesign
from semiindex.inference.covariance import sums_by_code
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
    fit = _standardised_fit(free, link, null, sample, t)
    changes = fit.changes(null)
    # Far out, where a fit that is too steep leaves hardly any residuals, their squares know too little.
    model_variance = np.sum(fit.to_logit**2, axis=1)
    error = np.sqrt(np.maximum(null.blocks.frequency @ changes**2, model_variance))
    if worth_refitting(null.blocks, t.size, fit.directions.shape[1]):
        draws = _refits(fit, null, changes).draws(multipliers, model_variance)
    else:
        draws = _plain_draws(changes, error, null.blocks.frequency, multipliers)
    critical = float(np.quantile(np.abs(draws).max(axis=1), level))
    odds = logit(link.probability(t))
    lower, upper = expit(odds - critical * error), expit(odds + critical * error)
    return SimultaneousBand(t, expit(odds), lower, upper, level, critical, str(free.normalization_))


def _points(t: FloatArray, weight: FloatArray, antisymmetric: bool) -> FloatArray:
    if antisymmetric:
        end = float(weighted_quantiles(np.abs(t), weight, np.array([_SHARE]))[0])
        return np.linspace(-end, end, _POINTS)
    low, high = weighted_quantiles(t, weight, np.array([(1 - _SHARE) / 2, (1 + _SHARE) / 2]))
    return np.linspace(low, high, _POINTS)


@dataclass(frozen=True, eq=False)
class _StandardisedFit:
    """Directions of unit information, shape (n, r), and what they do to the logit, shape (m, r)."""

    directions: FloatArray
    to_logit: FloatArray

    def changes(self, null: NullModel) -> FloatArray:
        """``C_g(u)``, shape (G, m)."""
        return changes_without_block(
            self.directions,
            null.residual,
            null.curvature,
            self.to_logit,
            null.blocks,
            clustered=null.clustered,
        )


def _plain_draws(
    changes: FloatArray, error: FloatArray, frequency: FloatArray, multipliers: Multipliers
) -> FloatArray:
    contributions, frequency = merged_blocks(changes, frequency)
    # An odd logit is 0 at 0 without error.
    scaled = np.divide(contributions, error, out=np.zeros_like(contributions), where=error > 0)
    return np.concatenate([part @ scaled for part in multipliers.chunks(frequency)])


def _refits(fit: _StandardisedFit, null: NullModel, changes: FloatArray) -> BlockRefits:
    """Draws that repeat the fit: a block's B is what its rows' information does to the logit."""
    blocks, directions = null.blocks, fit.directions
    pull = pull_of_blocks(directions @ fit.to_logit.T, directions, null.curvature, blocks)
    score = sums_by_code((blocks.share * null.residual)[:, None] * directions, blocks.codes)
    return BlockRefits(score @ fit.to_logit.T, changes, pull, score, blocks.frequency)


def _standardised_fit(
    free: ProfiledLinkPolicy, link: SplineLink, null: NullModel, sample: InferenceSample, t: FloatArray
) -> _StandardisedFit:
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
    return _StandardisedFit(rows @ root, grid @ root[-grid.shape[1] :])


def _penalty(free: ProfiledLinkPolicy, null: NullModel) -> float:
    """Weight of the roughness on the scale of the fitted index, about its mean where location is free."""
    spline = free.link if isinstance(free.link, MonotoneSpline) else MonotoneSpline()
    centre = 0.0 if free.antisymmetric else float(np.average(null.t, weights=null.weight))
    return spline.penalty * root_mean_square(null.t - centre, null.weight) ** 3
