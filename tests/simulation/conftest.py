"""A small study that tests change in one respect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from semiindex import KnownLinkPolicy
from semiindex.simulation import (
    AngleError,
    ComparisonDesign,
    IndexCorrelation,
    MixedFeatures,
    NormalFeatures,
    Study,
    StudyResult,
    Truth,
    link_at_severity,
)


def make_study(**changes: Any) -> Study:
    settings: dict[str, Any] = {
        "truths": {
            "logistic": Truth(),
            "flips": Truth(link=link_at_severity("flips", 1.0), factors={"link": "flips", "severity": 1.0}),
        },
        "designs": {"normal": NormalFeatures(3), "mixed": ComparisonDesign(MixedFeatures(3), 3)},
        "n": (60, 120),
        "estimators": {"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy("probit")},
        "metrics": [AngleError(), IndexCorrelation()],
        "replications": 3,
        "n_evaluation": 100,
    }
    return Study(**settings | changes)


def drop_times(result: StudyResult | pd.DataFrame) -> pd.DataFrame:
    """The table without the only column that the machine decides on."""
    frame = result.to_frame() if isinstance(result, StudyResult) else result
    return frame.drop(columns="seconds").reset_index(drop=True)


@pytest.fixture(scope="session")
def study() -> Callable[..., Study]:
    """Makes a study of 24 replications, with changes."""
    return make_study


@pytest.fixture(scope="session")
def numbers() -> Callable[..., pd.DataFrame]:
    """The table without times."""
    return drop_times


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """The table of the unchanged study."""
    return drop_times(make_study().run())
