"""What may enter a `PreferencePairs`: conversions and checks, one function per argument.

Every function takes what the user gave and the name under which it was given, and returns a
read-only array or raises an error that names the argument, the fault and the remedy. A user's
array is never modified; it is not copied either when it can be used as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, IntArray, Matrix, is_sparse
from semiindex.exceptions import InvalidDataError

__all__ = [
    "check_assumptions",
    "check_difference_range",
    "check_feature_names",
    "check_ids",
    "check_labels",
    "check_matrix",
    "check_units",
    "check_weights",
    "frozen",
    "is_data_frame",
]

_RESHAPE_ADVICE = "reshape it with x.reshape(-1, 1) if it is one feature, x.reshape(1, -1) if it is one row"


def is_data_frame(value: object) -> bool:
    """Whether `value` looks like a pandas DataFrame (pandas is not imported for the question)."""
    return hasattr(value, "columns") and hasattr(value, "iloc")


def frozen(array: Matrix) -> Matrix:
    """The same numbers, without permission to write; the array given stays as it was."""
    if is_sparse(array):
        canonical = sp.csr_array(array)
        if not canonical.has_canonical_format:
            canonical = canonical.copy()
            canonical.sum_duplicates()
        data = canonical.data.view()
        data.flags.writeable = False
        result = sp.csr_array((data, canonical.indices, canonical.indptr), shape=canonical.shape)
        result.has_canonical_format = True
        return result
    view = array.view()
    view.flags.writeable = False
    return view


def check_matrix(values: Any, name: str, feature_names: Sequence[str] | None = None) -> Matrix:
    """Two-dimensional finite float matrix, dense or CSR; float32 is kept, all else is float64."""
    matrix = _as_float_matrix(values, name)
    if matrix.ndim != 2:
        advice = _RESHAPE_ADVICE if matrix.ndim == 1 else "use a row per comparison, a column per feature"
        raise InvalidDataError(
            f"{name} must be two-dimensional, but has {matrix.ndim} dimension(s): {advice}."
        )
    if matrix.shape[0] == 0:
        raise InvalidDataError(f"{name} is empty (no rows): at least one comparison is needed.")
    if matrix.shape[1] == 0:
        raise InvalidDataError(f"{name} has no columns: at least one feature is needed.")
    _require_finite(matrix, name, feature_names)
    return frozen(matrix)


def _as_float_matrix(values: Any, name: str) -> Matrix:
    if is_sparse(values):
        matrix = values if values.ndim != 2 else sp.csr_array(values)
        return matrix.astype(_float_type(matrix.dtype, name), copy=False)
    if is_data_frame(values):
        return _frame_to_float(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        fault = "is not a rectangular array: every row needs the same features"
        raise InvalidDataError(f"{name} {fault}.") from error
    if array.dtype.kind == "O" and array.ndim == 2:
        columns = [_object_to_float(array[:, j], f"column {j} of {name}") for j in range(array.shape[1])]
        return np.column_stack(columns) if columns else np.empty(array.shape)
    if array.dtype.kind == "O":
        return _object_to_float(array, name)
    return array.astype(_float_type(array.dtype, name), copy=False)


def _frame_to_float(frame: Any, name: str) -> FloatArray:
    kinds = {str(dtype) for dtype in frame.dtypes}
    if kinds == {"float32"}:
        return np.asarray(frame.to_numpy())
    columns = []
    for j, column in enumerate(frame.columns):
        series = frame.iloc[:, j]
        label = f"column {column!r} of {name}"
        if str(series.dtype) == "category":
            series = series.astype(object)
        columns.append(_object_to_float(series.to_numpy(dtype=object, na_value=np.nan), label))
    return np.column_stack(columns) if columns else np.empty(frame.shape)


def _object_to_float(values: AnyArray, label: str) -> FloatArray:
    if any(isinstance(value, complex | np.complexfloating) for value in values.ravel()):
        raise InvalidDataError(f"{label} holds complex numbers: features must be real.")
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(
            f"{label} is not numeric ({error}): encode it as numbers first, or use a builder such as "
            "PreferencePairs.from_wide, which encodes categories."
        ) from error


def _float_type(dtype: np.dtype[Any], name: str) -> type[np.floating[Any]]:
    if dtype.kind == "c":
        raise InvalidDataError(f"{name} holds complex numbers: features must be real.")
    if dtype.kind not in "biuf":
        raise InvalidDataError(f"{name} has dtype {dtype}, but features are numbers: encode them first.")
    return np.float32 if dtype == np.float32 else np.float64


def _require_finite(matrix: Matrix, name: str, feature_names: Sequence[str] | None) -> None:
    values = matrix.data if is_sparse(matrix) else matrix
    if values.size == 0 or (np.isfinite(values.min()) and np.isfinite(values.max())):
        return
    if is_sparse(matrix):
        entries = matrix.tocoo()
        bad = ~np.isfinite(entries.data)
        rows, columns = entries.row[bad], entries.col[bad]
        first = int(np.lexsort((columns, rows))[0])
        row, column = int(rows[first]), int(columns[first])
    else:
        row, column = (int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
    value = matrix[row, column]
    feature = f"feature {feature_names[column]!r}" if feature_names is not None else f"column {column}"
    raise InvalidDataError(
        f"{name} contains {value} in {feature}, first in row {row}: "
        "remove or impute such rows before building pairs; nothing is dropped silently."
    )


def check_difference_range(features0: Matrix, features1: Matrix, feature_names: Sequence[str]) -> None:
    """Refuse features whose difference overflows, though both are finite."""
    limit = np.finfo(features0.dtype).max / 2
    if max(_largest(features0), _largest(features1)) <= limit:
        return
    with np.errstate(over="ignore"):
        difference = features1 - features0
    finite = np.isfinite(difference.data if is_sparse(difference) else difference)
    if finite.all():
        return
    dense = np.isfinite(difference.toarray()) if is_sparse(difference) else finite
    row, column = (int(i) for i in np.argwhere(~dense)[0])
    raise InvalidDataError(
        f"features1 - features0 overflows {features0.dtype} in feature {feature_names[column]!r}, first in "
        f"row {row}: rescale this feature (for example divide it by its largest absolute value)."
    )


def _largest(matrix: Matrix) -> float:
    values = matrix.data if is_sparse(matrix) else matrix
    return max(abs(float(values.min())), abs(float(values.max()))) if values.size else 0.0


def check_labels(values: ArrayLike, n_rows: int, name: str = "labels") -> IntArray:
    """Labels as int8 in {0, 1}; 1 means that option 1 was preferred. One class alone is valid."""
    array = np.asarray(values)
    _require_length(array, n_rows, name)
    if array.dtype.kind not in "biuf":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidDataError(
                f"{name} must be 0 or 1 (1 = option 1 preferred), but has dtype {np.asarray(values).dtype}: "
                "recode it, for example with labels == 'B', or name the value with positive= in a builder."
            ) from error
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InvalidDataError(f"{name} contains {array[row]}, first in row {row}: remove such rows first.")
    if not np.isin(array, (0, 1)).all():
        found = np.unique(array)
        shown = ", ".join(f"{value:g}" for value in found[:5]) + (", ..." if len(found) > 5 else "")
        raise InvalidDataError(
            f"{name} must be 0 or 1 (1 = option 1 preferred), but holds {len(found)} kinds of "
            f"values: {shown}. Recode it: for -1/+1 use labels > 0, for ties or soft labels a builder."
        )
    return np.asarray(frozen(array.astype(np.int8)))


def check_weights(values: ArrayLike | None, n_rows: int, name: str = "weights") -> FloatArray | None:
    """Frequency weights as float64: finite, not negative, not all zero; None means one each."""
    if values is None:
        return None
    try:
        array = np.asarray(values).astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{name} must be numbers: {error}.") from error
    _require_length(array, n_rows, name)
    for bad, fault in ((~np.isfinite(array), "not finite"), (array < 0, "negative")):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InvalidDataError(
                f"{name} must be finite and not negative, but is {fault} ({array[row]:g}) first in "
                f"row {row}: a weight says how often a row was observed."
            )
    if not array.any():
        raise InvalidDataError(f"{name} are all zero: at least one row needs a positive weight.")
    return np.asarray(frozen(array))


def check_ids(values: ArrayLike | None, n_rows: int, name: str) -> AnyArray | None:
    """One identifier per row, of any type that sorts; missing identifiers are refused."""
    if values is None:
        return None
    array = np.asarray(values)
    _require_length(array, n_rows, name)
    missing = _is_missing(array)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise InvalidDataError(
            f"{name} is missing in {missing.sum()} row(s), first in row {row}: give every row an id."
        )
    return np.asarray(frozen(array))


def _is_missing(array: AnyArray) -> AnyArray:
    if array.dtype.kind == "O":
        # pandas' own missing value refuses to be compared, hence the name and no import.
        return np.array(
            [value is None or type(value).__name__ == "NAType" or value != value for value in array],
            dtype=bool,
        )
    if array.dtype.kind in "fmM":
        return np.isnan(array)
    return np.zeros(array.shape, dtype=bool)


def check_units(values: ArrayLike | None, n_rows: int) -> IntArray:
    """Integer id of the comparison that each row comes from; None means a comparison per row."""
    if values is None:
        return np.asarray(frozen(np.arange(n_rows)))
    array = check_ids(values, n_rows, "units")
    if array is None or array.dtype.kind in "iu":
        return np.asarray(array)
    return np.asarray(frozen(np.unique(array, return_inverse=True)[1]))


def check_feature_names(names: Iterable[object] | None, n_features: int) -> tuple[str, ...]:
    """Distinct names, one per feature; None gives x0, x1, ..."""
    if names is None:
        return tuple(f"x{j}" for j in range(n_features))
    if isinstance(names, str):
        raise InvalidDataError(
            f"feature_names must be a sequence of names, not one string: write [{names!r}]."
        )
    result = tuple(str(name) for name in names)
    if len(result) != n_features:
        raise InvalidDataError(
            f"feature_names has {len(result)} names for {n_features} features: give one name for each."
        )
    repeated = [name for name, count in Counter(result).items() if count > 1]
    if repeated:
        raise InvalidDataError(
            f"feature_names holds duplicates: {', '.join(repeated)}. Rename or drop those columns."
        )
    return result


def check_assumptions(assumptions: Iterable[str]) -> tuple[str, ...]:
    """Sentences about what the encoding assumes, without repetition, in the order given."""
    if isinstance(assumptions, str):
        raise InvalidDataError("assumptions must be a sequence of sentences, not one string: use a list.")
    return tuple(dict.fromkeys(str(sentence) for sentence in assumptions))


def _require_length(array: AnyArray, n_rows: int, name: str) -> None:
    if array.ndim != 1:
        raise InvalidDataError(f"{name} must be one-dimensional, but has shape {array.shape}: use .ravel().")
    if len(array) != n_rows:
        raise InvalidDataError(f"{name} has {len(array)} entries for {n_rows} rows: give one entry per row.")
