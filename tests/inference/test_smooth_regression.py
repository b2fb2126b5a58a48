"""Standard errors of criteria that let the link fall: the regression on the index behind them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from semiindex import OrthogonalPolicy
from semiindex.inference import infer, smooth_regression
from semiindex.inference.smooth_regression import fit_smooth_regression
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.objective.spline import SplineObjective

THETA = np.array([1.0, -0.6, 0.4]) / np.linalg.norm([1.0, -0.6, 0.4])

Function = Callable[[np.ndarray], np.ndarray]


def falling(t: np.ndarray) -> np.ndarray:
    """Rises at 0, and falls back to one half beyond 1."""
    return 0.5 + 0.45 * np.tanh(6 * t) * np.exp(-((t / 1.2) ** 2))


def draw(n: int, link: Function, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < link(X @ THETA)).astype(int)


def efficient_errors(X: np.ndarray, link: Function) -> np.ndarray:
    """From the efficient information with the true link and ``E[D | t] = theta t`` of spherical features."""
    t = X @ THETA
    slope = (link(t + 1e-5) - link(t - 1e-5)) / 2e-5
    p = link(t)
    C = X - np.outer(t, THETA)
    return np.sqrt(np.diag(np.linalg.pinv((C.T * (slope**2 / (p * (1 - p)))) @ C, rcond=1e-8)))


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_where_the_link_rises_it_is_the_monotone_spline(antisymmetric: bool, rng) -> None:
    """No constraint of the monotone fit binds: both minimise the same function."""
    t = rng.normal(size=3000) + (0.0 if antisymmetric else 0.7)
    z, weight = (rng.random(3000) < expit(1.5 * t)).astype(float), rng.integers(1, 3, size=3000).astype(float)
    spline = MonotoneSpline(n_knots=6, penalty=2.0)
    fit = fit_smooth_regression(t, z, weight, antisymmetric=antisymmetric, spline=spline)
    centre = 0.0 if antisymmetric else np.average(t, weights=weight)
    objective = SplineObjective(spline, antisymmetric=antisymmetric)
    objective.update(t - centre, z, weight)
    twin = objective.fit_link(t - centre, z, weight).shifted(-centre)
    assert np.min(twin.coefficients) > 0
    np.testing.assert_allclose(fit.probability(t), twin.probability(t), atol=1e-5)
    np.testing.assert_allclose(fit.slope(t), twin.slope(t), atol=1e-4)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_slope_is_the_derivative_and_may_be_negative(antisymmetric: bool, rng) -> None:
    t = rng.normal(size=4000)
    z = (rng.random(4000) < falling(t)).astype(float)
    fit = fit_smooth_regression(t, z, np.ones(4000), antisymmetric=antisymmetric)
    x, step = np.linspace(-2.5, 2.5, 41), 1e-6
    expected = (fit.probability(x + step) - fit.probability(x - step)) / (2 * step)
    np.testing.assert_allclose(fit.slope(x), expected, atol=1e-7)
    assert fit.slope(np.array([1.0]))[0] < -0.3
    inner = np.linspace(-1.5, 1.5, 31)
    assert np.sqrt(np.mean((fit.probability(inner) - falling(inner)) ** 2)) < 0.06


@pytest.mark.parametrize("method", ["klein_spady", "efficient_score"])
def test_standard_errors_of_a_falling_link_are_the_efficient_ones(method: str) -> None:
    """A monotone link in its place gives 1.9 times as much."""
    X, y = draw(8000, falling, seed=3)
    errors = infer(OrthogonalPolicy(method, normalization="norm").fit(X, y), X, y).standard_errors
    np.testing.assert_allclose(errors, efficient_errors(X, falling), rtol=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("link", [lambda t: expit(2 * t), falling], ids=["logistic", "falling"])
def test_standard_errors_are_the_spread_of_the_estimates(link: Function) -> None:
    """A standard deviation of 300 runs has an error of 4%, the mean of two coefficients of some 3%."""
    estimates, errors = [], []
    for seed in range(300):
        X, y = draw(1000, link, seed)
        model = OrthogonalPolicy(normalization="norm").fit(X, y)
        estimates.append(model.coef_)
        errors.append(infer(model, X, y).standard_errors)
    ratio = np.mean(errors, axis=0) / np.std(estimates, axis=0, ddof=1)
    assert np.mean(ratio) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_large_samples_are_fitted_by_cells(antisymmetric: bool, rng, monkeypatch) -> None:
    """Up to errors far below those of estimation, with weights and heavy tails."""
    t = rng.standard_t(4, size=60_000)
    z, weight = (rng.random(t.size) < falling(t)).astype(float), rng.integers(1, 3, size=t.size).astype(float)
    cells = fit_smooth_regression(t, z, weight, antisymmetric=antisymmetric)
    monkeypatch.setattr(smooth_regression, "_LARGE", t.size)
    rows = fit_smooth_regression(t, z, weight, antisymmetric=antisymmetric)
    at = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(cells.probability(at), rows.probability(at), atol=3e-4)
    np.testing.assert_allclose(cells.slope(at), rows.slope(at), atol=3e-3)
