"""The last step of every builder: two option tables, votes and ids become `PreferencePairs`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data.checks import check_weights
from semiindex.data.encoding import encode_options
from semiindex.data.formulas import formula_variables
from semiindex.data.outcomes import Votes
from semiindex.data.tables import require_columns, require_complete, shown, warn_about_data
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.data.pairs import PreferencePairs

__all__ = ["IdColumns", "Ids", "OptionTables", "assemble", "choose_features", "drop_common_columns"]


@dataclass(frozen=True)
class IdColumns:
    """Names of the columns that say how often, by whom and in which comparison; None if not given."""

    weight: Any = None
    group: Any = None
    link_group: Any = None
    unit: Any = None

    @property
    def given(self) -> dict[str, Any]:
        """Argument and column of those that were given."""
        return {name: column for name, column in vars(self).items() if column is not None}

    def read(self, frame: pd.DataFrame) -> Ids:
        """The values in a table with a row per comparison."""
        require_columns(frame, self.given)
        require_complete(frame, self.given.values())
        values = {name: frame[column].to_numpy() for name, column in self.given.items()}
        if "weight" in values:
            checked = check_weights(values["weight"], len(frame), f"weight={self.weight!r}")
            values["weight"] = np.asarray(checked)
        return Ids(**values)


@dataclass(frozen=True, eq=False)
class Ids:
    """Weight, rater, class of rater and unit, one entry per comparison each, or None."""

    weight: AnyArray | None = None
    group: AnyArray | None = None
    link_group: AnyArray | None = None
    unit: AnyArray | None = None

    def take(self, rows: IntArray) -> Ids:
        """The ids of some comparisons."""
        values = {name: None if array is None else array[rows] for name, array in vars(self).items()}
        return Ids(**values)


@dataclass(frozen=True, eq=False)
class OptionTables:
    """Feature columns of both options (same names), and columns that both share, m rows each."""

    option0: pd.DataFrame
    option1: pd.DataFrame
    context: pd.DataFrame | None = None

    def take(self, rows: IntArray) -> OptionTables:
        """The options of some comparisons."""
        context = None if self.context is None else self.context.iloc[rows]
        return OptionTables(self.option0.iloc[rows], self.option1.iloc[rows], context)


def choose_features(
    option_columns: Sequence[Any],
    features: Iterable[Any] | None,
    formula: str | None,
    context_columns: Sequence[Any] = (),
) -> tuple[list[Any], list[Any]]:
    """Columns of the options, and of the context, that the features are made from."""
    if features is not None and formula is not None:
        raise InvalidParameterError("features= and formula= exclude each other: a formula names its columns.")
    if formula is not None:
        used = formula_variables(formula, [*option_columns, *context_columns])
        return [c for c in used if c in option_columns], [c for c in used if c not in option_columns]
    if features is None:
        return list(option_columns), []
    if isinstance(features, str):
        raise InvalidParameterError(
            f"features must be a list of columns, not one string: write [{features!r}]."
        )
    chosen = list(features)
    unknown = [column for column in chosen if column not in option_columns]
    if unknown:
        raise InvalidDataError(
            f"features names {shown(unknown)}, but the options have {shown(option_columns)}."
        )
    if len(set(chosen)) < len(chosen):
        raise InvalidDataError("features names a column twice: name each once.")
    return chosen, []


def drop_common_columns(tables: OptionTables) -> OptionTables:
    """Leave out columns that never differ between the options compared, with a warning.

    For columns that nobody asked for by name: a table with a row per option usually carries columns
    of the person or the situation as well, which cancel in every difference.
    """
    first, second = tables.option0, tables.option1
    common = [c for c in first.columns if (first[c].to_numpy() == second[c].to_numpy()).all()]
    if not common:
        return tables
    if len(common) == first.shape[1]:
        raise InvalidDataError(
            f"None of the columns {shown(common)} differs between the options compared: "
            "there is nothing to learn."
        )
    warn_about_data(
        f"These columns are the same for both options of every comparison, cancel in the difference and are "
        f"left out: {shown(common)}. Let them interact in formula=, or name the features in features=."
    )
    return OptionTables(first.drop(columns=common), second.drop(columns=common), tables.context)


def assemble(
    cls: type[PreferencePairs],
    tables: OptionTables,
    votes: Votes,
    ids: Ids,
    *,
    formula: str | None = None,
    assumptions: Iterable[str] = (),
) -> PreferencePairs:
    """Encode the options and turn every vote into a row.

    A comparison with votes for both options gives two rows, the one with label 1 first, which share
    their unit. Weights are None if every comparison has one vote and no weight was given.

    Parameters
    ----------
    cls : type
        `PreferencePairs` or a subclass.
    tables : OptionTables
        Columns of both options, m rows.
    votes : Votes
        Votes for both options, m entries.
    ids : Ids
        Weight, rater, class of rater and unit, m entries each; unit None numbers the comparisons.
    formula : str, default=None
        Features by a formula.
    assumptions : iterable of str
        What the encoding assumes.

    Returns
    -------
    PreferencePairs
        The rows.
    """
    if ids.unit is None:
        ids = Ids(ids.weight, ids.group, ids.link_group, np.arange(len(votes.for1)))
    both = np.column_stack([votes.for1, votes.for0])
    comparison, side = np.nonzero(both > 0)
    counted = np.unique(comparison)
    if len(counted) < len(both):
        tables = tables.take(counted)
        comparison = np.searchsorted(counted, comparison)
        ids, both = ids.take(counted), both[counted]
    encoded = encode_options(tables.option0, tables.option1, tables.context, formula)
    as_given = len(comparison) == len(both)
    features = [m if as_given else m[comparison] for m in (encoded.features0, encoded.features1)]
    ids = ids if as_given else ids.take(comparison)
    return cls(
        features[0],
        features[1],
        1 - side,
        weights=_row_weights(both[comparison, side], ids.weight, votes.plain),
        groups=ids.group,
        link_groups=ids.link_group,
        units=ids.unit,
        feature_names=encoded.names,
        assumptions=assumptions,
        encoder=encoded.encoder,
    )


def _row_weights(shares: FloatArray, weight: AnyArray | None, plain: bool) -> FloatArray | None:
    if weight is None:
        return None if plain else shares
    return np.asarray(weight, dtype=np.float64) * shares
