"""Folds of raters, on the way from the rows of a user to the merged rows of a fit.

Equal comparisons are merged before a fit, and those of two raters may be in two folds. So the folds are
drawn first, and travel beside the classes of raters, whose comparisons are not merged either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from semiindex._types import AnyArray, IntArray
from semiindex.exceptions import InvalidDataError
from semiindex.optimize.crossfit import assign_folds, require_separate
from semiindex.policy._reading import FitInput, encode_groups
from semiindex.policy._sample import PreparedSample

__all__ = ["draw_folds", "pack_folds", "read_raters", "unpack_folds"]


def draw_folds(units: AnyArray | int, n_folds: int, random_state: Any) -> IntArray:
    """Fold of every row, all rows of a unit in one; see `assign_folds`."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    folds = assign_folds(units, n_folds, np.random.default_rng(random_state))
    if isinstance(units, np.ndarray):
        require_separate(folds, units)
    return folds


def read_raters(groups: Any, X: Any) -> AnyArray:
    """Number of the rater of every row."""
    raters = np.asarray(groups)
    n_rows = _num_samples(X)
    if raters.shape != (n_rows,):
        raise InvalidDataError(
            f"groups must have one entry for each of the {n_rows} comparisons, got shape {raters.shape}"
        )
    missing = raters != raters
    if np.any(missing):
        raise InvalidDataError(
            f"groups has no rater in row {int(np.argmax(missing))}; drop the row, or give it a rater of its "
            "own"
        )
    return np.asarray(np.unique(raters, return_inverse=True)[1])


def pack_folds(data: FitInput, folds: IntArray) -> FitInput:
    """The input with a class for every fold within every class of raters."""
    classes: IntArray = np.zeros(folds.size, dtype=np.intp)
    if data.link_groups is not None:
        classes = encode_groups(data.link_groups, np.unique(data.link_groups))
    return replace(data, link_groups=classes * (int(folds.max()) + 1) + folds)


def unpack_folds(
    prepared: PreparedSample, data: FitInput, folds: IntArray
) -> tuple[PreparedSample, IntArray]:
    """The prepared sample with the classes of raters that `data` has, and the folds of its rows."""
    packed = prepared.group_levels[prepared.link_classes]
    classes, of_rows = np.divmod(packed, int(folds.max()) + 1)
    if data.link_groups is None:
        return replace(prepared, link_classes=None, group_levels=None), of_rows
    levels = np.unique(data.link_groups)
    return replace(prepared, link_classes=classes, group_levels=levels), of_rows
