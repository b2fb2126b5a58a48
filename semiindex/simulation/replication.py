"""One block of replications, as a worker computes it: draw, fit, measure, one row per fit."""

from __future__ import annotations

import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.cells import Block, Cell, Streams
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.metrics import Metric
from semiindex.simulation.sample import Evaluation, Sample
from semiindex.simulation.strength import scaled_to_strength
from semiindex.simulation.truth import Truth, TruthSource

__all__ = ["CellTask", "Row", "failed_rows", "run_block"]

#: A line of the table: names, numbers and messages by column.
Row = dict[str, Any]

#: Evaluations that a worker keeps, of truths that are the same in every replication.
_KEPT = 4
_EVALUATIONS: OrderedDict[tuple[str, str, str], Evaluation] = OrderedDict()


@dataclass(frozen=True)
class CellTask:
    """All that a worker needs for the replications of a cell.

    Attributes
    ----------
    run : str
        Name of the run, to tell evaluations apart that a worker keeps.
    cell : Cell
        Which cell.
    truth : TruthSource
        Scaled to the strength of the study, unless every replication draws its own.
    design : ComparisonDesign
        Which options are compared.
    estimators : mapping from str to estimator or callable
        As in the study.
    metrics : tuple of Metric
        As in the study.
    streams : Streams
        Random streams of the study.
    strength : float or None
        Signal strength of truths that are drawn here.
    n_evaluation : int
        Menus on which fits are judged.
    """

    run: str
    cell: Cell
    truth: TruthSource
    design: ComparisonDesign
    estimators: Mapping[str, Any]
    metrics: tuple[Metric, ...]
    streams: Streams
    strength: float | None
    n_evaluation: int

    @cached_property
    def open_random_states(self) -> dict[str, tuple[str, ...]]:
        """Parameters of every estimator that get a seed; looked up once, as small fits are quick."""
        estimators = self.estimators.items()
        return {name: _open_random_states(value) for name, value in estimators if hasattr(value, "fit")}


def run_block(task: CellTask, block: Block) -> tuple[Block, list[Row], float]:
    """Compute a block.

    Linear algebra runs on one thread: workers share the cores, and sums do not depend on the number
    of threads.

    Parameters
    ----------
    task : CellTask
        The cell.
    block : Block
        Its replications.

    Returns
    -------
    Block
        The block itself, since blocks finish in any order.
    list of dict
        A row per replication and estimator.
    float
        Seconds that it took.
    """
    start = time.perf_counter()
    rows: list[Row] = []
    with threadpool_limits(1):
        for replication in block.replications:
            rows += _replicate(task, replication)
    return block, rows, time.perf_counter() - start


def failed_rows(task: CellTask, replication: int, error: BaseException) -> list[Row]:
    """Rows of a replication of which nothing came out, one per estimator."""
    message = _message(error)
    return [
        _row(task, replication, name) | {"seconds": float("nan"), "error": message}
        for name in task.estimators
    ]


def _row(task: CellTask, replication: int, estimator: str) -> Row:
    names = dict(zip(("truth", "design", "n"), task.cell.key, strict=True))
    return names | {
        "replication": replication,
        "estimator": estimator,
        "seconds": 0.0,
        "n_warnings": 0,
        "n_convergence_warnings": 0,
        "error": "",
    }


def _message(error: BaseException, where: str = "") -> str:
    text = str(error).strip().splitlines()
    return f"{where}{type(error).__name__}: {text[0] if text else 'no message'}"


def _replicate(task: CellTask, replication: int) -> list[Row]:
    """All estimators on one sample."""
    try:
        truth = _truth(task, replication)
        sample = task.design.sample(truth, task.cell.n, task.streams.sample(task.cell, replication))
        sample = replace(sample, evaluation=_evaluation(task, truth, replication))
    except Exception as error:  # whatever fails becomes rows of the table
        return failed_rows(task, replication, error)
    return [_fit_and_measure(task, replication, name, truth, sample) for name in task.estimators]


def _truth(task: CellTask, replication: int) -> Truth:
    """The truth of a replication, at the strength of the study."""
    if isinstance(task.truth, Truth):
        return task.truth
    truth = task.truth.draw(task.streams.truth(task.cell, replication))
    return truth if task.strength is None else scaled_to_strength(truth, task.design, task.strength)


def _evaluation(task: CellTask, truth: Truth, replication: int) -> Evaluation:
    """Evaluation menus, kept between replications where the truth is the same in all."""

    def draw(number: int | None) -> Evaluation:
        return task.design.evaluation(truth, task.n_evaluation, task.streams.evaluation(task.cell, number))

    if not isinstance(task.truth, Truth):
        return draw(replication)
    key = (task.run, task.cell.truth, task.cell.design)
    evaluation = _EVALUATIONS.get(key)
    if evaluation is None:
        evaluation = _EVALUATIONS[key] = draw(None)
        while len(_EVALUATIONS) > _KEPT:
            _EVALUATIONS.popitem(last=False)
    return evaluation


def _fit_and_measure(task: CellTask, replication: int, name: str, truth: Truth, sample: Sample) -> Row:
    row = _row(task, replication, name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        try:
            seed = task.streams.estimator(task.cell, replication, name)
            model = _fresh(task, name, truth, seed)
            start = time.perf_counter()
            model.fit(sample.pairs, sample.pairs.labels)
        except Exception as error:  # a failing fit is a result of the study
            row["error"] = _message(error)
            model = None
        row["seconds"] = time.perf_counter() - start
    row["n_warnings"] = len(caught)
    row["n_convergence_warnings"] = sum(issubclass(w.category, ConvergenceWarning) for w in caught)
    if model is not None:
        _measure(task.metrics, model, truth, sample, row)
    return row


def _measure(metrics: tuple[Metric, ...], model: Any, truth: Truth, sample: Sample, row: Row) -> None:
    """Add the metrics to a row; one that fails leaves its message and no number."""
    errors = []
    for metric in metrics:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # those of the fit count, not those of its evaluation
                value = metric(model, truth, sample)
        except Exception as error:
            errors.append(_message(error, f"metric {metric.name}: "))
            continue
        values = value if isinstance(value, Mapping) else {metric.name: value}
        row |= {column: float(number) for column, number in values.items()}
    row["error"] = "; ".join(errors)


def _fresh(task: CellTask, name: str, truth: Truth, seed: int) -> Any:
    """An unfitted estimator, with the seed wherever it has a `random_state` of None."""
    estimator = task.estimators[name]
    if hasattr(estimator, "fit"):
        model, open_states = clone(estimator), task.open_random_states[name]
    else:
        model = estimator(truth)
        if not hasattr(model, "fit"):
            raise InvalidParameterError(
                f"an estimator must have fit, and a function must return one, got {model!r}"
            )
        open_states = _open_random_states(model)
    if open_states:
        model.set_params(**dict.fromkeys(open_states, seed))
    return model


def _open_random_states(model: Any) -> tuple[str, ...]:
    """Parameters called `random_state`, those of parts of a pipeline included, that are None."""
    if not hasattr(model, "get_params"):
        return ()
    return tuple(
        key
        for key, value in model.get_params().items()
        if value is None and (key == "random_state" or key.endswith("__random_state"))
    )
