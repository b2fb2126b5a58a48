"""Distance between a known link and the best monotone one, and its distribution by refits.

Under the null hypothesis the labels are those of the known link at its own fit. Every draw makes new
labels from it and fits index and link anew under both hypotheses, so that the estimation of either is
part of the null distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from semiindex._types import FloatArray
from semiindex.diagnostics.separating_direction import distinct_sample
from semiindex.exceptions import InvalidDataError, LinkFitError
from semiindex.inference.bootstrap import Bootstrap
from semiindex.inference.progress import shown
from semiindex.inference.sample import InferenceSample
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.parametric import ParametricLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.objective.spline import SplineObjective
from semiindex.objective.unit_index import UnitIndexObjective
from semiindex.optimize.fit import IndexSample, fit_index
from semiindex.optimize.penalty import NO_PENALTY
from semiindex.optimize.separable import fit_separable
from semiindex.policy._pilot import fit_with_shift

__all__ = ["Departure", "departure", "departures_under_null", "distinct_comparisons"]

#: Numerical error of a fit in standard errors. It is the same in the sample and in every draw, and moves
#: the log likelihood by half its square.
_TOLERANCE = 1e-2
_MOST_STEPS = 200
#: Share of draws that may be separated before the rest is no longer taken for a sample.
_MOST_FAILURES = 0.1
#: Distance from a whole number at which a weight counts as one.
_WHOLE = 1e-9


@dataclass(frozen=True, eq=False)
class Departure:
    """How far the best monotone link departs from the known one.

    Attributes
    ----------
    likelihood_ratio : float
        Twice the gain in log likelihood, less the curvature penalty of the spline.
    distance : float
        Root mean square difference of the two fitted probabilities.
    probability : array of shape (m,)
        Fitted under the known link.
    """

    likelihood_ratio: float
    distance: float
    probability: FloatArray


def distinct_comparisons(sample: InferenceSample, *, antisymmetric: bool) -> IndexSample:
    """The comparisons with how often each was made, and the share of its wins.

    Parameters
    ----------
    sample : InferenceSample
        The data.
    antisymmetric : bool
        Whether a comparison and its mirror image are one.

    Raises
    ------
    InvalidDataError
        If the labels are not independent draws, one for each unit of weight.
    """
    _require_single_outcomes(sample)
    return distinct_sample(sample, antisymmetric=antisymmetric).sample


def departure(sample: IndexSample, link: ParametricLink, *, antisymmetric: bool) -> Departure | None:
    """Fit both hypotheses.

    Parameters
    ----------
    sample : IndexSample
        Distinct comparisons.
    link : ParametricLink
        Null hypothesis.
    antisymmetric : bool
        Whether position has no effect.

    Returns
    -------
    Departure or None
        None where the labels are separated or the spline could not be fitted.
    """
    shift = 0.0
    if antisymmetric:
        fit = fit_separable(sample, KnownLinkObjective(link), tol=_TOLERANCE)
    else:
        fit, shift = fit_with_shift(sample, link, penalty=NO_PENALTY, tol=_TOLERANCE, max_iter=_MOST_STEPS)
    norm = float(np.linalg.norm(fit.minimum.x))
    if fit.separation != "none" or norm == 0:
        return None
    objective = UnitIndexObjective(SplineObjective(MonotoneSpline(), antisymmetric=antisymmetric))
    try:
        free = fit_index(sample, objective, fit.minimum.x / norm, tol=_TOLERANCE)
        t = sample.design.matvec(free.x)
        estimated = objective.fit_link(t, sample.z, sample.weight).probability(t)
    except LinkFitError:
        return None
    probability = link.probability(sample.design.matvec(fit.minimum.x) + shift)
    total = float(np.sum(sample.weight))
    distance = float(np.sqrt(np.dot(sample.weight, (estimated - probability) ** 2) / total))
    return Departure(2 * total * (fit.minimum.value - free.value), distance, probability)


def departures_under_null(
    sample: IndexSample, observed: Departure, link: ParametricLink, spec: Bootstrap, *, antisymmetric: bool
) -> FloatArray:
    """Likelihood ratio and distance of samples whose labels the known link draws.

    Parameters
    ----------
    sample : IndexSample
        Distinct comparisons.
    observed : Departure
        Of the sample itself: its probabilities draw the labels.
    link : ParametricLink
        Null hypothesis.
    spec : Bootstrap
        Number of draws, seed, jobs, progress. Draw b depends on the seed and on b alone.
    antisymmetric : bool
        Whether position has no effect.

    Returns
    -------
    array of shape (n, 2)
        n is `spec.n_draws` less the draws whose labels are separated.

    Raises
    ------
    InvalidDataError
        If more than a tenth of the draws are.
    """
    seeds = np.random.SeedSequence(spec.random_state).spawn(spec.n_draws)
    tasks = (delayed(_redraw)(sample, observed.probability, link, seed, antisymmetric) for seed in seeds)
    pending = Parallel(spec.n_jobs, return_as="generator")(tasks)
    results = list(shown(pending, spec.n_draws, "link test", progress=spec.progress))
    kept = [result for result in results if result is not None]
    if len(kept) < (1 - _MOST_FAILURES) * spec.n_draws:
        raise InvalidDataError(
            f"In {spec.n_draws - len(kept)} of {spec.n_draws} bootstrap samples the labels are separated: "
            "there are too few comparisons for a test by refits; use method='score'"
        )
    return np.array(kept)


def _redraw(
    sample: IndexSample,
    probability: FloatArray,
    link: ParametricLink,
    seed: np.random.SeedSequence,
    antisymmetric: bool,
) -> tuple[float, float] | None:
    """One draw; with one thread of linear algebra, so that sums do not depend on the number of jobs."""
    wins = np.random.default_rng(seed).binomial(np.round(sample.weight).astype(np.int64), probability)
    drawn = IndexSample(sample.design, wins / sample.weight, sample.weight)
    with threadpool_limits(1):
        result = departure(drawn, link, antisymmetric=antisymmetric)
    return None if result is None else (result.likelihood_ratio, result.distance)


def _require_single_outcomes(sample: InferenceSample) -> None:
    if sample.clusters:
        raise InvalidDataError(
            "The answers of one group depend on each other, and a parametric bootstrap draws them one by "
            "one: use method='score', which keeps the groups together"
        )
    if sample.observations.frequency.size < sample.weight.size:
        raise InvalidDataError(
            "Some comparisons are several rows (halves of a tie, soft labels, choice sets), and the null "
            "hypothesis does not say how such answers come about: use method='score', which keeps the rows "
            "of a comparison together"
        )
    if np.any(np.abs(sample.weight - np.round(sample.weight)) > _WHOLE):
        raise InvalidDataError(
            "Some weights are fractions, so that they do not count answers, and a parametric bootstrap "
            "cannot draw them: use method='score', which takes every row as one comparison of its weight"
        )
