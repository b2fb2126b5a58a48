"""One block of replications, as a worker computes it: draw, fit, measure, one row per fit.

Whatever a truth, an estimator or a metric raises becomes a row, also a call of `sys.exit`. The error is
named with the innermost line that it comes from, since a table has no room for a traceback.
"""

from __future__ import annotations

import time
import warnings
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.simulation.cells import Block, Cell, Streams
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.metrics import Metric
from semiindex.simulation.sample import Evaluation, Sample
from semiindex.simulation.strength import scaled_to_strength
from semiindex.simulation.truth import Truth, TruthSource

__all__ = ["ACCOUNT", "FIT", "NAMES", "CellTask", "Row", "failed_rows", "run_block"]

#: A line of the table: names, numbers and messages by column.
Row = dict[str, Any]

#: Columns of every table: which cell, which fit, and what is known of every fit whatever is measured.
NAMES = ("truth", "design", "n")
FIT = ("replication", "estimator")
ACCOUNT = ("seconds", "n_warnings", "n_convergence_warnings", "warnings", "error")

#: What becomes a row. A keyboard interrupt is addressed to the study itself.
_FAILURES = (Exception, SystemExit)

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
    taken : frozenset of str
        Columns that no metric may fill: those of every table, and the factors of the truths.
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
    taken: frozenset[str]

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
        Its replications and estimators.

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
            rows += _replicate(task, block, replication)
    return block, rows, time.perf_counter() - start


def failed_rows(block: Block, error: BaseException) -> list[Row]:
    """Rows of fits of which nothing came out, one per replication and estimator."""
    failure = {"seconds": float("nan"), "error": _message(error)}
    return [
        _row(block.cell, replication, name) | failure
        for replication in block.replications
        for name in block.estimators
    ]


def _row(cell: Cell, replication: int, estimator: str) -> Row:
    fit = dict(zip((*NAMES, *FIT), (*cell.key, replication, estimator), strict=True))
    return fit | dict(zip(ACCOUNT, (0.0, 0, 0, "", ""), strict=True))


def _message(error: BaseException, what: str = "") -> str:
    """Class, first line and place of an error: ``ValueError: no luck (mine.py:12)``."""
    text = str(error).strip().splitlines()
    # Frames of this module tell nothing: it calls what failed, or refuses what it returned.
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename != __file__]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{what}{type(error).__name__}: {text[0] if text else 'no message'}{place}"


def _replicate(task: CellTask, block: Block, replication: int) -> list[Row]:
    """All estimators of a block on one sample."""
    try:
        truth = _truth(task, replication)
        sample = task.design.sample(truth, task.cell.n, task.streams.sample(task.cell, replication))
        sample = replace(sample, evaluation=_evaluation(task, truth, replication))
    except _FAILURES as error:
        return failed_rows(Block(task.cell, (replication,), block.estimators), error)
    return [_fit_and_measure(task, replication, name, truth, sample) for name in block.estimators]


def _truth(task: CellTask, replication: int) -> Truth:
    """The truth of a replication, at the strength of the study."""
    if isinstance(task.truth, Truth):
        return task.truth
    truth = task.truth.draw(task.streams.truth(task.cell, replication))
    if task.strength is None or getattr(task.truth, "keeps_strength", False):
        return truth
    return scaled_to_strength(truth, task.design, task.strength)


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
    row = _row(task.cell, replication, name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        try:
            seed = task.streams.estimator(task.cell, replication, name)
            model = _fresh(task, name, truth, seed)
            start = time.perf_counter()
            model.fit(sample.pairs, sample.pairs.labels)
        except _FAILURES as error:  # a failing fit is a result of the study
            row["error"] = _message(error)
            model = None
        row["seconds"] = time.perf_counter() - start
    row["n_warnings"] = len(caught)
    row["warnings"] = "; ".join(sorted({warning.category.__name__ for warning in caught}))
    row["n_convergence_warnings"] = sum(issubclass(w.category, ConvergenceWarning) for w in caught)
    if model is not None:
        _measure(task, model, truth, sample, row)
    return row


def _measure(task: CellTask, model: Any, truth: Truth, sample: Sample, row: Row) -> None:
    """Add the metrics to a row; one that fails leaves its message and no number."""
    errors = []
    for metric in task.metrics:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # those of the fit count, not those of its evaluation
                value = metric(model, truth, sample)
            row |= _columns(metric, value, task.taken | row.keys())
        except _FAILURES as error:
            errors.append(_message(error, f"metric {metric.name}: "))
    row["error"] = "; ".join(errors)


def _columns(metric: Metric, value: Any, taken: Collection[str]) -> dict[str, float]:
    """What a metric returned as columns of the table, none of which is there already."""
    values = value if isinstance(value, Mapping) else {metric.name: value}
    columns = {}
    for column, number in values.items():
        if column in taken or not isinstance(column, str):
            raise InvalidDataError(
                f"a column of the table cannot be called {column!r}: another metric, a factor of the truths "
                "or the table itself has it, or it is no text; give the metric another name"
            )
        scalar = np.asarray(number)
        if scalar.shape or scalar.dtype.kind not in "biuf":
            raise InvalidDataError(
                f"a metric must return a number, or a mapping of numbers by name, got {number!r}"
            )
        columns[column] = float(scalar)
    return columns


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
