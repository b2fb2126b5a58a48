"""The small solver in a box, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from semiindex.objective.projected_newton import minimize_in_box


def logistic_problem(seed: int):
    """A penalised logistic regression with bounds on about half of the variables."""
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(1, 13)), int(rng.integers(5, 60))
    design = rng.normal(size=(n, k)) * np.exp(1.5 * rng.normal(size=k)) + rng.normal(size=(n, 1))
    z = rng.integers(0, 2, n).astype(float)
    ridge = np.diag(rng.random(k) * 1e-3) + 1e-12 * np.eye(k)
    lower = np.where(rng.random(k) < 0.7, 0.0, -np.inf)
    upper = np.where(rng.random(k) < 0.5, rng.choice([1.0, 1000.0]), np.inf)

    def value_and_gradient(a):
        f = design @ a
        value = np.mean(np.logaddexp(0, f) - z * f) + a @ ridge @ a / 2
        return value, design.T @ (expit(f) - z) / n + ridge @ a

    def derivatives(a):
        p = expit(design @ a)
        return *value_and_gradient(a), design.T @ ((p * (1 - p) / n)[:, None] * design) + ridge

    return value_and_gradient, derivatives, rng.random(k) * 2, lower, upper


@given(st.integers(0, 10_000))
def test_as_low_as_scipy_and_inside_the_box(seed: int) -> None:
    value_and_gradient, derivatives, start, lower, upper = logistic_problem(seed)
    x, converged = minimize_in_box(derivatives, lambda a: value_and_gradient(a)[0], start, lower, upper)
    assert converged
    assert ((lower <= x) & (x <= upper)).all()
    reference = minimize(
        value_and_gradient,
        np.clip(start, lower, upper),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(lower, upper, strict=True)),
        options={"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-16, "gtol": 1e-12},
    )
    assert value_and_gradient(x)[0] <= reference.fun + 1e-12


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_optimality_conditions_of_a_quadratic(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k + 1, k))
    hessian, linear = root.T @ root + 0.01 * np.eye(k), 3 * rng.normal(size=k)
    lower, upper = -rng.random(k), rng.random(k)

    def derivatives(x):
        return x @ hessian @ x / 2 - linear @ x, hessian @ x - linear, hessian

    x, converged = minimize_in_box(derivatives, lambda x: derivatives(x)[0], np.zeros(k), lower, upper)
    gradient = hessian @ x - linear
    assert converged
    inside = (lower < x) & (x < upper)
    np.testing.assert_allclose(gradient[inside], 0, atol=1e-6)
    assert (gradient[x == lower] >= 0).all()
    assert (gradient[x == upper] <= 0).all()


def test_bounds_far_out_are_met_in_few_steps() -> None:
    """Separated observations drive both variables to a distant bound, together but out of step."""
    t = np.array([-1.0, -0.9, 0.9, 1.0])
    z = (t > 0).astype(float)
    design = np.column_stack([np.ones(4), np.maximum(t, 0), np.minimum(t, 0)])
    calls = []

    def derivatives(a):
        calls.append(a)
        f = design @ a
        p = expit(f)
        hessian = design.T @ ((p * (1 - p))[:, None] * design) + 1e-12 * np.eye(3)
        return float(np.sum(np.logaddexp(0, f) - z * f)), design.T @ (p - z), hessian

    lower, upper = np.array([-np.inf, 0, 0]), np.array([np.inf, 20.0, 20.0])
    x, converged = minimize_in_box(derivatives, lambda a: derivatives(a)[0], np.zeros(3), lower, upper)
    assert converged
    np.testing.assert_allclose(x, [0, 20, 20], atol=1e-6)
    assert len(calls) < 200


@pytest.mark.parametrize("start", [240.0, -900.0])
def test_a_start_far_out_where_nothing_is_curved(start: float) -> None:
    """Every label is sure there, half of them wrongly: the Newton step is 1e14 times too long."""
    t = np.linspace(-2, 2, 50)
    z = (np.arange(50) % 3 > 0).astype(float)
    design = np.column_stack([np.ones(50), t])

    def derivatives(a):
        f = design @ a
        p = expit(f)
        hessian = design.T @ ((p * (1 - p) / 50)[:, None] * design) + 1e-14 * np.eye(2)
        return float(np.mean(np.logaddexp(0, f) - z * f)), design.T @ (p - z) / 50, hessian

    lower, upper = np.array([-np.inf, 0]), np.array([np.inf, 1.0])
    x, converged = minimize_in_box(
        derivatives, lambda a: derivatives(a)[0], np.array([start, 0.5]), lower, upper
    )
    reference, _ = minimize_in_box(derivatives, lambda a: derivatives(a)[0], np.zeros(2), lower, upper)
    assert converged
    np.testing.assert_allclose(x, reference, atol=1e-5)


def test_not_converged_is_said() -> None:
    value_and_gradient, derivatives, start, lower, upper = logistic_problem(4)
    _, converged = minimize_in_box(
        derivatives, lambda a: value_and_gradient(a)[0], start + 1, lower, upper, max_iter=1
    )
    assert converged is False


def test_start_outside_is_brought_inside() -> None:
    x, converged = minimize_in_box(
        lambda x: (float(x @ x), 2 * x, 2 * np.eye(1)),
        lambda x: float(x @ x),
        np.array([9.0]),
        np.ones(1),
        2 * np.ones(1),
    )
    assert converged
    assert x == pytest.approx(1.0, abs=0)
