"""From columns of two options to two feature matrices: numbers as they are, categories by levels."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semiindex._types import AnyArray, FloatArray
from semiindex.data.formulas import evaluate_formula
from semiindex.data.tables import shown, warn_about_data
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Encoded", "encode_options"]

#: A categorical column with more levels than this is more likely an identifier than a feature.
_MANY_LEVELS = 100


class Encoded(NamedTuple):
    """Features of both options, each of shape (m, d), and the d names."""

    features0: FloatArray
    features1: FloatArray
    names: tuple[str, ...]


def encode_options(
    options0: pd.DataFrame,
    options1: pd.DataFrame,
    context: pd.DataFrame | None = None,
    formula: str | None = None,
) -> Encoded:
    """Encode the same columns of both options alike.

    Without a formula every column of the options is a feature. Numbers and booleans stay one column
    each; texts and categories become an indicator per level except the first, named
    `column[T.level]`. Levels are those that occur among *both* options (in the order of the
    categories, else sorted), so that the columns coincide.

    Parameters
    ----------
    options0, options1 : DataFrame of shape (m, k)
        Columns of option 0 and of option 1 with the same names, without missing values.
    context : DataFrame of shape (m, c), default=None
        Columns that both options share; they enter through a formula only.
    formula : str, default=None
        Right-hand side of a formula for formulaic, see `formulas.evaluate_formula`.

    Returns
    -------
    Encoded
        Matrices of shape (m, d), float32 if every feature is, else float64, and the names.
    """
    if formula is not None:
        return Encoded(*evaluate_formula(formula, options0, options1, context))
    parts: list[tuple[str, AnyArray]] = []
    for column in options0.columns:
        parts += _encode_column(options0[column], options1[column], str(column))
    if not parts:
        raise InvalidDataError("No feature is left: name feature columns with features= or formula=.")
    m = len(options0)
    single = all(values.dtype == np.float32 for _, values in parts)
    stacked = np.empty((2 * m, len(parts)), dtype=np.float32 if single else np.float64)
    for j, (_, values) in enumerate(parts):
        stacked[:, j] = values
    return Encoded(stacked[:m], stacked[m:], tuple(name for name, _ in parts))


def _encode_column(values0: pd.Series[Any], values1: pd.Series[Any], name: str) -> list[tuple[str, AnyArray]]:
    """One or more named columns of length 2m, option 0 first."""
    import pandas as pd
    from pandas.api import types

    both: pd.Series[Any] = pd.concat([values0, values1], ignore_index=True)
    if isinstance(values0.dtype, pd.CategoricalDtype) and isinstance(values1.dtype, pd.CategoricalDtype):
        levels = dict.fromkeys([*values0.cat.categories, *values1.cat.categories])
        return _indicators(both, [level for level in levels if (both == level).any()], name)
    if types.is_complex_dtype(both):
        raise InvalidDataError(f"column {name!r} holds complex numbers: features must be real.")
    if types.is_float_dtype(both) and both.dtype == np.float32:
        return [(name, both.to_numpy())]
    if types.is_numeric_dtype(both) or types.is_bool_dtype(both):
        return [(name, both.to_numpy(dtype=np.float64))]
    if types.is_object_dtype(both) or types.is_string_dtype(both):
        return _encode_objects(both, name)
    raise InvalidDataError(
        f"column {name!r} has dtype {both.dtype}, which is neither numeric nor categorical: convert it "
        "to numbers (for dates, for example, days since a date), or leave it out of features=."
    )


def _encode_objects(both: pd.Series[Any], name: str) -> list[tuple[str, AnyArray]]:
    def all_are(test: Callable[[Any], bool]) -> bool:
        return all(test(value) for value in both.unique())

    if all_are(lambda value: isinstance(value, str)):
        return _indicators(both, sorted(both.unique()), name)
    if all_are(lambda value: isinstance(value, Real | np.bool_) or type(value).__name__ == "Decimal"):
        return [(name, both.to_numpy(dtype=np.float64))]
    kinds = sorted({type(value).__name__ for value in both.unique()})
    raise InvalidDataError(
        f"column {name!r} mixes values of types {shown(kinds)}: make it all numbers, or all text "
        "(for categories), in both options."
    )


def _indicators(both: pd.Series[Any], levels: list[Any], name: str) -> list[tuple[str, AnyArray]]:
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
    values = both.astype(object).to_numpy()
    return [(f"{name}[T.{level}]", (values == level).astype(np.float64)) for level in levels[1:]]
