"""Builders from matrices: chosen against rejected, and several sets of pairs put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import is_sparse
from semiindex.data.assembly import choose_features
from semiindex.data.checks import is_data_frame
from semiindex.data.encoding import Encoded, OptionEncoder, encode_options
from semiindex.data.tables import require_complete, require_frame, shown
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from semiindex.data.pairs import PreferencePairs

__all__ = ["concatenate", "from_chosen_rejected"]


def from_chosen_rejected(
    cls: type[PreferencePairs],
    chosen: Any,
    rejected: Any,
    *,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    link_groups: ArrayLike | None = None,
    units: ArrayLike | None = None,
    features: Iterable[str] | None = None,
    formula: str | None = None,
    feature_names: Iterable[object] | None = None,
) -> PreferencePairs:
    """Build pairs from the features of the chosen and of the rejected options, row by row.

    The chosen option is option 1 throughout, so that all labels are 1: such data say nothing about
    an effect of position and need an antisymmetric link (the estimators' default).

    Parameters
    ----------
    chosen, rejected : array-like, DataFrame or sparse matrix of shape (n, d)
        Features of the options. DataFrames may hold texts and categories, which are coded by an
        indicator per level except the first.
    weights, groups, link_groups, units : array-like of shape (n,), default=None
        As for `PreferencePairs`.
    features : iterable of str, default=None
        Columns to use, of DataFrames only. None: all.
    formula : str, default=None
        Right-hand side of a formula (formulaic), for DataFrames only.
    feature_names : sequence of str, default=None
        Names of the columns, for arrays only. None: x0, x1, ...

    Returns
    -------
    PreferencePairs
        Pairs in the order given, all labels 1.

    Raises
    ------
    InvalidDataError
        If the two do not match, or a column is missing, incomplete or of the wrong kind.
    InvalidParameterError
        If an argument does not go with the kind of data.

    Warns
    -----
    DataWarning
        If terms of a formula cancel.

    Examples
    --------
    >>> from semiindex.data import PreferencePairs
    >>> PreferencePairs.from_chosen_rejected([[2.0, 1.0]], [[3.0, 1.0]]).differences
    array([[-1.,  0.]])
    """
    if is_data_frame(chosen) != is_data_frame(rejected):
        raise InvalidDataError(
            "chosen and rejected must both be DataFrames, or neither: convert one of them."
        )
    encoder: OptionEncoder | None = None
    if is_data_frame(chosen):
        if feature_names is not None:
            raise InvalidParameterError(
                "feature_names= is for arrays: DataFrames name their columns themselves."
            )
        rejected, chosen, feature_names, encoder = _encode_frames(rejected, chosen, features, formula)
    elif features is not None or formula is not None:
        raise InvalidParameterError("features= and formula= need DataFrames: wrap the arrays in DataFrames.")
    lengths = [x.shape[0] if hasattr(x, "shape") else len(x) for x in (chosen, rejected)]
    if lengths[0] != lengths[1]:
        raise InvalidDataError(
            f"chosen has {lengths[0]} rows and rejected has {lengths[1]}: give one of each per comparison."
        )
    return cls(
        rejected,
        chosen,
        np.ones(lengths[0], dtype=np.int8),
        weights=weights,
        groups=groups,
        link_groups=link_groups,
        units=units,
        feature_names=feature_names,
        encoder=encoder,
    )


def _encode_frames(
    rejected: Any, chosen: Any, features: Iterable[str] | None, formula: str | None
) -> Encoded:
    first, second = require_frame(rejected, "rejected"), require_frame(chosen, "chosen")
    odd = [c for c in [*first.columns, *second.columns] if (c in first.columns) != (c in second.columns)]
    if odd:
        raise InvalidDataError(f"These columns stand in only one of chosen and rejected: {shown(odd)}.")
    if len(first) != len(second):
        raise InvalidDataError(
            f"chosen has {len(second)} rows and rejected has {len(first)}: they must match."
        )
    columns, _ = choose_features(list(second.columns), features, formula)
    require_complete(first, columns, "rejected")
    require_complete(second, columns, "chosen")
    return encode_options(first[columns], second[columns], None, formula)


def concatenate(cls: type[PreferencePairs], parts: Iterable[PreferencePairs]) -> PreferencePairs:
    """Put several sets of pairs with the same features below each other.

    Units of different parts stay different: they are numbered anew. Groups and link groups keep
    their values, so that a rater who occurs in two parts stays one rater. Missing weights count as
    one; groups must be given in all parts or in none. Assumptions are merged.

    Parameters
    ----------
    parts : iterable of PreferencePairs
        At least one, with the same feature names in the same order, all dense or all sparse.

    Returns
    -------
    PreferencePairs
        All rows, in the order of the parts.

    Raises
    ------
    InvalidDataError
        If there are no parts, or their features, formats or groups do not match.

    Examples
    --------
    >>> from semiindex.data import PreferencePairs
    >>> one = PreferencePairs([[1.0]], [[2.0]], [1])
    >>> PreferencePairs.concatenate([one, one]).units
    array([0, 1])
    """
    import scipy.sparse as sp

    pieces = list(parts)
    if not pieces:
        raise InvalidDataError("parts is empty: at least one PreferencePairs is needed.")
    _require_alike(pieces)
    stack = sp.vstack if is_sparse(pieces[0].features0) else np.vstack
    codes = [np.unique(piece.units, return_inverse=True)[1] for piece in pieces]
    offsets = np.cumsum([0] + [piece.n_units for piece in pieces[:-1]])
    weights = None
    if any(piece.weights is not None for piece in pieces):
        weights = np.concatenate([np.ones(len(p)) if p.weights is None else p.weights for p in pieces])
    merged = {
        name: None if getattr(pieces[0], name) is None else np.concatenate([getattr(p, name) for p in pieces])
        for name in ("groups", "link_groups")
    }
    return cls(
        stack([piece.features0 for piece in pieces]),
        stack([piece.features1 for piece in pieces]),
        np.concatenate([piece.labels for piece in pieces]),
        weights=weights,
        units=np.concatenate([code + offset for code, offset in zip(codes, offsets, strict=True)]),
        feature_names=pieces[0].feature_names,
        assumptions=[sentence for piece in pieces for sentence in piece.assumptions],
        encoder=pieces[0].encoder if all(p.encoder is pieces[0].encoder for p in pieces) else None,
        **merged,
    )


def _require_alike(pieces: list[PreferencePairs]) -> None:
    first = pieces[0]
    for k, piece in enumerate(pieces[1:], start=1):
        if piece.feature_names != first.feature_names:
            raise InvalidDataError(
                f"parts[{k}] has the features {shown(piece.feature_names)}, parts[0] has "
                f"{shown(first.feature_names)}: build them with the same features in the same order."
            )
        if is_sparse(piece.features0) != is_sparse(first.features0):
            raise InvalidDataError(f"parts[{k}] and parts[0] are not both sparse or both dense: convert one.")
        for name in ("groups", "link_groups"):
            if (getattr(piece, name) is None) != (getattr(first, name) is None):
                raise InvalidDataError(f"{name} are given in some parts only: give them in all, or in none.")
