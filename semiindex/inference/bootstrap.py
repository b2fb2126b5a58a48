"""The bootstrap: refits to resampled comparisons or clusters.

A resample is a vector of frequency weights, not a copy of rows: weight k is the same as k copies in
every estimator of the library. Draw b depends on the seed and on b alone, so that the result is the
same for any number of jobs.

Data are read and checked once for all refits. Every refit starts where a fit starts, at its own pilot, and
not at the estimate of the whole sample: that is a standard error away, as the pilot is, so that it saved no
evaluation in trials (10.0 in place of 9.8 for the spline link at n = 1000), and where a criterion has
several local minima it led a refit to another one than `fit` finds.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexError, SeparationWarning
from semiindex.inference.normalizing import normalized, normalizing_position
from semiindex.inference.progress import shown
from semiindex.inference.sample import InferenceSample
from semiindex.link.base import Link
from semiindex.link.lapsed import LapsedLink
from semiindex.policy._reading import FitInput, read_fit_input

__all__ = ["Bootstrap", "Draws", "bootstrap_draws", "percentile_intervals"]

#: Share of refits that may fail before the rest is no longer taken for a sample.
_MOST_FAILURES = 0.5


@dataclass(frozen=True)
class Bootstrap:
    """How to bootstrap.

    Parameters
    ----------
    n_draws : int, default=999
        Number of refits. Of 999 the quantiles at 2.5% and 97.5% are order statistics; standard
        errors alone need about 200.
    interval : {"percentile", "symmetric", "normal"}, default="percentile"
        From the quantiles of the draws; estimate plus and minus a quantile of the draws' absolute
        distances from it; or estimate plus and minus a multiple of the standard error.
    random_state : int, default=0
        Seed. Fixed, so that a table is the same in every run.
    n_jobs : int, optional
        Number of processes, as in joblib; one by default. The draws do not depend on it.
    progress : bool, default=False
        Whether to show a progress bar.

    Examples
    --------
    >>> from semiindex.inference import Bootstrap
    >>> Bootstrap(n_draws=199)
    Bootstrap(n_draws=199, interval='percentile', random_state=0, n_jobs=None, progress=False)
    """

    n_draws: int = 999
    interval: Literal["percentile", "symmetric", "normal"] = "percentile"
    random_state: int = 0
    n_jobs: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        if not (float(self.n_draws).is_integer() and self.n_draws >= 2):
            raise InvalidParameterError(f"n_draws must be an integer >= 2, got {self.n_draws!r}")
        if self.interval not in ("percentile", "symmetric", "normal"):
            raise InvalidParameterError(
                f"interval must be 'percentile', 'symmetric' or 'normal', got {self.interval!r}"
            )


@dataclass(frozen=True)
class Draws:
    """Refits that came out.

    Attributes
    ----------
    theta : array of shape (n, k)
        Estimates under the normalisation of the model (the sample's own second moment under "rms").
    links : list of lists of Link
        Links of every refit on the scale of its row of `theta`.
    notes : tuple of str
        How many refits failed or did not converge, and why.
    """

    theta: FloatArray
    links: list[list[Link]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Refit:
    theta: FloatArray
    links: list[Link]
    converged: bool


def bootstrap_draws(
    model: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    link_groups: Any,
    sample: InferenceSample,
    spec: Bootstrap,
) -> Draws:
    """Refit the model to resamples of observations, or of clusters where the sample has them.

    Parameters
    ----------
    model : fitted estimator
        Is cloned, not changed.
    X, y, sample_weight, link_groups
        As they were passed to `fit`.
    sample : InferenceSample
        The same data, read.
    spec : Bootstrap
        Number of draws, seed, jobs.

    Raises
    ------
    InvalidDataError
        If most refits fail.
    """
    if len(sample.clusters) > 1:
        raise InvalidParameterError(
            "The bootstrap resamples clusters of one kind, and groups has two columns; use "
            "covariance='two-way'"
        )
    seeds = np.random.SeedSequence(spec.random_state).spawn(spec.n_draws)
    sigma = sample.second_moment
    data = read_fit_input(
        clone(model), X, y, sample_weight, link_groups, one_class_allowed=model.antisymmetric
    )
    if data.groups is None and sample.clusters:
        # Raters that came as an array: a refit keeps their answers in one fold, as the fit did.
        data = replace(data, groups=sample.clusters[0])
    tasks = (
        delayed(_refit)(model, data, _multiplier(sample, seed), sigma, sample.feature_names) for seed in seeds
    )
    pending = Parallel(spec.n_jobs, return_as="generator")(tasks)
    results = list(shown(pending, spec.n_draws, "bootstrap", progress=spec.progress))
    fits = [result for result in results if isinstance(result, _Refit)]
    failures = Counter(result for result in results if isinstance(result, str))
    if len(fits) < (1 - _MOST_FAILURES) * spec.n_draws or len(fits) < 2:
        raise InvalidDataError(
            f"{failures.total()} of {spec.n_draws} bootstrap refits failed, most often with: "
            f"{failures.most_common(1)[0][0]}. The sample is too small for a bootstrap"
        )
    theta = np.array([fit.theta for fit in fits])
    return Draws(theta, [fit.links for fit in fits], _notes(model, sample, fits, failures, spec.n_draws))


def percentile_intervals(
    theta: FloatArray, draws: FloatArray, level: float, interval: str
) -> FloatArray | None:
    """Intervals from draws, shape (k, 2); None for "normal"."""
    if interval == "normal":
        return None
    if interval == "symmetric":
        half = np.quantile(np.abs(draws - theta), level, axis=0)
        return np.column_stack([theta - half, theta + half])
    tail = (1 - level) / 2
    return np.asarray(np.quantile(draws, [tail, 1 - tail], axis=0).T)


def _multiplier(sample: InferenceSample, seed: np.random.SeedSequence) -> FloatArray:
    """Factor of every row's weight in one resample."""
    rng = np.random.default_rng(seed)
    if sample.clusters:
        codes = sample.clusters[0]
        count = int(codes.max()) + 1
        return rng.multinomial(count, np.full(count, 1 / count))[codes].astype(np.float64)
    observations = sample.observations
    size = max(round(observations.total), 1)
    drawn = rng.multinomial(size, observations.frequency / observations.total)
    return np.asarray((drawn / observations.frequency)[observations.codes])


def _refit(
    model: Any, data: FitInput, multiplier: FloatArray, sigma: FloatArray, names: tuple[str, ...]
) -> _Refit | str:
    """One refit under the model's normalisation, or why there is none."""
    rule = model.normalization
    fresh = clone(model).set_params(normalization=None if rule is None else "rms")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            weight = data.weight * multiplier
            fresh._fit_read(data.reweighted(weight, one_class_allowed=fresh.antisymmetric))
        if any(issubclass(warning.category, SeparationWarning) for warning in caught):
            return "separated data"
        theta, divisor = normalized(rule, np.asarray(fresh.coef_, dtype=np.float64), sigma, names)
    except SemiindexError as error:
        return str(error).split(".")[0]
    links = [fresh.link_] if fresh.links_ is None else list(fresh.links_.values())
    scaled = [link.rescaled(divisor) if divisor != 1 else link for link in links]
    return _Refit(_with_shift(fresh, theta, scaled[0]), scaled, bool(fresh.converged_))


def _with_shift(model: Any, theta: FloatArray, link: Link) -> FloatArray:
    """Estimates, with the shift of a known link where it was free."""
    if isinstance(link, LapsedLink) and not model.antisymmetric:
        return np.append(theta, link.shift / link.scale)
    return theta


def _notes(
    model: Any, sample: InferenceSample, fits: list[_Refit], failures: Counter[str], n_draws: int
) -> tuple[str, ...]:
    notes = []
    if failures:
        reasons = "; ".join(f"{count} times: {reason}" for reason, count in failures.most_common(3))
        notes.append(f"{failures.total()} of {n_draws} refits failed and are left out ({reasons}).")
    loose = sum(not fit.converged for fit in fits)
    if loose:
        notes.append(f"{loose} of {n_draws} refits stopped before their tolerance; they are used too.")
    position = normalizing_position(model.normalization, sample.feature_names)
    if position is not None:
        other = sum(float(fit.theta[position]) * float(model.coef_[position]) < 0 for fit in fits)
        if other:
            notes.append(
                f"In {other} of {n_draws} refits the normalising coefficient has the other sign: it may be "
                "0, and coefficients in units of it then have no finite spread; use 'rms' or 'norm'."
            )
    return tuple(notes)
