"""The inequalities that a specification puts on the values of a link at its knots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from semiindex._types import FloatArray

if TYPE_CHECKING:
    from semiindex.link.shape import ShapeConstrainedLink

__all__ = ["Constraints", "bend_rows", "constraints_of"]


@dataclass(frozen=True)
class Constraints:
    """``A v <= b``; the rows of `lower_rows` have right-hand side ``-lo``, those of `upper_rows` ``hi``."""

    matrix: Any
    fixed: FloatArray
    lower_rows: slice
    upper_rows: slice

    def right_hand_side(self, low: float, high: float) -> FloatArray:
        b = self.fixed.copy()
        b[self.lower_rows] = -low
        b[self.upper_rows] = high
        return b


def bend_rows(knots: FloatArray) -> Any:
    """Rows ``(chord through the two neighbours) - v_k`` for the inner knots, a sparse matrix."""
    width = np.diff(knots)
    share = width[:-1] / (width[:-1] + width[1:])  # of the right neighbour
    inner = np.arange(share.size)
    entries = np.concatenate([1 - share, -np.ones(share.size), share])
    columns = np.concatenate([inner, inner + 1, inner + 2])
    return sparse.csr_array((entries, (np.tile(inner, 3), columns)), shape=(share.size, knots.size))


def constraints_of(spec: ShapeConstrainedLink, knots: FloatArray) -> Constraints:
    """Inequalities of a specification; differences rather than slopes, so that rows have one scale."""
    m = knots.size
    identity = sparse.eye_array(m, format="csr")
    rise = (identity[1:] - identity[:-1]) if m > 1 else identity[:0]
    blocks, sides = [], []
    if spec.monotone:
        blocks.append(-rise)
        sides.append(np.zeros(m - 1))
    if spec.lipschitz is not None:
        largest = spec.lipschitz * np.diff(knots)
        # A rise above 1 is ruled out by the bounds; an infinite one is no number for a solver.
        largest = np.minimum(largest, 2.0)
        blocks += [rise] if spec.monotone else [rise, -rise]
        sides += [largest] if spec.monotone else [largest, largest]
    if spec.concave_above_zero and m > 2:
        bend = bend_rows(knots)[np.flatnonzero(knots[1:-1] > 0)]
        blocks.append(bend)
        sides.append(np.zeros(bend.shape[0]))
    # A monotone link is within bounds if its ends are.
    low, high = (identity[:1], identity[-1:]) if spec.monotone else (identity, identity)
    start = sum(block.shape[0] for block in blocks)
    middle, end = start + low.shape[0], start + low.shape[0] + high.shape[0]
    blocks += [-low, high]
    sides.append(np.zeros(end - start))
    return Constraints(
        sparse.vstack(blocks, format="csr"),
        np.concatenate(sides),
        slice(start, middle),
        slice(middle, end),
    )
