"""`Study`: truths x designs x sample sizes x estimators, replicated, as one reproducible table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from joblib import Parallel, delayed

from semiindex import __version__
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.cache import StudyCache
from semiindex.simulation.cells import Block, Cell, Streams
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.execution import Execution
from semiindex.simulation.features import FeatureDistribution
from semiindex.simulation.identity import fingerprint
from semiindex.simulation.metrics import Metric
from semiindex.simulation.replication import CellTask, Row
from semiindex.simulation.result import StudyResult
from semiindex.simulation.strength import scaled_to_strength
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
        oracle needs that is told the link. A `random_state` of None is set from the study's streams.
    metrics : sequence of Metric
        What is measured of every fit; its time, warnings and errors always are.
    replications : int, default=100
        Samples per cell.
    strength : float or None, default=0.25
        Signal strength to which every truth is brought on every design, see `scaled_to_strength`.
        None takes the links as they are.
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
        designs = {
            name: ComparisonDesign(design) if isinstance(design, FeatureDistribution) else design
            for name, design in _named(self.designs, "designs").items()
        }
        checked = {
            "truths": _named(self.truths, "truths"),
            "designs": designs,
            "n": tuple(_counts(self.n, "n", 2)),
            "estimators": _named(self.estimators, "estimators"),
            "metrics": tuple(self.metrics),
            "replications": _counts(self.replications, "replications", 1)[0],
            "n_evaluation": _counts(self.n_evaluation, "n_evaluation", 1)[0],
            "random_state": _counts(self.random_state, "random_state", 0)[0],
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self._check_kinds()

    def _check_kinds(self) -> None:
        for name, truth in self.truths.items():
            if not isinstance(truth, TruthSource):
                raise InvalidParameterError(f"truths[{name!r}] must be a Truth, got {truth!r}")
        for name, design in self.designs.items():
            if not isinstance(design, ComparisonDesign):
                raise InvalidParameterError(f"designs[{name!r}] must be a ComparisonDesign, got {design!r}")
        for name, estimator in self.estimators.items():
            if isinstance(estimator, type) or not (hasattr(estimator, "fit") or callable(estimator)):
                raise InvalidParameterError(
                    f"estimators[{name!r}] must be an estimator (an object, not a class) or a function from "
                    f"a Truth to one, got {estimator!r}"
                )
        for metric in self.metrics:
            if isinstance(metric, type) or not isinstance(metric, Metric):
                raise InvalidParameterError(
                    f"metrics must be callables with a name, such as AngleError(), got {metric!r}"
                )
        if self.strength is not None and not 0 < self.strength < 0.5:
            raise InvalidParameterError(f"strength must be None or in (0, 1/2), got {self.strength!r}")

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
            Fingerprints of every truth and design by name, and of all estimators, of all metrics and of
            the settings; the version of the package, and the seed.
        """
        settings = [self.strength, self.n_evaluation, self.common_random_numbers]
        return {
            "truths": {name: fingerprint(truth) for name, truth in self.truths.items()},
            "designs": {name: fingerprint(design) for name, design in self.designs.items()},
            "estimators": fingerprint(self.estimators),
            "metrics": fingerprint(list(self.metrics)),
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
    ) -> StudyResult:
        """Compute the study, or what a cache does not have of it.

        Parameters
        ----------
        n_jobs : int, optional
            Number of workers, as in joblib; one by default. ``joblib.parallel_config`` sends the work
            elsewhere, such as to a Dask cluster. No number depends on it, but the times do.
        cache : str or Path, optional
            Folder for finished blocks. A run that was killed continues from there; so does the same
            study with more truths, designs, sizes or replications. Needs the extra ``parquet``.
        progress : bool, default=False
            Whether to show a bar with the remaining time.
        block_size : int, optional
            Replications that a worker computes in one go. Default: as many as take about two seconds.
            What a killed run loses is the blocks under way.

        Returns
        -------
        StudyResult

        Raises
        ------
        InvalidParameterError
            If the cache belongs to another study; or no scale of a truth has the strength asked for.
        ImportError
            If a cache is asked for and pyarrow is missing.

        Warns
        -----
        DataWarning
            If a file of the cache cannot be read; what was in it is computed again.

        Notes
        -----
        Workers should be processes: Python counts warnings per process, so that with threads those of
        one fit may be counted with another's. A worker that dies is replaced; the fit that kills it
        twice becomes a row with the error.
        """
        if block_size is not None:
            block_size = _counts(block_size, "block_size", 1)[0]
        definition = None if cache is None else self.definition()
        store = None if definition is None else StudyCache(Path(str(cache)), definition)
        rows = [] if store is None else store.read(self.cells, self.replications, self.estimators)
        missing = self._missing(rows)

        def finished(block: Block, new: list[Row]) -> None:
            if store is not None:
                store.write(block, new)
            rows.extend(new)

        tasks = self._tasks(missing, n_jobs)
        Execution(tasks, missing, finished, n_jobs, block_size).run(progress=progress)
        return StudyResult.from_rows(
            rows,
            truths=list(self.truths),
            designs=list(self.designs),
            estimators=list(self.estimators),
            factors={name: dict(truth.factors) for name, truth in self.truths.items()},
        )

    def _missing(self, rows: Iterable[Row]) -> dict[Cell, list[int]]:
        """Replications of every cell that no row belongs to."""
        done = {(row["truth"], row["design"], row["n"], row["replication"]) for row in rows}
        left = {
            cell: [r for r in range(self.replications) if (*cell.key, r) not in done] for cell in self.cells
        }
        return {cell: replications for cell, replications in left.items() if replications}

    def _tasks(self, cells: Iterable[Cell], n_jobs: int | None) -> dict[Cell, CellTask]:
        """What workers need to know of every cell; truths are scaled here, once."""
        cells = list(cells)
        places = list(dict.fromkeys((cell.truth, cell.design) for cell in cells))
        scaled = dict(zip(places, Parallel(n_jobs)(map(self._scaling, places)), strict=True))
        run = uuid4().hex
        return {
            cell: CellTask(
                run,
                cell,
                scaled[cell.truth, cell.design],
                self.designs[cell.design],
                self.estimators,
                tuple(self.metrics),
                Streams(self.random_state, self.common_random_numbers),
                self.strength,
                self.n_evaluation,
            )
            for cell in cells
        }

    def _scaling(self, place: tuple[str, str]) -> Any:
        truth, design = place
        return delayed(_scaled)(self.truths[truth], self.designs[design], self.strength, truth, design)


