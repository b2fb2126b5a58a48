"""Folds of comparisons or raters."""

from __future__ import annotations

from typing import Any

import numpy as np

from semiindex._types import AnyArray, IntArray
from semiindex.optimize.crossfit import assign_folds, require_separate

__all__ = ["draw_folds"]


def draw_folds(units: AnyArray | int, n_folds: int, random_state: Any) -> IntArray:
    """Fold of every row, all rows of a unit in one; see `assign_folds`."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    folds = assign_folds(units, n_folds, np.random.default_rng(random_state))
    if isinstance(units, np.ndarray):
        require_separate(folds, units)
    return folds
