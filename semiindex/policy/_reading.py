"""From what a user passes to the sample that a fit sees: one place for every check of inputs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_n_features,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from semiindex._types import AnyArray, FloatArray, IntArray, Matrix, is_sparse
from semiindex.data import PreferencePairs
from semiindex.exceptions import DataWarning, InvalidDataError

__all__ = [
    "FitInput",
    "check_options",
    "encode_groups",
    "read_fit_input",
    "read_predict_input",
    "read_raters",
]

#: Sums of weights beyond these are no frequencies, and sums of losses would lose all precision.
_SMALLEST_TOTAL, _LARGEST_TOTAL = 1e-12, 1e15
#: Mean weight below which a warning asks whether the weights were scaled to a sum of 1.
_SMALLEST_MEAN = 0.01


@dataclass(frozen=True)
class FitInput:
    """Checked input of a fit; rows of weight zero are left out.

    Attributes
    ----------
    pairs : PreferencePairs or matrix of shape (n, d)
        What the index class gets.
    z : array of shape (n,)
        1 where option 1 was preferred.
    weight : array of shape (n,)
        Positive frequency weights.
    classes : array of shape (2,)
        Labels as the user wrote them; the second means that option 1 was preferred.
    link_groups : array of shape (n,) or None
        Class of raters of every row.
    groups : array of shape (n,) or None
        Rater of every row.
    feature_names : tuple of str
        Names of the features.
    assumptions : tuple of str
        What the encoding of the data assumes.
    """

    pairs: Any
    z: FloatArray
    weight: FloatArray
    classes: AnyArray
    link_groups: AnyArray | None
    groups: AnyArray | None
    feature_names: tuple[str, ...]
    assumptions: tuple[str, ...]

    def take(self, rows: IntArray | AnyArray) -> FitInput:
        """Some rows, by number or by a mask."""
        return replace(
            self,
            pairs=self.pairs[rows],
            z=self.z[rows],
            weight=self.weight[rows],
            link_groups=None if self.link_groups is None else self.link_groups[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    def reweighted(self, weight: FloatArray, *, one_class_allowed: bool) -> FitInput:
        """The same data with other weights, such as those of a resample, as if it had been read with them.

        Parameters
        ----------
        weight : array of shape (n,)
            Frequency weights; rows of weight zero are left out.
        one_class_allowed : bool
            As in `read_fit_input`.
        """
        used = weight > 0
        data = replace(self, weight=weight)
        data = data if used.all() else data.take(used)
        _require_both(data.z, data.classes, one_class_allowed=one_class_allowed)
        return data


def read_fit_input(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    link_groups: Any,
    groups: Any = None,
    *,
    one_class_allowed: bool,
) -> FitInput:
    """Check the arguments of `fit`.

    Parameters
    ----------
    estimator : estimator
        Gets `n_features_in_` and `feature_names_in_`.
    X : PreferencePairs, array-like, DataFrame or sparse matrix
        Comparisons, or feature differences (option 1 minus option 0).
    y : array-like or None
        Labels; None only with PreferencePairs, which carry theirs.
    sample_weight : array-like or None
        Frequency weights; they multiply those that the pairs carry.
    link_groups : array-like or None
        Classes of raters; None takes those that the pairs carry.
    groups : array-like or None
        Raters; None takes those that the pairs carry.
    one_class_allowed : bool
        Whether labels of one kind are valid data (chosen and rejected options).
    """
    assumptions: tuple[str, ...] = ()
    weight: FloatArray | None = None
    _refuse_missing_labels(y)
    if isinstance(X, PreferencePairs):
        _remember_pairs(estimator, X)
        y = X.labels if y is None else y
        assumptions, weight = X.assumptions, X.weights
        link_groups = X.link_groups if link_groups is None else link_groups
        groups = X.groups if groups is None else groups
        pairs: Any = X
        y = _read_labels(y)
    else:
        _refuse_duplicate_columns(X)
        pairs, y = validate_data(
            estimator, X, y, accept_sparse="csr", dtype=[np.float64, np.float32], accept_large_sparse=True
        )
    check_consistent_length(pairs, y)
    n_rows = pairs.shape[0]
    z, classes = _encode(y, one_class_allowed=one_class_allowed)
    weight = np.ones(n_rows) if weight is None else np.asarray(weight, dtype=np.float64)
    weight = _within_range(weight * _read_weight(sample_weight, n_rows))
    classes_of_raters = None if link_groups is None else _read_link_groups(link_groups, n_rows)
    raters = None if groups is None else read_raters(groups, n_rows)
    names = tuple(getattr(estimator, "feature_names_in_", ())) or tuple(
        f"x{j}" for j in range(pairs.shape[1])
    )
    shown = tuple(map(str, names))
    data = FitInput(pairs, z, weight, classes, classes_of_raters, raters, shown, assumptions)
    used = weight > 0
    if used.all():
        return data
    data = data.take(used)
    _require_both(data.z, classes, one_class_allowed=one_class_allowed)
    return data


def read_predict_input(estimator: Any, X: Any) -> Matrix:
    """Feature differences to predict on, checked against those of the fit."""
    if isinstance(X, PreferencePairs):
        names = getattr(estimator, "feature_names_in_", None)
        if names is not None and list(X.feature_names) != list(names):
            raise InvalidDataError(
                f"X has the features {list(X.feature_names)[:8]}, but the model was fitted on "
                f"{list(names)[:8]} (names and order must agree); build the pairs with the same columns"
            )
        _check_n_features(estimator, X, reset=False)
        return X.differences
    return validate_data(estimator, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)


def _remember_pairs(estimator: Any, pairs: PreferencePairs) -> None:
    estimator.n_features_in_ = pairs.n_features
    estimator.feature_names_in_ = np.array(pairs.feature_names, dtype=object)


def _refuse_duplicate_columns(X: Any) -> None:
    columns = getattr(X, "columns", None)
    if columns is None:
        return
    seen: set[Any] = set()
    repeated = [name for name in columns if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if repeated:
        raise InvalidDataError(
            f"X has more than one column named {repeated[0]!r}; rename or drop the duplicates: "
            "coefficients are reported by name"
        )


def _refuse_missing_labels(y: Any) -> None:
    labels = np.asarray(y)
    if labels.dtype == object and labels.ndim == 1 and _missing(labels).any():
        row = int(np.argmax(_missing(labels)))
        raise InvalidDataError(f"y has no answer in row {row}; drop the comparisons without one")


def _read_labels(y: Any) -> AnyArray:
    labels = column_or_1d(y, warn=True)
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise InvalidDataError("Input y contains NaN or infinity; drop the comparisons without an answer")
    return np.asarray(labels)


def _encode(y: AnyArray, *, one_class_allowed: bool) -> tuple[FloatArray, AnyArray]:
    """Labels as 0 and 1, and the two classes in sorted order."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    classes = np.unique(y)
    if classes.size > 2:
        raise InvalidDataError(
            f"Only binary classification is supported. The type of the target is {kind}: y has "
            f"{classes.size} different labels, {classes[:5].tolist()} among them; a comparison has two "
            "outcomes. Encode a tie as two rows of half weight (the builders of PreferencePairs do)"
        )
    if classes.size == 1:
        classes = _complete(classes)
    z = (y == classes[1]).astype(np.float64)
    _require_both(z, classes, one_class_allowed=one_class_allowed)
    return z, classes


