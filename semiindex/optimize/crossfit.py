"""Folds for cross-fitting: what is predicted takes no part in the prediction."""

from __future__ import annotations

import numpy as np

from semiindex._types import AnyArray, IntArray
from semiindex.exceptions import InvalidDataError

__all__ = ["assign_folds", "require_separate"]


def assign_folds(units: AnyArray | int, n_folds: int, generator: np.random.Generator) -> IntArray:
    """Divide units at random into folds of equal numbers of units.

    Parameters
    ----------
    units : array of shape (n,), or int
        Unit of every row (a comparison, a rater); rows of one unit share a fold. A number stands for
        so many rows, each a unit.
    n_folds : int
        Number of folds; fewer units make fewer folds.
    generator : numpy.random.Generator
        Source of randomness. The folds depend on it and on the set of units, not on the order or
        the number of their rows.

    Returns
    -------
    array of shape (n,) of int
        Fold of every row, from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.optimize.crossfit import assign_folds
    >>> folds = assign_folds(np.array(["a", "b", "a", "c"]), 3, np.random.default_rng(0))
    >>> folds[0] == folds[2], len(set(folds.tolist()))
    (np.True_, 3)
    """
    if isinstance(units, (int, np.integer)):
        return generator.permutation(np.arange(units) % n_folds)
    levels, unit = np.unique(units, return_inverse=True)
    return np.asarray(assign_folds(levels.size, n_folds, generator)[unit])


def require_separate(folds: IntArray, units: AnyArray) -> None:
    """Refuse folds that overlap: a unit of which some rows would predict the others.

    Parameters
    ----------
    folds : array of shape (n,) of int
        Fold of every row.
    units : array of shape (n,)
        Unit of every row.

    Raises
    ------
    InvalidDataError
        Names a unit with rows in several folds.
    """
    levels, unit = np.unique(units, return_inverse=True)
    low, high = np.full(levels.size, np.iinfo(np.int64).max), np.full(levels.size, -1)
    np.minimum.at(low, unit, folds)
    np.maximum.at(high, unit, folds)
    if (low != high).any():
        divided = levels[low != high].tolist()[0]
        raise InvalidDataError(
            f"the folds overlap: {divided!r} has rows in more than one of them, "
            "so that its own labels would take part in its prediction; keep all rows of a unit in one fold"
        )
