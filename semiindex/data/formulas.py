"""Features by a formula, evaluated on both options at once so that levels and knots coincide."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.data.tables import shown, warn_about_data
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate_formula", "formula_variables"]


def formula_variables(formula: str, available: Collection[Any]) -> list[str]:
    """Names of the columns that a formula uses, in the order of `available`."""
    wanted = _variables(factor for term in _parse(formula) for factor in term.factors)
    unknown = sorted(wanted - {str(column) for column in available})
    if unknown:
        raise InvalidDataError(
            f"formula={formula!r} uses {shown(unknown)}, but the columns are {shown(available)}."
        )
    return [column for column in available if str(column) in wanted]


def evaluate_formula(
    formula: str, options0: pd.DataFrame, options1: pd.DataFrame, context: pd.DataFrame | None
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Model matrices of both options.

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
    """
    import pandas as pd
    from formulaic.errors import FormulaicError

    shared = [] if context is None else [context.reset_index(drop=True)]
    sides = [pd.concat([options.reset_index(drop=True), *shared], axis=1) for options in (options0, options1)]
    common = {str(column) for column in sides[0].columns if (sides[0][column] == sides[1][column]).all()}
    asked = [term for term in _parse(formula) if str(term) != "1"]
    terms = _with_common_parts(asked, common)
    try:
        matrix = _parse([*_parse("1"), *terms]).get_model_matrix(
            pd.concat(sides, ignore_index=True), context={"np": np}, na_action="ignore", output="numpy"
        )
    except (FormulaicError, TypeError, ValueError, NameError, KeyError) as error:
        raise InvalidDataError(f"formula={formula!r} could not be evaluated: {_first_line(error)}") from error
    keep = _columns_that_differ(matrix.model_spec, asked, common, formula)
    values = np.asarray(matrix, dtype=np.float64)[:, keep]
    names = tuple(matrix.model_spec.column_names[j] for j in keep)
    m = len(options0)
    return values[:m], values[m:], names


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
    quoted: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        return quoted.setdefault(match.group(1), f"_quoted_{len(quoted)}")

    tree = ast.parse(re.sub(r"`([^`]*)`", placeholder, expression).strip(), mode="eval")
    original = {alias: name for name, alias in quoted.items()}
    skipped = set()
    for node in ast.walk(tree):
        holder = node.func if isinstance(node, ast.Call) else node
        while isinstance(holder, ast.Attribute):
            holder = holder.value
        if holder is not node:
            skipped.add(holder)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in skipped}
    return {original.get(name, name) for name in names}


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
