"""What a study may be made of: everything that can be refused before the first fit is refused here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from semiindex.exceptions import InvalidParameterError, SemiindexError
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.features import FeatureDistribution
from semiindex.simulation.metrics import Metric, PolicyError
from semiindex.simulation.replication import ACCOUNT, FIT, NAMES
from semiindex.simulation.truth import Truth, TruthSource

__all__ = [
    "check_budgets",
    "check_columns",
    "check_flag",
    "check_strength",
    "checked_count",
    "checked_counts",
    "checked_designs",
    "checked_estimators",
    "checked_metrics",
    "checked_truths",
]

#: Menus on which is seen whether a budget can be spent: no policy of a menu of k goes further than log k.
_MENUS = 200
_SEED = 20_251_218


def _named(values: Any, argument: str) -> dict[str, Any]:
    if not isinstance(values, Mapping) or not values or not all(isinstance(name, str) for name in values):
        raise InvalidParameterError(
            f"{argument} must be a mapping from names to values, with at least one entry, got {values!r}"
        )
    return dict(values)


def checked_truths(truths: Any) -> dict[str, TruthSource]:
    """Truths by name."""
    named = _named(truths, "truths")
    for name, truth in named.items():
        if not isinstance(truth, TruthSource) or isinstance(truth, type):
            raise InvalidParameterError(f"truths[{name!r}] must be a Truth, got {truth!r}")
    return named


def checked_designs(designs: Any) -> dict[str, ComparisonDesign]:
    """Designs by name; distributions of features become designs."""
    named = {
        name: ComparisonDesign(design) if isinstance(design, FeatureDistribution) else design
        for name, design in _named(designs, "designs").items()
    }
    for name, design in named.items():
        if not isinstance(design, ComparisonDesign):
            raise InvalidParameterError(f"designs[{name!r}] must be a ComparisonDesign, got {design!r}")
    return named


def checked_estimators(estimators: Any) -> dict[str, Any]:
    """Estimators, or functions from a truth to one, by name."""
    named = _named(estimators, "estimators")
    for name, estimator in named.items():
        if isinstance(estimator, type) or not (hasattr(estimator, "fit") or callable(estimator)):
            raise InvalidParameterError(
                f"estimators[{name!r}] must be an estimator (an object, not a class) or a function from "
                f"a Truth to one, got {estimator!r}"
            )
    return named


def checked_metrics(metrics: Any) -> tuple[Metric, ...]:
    """Metrics, no two of one name."""
    if isinstance(metrics, str | Mapping) or not isinstance(metrics, Iterable):
        raise InvalidParameterError(f"metrics must be a list, such as [AngleError()], got {metrics!r}")
    listed = tuple(metrics)
    for metric in listed:
        if isinstance(metric, type) or not isinstance(metric, Metric) or not isinstance(metric.name, str):
            raise InvalidParameterError(
                f"metrics must be callables with a name, such as AngleError(), got {metric!r}"
            )
    twice = [name for name, count in Counter(metric.name for metric in listed).items() if count > 1]
    if twice:
        raise InvalidParameterError(
            f"two metrics have the name {twice[0]!r}: one would overwrite the other in the table; give one a "
            "name of its own, name=..."
        )
    return listed


def check_columns(truths: Mapping[str, TruthSource], metrics: Iterable[Metric]) -> frozenset[str]:
    """Refuse factors and metrics whose columns the table has already.

    Parameters
    ----------
    truths : mapping from str to TruthSource
        With their factors.
    metrics : iterable of Metric
        Of the study. A metric that returns several numbers names its columns only then.

    Returns
    -------
    frozenset of str
        Columns that no metric may fill.

    Raises
    ------
    InvalidParameterError
        If one is taken; the message says which.
    """
    own = {*NAMES, *FIT, *ACCOUNT}
    factors = {factor for truth in truths.values() for factor in truth.factors}
    clash = sorted(factors & own)
    if clash:
        raise InvalidParameterError(
            f"factors of the truths have names that the table needs itself: {clash}; rename them"
        )
    taken = sorted({metric.name for metric in metrics} & (own | factors))
    if taken:
        raise InvalidParameterError(
            f"a metric is called {taken[0]!r}, a column that the table has already for itself or for a "
            "factor of the truths; give the metric another name, name=..."
        )
    return frozenset(own | factors)


def check_strength(strength: Any) -> None:
    """Refuse a signal strength that is none."""
    number = isinstance(strength, Real) and not isinstance(strength, bool)
    if strength is not None and not (number and 0 < strength < 0.5):
        raise InvalidParameterError(f"strength must be None or in (0, 1/2), got {strength!r}")


def check_flag(value: Any, argument: str) -> None:
    """Refuse what is neither true nor false: a text such as "no" would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(f"{argument} must be True or False, got {value!r}")


def checked_counts(values: Any, argument: str, smallest: int) -> list[int]:
    """One integer or several, none of them twice."""
    counts = _whole_numbers(values)
    if not counts or min(counts) < smallest:
        raise InvalidParameterError(f"{argument} must be integers of at least {smallest}, got {values!r}")
    if len(set(counts)) < len(counts):
        raise InvalidParameterError(f"{argument} has an entry twice: {values!r}")
    return counts


def checked_count(value: Any, argument: str, smallest: int) -> int:
    """A single integer."""
    counts = _whole_numbers(value)
    if not counts or np.ndim(value) or counts[0] < smallest:
        raise InvalidParameterError(f"{argument} must be one integer of at least {smallest}, got {value!r}")
    return counts[0]


def _whole_numbers(values: Any) -> list[int]:
    """Integers, also those that are written as floats; none if there is anything else among them."""
    try:
        array = np.atleast_1d(np.asarray(values))
    except ValueError:  # lists of several lengths
        return []
    whole = array.ndim == 1 and array.dtype.kind in "iuf" and np.isfinite(array).all()
    return [int(value) for value in array.tolist()] if whole and (array == np.floor(array)).all() else []


def check_budgets(truth: Truth, design: ComparisonDesign, metrics: Iterable[Metric]) -> None:
    """Refuse budgets that no policy of the design's menus can spend.

    Parameters
    ----------
    truth : Truth
        With its reference and divergence.
    design : ComparisonDesign
        With its menus.
    metrics : iterable of Metric
        Of which those of policies have budgets.

    Raises
    ------
    InvalidParameterError
        If a budget is too large.
    """
    budgets = [budget for metric in metrics if isinstance(metric, PolicyError) for budget in metric.budgets]
    if not budgets:
        return
    try:
        evaluation = design.evaluation(truth, _MENUS, np.random.default_rng(_SEED))
    except Exception:  # the same in the replications, where it becomes rows of the table
        return
    for budget in budgets:
        try:
            evaluation.optimal_policy(budget)
        except SemiindexError as error:
            raise InvalidParameterError(f"budget {budget:g}: {error}") from error
