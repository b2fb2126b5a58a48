"""How far the criteria of a fit are above their least values, as far as other fits can tell.

Theorems are about minimisers over all indices and all monotone links. No method is certain to find them;
the least value among several fits, each with the isotonic link that suits its index best, stands in.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError, SemiindexWarning
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


def training_gap(model: Any, sample: InferenceSample, rivals: Sequence[Any] = ()) -> TrainingGap:
    """Compare a fit with a spline and an isotonic fit to the same sample.

    Parameters
    ----------
    model : fitted estimator
        With one link.
    sample : InferenceSample
        Its data, in the features of its index.
    rivals : sequence of fitted estimators, default=()
        Further fits of the same class of indices to the same data. A spline or an isotonic one among
        them is not fitted again.

    Raises
    ------
    InvalidParameterError
        For rivals of another class or other data.
    """
    for rival in rivals:
        _require_same_sample(rival, model, sample)
    others = [
        _refit([model, *rivals], sample, "spline"),
        _refit([model, *rivals], sample, "isotonic"),
        *rivals,
    ]
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
    spline = _refit([model], sample, "spline")
    return spline.link_.rescaled(spline.index_rms_)


def _refit(known: Sequence[Any], sample: InferenceSample, link: str) -> ProfiledLinkPolicy:
    """The unpenalised fit with a link, made anew if it is not known already."""
    wanted = {
        "link": link,
        "normalization": "rms",
        "ridge": 0,
        "antisymmetric": known[0].antisymmetric,
    }
    for fit in known:
        if isinstance(fit, ProfiledLinkPolicy) and wanted.items() <= fit.get_params(deep=False).items():
            return fit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)  # the fit itself has said it
        fresh = ProfiledLinkPolicy(link, antisymmetric=known[0].antisymmetric)
        return fresh.fit(sample.differences, sample.z.astype(int), sample_weight=sample.weight)


def _require_same_sample(rival: Any, model: Any, sample: InferenceSample) -> None:
    """Refuse rivals whose index is not one of the class, on the sample."""
    coef = np.asarray(getattr(rival, "coef_", np.nan), dtype=np.float64)
    if coef.shape == np.shape(model.coef_) and type(rival.index_) is type(model.index_):
        rms = float(np.sqrt(np.average((sample.differences @ coef) ** 2, weights=sample.weight)))
        if np.isclose(rms, rival.index_rms_, rtol=1e-3):
            return
    raise InvalidParameterError(
        f"rivals must be fits of the same class of indices to the same data as the model; {rival!r} is not"
    )


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
