"""Binning on knots: hat functions written out, exactness for squared loss, derivatives, placement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import xlog1py, xlogy

from semiindex._types import FloatArray
from semiindex.link import PiecewiseLinearLink
from semiindex.link.compression import Compression, compress, place_knots

KNOTS = np.array([-1.5, -0.4, 0.1, 0.7, 2.0])


@pytest.fixture
def data(rng: np.random.Generator) -> Compression:
    t = np.concatenate([rng.normal(size=60), KNOTS, [-9.0, 9.0]])
    return compress(t, rng.random(t.size), rng.exponential(size=t.size), KNOTS)


@pytest.fixture
def t(data: Compression) -> FloatArray:
    """Index values again, those beyond the knots moved to the ends."""
    right = KNOTS[data.segment + 1]
    return right - data.left * (right - KNOTS[data.segment])


@pytest.fixture
def values(rng: np.random.Generator) -> FloatArray:
    return np.sort(rng.uniform(0.05, 0.95, KNOTS.size))


def hats(t: FloatArray) -> FloatArray:
    """The n x m matrix of hat functions, one interpolation per knot."""
    return np.column_stack([np.interp(t, KNOTS, unit) for unit in np.eye(KNOTS.size)])


def test_shares_are_the_hat_functions(data: Compression, t: FloatArray) -> None:
    rows = np.zeros((t.size, KNOTS.size))
    rows[np.arange(t.size), data.segment] = data.left
    rows[np.arange(t.size), data.segment + 1] += 1 - data.left
    np.testing.assert_allclose(rows, hats(t), atol=1e-12)
    np.testing.assert_allclose(rows[-2:], [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])
    assert data.inside[-7:].tolist() == [True] * 5 + [False] * 2


def test_counts(data: Compression, t: FloatArray) -> None:
    wins, losses = data.counts
    np.testing.assert_allclose(wins, hats(t).T @ (data.weight * data.z), atol=1e-12)
    np.testing.assert_allclose(losses, hats(t).T @ (data.weight * (1 - data.z)), atol=1e-12)
    assert (wins + losses).sum() == pytest.approx(data.weight.sum())


def test_gram_is_the_squared_loss(data: Compression, t: FloatArray, values: FloatArray) -> None:
    gram, basis = data.gram, hats(t)
    full = np.diag(gram.diagonal) + np.diag(gram.off_diagonal, 1) + np.diag(gram.off_diagonal, -1)
    np.testing.assert_allclose(full, basis.T @ (data.weight[:, None] * basis), atol=1e-12)
    loss = values @ full @ values - 2 * gram.moment @ values + gram.constant
    assert loss == pytest.approx(data.weight @ (data.z - basis @ values) ** 2, rel=1e-12)


def test_probability_and_slope_are_those_of_the_link(
    data: Compression, t: FloatArray, values: FloatArray
) -> None:
    link = PiecewiseLinearLink(KNOTS, values)
    np.testing.assert_allclose(data.probability(values), link.probability(t), atol=1e-12)
    away = np.abs(t[:, None] - KNOTS).min(axis=1) > 1e-9
    np.testing.assert_allclose(data.slope(values)[away], link.slope(t)[away], atol=1e-12)
    assert not data.slope(values)[-2:].any()


def test_binned_log_loss_bounds_that_of_the_link(data: Compression, values: FloatArray) -> None:
    wins, losses = data.counts
    binned = -np.sum(xlogy(wins, values) + xlog1py(losses, -values))
    p = data.probability(values)
    assert binned > -data.weight @ (xlogy(data.z, p) + xlog1py(1 - data.z, -p))


@pytest.mark.parametrize("loss", ["log", "squared"])
def test_gradients_are_derivatives(loss: str, rng: np.random.Generator, values: FloatArray) -> None:
    # On either side of the end knots, and nowhere on a knot, where there is no derivative.
    t, z, weight = np.linspace(-2.03, 2.51, 40), rng.random(40), rng.exponential(size=40)

    def total(t: FloatArray) -> float:
        data = compress(t, z, weight, KNOTS)
        if loss == "squared":
            return float(weight @ (z - data.probability(values)) ** 2)
        wins, losses = data.counts
        return -float(np.sum(xlogy(wins, values) + xlog1py(losses, -values)))

    data, h = compress(t, z, weight, KNOTS), 1e-6
    gradient = data.log_gradient(values) if loss == "log" else data.squared_gradient(values)
    difference = [(total(t + h * unit) - total(t - h * unit)) / (2 * h) for unit in np.eye(t.size)]
    np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-7)


def test_a_single_knot() -> None:
    data = compress(np.array([-1.0, 0.0, 2.0]), np.array([0.0, 1.0, 1.0]), np.ones(3), np.array([0.0]))
    values = np.array([0.4])
    assert [c.tolist() for c in data.counts] == [[2.0], [1.0]]
    assert data.gram.diagonal.tolist() == [3.0]
    assert data.gram.off_diagonal.size == 0
    assert data.probability(values).tolist() == [0.4] * 3
    assert not data.log_gradient(values).any()
    assert not data.squared_gradient(values).any()


# ---------------------------------------------------------------------------------- placement of knots


def test_few_distinct_values_are_the_knots() -> None:
    t = np.array([2.0, -1.0, 2.0, 0.5, -1.0])
    assert place_knots(t, np.ones(5), 3, antisymmetric=False).tolist() == [-1.0, 0.5, 2.0]
    assert place_knots(t, np.ones(5), 4, antisymmetric=True).tolist() == [0.0, 0.5, 1.0, 2.0]
    assert place_knots(np.append(t, 0.0), np.ones(6), 4, antisymmetric=True).tolist() == [0.0, 0.5, 1.0, 2.0]


def test_many_values_give_quantiles_with_the_ends(rng: np.random.Generator) -> None:
    t = rng.normal(size=1000)
    knots = place_knots(t, np.ones(t.size), 11, antisymmetric=False)
    assert knots.size == 11
    assert knots[[0, -1]].tolist() == [t.min(), t.max()]
    assert np.isin(knots, t).all()
    np.testing.assert_allclose(np.searchsorted(np.sort(t), knots), np.linspace(0, 999, 11), atol=1.5)
    folded = place_knots(t, np.ones(t.size), 11, antisymmetric=True)
    assert folded.size == 11
    assert folded[0] == 0
    assert folded[-1] == np.abs(t).max()


def test_placement_takes_weights_as_repetition(rng: np.random.Generator) -> None:
    t, weight = rng.normal(size=300).round(2), rng.integers(0, 5, 300)
    for antisymmetric in (False, True):
        once = place_knots(t, weight.astype(float), 20, antisymmetric=antisymmetric)
        repeated = place_knots(np.repeat(t, weight), np.ones(weight.sum()), 20, antisymmetric=antisymmetric)
        assert np.array_equal(once, repeated)


def test_ties_leave_fewer_knots() -> None:
    t = np.concatenate([np.zeros(1000), np.linspace(0.1, 1, 30)])
    knots = place_knots(t, np.ones(t.size), 10, antisymmetric=False)
    assert (np.diff(knots) > 0).all()
    assert knots.size < 10
