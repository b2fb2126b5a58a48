"""Minimiser and root finder on functions whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import rosen, rosen_der

from semiindex.optimize.quasi_newton import minimize
from semiindex.optimize.score_root import find_root


def plain(_x):
    return lambda gradient: gradient


def quadratic(seed: int, d: int, condition: float):
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(d, d)))
    hessian = (rotation * np.geomspace(1, condition, d)) @ rotation.T
    solution = rng.normal(size=d)

    def function(x):
        return float((x - solution) @ hessian @ (x - solution)) / 2 - 3.0, hessian @ (x - solution)

    return function, hessian, solution


@given(seed=st.integers(0, 1000), d=st.integers(1, 12), exponent=st.floats(0, 4))
def test_quadratic(seed: int, d: int, exponent: float) -> None:
    function, _, solution = quadratic(seed, d, 10**exponent)
    found = minimize(function, np.zeros(d), plain, tolerance=1e-13, max_iter=500)
    assert found.converged
    assert found.reason == "tolerance reached"
    np.testing.assert_allclose(found.x, solution, atol=1e-5)
    assert list(found.values) == sorted(found.values, reverse=True)
    assert len(found.values) == found.n_iter + 1
    assert found.value == found.values[-1] == pytest.approx(-3, abs=1e-12)


@given(seed=st.integers(0, 1000), d=st.integers(1, 12))
def test_quadratic_in_a_step_with_its_hessian(seed: int, d: int) -> None:
    function, hessian, solution = quadratic(seed, d, 1e6)
    inverse = np.linalg.inv(hessian)
    found = minimize(function, np.zeros(d), lambda _: lambda g: inverse @ g, tolerance=1e-16, max_iter=5)
    assert found.converged
    assert found.n_iter <= 2
    np.testing.assert_allclose(found.x, solution, rtol=1e-6, atol=1e-8)


def test_decrement_is_twice_the_distance_in_value() -> None:
    function, hessian, _ = quadratic(0, 5, 100.0)
    inverse = np.linalg.inv(hessian)
    start = np.ones(5)
    found = minimize(function, start, lambda _: lambda g: inverse @ g, tolerance=np.inf, max_iter=5)
    assert found.n_iter == 0
    assert found.decrement == pytest.approx(2 * (function(start)[0] + 3), rel=1e-10)


@pytest.mark.parametrize("d", [2, 6])
def test_rosenbrock(d: int) -> None:
    found = minimize(
        lambda x: (float(rosen(x)), rosen_der(x)), np.zeros(d), plain, tolerance=1e-20, max_iter=500
    )
    assert found.converged
    np.testing.assert_allclose(found.x, 1, atol=1e-6)


def test_iteration_limit_is_said() -> None:
    found = minimize(
        lambda x: (float(rosen(x)), rosen_der(x)), np.zeros(4), plain, tolerance=1e-20, max_iter=3
    )
    assert not found.converged
    assert found.reason == "3 iterations"
    assert found.n_iter == 3


def test_interruption_is_said() -> None:
    function, _, _ = quadratic(0, 3, 10.0)
    found = minimize(
        function,
        np.zeros(3),
        plain,
        tolerance=1e-20,
        max_iter=50,
        interrupt=lambda x: "far enough" if np.linalg.norm(x) > 0.1 else None,
    )
    assert not found.converged
    assert found.reason == "far enough"


def test_gradient_that_points_the_wrong_way_is_no_convergence() -> None:
    found = minimize(lambda x: (float(x @ x), -2 * x), np.ones(2), plain, tolerance=1e-12, max_iter=50)
    assert not found.converged
    assert found.reason == "no further decrease along the search direction"


def test_values_that_are_not_finite_are_stepped_back_from() -> None:
    def function(x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(x[0] - np.log(x[0])), 1 - 1 / x

    # The first full step from 3 with this metric lands left of zero.
    found = minimize(function, np.array([3.0]), lambda _: lambda g: 10 * g, tolerance=1e-18, max_iter=100)
    assert found.converged
    assert found.x == pytest.approx(1, abs=1e-7)


# Roots ------------------------------------------------------------------------------------------------


def test_root_of_a_smooth_score() -> None:
    def function(x):
        return 0.0, np.array([np.sinh(x[0]) - 1, x[1] ** 3 + x[1] - 2 + 0.1 * x[0]])

    def precondition(x):
        slopes = np.array([np.cosh(x[0]), 3 * x[1] ** 2 + 1])
        return lambda score: score / slopes

    found = find_root(
        function, np.array([3.0, -2.0]), precondition, tolerance=1e-24, crossing=1e-20, max_iter=100
    )
    assert found.converged
    assert found.reason == "tolerance reached"
    np.testing.assert_allclose(function(found.x)[1], 0, atol=1e-10)


def steps(width: float):
    """A staircase with slope one: it jumps over zero at 0.3."""
    return lambda x: (0.0, (np.floor((x - 0.3) / width) + 0.5) * width)


def test_crossing_of_a_staircase() -> None:
    found = find_root(steps(0.01), np.array([5.0]), plain, tolerance=1e-30, crossing=1e-4, max_iter=100)
    assert found.converged
    assert found.reason == "the score crosses zero between two of its steps"
    assert abs(found.x[0] - 0.3) < 0.02
    assert found.decrement == pytest.approx(0.005**2, rel=1e-9)


def test_staircase_far_from_zero_is_no_root() -> None:
    found = find_root(
        lambda x: (0.0, np.sign(x) * 2.0), np.array([5.0]), plain, tolerance=1e-8, crossing=1e-4, max_iter=100
    )
    assert not found.converged
    assert found.reason == "no step shortens the score, yet it is far from zero"


def test_one_large_jump_over_zero_is_a_crossing() -> None:
    # The score is -0.03 to the left of 0.3 and 0.03 to the right: longer than 0.01, but it changes sign.
    found = find_root(
        lambda x: (0.0, np.where(x < 0.3, -0.03, 0.03)),
        np.array([0.31]),
        plain,
        tolerance=1e-8,
        crossing=1e-4,
        max_iter=100,
    )
    assert found.converged
    assert found.x[0] == pytest.approx(0.3, abs=0.03)


def test_steps_that_cost_likelihood_are_refused() -> None:
    # The score is shorter at -1 than near its root at 1, but the value there is far higher.
    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float((x[0] - 1) ** 2), np.where(x > 0, 2 * (x - 1), 0.01 * np.ones(1))

    def steep(x: np.ndarray):
        return lambda g: 1.5 * g if x[0] > 1 else 0.5 * g

    settings = {"tolerance": 1e-12, "crossing": 1e-8, "max_iter": 1}
    free = find_root(function, np.array([1.6]), steep, **settings)
    held = find_root(function, np.array([1.6]), steep, slack=0.0, **settings)
    assert free.x[0] == pytest.approx(-0.2)
    assert held.value < 0.36


def test_score_of_a_direction_keeps_its_point_within_bounds() -> None:
    target = np.array([0.6, -0.8])

    def function(x):
        size = np.linalg.norm(x)
        unit = x / size
        jitter = 0.7 * np.sign(np.sin(50 * unit[0])) * np.array([-unit[1], unit[0]])
        return 0.0, ((unit @ target) * unit - target + jitter) / size

    def precondition(x):
        return lambda score: score * 40 * (x @ x)  # steps much too long

    found = find_root(
        function,
        np.array([1.0, 0.1]),
        precondition,
        tolerance=1e-12,
        crossing=1e-12,
        max_iter=500,
        scale_free=True,
    )
    assert np.linalg.norm(found.x) < 1e6
    assert np.isfinite(found.decrement)


def test_limit_of_steps_to_a_root() -> None:
    found = find_root(
        lambda x: (0.0, x),
        np.array([5.0]),
        lambda _: lambda s: 0.1 * s,
        tolerance=1e-8,
        crossing=1e-8,
        max_iter=4,
    )
    assert not found.converged
    assert found.reason == "4 iterations"
    assert found.x[0] == pytest.approx(5 * 0.9**4)
