"""The linear index: ``h_theta(option) = theta' features``, so ``t = (x1 - x0)' theta``."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from semiindex._types import FloatArray, IntArray, Matrix, is_sparse
from semiindex.index.base import Design, IndexClass

__all__ = ["LinearDesign", "LinearIndex"]

#: Rows handled at a time where a pass needs a temporary copy: 16 MB for 64 columns of float64.
_CHUNK = 32_768


class LinearDesign(Design):
    """Feature differences as an operator; never copies the matrix.

    Parameters
    ----------
    differences : array or scipy sparse matrix of shape (n, d)
        Features of option 1 minus features of option 0; float32 stays float32 in memory, while
        all sums are formed in float64.
    """

    def __init__(self, differences: Matrix) -> None:
        self.matrix = differences.tocsr() if is_sparse(differences) else differences
        self.n_rows, self.n_parameters = self.matrix.shape

    @property
    def _is_plain(self) -> bool:
        """Whether products with the whole matrix need no conversion."""
        return is_sparse(self.matrix) or self.matrix.dtype == np.float64

    def _chunks(self) -> list[slice]:
        return [slice(start, start + _CHUNK) for start in range(0, self.n_rows, _CHUNK)]

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``A theta``."""
        if self._is_plain:
            return np.asarray(self.matrix @ theta, dtype=np.float64)
        return np.concatenate([self.matrix[c].astype(np.float64) @ theta for c in self._chunks()])

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``A' g``."""
        if self._is_plain:
            return np.asarray(self.matrix.T @ g, dtype=np.float64)
        parts = [self.matrix[c].T.astype(np.float64) @ g[c] for c in self._chunks()]
        return np.asarray(np.sum(parts, axis=0))

    def gram(self, weight: FloatArray) -> FloatArray:
        """``A' diag(weight) A``."""
        if is_sparse(self.matrix):
            weighted = sp.diags_array(weight) @ self.matrix
            return np.asarray((self.matrix.T @ weighted).todense(), dtype=np.float64)
        result = np.zeros((self.n_parameters, self.n_parameters))
        root = None if np.all(weight == 1) else np.sqrt(weight)
        for c in self._chunks():
            block = np.asarray(self.matrix[c], dtype=np.float64)
            block = block if root is None else block * root[c, None]
            result += block.T @ block  # numpy hands X'X to BLAS syrk: half the work of a product
        return result

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every column."""
        if is_sparse(self.matrix):
            squares = self.matrix.multiply(self.matrix).tocsr().T @ weight
        else:
            squares = np.sum(
                [(self.matrix[c].astype(np.float64) ** 2).T @ weight[c] for c in self._chunks()], axis=0
            )
        return np.asarray(squares / np.sum(weight), dtype=np.float64)

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense rows."""
        block = self.matrix[selection]
        return np.asarray(block.toarray() if is_sparse(block) else block, dtype=np.float64)

    def take(self, selection: IntArray | slice) -> LinearDesign:
        """Design of a subsample."""
        return LinearDesign(self.matrix[selection])


class LinearIndex(IndexClass):
    """Index linear in the feature differences, ``t = (x1 - x0)' theta``, :eq:`linear-index`.

    The score of an option is ``theta' x``; by the theory of the single-index model a constant in
    it is not identified, so there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import LinearIndex
    >>> design = LinearIndex().fit_design(np.array([[1.0, 0.0], [0.5, -1.0]]))
    >>> design.matvec(np.array([2.0, 1.0]))
    array([2., 0.])
    """

    def fit_design(self, pairs: Any) -> LinearDesign:
        """Operator of the feature differences; see `IndexClass.fit_design`."""
        return LinearDesign(getattr(pairs, "differences", pairs))

    def score(self, options: Matrix, theta: FloatArray) -> FloatArray:
        """``options @ theta``, shape (n_options,)."""
        return np.asarray(options @ theta)
