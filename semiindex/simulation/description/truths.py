"""Truths in study files: a family of links over its severities, one link, or the published experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semiindex.divergence import (
    alpha_divergence,
    chi_squared,
    forward_kl,
    hellinger,
    js_divergence,
    reverse_kl,
)
from semiindex.simulation.contextual import ContextualFeatures
from semiindex.simulation.description.links import read_link, read_links
from semiindex.simulation.description.table import Kind, Table
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.link_families import LINK_FAMILIES
from semiindex.simulation.published import PublishedTruth
from semiindex.simulation.raters import Raters
from semiindex.simulation.scores import AlternatingScore, LinearScore
from semiindex.simulation.severity_grid import severity_grid
from semiindex.simulation.teacher import random_teacher
from semiindex.simulation.truth import Truth, TruthSource

__all__ = ["DIVERGENCES", "RATERS", "TruthReader"]


def _read_numbers(table: Table, key: str) -> tuple[float, ...]:
    return tuple(table.numbers(key))


def _read_integers(table: Table, key: str) -> tuple[int, ...]:
    return tuple(table.integers(key))


#: Divergences by name.
DIVERGENCES: dict[str, Kind[Any]] = {
    **{
        one.name: Kind(lambda one=one: one, hidden=("one",))
        for one in (reverse_kl, forward_kl, js_divergence, chi_squared, hellinger)
    },
    "alpha_divergence": Kind(alpha_divergence),
}

#: The raters of a truth.
RATERS = Kind(Raters, {"links": read_links, "shares": _read_numbers})

_FAMILY, _PUBLISHED = "family", "published"


class TruthReader:
    """Reads truths; scores and truths of the published experiment may refer to a contextual design.

    Parameters
    ----------
    designs : mapping from str to ComparisonDesign
        Designs of the study.
    """

    #: Keys of a truth of either kind, beside ``kind``.
    KEYS: Mapping[str, tuple[str, ...]] = {
        _FAMILY: (
            "link", "severity", "score", "position_bias", "divergence", "reference", "raters", "factors",
        ),
        _PUBLISHED: ("shift", "design"),
    }  # fmt: skip

    def __init__(self, designs: Mapping[str, ComparisonDesign]) -> None:
        self._designs = designs

    @property
    def scores(self) -> dict[str, Kind[Any]]:
        """Score functions by name."""

        def teacher(design: str, seed: int = 0, hidden: Sequence[int] = (32, 32), nu: float = 10.0) -> Any:
            return random_teacher(design, np.random.default_rng(seed), hidden, nu)  # type: ignore[arg-type]

        return {
            "linear": Kind(LinearScore, {"theta": _read_numbers}),
            "alternating": Kind(AlternatingScore),
            "teacher": Kind(teacher, {"design": self._contextual, "hidden": _read_integers}),
        }

    def read(self, name: str, table: Table) -> dict[str, TruthSource]:
        """The truths of a table, by name.

        Parameters
        ----------
        name : str
            Of the table.
        table : Table
            The table.

        Returns
        -------
        dict
            One truth by the name of the table; or of several severities or shifts ``"name value"``.
        """
        kind = table.values.get("kind", _FAMILY)
        table.choice("kind", self.KEYS, default=_FAMILY)
        table.refuse_unknown(("kind", *self.KEYS[kind]))
        return self._published(name, table) if kind == _PUBLISHED else self._truths(name, table)

    def _truths(self, name: str, table: Table) -> dict[str, TruthSource]:
        parts = self._parts(table)
        factors = self._factors(table)
        own_links = bool(parts["raters"].links) if "raters" in parts else False
        if own_links or isinstance(table.values.get("link"), Mapping):
            return {name: self._one(name, table, parts, factors, own_links)}
        family = table.choice(
            "link",
            LINK_FAMILIES,
            default=name,
            more=' (the default is the name of the truth), or a link such as { kind = "logistic" }',
        )
        grid = {
            "families": [replace(family, name=name)],
            "severities": table.numbers("severity", default=[1.0]),
        }
        truths = table.call(severity_grid, grid | parts)
        return {key: replace(truth, factors={**truth.factors, **factors}) for key, truth in truths.items()}

    def _one(
        self, name: str, table: Table, parts: dict[str, Any], factors: dict[str, Any], own_links: bool
    ) -> Truth:
        """The truth of one link, or of raters with links of their own."""
        for key in ("severity", *(("link",) if own_links else ())):
            if key in table.values:
                why = "raters.links are the links of all raters" if own_links else "link is one link"
                raise table.error(
                    key, f"has no meaning where {why}: leave it out, or state a severity there, as in "
                    '{ family = "flips", severity = 0.5 }'
                )  # fmt: skip
        link = {} if own_links else {"link": read_link(table, "link")}
        return table.call(Truth, {**parts, **link, "factors": {"link": name} | factors})

    def _parts(self, table: Table) -> dict[str, Any]:
        """Arguments of `Truth` that do not concern the link."""
        parts: dict[str, Any] = {}
        if "score" in table.values:
            parts["score"] = self._score(table)
        if "position_bias" in table.values:
            parts["position_bias"] = table.get("position_bias", "float", 0.0)
        if "divergence" in table.values:
            parts["divergence"] = table.object("divergence", DIVERGENCES)
        if "reference" in table.values:
            parts["reference"] = table.numbers("reference")
        if "raters" in table.values:
            parts["raters"] = table.table("raters").build(RATERS)
        return parts

    def _score(self, table: Table) -> Any:
        value = table.values["score"]
        if isinstance(value, str | Mapping):
            return table.object("score", self.scores)
        return table.numbers("score")

    def _factors(self, table: Table) -> dict[str, Any]:
        """Further columns of the table of results."""
        if "factors" not in table.values:
            return {}
        factors = table.table("factors")
        for key, value in factors.values.items():
            factors.check(key, value, "str | float | bool")
        return dict(factors.values)

    def _published(self, name: str, table: Table) -> dict[str, TruthSource]:
        features = {"features": self._contextual(table, "design")} if "design" in table.values else {}
        return {
            f"{name} {shift:g}": table.call(PublishedTruth, {"shift": shift} | features)
            for shift in table.numbers("shift")
        }

    def _contextual(self, table: Table, key: str) -> ContextualFeatures:
        """Features of a contextual design of the study, by its name."""
        contextual = {
            name: design.features
            for name, design in self._designs.items()
            if isinstance(design.features, ContextualFeatures)
        }
        if not contextual:
            raise table.error(key, 'names a design with features = "contextual", of which the study has none')
        return table.choice(key, contextual)
