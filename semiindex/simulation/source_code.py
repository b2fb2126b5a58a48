"""What a function or a class of the user does, as far as it is written down in code.

Code is followed from function to function and class to class through the global names that it reads, up
to the code of installed packages: their version is the user's business, as the version of this package
is that of a cache.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from functools import cached_property, partial
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

__all__ = ["class_functions", "class_values", "global_values", "is_settled", "is_users"]

_SETTLED = (bool, int, float, complex, str, bytes, np.generic, Enum, partial, tuple, frozenset)
#: What `dataclass` writes; `__hash__` and the like of a user come from a file.
_GENERATED = {
    *("__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
    *("__setattr__", "__delattr__", "__replace__", "__getstate__", "__setstate__"),
}
_INSTALLED = {"site-packages", "dist-packages"}


def is_users(value: Any) -> bool:
    """Whether a function or class is of a script, a notebook or a module that is not installed."""
    name = str(getattr(value, "__module__", None) or "builtins")
    if name.partition(".")[0] in sys.stdlib_module_names | {"semiindex"}:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or not _INSTALLED & set(Path(file).parts)


def is_settled(value: Any) -> bool:
    """Whether a global value says what code does, and is not a place where code keeps things.

    Lists, dictionaries, sets and most objects are as often filled by the functions that read them, and a
    study whose own run changes what it is would not find its cache again.
    """
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    if is_dataclass(value) and not isinstance(value, type):
        return bool(type(value).__dataclass_params__.frozen)  # type: ignore[attr-defined]
    return value is None or isinstance(value, _SETTLED) or hasattr(value, "get_params")


def global_values(function: FunctionType) -> dict[str, Any]:
    """Global names that a function reads, those of its inner functions included, with their values.

    Names that it assigns itself, such as a count of its calls, are left out.
    """
    accesses = set(_global_accesses(function.__code__))
    assigned = {name for name, operation in accesses if operation == "STORE_GLOBAL"}
    read = {name for name, _ in accesses if name in function.__globals__}
    return {name: function.__globals__[name] for name in sorted(read - assigned)}


def _global_accesses(code: CodeType) -> Iterator[tuple[str, str]]:
    """Names with what is done to them."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"}:
            yield instruction.argval, instruction.opname
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_accesses(constant)


def class_functions(kind: type) -> dict[str, list[FunctionType]]:
    """Functions in the body of a class by name: methods, and those behind properties."""
    found = {name: _functions(value) for name, value in vars(kind).items()}
    return {
        name: functions
        for name, functions in found.items()
        if functions and not (is_dataclass(kind) and name in _GENERATED and _are_generated(functions))
    }


def class_values(kind: type) -> dict[str, Any]:
    """What else the body of a class holds, by name."""
    return {
        name: value
        for name, value in vars(kind).items()
        if not (_functions(value) or _is_special(name) or name.startswith("_abc_"))
    }


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _functions(value: Any) -> list[FunctionType]:
    """The functions behind an attribute of a class; none of other values."""
    parts: list[Any] = [value]
    if isinstance(value, property):
        parts = [value.fget, value.fset, value.fdel]
    elif isinstance(value, staticmethod | classmethod):
        parts = [value.__func__]
    elif isinstance(value, cached_property):
        parts = [value.func]
    return [part for part in parts if isinstance(part, FunctionType)]


def _are_generated(functions: list[FunctionType]) -> bool:
    """Whether `dataclass` wrote the functions, from fields that are described anyway."""
    return all(unwrap(function).__code__.co_filename == "<string>" for function in functions)
