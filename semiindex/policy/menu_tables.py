"""Builders of menus: from an array by context and option, and from a table with a row per option."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import AnyArray
from semiindex.data.blocks import Blocks
from semiindex.data.encoding import OptionEncoder
from semiindex.data.tables import require_columns, require_complete, require_flags, require_frame
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.policy.menu import Menu

__all__ = ["from_array", "from_frame"]


def from_array(
    cls: type[Menu],
    X: ArrayLike,
    *,
    available: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    reference_log_probability: ArrayLike | None = None,
    reference_logits: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    feature_names: Iterable[object] | None = None,
    context_labels: ArrayLike | None = None,
    option_labels: ArrayLike | None = None,
) -> Menu:
    """Make menus of the same options, or of the same number of options, in every context.

    Parameters
    ----------
    X : array-like of shape (n_contexts, n_options, d)
        Features.
    available : array-like of bool, shape (n_contexts, n_options), default=None
        Options that the context offers. None: all.
    reference, reference_log_probability, reference_logits : array-like, default=None
        As for `Menu`, of shape (n_contexts, n_options) or (n_options,).
    weights, feature_names, context_labels
        As for `Menu`.
    option_labels : array-like of shape (n_options,), default=None
        Names of the options, the same in every context. None: numbers.

    Returns
    -------
    Menu

    Raises
    ------
    InvalidDataError
        As for `Menu`, and for arrays of other shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Menu
    >>> Menu.from_array(np.zeros((4, 3, 2)), available=[[1, 1, 0]] * 4).reference[:3]
    array([0.5, 0.5, 0. ])
    """
    array = np.asarray(X)
    if array.ndim != 3 or 0 in array.shape:
        raise InvalidDataError(f"X must have shape (n_contexts, n_options, d), got {array.shape}")
    shape = array.shape[:2]
    spread = {
        "available": available,
        "reference": reference,
        "reference_log_probability": reference_log_probability,
        "reference_logits": reference_logits,
    }
    labels = None if option_labels is None else np.tile(_of_length(option_labels, shape[1]), shape[0])
    return cls(
        array.reshape(-1, array.shape[2]),
        np.arange(shape[0] + 1) * shape[1],
        weights=weights,
        feature_names=feature_names,
        context_labels=context_labels,
        option_labels=labels,
        **{name: _flat(values, shape, name) for name, values in spread.items()},
    )


def from_frame(
    cls: type[Menu],
    df: pd.DataFrame,
    *,
    context: Any,
    features: Sequence[Any] | None = None,
    encoder: OptionEncoder | None = None,
    reference: Any = None,
    reference_log_probability: Any = None,
    reference_logits: Any = None,
    available: Any = None,
    weight: Any = None,
    option: Any = None,
) -> Menu:
    """Make menus from a table with a row per option.

    Parameters
    ----------
    df : DataFrame
        Rows of one context need not be next to each other; contexts keep the order in which they
        first occur, and options the order of the rows.
    context : column
        Which rows belong together.
    features : list of columns, default=None
        Numeric features. None: all columns without another role.
    encoder : OptionEncoder, default=None
        Instead of `features`: how the comparisons of the fit were encoded (``pairs.encoder``), for
        tables with categories and for formulas.
    reference, reference_log_probability, reference_logits : column, default=None
        The reference, as for `Menu`.
    available : column, default=None
        0/1 or booleans: whether the context offers the option.
    weight : column, default=None
        Weight of the context, equal in all its rows.
    option : column, default=None
        Names of the options.

    Returns
    -------
    Menu

    Raises
    ------
    InvalidDataError
        As for `Menu`, and for columns that are missing, incomplete or of the wrong kind.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex import Menu
    >>> df = pd.DataFrame({"day": [1, 2, 1], "price": [3.0, 4.0, 5.0]})
    >>> Menu.from_frame(df, context="day").features.ravel()
    array([3., 5., 4.])
    """
    frame = require_frame(df)
    stated = {
        "reference": reference,
        "reference_log_probability": reference_log_probability,
        "reference_logits": reference_logits,
    }
    roles = {"context": context, "available": available, "weight": weight, "option": option} | stated
    require_columns(frame, roles)
    blocks = Blocks.of_column(frame, context)
    table = frame.iloc[blocks.order]
    used = [column for column in roles.values() if column is not None]
    matrix, names = _encode(table, features, encoder, used)
    columns = {name: table[c].to_numpy() for name, c in stated.items() if c is not None}
    if available is not None:
        columns["available"] = require_flags(table, available, "available")
    if weight is not None:
        blocks.require_constant(frame, [weight], "contexts")
        columns["weights"] = frame[weight].to_numpy()[blocks.firsts]
    if option is not None:
        columns["option_labels"] = table[option].to_numpy()
    offsets = np.concatenate([[0], np.cumsum(blocks.sizes)])
    return cls(matrix, offsets, context_labels=blocks.ids, feature_names=names, **columns)


def _encode(
    table: pd.DataFrame, features: Sequence[Any] | None, encoder: OptionEncoder | None, roles: list[Any]
) -> tuple[Any, Sequence[Any]]:
    """Features of the rows of a table, and their names."""
    if encoder is not None:
        if features is not None:
            raise InvalidParameterError("features and encoder were both given: the encoder names its columns")
        own, shared = ([code.name for code in codes] for codes in (encoder.columns, encoder.context))
        require_columns(table, {f"encoder column {name}": name for name in (*own, *shared)})
        require_complete(table, [*own, *shared])
        options = table[own]
        return encoder.transform(options, options, table[shared]).features0, encoder.names
    columns = [c for c in table.columns if c not in roles] if features is None else list(features)
    require_columns(table, {f"features[{k}]": column for k, column in enumerate(columns)})
    if not columns:
        return None, ()
    require_complete(table, columns)
    return table[columns], columns


def _of_length(values: ArrayLike, length: int) -> AnyArray:
    array = np.asarray(values)
    if array.shape != (length,):
        raise InvalidDataError(f"option_labels must have shape ({length},), got {array.shape}")
    return array


def _flat(values: ArrayLike | None, shape: tuple[int, ...], name: str) -> AnyArray | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape not in (shape, shape[1:]):
        raise InvalidDataError(f"{name} must have shape {shape} or {shape[1:]}, got {array.shape}")
    return np.broadcast_to(array, shape).ravel()
