"""Links in study files: a name, a class with its parameters, or a family at a severity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semiindex.link import (
    CauchitLink,
    CloglogLink,
    LapsedLink,
    LogisticLink,
    LogLogLink,
    ParametricLink,
    ProbitLink,
    ShiftedMixtureLink,
)
from semiindex.simulation.description.table import Kind, Table
from semiindex.simulation.link_families import link_at_severity
from semiindex.simulation.mixture_link import MixtureLink

__all__ = ["LINKS", "read_link", "read_links"]


def read_link(table: Table, key: str) -> ParametricLink:
    """The link of ``"probit"``, ``{ kind = "lapsed", ... }`` or ``{ family = "flips", severity = 1 }``."""
    value = table.values.get(key)
    if isinstance(value, Mapping) and "family" in value:
        return table.table(key).build(Kind(link_at_severity))
    link: ParametricLink = table.object(key, LINKS)
    return link


def read_links(table: Table, key: str) -> tuple[ParametricLink, ...]:
    """A list of links."""
    return tuple(table.objects(key, read_link))


def _read_shares(table: Table, key: str) -> tuple[float, ...]:
    return tuple(table.numbers(key))


#: Links by name.
LINKS: dict[str, Kind[Any]] = {
    "logistic": Kind(LogisticLink),
    "probit": Kind(ProbitLink),
    "cauchit": Kind(CauchitLink),
    "loglog": Kind(LogLogLink),
    "cloglog": Kind(CloglogLink),
    "lapsed": Kind(LapsedLink, {"base": read_link}),
    "shifted_mixture": Kind(ShiftedMixtureLink),
    "mixture": Kind(MixtureLink, {"links": read_links, "shares": _read_shares}),
}
