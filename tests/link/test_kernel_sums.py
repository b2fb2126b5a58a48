"""Kernel sums on a line against the sum over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from semiindex.exceptions import InvalidParameterError
from semiindex.link.kernel import KERNELS, Kernel, get_kernel
from semiindex.link.kernel_sums import kernel_sums, line_sums

FUNCTIONS = ("value", "slope", "first", "second")
every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)


def all_pairs(x, t, v, kernel: Kernel, h: float, function: str) -> np.ndarray:
    """The sum as it is written, over n^2 pairs."""
    u = (x[:, None] - t[None, :]) / h
    if kernel.name == "gaussian":
        value = np.exp(-(u**2) / 2)
        slope = -u * value
    else:
        value = np.where(np.abs(u) < 1, (1 - u**2) ** kernel.power, 0.0)
        slope = np.where(np.abs(u) < 1, -2 * kernel.power * u * (1 - u**2) ** (kernel.power - 1), 0.0)
    table = {"value": value, "slope": slope / h, "first": -u * value, "second": u**2 * value}[function]
    return table @ v


def points(rng: np.random.Generator) -> np.ndarray:
    """A cloud with far outliers, ties, and a lone pair."""
    cloud = rng.normal(size=100), 5 * rng.standard_cauchy(30), np.zeros(12), [0.5] * 10, [90, 90.1]
    return np.concatenate(cloud)


@every_kernel
@pytest.mark.parametrize(("offset", "unit"), [(0, 1.0), (1e8, 1.0), (-1e6, 1e-3), (0, 1e-9), (0, 1e12)])
@pytest.mark.parametrize("h", [0.05, 0.7, 40.0])
def test_sums_are_those_over_all_pairs(rng, kernel, offset, unit, h) -> None:
    t = offset + unit * points(rng)
    x = np.concatenate([t, offset + unit * 3 * rng.normal(size=20), [offset + unit * 1e5]])
    v = np.column_stack([rng.random(t.size), rng.normal(size=t.size)])
    for function, sums in zip(FUNCTIONS, kernel_sums(x, t, v, kernel, h * unit, FUNCTIONS), strict=True):
        expected = all_pairs(x, t, v, kernel, h * unit, function)
        size = all_pairs(x, t, np.abs(v), kernel, h * unit, "value").max() / (
            h * unit if function == "slope" else 1
        )
        # Coordinates are known to 1e-16 of the offset, so differences of neighbours only to that.
        precision = 1e-13 if kernel.power is not None else 1e-10
        tolerance = size * (precision + 4e-16 * abs(offset) / (h * unit))
        np.testing.assert_allclose(sums, expected, rtol=0, atol=tolerance)


@every_kernel
def test_relative_to_the_window_and_not_to_the_line(rng, kernel) -> None:
    """A few points beside a million times as much weight keep their digits."""
    t = np.concatenate([rng.random(500), 3 + rng.random(40)])
    v = np.concatenate([np.full(500, 1e9), rng.random(40)])
    h = 0.25
    x = 3.3 + 0.4 * rng.random(50)
    (sums,) = kernel_sums(x, t, v, kernel, h, ("value",))
    expected = all_pairs(x, t, v, kernel, h, "value")
    np.testing.assert_allclose(sums, expected, rtol=1e-13 if kernel.power is not None else 1e-8)


@every_kernel
def test_gaps_of_every_length_have_their_own_blocks(kernel) -> None:
    t = np.cumsum(2.0 ** np.arange(-20, 21))
    v = np.arange(1.0, t.size + 1)
    for h in (1e-5, 0.3, 7.0, 1e6):
        (sums,) = kernel_sums(t, t, v, kernel, h)
        np.testing.assert_allclose(sums, all_pairs(t, t, v, kernel, h, "value"), rtol=1e-9)


@every_kernel
def test_derivative_is_that_of_the_sum(rng, kernel) -> None:
    t, v, x, h = rng.normal(size=200), rng.normal(size=200), rng.normal(size=30), 0.6
    (slope,) = kernel_sums(x, t, v, kernel, h, ("slope",))
    step = 1e-6
    (up,), (down,) = (kernel_sums(x + s, t, v, kernel, h) for s in (step, -step))
    np.testing.assert_allclose(slope, (up - down) / (2 * step), atol=1e-6 * np.abs(v).sum())


@every_kernel
@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12), h=st.floats(0.1, 5))
def test_small_discrete_samples(kernel, seed, n, h) -> None:
    rng = np.random.default_rng(seed)
    t, x = rng.integers(-3, 4, n) / 2, rng.integers(-9, 10, 7) / 2
    v = rng.normal(size=n)
    for function, sums in zip(FUNCTIONS, kernel_sums(x, t, v, kernel, h, FUNCTIONS), strict=True):
        expected = all_pairs(x, t, v, kernel, h, function)
        # A point at the very edge of the window is in it or not: only the parabola has a slope there.
        if function == "slope" and kernel.power == 1:
            edge = np.isclose(np.abs(x[:, None] - t[None, :]), h).any(axis=1)
            sums, expected = sums[~edge], expected[~edge]
        np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-9)


@every_kernel
def test_weights_are_repetitions_and_order_is_free(rng, kernel) -> None:
    t, v = rng.normal(size=100), rng.normal(size=100)
    weight = rng.integers(0, 4, 100)
    x = rng.normal(size=20)
    (weighted,) = kernel_sums(x, t, weight * v, kernel, 0.5)
    rows = rng.permutation(np.repeat(np.arange(100), weight))
    (repeated,) = kernel_sums(x, t[rows], v[rows], kernel, 0.5)
    np.testing.assert_allclose(weighted, repeated, atol=1e-12)
    order = rng.permutation(20)
    np.testing.assert_allclose(
        kernel_sums(x[order], t, v, kernel, 0.5)[0], kernel_sums(x, t, v, kernel, 0.5)[0][order], atol=1e-13
    )


def test_one_column_and_many_have_the_shape_of_the_values(rng) -> None:
    t, x = np.sort(rng.normal(size=50)), rng.normal(size=7)
    for kernel in KERNELS.values():
        sums = line_sums(x, t, kernel, 0.5)
        one, many = sums(np.ones(50), ("value",)), sums(np.ones((50, 3)), ("value", "slope"))
        assert [s.shape for s in one + many] == [(7,), (7, 3), (7, 3)]
        np.testing.assert_allclose(many[0][:, 2], one[0], rtol=1e-14)


def test_long_sums_go_column_by_column_and_chunk_by_chunk(rng, monkeypatch) -> None:
    t, x, v = rng.normal(size=300), rng.normal(size=101), rng.normal(size=(300, 3))
    kernel = get_kernel("biweight")
    (expected,) = kernel_sums(x, t, v, kernel, 0.5)
    monkeypatch.setattr("semiindex.link.kernel_sums._CHUNK", 16)
    monkeypatch.setattr("semiindex.link.kernel_sums._MAX_ENTRIES", 1)
    np.testing.assert_allclose(kernel_sums(x, t, v, kernel, 0.5)[0], expected, atol=1e-13)


@every_kernel
def test_constants_of_the_kernels(kernel) -> None:
    def integral(function):
        return quad(function, -40, 40, points=[-1, 0, 1], limit=400)[0]

    def k(u):
        return float(kernel("value", np.array(u)))

    mass = integral(k)
    assert k(0.0) == 1
    assert kernel.roughness == pytest.approx(integral(lambda u: k(u) ** 2) / mass**2, rel=1e-7)
    assert kernel.variance == pytest.approx(integral(lambda u: u * u * k(u)) / mass, rel=1e-7)
    assert kernel("slope", np.array(0.3)) == pytest.approx((k(0.3 + 1e-6) - k(0.3 - 1e-6)) / 2e-6, rel=1e-6)


def test_canonical_bandwidths_of_marron_and_nolan() -> None:
    # Table 1 of Marron & Nolan (1988): canonical bandwidths .7764, 1.7188, 2.0362, 2.3122.
    expected = {"gaussian": 0.7764, "epanechnikov": 1.7188, "biweight": 2.0362, "triweight": 2.3122}
    for name, bandwidth in expected.items():
        assert get_kernel(name).equivalent == pytest.approx(bandwidth / 0.7764, rel=1e-4)


def test_unknown_kernel() -> None:
    with pytest.raises(InvalidParameterError, match=r"kernel must be one of 'epanechnikov', .*got 'uniform'"):
        get_kernel("uniform")
    with pytest.raises(InvalidParameterError, match="the kernel 'gaussian' is no polynomial"):
        get_kernel("gaussian").polynomial("value")
