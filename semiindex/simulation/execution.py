"""Running the blocks of a study through joblib, so that no crash loses more than it must.

Blocks grow until they take about two seconds, so that neither the hand-over of small fits nor the
wait for the last block of large ones costs much. Random streams belong to replications, not to
blocks: sizes, order and workers do not change a number.

A worker that dies (out of memory, a segmentation fault) takes the pool with it. The blocks that were
under way are then run one at a time, and those that crash again fit by fit: what crashes alone is
recorded as a row with its error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

from semiindex.simulation.cells import Block, Cell
from semiindex.simulation.dask_pool import active_dask_pool
from semiindex.simulation.replication import CellTask, Row, failed_rows, run_block

__all__ = ["Execution"]

#: Seconds of work that a block aims at, and by how much a block may be larger than the last.
_BLOCK_SECONDS = 2.0
_GROWTH = 4
#: Blocks per worker and round where a backend cannot hand over results one by one.
_ROUND = 4


class Execution:
    """A run of the replications that are missing.

    Parameters
    ----------
    tasks : mapping from Cell to CellTask
        Cells with something to do, in their order.
    missing : mapping from Cell to iterable of int
        Replications to compute.
    finished : callable
        ``finished(block, rows)`` is called, in the driving process, for every finished block.
    n_jobs : int or None
        As in joblib.
    block_size : int or None
        Replications of a block; None lets blocks grow.
    """

    def __init__(
        self,
        tasks: Mapping[Cell, CellTask],
        missing: Mapping[Cell, Iterable[int]],
        finished: Callable[[Block, list[Row]], None],
        n_jobs: int | None,
        block_size: int | None,
    ) -> None:
        self._tasks = tasks
        self._pending = {cell: deque(replications) for cell, replications in missing.items()}
        self._finished = finished
        self._n_jobs = n_jobs
        self._block_size = block_size
        self._sizes: dict[Cell, int] = {}
        self._under_way: dict[Block, None] = {}  # in the order of their start, unlike a set

    @property
    def n_fits(self) -> int:
        """Fits that are to be done."""
        return sum(len(left) * len(self._tasks[cell].estimators) for cell, left in self._pending.items())

    def run(self, *, progress: bool = False) -> None:
        """Compute all that is missing."""
        with _progress_bar(self.n_fits, shown=progress) as bar:
            finished = self._finished

            def report(block: Block, rows: list[Row]) -> None:
                finished(block, rows)
                if bar is not None:
                    bar.update(len(rows))

            while any(self._pending.values()):
                try:
                    for block, rows, seconds in self._results():
                        self._accept(block, rows, seconds, report)
                except Exception as error:
                    if not _is_crash(error):
                        raise
                    for block in list(self._under_way):
                        del self._under_way[block]
                        report(block, self._isolate(block))

    def _results(self) -> Iterator[tuple[Block, list[Row], float]]:
        """Results as they come, of blocks that are cut while others run."""
        if (cluster := active_dask_pool()) is not None:
            yield from cluster.results(self._calls())
            return
        try:
            parallel = Parallel(n_jobs=self._n_jobs, batch_size=1, return_as="generator_unordered")
        except ValueError:  # the backend hands over results only when all are there
            parallel = None
        if parallel is not None:
            yield from parallel(self._calls())
            return
        calls = self._calls()
        with Parallel(n_jobs=self._n_jobs, batch_size=1) as workers:  # the same ones in every round
            while batch := list(islice(calls, _ROUND * effective_n_jobs(self._n_jobs))):
                yield from workers(batch)

    def _calls(self) -> Iterator[Any]:
        for cell, pending in self._pending.items():
            while pending:
                size = self._block_size or self._sizes.get(cell, 1)
                block = Block(cell, tuple(pending.popleft() for _ in range(min(size, len(pending)))))
                self._under_way[block] = None
                yield delayed(run_block)(self._tasks[cell], block)

    def _accept(
        self, block: Block, rows: list[Row], seconds: float, report: Callable[[Block, list[Row]], None]
    ) -> None:
        del self._under_way[block]
        size = len(block.replications)
        per_replication = max(seconds / size, 1e-9)
        self._sizes[block.cell] = max(1, min(round(_BLOCK_SECONDS / per_replication), _GROWTH * size))
        report(block, rows)

    def _isolate(self, block: Block) -> list[Row]:
        """Rows of a block that runs alone; if it crashes again, of every fit alone."""
        task = self._tasks[block.cell]
        rows = self._alone(task, block)
        if not isinstance(rows, BaseException):
            return rows
        salvaged: list[Row] = []
        for replication in block.replications:
            for name, estimator in task.estimators.items():
                fit = replace(task, estimators={name: estimator})
                result = self._alone(fit, Block(block.cell, (replication,)))
                crashed = isinstance(result, BaseException)
                salvaged += failed_rows(fit, replication, result) if crashed else result  # type: ignore[arg-type]
        return salvaged

    def _alone(self, task: CellTask, block: Block) -> list[Row] | BaseException:
        """Rows of a block that runs while no other does, or the error of its crash."""
        call, cluster = delayed(run_block)(task, block), active_dask_pool()
        try:
            if cluster is not None:
                _, rows, _ = cluster.alone(call)
            else:
                ((_, rows, _),) = Parallel(n_jobs=self._n_jobs, batch_size=1)([call])
        except Exception as error:
            if not _is_crash(error):
                raise
            return error
        return rows  # type: ignore[no-any-return]


def _is_crash(error: BaseException) -> bool:
    """Whether a worker died: the pools of joblib and the standard library, Dask's and Ray's say so."""
    names = {kind.__name__ for kind in type(error).__mro__}
    crashes = {"KilledWorker", "WorkerCrashedError", "RayActorError"}
    return isinstance(error, BrokenExecutor) or bool(names & crashes)


def _progress_bar(total: int, *, shown: bool) -> AbstractContextManager[Any]:
    if not shown:
        return nullcontext()
    from tqdm import tqdm

    bar: AbstractContextManager[Any] = tqdm(total=total, desc="study", unit="fit")
    return bar
