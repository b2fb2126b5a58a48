"""The tables of the how-to list every name and key of study files, with the defaults of the classes."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from inspect import Parameter
from pathlib import Path
from typing import Any

import pytest

from semiindex import simulation
from semiindex.simulation import FeatureDistribution, Metric, PairSampling, link_at_severity
from semiindex.simulation.description.designs import FEATURES, PAIRS
from semiindex.simulation.description.estimators import ESTIMATORS, INDICES, PROFILED_LINKS, TUNING
from semiindex.simulation.description.links import LINKS
from semiindex.simulation.description.metrics import COVARIANCES, METRICS
from semiindex.simulation.description.reading import STUDY_KEYS
from semiindex.simulation.description.table import Kind
from semiindex.simulation.description.truths import DIVERGENCES, RATERS, TruthReader

PAGE = Path(__file__).parents[2] / "docs" / "how_to" / "simulation_study.md"

#: (Section, first cell of the heading) -> what the table must list.
TABLES: dict[tuple[str, str], dict[str, Any]] = {
    ("The file", "Table"): {"the file": STUDY_KEYS},
    ("Truths", "kind"): dict(TruthReader.KEYS),
    ("Truths", "score.kind"): TruthReader({}).scores,
    ("Truths", "divergence.kind"): DIVERGENCES,
    ("Truths", "raters"): {"a table": RATERS},
    ("Links", "kind"): {**LINKS, "none": Kind(link_at_severity)},
    ("Designs", "features"): {**FEATURES, "any": ("menu_size", "pairs")},
    ("Designs", "pairs.kind"): PAIRS,
    ("Estimators", "kind"): ESTIMATORS,
    ("Estimators", "index.kind"): INDICES,
    ("Estimators", "link.kind of profiled"): PROFILED_LINKS,
    ("Estimators", "tune"): {"a table": TUNING},
    ("Metrics", "kind"): METRICS,
    ("Metrics", "covariance.kind"): COVARIANCES,
}
#: Keys that all estimators have, in one row.
COMMON = {"antisymmetric", "index", "normalization", "pooling", "tol", "max_iter"}


def split_default(code: str) -> tuple[str, Any]:
    """``key = value`` as a pair; None where no value stands."""
    key, equals, value = code.partition(" = ")
    return key, tomllib.loads(f"value = {value}")["value"] if equals else None


def read_tables() -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Keys, with the defaults that are stated, by section, heading and name."""
    tables: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    section = heading = ""
    names: list[str] = []
    text = PAGE.read_text(encoding="utf-8")
    for line in text[text.index("(study-file-keys)=") :].splitlines():
        if line.startswith("### "):
            section = line.removeprefix("### ")
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 3 or cells[0] == "---":
            continue
        if cells[1] == "Keys":
            heading = cells[0].replace("`", "")
            tables[section, heading] = defaultdict(dict)
            continue
        names = re.findall(r"`([^`]+)`", cells[0]) or [cells[0]] if cells[0] else names
        for name in names:
            tables[section, heading][name].update(map(split_default, re.findall(r"`([^`]+)`", cells[1])))
    return tables


def test_tables_are_those_of_the_reader() -> None:
    assert set(read_tables()) == set(TABLES)


@pytest.mark.parametrize("place", TABLES, ids=" ".join)
def test_every_name_has_its_keys_and_defaults(place: tuple[str, str]) -> None:
    listed, known = read_tables()[place], TABLES[place]
    if place == ("Estimators", "kind"):
        assert set(listed.pop("any")) == COMMON | {"tune"}
    assert set(listed) == set(known)
    for name, entry in known.items():
        if not isinstance(entry, Kind):
            assert set(listed[name]) == set(entry), name
            continue
        parameters = {
            key: p for key, p in entry.parameters.items() if known is not ESTIMATORS or key not in COMMON
        }
        assert set(listed[name]) == set(parameters), name
        for key, parameter in parameters.items():
            check_default(f"{name}.{key}", listed[name][key], parameter)


def check_default(where: str, stated: Any, parameter: Parameter) -> None:
    default = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
    if stated is not None:
        assert stated == default, where
    else:  # to be given, or left out by default, or an object that the meaning names
        assert default is Parameter.empty or not isinstance(default, int | float | str), where


def test_no_class_of_the_package_is_missing() -> None:
    """What is public and has a place in a study has a name in files."""
    public = [getattr(simulation, name) for name in simulation.__all__]
    classes = {one for one in public if isinstance(one, type)}
    for base, kinds in ((FeatureDistribution, FEATURES), (PairSampling, PAIRS)):
        concrete = {one for one in classes if issubclass(one, base) and one is not base}
        assert concrete == {kind.make for kind in kinds.values()}
    made = {type(kind.make()) for kind in METRICS.values()}
    metrics = {one for one in classes if one.__module__ == Metric.__module__ and one is not Metric}
    assert made == metrics
