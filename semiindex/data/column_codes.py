"""How a column of a table becomes features: a number as it is, a category by its levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import AnyArray
from semiindex.data.tables import shown, warn_about_data
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnCode", "code_column", "raw_code"]

#: A categorical column with more levels than this is more likely an identifier than a feature.
_MANY_LEVELS = 100


@dataclass(frozen=True)
class ColumnCode:
    """How one column is coded, learned from the data of a fit and applied to new data alike.

    Attributes
    ----------
    name : str
        Name of the column.
    levels : tuple or None
        Levels of a category, the first one the reference; None for a number.
    """

    name: str
    levels: tuple[Any, ...] | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features that the column becomes."""
        if self.levels is None:
            return (self.name,)
        return tuple(f"{self.name}[T.{level}]" for level in self.levels[1:])

    def check(self, values: pd.Series[Any]) -> None:
        """Refuse values that the code has no place for."""
        if self.levels is None:
            self._numbers(values)
            return
        unseen = values[~values.isin(list(self.levels))].unique()
        if len(unseen):
            raise InvalidDataError(
                f"column {self.name!r} holds {shown(list(unseen))}, which did not occur when the model was "
                f"fitted: its levels are {shown(self.levels)}. Correct the value, leave out such rows, or "
                "fit the model to data that contain it."
            )

    def encode(self, values: pd.Series[Any]) -> list[AnyArray]:
        """One array per feature."""
        self.check(values)
        if self.levels is None:
            return [self._numbers(values)]
        plain = values.astype(object).to_numpy()
        return [(plain == level).astype(np.float64) for level in self.levels[1:]]

    def _numbers(self, values: pd.Series[Any]) -> AnyArray:
        if values.dtype == np.float32:
            return values.to_numpy()
        try:
            return values.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidDataError(
                f"column {self.name!r} must hold numbers, as it did when the model was fitted: {error}."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values from which `from_dict` makes the code again."""
        levels = None if self.levels is None else [_plain(level, self.name) for level in self.levels]
        return {"name": self.name, "levels": levels}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> ColumnCode:
        """Inverse of `to_dict`."""
        return cls(state["name"], None if state["levels"] is None else tuple(state["levels"]))


def _plain(level: Any, name: str) -> str | int | float | bool:
    value = level.item() if isinstance(level, np.generic) else level
    if isinstance(value, str | int | float | bool):
        return value
    raise InvalidDataError(
        f"column {name!r} has levels of type {type(value).__name__}, which a model file cannot hold: "
        "convert them to text or numbers before the fit."
    )


def raw_code(values: pd.Series[Any], name: str) -> ColumnCode:
    """Code of a column that a formula uses: a number, or the values that occur."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(values) or types.is_bool_dtype(values):
        return ColumnCode(name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return ColumnCode(name, tuple(level for level in values.cat.categories if (values == level).any()))
    distinct = values.drop_duplicates().tolist()
    if types.is_object_dtype(values) and all(_is_number(value) for value in distinct):
        return ColumnCode(name)
    text = all(isinstance(value, str) for value in distinct)
    return ColumnCode(name, tuple(sorted(distinct) if text else distinct))


def code_column(values0: pd.Series[Any], values1: pd.Series[Any], name: str) -> ColumnCode:
    """Code of a column of both options; levels are those that occur among both."""
    import pandas as pd
    from pandas.api import types

    both: pd.Series[Any] = pd.concat([values0, values1], ignore_index=True)
    if isinstance(values0.dtype, pd.CategoricalDtype) and isinstance(values1.dtype, pd.CategoricalDtype):
        levels = dict.fromkeys([*values0.cat.categories, *values1.cat.categories])
        return _category([level for level in levels if (both == level).any()], name)
    if types.is_complex_dtype(both):
        raise InvalidDataError(f"column {name!r} holds complex numbers: features must be real.")
    if types.is_numeric_dtype(both) or types.is_bool_dtype(both):
        return ColumnCode(name)
    if types.is_object_dtype(both) or types.is_string_dtype(both):
        return _code_objects(both, name)
    raise InvalidDataError(
        f"column {name!r} has dtype {both.dtype}, which is neither numeric nor categorical: convert it "
        "to numbers (for dates, for example, days since a date), or leave it out of features=."
    )


def _code_objects(both: pd.Series[Any], name: str) -> ColumnCode:
    def all_are(test: Callable[[Any], bool]) -> bool:
        return all(test(value) for value in both.unique())

    if all_are(lambda value: isinstance(value, str)):
        levels = sorted(both.unique())
        if len(levels) > max(_MANY_LEVELS, both.size // 4):
            raise InvalidDataError(
                f"column {name!r} is text with {len(levels)} levels in {both.size} values, as many as an "
                "identifier: leave it out of features=, or convert it if it holds numbers stored as text. If "
                "it really is a category, give it that dtype."
            )
        return _category(levels, name)
    if all_are(_is_number):
        return ColumnCode(name)
    kinds = sorted({type(value).__name__ for value in both.unique()})
    raise InvalidDataError(
        f"column {name!r} mixes values of types {shown(kinds)}: make it all numbers, or all text "
        "(for categories), in both options."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | np.bool_) or type(value).__name__ == "Decimal"


def _category(levels: list[Any], name: str) -> ColumnCode:
    if len(levels) < 2:
        raise InvalidDataError(
            f"column {name!r} has the single level {shown(levels)}, so that it tells no options apart: "
            "leave it out of features=."
        )
    if len(levels) > _MANY_LEVELS:
        warn_about_data(
            f"column {name!r} has {len(levels)} levels and becomes {len(levels) - 1} features: if it is an "
            "identifier or numbers stored as text, leave it out of features= or convert it."
        )
    return ColumnCode(name, tuple(levels))
