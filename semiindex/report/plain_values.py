"""Values of the library as JSON knows them, and back: parameters, index classes, what they learned."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Any, Literal

import numpy as np

from semiindex._types import AnyArray
from semiindex.divergence.alpha import AlphaDivergence
from semiindex.divergence.standard import ChiSquared, ForwardKL, Hellinger, JensenShannon, ReverseKL
from semiindex.exceptions import InvalidDataError
from semiindex.index.base import IndexClass
from semiindex.index.feature_map import FourierMap, RepresenterMap
from semiindex.index.kernel import KernelIndex
from semiindex.index.kernels import BoundKernel, ProductKernel
from semiindex.index.linear import LinearIndex
from semiindex.index.policy_index import PolicyIndex
from semiindex.link import Link, MonotoneSpline, ShapeConstrainedLink, link_from_dict

__all__ = ["from_plain", "require_known", "to_plain"]

#: Dataclasses that are written field by field.
_DATACLASSES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        *(MonotoneSpline, ShapeConstrainedLink, BoundKernel, RepresenterMap, FourierMap),
        *(ReverseKL, ForwardKL, JensenShannon, ChiSquared, Hellinger, AlphaDivergence),
    )
}
#: Index classes, and what they keep of a fit.
_INDEX_CLASSES: dict[str, tuple[type[IndexClass], frozenset[str]]] = {
    "LinearIndex": (LinearIndex, frozenset()),
    "PolicyIndex": (PolicyIndex, frozenset({"columns_"})),
    "KernelIndex": (
        KernelIndex,
        frozenset({"n_features_in_", "on_differences_", "gamma_", "n_components_", "_map", "_rotation"}),
    ),
}


def to_plain(value: Any) -> Any:
    """A value as numbers, strings, lists and dictionaries.

    Parameters
    ----------
    value : object
        A plain value, an array, a container of such, a link or its specification, an index class.

    Returns
    -------
    object
        What is more than a number, a text or a list is a dictionary with the entries ``"value"``, its
        kind, and ``"fields"``, its content. A matrix of numbers is stored as its bytes (little endian,
        row by row for the order "C", else column by column) in base64: a kernel has a million numbers,
        of which nobody reads one.

    Raises
    ------
    InvalidDataError
        For any other value, such as a function.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return {"value": "float", "fields": repr(value)}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    kind = _kind(value)
    if kind is None:
        raise InvalidDataError(
            f"{value!r} of type {type(value).__name__} cannot be written as JSON; use joblib.dump"
        )
    return (
        [to_plain(entry) for entry in value] if kind == "list" else {"value": kind, "fields": _content(value)}
    )


def from_plain(value: Any) -> Any:
    """Inverse of `to_plain`.

    Parameters
    ----------
    value : object
        What `to_plain` returned.

    Returns
    -------
    object

    Raises
    ------
    InvalidDataError
        For a kind of value that is not known.
    """
    if isinstance(value, list):
        return [from_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kind, content = value["value"], value["fields"]
    if kind in _DATACLASSES:
        cls = _DATACLASSES[kind]
        require_known(content, {field.name for field in fields(cls)}, kind)
        return cls(**_made_entries(content))
    if kind in _INDEX_CLASSES:
        return _made_index(kind, content)
    require_known([kind], _MAKERS, "the file")
    return _MAKERS[kind](content)


def require_known(names: Collection[str], known: Collection[str], what: str) -> None:
    """Refuse entries that this version does not know, instead of leaving them out.

    Parameters
    ----------
    names : collection of str
        Entries found.
    known : collection of str
        Entries that are understood.
    what : str
        Where they stand.

    Raises
    ------
    InvalidDataError
        Naming the first unknown entry.
    """
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidDataError(
            f"holds content that this version of semiindex does not know: {unknown[0]!r} in {what}; read it "
            "with the version that wrote it, or a later one"
        )


def _kind(value: Any) -> str | None:
    """Name under which a value is written."""
    if isinstance(value, Link):
        return "Link"
    name = type(value).__name__
    if type(value) in (list, tuple, dict, ProductKernel) or _DATACLASSES.get(name) is type(value):
        return name
    if isinstance(value, np.ndarray):
        return "array"
    return name if name in _INDEX_CLASSES and _INDEX_CLASSES[name][0] is type(value) else None


def _content(value: Any) -> Any:
    """What has to be known of a value beside its kind."""
    if isinstance(value, Link):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return _array_content(value)
    if isinstance(value, tuple):
        return [to_plain(entry) for entry in value]
    if isinstance(value, dict):  # as pairs: its keys may be numbers
        return [[to_plain(key), to_plain(entry)] for key, entry in value.items()]
    if isinstance(value, ProductKernel):
        return to_plain(list(value.factors))
    if isinstance(value, IndexClass):
        return _index_content(value)
    return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}


def _index_content(index: IndexClass) -> dict[str, Any]:
    parameters = index.get_params(deep=False)
    learned = {name: value for name, value in vars(index).items() if name not in parameters}
    require_known(learned, _INDEX_CLASSES[type(index).__name__][1], repr(index))
    return {
        "parameters": {name: to_plain(value) for name, value in parameters.items()},
        "fitted": {name: to_plain(value) for name, value in learned.items()},
    }


def _made_index(kind: str, content: dict[str, Any]) -> IndexClass:
    cls, known = _INDEX_CLASSES[kind]
    parameters, learned = (content.get(section, {}) for section in ("parameters", "fitted"))
    require_known(parameters, cls._get_param_names(), kind)
    require_known(learned, known, kind)
    index = cls(**_made_entries(parameters))
    for name, value in _made_entries(learned).items():
        setattr(index, name, value)
    return index


def _made_entries(content: dict[str, Any]) -> dict[str, Any]:
    return {name: from_plain(value) for name, value in content.items()}


def _array_content(values: AnyArray) -> dict[str, Any]:
    if values.ndim > 1 and values.dtype.kind in "biuf":
        # Products with a matrix round differently if it is stored by columns, hence the order.
        order: Literal["C", "F"] = "F" if values.flags.f_contiguous and not values.flags.c_contiguous else "C"
        little = values.astype(values.dtype.newbyteorder("<"))
        encoded = base64.b64encode(little.tobytes(order)).decode("ascii")
        return {"dtype": little.dtype.str, "shape": list(values.shape), "order": order, "base64": encoded}
    return {"dtype": values.dtype.str, "values": to_plain(values.tolist())}


def _made_array(content: dict[str, Any]) -> AnyArray:
    dtype = content["dtype"]
    if "base64" in content:
        flat = np.frombuffer(base64.b64decode(content["base64"], validate=True), dtype=dtype)
        stored = flat.reshape(content["shape"], order=content["order"])
        return stored.astype(flat.dtype.newbyteorder("="))  # a copy of the same order
    return np.array(from_plain(content["values"]), dtype=object if dtype.startswith("|O") else dtype)


#: Kind of a value that is no dataclass and no index class -> how to make it from its content.
_MAKERS: dict[str, Callable[[Any], Any]] = {
    "Link": link_from_dict,
    "ProductKernel": lambda content: ProductKernel(*from_plain(content)),
    "array": _made_array,
    "dict": lambda content: {from_plain(key): from_plain(entry) for key, entry in content},
    "float": float,
    "tuple": lambda content: tuple(from_plain(entry) for entry in content),
}
