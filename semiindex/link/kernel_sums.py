"""Sums of a kernel over points on a line, without forming all pairs.

    F(x_i) = sum_j K((x_i - t_j) / h) v_j

For ``K(u) = (1 - u^2)^p`` on [-1, 1] the sum over a window is a polynomial in x whose coefficients are
sums of powers of the points in it. Sums of powers over the whole line cancel catastrophically when
they are subtracted; so the line is cut into blocks one bandwidth wide, powers are taken about the
middle of each block, and a window (x - h, x + h) is put together from the tail of one block, a whole
one, and the head of another. Nothing is ever subtracted: tails are summed from the right, heads from
the left. The cost is one sort and a fixed number of passes.

The Gaussian kernel has no bounded support: see `ChebyshevSums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import comb

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.link.chebyshev_sums import ChebyshevSums
from semiindex.link.kernel import Kernel, KernelFunction

__all__ = ["LineSums", "kernel_sums", "line_sums"]

#: Queries that are worked on at once: their powers and moments stay in the cache.
_CHUNK = 1 << 15
#: Entries of the running sums that are held at once; beyond them column after column.
_MAX_ENTRIES = 20_000_000


def kernel_sums(
    query: FloatArray,
    memory: FloatArray,
    values: FloatArray,
    kernel: Kernel,
    bandwidth: float,
    functions: Sequence[KernelFunction] = ("value",),
) -> list[FloatArray]:
    """Sums over memory points of functions of a kernel, at every query.

    Parameters
    ----------
    query : array of shape (q,)
        Where the sums are evaluated, in any order.
    memory : array of shape (n,)
        Points that are summed over, in any order; ties are as good as any.
    values : array of shape (n,) or (n, c)
        What they carry, c sums at once.
    kernel : Kernel
        K, with value 1 at 0.
    bandwidth : float
        h.
    functions : sequence of {"value", "slope", "first", "second"}, default=("value",)
        With ``u_j = (x - t_j) / h``: the sums of ``K(u_j) v_j``, of its derivative in x
        (that in a memory point is its negative, term by term), of ``-u_j K(u_j) v_j`` and of
        ``u_j^2 K(u_j) v_j``.

    Returns
    -------
    list of arrays of shape (q,) or (q, c)
        One for every function.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.link.kernel import get_kernel
    >>> from semiindex.link.kernel_sums import kernel_sums
    >>> t, z = np.array([0.0, 0.5, 3.0]), np.array([1.0, 0.0, 1.0])
    >>> kernel_sums(t, t, z, get_kernel("epanechnikov"), 1.0)[0]
    array([1.  , 0.75, 1.  ])
    """
    order = np.argsort(memory, kind="stable")
    sums = line_sums(query, memory[order], kernel, bandwidth)
    return sums(values[order], functions)


def line_sums(
    query: FloatArray, memory: FloatArray, kernel: Kernel, bandwidth: float
) -> LineSums | ChebyshevSums:
    """Everything about a kernel sum that does not depend on the values; `memory` must be sorted.

    The result is called with values of shape (n,) or (n, c) and the names of functions, as
    `kernel_sums` is, any number of times.
    """
    if kernel.power is None:
        return ChebyshevSums(query, memory, kernel, bandwidth)
    return LineSums(query, memory, kernel, bandwidth)


class LineSums:
    """Exact sums of a kernel of bounded support; see `line_sums`.

    Parameters
    ----------
    query : array of shape (q,)
        Where the sums are evaluated (fastest in increasing order).
    memory : array of shape (n,)
        Points that are summed over, in increasing order.
    kernel : Kernel
        A polynomial on [-1, 1].
    bandwidth : float
        h.
    """

    def __init__(self, query: FloatArray, memory: FloatArray, kernel: Kernel, bandwidth: float) -> None:
        self._query, self._kernel, self._h = query, kernel, bandwidth
        centre = memory[memory.size // 2]
        with np.errstate(over="ignore"):
            cell = np.floor((memory - centre) / bandwidth)
        first = np.ones(memory.size, dtype=bool)
        np.not_equal(cell[1:], cell[:-1], out=first[1:])
        self._start = np.flatnonzero(first)
        self._end = np.append(self._start[1:], memory.size)
        self._block = np.cumsum(first) - 1
        self._origin = memory[self._start] + bandwidth / 2
        # Block after block, each with a place before it at which the running sum is set back.
        self._place = np.arange(memory.size) + self._block + 1
        self._s = (memory - self._origin[self._block]) / bandwidth
        self._pieces = self._assemble(memory)

    def _assemble(self, memory: FloatArray) -> list[tuple[IntArray, IntArray, IntArray]]:
        """How windows are put together: queries, their position in the running sums, and the block.

        The first piece is read off the sums from the right, the others off those from the left.
        """
        low = np.searchsorted(memory, self._query - self._h, side="left")
        high = np.searchsorted(memory, self._query + self._h, side="right")
        some = np.flatnonzero(low < high)
        low, last = low[some], high[some] - 1
        left, right = self._block[low], self._block[last]
        # A window within one block holds its head, its tail, or all of it: blocks are no wider than h.
        tail = (left < right) | (low > self._start[left])
        head = (left < right) | ~tail
        pieces = [(some[tail], low[tail], left[tail]), (some[head], last[head], right[head])]
        for step in range(1, int((right - left).max(initial=0))):
            whole = left + step < right
            blocks = left[whole] + step
            pieces.append((some[whole], self._end[blocks] - 1, blocks))
        return pieces

    def __call__(self, values: FloatArray, functions: Sequence[KernelFunction]) -> list[FloatArray]:
        """The sums; see `kernel_sums`."""
        columns = values[None, :] if values.ndim == 1 else values.T
        degree = max(self._kernel.polynomial(name).degree() for name in functions)
        tables = np.concatenate([_table(self._kernel, name, degree) for name in functions])
        total = np.zeros((len(functions), len(columns), self._query.size))
        together = max(_MAX_ENTRIES // ((degree + 1) * (self._s.size + 1)), 1)
        for c in range(0, len(columns), together):
            self._add(columns[c : c + together], tables, degree, total[:, c : c + together])
        for k, name in enumerate(functions):
            if name == "slope":
                total[k] /= self._h
        return [np.asarray(sums[0] if values.ndim == 1 else sums.T) for sums in total]

    def _add(self, columns: FloatArray, tables: FloatArray, degree: int, total: FloatArray) -> None:
        """Add the contributions of some columns, piece after piece and chunk after chunk."""
        moments = np.empty((len(columns), degree + 1, self._s.size))
        moments[:, 0] = columns
        for k in range(degree):
            np.multiply(moments[:, k], self._s, out=moments[:, k + 1])
        moments = moments.reshape(-1, self._s.size)
        sums = self._running(moments, from_right=True)
        for number, (queries, position, blocks) in enumerate(self._pieces):
            if number == 1:
                sums = self._running(moments, from_right=False)
            for begin in range(0, queries.size, _CHUNK):
                chunk = slice(begin, begin + _CHUNK)
                rows = queries[chunk]
                xi = (self._query[rows] - self._origin[blocks[chunk]]) / self._h
                powers = np.empty((degree + 1, xi.size))
                powers[0] = 1.0
                for k in range(degree):
                    np.multiply(powers[k], xi, out=powers[k + 1])
                coefficients = (tables @ powers).reshape(-1, degree + 1, xi.size)
                taken = sums.take(position[chunk], axis=1).reshape(-1, degree + 1, xi.size)
                total[:, :, rows] += np.einsum("fkn,ckn->fcn", coefficients, taken)

    def _running(self, moments: FloatArray, *, from_right: bool) -> FloatArray:
        """Running sums within each block, from its first point on or from its last one back.

        One pass over the line: at the border of a block the sum is set back by the block's total.
        What rounding leaves of it is known, since it stands there alone, and is taken off again.
        """
        size = self._s.size + self._start.size
        place = self._place if not from_right else size - 1 - (self._place - 1)
        border = self._start + np.arange(self._start.size)
        border = border if not from_right else (size - 1 - (self._end + np.arange(self._start.size)))
        totals = np.add.reduceat(moments, self._start, axis=1)
        line = np.empty((len(moments), size))
        line[:, place] = moments
        if from_right:
            line[:, border[-1]] = 0.0
            line[:, border[:-1]] = -totals[:, 1:]
        else:
            line[:, border[0]] = 0.0
            line[:, border[1:]] = -totals[:, :-1]
        np.cumsum(line, axis=1, out=line)
        left_over = line[:, border]
        sums = line.take(place, axis=1)
        if left_over.any():
            sums -= left_over.take(self._block, axis=1)
        return np.asarray(sums)


@lru_cache
def _table(kernel: Kernel, function: KernelFunction, degree: int) -> FloatArray:
    """Coefficients c with ``q(xi - s) = sum_k s^k sum_l c[k, l] xi^l``, shape (degree + 1,) * 2."""
    q = kernel.polynomial(function).coef
    table = np.zeros((degree + 1, degree + 1))
    for k in range(q.size):
        for power in range(q.size - k):
            table[k, power] = q[power + k] * comb(power + k, k) * (-1) ** k
    return table
