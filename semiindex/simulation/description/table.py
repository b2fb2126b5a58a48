"""A table of a TOML file that knows its place, so that messages can name the key at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, Generic, TypeAlias, TypeVar

from semiindex.exceptions import InvalidParameterError, SemiindexError

__all__ = ["Kind", "Reader", "Table"]

T = TypeVar("T")

#: From a table and one of its keys to the value that the key stands for.
Reader: TypeAlias = Callable[["Table", str], Any]

#: Annotation -> the types of TOML it admits, in words.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "str": ((str,), "a text"),
}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A class, or a function, of which a table holds the arguments.

    Parameters
    ----------
    make : callable
        Class or function. Its parameters are the keys of the table; those annotated as int, float, bool or
        str are checked.
    readers : mapping from str to Reader, default={}
        For the parameters that a value of TOML does not hold as it is.
    hidden : tuple of str, default=()
        Parameters that a file cannot set.
    """

    make: Callable[..., T]
    readers: Mapping[str, Reader] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters that a file can set, by name."""
        return {
            name: parameter
            for name, parameter in signature(self.make).parameters.items()
            if name not in self.hidden
        }


@dataclass(frozen=True)
class Table:
    """Values of a table of the file.

    Parameters
    ----------
    values : mapping
        What the file says.
    place : str
        Name of the file and of the table.
    """

    values: Mapping[str, Any]
    place: str

    def error(self, key: str, message: str) -> InvalidParameterError:
        """An error that names the key."""
        return InvalidParameterError(f"{self.place}: {key}: {message}")

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Refuse keys that mean nothing here."""
        known = list(known)
        for key in self.values:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise self.error(key, f"unknown key; {hint}known here: {', '.join(known) or 'none'}")

    def get(self, key: str, kind: str, default: Any) -> Any:
        """A value of a kind: int, float, bool or str; the default where the key is missing."""
        if key not in self.values:
            return default
        self.check(key, self.values[key], kind)
        return self.values[key]

    def check(self, key: str, value: Any, annotation: str) -> None:
        """Refuse a value of another type than an annotation says; other annotations admit anything."""
        names = [name for name in annotation.split(" | ") if name != "None"]
        if not all(name in _TYPES for name in names):
            return
        types = {one for name in names for one in _TYPES[name][0]}
        if type(value) not in types:
            words = " or ".join(_TYPES[name][1] for name in names)
            raise self.error(key, f"must be {words}, got {value!r}")

    def numbers(self, key: str, default: list[float] | None = None) -> list[float]:
        """A number or a list of numbers, as a list."""
        return [float(value) for value in self.items(key, "float", default)]

    def integers(self, key: str) -> list[int]:
        """An integer or a list of integers, as a list."""
        return [int(value) for value in self.items(key, "int")]

    def items(self, key: str, annotation: str, default: list[Any] | None = None) -> list[Any]:
        """A value or a list of values of an annotation, as a list."""
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        items = value if isinstance(value, list) else [value]
        if not items:
            raise self.error(key, "must not be empty")
        for item in items:
            self.check(key, item, annotation)
        return items

    def objects(self, key: str, read: Reader) -> list[Any]:
        """What a reader makes of the entries of a list."""
        entries = self.values.get(key)
        if not isinstance(entries, list) or not entries:
            raise self.error(key, f"must be a list of one or more, got {entries!r}")
        named = Table({f"{key}, entry {i}": entry for i, entry in enumerate(entries, start=1)}, self.place)
        return [read(named, name) for name in named.values]

    def choice(self, key: str, among: Mapping[str, T], *, default: str | None = None, more: str = "") -> T:
        """The object of which the file gives the name.

        Parameters
        ----------
        key : str
            The key.
        among : mapping
            Objects by name.
        default : str, optional
            Name where the key is missing.
        more : str, default=""
            What else the value may be, for messages.

        Returns
        -------
        object
        """
        value = self.values.get(key, default)
        if not isinstance(value, str) or value not in among:
            got = "it is missing" if value is None else f"got {value!r}"
            raise self.error(key, f"must be one of {', '.join(among)}{more}; {got}")
        return among[value]

    def table(self, key: str) -> Table:
        """A table in this one."""
        value = self.values.get(key)
        if not isinstance(value, Mapping):
            raise self.error(key, f"must be a table, got {value!r}")
        return Table(value, f"{self.place}: {key}")

    def tables(self, key: str) -> dict[str, Table]:
        """Named tables, ``[key.name]``, of which there is one at least."""
        if not self.values.get(key):
            raise self.error(key, f"is missing: write a table [{key}.NAME] for each")
        outer = self.table(key)
        for name, value in outer.values.items():
            if not isinstance(value, Mapping):
                raise self.error(f"{key}.{name}", f"must be a table [{key}.{name}], got {value!r}")
        return {name: Table(value, f"{self.place}: {key}.{name}") for name, value in outer.values.items()}

    def without(self, *keys: str) -> Table:
        """The table without some of its keys."""
        return Table({key: value for key, value in self.values.items() if key not in keys}, self.place)

    def object(self, key: str, kinds: Mapping[str, Kind[T]], *, name: str = "kind") -> T:
        """An object that a name stands for, or a table of its name and its arguments.

        Parameters
        ----------
        key : str
            The key, with a value such as ``"reference"`` or ``{ kind = "reference", replace = false }``.
        kinds : mapping from str to Kind
            What there is.
        name : str, default="kind"
            Key of the name in the table.

        Returns
        -------
        object
        """
        if not isinstance(self.values.get(key), Mapping):
            chosen = self.choice(key, kinds, more=f", or a table {{ {name} = ... }} of one and its keys")
            return Table({}, f"{self.place}: {key}").build(chosen)
        table = self.table(key)
        return table.without(name).build(table.choice(name, kinds), also=(name,))

    def arguments(self, kind: Kind[Any], *, also: Iterable[str] = ()) -> dict[str, Any]:
        """Arguments of a kind: the checked values of the table.

        Parameters
        ----------
        kind : Kind
            What they are for.
        also : iterable of str
            Keys that are read elsewhere, for messages.

        Returns
        -------
        dict
        """
        parameters = kind.parameters
        self.refuse_unknown([*also, *parameters])
        missing = [name for name, p in parameters.items() if p.default is p.empty and name not in self.values]
        if missing:
            raise self.error(missing[0], "is missing")
        arguments = {}
        for key, value in self.values.items():
            if key in kind.readers:
                arguments[key] = kind.readers[key](self, key)
            else:
                self.check(key, value, str(parameters[key].annotation))
                arguments[key] = value
        return arguments

    def build(self, kind: Kind[T], *, also: Iterable[str] = ()) -> T:
        """Make the object of which the table holds the arguments; see `arguments`."""
        return self.call(kind.make, self.arguments(kind, also=also))

    def call(self, make: Callable[..., T], arguments: Mapping[str, Any]) -> T:
        """Make an object of arguments; its errors name the place."""
        try:
            return make(**arguments)
        except (SemiindexError, TypeError, ValueError) as error:
            raise InvalidParameterError(f"{self.place}: {error}") from error
