"""Normalisations: positive factors, stated in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semiindex.exceptions import InvalidParameterError
from semiindex.index.normalization import normalize

NAMES = ["price", "time", "comfort"]
THETA = np.array([-2.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("rule", "divisor", "words"),
    [
        (None, 1.0, "scale fixed by the link"),
        ("rms", 5.0, "unit root mean square of the index"),
        ("norm", 3.0, "unit Euclidean norm of the coefficients"),
        ("price", 2.0, r"coefficient of price = -1 (sign estimated)"),
        ("comfort", 2.0, r"coefficient of comfort = +1 (sign estimated)"),
        (1, 1.0, r"coefficient of time = +1 (sign estimated)"),
        (np.int64(0), 2.0, r"coefficient of price = -1 (sign estimated)"),
    ],
)
def test_rules(rule, divisor, words) -> None:
    applied = normalize(rule, THETA, 5.0, NAMES)
    assert applied.divisor == divisor
    assert applied.description == words


@given(
    theta=arrays(float, 3, elements=st.floats(-1e3, 1e3).filter(lambda v: v == 0 or abs(v) > 1e-3)),
    exponent=st.integers(-300, 300),
)
def test_norm_neither_overflows_nor_vanishes(theta: np.ndarray, exponent: int) -> None:
    factor = 10.0**exponent
    divisor = normalize("norm", theta * factor, 1.0, NAMES).divisor
    assert divisor > 0
    expected = 1.0 if not theta.any() else 1 / np.linalg.norm(theta) * np.linalg.norm(theta)
    if theta.any():
        assert np.linalg.norm(theta * factor / divisor) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rule", ["speed", 3, -1, True, 1.0, ["price"]])
def test_unknown_rule(rule) -> None:
    with pytest.raises(
        InvalidParameterError, match="normalization must be 'rms', 'norm', the name of a feature"
    ):
        normalize(rule, THETA, 1.0, NAMES)


@pytest.mark.parametrize("theta", [[1.0, 0.0, 2.0], [1.0, 1e-14, 2.0], [0.0, 0.0, 0.0]])
def test_unit_of_a_coefficient_that_is_zero(theta) -> None:
    with pytest.raises(InvalidParameterError, match="the coefficient of 'time' is zero within rounding"):
        normalize("time", np.array(theta), 1.0, NAMES)


def test_index_without_a_scale_is_left_alone() -> None:
    for rule in ("rms", "norm"):
        assert normalize(rule, np.zeros(3), 0.0, NAMES).divisor == 1.0


def test_coefficients_that_no_common_scale_can_hold() -> None:
    with pytest.raises(InvalidParameterError, match="units of the features are so far apart"):
        normalize("norm", np.array([1e300, 1e-300, 1.0]), 1.0, NAMES)
