"""Tables with several rows per comparison: which rows belong together, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import AnyArray, IntArray
from semiindex.data.tables import require_complete, shown
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Blocks", "all_pairs"]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows of a table grouped by an id: comparisons, choice sets or rankings.

    Attributes
    ----------
    ids : ndarray of shape (b,)
        The ids, in the order in which they first occur.
    codes : ndarray of int, shape (n,)
        Position in `ids` of the id of each row.
    order : ndarray of int, shape (n,)
        Rows sorted by block; within a block they keep the order of the table.
    sizes : ndarray of int, shape (b,)
        Number of rows of each block.
    """

    ids: AnyArray
    codes: IntArray
    order: IntArray
    sizes: IntArray

    @classmethod
    def of_column(cls, frame: pd.DataFrame, column: Any) -> Blocks:
        """Group the rows of a table by one of its columns; they need not be sorted."""
        import pandas as pd

        require_complete(frame, [column])
        codes, ids = pd.factorize(frame[column])
        order = np.argsort(codes, kind="stable")
        return cls(np.asarray(ids), codes, order, np.bincount(codes, minlength=len(ids)))

    @property
    def firsts(self) -> IntArray:
        """First row of each block, in the order of the table."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        return np.asarray(self.order[starts])

    def count(self, mask: AnyArray) -> IntArray:
        """Number of rows of each block for which `mask` holds."""
        return np.bincount(self.codes, weights=mask, minlength=len(self.ids)).astype(np.intp)

    def require(self, fine: AnyArray, fault: str, remedy: str) -> None:
        """Raise an error that names the first blocks for which `fine` does not hold."""
        if not fine.all():
            bad = self.ids[~fine]
            raise InvalidDataError(f"{len(bad)} of {len(self.ids)} {fault}: {shown(bad)}. {remedy}")

    def require_constant(self, frame: pd.DataFrame, columns: Iterable[Any], what: str) -> None:
        """The columns must have one value per block (a comparison has one rater and one weight)."""
        first = self.firsts[self.codes]
        require_complete(frame, list(columns))
        for column in columns:
            values = frame[column].to_numpy()
            same = self.count(values != values[first]) == 0
            self.require(
                same, f"{what} have more than one value of {column!r}", "Give all their rows one value."
            )


def all_pairs(blocks: Blocks) -> tuple[IntArray, IntArray, IntArray]:
    """All pairs of rows within each block, the earlier row first.

    Returns
    -------
    earlier, later : ndarray of int, shape (sum of s(s - 1)/2,)
        Rows of the table, sorted by block.
    block : ndarray of int, shape (sum of s(s - 1)/2,)
        Position of the block of each pair.
    """
    ends = np.cumsum(blocks.sizes)
    parts = []
    for size in np.unique(blocks.sizes):
        which = np.flatnonzero(blocks.sizes == size)
        rows = blocks.order[(ends[which] - size)[:, None] + np.arange(size)]
        i, j = np.triu_indices(size, k=1)
        parts.append((rows[:, i].ravel(), rows[:, j].ravel(), np.repeat(which, len(i))))
    earlier, later, block = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    by_block = np.argsort(block, kind="stable")
    return earlier[by_block], later[by_block], block[by_block]
