"""Builder for an item table with features plus a table of comparisons of items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import IntArray
from semiindex.data.assembly import IdColumns, OptionTables, assemble, choose_features
from semiindex.data.outcomes import Ties, Votes, equal_to, read_shares, require_one_answer, votes_from_labels
from semiindex.data.tables import require_columns, require_complete, require_frame, shown
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["from_items"]


def from_items(
    cls: type[PreferencePairs],
    items: pd.DataFrame,
    comparisons: pd.DataFrame,
    *,
    left: str,
    right: str,
    winner: str | None = None,
    probability: str | None = None,
    wins: str | None = None,
    trials: str | None = None,
    item_id: str | None = None,
    tie_value: Any = "tie",
    ties: Ties = "half",
    features: Iterable[str] | None = None,
    formula: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    link_group: str | None = None,
    unit: str | None = None,
) -> PreferencePairs:
    """Build pairs from items with features and a table of (left, right, winner).

    The left item is option 0 and the right item is option 1. Exactly one kind of answer is named:
    `winner`, `probability`, or `wins` with `trials`.

    Parameters
    ----------
    items : DataFrame of shape (k, p)
        A row per item: features, and its id in the index or in the column `item_id`.
    comparisons : DataFrame of shape (m, q)
        A row per comparison.
    left, right : str
        Columns of `comparisons` with the ids of the items compared.
    winner : str, default=None
        Column of `comparisons` with the id of the preferred item, or with `"left"` and `"right"`
        (needed where an item is compared with itself).
    probability : str, default=None
        Column of soft labels: the probability that the right item is preferred.
    wins, trials : str, default=None
        Columns of counts: the right item won `wins` of `trials` comparisons of these two items.
    item_id : str, default=None
        Column of `items` with the ids. None: the index.
    tie_value : object, default="tie"
        Value of `winner` that marks a tie; `float("nan")` if a missing value does.
    ties : {"half", "drop", "error"}, default="half"
        What becomes of ties: two rows of half weight with one unit, nothing (with a warning that
        says how many), or an error.
    features : iterable of str, default=None
        Columns of `items` to use. None: all but `item_id`. Texts and categories are coded by an
        indicator per level except the first.
    formula : str, default=None
        Right-hand side of a formula (formulaic) in the columns of `items`; columns of
        `comparisons` may enter as interactions.
    weight, group, link_group, unit : str, default=None
        Columns of `comparisons` with frequency weights, raters, classes of raters with an own
        link, and ids of comparisons (None: every row is one).

    Returns
    -------
    PreferencePairs
        Pairs in the order of `comparisons`.

    Raises
    ------
    InvalidDataError
        If an id is unknown or repeated, a winner is none of the two, or a column is missing,
        incomplete or of the wrong kind.

    Warns
    -----
    DataWarning
        If ties are dropped, or terms of a formula cancel.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex.data import PreferencePairs
    >>> items = pd.DataFrame({"sugar": [3.0, 2.0, 5.0]}, index=["x", "y", "z"])
    >>> table = pd.DataFrame({"l": ["x", "y"], "r": ["y", "z"], "best": ["y", "tie"]})
    >>> pairs = PreferencePairs.from_items(items, table, left="l", right="r", winner="best")
    >>> pairs.differences.ravel(), pairs.labels, pairs.weights
    (array([-1.,  3.,  3.]), array([1, 1, 0], dtype=int8), array([1. , 0.5, 0.5]))
    """
    item_frame, frame = require_frame(items, "items"), require_frame(comparisons, "comparisons")
    ids = IdColumns(weight, group, link_group, unit)
    answers = {"winner": winner, "probability": probability, "wins": wins, "trials": trials}
    require_one_answer(answers)
    require_columns(item_frame, {"item_id": item_id}, "items")
    require_columns(frame, {"left": left, "right": right} | answers | ids.given, "comparisons")
    require_complete(frame, [left, right], "comparisons")
    row0, row1 = _item_rows(item_frame, item_id, frame, left, right)
    tables = _item_options(item_frame, frame, row0, row1, item_id, features, formula)
    votes = _votes(frame, answers, left, right, tie_value, ties)
    return assemble(cls, tables, votes, ids.read(frame), formula=formula)


def _item_rows(
    items: pd.DataFrame, item_id: str | None, comparisons: pd.DataFrame, left: str, right: str
) -> tuple[IntArray, IntArray]:
    """Rows of `items` of the left and of the right items."""
    import pandas as pd

    if item_id is not None:
        require_complete(items, [item_id], "items")
    known = items.index if item_id is None else pd.Index(items[item_id])
    repeated = known[known.duplicated()].unique()
    if len(repeated):
        raise InvalidDataError(f"items has repeated ids: {shown(repeated)}. Keep one row per item.")
    rows = []
    for argument, column in (("left", left), ("right", right)):
        found = known.get_indexer(pd.Index(comparisons[column]))
        if (found < 0).any():
            unknown = comparisons[column][found < 0].unique()
            raise InvalidDataError(
                f"{argument}={column!r} names {len(unknown)} item(s) not in items: {shown(unknown)}. "
                "Add them, or name the column of their ids in item_id=."
            )
        rows.append(found)
    return rows[0], rows[1]


def _item_options(
    items: pd.DataFrame,
    comparisons: pd.DataFrame,
    row0: IntArray,
    row1: IntArray,
    item_id: str | None,
    features: Iterable[str] | None,
    formula: str | None,
) -> OptionTables:
    candidates = [column for column in items.columns if column != item_id]
    shared = [column for column in comparisons.columns if column not in candidates]
    columns, context = choose_features(candidates, features, formula, shared)
    require_complete(items, columns, "items")
    require_complete(comparisons, context, "comparisons")
    chosen = items[columns]
    return OptionTables(chosen.iloc[row0], chosen.iloc[row1], comparisons[context] if context else None)


def _votes(
    frame: pd.DataFrame, answers: dict[str, str | None], left: str, right: str, tie_value: Any, ties: str
) -> Votes:
    shares = read_shares(frame, answers["probability"], answers["wins"], answers["trials"])
    if shares is not None:
        return shares
    winner = frame[answers["winner"]]
    tied = equal_to(winner, tie_value)
    require_complete(winner[~tied].to_frame(), [answers["winner"]], "comparisons")
    answer, left_id, right_id = (
        values.astype(object).to_numpy() for values in (winner, frame[left], frame[right])
    )
    if set(answer[~tied]) <= {"left", "right"} and not {"left", "right"} & {*left_id, *right_id}:
        return votes_from_labels(answer == "right", tied, ties)
    is_left, is_right = answer == left_id, answer == right_id
    _require_known_winner(answer, is_left, is_right, tied, f"winner={answers['winner']!r}", tie_value)
    return votes_from_labels(is_right, tied, ties)


def _require_known_winner(
    answer: Any, is_left: Any, is_right: Any, tied: Any, what: str, tie_value: Any
) -> None:
    neither = ~(is_left | is_right | tied)
    if neither.any():
        row = int(np.argmax(neither))
        raise InvalidDataError(
            f"{what} is neither of the items compared in {neither.sum()} row(s), first {answer[row]!r} in "
            f"row {row}: give the id of the winner, or 'left'/'right' throughout; ties are {tie_value!r}."
        )
    unclear = is_left & is_right & ~tied
    if unclear.any():
        raise InvalidDataError(
            f"{what} does not say which side won in {unclear.sum()} comparison(s) of an item with itself, "
            f"first in row {int(np.argmax(unclear))}: use 'left' and 'right' instead of ids."
        )
