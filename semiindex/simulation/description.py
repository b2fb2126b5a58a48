"""Studies described in a TOML file: for people who do not program, and for the record.

    title = "Flipped answers on two designs"
    n = [500, 2000]
    replications = 50
    metrics = ["angle"]
    budgets = [0.2]
    baseline = "told the link"

    [truths.flips]
    severity = [0, 0.5, 1]

    [designs.normal]
    features = "normal"
    dimension = 5

    [estimators.logistic]
    kind = "known_link"

    [estimators.spline]
    kind = "profiled"

    [estimators."told the link"]
    kind = "oracle"

docs/how_to/simulation_study.md lists the keys.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexError
from semiindex.policy import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.policy.base import PreferencePolicy
from semiindex.simulation.active import ActivePairs
from semiindex.simulation.contextual import ContextualFeatures
from semiindex.simulation.description_table import Table
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.features import (
    BinaryFeatures,
    ConjointFeatures,
    MixedFeatures,
    NormalFeatures,
    SkewedFeatures,
    StudentFeatures,
)
from semiindex.simulation.link_families import LINK_FAMILIES
from semiindex.simulation.metrics import (
    AngleError,
    IndexCorrelation,
    LinkError,
    LogLoss,
    Metric,
    PolicyError,
)
from semiindex.simulation.raters import Raters
from semiindex.simulation.sampling import AsOffered, BestOfPairs, NearestPairs, ReferencePairs, UniformPairs
from semiindex.simulation.severity_grid import severity_grid
from semiindex.simulation.study import Study
from semiindex.simulation.truth import Truth

__all__ = ["EstimatorForTruth", "StudyDescription", "read_study", "ready_studies"]

_FEATURES = {
    "normal": NormalFeatures,
    "student": StudentFeatures,
    "skewed": SkewedFeatures,
    "binary": BinaryFeatures,
    "mixed": MixedFeatures,
    "conjoint": ConjointFeatures,
    "contextual": ContextualFeatures,
}
_PAIRS = {
    "uniform": UniformPairs,
    "as_offered": AsOffered,
    "reference": ReferencePairs,
    "best_of": BestOfPairs,
    "nearest": NearestPairs,
    "active": ActivePairs,
}
_ORACLE = "oracle"
_ESTIMATORS: dict[str, type[PreferencePolicy]] = {
    "known_link": KnownLinkPolicy,
    "profiled": ProfiledLinkPolicy,
    "orthogonal": OrthogonalPolicy,
    "ranking": RankingPolicy,
    _ORACLE: KnownLinkPolicy,
}
_METRICS: dict[str, type[Metric]] = {
    "angle": AngleError,
    "index_correlation": IndexCorrelation,
    "log_loss": LogLoss,
    "link_error": LinkError,
}
#: Parameters that a file cannot hold: they are objects.
_OBJECTS = ("contexts", "learner", "links", "shares", "index")
#: Menus on which is seen whether a budget can be spent: no policy of a menu of k goes further than log k.
_TRIAL_MENUS = 200
_STUDIES = files("semiindex.simulation") / "studies"


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

    def __call__(self, truth: Truth) -> PreferencePolicy:
        """The estimator for a truth."""
        parameters = {"antisymmetric": "truth"} | dict(self.parameters)
        if parameters["antisymmetric"] == "truth":
            parameters["antisymmetric"] = truth.antisymmetric
        if self.kind == _ORACLE:
            parameters |= {"link": truth.marginal_link, "position_effect": False}
        return _ESTIMATORS[self.kind](**parameters)


@dataclass(frozen=True)
class StudyDescription:
    """A study with what a report says of it.

    Attributes
    ----------
    study : Study
        Ready to run.
    title : str
        What it is about.
    baseline : str or None
        Estimator that the others are compared with.
    text : str
        The file.
    """

    study: Study
    title: str
    baseline: str | None
    text: str


def ready_studies() -> dict[str, str]:
    """Studies that come with the package.

    Returns
    -------
    dict
        Names, for `read_study` and ``semiindex simulate``, with their titles.

    Examples
    --------
    >>> from semiindex.simulation import ready_studies
    >>> sorted(ready_studies())
    ['full', 'quick']
    """
    names = sorted(path.name.removesuffix(".toml") for path in _STUDIES.iterdir())
    return {name: tomllib.loads(_ready_text(name))["title"] for name in names}


def _ready_text(name: str) -> str:
    return (_STUDIES / f"{name}.toml").read_text(encoding="utf-8")


def read_study(source: str | Path) -> StudyDescription:
    """Read a study from a TOML file.

    Parameters
    ----------
    source : str or Path
        A file, or the name of one of `ready_studies`.

    Returns
    -------
    StudyDescription

    Raises
    ------
    InvalidDataError
        If there is no such file, or it is no TOML.
    InvalidParameterError
        If a key is missing, unknown or has a value without a meaning; the message names the key.

    Notes
    -----
    Every estimator is fitted to one small sample, so that a parameter without a meaning is said here and
    not in every row of the table.

    Examples
    --------
    >>> from semiindex.simulation import read_study
    >>> description = read_study("quick")
    >>> description.baseline
    'told the link'
    """
    name = str(source)
    if name in ready_studies():
        text = _ready_text(name)
    else:
        text = _text_of(Path(source))
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDataError(f"{name} is no TOML file: {error}") from error
    return _describe(Table(values, Path(name).name), text)


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidDataError(
            f"{path}: there is no such file, and no ready study of this name; those are "
            f"{', '.join(ready_studies())}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path} is no text in UTF-8: {error}") from error


_KEYS = (
    "title", "n", "replications", "seed", "strength", "n_evaluation", "common_random_numbers", "baseline",
    "metrics", "budgets", "truths", "designs", "estimators",
)  # fmt: skip


def _describe(table: Table, text: str) -> StudyDescription:
    table.refuse_unknown(_KEYS)
    truths = [_truths(name, part) for name, part in table.tables("truths").items()]
    estimators = {name: _estimator(part) for name, part in table.tables("estimators").items()}
    arguments = {
        "truths": {name: truth for grid in truths for name, truth in grid.items()},
        "designs": {name: _design(part) for name, part in table.tables("designs").items()},
        "n": table.integers("n"),
        "estimators": estimators,
        "metrics": _metrics(table),
        "replications": table.get("replications", "int", 100),
        "random_state": table.get("seed", "int", 0),
        "n_evaluation": table.get("n_evaluation", "int", 2000),
        "common_random_numbers": table.get("common_random_numbers", "bool", False),
        "strength": _strength(table),
    }
    study = table.build(Study, arguments)
    baseline = table.get("baseline", "str", None)
    if baseline is not None and baseline not in estimators:
        raise table.error("baseline", f"must be one of the estimators {list(estimators)}, got {baseline!r}")
    _try_out(study, table)
    return StudyDescription(study, table.get("title", "str", "Simulation study"), baseline, text)


def _strength(table: Table) -> float | None:
    """A number, or False for links as they are: TOML has no None."""
    if table.values.get("strength") is False:
        return None
    strength: float = table.get("strength", "float", 0.25)
    return strength


def _truths(name: str, table: Table) -> dict[str, Truth]:
    """Truths of one family over its severities, by the names "name severity"."""
    parts = ("score", "position_bias", "divergence", "reference", "raters")
    table.refuse_unknown(("link", "severity", *parts))
    family = table.choice("link", LINK_FAMILIES, default=name)
    given = {key: table.values[key] for key in parts if key in table.values}
    if "score" in given:
        given["score"] = table.numbers("score")
    if "raters" in given:
        given["raters"] = table.table("raters").build(Raters, hidden=_OBJECTS)
    severities = table.numbers("severity", default=[1.0])
    return table.build(
        severity_grid, {"families": [replace(family, name=name)], "severities": severities} | given
    )


def _design(table: Table) -> ComparisonDesign:
    kind = table.choice("features", _FEATURES)
    own = ("features", "menu_size", "pairs")
    rest = Table({key: value for key, value in table.values.items() if key not in own}, table.place)
    features = rest.build(kind, hidden=_OBJECTS, also=own)
    pairs = table.values.get("pairs", "uniform")
    sampling = Table({"kind": pairs}, table.place) if isinstance(pairs, str) else table.table("pairs")
    strategy = sampling.choice("kind", _PAIRS, key="pairs" if isinstance(pairs, str) else "kind")
    chosen = Table({key: value for key, value in sampling.values.items() if key != "kind"}, sampling.place)
    arguments = {"features": features, "sampling": chosen.build(strategy, hidden=_OBJECTS)}
    return table.build(ComparisonDesign, arguments | {"menu_size": table.get("menu_size", "int", None)})


def _estimator(table: Table) -> EstimatorForTruth:
    kind = str(table.values.get("kind"))
    parameters = table.choice("kind", _ESTIMATORS)().get_params(deep=False)
    told = ("link", "position_effect") if kind == _ORACLE else ()
    table.refuse_unknown(("kind", *(name for name in parameters if name not in (*_OBJECTS, *told))))
    return EstimatorForTruth(kind, {key: value for key, value in table.values.items() if key != "kind"})


def _metrics(table: Table) -> list[Metric]:
    names = table.values.get("metrics", ["angle"])
    if not isinstance(names, list):
        raise table.error("metrics", f"must be a list of names among {list(_METRICS)}, got {names!r}")
    chosen = [Table({"metrics": name}, table.place).choice("metrics", _METRICS)() for name in names]
    if "budgets" in table.values:
        chosen.append(table.build(PolicyError, {"budgets": table.numbers("budgets")}))
    return chosen


def _try_out(study: Study, table: Table) -> None:
    """Say now which parts do not fit each other, not in every row of the table."""
    rng = np.random.default_rng(0)
    budgets = [b for metric in study.metrics if isinstance(metric, PolicyError) for b in metric.budgets]
    for truth_name, source in study.truths.items():
        truth = source.draw(rng)
        for design_name, design in study.designs.items():
            try:
                sample = design.sample(truth, min(study.n), rng)
                evaluation = design.evaluation(truth, _TRIAL_MENUS, rng)
                for budget in budgets:
                    evaluation.optimal_policy(budget)
            except (SemiindexError, ValueError) as error:
                raise table.error(f"truths.{truth_name}", f"on designs.{design_name}: {error}") from error
    for name, make in study.estimators.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the trial; those of the study are counted in its table
            try:
                clone(make(truth)).fit(sample.pairs)
            except (InvalidParameterError, TypeError, AttributeError) as error:
                raise table.error(f"estimators.{name}", str(error)) from error
            except SemiindexError:
                continue  # the sample is at fault, not the file
