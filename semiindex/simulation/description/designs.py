"""Designs in study files: features of options, and the pairs that are compared."""

from __future__ import annotations

from typing import Any

from semiindex.simulation.active import ActivePairs
from semiindex.simulation.contextual import ContextualFeatures
from semiindex.simulation.description.estimators import read_learner
from semiindex.simulation.description.table import Kind, Table
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.features import (
    BinaryFeatures,
    ConjointFeatures,
    FeatureDistribution,
    MixedFeatures,
    NormalFeatures,
    SkewedFeatures,
    StudentFeatures,
)
from semiindex.simulation.sampling import AsOffered, BestOfPairs, NearestPairs, ReferencePairs, UniformPairs

__all__ = ["DESIGN_KEYS", "FEATURES", "PAIRS", "read_design"]


def _read_contexts(table: Table, key: str) -> FeatureDistribution:
    contexts: FeatureDistribution = table.object(key, FEATURES, name="features")
    return contexts


#: Distributions of features by name.
FEATURES: dict[str, Kind[Any]] = {
    "normal": Kind(NormalFeatures),
    "student": Kind(StudentFeatures),
    "skewed": Kind(SkewedFeatures),
    "binary": Kind(BinaryFeatures),
    "mixed": Kind(MixedFeatures),
    "conjoint": Kind(ConjointFeatures),
    "contextual": Kind(ContextualFeatures, {"contexts": _read_contexts}),
}

#: Strategies of sampling by name.
PAIRS: dict[str, Kind[Any]] = {
    "uniform": Kind(UniformPairs),
    "as_offered": Kind(AsOffered),
    "reference": Kind(ReferencePairs),
    "best_of": Kind(BestOfPairs),
    "nearest": Kind(NearestPairs),
    "active": Kind(ActivePairs, {"learner": read_learner}),
}

#: Keys of every design, beside those of its features.
DESIGN_KEYS = ("features", "menu_size", "pairs")


def read_design(table: Table) -> ComparisonDesign:
    """The design of a table."""
    kind = table.choice("features", FEATURES)
    arguments = {
        "features": table.without(*DESIGN_KEYS).build(kind, also=DESIGN_KEYS),
        "menu_size": table.get("menu_size", "int", None),
    }
    if "pairs" in table.values:
        arguments["sampling"] = table.object("pairs", PAIRS)
    return table.call(ComparisonDesign, arguments)
