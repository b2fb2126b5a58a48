"""Running the fits of a study through joblib, so that no crash loses more than it must.

Blocks grow until they take about two seconds, so that neither the hand-over of small fits nor the
wait for the last block of large ones costs much. Random streams belong to replications, not to
blocks: sizes, order and workers do not change a number.

A worker that dies (out of memory, a segmentation fault) takes the pool with it. The blocks that were
under way are then run one at a time, and those that crash again fit by fit: what crashes alone is
recorded as a row with its error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from itertools import islice
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

from semiindex.simulation.cells import Block, Cell
from semiindex.simulation.dask_pool import active_dask_pool
from semiindex.simulation.progress import StudyProgress
from semiindex.simulation.replication import CellTask, Row, failed_rows, run_block

__all__ = ["Execution"]

#: Seconds of work that a block aims at, and by how much a block may be larger than the last.
_BLOCK_SECONDS = 2.0
_GROWTH = 4
#: Blocks per worker and round where a backend cannot hand over results one by one.
_ROUND = 4


class Execution:
    """A run of the fits that are missing.

    Parameters
    ----------
    tasks : mapping from Cell to CellTask
        Cells with something to do.
    missing : sequence of Block
        What to compute, in this order: cut into smaller blocks.
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
        missing: Sequence[Block],
        finished: Callable[[Block, list[Row]], None],
        n_jobs: int | None,
        block_size: int | None,
    ) -> None:
        self._tasks = tasks
        self._pending = {whole: deque(whole.replications) for whole in missing}
        self._finished = finished
        self._n_jobs = n_jobs
        self._block_size = block_size
        self._sizes: dict[tuple[Cell, tuple[str, ...]], int] = {}
        self._under_way: dict[Block, None] = {}  # in the order of their start, unlike a set

    def run(self, *, progress: bool = False) -> None:
        """Compute all that is missing."""
        with StudyProgress(self._pending, shown=progress) as bar:
            while any(self._pending.values()):
                try:
                    for block, rows, seconds in self._results():
                        del self._under_way[block]
                        self._resize(block, seconds)
                        self._finished(block, rows)
                        bar.advance(block, seconds)
                except Exception as error:
                    if not _is_crash(error):
                        raise
                    for block in list(self._under_way):
                        del self._under_way[block]
                        self._finished(block, self._isolate(block))
                        bar.advance(block)

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
        for whole, pending in self._pending.items():
            while pending:
                size = self._block_size or self._sizes.get((whole.cell, whole.estimators), 1)
                replications = tuple(pending.popleft() for _ in range(min(size, len(pending))))
                block = replace(whole, replications=replications)
                self._under_way[block] = None
                yield delayed(run_block)(self._tasks[whole.cell], block)

    def _resize(self, block: Block, seconds: float) -> None:
        """Let the next blocks of the cell take as long as blocks should."""
        size = len(block.replications)
        per_replication = max(seconds / size, 1e-9)
        fitting = max(1, min(round(_BLOCK_SECONDS / per_replication), _GROWTH * size))
        self._sizes[block.cell, block.estimators] = fitting

    def _isolate(self, block: Block) -> list[Row]:
        """Rows of a block that runs alone; if it crashes again, of every fit alone."""
        task = self._tasks[block.cell]
        rows = self._alone(task, block)
        if not isinstance(rows, BaseException):
            return rows
        salvaged: list[Row] = []
        for replication in block.replications:
            for name in block.estimators:
                fit = Block(block.cell, (replication,), (name,))
                result = self._alone(task, fit)
                if isinstance(result, BaseException):
                    # Without the place where the pool noticed the death: it tells nothing about the fit.
                    result = failed_rows(fit, result.with_traceback(None))
                salvaged += result
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
