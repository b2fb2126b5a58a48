"""What a definition is, apart from where it lies in memory: descriptions and fingerprints of values.

A cache may be continued only by the study that began it, and random streams must depend on names
alone. Python's `hash` changes from run to run, and pickles change with the way objects share parts;
a description is built from types, fields, parameters and code, and is the same in every process.

Of functions and classes of the user the code counts, also of those that they call and inherit from, and
the global constants that they read. What is not seen: code of installed packages, attributes of modules
(``settings.RIDGE``), global lists, dictionaries and other objects that code may fill, files and the
environment.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, partial
from inspect import unwrap
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.source_code import (
    class_functions,
    class_values,
    global_values,
    is_settled,
    is_users,
)

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
    describer = _Describer()
    described = describer.describe(value)
    return {"value": described, "code": describer.describe_reached()}


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


class _Describer:
    """Describes values, and notes the functions and classes of the user that they reach.

    Those are described once, in a list of their own, because they may reach each other in circles.
    """

    def __init__(self) -> None:
        self._reached: dict[int, Any] = {}  # by `id`, which the values keep from being given anew
        self._waiting: deque[Any] = deque()
        self._under_way: set[int] = set()

    def describe(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float | np.generic):
            return [type(value).__name__, repr(value.item() if isinstance(value, np.generic) else value)]
        for kinds, describer in _DESCRIBERS:
            if isinstance(value, kinds):
                return describer(self, value)
        return self._object(value)

    def describe_reached(self) -> list[Any]:
        """Functions and classes that descriptions so far name, and those that these name."""
        described = {}
        while self._waiting:
            value = self._waiting.popleft()
            one = self._class(value) if isinstance(value, type) else self._function(value)
            described[repr(one)] = one  # a notebook may have defined the same twice
        return [described[key] for key in sorted(described)]

    def _reach(self, value: Any) -> None:
        if id(value) not in self._reached and is_users(value):
            self._reached[id(value)] = value
            self._waiting.append(value)

    # Values ---------------------------------------------------------------------------------------

    def _array(self, value: np.ndarray[Any, Any]) -> Any:
        if value.dtype.hasobject:
            return ["array", self.describe(value.tolist())]
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return ["array", value.dtype.str, list(value.shape), digest]

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        # The order of entries counts in none of the definitions of a study.
        return ["mapping", sorted(([self.describe(k), self.describe(v)] for k, v in value.items()), key=repr)]

    def _sequence(self, value: Any) -> Any:
        return ["sequence", [self.describe(item) for item in value]]

    def _set(self, value: Any) -> Any:
        return ["set", sorted((self.describe(item) for item in value), key=repr)]

    def _partial(self, value: partial[Any]) -> Any:
        return ["partial", *map(self.describe, (value.func, value.args, value.keywords))]

    def _method(self, value: MethodType) -> Any:
        return ["method", self.describe(value.__self__), self.describe(value.__func__)]

    def _object(self, value: Any) -> Any:
        if is_dataclass(value):
            state = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        elif hasattr(value, "get_params"):
            state = value.get_params(deep=False)
        elif hasattr(value, "__dict__"):
            state = vars(value)
        else:
            raise InvalidParameterError(
                f"{value!r} of type {_name(type(value))} cannot be described, so that a study made of it "
                "could not be recognised: use a dataclass, an estimator or a function"
            )
        return ["object", self._type(type(value)), self._mapping(state)]

    # Code -----------------------------------------------------------------------------------------

    def _type(self, kind: type) -> str:
        for base in kind.__mro__:
            self._reach(base)
        return _name(kind)

    def _code(self, code: CodeType) -> Any:
        constants = [self.describe(constant) for constant in code.co_consts]
        return ["code", hashlib.sha256(code.co_code).hexdigest(), list(code.co_names), constants]

    def _function(self, value: FunctionType) -> Any:
        """Name, code, defaults, what the code closes over, and what it reads of the user's globals."""
        if id(value) in self._under_way:  # it closes over itself
            return ["function", _name(value)]
        self._under_way.add(id(value))
        closed = [_contents(cell) for cell in value.__closure__ or ()]
        inner = [self.describe(part) for part in (value.__defaults__, value.__kwdefaults__, closed)]
        read = global_values(value) if is_users(value) else {}
        described = ["function", _name(value), self._code(value.__code__), inner]
        described += [[name, self._named(other)] for name, other in read.items()]
        self._under_way.discard(id(value))
        return described

    def _class(self, kind: type) -> Any:
        functions = {name: list(map(self._function, parts)) for name, parts in class_functions(kind).items()}
        values = {name: self._named(value) for name, value in class_values(kind).items()}
        members = sorted({**functions, **values}.items())
        return ["class", _name(kind), [_name(base) for base in kind.__bases__], members]

    def _named(self, value: Any) -> Any:
        """What code means by a global name or an attribute of a class."""
        value = unwrap(value) if callable(value) else value
        if isinstance(value, type):
            return self._type(value)
        if isinstance(value, FunctionType):
            self._reach(value)
            return ["function", _name(value), self._code(value.__code__) if is_users(value) else None]
        if isinstance(value, ModuleType):
            return value.__name__
        try:
            return self.describe(value) if is_settled(value) else _name(type(value))
        except InvalidParameterError:
            return _name(type(value))


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is bound later
        return None


_DESCRIBERS: tuple[tuple[Any, Any], ...] = (
    (np.ndarray, _Describer._array),
    (Mapping, _Describer._mapping),
    (list | tuple, _Describer._sequence),
    (set | frozenset, _Describer._set),
    (range | complex | bytes | type(Ellipsis), lambda _, value: repr(value)),
    (Path, lambda _, value: str(value)),
    (Enum, lambda _, value: [_name(type(value)), value.name]),
    (CodeType, _Describer._code),
    (FunctionType, _Describer._function),
    (MethodType, _Describer._method),
    (partial, _Describer._partial),
    (BuiltinFunctionType | np.ufunc, lambda _, value: ["builtin", getattr(value, "__name__", repr(value))]),
    (type, _Describer._type),
)
