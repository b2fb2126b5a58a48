"""From columns of two options to two feature matrices: numbers as they are, categories by levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semiindex._types import AnyArray, FloatArray
from semiindex.data.column_codes import ColumnCode, code_column, raw_code
from semiindex.data.formulas import FittedFormula, fit_formula
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Encoded", "OptionEncoder", "encode_options"]


@dataclass(frozen=True, eq=False)
class OptionEncoder:
    """How the columns of a table became features, to be done again with new tables.

    The builders of `PreferencePairs` leave it in their result. Levels of categories and the
    constants of transforms (means, spline knots) are those of the data that it was made from; a
    level that did not occur there is an error.

    Attributes
    ----------
    columns : tuple of ColumnCode
        Columns of the options.
    context : tuple of ColumnCode
        Columns that both options of a comparison share; a formula uses them.
    formula : FittedFormula or None
        The formula; None if every column of the options is a feature.
    names : tuple of str
        Names of the features.
    """

    columns: tuple[ColumnCode, ...]
    context: tuple[ColumnCode, ...]
    formula: FittedFormula | None
    names: tuple[str, ...]

    def transform(
        self, options0: pd.DataFrame, options1: pd.DataFrame, context: pd.DataFrame | None = None
    ) -> Encoded:
        """Encode options of new comparisons.

        Parameters
        ----------
        options0, options1 : DataFrame of shape (m, k)
            The columns of the options, named as in `columns`, without missing values.
        context : DataFrame of shape (m, c), default=None
            The shared columns, named as in `context`.

        Returns
        -------
        Encoded
            Matrices of shape (m, d) and the names of the features.

        Raises
        ------
        InvalidDataError
            For a level that did not occur in the data of the fit, or text where there were numbers.
        """
        if self.formula is None:
            return self._transform_columns(options0, options1)
        for code in self.columns:
            code.check(options0[code.name])
            code.check(options1[code.name])
        for code in self.context:
            if context is None:
                raise InvalidDataError(f"context must have the column {code.name!r}, which the formula uses.")
            code.check(context[code.name])
        features0, features1 = self.formula.transform(options0, options1, context)
        return Encoded(features0, features1, self.names, self)

    def _transform_columns(self, options0: pd.DataFrame, options1: pd.DataFrame) -> Encoded:
        sides = [self._stacked(options) for options in (options0, options1)]
        single = all(values.dtype == np.float32 for side in sides for values in side)
        dtype = np.float32 if single else np.float64
        m = len(options0)
        stacked = np.empty((2 * m, len(self.names)), dtype=dtype)
        for j, (first, second) in enumerate(zip(*sides, strict=True)):
            stacked[:m, j], stacked[m:, j] = first, second
        return Encoded(stacked[:m], stacked[m:], self.names, self)

    def _stacked(self, options: pd.DataFrame) -> list[AnyArray]:
        return [values for code in self.columns for values in code.encode(options[code.name])]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries from which `from_dict` makes it again."""
        return {
            "columns": [code.to_dict() for code in self.columns],
            "context": [code.to_dict() for code in self.context],
            "formula": None if self.formula is None else self.formula.to_dict(),
            "names": list(self.names),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> OptionEncoder:
        """Inverse of `to_dict`."""
        formula = state["formula"]
        return cls(
            tuple(ColumnCode.from_dict(code) for code in state["columns"]),
            tuple(ColumnCode.from_dict(code) for code in state["context"]),
            None if formula is None else FittedFormula.from_dict(formula),
            tuple(state["names"]),
        )


class Encoded(NamedTuple):
    """Features of both options, each of shape (m, d), the d names, and how to do it again."""

    features0: FloatArray
    features1: FloatArray
    names: tuple[str, ...]
    encoder: OptionEncoder


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
        Right-hand side of a formula for formulaic, see `formulas.fit_formula`.

    Returns
    -------
    Encoded
        Matrices of shape (m, d), float32 if every feature is, else float64, the names, and the
        encoder for new data.
    """
    if formula is not None:
        features0, features1, names, fitted = fit_formula(formula, options0, options1, context)
        columns = _raw_codes(options0, options1)
        shared = () if context is None else _raw_codes(context)
        return Encoded(features0, features1, names, OptionEncoder(columns, shared, fitted, names))
    codes = tuple(code_column(options0[name], options1[name], str(name)) for name in options0.columns)
    if not codes:
        raise InvalidDataError("No feature is left: name feature columns with features= or formula=.")
    names = tuple(name for code in codes for name in code.feature_names)
    encoder = OptionEncoder(codes, (), None, names)
    text = {column: str(column) for column in options0.columns}
    return encoder.transform(options0.rename(columns=text), options1.rename(columns=text))


def _raw_codes(*sides: pd.DataFrame) -> tuple[ColumnCode, ...]:
    import pandas as pd

    names = sides[0].columns
    stacked = {name: pd.concat([side[name] for side in sides], ignore_index=True) for name in names}
    return tuple(raw_code(values, str(name)) for name, values in stacked.items())
