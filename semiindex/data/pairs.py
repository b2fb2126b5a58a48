"""`PreferencePairs`: the table of comparisons that every learner reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, IntArray, Matrix, is_sparse
from semiindex.data import checks
from semiindex.data.choice_sets import from_choice_sets
from semiindex.data.encoding import OptionEncoder
from semiindex.data.items import from_items
from semiindex.data.long import from_long
from semiindex.data.matrices import concatenate, from_chosen_rejected
from semiindex.data.rankings import from_rankings
from semiindex.data.rendering import as_html, as_text
from semiindex.data.wide import from_wide
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PreferencePairs"]

_FIELDS = (
    "features0",
    "features1",
    "labels",
    "weights",
    "groups",
    "link_groups",
    "units",
    "feature_names",
    "assumptions",
    "encoder",
)
_ROW_FIELDS = _FIELDS[:7]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class PreferencePairs:
    """Comparisons of two options: features of both, which was preferred, how often, by whom.

    A row says that somebody compared option 0 with option 1 and preferred the one that `labels`
    names. The object is a frozen value. It behaves as an array of rows (`len`, `shape`, indexing by
    integers, masks and slices), so that scikit-learn's splitters and cross-validation accept it as
    `X`; `numpy.asarray` of it gives the feature differences.

    Parameters
    ----------
    features0, features1 : array-like, DataFrame or sparse matrix of shape (n, d)
        Features of option 0 and of option 1, columns in the same order. Booleans, integers and
        numeric objects become float64; float32 is kept if both are float32. Arrays are not copied
        where no conversion is needed: do not write to them afterwards.
    labels : array-like of shape (n,)
        1 where option 1 was preferred, 0 where option 0 was. Labels of one kind only are valid
        (the chosen/rejected format).
    weights : array-like of shape (n,), default=None
        How often each row was observed (frequency weights, finite and not negative). None: once.
    groups : array-like of shape (n,), default=None
        Who answered. Used for clustered standard errors and for splitting.
    link_groups : array-like of shape (n,), default=None
        Class of rater with a link of its own; separate from `groups`.
    units : array-like of shape (n,), default=None
        Comparison that each row comes from. Rows of one comparison (both halves of a tie, a soft
        label, a choice set) share an id. None: every row is a comparison.
    feature_names : sequence of str, default=None
        Names of the d features. None: the columns of a DataFrame, else x0, x1, ...
    assumptions : sequence of str, default=()
        What the encoding as pairs assumes, in sentences. Fits print them.
    encoder : OptionEncoder, default=None
        How the columns of a table became the features. The builders set it, so that new tables can
        be encoded alike; None for features that were numbers from the start.

    Attributes
    ----------
    features0, features1 : ndarray or scipy.sparse.csr_array of shape (n, d)
        Features of both options, float64 or float32, read-only.
    labels : ndarray of int8, shape (n,)
        1 where option 1 was preferred.
    weights : ndarray of float64, shape (n,), or None
        Frequency weights.
    groups, link_groups : ndarray of shape (n,), or None
        Raters, and classes of raters.
    units : ndarray of int, shape (n,)
        Comparison that each row comes from.
    feature_names : tuple of str
        Names of the features.
    assumptions : tuple of str
        What the encoding assumes.
    encoder : OptionEncoder or None
        How the columns of a table became the features.

    Raises
    ------
    InvalidDataError
        If an argument is empty, of the wrong shape or length, not numeric, not finite or
        contradicts another; the message names it and says what to do.

    Examples
    --------
    >>> from semiindex.data import PreferencePairs
    >>> pairs = PreferencePairs([[1.0, 0.0], [2.0, 1.0]], [[2.0, 0.0], [1.0, 1.0]], [1, 0])
    >>> pairs.differences
    array([[ 1.,  0.],
           [-1.,  0.]])
    >>> pairs[pairs.labels == 1].shape
    (1, 2)
    """

    features0: Matrix
    features1: Matrix
    labels: IntArray
    weights: FloatArray | None
    groups: AnyArray | None
    link_groups: AnyArray | None
    units: IntArray
    feature_names: tuple[str, ...]
    assumptions: tuple[str, ...]
    encoder: OptionEncoder | None

    def __init__(
        self,
        features0: Any,
        features1: Any,
        labels: ArrayLike,
        *,
        weights: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        link_groups: ArrayLike | None = None,
        units: ArrayLike | None = None,
        feature_names: Iterable[object] | None = None,
        assumptions: Iterable[str] = (),
        encoder: OptionEncoder | None = None,
    ) -> None:
        names = _names_given(features0, features1, feature_names)
        first = checks.check_matrix(features0, "features0", names)
        second = checks.check_matrix(features1, "features1", names)
        _require_same_layout(first, second)
        if first.dtype != second.dtype:
            first, second = (checks.frozen(m.astype(np.float64, copy=False)) for m in (first, second))
        n_rows, n_features = first.shape
        names = checks.check_feature_names(names, n_features)
        checks.check_difference_range(first, second, names)
        self._set(
            features0=first,
            features1=second,
            labels=checks.check_labels(labels, n_rows),
            weights=checks.check_weights(weights, n_rows),
            groups=checks.check_ids(groups, n_rows, "groups"),
            link_groups=checks.check_ids(link_groups, n_rows, "link_groups"),
            units=checks.check_units(units, n_rows),
            feature_names=names,
            assumptions=checks.check_assumptions(assumptions),
            encoder=encoder,
        )

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    # Shape and derived quantities ---------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        return self.features0.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Always 2: rows and features."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Float type of the features."""
        return self.features0.dtype  # type: ignore[no-any-return]

    @property
    def n_pairs(self) -> int:
        """Number of rows, n."""
        return self.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features, d."""
        return self.shape[1]

    @cached_property
    def n_units(self) -> int:
        """Number of distinct comparisons (or choice sets) behind the rows."""
        return len(np.unique(self.units))

    @cached_property
    def differences(self) -> Matrix:
        """Features of option 1 minus features of option 0, shape (n, d); sparse stays sparse."""
        return checks.frozen(self.features1 - self.features0)

    @cached_property
    def n_self_comparisons(self) -> int:
        """Rows whose two options have the same features: they fix Psi(0), and say nothing else."""
        nonzero = self.differences != 0
        return int(self.n_pairs - np.count_nonzero(np.asarray(nonzero.sum(axis=1)).ravel()))

    def __len__(self) -> int:
        return self.n_pairs

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        if is_sparse(self.features0):
            raise TypeError(
                "The features are sparse and are not made dense silently: use pairs.differences, "
                "or pairs.differences.toarray()."
            )
        return np.array(self.differences, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    # Builders, each in a module of its own ---------------------------------------------------------

    from_wide = classmethod(from_wide)
    from_long = classmethod(from_long)
    from_chosen_rejected = classmethod(from_chosen_rejected)
    from_choice_sets = classmethod(from_choice_sets)
    from_rankings = classmethod(from_rankings)
    from_items = classmethod(from_items)
    concatenate = classmethod(concatenate)

    # Rows ---------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> PreferencePairs:
        rows = _row_selector(key, self.n_pairs)
        selected = {name: _take(getattr(self, name), rows) for name in _ROW_FIELDS}
        kept = {name: getattr(self, name) for name in _FIELDS[len(_ROW_FIELDS) :]}
        return self._from_checked(**selected, **kept)

    @classmethod
    def _from_checked(cls, **fields: Any) -> PreferencePairs:
        """Build from values that were checked before: a part of valid data needs no second look."""
        pairs = cls.__new__(cls)
        pairs._set(**fields)
        return pairs

    def swapped(self, mask: ArrayLike | None = None) -> PreferencePairs:
        """Exchange the options of some rows and flip their labels: the same information.

        Parameters
        ----------
        mask : array-like of bool, shape (n,), default=None
            Rows to exchange. None: all.

        Returns
        -------
        PreferencePairs
            Pairs in which option 0 and option 1 of the rows of `mask` changed places.

        Examples
        --------
        >>> from semiindex.data import PreferencePairs
        >>> PreferencePairs([[1.0]], [[3.0]], [1]).swapped().labels
        array([0], dtype=int8)
        """
        n_rows = self.n_pairs
        chosen = np.ones(n_rows, dtype=bool) if mask is None else np.asarray(mask)
        if chosen.dtype != np.bool_ or chosen.shape != (n_rows,):
            raise InvalidParameterError(
                f"mask must be a boolean array of shape ({n_rows},), but has dtype {chosen.dtype} "
                f"and shape {chosen.shape}."
            )
        stacked = sp.vstack if is_sparse(self.features0) else np.vstack
        both = stacked([self.features0, self.features1])
        rows = np.arange(n_rows)
        fields = {name: getattr(self, name) for name in _FIELDS}
        fields["features0"] = checks.frozen(both[np.where(chosen, rows + n_rows, rows)])
        fields["features1"] = checks.frozen(both[np.where(chosen, rows, rows + n_rows)])
        fields["labels"] = checks.frozen(np.where(chosen, 1 - self.labels, self.labels).astype(np.int8))
        return self._from_checked(**fields)

    def with_labels(self, labels: ArrayLike) -> PreferencePairs:
        """Return the same comparisons with other labels (0 or 1, shape (n,))."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        fields["labels"] = checks.check_labels(labels, self.n_pairs)
        return self._from_checked(**fields)

    def replace(self, **changes: Any) -> PreferencePairs:
        """Return a copy with some constructor arguments changed, checked as by the constructor."""
        unknown = sorted(set(changes) - set(_FIELDS))
        if unknown:
            raise InvalidParameterError(f"replace() has no fields {unknown}: choose among {list(_FIELDS)}.")
        return type(self)(**{name: getattr(self, name) for name in _FIELDS} | changes)

    def to_frame(self) -> pd.DataFrame:
        """Table with a row per row: `<name>_0`, `<name>_1` per feature, then label, weight and ids.

        Returns
        -------
        pandas.DataFrame
            Columns `<name>_0` and `<name>_1` for each feature, `label`, `weight`, `group` and
            `link_group` where present, and `unit`. Features of sparse pairs are sparse columns.
        """
        import pandas as pd

        sparse = is_sparse(self.features0)
        make: Any = pd.DataFrame.sparse.from_spmatrix if sparse else pd.DataFrame  # type: ignore[attr-defined]
        parts: list[pd.DataFrame] = [
            make(matrix, columns=[f"{name}_{side}" for name in self.feature_names])
            for side, matrix in enumerate((self.features0, self.features1))
        ]
        frame = pd.concat(parts, axis=1)
        frame = frame[[f"{name}_{side}" for name in self.feature_names for side in (0, 1)]]
        extras = {"label": self.labels, "weight": self.weights, "group": self.groups}
        extras |= {"link_group": self.link_groups, "unit": self.units}
        return frame.assign(**{name: values for name, values in extras.items() if values is not None})

    # Pickling: derived quantities are left out, and arrays come back read-only ---------------------

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in _ROW_FIELDS:
            if state[name] is not None:
                state[name] = checks.frozen(state[name])
        self._set(**state)


