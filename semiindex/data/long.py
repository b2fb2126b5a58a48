"""Builder for tables with two rows per comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from semiindex._types import IntArray
from semiindex.data.assembly import (
    IdColumns,
    OptionTables,
    assemble,
    choose_features,
    drop_common_columns,
)
from semiindex.data.blocks import Blocks
from semiindex.data.outcomes import Ties, votes_from_labels
from semiindex.data.tables import require_columns, require_complete, require_flags, require_frame

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["from_long", "options_of_rows"]


def from_long(
    cls: type[PreferencePairs],
    df: pd.DataFrame,
    *,
    comparison: str,
    chosen: str,
    ties: Ties = "error",
    features: Iterable[str] | None = None,
    formula: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    link_group: str | None = None,
) -> PreferencePairs:
    """Build pairs from a table with two rows per comparison, an id and a flag of the chosen one.

    Rows need not be sorted. Of the two rows of a comparison the one that stands first in the table
    is option 0: if that is not the order in which the options were shown, the order means nothing
    and the link should be antisymmetric (the estimators' default).

    Parameters
    ----------
    df : DataFrame of shape (2m, k)
        A row per option; the index is ignored.
    comparison : str
        Column with the id of the comparison. Each id must occur exactly twice.
    chosen : str
        Column with 1 or True for the preferred option and 0 or False for the other.
    ties : {"error", "half", "drop"}, default="error"
        What a comparison is with both or neither of its options chosen: an error (it is often a
        slip), two rows of half weight with one unit, or nothing (with a warning that says how many).
    features : iterable of str, default=None
        Columns to use. None: all columns without another role; those that never differ between the
        options compared (columns of the person, say) are left out with a warning. Texts and
        categories are coded by an indicator per level except the first.
    formula : str, default=None
        Right-hand side of a formula (formulaic), such as `"price + brand + price:income"`. An
        intercept, and terms that both options share, cancel in the difference and are left out.
    weight, group, link_group : str, default=None
        Columns with frequency weights, raters, and classes of raters with an own link; equal in
        both rows of a comparison.

    Returns
    -------
    PreferencePairs
        Pairs in the order in which the comparisons first occur; units number them.

    Raises
    ------
    InvalidDataError
        If a comparison is incomplete, or a column is missing, incomplete or of the wrong kind.

    Warns
    -----
    DataWarning
        If ties are dropped, or columns or terms cancel.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex.data import PreferencePairs
    >>> df = pd.DataFrame({"id": [1, 1, 2, 2], "price": [3, 2, 2, 5], "taken": [0, 1, 1, 0]})
    >>> pairs = PreferencePairs.from_long(df, comparison="id", chosen="taken")
    >>> pairs.labels, pairs.differences.ravel()
    (array([1, 0], dtype=int8), array([-1.,  3.]))
    """
    frame = require_frame(df)
    ids = IdColumns(weight, group, link_group)
    require_columns(frame, {"comparison": comparison, "chosen": chosen} | ids.given)
    flags = require_flags(frame, chosen, "chosen")
    blocks = Blocks.of_column(frame, comparison)
    blocks.require(
        blocks.sizes == 2,
        "comparisons do not have exactly two rows",
        "Complete or remove them; for more than two options use from_choice_sets.",
    )
    blocks.require_constant(frame, ids.given.values(), "comparisons")
    row0, row1 = blocks.order[0::2], blocks.order[1::2]
    tied = flags[row0] == flags[row1]
    if ties == "error":
        blocks.require(
            ~tied,
            "comparisons have both or neither option chosen",
            "Correct them, or treat them as ties with ties='half' or ties='drop'.",
        )
    votes = votes_from_labels(flags[row1], tied, ties)
    roles = [comparison, chosen, *ids.given.values()]
    tables = options_of_rows(frame, row0, row1, roles, features, formula)
    return assemble(cls, tables, votes, ids.read(frame.iloc[row0]), formula=formula)


def options_of_rows(
    frame: pd.DataFrame,
    row0: IntArray,
    row1: IntArray,
    roles: list[Any],
    features: Iterable[str] | None,
    formula: str | None,
) -> OptionTables:
    """Feature columns of the rows that are option 0 and option 1; `roles` are no features."""
    candidates = [column for column in frame.columns if column not in roles]
    columns, _ = choose_features(candidates, features, formula)
    require_complete(frame, columns)
    tables = OptionTables(frame[columns].iloc[row0], frame[columns].iloc[row1])
    return drop_common_columns(tables) if features is None and formula is None else tables
