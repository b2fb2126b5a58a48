"""Held-out losses along a path of penalties: every fit starts at the solution for the last ridge.

The features of the index class are computed once per path, and nothing is factorised again along it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.exceptions import SemiindexWarning
from semiindex.index.linear import LinearIndex
from semiindex.link.parametric import LogisticLink, get_link
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.optimize.fit import fit_index
from semiindex.optimize.penalty import Ridge
from semiindex.optimize.separable import fit_separable
from semiindex.policy._reading import FitInput
from semiindex.policy._sample import PreparedSample, prepare
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.estimate import Estimate
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["Fold", "PathScores", "score_path"]


@dataclass(frozen=True)
class Fold:
    """Rows of the sample that a fold trains on and is judged by."""

    train: IntArray
    test: IntArray


@dataclass(frozen=True)
class PathScores:
    """Losses of the held-out rows, shape (n_ridges, n_test), and whether the fits converged."""

    losses: FloatArray
    converged: AnyArray


def score_path(
    base: PreferencePolicy, parameters: dict[str, Any], ridges: list[float | None], data: FitInput, fold: Fold
) -> PathScores:
    """Held-out losses of one fold along the ridges, from the largest to the smallest.

    One thread does the linear algebra, so that sums do not depend on the number of jobs.

    Parameters
    ----------
    base : PreferencePolicy
        Estimator.
    parameters : dict
        Its parameters besides the ridge.
    ridges : list of float or None
        Penalties, decreasing; None for an estimator that has no penalty.
    data : FitInput
        The whole sample.
    fold : Fold
        Rows to train on and to hold out.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)  # the refit says what there is to say
        return _walk(clone(base).set_params(**parameters), ridges, data.take(fold.train), data, fold.test)


def _walk(
    estimator: PreferencePolicy, ridges: list[float | None], train: FitInput, data: FitInput, test: IntArray
) -> PathScores:
    """Fit and judge one ridge after the other."""
    index = LinearIndex() if estimator.index is None else clone(estimator.index)
    held_out = data.take(test)
    losses, converged = np.empty((len(ridges), test.size)), np.empty(len(ridges), dtype=bool)
    read = partial(
        prepare,
        train,
        index,
        antisymmetric=estimator.antisymmetric,
        free_location=estimator._free_location,
        strata=estimator._strata(train),
    )
    prepared = read(ridge=ridges[0] or 0.0)
    design = index.design(held_out.pairs)
    start: FloatArray | None = None
    for k, ridge in enumerate(ridges):
        estimator = clone(estimator) if ridge is None else clone(estimator).set_params(ridge=ridge)
        if ridge:
            previous, prepared = prepared, prepared.with_ridge(ridge)
            start = None if start is None else _moved(start, previous, prepared)
        else:  # a fit without penalty has coordinates, and an objective, of its own
            prepared, start = read(), None
        estimate = estimator._estimate_classes(prepared, _from_start(estimator, start))
        estimator._store(train, index, prepared, estimate)
        t = design.matvec(estimator.coef_.astype(np.float64))
        losses[k] = _losses(estimator, t, held_out)
        start, converged[k] = estimate.minimum.x, estimate.minimum.converged
    return PathScores(losses, converged)


def _from_start(
    estimator: PreferencePolicy, start: FloatArray | None
) -> Callable[[PreparedSample], Estimate]:
    """A fit of samples in the coordinates of the start."""
    return lambda prepared: continue_fit(estimator, prepared, start)


def _moved(phi: FloatArray, previous: PreparedSample, current: PreparedSample) -> FloatArray:
    """The same parameters in the coordinates of another ridge."""
    old, new = previous.sample.design, current.sample.design
    return phi if old is new else np.asarray(old.to_theta(phi) / new.basis)


@singledispatch
def continue_fit(estimator: PreferencePolicy, prepared: PreparedSample, start: FloatArray | None) -> Estimate:
    """Fit from parameters that are near; estimators that know no better start as always.

    Parameters
    ----------
    estimator : PreferencePolicy
        Its class decides what is fitted, its parameters how.
    prepared : PreparedSample
        The sample.
    start : array of shape (r,) or None
        Solution for a neighbouring ridge.
    """
    return estimator._estimate(prepared)


@continue_fit.register
def _(estimator: KnownLinkPolicy, prepared: PreparedSample, start: FloatArray | None) -> Estimate:
    if start is None or not estimator.antisymmetric or estimator.loss not in ("log", "sigmoid"):
        return estimator._estimate(prepared)
    link: Any = get_link(estimator.link)
    minimum = _logistic_path_step(estimator, prepared, start, KnownLinkObjective(link))
    n_links = 1 if prepared.group_levels is None else len(prepared.group_levels)
    return Estimate(minimum, (link,) * n_links)


@continue_fit.register
def _(estimator: ProfiledLinkPolicy, prepared: PreparedSample, start: FloatArray | None) -> Estimate:
    if start is None or not estimator.antisymmetric:
        return estimator._estimate(prepared)
    # The knots of the link are placed by the logistic index, as in a fit from scratch.
    pilot = _logistic_path_step(estimator, prepared, start, KnownLinkObjective(LogisticLink()))
    objective = estimator._objective(prepared)
    sample = prepared.sample
    minimum = fit_index(
        sample,
        objective,
        pilot.x,
        penalty=Ridge(estimator.ridge),
        tol=estimator.tol,
        max_iter=estimator.max_iter,
    )
    t = sample.design.matvec(minimum.x)
    return Estimate(minimum, tuple(objective.fit_links(t, sample.z, sample.weight)))


def _logistic_path_step(
    estimator: Any, prepared: PreparedSample, start: FloatArray, objective: KnownLinkObjective
) -> Any:
    """The minimum of a known-link loss from a neighbouring one."""
    fit = fit_separable(
        prepared.sample,
        objective,
        penalty=Ridge(estimator.ridge),
        start=start,
        tol=estimator.tol,
        max_iter=estimator.max_iter,
    )
    return fit.minimum


def _losses(model: PreferencePolicy, t: FloatArray, held_out: FitInput) -> FloatArray:
    """Log loss of every held-out row; classes of raters that the fold did not see get the average link."""
    probability = np.empty(t.size)
    groups = held_out.link_groups if model.links_ is not None else None
    known = np.ones(t.size, dtype=bool) if groups is None else np.isin(groups, list(model.links_ or {}))
    for rows, given in ((np.flatnonzero(known), groups), (np.flatnonzero(~known), None)):
        if rows.size:
            classes = None if given is None else given[rows]
            for part, link in model._rows_by_link(None, rows.size, classes):
                probability[rows[part]] = link.probability(t[rows[part]])
    tiny = np.finfo(np.float64).eps
    p = np.clip(probability, tiny, 1 - tiny)
    return np.asarray(-held_out.z * np.log(p) - (1 - held_out.z) * np.log1p(-p))
