"""Samples with a known index for the tests of inference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

THETA = np.array([1.0, -0.6, 0.4])

Sample = tuple[np.ndarray, np.ndarray]


def draw(n: int, rng: np.random.Generator, flips: float = 0.15) -> Sample:
    """Skewed differences; labels flipped at random, so that the link is not logistic."""
    X = np.column_stack([rng.normal(size=(n, 2)), rng.exponential(size=n) - 0.7])
    p = flips + (1 - 2 * flips) * expit(3 * X @ THETA)
    return X, (rng.random(n) < p).astype(int)


@pytest.fixture
def make_sample(rng: np.random.Generator) -> Callable[..., Sample]:
    """Samples of n rows, from the test's own generator or from a seed."""
    return lambda n=600, seed=None: draw(n, rng if seed is None else np.random.default_rng(seed))


@pytest.fixture
def theta() -> np.ndarray:
    """The true coefficients, up to a factor."""
    return THETA


@pytest.fixture
def sample(rng: np.random.Generator) -> Sample:
    return draw(600, rng)