def _complete(classes: AnyArray) -> AnyArray:
    """The two classes that a single observed label belongs to."""
    only = classes.tolist()[0]
    for pair in ((0, 1), (-1, 1)):
        if only in pair:
            return np.array(pair, dtype=classes.dtype if classes.dtype.kind in "biuf" else None)
    raise InvalidDataError(
        f"y has only one class, {only!r}, which does not say whether option 0 or option 1 was preferred; "
        "pass labels 0 and 1 (1: option 1 was preferred)"
    )


def _require_both(z: FloatArray, classes: AnyArray, *, one_class_allowed: bool) -> None:
    if not one_class_allowed and (z.min() == z.max()):
        raise InvalidDataError(
            f"y has only one class among rows of positive weight ({classes.tolist()[int(z[0])]!r}). With "
            "antisymmetric=False the probability of either outcome must be estimated, so that both have to "
            "occur; data of chosen and rejected options need antisymmetric=True"
        )


def _read_weight(sample_weight: Any, n_rows: int) -> FloatArray:
    if sample_weight is None:
        return np.ones(n_rows)
    if np.isscalar(sample_weight):
        weight = np.full(n_rows, float(sample_weight))  # type: ignore[arg-type]
    else:
        weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim != 1:
        raise InvalidDataError(f"Sample weights must be 1D array or scalar, got shape {weight.shape}")
    if weight.size != n_rows:
        raise InvalidDataError(f"sample_weight has {weight.size} entries, but there are {n_rows} comparisons")
    if not np.isfinite(weight).all():
        raise InvalidDataError("sample_weight contains NaN or infinity; weights are frequencies")
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise InvalidDataError(
            f"sample_weight is negative in row {row} ({weight[row]:g}); weights are frequencies, "
            "so that they must be at least 0"
        )
    if not (weight > 0).any():
        raise InvalidDataError("sample_weight is zero in every row; at least one comparison must count")
    return weight


