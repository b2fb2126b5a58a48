"""Separation, against enumeration on small samples."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiindex.index.linear import LinearDesign
from semiindex.index.whitening import WhitenedDesign, whiten
from semiindex.link import LogisticLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.optimize import separation
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.penalty import Ridge
from semiindex.optimize.separable import fit_separable
from semiindex.optimize.separation import is_quasi_separated, separates


def as_is(X: np.ndarray, z: np.ndarray) -> IndexSample:
    return IndexSample(WhitenedDesign(LinearDesign(X), np.eye(X.shape[1])), z, np.ones(z.size))


def by_enumeration(X: np.ndarray, z: np.ndarray) -> bool:
    """In two dimensions the extreme directions of the cone are normal to some row."""
    candidates = [np.array(d, dtype=float) for d in product([-1, 0, 1], repeat=2)]
    for row in X:
        candidates += [np.array([-row[1], row[0]]), np.array([row[1], -row[0]])]
    mixed = (z > 0) & (z < 1)
    for direction in candidates:
        margin = (2 * z - 1) * (X @ direction)
        moved = np.abs(X[mixed] @ direction) > 1e-12
        if (margin[~mixed] >= -1e-12).all() and not moved.any() and margin[~mixed].max(initial=0) > 1e-12:
            return True
    return False


@given(seed=st.integers(0, 100_000), n=st.integers(1, 7), ties=st.booleans())
def test_linear_program_agrees_with_enumeration(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (n, 2)).astype(float)
    z = rng.choice([0.0, 0.5, 1.0] if ties else [0.0, 1.0], n)
    assert is_quasi_separated(as_is(X, z)) == by_enumeration(X, z)


def test_a_check_that_would_take_longer_than_the_fit_is_not_made(monkeypatch) -> None:
    monkeypatch.setattr(separation, "_PROGRAM_ENTRIES", 5)
    assert is_quasi_separated(as_is(np.eye(3), np.ones(3))) is None


def test_separating_index() -> None:
    X = np.array([[1.0], [-2.0], [0.0], [3.0]])
    z = np.array([1.0, 0.0, 1.0, 1.0])
    sample = as_is(X, z)
    assert separates(sample, X[:, 0])  # the comparison with itself is not to be moved
    assert not separates(sample, -X[:, 0])
    assert not separates(sample, 0 * X[:, 0])
    assert not separates(as_is(X, np.array([1.0, 1.0, 1.0, 1.0])), X[:, 0])
    # A row that the index could move but does not is only quasi-separated.
    touching = as_is(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), np.array([1.0, 1.0, 1.0]))
    assert not separates(touching, np.array([1.0, 0.0, 0.0]))
    # Both labels at one comparison cannot be separated.
    assert not separates(as_is(X, np.array([1.0, 0.0, 1.0, 0.5])), X[:, 0])


@pytest.mark.parametrize(
    ("z", "expected"),
    [([1, 1, 0, 0, 1, 0], "none"), ([1, 1, 1, 0, 0, 0], "complete"), ([1, 1, 1, 0, 0, 0.5], "quasi")],
)
def test_fit_says_which_separation_it_met(z, expected) -> None:
    X = np.array([[1.0, 0], [2, 1], [3, 0], [-1, 0], [-2, 1], [0, 1.0]])
    z = np.array(z, dtype=float)
    whitened, _ = whiten(LinearDesign(X), np.ones(6))
    fit = fit_separable(IndexSample(whitened, z, np.ones(6)), KnownLinkObjective(LogisticLink()))
    assert fit.separation == expected
    assert np.isfinite(fit.minimum.x).all()
    assert by_enumeration(X, z) == (expected != "none")


def test_a_ridge_is_left_alone() -> None:
    X = np.array([[1.0], [2.0], [-1.0]])
    whitened, _ = whiten(LinearDesign(X), np.ones(3))
    sample = IndexSample(whitened, np.array([1.0, 1.0, 0.0]), np.ones(3))
    fit = fit_separable(sample, KnownLinkObjective(LogisticLink()), penalty=Ridge(0.1), tol=1e-8)
    assert fit.separation == "none"
    theta = whitened.to_theta(fit.minimum.x)
    # Stationarity of the penalised mean loss, written out.
    s = np.array([1.0, 2.0, 1.0])
    assert np.mean(-s / (1 + np.exp(s * theta))) + 0.1 * theta[0] == pytest.approx(0, abs=1e-8)


def test_narrow_margin_is_followed_until_the_fit_separates() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    z = (X @ [1.0, -0.5, 0.3] > 0).astype(float)
    whitened, _ = whiten(LinearDesign(X), np.ones(400))
    sample = IndexSample(whitened, z, np.ones(400))
    fit = fit_separable(sample, KnownLinkObjective(LogisticLink()))
    assert fit.separation == "complete"
    assert separates(sample, sample.design.matvec(fit.minimum.x))
