"""Reading columns of a user's table: what must be there, complete and of the right kind."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import AnyArray, IntArray
from semiindex.data.checks import is_data_frame
from semiindex.exceptions import DataWarning, InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "require_columns",
    "require_complete",
    "require_flags",
    "require_frame",
    "require_option",
    "shown",
    "warn_about_data",
]

_SHOWN = 5


def require_frame(df: Any, name: str = "df") -> pd.DataFrame:
    """`df` itself if it is a DataFrame with rows and distinct column names, else an error."""
    if not is_data_frame(df):
        raise InvalidDataError(
            f"{name} must be a pandas DataFrame, not {type(df).__name__}: wrap it in pandas.DataFrame(...)."
        )
    repeated = [str(column) for column, count in Counter(df.columns).items() if count > 1]
    if repeated:
        raise InvalidDataError(f"{name} has duplicate column names: {shown(repeated)}. Rename or drop them.")
    if len(df) == 0:
        raise InvalidDataError(f"{name} is empty (no rows): at least one comparison is needed.")
    frame: pd.DataFrame = df
    return frame


def require_columns(frame: pd.DataFrame, wanted: Mapping[str, Any], name: str = "df") -> None:
    """Every column in `wanted` (argument: column, None for not given) must be in the table."""
    for argument, column in wanted.items():
        if column is None or column in frame.columns:
            continue
        close = get_close_matches(str(column), [str(c) for c in frame.columns], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the columns are {shown(frame.columns)}."
        raise InvalidDataError(f"{argument}={column!r} is not a column of {name}: {hint}")


def require_complete(frame: pd.DataFrame, columns: Iterable[Any], name: str = "df") -> None:
    """No missing value in any of the columns: rows are never dropped silently."""
    for column in columns:
        missing = frame[column].isna().to_numpy()
        if missing.any():
            raise InvalidDataError(
                f"column {column!r} of {name} is missing in {missing.sum()} row(s), first in row "
                f"{int(np.argmax(missing))}: fill them in or drop those rows before building pairs."
            )


def require_flags(frame: pd.DataFrame, column: Any, argument: str) -> AnyArray:
    """A column of 0/1 or booleans, as a boolean array."""
    require_complete(frame, [column])
    values = frame[column]
    if not values.isin([0, 1]).all():
        raise InvalidDataError(
            f"{argument}={column!r} must hold 0/1 or booleans, but holds {shown(values.unique())}: "
            f"recode it, for example with df[{column!r}] == value."
        )
    return np.asarray(values.astype(bool))


def require_option(value: str, allowed: Sequence[str], argument: str) -> None:
    """`value` must be one of the words allowed for the argument."""
    if value not in allowed:
        choices = ", ".join(repr(word) for word in allowed)
        raise InvalidParameterError(f"{argument} must be one of {choices}, not {value!r}.")


def shown(values: Collection[Any] | IntArray) -> str:
    """The first few values, and how many more there are."""
    listed = list(values)
    more = f", ... ({len(listed) - _SHOWN} more)" if len(listed) > _SHOWN else ""
    return ", ".join(str(value) for value in listed[:_SHOWN]) + more


def warn_about_data(message: str) -> None:
    """Issue a `DataWarning` that points at the line of the user who called the builder."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("semiindex.data"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, DataWarning, stacklevel=level)
