"""Array types used in signatures, and the one test that tells them apart."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["AnyArray", "FloatArray", "IntArray", "Matrix", "is_sparse"]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
AnyArray: TypeAlias = NDArray[Any]
#: A dense array or a scipy sparse matrix or array; scipy's classes share no typed base.
Matrix: TypeAlias = Any


def is_sparse(matrix: Matrix) -> bool:
    """Whether a matrix is one of scipy's sparse classes."""
    return bool(sp.issparse(matrix))
