"""How far the criteria of a fit are above their least values, as far as other fits can tell.

Theorems are about minimisers over all indices and all monotone links. No method is certain to find them;
the least value among several fits, each with the isotonic link that suits its index best, stands in.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import SemiindexWarning
from semiindex.inference.sample import InferenceSample
from semiindex.link.base import Link
from semiindex.link.isotonic import isotonic_fit
from semiindex.objective.pairwise_sums import Indicator
from semiindex.objective.win_loss import split
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["TrainingGap", "smooth_link", "training_gap"]


@dataclass(frozen=True, eq=False)
class TrainingGap:
    """Excess of a fit over the best one found.

    Attributes
    ----------
    squared_error : float
        Mean squared training error minus the least one found.
    ranking_risk : float
        Share of misordered pairs minus the least one found.
    """

    squared_error: float
    ranking_risk: float


def training_gap(model: Any, sample: InferenceSample) -> TrainingGap:
    """Compare a fit with a spline and an isotonic fit to the same sample.

    Parameters
    ----------
    model : fitted estimator
        With one link.
    sample : InferenceSample
        Its data, in the features of its index.
    """
    others = [_refit(model, sample, "spline"), _refit(model, sample, "isotonic")]
    indices = [sample.t, *(sample.differences @ np.asarray(other.coef_) for other in others)]
    probability = model.link_.probability(sample.t)
    squared = float(np.average((sample.z - probability) ** 2, weights=sample.weight))
    least = min(_least_squares(sample, t) for t in indices)
    risks = [_ranking_risk(sample, t, antisymmetric=model.antisymmetric) for t in indices]
    return TrainingGap(max(squared - least, 0.0), max(risks[0] - min(risks), 0.0))


def smooth_link(model: Any, sample: InferenceSample) -> Link:
    """Link of a spline fit, for an index of unit root mean square: what is known of the slope.

    Parameters
    ----------
    model, sample
        As in `training_gap`.
    """
    spline = _refit(model, sample, "spline")
    return spline.link_.rescaled(spline.index_rms_)


def _refit(model: Any, sample: InferenceSample, link: str) -> ProfiledLinkPolicy:
    if isinstance(model, ProfiledLinkPolicy) and (model.link, model.normalization, model.ridge) == (
        link,
        "rms",
        0,
    ):
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)  # the fit itself has said it
        fresh = ProfiledLinkPolicy(link, antisymmetric=model.antisymmetric)
        return fresh.fit(sample.differences, sample.z.astype(int), sample_weight=sample.weight)


def _least_squares(sample: InferenceSample, t: FloatArray) -> float:
    """Mean squared error of the best monotone link on an index, whatever its symmetry."""
    fit = isotonic_fit(t, sample.z, sample.weight, antisymmetric=False, bound=0.0)
    return float(np.average((sample.z - fit.fitted) ** 2, weights=sample.weight))


def _ranking_risk(sample: InferenceSample, t: FloatArray, *, antisymmetric: bool) -> float:
    """Share of all pairs that are misordered; pairs without an order count as ordered."""
    pairs = split(t, sample.z, sample.weight, antisymmetric=antisymmetric)
    if pairs is None:
        return 0.0
    risk = float(pairs.mean(Indicator()))
    if antisymmetric:
        return risk
    wins = float(np.average(sample.z, weights=sample.weight))
    return 2 * wins * (1 - wins) * risk
