"""The spline basis against numerical integration, and the link made from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import BSpline

from semiindex.exceptions import InvalidParameterError
from semiindex.link.monotone_spline import MonotoneSpline, spline_breakpoints, weighted_quantiles
from semiindex.link.spline import SplineBasis, SplineLink

ODD = np.array([-2.0, -0.7, -0.1, 0.1, 0.7, 2.0])
ODD_WITH_ZERO = np.array([-2.0, -0.7, 0.0, 0.7, 2.0])
FREE = np.array([-1.0, 0.2, 0.5, 3.0])
CASES = [
    (ODD, True),
    (ODD_WITH_ZERO, True),
    (FREE, False),
    (np.array([-1.0, 1.0]), True),
    (np.array([0.0, 1.0]), False),
]
T = np.concatenate([np.linspace(-5, 6, 111), ODD, FREE])


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].size} knots, antisymmetric={case[1]}")
def basis(request) -> SplineBasis:
    return SplineBasis(*request.param)


def coefficients(basis: SplineBasis, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=basis.n_coefficients)


def quadratic_splines(basis: SplineBasis) -> BSpline:
    """All quadratic B-splines between the knots, from scipy."""
    knots = np.concatenate([[basis.breakpoints[0]] * 2, basis.breakpoints, [basis.breakpoints[-1]] * 2])
    return BSpline(knots, np.eye(basis.breakpoints.size + 1), 2)


def test_design_is_the_integral_of_b_splines(basis: SplineBasis) -> None:
    splines = quadratic_splines(basis)
    low, high = basis.breakpoints[0], basis.breakpoints[-1]
    raw = splines(np.array([0.0])).shape[1]
    for t in (-3.0, -0.3, 0.0, 0.4, 1.7, 4.0):
        integral = [
            quad(
                lambda u, k=k: splines(np.clip(u, low, high))[k],
                basis.anchor,
                t,
                points=basis.breakpoints,
                limit=200,
            )[0]
            for k in range(raw)
        ]
        if basis.antisymmetric:  # mirrored splines share a coefficient
            integral = [
                integral[k] + (integral[raw - 1 - k] if k != raw - 1 - k else 0)
                for k in range(basis.n_coefficients)
            ]
        np.testing.assert_allclose(basis.design(np.array([t]))[0], integral, atol=1e-6)


def test_value_is_design_times_coefficients(basis: SplineBasis) -> None:
    a = coefficients(basis)
    np.testing.assert_allclose(basis.value(T, a), basis.design(T) @ a, atol=1e-11)
    assert basis.value(np.array([basis.anchor]), a) == pytest.approx(0, abs=1e-13)


def test_derivative_is_the_finite_difference(basis: SplineBasis) -> None:
    a, h = coefficients(basis), 1e-6
    expected = (basis.value(T + h, a) - basis.value(T - h, a)) / (2 * h)
    np.testing.assert_allclose(basis.derivative(T, a), expected, atol=1e-5)


def test_equal_coefficients_give_a_straight_line_without_roughness(basis: SplineBasis) -> None:
    a = np.full(basis.n_coefficients, 2.5)
    np.testing.assert_allclose(basis.value(T, a), 2.5 * (T - basis.anchor), atol=1e-11)
    np.testing.assert_allclose(basis.derivative(T, a), 2.5, rtol=1e-12)
    assert a @ basis.roughness @ a == pytest.approx(0, abs=1e-9)


def test_roughness_is_the_integral_of_the_squared_second_derivative(basis: SplineBasis) -> None:
    a = coefficients(basis)
    total = 0.0
    for left, right in zip(basis.breakpoints[:-1], basis.breakpoints[1:], strict=True):
        # Between knots the second derivative is linear.
        inner = np.linspace(left, right, 9)[1:-1]
        h = 1e-4 * (right - left)
        second = (basis.derivative(inner + h, a) - basis.derivative(inner - h, a)) / (2 * h)
        line = np.polynomial.Polynomial.fit(inner, second, 1)
        np.testing.assert_allclose(line(inner), second, atol=1e-6)
        total += quad(lambda u, line=line: line(u) ** 2, left, right)[0]
    assert a @ basis.roughness @ a == pytest.approx(total, rel=1e-6)
    np.testing.assert_allclose(basis.roughness, basis.roughness.T, atol=1e-12)
    assert np.linalg.eigvalsh(basis.roughness).min() > -1e-9


@given(seed=st.integers(0, 1000), case=st.sampled_from(CASES), zero=st.floats(0, 1))
def test_nonnegative_coefficients_make_it_monotone_and_bound_its_slope(seed: int, case, zero: float) -> None:
    basis = SplineBasis(*case)
    a = coefficients(basis, seed) * (np.random.default_rng(seed + 1).random(basis.n_coefficients) > zero)
    t = np.sort(T)
    assert (np.diff(basis.value(t, a)) >= -1e-12).all()
    assert basis.derivative(t, a).max() <= a.max() + 1e-12
    if basis.antisymmetric:
        np.testing.assert_allclose(basis.value(-t, a), -basis.value(t, a), atol=1e-11)


# Link ------------------------------------------------------------------------------------------------


def links() -> list[SplineLink]:
    return [
        SplineLink(ODD, [2.0, 0.5, 1.0, 3.0], antisymmetric=True),
        SplineLink(ODD, [2.0, 0.0, 0.0, 0.0], antisymmetric=True),
        SplineLink(ODD_WITH_ZERO, [0.0, 0.5, 4.0], antisymmetric=True),
        SplineLink(FREE, [1.0, 0.0, 0.0, 0.0, 2.0], intercept=0.0),
        SplineLink(FREE, [0.0, 1.0, 2.0, 1.0, 0.0], intercept=-1.0),
        SplineLink(FREE, np.zeros(5), intercept=0.3),
    ]


@pytest.mark.parametrize("link", links(), ids=repr)
def test_index_is_the_midpoint_of_where_the_link_has_the_value(link: SplineLink) -> None:
    p = link.probability(np.linspace(-6, 6, 41))
    inside = link.index(p)
    finite = np.isfinite(inside)
    np.testing.assert_allclose(link.probability(inside[finite]), p[finite], atol=1e-9)
    low, high = link.probability([-1e9, 1e9])
    if low > 0.01:
        assert link.index([low / 2])[0] == -np.inf
    if high < 0.99:
        assert link.index([(1 + high) / 2])[0] == np.inf


def test_flat_stretch_has_its_midpoint_as_index() -> None:
    # Coefficients 0 from the second on: f' vanishes between the knots -0.1 and 0.1 and beyond.
    link = SplineLink(ODD, [2.0, 0.0, 0.0, 0.0], antisymmetric=True)
    assert link.half_point == 0.0
    assert link.index([0.5])[0] == pytest.approx(0, abs=1e-9)
    level = SplineLink(FREE, [1.0, 0.0, 0.0, 0.0, 2.0], intercept=0.0)
    plateau = np.linspace(FREE[1] + 1e-9, FREE[2] - 1e-9, 7)
    flat = plateau[level.slope(plateau) < 1e-12]
    assert flat.size > 3
    assert FREE[1] <= level.index(level.probability(flat[:1]))[0] <= FREE[2]
    constant = SplineLink(FREE, np.zeros(5), intercept=0.3)
    assert constant.half_point == -np.inf


@pytest.mark.parametrize("link", links(), ids=repr)
@pytest.mark.parametrize("factor", [1e-250, 0.3, 4.0, 1e250])
def test_rescaling(link: SplineLink, factor: float) -> None:
    t = np.linspace(-4, 4, 31)
    np.testing.assert_allclose(link.rescaled(factor).probability(t / factor), link.probability(t), atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0], [1.0]), "at least two strictly increasing"),
        (([0.0, 0.0], [1.0, 1.0, 1.0]), "at least two strictly increasing"),
        (([-1.0, 2.0], [1.0, 1.0], 0.0, True), "needs breakpoints symmetric about 0 and intercept 0"),
        (([-1.0, 1.0], [1.0, 1.0], 0.1, True), "needs breakpoints symmetric about 0 and intercept 0"),
        (([0.0, 1.0], [1.0, 1.0]), "coefficients must have length 3 for 2 breakpoints, got 2"),
        (([0.0, 1.0], [1.0, -1.0, 1.0]), "finite and nonnegative, or the link is not monotone"),
        (([0.0, 1.0], [1.0, np.nan, 1.0]), "finite and nonnegative, or the link is not monotone"),
    ],
)
def test_arguments_of_the_link(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        SplineLink(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_knots": 1}, "n_knots must be an integer >= 2, got 1"),
        ({"n_knots": 4.0}, r"n_knots must be an integer >= 2, got 4\.0"),
        ({"penalty": 0.0}, r"penalty must be a positive number, got 0\.0"),
        ({"penalty": np.nan}, "penalty must be a positive number, got nan"),
        ({"max_slope": 0.0}, r"max_slope must be positive or None, got 0\.0"),
    ],
)
def test_arguments_of_the_specification(arguments, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        MonotoneSpline(**arguments)


# Knots -----------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), n=st.integers(1, 30))
def test_weighted_quantiles_are_those_of_repeated_values(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, weight = rng.integers(0, 10, n) / 3, rng.integers(1, 4, n)
    levels = np.array([0.0, 0.02, 0.5, 0.7, 0.98, 1.0])
    found = weighted_quantiles(values, weight.astype(float), levels)
    np.testing.assert_array_equal(
        found, np.quantile(np.repeat(values, weight), levels, method="inverted_cdf")
    )


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 60),
    n_knots=st.integers(2, 12),
    discrete=st.booleans(),
    odd=st.booleans(),
)
def test_breakpoints_are_few_ordered_and_apart(
    seed: int, n: int, n_knots: int, discrete: bool, odd: bool
) -> None:
    rng = np.random.default_rng(seed)
    t = rng.integers(-2, 3, n).astype(float) if discrete else rng.normal(size=n) * 10.0 ** rng.integers(-8, 9)
    knots = spline_breakpoints(t, np.ones(n), n_knots, odd)
    assert 2 <= knots.size <= n_knots + 1
    assert (np.diff(knots) > 0).all()
    if odd:
        np.testing.assert_array_equal(knots, -knots[::-1])
    SplineLink(knots, np.ones(SplineBasis(knots, odd).n_coefficients), antisymmetric=odd)


def test_breakpoints_of_an_index_that_never_varies() -> None:
    np.testing.assert_array_equal(spline_breakpoints(np.zeros(3), np.ones(3), 10, True), [-1, 1])
    assert spline_breakpoints(np.full(3, 1e-7), np.ones(3), 10, False).size == 2
    assert spline_breakpoints(np.full(3, 1e9), np.ones(3), 10, False).size == 2
