"""Sums over pairs against the plain loop, wherever on the line the points are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from semiindex.objective.pairwise_sums import (
    Indicator,
    LogisticSurrogate,
    SigmoidSurrogate,
    SquaredHinge,
    Surrogate,
)

#: Surrogate -> its cost and the derivative of the cost at differences d.
PLAIN = {
    Indicator: (lambda d: (d < 0) + 0.5 * (d == 0), lambda d: 0 * d),
    LogisticSurrogate: (lambda d: np.logaddexp(0, -d), lambda d: -expit(-d)),
    SquaredHinge: (lambda d: np.maximum(0, 1 - d) ** 2, lambda d: -2 * np.maximum(0, 1 - d)),
    SigmoidSurrogate: (lambda d: expit(-d), lambda d: -expit(-d) * expit(d)),
}
SURROGATES = [
    Indicator(),
    LogisticSurrogate(),
    SquaredHinge(),
    SigmoidSurrogate(1.0),
    SigmoidSurrogate(0.047),
    SigmoidSurrogate(3e-6),
]
every_surrogate = pytest.mark.parametrize("surrogate", SURROGATES, ids=repr)


def plain(surrogate: Surrogate, x, y, mass) -> tuple[np.ndarray, np.ndarray, float]:
    """Potential, slope, and the largest slope that the sources could add up to."""
    tau = getattr(surrogate, "temperature", 1.0)
    cost, derivative = PLAIN[type(surrogate)]
    d = (x[:, None] - y[None, :]) / tau
    slopes = derivative(d) / tau
    return cost(d) @ mass, slopes @ mass, mass.sum() * max(1 / tau, np.abs(slopes).max())


def assert_equal_to_loop(surrogate: Surrogate, x, y, mass) -> None:
    field = surrogate.field(x, y, mass)
    potential, slope, scale = plain(surrogate, x, y, mass)
    np.testing.assert_allclose(field.potential, potential, rtol=1e-8, atol=1e-9 * mass.sum())
    np.testing.assert_allclose(field.slope, slope, rtol=1e-8, atol=1e-9 * scale)
    assert field.potential.sum() == pytest.approx(potential.sum(), rel=1e-8, abs=1e-12 * mass.sum())


@every_surrogate
@given(
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    spread=st.sampled_from([0.0, 1e-7, 0.03, 1.0, 40.0, 1e4]),
    offset=st.sampled_from([0.0, -0.5, 3.0, 1e8]),
    outlier=st.sampled_from([0.0, 1e6, -1e6]),
    seed=st.integers(0, 10_000),
)
def test_sum_equals_the_plain_loop(surrogate, n, m, spread, offset, outlier, seed) -> None:
    rng = np.random.default_rng(seed)
    # Multiples of 2^-30, so that differences far from zero are the differences of the points.
    x, y = (np.round(rng.normal(size=k) * spread * 2**30) / 2**30 for k in (n, m))
    x, y = x + offset, y + offset
    x[: n // 3] = rng.choice(y, n // 3)  # ties
    x[0] += outlier
    y[-1] -= outlier
    assert_equal_to_loop(surrogate, x, y, rng.exponential(size=m) ** 3)


@every_surrogate
def test_points_on_the_edges_of_cells(surrogate) -> None:
    steps = np.arange(-64, 65) / 16
    assert_equal_to_loop(surrogate, steps, np.repeat(steps[::7], 3), np.ones(57))


@pytest.mark.parametrize("temperature", [1e-4, 0.3, 0.5, 0.51, 0.99, 1.0, 7.3, 1e5])
@pytest.mark.parametrize("n", [30, 1000])
def test_any_temperature_of_the_sigmoid(rng, temperature, n) -> None:
    x, y = rng.normal(size=n), rng.standard_cauchy(size=n)
    assert_equal_to_loop(SigmoidSurrogate(temperature), x, y, rng.random(n))


def test_chunks_of_a_large_sample_add_up(rng) -> None:
    y, mass = rng.normal(size=70_000), rng.random(70_000)
    x = np.concatenate([y[:5], [-50.0, 50.0]])
    for surrogate in SURROGATES:
        assert_equal_to_loop(surrogate, x, y, mass)
        # Many targets of few sources.
        field = surrogate.field(y, x, np.ones(7))
        part = surrogate.field(y[-10:], x, np.ones(7))
        np.testing.assert_allclose(field.potential[-10:], part.potential, rtol=1e-12, atol=1e-12)


@every_surrogate
def test_slope_is_the_derivative_of_the_potential(rng, surrogate) -> None:
    if isinstance(surrogate, Indicator):
        pytest.skip("its slope is zero where it exists")
    tau = getattr(surrogate, "temperature", 1.0)
    x, y, mass = tau * rng.normal(size=50), tau * rng.normal(size=40), rng.random(40)
    step = 1e-4 * tau
    up, down = (surrogate.field(x + h, y, mass).potential for h in (step, -step))
    expected = (up - down) / (2 * step)
    np.testing.assert_allclose(surrogate.field(x, y, mass).slope, expected, rtol=1e-5, atol=1e-6 / tau)


@pytest.mark.parametrize("surrogate", [LogisticSurrogate(), SquaredHinge()], ids=repr)
def test_bend_is_the_derivative_of_the_slope(rng, surrogate) -> None:
    x, y, mass = rng.normal(size=50), rng.normal(size=400), rng.random(400)
    up, down = (surrogate.field(x + h, y, mass).slope for h in (1e-5, -1e-5))
    expected = (up - down) / 2e-5
    # The slope of the squared hinge has a kink at every source: few are within the step.
    np.testing.assert_allclose(surrogate.bend(x, y, mass), expected, rtol=1e-6, atol=1.5)
    assert np.median(np.abs(surrogate.bend(x, y, mass) - expected)) < 1e-4


@pytest.mark.parametrize("surrogate", [Indicator(), SigmoidSurrogate(0.1)], ids=repr)
def test_only_convex_surrogates_bend(surrogate) -> None:
    with pytest.raises(NotImplementedError, match="is not convex"):
        surrogate.bend(np.zeros(1), np.zeros(1), np.ones(1))


@every_surrogate
def test_turning_the_line_round_exchanges_the_samples(rng, surrogate) -> None:
    x, y, a, b = rng.normal(size=30), rng.normal(size=40), rng.random(30), rng.random(40)
    forward = a @ surrogate.field(x, y, b).potential
    backward = b @ surrogate.field(-y, -x, a).potential
    assert forward == pytest.approx(backward, rel=1e-10)


def test_sigmoid_becomes_the_indicator(rng) -> None:
    x, y, mass = rng.normal(size=200), rng.normal(size=200), rng.random(200)
    x[:20] = y[:20]
    sharp = SigmoidSurrogate(1e-9).field(x, y, mass).potential
    np.testing.assert_allclose(sharp, Indicator().field(x, y, mass).potential, rtol=1e-9)
