"""A table of a TOML file that knows its place, so that messages can name the key at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import signature
from typing import Any, TypeVar

from semiindex.exceptions import InvalidParameterError, SemiindexError

__all__ = ["Table"]

T = TypeVar("T")

#: Annotation -> the types of TOML it admits, in words.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "str": ((str,), "a text"),
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
                raise self.error(key, f"unknown key; {hint}known here: {', '.join(known)}")

    def get(self, key: str, kind: str, default: Any) -> Any:
        """A value of a kind: int, float, bool or str; the default where the key is missing."""
        if key not in self.values:
            return default
        value = self.values[key]
        self._check(key, value, kind)
        return value

    def _check(self, key: str, value: Any, kind: str) -> None:
        types, words = _KINDS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise self.error(key, f"must be {words}, got {value!r}")

    def numbers(self, key: str, default: list[float] | None = None) -> list[float]:
        """A number or a list of numbers, as a list."""
        return [float(value) for value in self._list(key, "float", default)]

    def integers(self, key: str) -> list[int]:
        """An integer or a list of integers, as a list."""
        return [int(value) for value in self._list(key, "int", None)]

    def _list(self, key: str, kind: str, default: list[Any] | None) -> list[Any]:
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        items = value if isinstance(value, list) else [value]
        if not items:
            raise self.error(key, "must not be empty")
        for item in items:
            self._check(key, item, kind)
        return items

    def choice(
        self, name: str, among: Mapping[str, T], *, default: str | None = None, key: str | None = None
    ) -> T:
        """The object of which the file gives the name.

        Parameters
        ----------
        name : str
            The key.
        among : mapping
            Objects by name.
        default : str, optional
            Name where the key is missing.
        key : str, optional
            What messages call the key.

        Returns
        -------
        object
        """
        value = self.values.get(name, default)
        if not isinstance(value, str) or value not in among:
            got = "it is missing" if value is None else f"got {value!r}"
            raise self.error(key or name, f"must be one of {', '.join(among)}; {got}")
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

    def build(
        self,
        make: Callable[..., T],
        arguments: Mapping[str, Any] | None = None,
        *,
        hidden: Iterable[str] = (),
        also: Iterable[str] = (),
    ) -> T:
        """Make an object; its errors name the place.

        Parameters
        ----------
        make : callable
            Class or function.
        arguments : mapping, optional
            Its arguments. Default: the values of the table, whose keys and types are checked.
        hidden : iterable of str
            Arguments that a file cannot hold.
        also : iterable of str
            Keys of the table that are read elsewhere, for messages.

        Returns
        -------
        object
        """
        if arguments is None:
            parameters = {k: p for k, p in signature(make).parameters.items() if k not in set(hidden)}
            self.refuse_unknown([*parameters, *also])
            for key, value in self.values.items():
                kind = str(parameters[key].annotation)
                if kind in _KINDS:
                    self._check(key, value, kind)
            arguments = self.values
        try:
            return make(**arguments)
        except (SemiindexError, TypeError, ValueError) as error:
            raise InvalidParameterError(f"{self.place}: {error}") from error
