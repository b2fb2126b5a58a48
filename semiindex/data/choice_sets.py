"""Builder for choices among any number of alternatives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from semiindex._types import AnyArray, IntArray
from semiindex.data.assembly import IdColumns, Ids, assemble
from semiindex.data.blocks import Blocks
from semiindex.data.long import options_of_rows
from semiindex.data.outcomes import Votes
from semiindex.data.tables import (
    require_columns,
    require_flags,
    require_frame,
    require_option,
    shown,
    warn_about_data,
)
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["CHOICE_SET_ASSUMPTION", "from_choice_sets"]

CHOICE_SET_ASSUMPTION = (
    "Choice sets of more than two alternatives are encoded as pairs of the chosen alternative and "
    "another: this is exactly a single-index model only under independence of irrelevant alternatives "
    "(Gumbel errors); otherwise the probability of a pair depends on the other alternatives of its set."
)


def from_choice_sets(
    cls: type[PreferencePairs],
    df: pd.DataFrame,
    *,
    set: str,
    chosen: str,
    available: str | None = None,
    against: Literal["all", "random"] = "all",
    singletons: Literal["error", "drop"] = "error",
    random_state: int | np.random.Generator | None = None,
    features: Iterable[str] | None = None,
    formula: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    link_group: str | None = None,
) -> PreferencePairs:
    """Build pairs from a table with a row per alternative: the chosen one against the others.

    Rows need not be sorted, and sets may differ in size. In every pair the alternative that stands
    first in the table is option 0. All pairs of a set share its unit, so that covariances count
    the set once. For sets of more than two alternatives the encoding assumes independence of
    irrelevant alternatives; the pairs carry that sentence, and fits print it.

    Parameters
    ----------
    df : DataFrame of shape (n, k)
        A row per alternative; the index is ignored.
    set : str
        Column with the id of the choice set.
    chosen : str
        Column with 1 or True for the chosen alternative of the set, 0 or False for the others.
    available : str, default=None
        Column with 1 or True for alternatives that could be chosen. Others are left out. None: all.
    against : {"all", "random"}, default="all"
        Pair the chosen alternative with all others of its set, or with one of them drawn at
        random. All others use the data best; one other gives independent pairs.
    singletons : {"error", "drop"}, default="error"
        What a set with a single available alternative is: an error, or dropped with a warning that
        says how many (it holds no comparison).
    random_state : int, Generator or None, default=None
        Seed of the draws for `against="random"`; None draws differently each time.
    features : iterable of str, default=None
        Columns to use. None: all columns without another role; those that never differ between the
        options compared (columns of the person, say) are left out with a warning. Texts and
        categories, such as the name of the alternative, are coded by an indicator per level except
        the first: its coefficients are the constants of the alternatives.
    formula : str, default=None
        Right-hand side of a formula (formulaic), such as `"mode + cost + income:mode"`. An
        intercept, and terms that all alternatives share, cancel and are left out.
    weight, group, link_group : str, default=None
        Columns with frequency weights, raters, and classes of raters with an own link; equal in
        all rows of a set.

    Returns
    -------
    PreferencePairs
        Pairs sorted by set in the order in which the sets first occur; units number the sets.

    Raises
    ------
    InvalidDataError
        If a set has no chosen alternative, several, an unavailable one, or only one alternative;
        or if a column is missing, incomplete or of the wrong kind.

    Warns
    -----
    DataWarning
        If sets are dropped, or columns or terms cancel.

    Notes
    -----
    Fox (2007) shows that ranking estimators stay valid for such pairs under exchangeable errors,
    where a link is not.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex.data import PreferencePairs
    >>> df = pd.DataFrame({"trip": [1, 1, 1], "cost": [3.0, 2.0, 5.0], "taken": [0, 1, 0]})
    >>> pairs = PreferencePairs.from_choice_sets(df, set="trip", chosen="taken")
    >>> pairs.differences.ravel(), pairs.labels, pairs.units
    (array([-1.,  3.]), array([1, 0], dtype=int8), array([0, 0]))
    """
    require_option(against, ("all", "random"), "against")
    require_option(singletons, ("error", "drop"), "singletons")
    frame = require_frame(df)
    ids = IdColumns(weight, group, link_group)
    require_columns(frame, {"set": set, "chosen": chosen, "available": available} | ids.given)
    blocks = Blocks.of_column(frame, set)
    taken = require_flags(frame, chosen, "chosen")
    usable = np.ones(len(frame), bool) if available is None else require_flags(frame, available, "available")
    _require_one_choice(blocks, taken, usable)
    blocks.require_constant(frame, ids.given.values(), "choice sets")
    sizes = blocks.count(usable)
    _handle_singletons(blocks, sizes, singletons)

    other = _others(blocks, taken, usable, against, random_state)
    block = blocks.codes[other]
    choice = np.flatnonzero(taken)[np.argsort(blocks.codes[taken])][block]
    row0, row1 = np.minimum(choice, other), np.maximum(choice, other)
    prefers1 = (choice > other).astype(float)
    roles = [set, chosen, available, *ids.given.values()]
    tables = options_of_rows(frame, row0, row1, roles, features, formula)
    row_ids = ids.read(frame.iloc[choice])
    return assemble(
        cls,
        tables,
        Votes(prefers1, 1.0 - prefers1),
        Ids(row_ids.weight, row_ids.group, row_ids.link_group, block),
        formula=formula,
        assumptions=[CHOICE_SET_ASSUMPTION] if (sizes > 2).any() else [],
    )


def _require_one_choice(blocks: Blocks, taken: AnyArray, usable: AnyArray) -> None:
    n_taken = blocks.count(taken)
    blocks.require(
        n_taken >= 1,
        "choice sets have no chosen alternative",
        "Remove them, or add the outside option (choosing nothing) as an alternative.",
    )
    blocks.require(
        n_taken <= 1, "choice sets have several chosen alternatives", "Split them into one set per choice."
    )
    blocks.require(
        blocks.count(taken & ~usable) == 0,
        "choice sets have a chosen alternative that was not available",
        "Correct the availability, or remove them.",
    )


def _handle_singletons(blocks: Blocks, sizes: IntArray, singletons: str) -> None:
    alone = sizes < 2
    if not alone.any():
        return
    if singletons == "error":
        blocks.require(
            ~alone,
            "choice sets have a single available alternative and hold no comparison",
            "Remove them, or drop them with singletons='drop'.",
        )
    if alone.all():
        raise InvalidDataError("All choice sets have a single available alternative: no comparison is left.")
    warn_about_data(
        f"{alone.sum()} of {len(alone)} choice sets have a single available alternative and were dropped: "
        f"{shown(blocks.ids[alone])}."
    )


def _others(
    blocks: Blocks,
    taken: AnyArray,
    usable: AnyArray,
    against: str,
    random_state: int | np.random.Generator | None,
) -> IntArray:
    """Rows to compare with the chosen row of their set, sorted by set."""
    rows = blocks.order[(usable & ~taken)[blocks.order]]
    if against == "all":
        return rows
    codes = blocks.codes[rows]
    shuffled = np.random.default_rng(random_state).permutation(len(rows))
    drawn = shuffled[np.unique(codes[shuffled], return_index=True)[1]]
    return np.asarray(rows[drawn])
