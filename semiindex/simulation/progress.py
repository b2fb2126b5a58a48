"""How far a study is, and how long the rest will take."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any, Self

from semiindex.simulation.cells import Block, Cell

__all__ = ["StudyProgress"]


class StudyProgress:
    """Fits that are done and those that are left, with a bar if wanted.

    Fits of a study do not cost the same: the largest samples come with every truth and design and may
    take a hundred times as long as the smallest. The rest is therefore weighed by what fits of its cells
    took or, before there are any, those of the nearest sample size, in proportion to the sizes.

    Parameters
    ----------
    missing : iterable of Block
        All that is to be done.
    shown : bool
        Whether to show a bar.
    """

    def __init__(self, missing: Iterable[Block], *, shown: bool) -> None:
        self._left: dict[Cell, int] = {}
        for block in missing:
            self._left[block.cell] = self._left.get(block.cell, 0) + block.n_fits
        self._seconds: dict[Cell, float] = {}
        self._fits: dict[Cell, int] = {}
        self._bar = _bar(sum(self._left.values())) if shown else None
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, block: Block, seconds: float | None = None) -> None:
        """Note that a block is done.

        Parameters
        ----------
        block : Block
            The block.
        seconds : float, optional
            That it took on its worker. None for one that crashed, whose time says nothing of others.
        """
        self._left[block.cell] -= block.n_fits
        if seconds is not None:
            self._seconds[block.cell] = self._seconds.get(block.cell, 0.0) + seconds
            self._fits[block.cell] = self._fits.get(block.cell, 0) + block.n_fits
        if self._bar is not None:
            left = self.remaining(time.perf_counter() - self._start)
            if not math.isnan(left):
                self._bar.set_postfix_str(f"about {self._bar.format_interval(left)} left", refresh=False)
            self._bar.update(block.n_fits)

    def remaining(self, elapsed: float) -> float:
        """Seconds that the rest will take.

        Parameters
        ----------
        elapsed : float
            Seconds since the start. Their ratio to the seconds of the workers is that of the rest, too:
            it knows how many workers there are, and how long they wait.

        Returns
        -------
        float
            NaN before anything is done.
        """
        done = sum(self._seconds.values())
        if not done > 0:
            return math.nan
        rest = sum(fits * self._expected(cell) for cell, fits in self._left.items() if fits)
        return elapsed * rest / done

    def _expected(self, cell: Cell) -> float:
        """Seconds of a fit of a cell."""
        if cell in self._fits:
            return self._seconds[cell] / self._fits[cell]
        distance = {other: abs(math.log(other.n / cell.n)) for other in self._fits}
        nearest = [other for other in distance if distance[other] == min(distance.values())]
        return sum(self._expected(other) * cell.n / other.n for other in nearest) / len(nearest)


def _bar(total: int) -> Any:
    from tqdm import tqdm

    # Without the rate and the remaining time of tqdm, which takes all fits as equal.
    layout = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
    return tqdm(total=total, desc="study", unit="fit", bar_format=layout)
