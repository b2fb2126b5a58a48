"""Samples for the tests of diagnostics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

THETA = np.array([1.0, -0.6, 0.4])


def differences(n: int, rng: np.random.Generator) -> np.ndarray:
    """Normal, normal and skewed differences."""
    return np.column_stack([rng.normal(size=(n, 2)), rng.exponential(size=n) - 0.7])


def clustered(
    n_groups: int, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A logistic link exactly, and labels and features that depend within groups."""
    groups = np.repeat(np.arange(n_groups), size)
    X = np.where(
        rng.random((groups.size, 3)) < 0.7, differences(n_groups, rng)[groups], differences(groups.size, rng)
    )
    common = rng.normal(size=n_groups)[groups]
    uniform = norm.cdf(0.7 * common + np.sqrt(1 - 0.49) * rng.normal(size=groups.size))
    return X, (uniform < expit(2 * X @ THETA)).astype(int), groups


@pytest.fixture(scope="session")
def draw_clustered() -> Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Samples of so many groups of so many rows."""
    return clustered


@pytest.fixture(scope="module")
def logistic() -> tuple[np.ndarray, np.ndarray]:
    """A sample of the logistic link."""
    rng = np.random.default_rng(11)
    X = differences(500, rng)
    return X, (rng.random(500) < expit(2 * X @ THETA)).astype(int)


@pytest.fixture(scope="module")
def flipped() -> tuple[np.ndarray, np.ndarray]:
    """Labels that are random in four cases out of ten."""
    rng = np.random.default_rng(12)
    X = differences(800, rng)
    return X, (rng.random(800) < 0.2 + 0.6 * expit(5 * X @ THETA)).astype(int)


@pytest.fixture(scope="module")
def gumbel() -> tuple[np.ndarray, np.ndarray]:
    """An asymmetric link."""
    rng = np.random.default_rng(13)
    X = differences(800, rng)
    return X, (rng.random(800) < np.exp(-np.exp(-1.5 * X @ THETA))).astype(int)
