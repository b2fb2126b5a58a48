"""A study in small, before it is run: which of its parts do not fit each other."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semiindex.exceptions import InvalidParameterError, SemiindexError
from semiindex.inference import Bootstrap
from semiindex.policy import KnownLinkPolicy
from semiindex.simulation.description.estimators import EstimatorForTruth
from semiindex.simulation.description.table import Table
from semiindex.simulation.intervals import CoefficientIntervals
from semiindex.simulation.metrics import Coverage, Metric, PolicyError
from semiindex.simulation.sample import Sample
from semiindex.simulation.study import Study

__all__ = ["try_out"]

#: Menus on which is seen whether a budget can be spent: no policy of a menu of k goes further than log k.
_MENUS = 200
#: Comparisons of the trial, at least: so many that what fails does not fail for want of data, as a rule.
_COMPARISONS = 200


def try_out(study: Study, table: Table) -> None:
    """Say now which parts do not fit each other, not in every row of the table.

    Parameters
    ----------
    study : Study
        Of a file.
    table : Table
        The file, for messages.

    Raises
    ------
    InvalidParameterError
        If a truth cannot be drawn on a design, an estimator not be fitted to any, or a metric not be taken
        of an estimator.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the trial; those of the study are counted in its table
        samples = _samples(study, table)
        for name, make in study.estimators.items():
            fits = _fits(make, samples, table, name)
            for metric in study.metrics:
                _try_metric(metric, name, fits, table)


def _samples(study: Study, table: Table) -> dict[str, Sample]:
    """A sample of the last truth on every design, after all were drawn."""
    rng = np.random.default_rng(0)
    budgets = [b for metric in study.metrics if isinstance(metric, PolicyError) for b in metric.budgets]
    samples = {}
    for truth_name, source in study.truths.items():
        for design_name, design in study.designs.items():
            try:
                truth = source.draw(rng)
                sample = design.sample(truth, max(min(study.n), _COMPARISONS), rng)
                evaluation = design.evaluation(truth, _MENUS, rng)
                for budget in budgets:
                    evaluation.optimal_policy(budget)
            except (SemiindexError, ValueError) as error:
                raise table.error(f"truths.{truth_name}", f"on designs.{design_name}: {error}") from error
            samples[design_name] = replace(sample, evaluation=evaluation)
    return samples


def _fits(
    make: EstimatorForTruth, samples: Mapping[str, Sample], table: Table, name: str
) -> list[tuple[Any, Sample]]:
    """Fits of an estimator, with their samples."""
    fits, errors = [], []
    for sample in samples.values():
        try:
            fits.append((make(sample.truth).fit(sample.pairs), sample))
        except (InvalidParameterError, TypeError, AttributeError) as error:
            raise table.error(f"estimators.{name}", str(error)) from error
        except (SemiindexError, ValueError) as error:
            errors.append(error)  # that sample may be at fault, and not the file
    if not fits:
        raise table.error(f"estimators.{name}", f"cannot be fitted on any design: {errors[0]}") from errors[0]
    return fits


def _try_metric(metric: Metric, name: str, fits: list[tuple[Any, Sample]], table: Table) -> None:
    """Refuse a metric that no fit of an estimator has."""
    for model, sample in fits:
        try:
            _take(metric, model, sample)
        except SemiindexError as error:
            raise table.error(
                "metrics",
                f"{metric.name} of estimators.{name}: {error}. Leave the metric or the estimator out: "
                "estimators of a second file with the same seed and names see the same samples",
            ) from error


def _take(metric: Metric, model: Any, sample: Sample) -> None:
    if not isinstance(metric, Coverage):
        metric(model, sample.truth, sample)
        return
    metric.estimand(sample.truth, sample)
    if isinstance(metric.intervals, CoefficientIntervals):
        bootstrap = isinstance(metric.intervals.covariance, Bootstrap)
        if bootstrap:
            metric = replace(metric, intervals=CoefficientIntervals(Bootstrap(n_draws=2)))
        elif sample.pairs.link_groups is not None:
            _require_settled_links(model)
    try:
        metric(model, sample.truth, sample)
    except InvalidParameterError:
        raise
    except SemiindexError:
        return  # this sample does not determine the coefficients


def _require_settled_links(model: Any) -> None:
    """Links of strata of raters, found on the way, have no sandwich: refused where they may come."""
    if isinstance(model, KnownLinkPolicy) or getattr(model, "pooling", None) in (0, None, math.inf):
        return
    raise InvalidParameterError(
        f"pooling = {model.pooling!r} may pool the links of classes of raters in a way for which only the "
        "bootstrap has intervals; write pooling = inf (one link) or pooling = 0 (one for every class) in its "
        'table, or covariance = "bootstrap" in that of the metric'
    )