def _within_range(weight: FloatArray) -> FloatArray:
    """The weights, if their sum is one that frequencies can have."""
    total = float(np.sum(weight))
    if not total > 0:
        raise InvalidDataError(
            "sample_weight is zero in every row to which the pairs themselves give weight; at least one "
            "comparison must count"
        )
    if total < _SMALLEST_MEAN * weight.size:
        warnings.warn(
            f"The weights of {weight.size} rows sum to {total:.3g}. Weights are frequencies, and the fit is "
            "that of so small a sample: its link is smoothed accordingly. Weights that were scaled to a sum "
            "of 1 should be multiplied by the number of comparisons",
            DataWarning,
            stacklevel=4,
        )
    if not _SMALLEST_TOTAL <= total <= _LARGEST_TOTAL:
        raise InvalidDataError(
            f"the weights sum to {total:.3g}, which is no number of comparisons; weights are frequencies: "
            "rescale them so that they sum to the number of comparisons"
        )
    return weight


def _missing(values: AnyArray) -> AnyArray:
    """Entries of an object array that stand for no value: None, NaN, pandas.NA."""
    return np.array(
        [value is None or type(value).__name__ == "NAType" or value != value for value in values], dtype=bool
    )


def read_raters(groups: ArrayLike, n_rows: int) -> AnyArray:
    """The rater of every row, checked."""
    return _read_names(groups, n_rows, "groups", "rater")


def _read_link_groups(link_groups: ArrayLike, n_rows: int) -> AnyArray:
    groups = _read_names(link_groups, n_rows, "link_groups", "class")
    if groups.dtype == object and len({str if isinstance(g, str) else float for g in groups}) > 1:
        raise InvalidDataError("link_groups mixes text and numbers; write all classes in one way")
    return groups


def _read_names(values: ArrayLike, n_rows: int, argument: str, what: str) -> AnyArray:
    """One name for every row, none missing."""
    names = np.asarray(values)
    if names.shape != (n_rows,):
        raise InvalidDataError(
            f"{argument} must have one entry for each of the {n_rows} comparisons, got shape {names.shape}"
        )
    missing = _missing(names) if names.dtype == object else names != names
    if np.any(missing):
        raise InvalidDataError(
            f"{argument} has no {what} in row {int(np.argmax(missing))}; drop the row, or give it a {what} "
            "of its own"
        )
    return names


def encode_groups(groups: AnyArray, levels: AnyArray) -> IntArray:
    """Position of every group in the sorted levels of the fit."""
    unknown = ~np.isin(groups, levels)
    if unknown.any():
        raise InvalidDataError(
            f"link_groups contains {groups[unknown].tolist()[0]!r}, which did not occur in the fit; "
            f"the classes of the fit are {levels[:8].tolist()}"
        )
    return np.searchsorted(levels, groups)


def check_options(estimator: Any, options: Any) -> Matrix:
    """Features of single options, in the columns of the fit."""
    names = getattr(estimator, "feature_names_in_", None)
    columns = getattr(options, "columns", None)
    if names is not None and columns is not None:
        missing = [name for name in names if name not in columns]
        if missing:
            raise InvalidDataError(f"options has no column {missing[0]!r}; the model needs {list(names)}")
        options = options[list(names)]
    dtype = np.float32 if getattr(options, "dtype", None) == np.float32 else np.float64
    matrix: Matrix = options if is_sparse(options) else np.asarray(options, dtype=dtype)
    if matrix.ndim != 2 or matrix.shape[1] != estimator.n_features_in_:
        raise InvalidDataError(
            f"options must have shape (n_options, {estimator.n_features_in_}), got {matrix.shape}"
        )
    values = matrix.data if is_sparse(matrix) else matrix
    if not np.isfinite(values).all():
        raise InvalidDataError("options contains NaN or infinity")
    return matrix
