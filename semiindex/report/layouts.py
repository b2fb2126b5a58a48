"""Layouts of tables: how a table becomes comparisons, at a fit and again at a prediction."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import IntArray
from semiindex.data import PreferencePairs
from semiindex.data.blocks import Blocks, all_pairs
from semiindex.data.encoding import OptionEncoder
from semiindex.data.tables import require_complete, require_flags
from semiindex.exceptions import InvalidDataError
from semiindex.report.tables import require_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAYOUTS", "NewComparisons", "TableLayout"]

#: Layout -> the builder of `PreferencePairs` that reads it.
LAYOUTS: dict[str, Callable[..., PreferencePairs]] = {
    "wide": PreferencePairs.from_wide,
    "long": PreferencePairs.from_long,
    "choice-sets": PreferencePairs.from_choice_sets,
}
#: Arguments of the builders that name a column.
_COLUMN_ARGUMENTS = (
    "choice", "probability", "wins", "trials", "unit",
    "comparison", "set", "chosen", "available",
    "group", "link_group", "weight",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class NewComparisons:
    """Comparisons without answers.

    Attributes
    ----------
    pairs : PreferencePairs
        Their labels mean nothing.
    labels : DataFrame
        Columns that tell the user which comparison is which.
    """

    pairs: PreferencePairs
    labels: pd.DataFrame


@dataclass(frozen=True)
class TableLayout:
    """A layout and the columns that play a role in it.

    Attributes
    ----------
    kind : {"wide", "long", "choice-sets"}
        The layout.
    arguments : dict
        Keyword arguments of the builder, plain values.
    """

    kind: str
    arguments: dict[str, Any]

    def columns(self) -> dict[str, str]:
        """Arguments that name a column, and the columns."""
        given = {name: self.arguments.get(name) for name in _COLUMN_ARGUMENTS}
        return {name: column for name, column in given.items() if column is not None}

    def build(self, frame: pd.DataFrame) -> PreferencePairs:
        """Comparisons with answers, for a fit."""
        return LAYOUTS[self.kind](frame, **self.arguments)

    def affixed(self, name: str, side: int) -> str:
        """Column of the table that holds a column of option 0 or option 1."""
        if self.kind != "wide":
            return name
        mark = self.arguments[f"option{side}"]
        return f"{mark}{name}" if self.arguments["affix"] == "prefix" else f"{name}{mark}"

    def feature_columns(self, frame: pd.DataFrame) -> list[str]:
        """Columns of a table that features are made from, as far as can be told before reading it."""
        roles = {str(column) for column in self.columns().values()}
        free = [str(column) for column in frame.columns if str(column) not in roles]
        formula, features = self.arguments.get("formula"), self.arguments.get("features")
        bare = {column: self._bare(column) for column in free}
        if formula is not None:
            return [
                column for column in free if re.search(rf"\b{re.escape(bare[column] or column)}\b", formula)
            ]
        if features is not None:
            return [column for column in free if bare[column] in features]
        return [column for column in free if bare[column] is not None]

    def _bare(self, column: str) -> str | None:
        """Name of a column without its affix; None in the wide layout if it has none."""
        if self.kind != "wide":
            return column
        for mark in (self.arguments["option0"], self.arguments["option1"]):
            prefix = self.arguments["affix"] == "prefix"
            bare = column.removeprefix(mark) if prefix else column.removesuffix(mark)
            if bare and bare != column:
                return bare
        return None

    def text_columns(self, encoder: OptionEncoder) -> list[str]:
        """Columns of the table that hold text: read as such even if they look like numbers."""
        options = [code.name for code in encoder.columns if _is_text(code.levels)]
        shared = [code.name for code in encoder.context if _is_text(code.levels)]
        return [self.affixed(name, side) for name in options for side in (0, 1)] + shared

    def read_new(
        self, frame: pd.DataFrame, encoder: OptionEncoder, table: str, *, by_class: bool
    ) -> NewComparisons:
        """Comparisons to predict, coded as those of the fit.

        Parameters
        ----------
        frame : DataFrame
            A table of the same layout; answers are not needed.
        encoder : OptionEncoder
            Of the fit.
        table : str
            What to call the table in messages.
        by_class : bool
            Whether the model has a link for every class of raters.

        Returns
        -------
        NewComparisons
            Of choice sets: all pairs of alternatives of a set.
        """
        link_group = self.arguments.get("link_group") if by_class else None
        self._require(frame, encoder, table, link_group)
        row0, row1, labels = _ROWS[self.kind](self, frame)
        shared = [code.name for code in encoder.context]
        sides = [
            frame[[self.affixed(code.name, side) for code in encoder.columns]]
            .set_axis([code.name for code in encoder.columns], axis="columns")
            .iloc[rows]
            for side, rows in enumerate((row0, row1))
        ]
        context = frame[shared].iloc[row0] if shared else None
        encoded = encoder.transform(sides[0], sides[1], context)
        pairs = PreferencePairs(
            encoded.features0,
            encoded.features1,
            np.zeros(len(row0), dtype=np.int8),
            feature_names=encoded.names,
            link_groups=None if link_group is None else frame[link_group].to_numpy()[row0],
        )
        return NewComparisons(pairs, labels)

    def _require(
        self, frame: pd.DataFrame, encoder: OptionEncoder, table: str, link_group: str | None
    ) -> None:
        needed = [self.affixed(code.name, side) for code in encoder.columns for side in (0, 1)]
        needed += [code.name for code in encoder.context]
        needed += [self.arguments[name] for name in ("comparison", "set") if name in self.arguments]
        needed += [link_group] if link_group is not None else []
        for column in dict.fromkeys(needed):
            require_columns(frame, {"the model needs the column": column}, table)
        require_complete(frame, dict.fromkeys(needed), table)


def _is_text(levels: tuple[Any, ...] | None) -> bool:
    return levels is not None and all(isinstance(level, str) for level in levels)


def _rows_wide(layout: TableLayout, frame: pd.DataFrame) -> tuple[IntArray, IntArray, pd.DataFrame]:
    import pandas as pd

    rows = np.arange(len(frame))
    return rows, rows, pd.DataFrame({"row": rows + 1})


def _rows_long(layout: TableLayout, frame: pd.DataFrame) -> tuple[IntArray, IntArray, pd.DataFrame]:
    column = layout.arguments["comparison"]
    blocks = Blocks.of_column(frame, column)
    blocks.require(blocks.sizes == 2, "comparisons do not have exactly two rows", "Complete or remove them.")
    row0, row1 = blocks.order[0::2], blocks.order[1::2]
    return row0, row1, _row_labels(frame, column, row0, row1)


def _rows_of_sets(layout: TableLayout, frame: pd.DataFrame) -> tuple[IntArray, IntArray, pd.DataFrame]:
    """All pairs of available alternatives of each set."""
    column, available = layout.arguments["set"], layout.arguments.get("available")
    usable = np.arange(len(frame))
    if available is not None and available in frame.columns:
        usable = np.flatnonzero(require_flags(frame, available, "available"))
    if usable.size == 0:
        raise InvalidDataError(f"no alternative is available: column {available!r} is 0 in every row.")
    blocks = Blocks.of_column(frame.iloc[usable], column)
    if blocks.sizes.max() < 2:
        raise InvalidDataError(
            f"every set of column {column!r} has a single alternative; nothing to compare."
        )
    earlier, later, _ = all_pairs(blocks)
    row0, row1 = usable[earlier], usable[later]
    return row0, row1, _row_labels(frame, column, row0, row1)


def _row_labels(frame: pd.DataFrame, column: str, row0: IntArray, row1: IntArray) -> pd.DataFrame:
    import pandas as pd

    ids = frame[column].to_numpy()[row0]
    return pd.DataFrame({column: ids, "option0_row": row0 + 1, "option1_row": row1 + 1})


_ROWS: dict[str, Callable[[TableLayout, Any], tuple[IntArray, IntArray, Any]]] = {
    "wide": _rows_wide,
    "long": _rows_long,
    "choice-sets": _rows_of_sets,
}
