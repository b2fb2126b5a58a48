"""Builder for rankings: all pairs of the ranked options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from semiindex.data.assembly import IdColumns, Ids, assemble
from semiindex.data.blocks import Blocks, all_pairs
from semiindex.data.long import options_of_rows
from semiindex.data.outcomes import Ties, votes_from_labels
from semiindex.data.tables import require_columns, require_complete, require_frame
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["RANKING_ASSUMPTION", "from_rankings"]

RANKING_ASSUMPTION = (
    "Rankings are encoded as all pairs of the ranked options: every pair satisfies the model if the errors "
    "of the options are independent and identically distributed; pairs of one ranking depend on each other "
    "and count as one unit."
)


def from_rankings(
    cls: type[PreferencePairs],
    df: pd.DataFrame,
    *,
    ranking: str,
    rank: str,
    ties: Ties = "half",
    features: Iterable[str] | None = None,
    formula: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    link_group: str | None = None,
) -> PreferencePairs:
    """Build pairs from rankings: a row per ranked option, all pairs of each ranking.

    Rows need not be sorted, and rankings may differ in length. In every pair the option that stands
    first in the table is option 0, whatever its rank. All pairs of a ranking share its unit.

    Parameters
    ----------
    df : DataFrame of shape (n, k)
        A row per ranked option; the index is ignored.
    ranking : str
        Column with the id of the ranking.
    rank : str
        Numeric column; the smallest number is the best (1 = best). Equal numbers are ties.
    ties : {"half", "drop", "error"}, default="half"
        What pairs of equal rank become: two rows of half weight, nothing (with a warning that says
        how many), or an error.
    features : iterable of str, default=None
        Columns to use. None: all columns without another role; those that never differ between the
        options compared are left out with a warning. Texts and categories are coded by an
        indicator per level except the first.
    formula : str, default=None
        Right-hand side of a formula (formulaic). An intercept, and terms that all options of a
        ranking share, cancel in the difference and are left out.
    weight, group, link_group : str, default=None
        Columns with frequency weights, raters, and classes of raters with an own link; equal in
        all rows of a ranking. A ranking of s options of weight w gives s(s - 1)/2 pairs of weight w.

    Returns
    -------
    PreferencePairs
        Pairs sorted by ranking in the order in which the rankings first occur; units number them.

    Raises
    ------
    InvalidDataError
        If a ranking has a single option, or a column is missing, incomplete or of the wrong kind.

    Warns
    -----
    DataWarning
        If ties are dropped, or columns or terms cancel.

    Examples
    --------
    >>> import pandas as pd
    >>> from semiindex.data import PreferencePairs
    >>> df = pd.DataFrame({"judge": [1, 1, 1], "sugar": [3.0, 2.0, 5.0], "place": [2, 1, 3]})
    >>> pairs = PreferencePairs.from_rankings(df, ranking="judge", rank="place")
    >>> pairs.differences.ravel(), pairs.labels
    (array([-1.,  2.,  3.]), array([1, 0, 0], dtype=int8))
    """
    frame = require_frame(df)
    ids = IdColumns(weight, group, link_group)
    require_columns(frame, {"ranking": ranking, "rank": rank} | ids.given)
    require_complete(frame, [rank])
    try:
        ranks = frame[rank].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"rank={rank!r} must be numeric, 1 = best: {error}.") from error
    blocks = Blocks.of_column(frame, ranking)
    blocks.require(
        blocks.sizes >= 2,
        "rankings have a single option and hold no comparison",
        "Remove them from the table.",
    )
    blocks.require_constant(frame, ids.given.values(), "rankings")
    row0, row1, block = all_pairs(blocks)
    votes = votes_from_labels(ranks[row1] < ranks[row0], ranks[row1] == ranks[row0], ties)
    tables = options_of_rows(frame, row0, row1, [ranking, rank, *ids.given.values()], features, formula)
    row_ids = ids.read(frame.iloc[row0])
    return assemble(
        cls,
        tables,
        votes,
        Ids(row_ids.weight, row_ids.group, row_ids.link_group, block),
        formula=formula,
        assumptions=[RANKING_ASSUMPTION] if (blocks.sizes > 2).any() else [],
    )
