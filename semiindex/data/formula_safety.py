"""What a formula may contain if it comes from a file: nothing that could run code of the file's author.

Formulaic hands every factor to `eval`, with Python's built-in functions within reach, and has no mode
that restricts it.
"""

from __future__ import annotations

import ast

import numpy as np

__all__ = ["MODULES", "forbidden_part"]

#: Names in a formula that stand for no column: NumPy, and formulaic's kinds of contrasts.
MODULES = ("np", "contr")

#: Formulaic's transforms, but for ``hashed``, which calls a function that it is given.
_TRANSFORMS = {
    "C", "I", "Q", "bs", "cc", "center", "cr", "cs", "exp", "exp10", "exp2", "lag", "log", "log10", "log2",
    "poly", "scale", "standardize",
}  # fmt: skip
#: Elementwise functions of NumPy that are no ufuncs.
_ELEMENTWISE = {"clip", "where"}
_CONSTANTS = {"e", "inf", "pi"}
_ARITHMETIC = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.List, ast.Tuple, ast.Dict, ast.keyword,
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def forbidden_part(tree: ast.AST) -> str | None:
    """First part of an expression that is more than arithmetic and known functions.

    Allowed are columns, numbers, texts, lists of them, operators, comparisons, formulaic's transforms
    and contrasts (``contr.treatment("a")``), and NumPy's elementwise functions and constants.

    Parameters
    ----------
    tree : ast.AST
        A factor of a formula, as Python parses it.

    Returns
    -------
    str or None
        The part as source code; None if all is allowed.

    Examples
    --------
    >>> import ast
    >>> from semiindex.data.formula_safety import forbidden_part
    >>> forbidden_part(ast.parse("np.log(price) / scale(time)", mode="eval"))
    >>> forbidden_part(ast.parse("price + __import__('os').system('date')", mode="eval"))
    "__import__('os').system('date')"
    """
    if isinstance(tree, ast.Call):
        if not _is_known_function(tree.func):
            return ast.unparse(tree)
        parts: list[ast.AST] = [*tree.args, *tree.keywords]
    elif isinstance(tree, ast.Attribute) and _is_known_value(tree):
        parts = []
    elif isinstance(tree, _ARITHMETIC):
        parts = list(ast.iter_child_nodes(tree))
    else:
        return ast.unparse(tree)
    return next((found for part in parts if (found := forbidden_part(part)) is not None), None)


def _is_known_function(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _TRANSFORMS
    if not isinstance(function, ast.Attribute) or _module_of(function) is None:
        return False
    if _module_of(function) == "contr":
        return _is_known_value(function)
    return function.attr in _ELEMENTWISE or isinstance(getattr(np, function.attr, None), np.ufunc)


def _is_known_value(attribute: ast.Attribute) -> bool:
    """A constant of NumPy, or a kind of contrasts."""
    module = _module_of(attribute)
    if module == "contr":
        return not attribute.attr.startswith("_")
    return module == "np" and attribute.attr in _CONSTANTS


def _module_of(node: ast.expr) -> str | None:
    """The module whose direct attribute a node is."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id if node.value.id in MODULES else None
    return None
