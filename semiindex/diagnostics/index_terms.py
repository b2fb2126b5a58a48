"""What a linear index might miss: curvature, interactions, and weights that change with the index.

All terms change sign when the options of a comparison are exchanged, so that a position effect is not
taken for a missing term. Where the features of both options are known, curvature is that of a score:
``phi_jk = u_j u_k`` of option 1 minus that of option 0, u the standardised features; then properties of
the person, which cancel in the differences, take part as well. From differences alone the odd products
``D_j |D_k|`` stand in for them. All terms are on the scale of the index, as the features are. Some are
linear functions of the features: the square of an indicator, a product of indicators that exclude each
other, ``D_j |D_j|`` where differences are -1, 0 or 1. They are not left out here, since rounding would
decide; the test finds that the features explain them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import AnyArray, FloatArray, is_sparse
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError
from semiindex.inference.sample import InferenceSample

__all__ = ["IndexTerms", "index_terms"]

#: Number of features up to which all products are looked at, squares alone beyond it.
_MOST_CROSSED = 10
#: Entries of the matrix of terms: more would not fit into memory beside a fit.
_MOST_ENTRIES = 50_000_000


@dataclass(frozen=True, eq=False)
class IndexTerms:
    """Terms that may be missing from the index.

    Attributes
    ----------
    names : tuple of str
        Terms in words.
    values : array of shape (n, q)
        Their differences between option 1 and option 0, on the scale of the index.
    """

    names: tuple[str, ...]
    values: FloatArray


def index_terms(X: Any, sample: InferenceSample, t: FloatArray) -> IndexTerms:
    """Terms of second order, and the features weighted by the distance of the options.

    Parameters
    ----------
    X : PreferencePairs or matrix
        As passed to `fit`.
    sample : InferenceSample
        Its rows of positive weight.
    t : array of shape (n,)
        Index.

    Raises
    ------
    InvalidDataError
        If there would be too many.
    """
    d, n_rows = sample.differences.shape[1], t.size
    crossed = d <= _MOST_CROSSED
    if n_rows * d * (d + 2 if crossed else 2) > _MOST_ENTRIES:
        raise InvalidDataError(
            f"{n_rows} comparisons of {d} features make too many terms; test a random part of the "
            "comparisons, refitting the model on it"
        )
    pairs = [*_weights(sample, t)]
    if isinstance(X, PreferencePairs):
        pairs += _score_products(X[sample.used], sample, crossed)
    else:
        pairs += _difference_products(sample, crossed)
    return IndexTerms(tuple(name for name, _ in pairs), np.column_stack([column for _, column in pairs]))


def _weights(sample: InferenceSample, t: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """``D_j |t|``: a feature that weighs more, or less, the further the options are apart."""
    for j, name in enumerate(sample.feature_names):
        yield f"{name} x |index|", sample.differences[:, j] * np.abs(t)


def _score_products(
    pairs: PreferencePairs, sample: InferenceSample, crossed: bool
) -> Iterator[tuple[str, FloatArray]]:
    """Squares and products of the features of either option, standardised over both."""
    first, second = (_dense(matrix) for matrix in (pairs.features0, pairs.features1))
    weight = sample.weight
    center = np.average((first + second) / 2, axis=0, weights=weight)
    spread = np.sqrt(np.average(((first - center) ** 2 + (second - center) ** 2) / 2, axis=0, weights=weight))
    unit = np.where(spread > 0, spread, 1.0)
    first, second = (first - center) / unit, (second - center) / unit
    for j, k in _index_pairs(len(sample.feature_names), crossed):
        yield _product_name(sample, j, k), second[:, j] * second[:, k] - first[:, j] * first[:, k]


def _difference_products(sample: InferenceSample, crossed: bool) -> Iterator[tuple[str, FloatArray]]:
    names, rows = sample.feature_names, sample.differences
    for j, k in _index_pairs(len(names), crossed):
        yield f"{names[j]} |{names[k]}|", rows[:, j] * np.abs(rows[:, k])
        if j != k:
            yield f"{names[k]} |{names[j]}|", rows[:, k] * np.abs(rows[:, j])


def _index_pairs(d: int, crossed: bool) -> Iterator[tuple[int, int]]:
    for j in range(d):
        yield from ((j, k) for k in range(j, d if crossed else j + 1))


def _product_name(sample: InferenceSample, j: int, k: int) -> str:
    names = sample.feature_names
    return f"{names[j]} squared" if j == k else f"{names[j]} x {names[k]}"


def _dense(matrix: Any) -> AnyArray:
    return np.asarray(matrix.toarray() if is_sparse(matrix) else matrix, dtype=np.float64)
