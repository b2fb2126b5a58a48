"""Distinct options and comparisons of a sample: where the functions of a kernel index are anchored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.index.feature_design import Comparisons

__all__ = ["DistinctRows", "distinct_comparisons", "distinct_options", "thinned"]

#: Rows that are looked at first: where they hold too many distinct ones already, so does the sample.
_FIRST_LOOK = 50_000


@dataclass(frozen=True)
class DistinctRows:
    """Distinct rows in lexicographic order, whatever the order and the repetitions of the sample.

    Attributes
    ----------
    first : array of shape (p, d)
        Options; or option 1 (or the difference) of distinct comparisons.
    second : array of shape (p, d) or None
        Option 0 of distinct comparisons.
    inverse : array of shape (n,) of int or None
        Position of every comparison of the sample; None for options, and where only a part of the
        sample was looked at.
    """

    first: FloatArray
    second: FloatArray | None = None
    inverse: IntArray | None = None

    def __len__(self) -> int:
        return int(self.first.shape[0])


def thinned(n_rows: int, size: int = _FIRST_LOOK) -> IntArray | slice:
    """Evenly spaced rows of a large sample, all of a small one."""
    return slice(None) if n_rows <= size else np.linspace(0, n_rows - 1, size).astype(np.intp)


def distinct_options(comparisons: Comparisons, most: int) -> DistinctRows:
    """Options that occur in any comparison; only some of them where there are more than `most`."""
    for selection in (thinned(comparisons.shape[0]), slice(None)):
        rows = np.unique(np.vstack(comparisons.sides(selection)) + 0.0, axis=0)  # -0.0 is 0.0
        if isinstance(selection, slice) or rows.shape[0] > most:
            break
    return DistinctRows(rows)


def distinct_comparisons(comparisons: Comparisons, most: int) -> DistinctRows:
    """Comparisons that occur; only some of them where there are more than `most`."""
    width = comparisons.shape[1]
    for selection in (thinned(comparisons.shape[0]), slice(None)):
        table = np.hstack(comparisons.sides(selection)) + 0.0
        rows, inverse = np.unique(table, axis=0, return_inverse=True)
        if isinstance(selection, slice) or rows.shape[0] > most:
            break
    whole = np.asarray(inverse).ravel() if isinstance(selection, slice) else None
    return DistinctRows(rows[:, :width], None if rows.shape[1] == width else rows[:, width:], whole)
