"""A sample in canonical form: equal comparisons merged, rows in an order of their own.

The isotonic criterion is piecewise constant and floating-point sums depend on their order, so that
"the same data" in another order, with repeated rows instead of weights, or with options exchanged
could end in a neighbouring answer. On samples of moderate size the canonical form makes those
equivalences exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray

__all__ = ["CanonicalSample", "canonicalize", "is_small"]

#: Entries up to which sorting the rows costs a small part of a fit.
_MAX_ENTRIES = 500_000


@dataclass(frozen=True)
class CanonicalSample:
    """Distinct comparisons.

    Attributes
    ----------
    differences : array of shape (m, d)
        Feature differences, in lexicographic order; for an antisymmetric model the first one that
        is not zero is positive.
    z : array of shape (m,)
        Share of the weight in which option 1 won.
    weight : array of shape (m,)
        Total weight.
    classes : array of shape (m,) of int or None
        Class of raters; comparisons of different classes are distinct.
    """

    differences: FloatArray
    z: FloatArray
    weight: FloatArray
    classes: IntArray | None


def is_small(n_rows: int, n_columns: int) -> bool:
    """Whether a sample is brought to canonical form."""
    return n_rows * n_columns <= _MAX_ENTRIES


def canonicalize(
    differences: FloatArray,
    z: FloatArray,
    weight: FloatArray,
    classes: IntArray | None,
    *,
    antisymmetric: bool,
) -> CanonicalSample:
    """Merge equal comparisons and sort them.

    Parameters
    ----------
    differences : array of shape (n, d)
        Feature differences.
    z, weight : arrays of shape (n,)
        Labels and frequency weights.
    classes : array of shape (n,) of int or None
        Classes of raters.
    antisymmetric : bool
        Whether ``(D, z)`` and ``(-D, 1 - z)`` are the same comparison.
    """
    if antisymmetric:
        leading = differences[np.arange(z.size), (differences != 0).argmax(axis=1)]
        turned = leading < 0
        differences = np.where(turned[:, None], -differences, differences)
        # An option compared with itself stands beside its own mirror image.
        z = np.where(leading == 0, 0.5, np.where(turned, 1 - z, z))
    differences = differences + 0.0  # -0.0 and 0.0 are one value
    keys = [differences[:, j] for j in range(differences.shape[1])]
    if classes is not None:
        keys.append(classes.astype(differences.dtype))
    # Labels and weights settle the order in which equal comparisons are summed.
    order = np.lexsort([weight, z, *keys[::-1]])
    table = np.column_stack(keys)[order]
    first = np.ones(z.size, dtype=bool)
    first[1:] = (table[1:] != table[:-1]).any(axis=1)
    member = np.cumsum(first) - 1
    mass = np.asarray(np.bincount(member, weights=weight[order]), dtype=np.float64)
    wins = np.asarray(np.bincount(member, weights=(weight * z)[order]), dtype=np.float64)
    chosen = order[first]
    return CanonicalSample(
        differences[chosen], wins / mass, mass, None if classes is None else classes[chosen]
    )
