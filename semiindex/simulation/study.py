"""`Study`: truths x designs x sample sizes x estimators, replicated, as one reproducible table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joblib import Parallel, delayed

from semiindex import __version__
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.simulation.cache import StudyCache
from semiindex.simulation.cells import Block, Cell, Streams
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.execution import Execution
from semiindex.simulation.identity import fingerprint
from semiindex.simulation.metrics import Metric
from semiindex.simulation.replication import FIT, NAMES, CellTask, Row
from semiindex.simulation.result import StudyResult
from semiindex.simulation.strength import scaled_to_strength
from semiindex.simulation.study_checks import (
    check_budgets,
    check_columns,
    check_flag,
    check_strength,
    checked_count,
    checked_counts,
    checked_designs,
    checked_estimators,
    checked_metrics,
    checked_truths,
)
from semiindex.simulation.truth import Truth, TruthSource

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """A simulation study: every estimator on the same samples of every truth, design and size.

    Parameters
    ----------
    truths : mapping from str to Truth
        By name; or distributions of truths (`TruthSource`), of which every replication draws its own.
    designs : mapping from str to ComparisonDesign
        By name; a `FeatureDistribution` stands for the design with its default menus and pairs.
    n : int or sequence of int
        Sample sizes.
    estimators : mapping from str to estimator or callable
        By name. Estimators are cloned; a callable gets the `Truth` and returns an estimator, as an
        oracle needs that is told the link. A `random_state` of None is set from the study's streams;
        an estimator without one that draws from numpy's global generator is not seeded, and its
        numbers are others in every run.
    metrics : sequence of Metric
        What is measured of every fit; its time, warnings and errors always are.
    replications : int, default=100
        Samples per cell.
    strength : float or None, default=0.25
        Signal strength to which every truth is brought on every design, see `scaled_to_strength`.
        None takes the links as they are, and so do sources whose scale belongs to them, such as
        `PublishedTruth`.
    n_evaluation : int, default=2000
        Fresh menus per truth and design on which fits are judged; the same for all estimators, sizes
        and replications, unless every replication draws its own truth.
    random_state : int, default=0
        Seed. Every number of the table is a function of the seed and of the names of its row.
    common_random_numbers : bool, default=False
        Whether truths share menus, pairs and the uniform variables behind labels, which makes their
        *differences* more precise, and their results dependent.

    Raises
    ------
    InvalidParameterError
        If a part of the study is of the wrong kind, or names do not fit; the message says which.

    Examples
    --------
    >>> from semiindex import KnownLinkPolicy, ProfiledLinkPolicy
    >>> from semiindex.simulation import AngleError, MixedFeatures, Study, Truth, link_at_severity
    >>> study = Study(
    ...     truths={"flips": Truth(link=link_at_severity("flips", 1.0))},
    ...     designs={"mixed": MixedFeatures(3)},
    ...     n=500,
    ...     estimators={"logistic": KnownLinkPolicy(), "profiled": ProfiledLinkPolicy()},
    ...     metrics=[AngleError()],
    ...     replications=3,
    ... )
    >>> study.run().to_frame()[["replication", "estimator", "angle"]].shape
    (6, 3)
    """

    truths: Mapping[str, TruthSource]
    designs: Mapping[str, ComparisonDesign]
    n: Sequence[int]
    estimators: Mapping[str, Any]
    metrics: Sequence[Metric]
    replications: int = 100
    strength: float | None = 0.25
    n_evaluation: int = 2000
    random_state: int = 0
    common_random_numbers: bool = False

    def __post_init__(self) -> None:
        checked = {
            "truths": checked_truths(self.truths),
            "designs": checked_designs(self.designs),
            "n": tuple(checked_counts(self.n, "n", 2)),
            "estimators": checked_estimators(self.estimators),
            "metrics": checked_metrics(self.metrics),
            "replications": checked_count(self.replications, "replications", 1),
            "n_evaluation": checked_count(self.n_evaluation, "n_evaluation", 1),
            "random_state": checked_count(self.random_state, "random_state", 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_strength(self.strength)
        check_flag(self.common_random_numbers, "common_random_numbers")
        check_columns(self.truths, self.metrics)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, in the order of the table."""
        return tuple(
            Cell(truth, design, n) for truth in self.truths for design in self.designs for n in self.n
        )

    @property
    def n_fits(self) -> int:
        """Number of fits."""
        return len(self.cells) * self.replications * len(self.estimators)

    def definition(self) -> dict[str, Any]:
        """Fingerprints of all that numbers depend on: what a cache compares.

        The numbers of replications and the set of cells are left out: a study may grow.

        Returns
        -------
        dict
            Fingerprints of every truth, design, estimator and metric by name, and of the settings; the
            version of the package, and the seed.
        """
        settings = [self.strength, self.n_evaluation, self.common_random_numbers]
        return {
            "truths": {name: fingerprint(truth) for name, truth in self.truths.items()},
            "designs": {name: fingerprint(design) for name, design in self.designs.items()},
            "estimators": {name: fingerprint(estimator) for name, estimator in self.estimators.items()},
            "metrics": {metric.name: fingerprint(metric) for metric in self.metrics},
            "settings": fingerprint(settings),
            "package": f"semiindex {__version__}",
            "random_state": self.random_state,
        }

    def run(
        self,
        *,
        n_jobs: int | None = None,
        cache: str | Path | None = None,
        progress: bool = False,
        block_size: int | None = None,
        retry_failed: bool = False,
    ) -> StudyResult:
        """Compute the study, or what a cache does not have of it.

        Parameters
        ----------
        n_jobs : int, optional
            Number of workers, as in joblib; one by default. ``joblib.parallel_config`` sends the work
            elsewhere, such as to a Dask cluster. No number depends on it, but the times do.
        cache : str or Path, optional
            Folder for finished fits. A run that was killed continues from there; so does the same
            study with more truths, designs, estimators, sizes or replications. Needs the extra
            ``parquet``.
        progress : bool, default=False
            Whether to show a bar with the remaining time.
        block_size : int, optional
            Replications that a worker computes in one go. Default: as many as take about two seconds.
            What a killed run loses is the blocks under way.
        retry_failed : bool, default=False
            Whether fits that the cache has with an error, be it of a metric, are done again, for errors
            of the machine: too little memory, a missing licence. By default they stay, as all else does:
            the same sample and seed mostly fail again, and one that kills its worker costs the most.

        Returns
        -------
        StudyResult

        Raises
        ------
        InvalidParameterError
            If the cache belongs to another study; no scale of a truth has the strength asked for; or no
            policy of a design's menus can spend a budget.
        ImportError
            If a cache is asked for and pyarrow is missing.
        OSError
            If the cache cannot be read or written.

        Warns
        -----
        DataWarning
            If a file of the cache is damaged; what was in it is computed again.

        Notes
        -----
        Workers should be processes: Python counts warnings per process, so that with threads those of
        one fit may be counted with another's. A worker that dies is replaced; the fit that kills it
        twice becomes a row with the error.

        Fits work on copies of truths, designs, estimators and metrics, as they do in other processes: an
        object that counts its calls is the same before and after. What cannot be copied is used as it is.
        """
        if block_size is not None:
            block_size = checked_count(block_size, "block_size", 1)
        check_flag(retry_failed, "retry_failed")
        store = None if cache is None else StudyCache(Path(cache), self.definition())
        rows = [] if store is None else store.read(self.cells, self.replications, self.estimators)
        if retry_failed:
            rows = [row for row in rows if not row["error"]]
        missing = self._missing(rows)

        def finished(block: Block, new: list[Row]) -> None:
            if store is not None:
                store.write(block, new)
            rows.extend(new)

        tasks = self._tasks(dict.fromkeys(block.cell for block in missing), n_jobs)
        Execution(tasks, missing, finished, n_jobs, block_size).run(progress=progress)
        return StudyResult.from_rows(
            rows,
            truths=list(self.truths),
            designs=list(self.designs),
            estimators=list(self.estimators),
            factors={name: dict(truth.factors) for name, truth in self.truths.items()},
        )

    def _missing(self, rows: Iterable[Row]) -> list[Block]:
        """Fits that have no row, those of the same estimators together."""
        done = {tuple(row[name] for name in (*NAMES, *FIT)) for row in rows}
        left: dict[tuple[Cell, tuple[str, ...]], list[int]] = {}
        for cell in self.cells:
            for r in range(self.replications):
                names = tuple(name for name in self.estimators if (*cell.key, r, name) not in done)
                if names:
                    left.setdefault((cell, names), []).append(r)
        return [Block(cell, tuple(replications), names) for (cell, names), replications in left.items()]

    def _tasks(self, cells: Iterable[Cell], n_jobs: int | None) -> dict[Cell, CellTask]:
        """What workers need to know of every cell; truths are scaled here, once."""
        cells = list(cells)
        places = list(dict.fromkeys((cell.truth, cell.design) for cell in cells))
        scaled = dict(zip(places, Parallel(n_jobs)(map(self._scaling, places)), strict=True))
        designs, estimators = (
            {name: _copied(part) for name, part in parts.items()} for parts in (self.designs, self.estimators)
        )
        metrics, taken = tuple(map(_copied, self.metrics)), check_columns(self.truths, self.metrics)
        run = uuid4().hex
        return {
            cell: CellTask(
                run,
                cell,
                scaled[cell.truth, cell.design],
                designs[cell.design],
                estimators,
                metrics,
                Streams(self.random_state, self.common_random_numbers),
                self.strength,
                self.n_evaluation,
                taken,
            )
            for cell in cells
        }

    def _scaling(self, place: tuple[str, str]) -> Any:
        truth, design = place
        return delayed(_scaled)(
            _copied(self.truths[truth]), self.designs[design], self.strength, self.metrics, truth, design
        )


def _copied(value: Any) -> Any:
    """A copy that fits may change, or the value where it has none, such as an open connection."""
    try:
        return deepcopy(value)
    except Exception:
        return value


def _scaled(
    truth: TruthSource,
    design: ComparisonDesign,
    strength: float | None,
    metrics: Sequence[Metric],
    name: str,
    place: str,
) -> TruthSource:
    """The truth at the study's strength; one that is drawn in every replication is scaled there."""
    if not isinstance(truth, Truth):
        return truth
    try:
        check_budgets(truth, design, metrics)
        return truth if strength is None else scaled_to_strength(truth, design, strength)
    except (InvalidParameterError, InvalidDataError) as error:
        raise type(error)(f"truth {name!r} on design {place!r}: {error}") from error
