"""Compression of a large sample to a grid of index values.

Every observation is shared between the two grid nodes beside it, with weights linear in its index
value (`Compression`). The objective of the binned data is a function of the losses at the nodes,
and its derivative in the index is exact for it. Against the unbinned objective it errs by the
curvature of the loss times the squared spacing over 8: under 1e-5 of a loss of order one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.compression import Compression

__all__ = ["Grid"]

_N_CELLS = 4096


@dataclass(frozen=True)
class Grid:
    """Nodes equally spaced on the scale ``asinh(t / width)``: fine at 0, coarse far out.

    A formula finds the cell of an observation, several times faster than a search among knots.

    Attributes
    ----------
    nodes : array of shape (m,)
        Increasing index values.
    width : float
        Index value up to which the spacing is nearly constant.
    """

    nodes: FloatArray
    width: float

    @classmethod
    def asinh(cls, reach: float, width: float, *, two_sided: bool) -> Grid:
        """Grid on ``[0, reach]``, or on ``[-reach, reach]`` with twice the cells."""
        end = np.arcsinh(reach / width)
        positive = width * np.sinh(np.linspace(0.0, end, _N_CELLS + 1))
        nodes = np.concatenate([-positive[:0:-1], positive]) if two_sided else positive
        return cls(nodes, width)

    def compress(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Compression:
        """Place observations; beyond the last node the losses continue linearly."""
        start, end = np.arcsinh(self.nodes[0] / self.width), np.arcsinh(self.nodes[-1] / self.width)
        position = np.arcsinh(t / self.width)
        position -= start
        position *= (self.nodes.size - 1) / (end - start)
        cell = np.clip(position, 0, self.nodes.size - 2).astype(np.intp)
        width = np.diff(self.nodes)
        left = (self.nodes[1:] / width)[cell] - t / width[cell]
        return Compression(self.nodes, z, weight, cell, left, np.ones(t.size, dtype=bool))
