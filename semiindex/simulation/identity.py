"""What a definition is, apart from where it lies in memory: descriptions and fingerprints of values.

A cache may be continued only by the study that began it, and random streams must depend on names
alone. Python's `hash` changes from run to run, and pickles change with the way objects share parts;
a description is built from types, fields, parameters and code, and is the same in every process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from semiindex.exceptions import InvalidParameterError

__all__ = ["describe", "fingerprint", "stream_key"]


def fingerprint(value: Any) -> str:
    """Hexadecimal digest of the description of a value, 32 characters."""
    try:
        text = json.dumps(describe(value), sort_keys=True, ensure_ascii=False)
    except RecursionError as error:
        raise InvalidParameterError(
            f"{value!r} contains itself, so that it cannot be described; a study made of it has no cache"
        ) from error
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=4096)  # asked for several times in every replication
def stream_key(*names: str | int) -> tuple[int, ...]:
    """Four 32-bit words from names: the part of a `SeedSequence.spawn_key` that stands for them.

    As a child of `SeedSequence.spawn` is known by its number, a cell of a study is known by this key.
    It depends on nothing but the names, so that a study may grow without changing what is there.
    """
    digest = hashlib.sha256(json.dumps(names, ensure_ascii=False).encode()).digest()
    return tuple(int(word) for word in np.frombuffer(digest[:16], dtype="<u4"))


def describe(value: Any) -> Any:
    """A description of a value in lists, dictionaries, strings and numbers.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, containers, dataclasses, estimators, functions, and objects that are
        known by their attributes.

    Returns
    -------
    object
        That `json` can write.

    Raises
    ------
    InvalidParameterError
        If a part of the value has neither fields nor parameters nor attributes.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.generic):
        return [type(value).__name__, repr(value.item() if isinstance(value, np.generic) else value)]
    for kinds, describer in _DESCRIBERS:
        if isinstance(value, kinds):
            return describer(value)
    return _describe_object(value)


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _describe_array(value: np.ndarray[Any, Any]) -> Any:
    if value.dtype.hasobject:
        return ["array", describe(value.tolist())]
    digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return ["array", value.dtype.str, list(value.shape), digest]


def _describe_mapping(value: Mapping[Any, Any]) -> Any:
    # The order of entries counts in none of the definitions of a study.
    return ["mapping", sorted(([describe(k), describe(v)] for k, v in value.items()), key=repr)]


def _describe_code(code: CodeType) -> Any:
    constants = [describe(constant) for constant in code.co_consts]
    return ["code", hashlib.sha256(code.co_code).hexdigest(), list(code.co_names), constants]


def _describe_function(value: FunctionType) -> Any:
    """Name, code, defaults and what the code closes over; globals that it reads are known by name."""
    closed = [cell.cell_contents for cell in value.__closure__ or ()]
    inner = [describe(part) for part in (value.__defaults__, value.__kwdefaults__, closed)]
    return ["function", _name(value), _describe_code(value.__code__), inner]


def _describe_object(value: Any) -> Any:
    if is_dataclass(value):
        state = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
    elif hasattr(value, "get_params"):
        state = value.get_params(deep=False)
    elif hasattr(value, "__dict__"):
        state = vars(value)
    else:
        raise InvalidParameterError(
            f"{value!r} of type {_name(type(value))} cannot be described, so that a study made of it could "
            "not be recognised: use a dataclass, an estimator or a function"
        )
    return ["object", _name(type(value)), _describe_mapping(state)]


_DESCRIBERS: tuple[tuple[Any, Any], ...] = (
    (np.ndarray, _describe_array),
    (Mapping, _describe_mapping),
    (list | tuple, lambda value: ["sequence", [describe(item) for item in value]]),
    (set | frozenset, lambda value: ["set", sorted((describe(item) for item in value), key=repr)]),
    (range | complex | bytes | type(Ellipsis), repr),
    (Path, str),
    (Enum, lambda value: [_name(type(value)), value.name]),
    (CodeType, _describe_code),
    (FunctionType, _describe_function),
    (MethodType, lambda value: ["method", describe(value.__self__), describe(value.__func__)]),
    (partial, lambda value: ["partial", *map(describe, (value.func, value.args, value.keywords))]),
    (BuiltinFunctionType | np.ufunc, lambda value: ["builtin", getattr(value, "__name__", repr(value))]),
    (type, _name),
)
