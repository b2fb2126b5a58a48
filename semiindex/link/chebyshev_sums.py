"""Sums of a smooth kernel over points on a line, by Chebyshev expansion in blocks.

Between two blocks of the line the Gaussian kernel is a polynomial in both arguments, to a relative
error below 1e-9 with 16 terms and blocks one bandwidth wide. The points of a block enter through the
sums of their Chebyshev polynomials, a few hundred numbers pass from block to block, and at the queries
the expansion is evaluated: O(n) work. Pairs further apart than nine bandwidths, where the kernel is
below 1e-17, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.link.kernel import Kernel, KernelFunction

__all__ = ["ChebyshevSums"]

#: Terms of the expansion in each argument.
_TERMS = 16
#: Blocks on either side that interact.
_REACH = 9
#: Points that are expanded at once.
_CHUNK = 1 << 15


class ChebyshevSums:
    """Sums of the Gaussian kernel; see `line_sums`.

    Parameters
    ----------
    query : array of shape (q,)
        Where the sums are evaluated.
    memory : array of shape (n,)
        Points that are summed over.
    kernel : Kernel
        Smooth on the whole line.
    bandwidth : float
        h.
    """

    def __init__(self, query: FloatArray, memory: FloatArray, kernel: Kernel, bandwidth: float) -> None:
        self._kernel, self._h = kernel, bandwidth
        centre = memory[memory.size // 2]
        self._query_block, self._query_place, self._query_id = _blocks((query - centre) / bandwidth)
        self._block, self._place, self._id = _blocks((memory - centre) / bandwidth)

    def __call__(self, values: FloatArray, functions: Sequence[KernelFunction]) -> list[FloatArray]:
        """The sums; see `kernel_sums`."""
        columns = values[None, :] if values.ndim == 1 else values.T
        moments = np.stack([self._moments(column) for column in columns])
        results = []
        for name in functions:
            local = self._translate(moments, name)
            sums = np.stack([self._evaluate(part) for part in local])
            if name == "slope":
                sums /= self._h
            results.append(np.asarray(sums[0] if values.ndim == 1 else sums.T))
        return results

    def _moments(self, column: FloatArray) -> FloatArray:
        """Sums of ``T_b(t) v`` over the points of every block, shape (blocks, terms)."""
        result = np.empty((_TERMS, self._id.size))
        for b, polynomial in enumerate(_chebyshev(self._place)):
            result[b] = np.bincount(self._block, polynomial * column, self._id.size)
        return result.T

    def _translate(self, moments: FloatArray, function: KernelFunction) -> FloatArray:
        """Expansions about the blocks of the queries, shape (columns, query blocks, terms)."""
        local = np.zeros((moments.shape[0], self._query_id.size, _TERMS))
        for offset in range(-_REACH, _REACH + 1):
            position = np.searchsorted(self._id, self._query_id + offset)
            found = np.minimum(position, self._id.size - 1)
            near = self._id[found] == self._query_id + offset
            if near.any():
                coefficients = _expansion(self._kernel, function, -offset)
                local[:, near] += moments[:, found[near]] @ coefficients.T
        return local

    def _evaluate(self, local: FloatArray) -> FloatArray:
        total = np.zeros(self._query_place.size)
        for begin in range(0, total.size, _CHUNK):
            chunk = slice(begin, begin + _CHUNK)
            rows = local[self._query_block[chunk]].T
            for coefficient, polynomial in zip(rows, _chebyshev(self._query_place[chunk]), strict=True):
                total[chunk] += coefficient * polynomial
        return total


def _blocks(scaled: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Blocks of width one: number in the list of occupied ones, place in [-1, 1], and that list."""
    cell = np.floor(scaled)
    occupied, block = np.unique(cell, return_inverse=True)
    return block, 2 * (scaled - cell) - 1, occupied


def _chebyshev(s: FloatArray) -> list[FloatArray]:
    """``T_0(s), ..., T_{terms - 1}(s)`` by their recurrence."""
    polynomials = [np.ones_like(s), s]
    for _ in range(2, _TERMS):
        polynomials.append(2 * s * polynomials[-1] - polynomials[-2])
    return polynomials


@lru_cache
def _expansion(kernel: Kernel, function: KernelFunction, offset: int) -> FloatArray:
    """Coefficients of ``f(offset + (x - t) / 2)`` in ``T_a(x) T_b(t)`` on [-1, 1]^2."""
    angle = (np.arange(_TERMS) + 0.5) * np.pi / _TERMS
    nodes = np.cos(angle)
    table = kernel(function, offset + (nodes[:, None] - nodes[None, :]) / 2)
    transform = 2 / _TERMS * np.cos(np.arange(_TERMS)[:, None] * angle)
    transform[0] /= 2
    return np.asarray(transform @ table @ transform.T)
