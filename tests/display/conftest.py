"""A small sample with a link that is not logistic, and models fitted to it once."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from semiindex import KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy


@pytest.fixture(scope="session")
def pairs():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 600, 3))
    t = (second - first) @ [1.0, -0.7, 0.2]
    labels = (rng.random(600) < 0.15 + 0.7 / (1 + np.exp(-4 * t))).astype(int)
    return PreferencePairs(
        first, second, labels, feature_names=["speed", "price", "size"], weights=rng.integers(1, 3, 600)
    )


@pytest.fixture(scope="session")
def free(pairs):
    return ProfiledLinkPolicy().fit(pairs)


@pytest.fixture(scope="session")
def logistic(pairs):
    return KnownLinkPolicy().fit(pairs)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")
