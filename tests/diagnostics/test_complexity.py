"""Complexity of classes: formula against Monte Carlo, suprema against another solver, roots by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    critical_radius,
    effective_dimension,
    index_complexity,
    linear_supremum,
    local_complexity,
    sign_complexity,
)
from semiindex.exceptions import InvalidParameterError

SPECTRA = {
    "flat": np.ones(20),
    "polynomial": np.arange(1, 61.0) ** -2,
    "exponential": np.exp(-np.arange(40) / 4),
}


@given(
    st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=30),
    st.floats(1, 1e6),
    st.floats(1e-2, 1e2),
    st.floats(0.1, 10),
)
def test_critical_radius_solves_its_equation(eigenvalues, n, radius, scale):
    delta = critical_radius(eigenvalues, n, radius=radius, scale=scale)
    assert local_complexity(eigenvalues, n, delta, radius=radius) == pytest.approx(delta**2 / scale, rel=1e-6)


def test_without_a_norm_every_direction_counts():
    assert critical_radius([3.0, 1.0, 0.0], 50) == pytest.approx(np.sqrt(2 * 2 / 50))
    assert critical_radius([0.0], 50) == 0.0
    assert effective_dimension([3.0, 1.0, 0.0], 0.0) == 2.0


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_monte_carlo_over_formula(rng, name, share):
    """Between 0.68 and 1 where both conditions bind, for classes of five effective parameters and more."""
    mu, n = SPECTRA[name], 400
    rows = np.linalg.qr(rng.normal(size=(n, mu.size)))[0] * np.sqrt(n * mu)
    delta = share * critical_radius(mu, n, radius=1.0) * 3
    value, error = sign_complexity(linear_supremum(rows, delta, radius=1.0), n, n_signs=100)
    ratio = value / local_complexity(mu, n, delta, radius=1.0)
    slack = 3 * error / value
    assert 0.68 - slack < ratio < 1.0


def test_free_directions_have_the_ratio_of_a_chi_variable(rng):
    n, k = 2000, 3
    rows = rng.normal(size=(n, k))
    value, error = sign_complexity(linear_supremum(rows, 0.1), n, n_signs=2000)
    expected = np.sqrt(8 / np.pi) / np.sqrt(2 * k)  # E chi_3 / sqrt(2 k)
    formula = local_complexity(np.ones(k), n, 0.1)
    assert value / formula == pytest.approx(expected, abs=3 * error / formula)


def test_supremum_over_two_ellipsoids_by_another_solver(rng):
    rows, signs = rng.normal(size=(30, 3)) * [3.0, 1.0, 0.3], rng.choice([-1.0, 1.0], 30)
    delta, radius = 0.8, 0.6
    constraints = [
        {"type": "ineq", "fun": lambda c: radius**2 - c @ c},
        {"type": "ineq", "fun": lambda c: delta**2 - np.mean((rows @ c) ** 2)},
    ]
    best = minimize(lambda c: -np.mean(signs * (rows @ c)), np.zeros(3), constraints=constraints, tol=1e-12)
    assert linear_supremum(rows, delta, radius=radius)(signs) == pytest.approx(-best.fun, rel=1e-5)


def test_a_large_radius_is_none(rng):
    rows, signs = rng.normal(size=(50, 4)), rng.choice([-1.0, 1.0], 50)
    free, bounded = linear_supremum(rows, 0.3), linear_supremum(rows, 0.3, radius=1e6)
    assert free(signs) == pytest.approx(bounded(signs))


def _sample(rng, n=300):
    a, b = rng.normal(size=(2, n, 3))
    y = rng.random(n) < 1 / (1 + np.exp((b - a) @ [1.0, -1.0, 0.5]))
    return PreferencePairs(a, b, y.astype(int))


def test_of_a_linear_fit(rng):
    pairs = _sample(rng)
    result = index_complexity(ProfiledLinkPolicy().fit(pairs), pairs)
    assert result.effective_dimension == pytest.approx(3)
    assert result.critical_radius == pytest.approx(np.sqrt(2 * 3 / 300))
    gram = np.linalg.eigvalsh(pairs.differences.T @ pairs.differences / 300)[::-1]
    np.testing.assert_allclose(result.eigenvalues, gram)
    assert result.level == "fine"
    assert "3 effective parameters" in result.reading()
    assert result.to_frame().loc["comparisons", "value"] == 300


def test_of_a_kernel_fit_falls_with_the_ridge(rng):
    pairs = _sample(rng)
    results = [
        index_complexity(KnownLinkPolicy(index=KernelIndex(), ridge=ridge).fit(pairs), pairs, n_signs=20)
        for ridge in (1e-4, 1e-2)
    ]
    assert results[0].effective_dimension > 2 * results[1].effective_dimension
    assert results[0].level == "note"
    assert all(np.isfinite(result.radius) for result in results)


def test_weights_are_repetitions(rng):
    pairs = _sample(rng, 100)
    weight = rng.integers(0, 3, 100)
    model = ProfiledLinkPolicy().fit(pairs, sample_weight=weight)
    weighted = index_complexity(model, pairs, weight)
    repeated = index_complexity(model, pairs[np.repeat(np.arange(100), weight)])
    np.testing.assert_allclose(weighted.eigenvalues, repeated.eigenvalues)
    assert weighted.critical_radius == pytest.approx(repeated.critical_radius)


def test_numbers_without_a_meaning_are_refused():
    with pytest.raises(InvalidParameterError, match="eigenvalues must be"):
        local_complexity([-1.0], 10, 1.0)
    with pytest.raises(InvalidParameterError, match="radius must be positive"):
        critical_radius([1.0], 10, radius=0)
    with pytest.raises(InvalidParameterError, match="ridge must be"):
        effective_dimension([1.0], -1)
    with pytest.raises(InvalidParameterError, match="n_signs at least 2"):
        sign_complexity(np.mean, 10, n_signs=1)
    with pytest.raises(InvalidParameterError, match="fitted estimator"):
        index_complexity(object(), np.ones((3, 1)))


@pytest.mark.parametrize(("X", "message"), [([[1.0, np.nan]], "NaN"), ([[1.0, 2.0, 3.0]], "3 features")])
def test_comparisons_that_a_prediction_would_refuse_are_refused(rng, X, message):
    D = rng.normal(size=(50, 2))
    model = KnownLinkPolicy().fit(D, rng.random(50) < 0.5)
    with pytest.raises(ValueError, match=message):
        index_complexity(model, X)
