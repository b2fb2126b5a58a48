"""Linear restrictions written as text: "a = 2 * b", "a + b - 1 = 0", or a bare name for "= 0"."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["parse_restrictions"]

_QUOTED = re.compile(r"`([^`]*)`")


def parse_restrictions(text: str, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Read restrictions, separated by commas, on named coefficients.

    Parameters
    ----------
    text : str
        Sums, differences and multiples of names and numbers, with one equals sign or none (equal to
        0) in each restriction. Names that are no identifiers stand in backticks.
    names : sequence of str
        Names of the k coefficients.

    Returns
    -------
    matrix : array of shape (q, k)
        R.
    value : array of shape (q,)
        r of ``R theta = r``.

    Raises
    ------
    InvalidParameterError
        If the text is not linear in the names.

    Examples
    --------
    >>> from semiindex.inference.expressions import parse_restrictions
    >>> parse_restrictions("a = -2 * b, `c d` + 1", ["a", "b", "c d"])
    (array([[1., 2., 0.],
           [0., 0., 1.]]), array([ 0., -1.]))
    """
    if text in names:
        text = f"`{text}`"
    try:
        rows = [_restriction(part, names) for part in _protected(text, names).split(",")]
    except (SyntaxError, ValueError, ZeroDivisionError) as error:
        raise InvalidParameterError(
            f"cannot read the hypothesis {text!r} ({_reason(error)}); write it as 'a = b' or 'a + 2 * b = "
            f"0' with names of coefficients, {list(names)[:8]}, odd ones in backticks"
        ) from error
    table = np.array(rows)
    return table[:, :-1], 0.0 - table[:, -1]


def _protected(text: str, names: Sequence[str]) -> str:
    """The text with quoted names replaced by identifiers that say their position."""

    def position(match: re.Match[str]) -> str:
        if match.group(1) not in names:
            raise ValueError(f"there is no coefficient {match.group(1)!r}")
        return f"_quoted_{list(names).index(match.group(1))}"

    return _QUOTED.sub(position, text)


def _restriction(part: str, names: Sequence[str]) -> FloatArray:
    """``lhs - rhs`` as a vector of k coefficients and a constant."""
    sides = part.split("=")
    if len(sides) > 2:
        raise ValueError("two equals signs in one restriction")
    values = [_linear(ast.parse(side.strip(), mode="eval").body, names) for side in sides]
    return values[0] - values[1] if len(values) == 2 else values[0]


def _linear(node: ast.expr, names: Sequence[str]) -> FloatArray:
    """An expression as a vector of k coefficients and a constant."""
    constant = np.zeros(len(names) + 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        constant[-1] = node.value
        return constant
    if isinstance(node, ast.Name):
        return _unit(node.id, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _linear(node.operand, names)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _combined(node, _linear(node.left, names), _linear(node.right, names))
    raise ValueError(f"{ast.unparse(node)!r} is no sum of multiples of names")


def _unit(name: str, names: Sequence[str]) -> FloatArray:
    vector = np.zeros(len(names) + 1)
    if name.startswith("_quoted_"):
        vector[int(name.removeprefix("_quoted_"))] = 1.0
    elif name in names:
        vector[list(names).index(name)] = 1.0
    else:
        raise ValueError(f"there is no coefficient {name!r}")
    return vector


def _combined(node: ast.BinOp, left: FloatArray, right: FloatArray) -> FloatArray:
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult) and not (left[:-1].any() and right[:-1].any()):
        return left * float(right[-1]) if left[:-1].any() else float(left[-1]) * right
    if isinstance(node.op, ast.Div) and not right[:-1].any():
        if right[-1] == 0:
            raise ZeroDivisionError("division by zero")
        return left / float(right[-1])
    raise ValueError(f"{ast.unparse(node)!r} is not linear in the coefficients")


def _reason(error: Exception) -> str:
    return "no expression" if isinstance(error, SyntaxError) else str(error)
