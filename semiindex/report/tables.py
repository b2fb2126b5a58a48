"""Reading a user's table from CSV or Parquet; every fault is one sentence that names the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table", "require_columns"]

#: Separator of the text formats; None for Parquet.
_FORMATS: dict[str, str | None] = {".csv": ",", ".tsv": "\t", ".parquet": None, ".pq": None}
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip")


def read_table(
    path: Path, *, separator: str | None = None, text_columns: Collection[str] = ()
) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : Path
        A file that ends in .csv, .tsv (also compressed, as .csv.gz), .parquet or .pq.
    separator : str, default=None
        Between the columns of a text file; None for a comma (.csv) or a tab (.tsv).
    text_columns : collection of str, default=()
        Columns whose values are text even where they look like numbers.

    Returns
    -------
    DataFrame
        With at least one row; a column without a name (row numbers, usually) is left out.

    Raises
    ------
    InvalidDataError
        If the file cannot be read, is empty, or has two columns of one name.
    """
    if not path.exists():
        raise InvalidDataError(f"{path}: there is no such file.")
    if path.is_dir():
        raise InvalidDataError(f"{path} is a folder; name a CSV or Parquet file.")
    default = _separator(path)
    if default is None:
        frame = _reading(path, lambda: _read_parquet(path))
    else:
        frame = _reading(path, lambda: _read_text(path, separator or default, text_columns))
    if len(frame) == 0:
        raise InvalidDataError(f"{path} has columns but no rows; at least one comparison is needed.")
    return frame


def _separator(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise InvalidDataError(f"{path}: the format is told by the ending of the name, one of {known}.")
    return _FORMATS[suffixes[-1]]


def _reading(path: Path, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Do the reading, and turn what pandas may raise into one sentence."""
    from pandas.errors import EmptyDataError, ParserError

    try:
        return read()
    except EmptyDataError as error:
        raise InvalidDataError(f"{path} is empty.") from error
    except InvalidDataError:
        raise
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path} is not text in UTF-8 ({error.reason}); convert it first.") from error
    except (ParserError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidDataError(f"{path} could not be read: {reason}.") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise InvalidDataError(
            f"{path}: reading Parquet needs pyarrow; install it with pip install 'semiindex[parquet]', "
            "or convert the table to CSV."
        ) from error


def _read_text(path: Path, separator: str, text_columns: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    header = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str).iloc[0]
    repeated = sorted(set(header[header.duplicated() & header.notna()]))
    if repeated:
        raise InvalidDataError(f"{path} has more than one column {repeated[0]!r}; rename or drop them.")
    if len(header) == 1:
        other = next((mark for mark in (";", "\t", ",", "|") if mark in str(header.iloc[0])), None)
        if other is not None:
            name = "a tab" if other == "\t" else repr(other)
            raise InvalidDataError(f"{path} looks separated by {name}; say so with --separator.")
    types: dict[str, Any] = dict.fromkeys(text_columns, str)
    frame = pd.read_csv(path, sep=separator, dtype=types, low_memory=False)
    return frame.loc[:, header.notna().to_numpy()] if len(header) == frame.shape[1] else frame


def require_columns(frame: pd.DataFrame, wanted: Mapping[str, str | None], table: str) -> None:
    """Every column that an option names must be in the table.

    Parameters
    ----------
    frame : DataFrame
        The table.
    wanted : mapping
        Option, as the user wrote it, to column; None for options that were not given.
    table : str
        What to call the table in messages.

    Raises
    ------
    InvalidDataError
        Naming the option, the column, and columns with similar names.
    """
    columns = [str(column) for column in frame.columns]
    for option, column in wanted.items():
        if column is not None and column not in columns:
            raise InvalidDataError(
                f"{option} {column}: {table} has no such column; {similar(column, columns)}."
            )


def similar(column: str, columns: Collection[str]) -> str:
    """The columns that a misspelt name may mean, or the first few of all."""
    lower = {name.lower(): name for name in columns}
    near = [lower[name] for name in get_close_matches(column.lower(), list(lower), n=3, cutoff=0.5)]
    if near:
        return f"similar ones: {', '.join(near)}"
    listed = list(columns)
    more = f", ... ({len(listed) - 12} more)" if len(listed) > 12 else ""
    return f"it has {', '.join(listed[:12])}{more}"