def _scaled(
    truth: TruthSource, design: ComparisonDesign, strength: float | None, name: str, place: str
) -> TruthSource:
    """The truth at the study's strength; one that is drawn in every replication is scaled there."""
    if strength is None or not isinstance(truth, Truth):
        return truth
    try:
        return scaled_to_strength(truth, design, strength)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"truth {name!r} on design {place!r}: {error}") from error


def _named(values: Any, argument: str) -> dict[str, Any]:
    if not isinstance(values, Mapping) or not values or not all(isinstance(name, str) for name in values):
        raise InvalidParameterError(
            f"{argument} must be a mapping from names to values, with at least one entry, got {values!r}"
        )
    return dict(values)


def _counts(values: Any, argument: str, smallest: int) -> list[int]:
    array = np.atleast_1d(np.asarray(values))
    whole = array.ndim == 1 and array.size > 0 and array.dtype.kind in "iuf" and np.isfinite(array).all()
    if not (whole and (array == np.floor(array)).all() and array.min() >= smallest):
        raise InvalidParameterError(f"{argument} must be integers of at least {smallest}, got {values!r}")
    counts = [int(value) for value in array.tolist()]
    if len(set(counts)) < len(counts):
        raise InvalidParameterError(f"{argument} has an entry twice: {values!r}")
    return counts
