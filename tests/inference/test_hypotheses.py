"""Linear hypotheses in words, and ratios against the textbook."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.exceptions import InvalidParameterError
from semiindex.inference import infer
from semiindex.inference.expressions import parse_restrictions
from semiindex.inference.hypotheses import linear_hypothesis, wald
from semiindex.inference.ratio import fieller_set, ratio_of

NAMES = ("a", "b", "log(c)")


@pytest.mark.parametrize(
    ("text", "matrix", "value"),
    [
        ("a", [[1, 0, 0]], [0]),
        ("log(c)", [[0, 0, 1]], [0]),
        ("a = b", [[1, -1, 0]], [0]),
        ("a=-2*b", [[1, 2, 0]], [0]),
        ("a + 2 * b = 3 - `log(c)`", [[1, 2, 1]], [3]),
        ("(a - b) / 2 = 0, b", [[0.5, -0.5, 0], [0, 1, 0]], [0, 0]),
        ("-a = 1e-1", [[-1, 0, 0]], [0.1]),
        ("1 = a", [[-1, 0, 0]], [-1]),
    ],
)
def test_restrictions_are_read(text, matrix, value) -> None:
    R, r = parse_restrictions(text, NAMES)
    np.testing.assert_allclose(R, matrix)
    np.testing.assert_allclose(r, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d = 0", "no coefficient 'd'"),
        ("`d` = 0", "no coefficient 'd'"),
        ("a * b = 0", "not linear"),
        ("a = b = 0", "two equals signs"),
        ("a / 0 = 1", "division by zero"),
        ("a +", "no expression"),
        ("a[0]", "no sum of multiples"),
        ("a ** 2", "not linear"),
    ],
)
def test_what_is_not_linear_is_refused(text, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        parse_restrictions(text, NAMES)


def test_forms_of_a_hypothesis_agree() -> None:
    forms = ["a = b, b = 0", ["a = b", "b"], np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 0.0]])]
    read = [linear_hypothesis(form, 0.0, NAMES) for form in forms]
    for hypothesis in read:
        np.testing.assert_allclose(hypothesis.matrix, forms[2])
        assert hypothesis.words == "a - b = 0, b = 0"


def test_one_restriction_is_the_square_of_z(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    test = result.wald_test("x2")
    assert test.statistic == pytest.approx(result.z[2] ** 2)
    assert test.p_value == pytest.approx(result.p_values[2])
    clustered = infer(ProfiledLinkPolicy().fit(X, y), X, y, groups=np.arange(600) // 20)
    assert clustered.wald_test("x2").p_value == pytest.approx(clustered.p_values[2])
    assert clustered.wald_test("x2").distribution == "F(1, 29)"


def test_statistic_does_not_depend_on_how_restrictions_are_written(rng) -> None:
    A = rng.normal(size=(3, 3))
    covariance, theta = A @ A.T, rng.normal(size=3)
    R = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 2.0]])
    one = wald(linear_hypothesis(R, 0.0, NAMES), theta, covariance, None)
    two = wald(
        linear_hypothesis(np.array([[3.0, 1.0], [0.0, 1e-3]]) @ R, 0.0, NAMES), theta, covariance, None
    )
    direct = theta @ R.T @ np.linalg.solve(R @ covariance @ R.T, R @ theta)
    assert one.statistic == pytest.approx(direct)
    assert two.statistic == pytest.approx(direct)


def test_hypotheses_on_a_free_scale_are_homogeneous_or_name_it(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    with pytest.raises(InvalidParameterError, match="not homogeneous"):
        result.wald_test("x0 = 0.5")
    with pytest.raises(InvalidParameterError, match="not homogeneous"):
        result.wald_test("x0 = 0.5", normalization="norm")
    assert result.wald_test("x0 = 0.5", normalization="rms").null == "x0 = 0.5"
    assert infer(KnownLinkPolicy().fit(X, y), X, y).wald_test("x0 = 0.5").null == "x0 = 0.5"


@pytest.mark.parametrize("text", ["x0, x1, x2", "x1 = x0, 2 * x1 = 2 * x0"])
def test_what_is_settled_already_is_not_tested(text, sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    with pytest.raises(InvalidParameterError, match="nothing is left to test"):
        result.wald_test(text)


def test_fixed_coefficient_is_not_tested(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy(normalization="x0").fit(X, y), X, y)
    with pytest.raises(InvalidParameterError, match="nothing is left to test"):
        result.wald_test("x0")
    with pytest.raises(InvalidParameterError, match="belongs to a hypothesis given as a matrix"):
        result.wald_test("x1", 2.0)
    with pytest.raises(InvalidParameterError, match="one finite number for each"):
        result.wald_test(np.eye(2))


@pytest.mark.parametrize("ratio", [0.3, -2.0, 5.0])
def test_fieller_set_inverts_the_test(ratio: float, rng) -> None:
    """rho is in the set if and only if |a - rho b| <= q sd(a - rho b)."""
    for _ in range(50):
        A = rng.normal(size=(2, 2)) * rng.choice([0.05, 0.5, 2.0])
        covariance, pair, quantile = A @ A.T, rng.normal(size=2), 1.96
        gap = pair[0] - ratio * pair[1]
        spread = np.sqrt(covariance[0, 0] - 2 * ratio * covariance[0, 1] + ratio**2 * covariance[1, 1])
        assert (ratio in fieller_set(pair, covariance, quantile)) == (abs(gap) <= quantile * spread)


def test_fieller_interval_is_the_textbook_formula() -> None:
    """Independent numerator and denominator, in the form with g = q^2 v_bb / b^2 (Finney 1978)."""
    a, b, vaa, vbb, q = 2.0, 1.0, 0.04, 0.01, norm.ppf(0.975)
    g, rho = q**2 * vbb / b**2, a / b
    half = q / b * np.sqrt((1 - g) * vaa + rho**2 * vbb)
    expected = np.array([rho - half, rho + half]) / (1 - g)
    found = fieller_set(np.array([a, b]), np.diag([vaa, vbb]), q)
    assert found.kind == "interval"
    np.testing.assert_allclose([found.lower, found.upper], expected)


def test_fieller_set_without_bounds_is_said_to_be_so() -> None:
    quantile = 1.96
    weak = fieller_set(np.array([2.0, 0.1]), np.diag([0.01, 1.0]), quantile)
    assert weak.kind == "complement"
    assert 0.0 not in weak
    assert 1e6 in weak
    assert "the denominator may be 0" in str(weak)
    none = fieller_set(np.array([0.1, 0.1]), np.eye(2), quantile)
    assert none.kind == "line"
    assert 3.0 in none
    assert "whole line" in str(none)


def test_delta_interval_of_a_ratio_is_that_of_a_finite_difference(rng) -> None:
    A = rng.normal(size=(2, 2)) / 10
    pair, covariance = np.array([1.0, 2.0]), A @ A.T
    ratio = ratio_of(pair, covariance, 1.96, 0.95, ("a", "b"))
    step = 1e-6
    gradient = np.array(
        [((1 + step) / 2 - (1 - step) / 2) / (2 * step), (1 / (2 + step) - 1 / (2 - step)) / (2 * step)]
    )
    assert ratio.standard_error == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-6)
    assert ratio.delta_interval[1] == pytest.approx(0.5 + 1.96 * ratio.standard_error)
    with pytest.raises(InvalidParameterError, match="estimated as 0"):
        ratio_of(np.array([1.0, 0.0]), covariance, 1.96, 0.95, ("a", "b"))


def test_ratio_is_the_coefficient_in_units_of_the_other(sample) -> None:
    """The normalisation by a named feature is a ratio, delta interval and all."""
    X, y = sample
    ratio = infer(ProfiledLinkPolicy().fit(X, y), X, y).ratio("x1", "x0")
    named = infer(ProfiledLinkPolicy(normalization="x0").fit(X, y), X, y)
    assert ratio.value == pytest.approx(named.coefficients[1], rel=1e-9)
    assert ratio.standard_error == pytest.approx(named.standard_errors[1], rel=1e-6)
    np.testing.assert_allclose(ratio.delta_interval, named.intervals[1], rtol=1e-6)
    assert "Fieller" in str(ratio)
    with pytest.raises(InvalidParameterError, match="no coefficient 'price'"):
        named.ratio("price", "x0")
    with pytest.raises(InvalidParameterError, match="their ratio is 1"):
        named.ratio(1, "x1")
    with pytest.raises(InvalidParameterError, match="level must lie"):
        named.ratio(1, 0, level=95)