def _names_given(features0: Any, features1: Any, names: Iterable[object] | None) -> Any:
    both = (features0, features1)
    columns = [tuple(str(c) for c in x.columns) if checks.is_data_frame(x) else None for x in both]
    if columns[0] is not None and columns[1] is not None and columns[0] != columns[1]:
        odd = sorted(set(columns[0]) ^ set(columns[1]))
        fault = f"these stand on one side only: {', '.join(odd)}" if odd else "their order differs"
        raise InvalidDataError(
            f"features0 and features1 must have the same columns in the same order: {fault}."
        )
    if names is not None:
        return names if isinstance(names, str) else tuple(str(name) for name in names)
    return columns[0] or columns[1]


def _require_same_layout(first: Matrix, second: Matrix) -> None:
    if is_sparse(first) != is_sparse(second):
        kinds = ["sparse" if is_sparse(matrix) else "dense" for matrix in (first, second)]
        raise InvalidDataError(
            f"features0 is {kinds[0]} and features1 is {kinds[1]}: convert one of them, "
            "for example with scipy.sparse.csr_array."
        )
    if first.shape != second.shape:
        raise InvalidDataError(
            f"features0 has shape {first.shape} and features1 has shape {second.shape}: "
            "both need the same rows and the same features."
        )


def _row_selector(key: Any, n_rows: int) -> slice | IntArray:
    """Rows that `key` selects, given as in numpy; `(key, ...)` and `(key, :)` select rows too."""
    if isinstance(key, tuple):
        if len(key) != 2 or not (key[1] is Ellipsis or key[1] == slice(None)):
            raise IndexError("PreferencePairs are indexed by rows only: pairs[rows], or pairs[rows, ...].")
        key = key[0]
    if isinstance(key, slice):
        rows: slice | IntArray = key
        count = len(range(*key.indices(n_rows)))
    else:
        wanted = np.asarray(key)
        rows = np.atleast_1d(np.arange(n_rows)[wanted if wanted.size else wanted.astype(np.intp)])
        if rows.ndim != 1:
            raise IndexError(f"rows must be given as a one-dimensional array, not with shape {wanted.shape}.")
        count = len(rows)
    if count == 0:
        raise InvalidDataError("The selection of rows is empty: at least one comparison is needed.")
    return rows


def _take(values: Matrix | None, rows: slice | IntArray) -> Matrix | None:
    return None if values is None else checks.frozen(values[rows])
