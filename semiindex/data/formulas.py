"""Features by a formula, evaluated on both options at once so that levels and knots coincide."""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.data.formula_safety import MODULES, forbidden_part
from semiindex.data.tables import shown, warn_about_data
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FittedFormula", "fit_formula", "formula_variables"]


def formula_variables(formula: str, available: Collection[Any]) -> list[str]:
    """Names of the columns that a formula uses, in the order of `available`."""
    wanted = _variables(factor for term in _parse(formula) for factor in term.factors)
    unknown = sorted(wanted - {str(column) for column in available})
    if unknown:
        raise InvalidDataError(
            f"formula={formula!r} uses {shown(unknown)}, but the columns are {shown(available)}."
        )
    return [column for column in available if str(column) in wanted]


@dataclass(frozen=True, eq=False)
class FittedFormula:
    """A formula with what it learned from the data: levels, constants of transforms, what cancels.

    The formula is evaluated as Python code. Only those that consist of arithmetic and known functions are
    written to a file, or read from one, see `formula_safety.forbidden_part`.

    Attributes
    ----------
    formula : str
        Right-hand side, in the syntax of formulaic.
    common : tuple of str
        Columns that never differed between the options compared.
    transform_state, encoder_state : dict
        Formulaic's own state: constants of transforms, kinds and categories of factors.
    names : tuple of str
        Names of the features.
    """

    formula: str
    common: tuple[str, ...]
    transform_state: dict[str, Any]
    encoder_state: dict[str, Any]
    names: tuple[str, ...]

    def transform(
        self, options0: pd.DataFrame, options1: pd.DataFrame, context: pd.DataFrame | None
    ) -> tuple[FloatArray, FloatArray]:
        """Model matrices of both options of new comparisons, each of shape (m, d)."""
        from formulaic.parser.types import Factor

        kinds = {
            name: (Factor.Kind(kind), copy.deepcopy(state))
            for name, (kind, state) in self.encoder_state.items()
        }
        stacked = _stack(options0, options1, context)
        known = {"transform_state": copy.deepcopy(self.transform_state), "encoder_state": kinds}
        matrix = _model_matrix(self.formula, set(self.common), stacked, **known)
        found = tuple(matrix.model_spec.column_names)
        absent = [name for name in self.names if name not in found]
        if absent:
            raise InvalidDataError(
                f"formula={self.formula!r} does not give {shown(absent)} for these data: a column is of "
                "another kind (text or number) than when the model was fitted."
            )
        values = np.asarray(matrix, dtype=np.float64)[:, [found.index(name) for name in self.names]]
        return values[: len(options0)], values[len(options0) :]

    def to_dict(self) -> dict[str, Any]:
        """Plain values from which `from_dict` makes it again."""
        _require_arithmetic(self.formula)
        return {
            "formula": self.formula,
            "common": list(self.common),
            "transform_state": _packed(self.transform_state, self.formula),
            "encoder_state": _packed(self.encoder_state, self.formula),
            "names": list(self.names),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> FittedFormula:
        """Inverse of `to_dict`."""
        _require_arithmetic(state["formula"])
        return cls(
            state["formula"],
            tuple(state["common"]),
            _unpacked(state["transform_state"]),
            _unpacked(state["encoder_state"]),
            tuple(state["names"]),
        )


def _require_arithmetic(formula: str) -> None:
    """Refuse a formula that could run code of whoever wrote the file."""
    for term in _parse(formula):
        for factor in term.factors:
            if factor.eval_method.value != "python":
                continue
            part = forbidden_part(_expression(factor.expr)[0])
            if part is not None:
                raise InvalidDataError(
                    f"formula={formula!r} contains {part}, and model files hold arithmetic, transforms of "
                    "formulaic and elementwise functions of NumPy only, since whoever reads one runs its "
                    "formula: compute that column before the fit."
                )


def _packed(value: Any, formula: str) -> Any:
    """Nested state as JSON knows it; a dictionary as pairs, since its keys may be numbers."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    if isinstance(value, dict):
        return {"dict": [[_packed(k, formula), _packed(v, formula)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_packed(entry, formula) for entry in value]
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise InvalidDataError(
        f"formula={formula!r} uses a transform whose state, of type {type(value).__name__}, a model file "
        "cannot hold: compute that column before the fit."
    )


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(entry) for entry in value]
    if isinstance(value, dict) and "array" in value:
        return np.array(value["array"])
    if isinstance(value, dict):
        return {_unpacked(k): _unpacked(v) for k, v in value["dict"]}
    return value


def fit_formula(
    formula: str, options0: pd.DataFrame, options1: pd.DataFrame, context: pd.DataFrame | None
) -> tuple[FloatArray, FloatArray, tuple[str, ...], FittedFormula]:
    """Model matrices of both options, and the formula as fitted to them.

    Both options are stacked before the formula is evaluated: categories get the same levels, and
    data-dependent transforms (centring, splines) the same constants. What is equal for both options
    of every comparison cancels in the difference. Therefore there is no intercept (written or not),
    and a term of such columns alone, like `income` in `price * income`, is left out with a
    warning; its interactions stay. Categories are coded against their first level throughout.

    Parameters
    ----------
    formula : str
        Right-hand side, in the syntax of formulaic.
    options0, options1 : DataFrame of shape (m, k)
        Columns of both options, with the same names.
    context : DataFrame of shape (m, c) or None
        Columns that both options share.

    Returns
    -------
    features0, features1 : ndarray of shape (m, d)
        Model matrices.
    names : tuple of str
        Names of the d columns, as formulaic gives them.
    fitted : FittedFormula
        For new data.
    """
    stacked = _stack(options0, options1, context)
    m = len(options0)
    first, second = stacked.iloc[:m], stacked.iloc[m:]
    common = {str(c) for c in stacked.columns if (first[c].to_numpy() == second[c].to_numpy()).all()}
    matrix = _model_matrix(formula, common, stacked)
    spec = matrix.model_spec
    keep = _columns_that_differ(spec, _asked(formula), common, formula)
    values = np.asarray(matrix, dtype=np.float64)[:, keep]
    names = tuple(spec.column_names[j] for j in keep)
    kinds = {
        name: (kind.value, {key: state[key] for key in state if key != "contrasts"})
        for name, (kind, state) in spec.encoder_state.items()
    }
    fitted = FittedFormula(formula, tuple(sorted(common)), dict(spec.transform_state), kinds, names)
    return values[:m], values[m:], names, fitted


def _stack(options0: pd.DataFrame, options1: pd.DataFrame, context: pd.DataFrame | None) -> pd.DataFrame:
    import pandas as pd

    shared = [] if context is None else [context.reset_index(drop=True)]
    sides = [pd.concat([options.reset_index(drop=True), *shared], axis=1) for options in (options0, options1)]
    return pd.concat(sides, ignore_index=True)


def _asked(formula: str) -> list[Any]:
    return [term for term in _parse(formula) if str(term) != "1"]


def _model_matrix(formula: str, common: set[str], stacked: pd.DataFrame, **state: Any) -> Any:
    from formulaic.errors import DataMismatchWarning, FormulaicError

    terms = _with_common_parts(_asked(formula), common)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)  # a level that is not known
            return _parse([*_parse("1"), *terms]).get_model_matrix(
                stacked, context={"np": np}, na_action="ignore", output="numpy", **state
            )
    except (FormulaicError, DataMismatchWarning, TypeError, ValueError, NameError, KeyError) as error:
        raise InvalidDataError(f"formula={formula!r} could not be evaluated: {_first_line(error)}") from error


def _parse(formula: Any) -> Any:
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(formula)
    except (FormulaicError, SyntaxError, TypeError) as error:
        raise InvalidParameterError(f"formula={formula!r} could not be read: {_first_line(error)}") from error
    if hasattr(parsed, "lhs"):
        raise InvalidParameterError(
            f"formula={formula!r} must be a right-hand side only: leave out '~' and what stands before it."
        )
    return parsed


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _with_common_parts(terms: list[Any], common: set[str]) -> list[Any]:
    """Add, for every interaction, its part that both options share.

    That part spans the sum over the levels of an interacting category, which cancels in the
    difference; with it in the model formulaic drops the reference level, as it must.
    """
    from formulaic.parser.types import Term

    result = list(terms)
    for term in terms:
        factors = [factor for factor in term.factors if _variables([factor]) <= common]
        part = Term(factors)
        if factors and part not in result:
            result.append(part)
    return result


def _variables(factors: Iterable[Any]) -> set[str]:
    """Columns that some factors read.

    Formulaic's own `required_variables` misses those inside transforms such as `poly(x, 2)`.
    """
    found: set[str] = set()
    for factor in factors:
        if factor.eval_method.value == "lookup":
            found.add(factor.expr)
        elif factor.eval_method.value == "python":
            found |= _names_read(factor.expr)
    return found


def _names_read(expression: str) -> set[str]:
    """Names in a Python expression that are not called and not modules; `quoted names` included."""
    tree, original = _expression(expression)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            skipped.add(node.func)
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES
        ):
            skipped.add(node.value)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in skipped}
    return {original.get(name, name) for name in names}


def _expression(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """A Python expression parsed, and the `quoted names` that stand behind the identifiers in it."""
    quoted: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        return quoted.setdefault(match.group(1), f"_quoted_{len(quoted)}")

    tree = ast.parse(re.sub(r"`([^`]*)`", placeholder, expression).strip(), mode="eval")
    return tree, {alias: name for name, alias in quoted.items()}


def _columns_that_differ(spec: Any, asked: list[Any], common: set[str], formula: str) -> list[int]:
    keep: list[int] = []
    cancelled = []
    for term, columns in spec.term_indices.items():
        if _variables(term.factors) <= common:
            cancelled += [str(term)] if term in asked else []
        else:
            keep += columns
    if not keep:
        raise InvalidDataError(f"formula={formula!r} has no term that differs between the options compared.")
    if cancelled:
        warn_about_data(
            f"In formula={formula!r} these terms are the same for both options, cancel in the difference and "
            f"are left out: {shown(cancelled)}. Write a:b instead of a*b to leave them out yourself."
        )
    return sorted(keep)
