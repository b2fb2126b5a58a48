"""Directions of the coefficients in terms of features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import qr

from semiindex._types import FloatArray

__all__ = ["direction_words", "relation_words", "relations"]

#: Share of the largest entry below which a feature is not named.
_SMALL = 0.2
_TINY = 1e-6
_MOST_NAMED = 5


def direction_words(loading: FloatArray, names: Sequence[str], *, least: float = _SMALL) -> str:
    """The features that carry a direction, with their share relative to the largest.

    Parameters
    ----------
    loading : array of shape (d,)
        Coefficients times the spread of their features: what each moves in the index.
    names : sequence of str
        Names of the features.
    least : float, default=0.2
        Share of the largest below which a feature is not named.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.diagnostics.direction_words import direction_words
    >>> direction_words(np.array([0.1, -2.0, 1.0]), ["price", "time", "change"])
    'time - 0.5 change'
    """
    order = np.argsort(-np.abs(loading), kind="stable").tolist()
    leading = loading[order[0]]
    if leading == 0:
        return "nothing"
    words = ""
    kept = [j for j in order if abs(loading[j]) >= least * abs(leading)]
    for j in kept[:_MOST_NAMED]:
        share = loading[j] / leading
        size = "" if abs(abs(share) - 1) < _TINY else f"{abs(share):.2g} "
        words += f" {'-' if share < 0 else '+'} {size}{names[j]}" if words else str(names[j])
    more = len(kept) - _MOST_NAMED
    return words + (f" and {more} more" if more > 0 else "")


def relations(null: FloatArray) -> FloatArray:
    """The same space as the columns of `null`, each row with a feature of its own.

    Parameters
    ----------
    null : array of shape (d, k)
        Directions that do not move the index.

    Returns
    -------
    array of shape (k, d)
        Row i has 1 at a feature at which the other rows have 0.
    """
    if null.shape[1] == 0:
        return np.zeros((0, null.shape[0]))
    pivots = qr(null.T, mode="r", pivoting=True)[1][: null.shape[1]]
    solved = np.linalg.solve(null[pivots].T, null.T)
    return np.asarray(np.where(np.abs(solved) > _TINY, solved, 0.0))


def relation_words(relation: FloatArray, names: Sequence[str]) -> str:
    """``a = 2 b - c`` for a combination that vanishes in every comparison.

    Parameters
    ----------
    relation : array of shape (d,)
        Coefficients of the differences, in the units of the features.
    names : sequence of str
        Names of the features.
    """
    lead = int(np.argmax(np.abs(relation) * (np.abs(relation - 1) < _TINY)))
    words = ""
    others = [int(j) for j in np.flatnonzero(relation) if j != lead]
    for j in others[:_MOST_NAMED]:
        value = -relation[j] / relation[lead]
        size = "" if abs(abs(value) - 1) < _TINY else f"{abs(value):.3g} "
        sign = "-" if value < 0 else "+"
        words += f" {sign} {size}{names[j]}" if words else f"{'-' if value < 0 else ''}{size}{names[j]}"
    more = len(others) - _MOST_NAMED
    return f"{names[lead]} = {words or '0'}" + (f" and {more} more terms" if more > 0 else "")
