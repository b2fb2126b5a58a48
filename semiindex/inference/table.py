"""`infer`: standard errors, tests and intervals for the coefficients of a fit."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.bootstrap import Bootstrap, bootstrap_draws, percentile_intervals
from semiindex.inference.covariance import (
    CovarianceEstimate,
    cluster_covariance,
    jackknife_covariance,
    sandwich_covariance,
    two_way_covariance,
)
from semiindex.inference.eligibility import criterion_of, require_eligible, require_full_rank
from semiindex.inference.fit_statistics import area_under_curve, effective_size, log_likelihood
from semiindex.inference.influence import influence, parameters
from semiindex.inference.normalizing import coverage_sentence
from semiindex.inference.result import Inference
from semiindex.inference.sample import InferenceSample, read_sample

__all__ = ["infer"]

Kind = Literal["auto", "sandwich", "cluster", "two-way", "jackknife", "bootstrap"]


def infer(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    link_groups: ArrayLike | None = None,
    groups: Any = None,
    covariance: Kind | Bootstrap = "auto",
    level: float = 0.95,
) -> Inference:
    """Standard errors, tests and intervals for the coefficients of a fitted linear index.

    Parameters
    ----------
    model : KnownLinkPolicy or ProfiledLinkPolicy
        A fitted estimator with a linear index and without a ridge. Others that learn a linear index
        have the bootstrap only.
    X, y, sample_weight, link_groups
        The data of the fit, as they were passed to `fit`.
    groups : array-like of shape (n,) or (n, 2), or DataFrame, optional
        Clusters within which answers may depend on each other, such as the raters; two columns for
        clusters in two ways, such as raters and items. The default is what `PreferencePairs` carry.
    covariance : {"auto", "sandwich", "cluster", "two-way", "jackknife", "bootstrap"} or Bootstrap, \
            default="auto"
        ``"auto"``: clustered as `groups` say, else ``"sandwich"``, that of independent comparisons with
        the factor of HC1. ``"cluster"``: CR1, with t(G - 1) for tests and intervals. ``"two-way"``:
        Cameron, Gelbach & Miller (2011). ``"jackknife"``: one cluster, or comparison, left out at a time
        (CR3, HC3); larger, and closer to the truth where clusters are few or uneven. ``"bootstrap"``:
        refits to resampled comparisons, or clusters where there are any; a `Bootstrap` sets draws,
        intervals, seed and jobs.
    level : float, default=0.95
        Confidence level of the intervals.

    Returns
    -------
    Inference
        Prints as a table; also tests hypotheses and forms ratios.

    Raises
    ------
    InvalidParameterError
        For fits without standard errors: penalised, of an index that is not linear, of a single
        feature whose scale is fixed.
    InvalidDataError
        If these are not the data of the fit, or they do not determine the coefficients (separation,
        collinear features), or clusters are too few.

    Notes
    -----
    A link that was estimated costs precision, and the standard errors say so: features enter through
    what the index does not predict of them, ``D - E[D | t]`` (:eq:`information`). Rows of one comparison
    (the halves of a tie, a soft label, the pairs of a choice set) are one observation: their influence is
    summed before it is squared.

    References
    ----------
    Klein & Spady 1993 (efficient information); Balabdaoui, Groeneboom & Hendrickx 2019 (isotonic score);
    Cameron, Gelbach & Miller 2011 (two-way clustering).

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, infer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3))
    >>> y = rng.random(1000) < 0.2 + 0.6 / (1 + np.exp(-3 * X @ [1.0, -0.5, 0.0]))
    >>> result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> result.standard_errors.round(3)
    array([0.024, 0.055, 0.057])
    >>> print(result.wald_test("x0 = -2 * x1"))
    Wald test of x0 + 2 * x1 = 0: 0.3072 ~ chi2(1), p = 0.579
    """
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    require_eligible(model)
    sample = read_sample(model, X, y, sample_weight, link_groups, groups)
    require_full_rank(sample)
    kind = _resolve(covariance, sample)
    intervals, draws = None, None
    names, theta = parameters(model, sample)
    if isinstance(kind, Bootstrap):
        outcome = bootstrap_draws(model, X, y, sample_weight, link_groups, sample, kind)
        draws = outcome.theta
        intervals = percentile_intervals(theta, draws, level, kind.interval)
        estimate = _bootstrap_estimate(draws, outcome.notes, kind, sample)
    else:
        estimate = _analytic(model, sample, kind)
    return Inference(
        estimator=type(model).__name__,
        link=repr(model.link_),
        names=names,
        coefficients=theta,
        estimate=estimate,
        level=level,
        rule=model.normalization,
        normalization=model.normalization_,
        covers=coverage_sentence(model.normalization, model.normalization_),
        n_comparisons=float(np.sum(sample.weight)),
        n_effective=effective_size(sample),
        log_likelihood=log_likelihood(model, sample),
        auc=area_under_curve(model, sample),
        notes=(*_fit_notes(model), *estimate.notes),
        percentile_intervals=intervals,
        draws=draws,
    )


def _resolve(covariance: Any, sample: InferenceSample) -> str | Bootstrap:
    """The covariance to compute, checked against the clusters at hand."""
    if isinstance(covariance, Bootstrap):
        return covariance
    if covariance == "bootstrap":
        return Bootstrap()
    ways = len(sample.clusters)
    if covariance == "auto":
        return ("sandwich", "cluster", "two-way")[ways]
    if covariance not in ("sandwich", "cluster", "two-way", "jackknife"):
        raise InvalidParameterError(
            "covariance must be 'auto', 'sandwich', 'cluster', 'two-way', 'jackknife', 'bootstrap' or a "
            f"Bootstrap, got {covariance!r}"
        )
    needed = {"sandwich": ways, "cluster": 1, "two-way": 2, "jackknife": min(ways, 1)}[covariance]
    if ways != needed:
        raise InvalidParameterError(
            f"covariance={covariance!r} needs groups with {needed} column{'s' if needed > 1 else ''}, and "
            f"there {'is 1' if ways == 1 else f'are {ways}'}; pass groups= (who answered, say)"
        )
    return str(covariance)


def _analytic(model: Any, sample: InferenceSample, kind: str) -> CovarianceEstimate:
    result = influence(model, sample, criterion_of(model))
    if kind == "sandwich":
        return sandwich_covariance(result.rows, sample.observations, result.n_free)
    if kind == "jackknife":
        clusters = sample.clusters[0] if sample.clusters else None
        return jackknife_covariance(result, sample.weight, sample.observations, clusters)
    if kind == "cluster":
        return cluster_covariance(result.rows, sample.weight, sample.clusters[0])
    return two_way_covariance(result.rows, sample.weight, *sample.clusters)


def _bootstrap_estimate(
    draws: FloatArray, notes: tuple[str, ...], spec: Bootstrap, sample: InferenceSample
) -> CovarianceEstimate:
    counts = tuple(int(codes.max()) + 1 for codes in sample.clusters)
    what = f"{counts[0]} clusters" if counts else "comparisons"
    intervals = "" if spec.interval == "normal" else f"; {spec.interval} intervals"
    return CovarianceEstimate(
        np.atleast_2d(np.cov(draws.T)),
        "bootstrap",
        f"{len(draws)} bootstrap refits to resampled {what} (seed {spec.random_state}){intervals}",
        n_clusters=counts,
        notes=notes,
    )


def _fit_notes(model: Any) -> tuple[str, ...]:
    if model.converged_:
        return tuple(model.notes_)
    return (*model.notes_, "The fit stopped before its tolerance; standard errors are those of a solution.")
