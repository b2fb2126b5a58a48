"""Fits from several starting directions: whether the criterion has one minimum that matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex.optimize.penalty import NO_PENALTY, Ridge
from semiindex.policy._sample import PreparedSample
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["MultistartSpread", "multistart_spread"]

#: Log likelihood by which two fits may differ and count as equally good: that of a standard error.
_EQUALLY_GOOD = 0.5
#: Degrees between equally good directions that are worth a word.
_MOST_DEGREES = 5.0


@dataclass(frozen=True)
class MultistartSpread:
    """Where fits from random directions end.

    Attributes
    ----------
    n_starts : int
        Number of random directions.
    n_equally_good : int
        Fits, that of the model included, whose log likelihood is within 0.5 of the best.
    angle : float
        Largest angle, in degrees, between the model's direction and one of them.
    gain : float
        Log likelihood by which the best is better than the model (0: none is).
    """

    n_starts: int
    n_equally_good: int
    angle: float
    gain: float

    @property
    def is_ambiguous(self) -> bool:
        """Whether a fit elsewhere is as good or better."""
        return self.gain > _EQUALLY_GOOD or self.angle > _MOST_DEGREES


def multistart_spread(
    model: Any, prepared: PreparedSample, n_starts: int, rng: np.random.Generator
) -> MultistartSpread | None:
    """Fit from random directions.

    Parameters
    ----------
    model : fitted estimator
        A `ProfiledLinkPolicy`; others have a criterion with one minimum, or starts of their own.
    prepared : PreparedSample
        Its data.
    n_starts : int
        Number of directions, uniform in the coordinates in which the index has unit mean square.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    MultistartSpread or None
        None for other estimators, a single coefficient, or no starts.
    """
    sample = prepared.sample
    if not isinstance(model, ProfiledLinkPolicy) or n_starts == 0 or sample.design.n_parameters == 1:
        return None
    own = _coordinates(model, prepared)
    starts = [own, *rng.standard_normal((n_starts, own.size))]
    penalty = Ridge(model.ridge) if model.ridge > 0 else NO_PENALTY
    minima = [model._fit_from(prepared, start, penalty)[1] for start in starts]
    values = float(np.sum(sample.weight)) * np.array([minimum.value for minimum in minima])
    good = np.flatnonzero(values <= values.min() + _EQUALLY_GOOD)
    cosines = [_cosine(minima[0].x, minima[k].x) for k in good]
    return MultistartSpread(
        n_starts=n_starts,
        n_equally_good=int(good.size),
        angle=float(np.degrees(np.arccos(np.clip(min(cosines), -1.0, 1.0)))),
        gain=float(values[0] - values.min()),
    )


def _coordinates(model: Any, prepared: PreparedSample) -> Any:
    """The model's coefficients in the coordinates of the fit."""
    sample = prepared.sample
    theta = np.asarray(model.coef_, dtype=np.float64)
    theta = theta if prepared.column_scale is None else theta / prepared.column_scale
    t = sample.design.design.matvec(theta)
    return sample.design.rmatvec(sample.weight * t) / float(np.sum(sample.weight))


def _cosine(first: Any, second: Any) -> float:
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))
