"""Places of the panels of a figure: groups of panels in rows of their own, none of them mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Self

__all__ = ["PanelGrid"]

#: Columns of panels that belong to no group, and the most of those that do.
_COLUMNS, _MOST_COLUMNS = 3, 4


@dataclass(frozen=True)
class PanelGrid:
    """Rows and columns of a figure, and which cells hold a panel.

    Parameters
    ----------
    columns : int
        Number of columns.
    cells : tuple of int
        Cell of every panel, counted along the rows.

    Examples
    --------
    >>> from semiindex.display.panel_grid import PanelGrid
    >>> PanelGrid.of_groups(["probit", "probit", "flips", "flips", "lapses", "lapses"])
    PanelGrid(columns=2, cells=(0, 1, 2, 3, 4, 5))
    """

    columns: int
    cells: tuple[int, ...]

    @classmethod
    def of_groups(cls, groups: Sequence[str]) -> Self:
        """Every group begins a row, so that a column holds the same part of all groups.

        Parameters
        ----------
        groups : sequence of str
            Group of every panel, those of one group following each other. Where there is one group, or
            every panel has its own, panels fill rows of three (four make a square).

        Returns
        -------
        PanelGrid
        """
        sizes = [len(list(members)) for _, members in groupby(groups)]
        if len(sizes) == 1 or max(sizes) == 1:
            columns = 2 if len(groups) == 4 else min(len(groups), _COLUMNS)
            return cls(columns, tuple(range(len(groups))))
        # Rows of about equal length: of five panels three and two, not four and one.
        columns = ceil(max(sizes) / ceil(max(sizes) / _MOST_COLUMNS))
        cells: list[int] = []
        for size in sizes:
            first = columns * ceil((cells[-1] + 1) / columns) if cells else 0
            cells += range(first, first + size)
        return cls(columns, tuple(cells))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.cells[-1] // self.columns + 1

    def is_left(self, panel: int) -> bool:
        """Whether a panel stands at the left edge."""
        return self.cells[panel] % self.columns == 0

    def is_lowest(self, panel: int) -> bool:
        """Whether no panel stands below it in its column."""
        cell = self.cells[panel]
        return not any(other > cell and (other - cell) % self.columns == 0 for other in self.cells)
