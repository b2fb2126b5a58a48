"""Estimators in study files: their class, link, index, and the choice of their penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import BaseEstimator, clone

from semiindex.index import IndexClass, KernelIndex, LinearIndex, ProductKernel
from semiindex.link import MonotoneSpline, ShapeConstrainedLink
from semiindex.policy import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.policy.base import PreferencePolicy
from semiindex.simulation.description.links import read_link
from semiindex.simulation.description.table import Kind, Table
from semiindex.simulation.truth import Truth
from semiindex.simulation.tuned import TunedPolicy

__all__ = [
    "ESTIMATORS",
    "INDICES",
    "PROFILED_LINKS",
    "TUNING",
    "EstimatorForTruth",
    "read_estimator",
    "read_learner",
]

_ORACLE = "oracle"
_TRUTH = "truth"
#: In place of a seed: the study draws one for every fit.
_FRESH = "fresh"


@dataclass(frozen=True)
class EstimatorForTruth:
    """An estimator that is told what a file cannot know: whether the truth is antisymmetric, or its link.

    Parameters
    ----------
    kind : {"known_link", "profiled", "orthogonal", "ranking", "oracle"}
        Class of the estimator; the oracle is a `KnownLinkPolicy` with the link of the truth.
    parameters : mapping, default={}
        Parameters of the class. ``antisymmetric`` may also be "truth", which is its default here:
        position may matter for the estimator where it does for the truth.
    tuning : mapping, optional
        Arguments of `TunedPolicy`; None for parameters as they are.

    Examples
    --------
    >>> from semiindex.simulation import Truth
    >>> from semiindex.simulation.description import EstimatorForTruth
    >>> EstimatorForTruth("profiled")(Truth(link="cloglog")).antisymmetric
    False
    >>> EstimatorForTruth("oracle")(Truth(link="probit")).link
    ProbitLink()
    """

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tuning: Mapping[str, Any] | None = None

    def __call__(self, truth: Truth) -> BaseEstimator:
        """The estimator for a truth; none of its parts is shared with another."""
        parameters = {"antisymmetric": _TRUTH} | dict(self.parameters)
        if parameters["antisymmetric"] == _TRUTH:
            parameters["antisymmetric"] = truth.antisymmetric
        if self.kind == _ORACLE:
            parameters |= {"link": truth.marginal_link, "position_effect": False}
        model: PreferencePolicy = clone(ESTIMATORS[self.kind].make(**parameters))
        return model if self.tuning is None else TunedPolicy(model, **self.tuning)


def _read_antisymmetric(table: Table, key: str) -> bool | str:
    value = table.values[key]
    if value != _TRUTH and not isinstance(value, bool):
        raise table.error(key, f'must be true, false or "{_TRUTH}", got {value!r}')
    return value  # type: ignore[no-any-return]


def _read_seed(table: Table, key: str) -> int | None:
    value = table.values[key]
    if value == _FRESH:
        return None
    if type(value) is not int or value < 0:
        raise table.error(key, f'must be a seed of at least 0, or "{_FRESH}" for one per fit, got {value!r}')
    return value


def _read_kernel(table: Table, key: str) -> str | ProductKernel:
    """A name, or a list of factors ``{ columns = ["x0", "x1"], kernel = "rbf", gamma = 0.1 }``."""
    value = table.values[key]
    if isinstance(value, str):
        return value
    factors = table.objects(key, _read_factor)
    return table.call(lambda: ProductKernel(*factors), {})


def _read_factor(table: Table, key: str) -> tuple[Any, ...]:
    factor = table.table(key)
    for name in ("columns", "kernel"):
        if name not in factor.values:
            raise factor.error(name, "is missing")
    columns: Any = factor.items("columns", "str | int")
    if not isinstance(factor.values["columns"], list):
        (columns,) = columns
    parameters = factor.without("columns", "kernel").values
    kernel = factor.get("kernel", "str", None)
    return (columns, kernel, dict(parameters)) if parameters else (columns, kernel)


def _read_mapping(table: Table, key: str) -> dict[str, Any]:
    return dict(table.table(key).values)


#: Classes of indices by name.
INDICES: dict[str, Kind[Any]] = {
    "linear": Kind(LinearIndex),
    "kernel": Kind(
        KernelIndex, {"kernel": _read_kernel, "kernel_params": _read_mapping, "random_state": _read_seed}
    ),
}


def _read_index(table: Table, key: str) -> IndexClass:
    index: IndexClass = table.object(key, INDICES)
    return index


def _isotonic() -> str:
    return "isotonic"


#: Classes of links that are estimated, by name.
PROFILED_LINKS: dict[str, Kind[Any]] = {
    "spline": Kind(MonotoneSpline),
    "isotonic": Kind(_isotonic),
    "shape": Kind(ShapeConstrainedLink),
}


def _read_profiled_link(table: Table, key: str) -> Any:
    # The name alone is what users of the class write, so that fits of the two are the same definition.
    return "spline" if table.values[key] == "spline" else table.object(key, PROFILED_LINKS)


_COMMON = {"antisymmetric": _read_antisymmetric, "index": _read_index}

#: Estimators by name.
ESTIMATORS: dict[str, Kind[Any]] = {
    "known_link": Kind(KnownLinkPolicy, {**_COMMON, "link": read_link}),
    "profiled": Kind(ProfiledLinkPolicy, {**_COMMON, "link": _read_profiled_link}),
    "orthogonal": Kind(OrthogonalPolicy, {**_COMMON, "random_state": _read_seed}),
    "ranking": Kind(RankingPolicy, _COMMON),
    _ORACLE: Kind(KnownLinkPolicy, _COMMON, ("link", "position_effect")),
}


def _read_numbers(table: Table, key: str) -> tuple[float, ...]:
    return tuple(table.numbers(key))


def _read_grid(table: Table, key: str) -> dict[str, list[Any]]:
    """Lists of values by parameter."""
    grid = table.table(key)
    for name, values in grid.values.items():
        if not isinstance(values, list) or not values:
            raise grid.error(name, f"must be a list of values to choose from, got {values!r}")
    return dict(grid.values)


#: The choice of parameters by cross-validation.
TUNING = Kind(
    TunedPolicy,
    {"ridge": _read_numbers, "gamma": _read_numbers, "grid": _read_grid, "random_state": _read_seed},
    ("estimator",),
)


def _read_tuning(table: Table) -> dict[str, Any] | None:
    """None for false or nothing, the defaults for true, else the arguments in the table."""
    value = table.values.get("tune", False)
    if isinstance(value, bool):
        return {} if value else None
    return table.table("tune").arguments(TUNING)


def read_estimator(table: Table) -> EstimatorForTruth:
    """The estimator of a table."""
    kind = table.choice("kind", ESTIMATORS)
    parameters = table.without("kind", "tune").arguments(kind, also=("kind", "tune"))
    return EstimatorForTruth(str(table.values["kind"]), parameters, _read_tuning(table))


def read_learner(table: Table, key: str) -> BaseEstimator:
    """An estimator that a design uses: it knows no truth."""
    learner = table.table(key)
    kinds = {name: kind for name, kind in ESTIMATORS.items() if name != _ORACLE}
    kind = learner.choice("kind", kinds)
    arguments = learner.without("kind", "tune").arguments(kind, also=("kind", "tune"))
    if arguments.get("antisymmetric") == _TRUTH:
        raise learner.error("antisymmetric", "must be true or false: a learner does not know the truth")
    model: BaseEstimator = learner.call(kind.make, arguments)
    tuning = _read_tuning(learner)
    return model if tuning is None else TunedPolicy(model, **tuning)
