"""Builder for tables with a row per comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from semiindex.data.assembly import IdColumns, OptionTables, assemble, choose_features
from semiindex.data.outcomes import Ties, Votes, read_shares, require_one_answer, votes_from_choice
from semiindex.data.tables import require_columns, require_complete, require_frame, require_option, shown
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["from_wide"]


def from_wide(
    cls: type[PreferencePairs],
    df: pd.DataFrame,
    *,
    option0: str,
    option1: str,
    choice: str | None = None,
    probability: str | None = None,
    wins: str | None = None,
    trials: str | None = None,
    affix: Literal["prefix", "suffix"] = "prefix",
    positive: Any = None,
    tie_value: Any = None,
    ties: Ties = "half",
    features: Iterable[str] | None = None,
    formula: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    link_group: str | None = None,
    unit: str | None = None,
) -> PreferencePairs:
    """Build pairs from a table with a row per comparison and two sets of columns.

    Exactly one kind of answer is named: `choice`, `probability`, or `wins` with `trials`.

    Parameters
    ----------
    df : DataFrame of shape (m, k)
        A row per comparison, in any order; the index is ignored.
    option0, option1 : str
        Prefixes (or suffixes, see `affix`) of the columns of option 0 and option 1, such as
        `"a_"` and `"b_"`. A column that stands on one side only is an error, unless `features` or
        `formula` leaves it out.
    choice : str, default=None
        Column that says which option was preferred: 1 or True for option 1, 0 or False for option
        0; or two values of which `positive` names the one that means option 1.
    probability : str, default=None
        Column of soft labels: the probability, between 0 and 1, that option 1 is preferred. A row
        becomes two rows with weights p and 1 - p.
    wins, trials : str, default=None
        Columns of counts: option 1 won `wins` of `trials` comparisons of these two options. A row
        becomes two rows with the counts as weights.
    affix : {"prefix", "suffix"}, default="prefix"
        Where `option0` and `option1` stand in the names of the columns.
    positive : object, default=None
        Value of `choice` that means option 1. None: `choice` holds 0/1 or booleans.
    tie_value : object, default=None
        Value of `choice` that marks a tie; `float("nan")` if a missing value does. None: no ties.
    ties : {"half", "drop", "error"}, default="half"
        What becomes of ties: two rows of half weight with one unit, nothing (with a warning that
        says how many), or an error. Half weights lose no data and treat both options alike.
    features : iterable of str, default=None
        Columns to use, by their names without affix. None: all columns with both affixes.
        Texts and categories are coded by an indicator per level except the first.
    formula : str, default=None
        Right-hand side of a formula (formulaic) in the names without affix, such as
        `"price + brand + price:income"`. Columns without affix may enter as interactions. An
        intercept, and other terms that both options share, cancel in the difference and are left out.
    weight, group, link_group, unit : str, default=None
        Columns with frequency weights, raters, classes of raters with an own link, and ids of
        comparisons (None: every row is one).

    Returns
    -------
    PreferencePairs
        Pairs in the order of the table.

    Raises
    ------
    InvalidDataError
        If a column is missing, one-sided, incomplete or of the wrong kind.
    InvalidParameterError
        If the arguments contradict each other.

    Warns
    -----
    DataWarning
        If ties are dropped, or terms of a formula cancel.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex.data import PreferencePairs
    >>> df = pd.DataFrame({"a_price": [3, 2], "b_price": [2, 5], "answer": ["B", "A"], "who": [7, 8]})
    >>> pairs = PreferencePairs.from_wide(
    ...     df, option0="a_", option1="b_", choice="answer", positive="B", group="who"
    ... )
    >>> pairs.labels, pairs.differences.ravel()
    (array([1, 0], dtype=int8), array([-1.,  3.]))
    """
    frame = require_frame(df)
    ids = IdColumns(weight, group, link_group, unit)
    answers = {"choice": choice, "probability": probability, "wins": wins, "trials": trials}
    require_one_answer(answers)
    require_columns(frame, answers | ids.given)
    reserved = [column for column in (*answers.values(), *ids.given.values()) if column is not None]
    sides = _columns_by_side(frame, option0, option1, affix, reserved)
    shared = [c for c in frame.columns if c not in {*reserved, *sides[0].values(), *sides[1].values()}]
    tables = _option_tables(frame, sides, shared, (option0, option1), features, formula)
    votes = _votes(frame, answers, positive, tie_value, ties)
    return assemble(cls, tables, votes, ids.read(frame), formula=formula)


def _columns_by_side(
    frame: pd.DataFrame, option0: str, option1: str, affix: str, reserved: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """For either option: name without affix -> column."""
    require_option(affix, ("prefix", "suffix"), "affix")
    if not option0 or not option1 or option0 == option1:
        raise InvalidParameterError(
            f"option0={option0!r} and option1={option1!r} must be two different, non-empty {affix}es."
        )
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for column in frame.columns:
        if column in reserved or not isinstance(column, str):
            continue
        hits = [s for s, mark in enumerate((option0, option1)) if _bare(column, mark, affix) is not None]
        if len(hits) == 2:
            raise InvalidParameterError(
                f"column {column!r} has both {affix}es option0={option0!r} and option1={option1!r}: "
                "make them longer, so that they tell the columns apart."
            )
        for side in hits:
            sides[side][str(_bare(column, (option0, option1)[side], affix))] = column
    for side, (argument, mark) in enumerate((("option0", option0), ("option1", option1))):
        if not sides[side]:
            raise InvalidDataError(
                f"{argument}={mark!r} is the {affix} of no column: the columns are {shown(frame.columns)}."
            )
    return sides


def _bare(column: str, mark: str, affix: str) -> str | None:
    """The name without affix, or None if the column does not have it."""
    bare = column.removeprefix(mark) if affix == "prefix" else column.removesuffix(mark)
    return bare if bare and bare != column else None


def _option_tables(
    frame: pd.DataFrame,
    sides: tuple[dict[str, str], dict[str, str]],
    shared: list[Any],
    marks: tuple[str, str],
    features: Iterable[str] | None,
    formula: str | None,
) -> OptionTables:
    candidates = list(dict.fromkeys([*sides[0], *sides[1]]))
    clash = [column for column in shared if column in candidates]
    context = [column for column in shared if column not in candidates]
    names, context_used = choose_features(candidates, features, formula, context)
    ambiguous = [name for name in names if name in clash and formula is not None]
    if ambiguous:
        raise InvalidDataError(
            f"formula={formula!r} uses {shown(ambiguous)}, which is a column of the options and also one "
            "without affix: rename the latter."
        )
    for side in (0, 1):
        lonely = [sides[1 - side][name] for name in names if name not in sides[side]]
        if lonely:
            raise InvalidDataError(
                f"column(s) {shown(lonely)} have no partner with option{side}={marks[side]!r}: add or rename "
                "the partner, or name the features to use in features=."
            )
    columns = [[sides[side][name] for name in names] for side in (0, 1)]
    require_complete(frame, [*columns[0], *columns[1], *context_used])
    options = [frame[c].set_axis(names, axis="columns") for c in columns]
    return OptionTables(options[0], options[1], frame[context_used] if context_used else None)


def _votes(
    frame: pd.DataFrame, answers: dict[str, str | None], positive: Any, tie_value: Any, ties: str
) -> Votes:
    shares = read_shares(frame, answers["probability"], answers["wins"], answers["trials"])
    if shares is not None:
        return shares
    return votes_from_choice(frame, answers["choice"], positive, tie_value, ties)
