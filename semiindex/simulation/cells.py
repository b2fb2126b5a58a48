"""The grid of a study and its random streams: cells known by their names, not by their positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex.simulation.identity import stream_key

__all__ = ["Block", "Cell", "Streams"]


@dataclass(frozen=True)
class Cell:
    """A truth on a design at a sample size.

    Attributes
    ----------
    truth, design : str
        Names in the study.
    n : int
        Comparisons of a sample.
    """

    truth: str
    design: str
    n: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What the table's rows of the cell have in common."""
        return self.truth, self.design, self.n


@dataclass(frozen=True)
class Block:
    """Fits of a cell that a worker computes in one go.

    Attributes
    ----------
    cell : Cell
        Which cell.
    replications : tuple of int
        Numbers of the replications.
    estimators : tuple of str
        Names of the estimators that are fitted to the sample of every replication.
    """

    cell: Cell
    replications: tuple[int, ...]
    estimators: tuple[str, ...]

    @property
    def n_fits(self) -> int:
        """How many fits there are."""
        return len(self.replications) * len(self.estimators)


@dataclass(frozen=True)
class Streams:
    """Independent random streams of a study, one for every purpose.

    A stream is the `numpy.random.SeedSequence` of the study's seed with a spawn key made of the names
    of the cell (`stream_key`), the number of the replication and the purpose: the same for any order
    of the cells, any number of workers, and whatever other cells, replications or estimators there are.

    Parameters
    ----------
    seed : int
        Seed of the study.
    common : bool
        Whether truths share their random numbers: menus, pairs and the uniform variables behind labels.
    """

    seed: int
    common: bool = False

    def _sequence(self, *names: str | int, number: int = 0) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(*stream_key(*names), number))

    def _place(self, cell: Cell) -> tuple[str | int, ...]:
        return ("every truth", *cell.key[1:]) if self.common else ("truth", *cell.key)

    def truth(self, cell: Cell, replication: int) -> np.random.Generator:
        """For a truth that every replication draws anew."""
        return np.random.default_rng(self._sequence("draw", *self._place(cell), number=replication))

    def sample(self, cell: Cell, replication: int) -> np.random.Generator:
        """For a sample, common to all estimators."""
        return np.random.default_rng(self._sequence("sample", *self._place(cell), number=replication))

    def evaluation(self, cell: Cell, replication: int | None) -> np.random.Generator:
        """For evaluation menus: of one replication, or (None) of a truth and design at any n."""
        if replication is None:
            names = self._place(cell)[:-1]
            return np.random.default_rng(self._sequence("evaluation", *names))
        return np.random.default_rng(self._sequence("evaluation", *self._place(cell), number=replication))

    def estimator(self, cell: Cell, replication: int, name: str) -> int:
        """`random_state` of an estimator that has one."""
        state = self._sequence("estimator", name, *self._place(cell), number=replication).generate_state(1)
        return int(state[0]) % 2**31
