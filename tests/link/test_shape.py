"""The shape-constrained link as users fit it: constraints, invariances, the isotonic special case."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link import (
    LogisticLink,
    PiecewiseLinearLink,
    ShapeConstrainedLink,
    isotonic_fit,
    probability_bound,
)
from semiindex.link._program import LinkProgram
from semiindex.link.compression import compress, place_knots

LOSSES = ["log", "squared"]
GRID = np.linspace(-4, 4, 401)


def sample(rng: np.random.Generator, n: int = 2000) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lapses of 0.2 on either side and a steep middle."""
    t = rng.normal(size=n) * 1.3
    p = 0.2 + 0.6 / (1 + np.exp(-6 * t))
    return t, (rng.random(n) < p).astype(float), rng.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_monotonicity_alone_gives_the_isotonic_fit(
    loss: Any, antisymmetric: bool, ties: bool, rng: np.random.Generator
) -> None:
    t, z, weight = sample(rng, 250)
    t = t.round(1) if ties else t
    spec = ShapeConstrainedLink(loss=loss, n_knots=1000)
    link = spec.fit(t, z, weight, antisymmetric=antisymmetric)
    isotonic = isotonic_fit(t, z, weight, antisymmetric=antisymmetric).to_link()
    np.testing.assert_allclose(link.probability(t), isotonic.probability(t), rtol=0, atol=1e-6)


def test_both_losses_give_the_same_isotonic_fit(rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 250)
    log, squared = (ShapeConstrainedLink(loss=loss, n_knots=1000).fit(t, z, weight) for loss in LOSSES)
    np.testing.assert_allclose(log.probability(GRID), squared.probability(GRID), rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("antisymmetric", [False, True])
def test_slope_bound_holds_and_binds(loss: Any, antisymmetric: bool, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng)
    link = ShapeConstrainedLink(lipschitz=0.25, loss=loss).fit(t, z, weight, antisymmetric=antisymmetric)
    slope = link.slope(GRID)
    assert slope.max() <= 0.25 + 1e-8
    assert slope.max() == pytest.approx(0.25, abs=1e-6)
    free = ShapeConstrainedLink(loss=loss).fit(t, z, weight, antisymmetric=antisymmetric)
    assert free.slope(GRID).max() > 0.5


@pytest.mark.parametrize("loss", LOSSES)
def test_known_lapses_hold_and_bind(loss: Any, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng)
    free = ShapeConstrainedLink(loss=loss).fit(t, z, weight)
    link = ShapeConstrainedLink(loss=loss, lower=0.25, upper=0.7).fit(t, z, weight)
    assert free.values[0] < 0.25
    assert free.values[-1] > 0.7
    assert link.values[0] == pytest.approx(0.25, abs=1e-9)
    assert link.values[-1] == pytest.approx(0.7, abs=1e-9)
    if loss == "log":  # separable, hence clipping is the exact bounded fit
        np.testing.assert_allclose(link.values, np.clip(free.values, 0.25, 0.7), atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("antisymmetric", [False, True])
def test_concavity_holds_and_binds(loss: Any, antisymmetric: bool, rng: np.random.Generator) -> None:
    t = rng.normal(size=1500) * 1.5
    p = 0.5 + 0.2 * np.sign(t) * (np.abs(t) > 1) + 0.1 * np.tanh(t)  # a plateau, then a rise
    z = (rng.random(t.size) < p).astype(float)
    link = ShapeConstrainedLink(concave_above_zero=True, loss=loss).fit(t, z, antisymmetric=antisymmetric)
    slope = np.diff(link.values) / np.diff(link.knots)
    bends = slope[:-1] - slope[1:]
    above = link.knots[1:-1] > 0
    assert bends[above].min() > -1e-6
    assert (bends[above] < 1e-6).any()
    if antisymmetric:
        assert bends[link.knots[1:-1] < 0].max() < 1e-6
        assert link.antisymmetric


def test_concavity_as_an_isotonic_fit_of_slopes() -> None:
    """Exact by hand: the mean line through two knots that a convex pair must share."""
    link = ShapeConstrainedLink(concave_above_zero=True, loss="squared").fit(
        [0.0, 1.0, 2.0], [0.2, 0.3, 0.8], bound=0.0
    )
    # Least squares line through (0, .2), (1, .3), (2, .8).
    np.testing.assert_allclose(link.values, 1.3 / 3 + 0.3 * np.array([-1, 0, 1]), atol=1e-7)


def test_fit_without_monotonicity_shows_the_dip() -> None:
    t, z = [-1.0, 0.0, 1.0], [0.3, 0.7, 0.5]
    link = ShapeConstrainedLink(monotone=False).fit(t, z, bound=0.0)
    np.testing.assert_allclose(link.values, z, atol=1e-8)
    assert not link.monotone
    assert ShapeConstrainedLink().fit(t, z, bound=0.0).values == pytest.approx([0.3, 0.6, 0.6], abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_all_constraints_together(loss: Any, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng)
    spec = ShapeConstrainedLink(lipschitz=0.25, lower=0.2, upper=0.8, concave_above_zero=True, loss=loss)
    link = spec.fit(t, z, weight, antisymmetric=True)
    assert link.antisymmetric
    assert link.values[0] >= 0.2
    assert link.values[-1] <= 0.8
    assert link.slope(GRID).max() <= 0.25 + 1e-8
    assert np.diff(link.slope(np.linspace(0.01, 3, 100))).max() < 1e-8
    assert link.probability(0.0) == 0.5


@pytest.mark.parametrize("loss", LOSSES)
def test_antisymmetric_fit_is_that_of_the_doubled_sample(loss: Any, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 300)
    spec = ShapeConstrainedLink(lipschitz=0.3, loss=loss, n_knots=61)
    link = spec.fit(t, z, weight, antisymmetric=True)
    doubled = spec.fit(
        np.concatenate([t, -t]),
        np.concatenate([z, 1 - z]),
        np.concatenate([weight, weight]),
        knots=link.knots,
        bound=probability_bound(weight.sum()),
    )
    np.testing.assert_allclose(doubled.values, link.values, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("antisymmetric", [False, True])
def test_integer_weights_are_repeated_rows(loss: Any, antisymmetric: bool, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 400)
    rows = np.repeat(np.arange(t.size), weight.astype(int))
    spec = ShapeConstrainedLink(lipschitz=0.3, loss=loss, n_knots=40)
    once = spec.fit(t, z, weight, antisymmetric=antisymmetric)
    repeated = spec.fit(t[rows], z[rows], antisymmetric=antisymmetric)
    assert np.array_equal(once.knots, repeated.knots)
    np.testing.assert_allclose(once.values, repeated.values, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_order_of_rows_does_not_matter(loss: Any, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 400)
    order = rng.permutation(t.size)
    spec = ShapeConstrainedLink(lipschitz=0.3, loss=loss, n_knots=40)
    a, b = spec.fit(t, z, weight), spec.fit(t[order], z[order], weight[order])
    assert np.array_equal(a.knots, b.knots)
    np.testing.assert_allclose(a.values, b.values, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_rescaling_the_index_rescales_the_link(loss: Any, rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 400)
    for factor in (1e-300, 1e-3, 1e3, 1e300):
        spec = ShapeConstrainedLink(concave_above_zero=True, loss=loss, n_knots=40)
        scaled = spec.fit(factor * t, z, weight)
        np.testing.assert_allclose(scaled.values, spec.fit(t, z, weight).values, atol=1e-5)


def test_recovers_the_link_from_many_observations(rng: np.random.Generator) -> None:
    t = rng.normal(size=200_000) * 2
    z = (rng.random(t.size) < LogisticLink().probability(t)).astype(float)
    link = ShapeConstrainedLink(lipschitz=0.25).fit(t, z, antisymmetric=True)
    assert np.abs(link.probability(GRID) - LogisticLink().probability(GRID)).max() < 0.015
    assert link.knots.size <= 2 * 120 - 1


def test_labels_of_one_kind_in_the_chosen_rejected_format() -> None:
    link = ShapeConstrainedLink(lipschitz=0.25).fit([0.5, 1.0, 4.0], [1, 1, 1], antisymmetric=True)
    np.testing.assert_allclose(link.probability([0.5, 1.0, 4.0]), [0.625, 0.75, 0.8], atol=1e-7)
    np.testing.assert_allclose(link.probability([-0.5, 0.0]), [0.375, 0.5], atol=1e-7)


def test_given_knots_are_used() -> None:
    link = ShapeConstrainedLink().fit([-1.0, 0.2, 1.0], [0, 1, 1], knots=[-1, 0, 1])
    assert link.knots.tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("antisymmetric", [False, True])
def test_envelope_theorem(loss: Any, antisymmetric: bool, rng: np.random.Generator) -> None:
    """The gradient at the fitted values is the derivative of the profile loss along a direction."""
    t, z, weight = sample(rng, 500)
    if antisymmetric:
        t, z = np.abs(t), np.where(t < 0, 1 - z, z)
    knots = place_knots(t, weight, 30, antisymmetric=antisymmetric)
    t = t + 1e-3 * rng.random(t.size)  # off the knots
    program = LinkProgram(ShapeConstrainedLink(lipschitz=0.25), knots, antisymmetric)
    direction = rng.normal(size=t.size)

    def profile(t: FloatArray) -> tuple[float, FloatArray]:
        data = compress(t, z, weight, knots)
        if loss == "log":
            solution = program.solve_log(*data.counts, 1e-3)
            return solution.objective, data.log_gradient(solution.values)
        gram = data.gram
        solution = program.solve_squared(gram.diagonal, gram.off_diagonal, gram.moment, 1e-3)
        return solution.objective + gram.constant, data.squared_gradient(solution.values)

    h = 1e-7
    difference = (profile(t + h * direction)[0] - profile(t - h * direction)[0]) / (2 * h)
    assert profile(t)[1] @ direction == pytest.approx(difference, rel=1e-4 if loss == "log" else 1e-5)


# ---------------------------------------------------------------------------------- the specification


class Estimator(BaseEstimator):
    def __init__(self, link: ShapeConstrainedLink) -> None:
        self.link = link


def test_is_a_value() -> None:
    spec = ShapeConstrainedLink(lipschitz=0.25, loss="squared")
    assert spec == ShapeConstrainedLink(lipschitz=0.25, loss="squared") != ShapeConstrainedLink()
    assert pickle.loads(pickle.dumps(spec)) == copy.deepcopy(spec) == spec
    assert len({spec, copy.copy(spec)}) == 1
    assert clone(Estimator(spec)).link == spec
    assert eval(repr(spec)) == spec


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_value(loss: Any) -> None:
    link = PiecewiseLinearLink([0.0, 1.0], [0.2, 0.8])
    spec = ShapeConstrainedLink(loss=loss)
    value = spec.loss_value(link, [0.0, 1.0], [0.0, 0.5], [1.0, 3.0])
    if loss == "log":
        expected = (-np.log(0.8) - 1.5 * np.log(0.8) - 1.5 * np.log(0.2)) / 4
    else:
        expected = (0.04 + 3 * 0.09) / 4
    assert value == pytest.approx(expected, rel=1e-12)


def test_loss_value_where_the_link_excludes_a_label() -> None:
    link = PiecewiseLinearLink([0.0, 1.0], [0.0, 1.0])
    assert ShapeConstrainedLink().loss_value(link, [0.0, 1.0], [0, 1]) == 0
    assert ShapeConstrainedLink().loss_value(link, [0.0, 1.0], [1, 1]) == np.inf


def test_fit_minimises_loss_value(rng: np.random.Generator) -> None:
    t, z, weight = sample(rng, 200)
    spec = ShapeConstrainedLink(lipschitz=0.25, loss="squared")
    best = spec.loss_value(spec.fit(t, z, weight), t, z, weight)
    for scale in (0.3, 0.6, 1.0):
        assert best <= spec.loss_value(LogisticLink().rescaled(scale), t, z, weight)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lipschitz": 0.0}, "lipschitz must be positive and finite or None"),
        ({"lipschitz": np.inf}, "lipschitz must be positive and finite or None"),
        ({"lipschitz": np.nan}, "lipschitz must be positive and finite or None"),
        ({"lower": -0.1}, "0 <= lower < upper <= 1"),
        ({"upper": 1.1}, "0 <= lower < upper <= 1"),
        ({"lower": 0.5, "upper": 0.5}, "0 <= lower < upper <= 1"),
        ({"loss": "hinge"}, "loss must be 'log' or 'squared'"),
        ({"n_knots": 1}, "n_knots must be an integer of at least 2"),
        ({"n_knots": 2.5}, "n_knots must be an integer of at least 2"),
    ],
)
def test_specification_is_validated(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        ShapeConstrainedLink(**parameters)


@pytest.mark.parametrize(
    ("t", "z", "weight", "message"),
    [
        ([], [], None, "not empty and of one length"),
        ([1.0, 2.0], [1.0], None, r"got shapes \(2,\), \(1,\)"),
        ([[1.0]], [[1.0]], None, "one-dimensional"),
        ([1.0], [1.0], [1.0, 1.0], "of one length"),
        ([np.nan], [1.0], None, "t must be finite"),
        ([np.inf], [1.0], None, "t must be finite"),
        ([1.0], [2.0], None, r"z must lie in \[0, 1\]"),
        ([1.0], [np.nan], None, r"z must lie in \[0, 1\]"),
        ([1.0], [1.0], [-1.0], "weight must be nonnegative"),
        ([1.0], [1.0], [0.0], "not all zero"),
        ([1.0], [1.0], [np.inf], "weight must be nonnegative and finite"),
    ],
)
def test_data_are_validated(t: Any, z: Any, weight: Any, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        ShapeConstrainedLink().fit(t, z, weight)
    with pytest.raises(InvalidDataError, match=message):
        ShapeConstrainedLink().loss_value(LogisticLink(), t, z, weight)


def test_antisymmetric_fit_needs_symmetric_bounds() -> None:
    with pytest.raises(InvalidParameterError, match="upper = 1 - lower"):
        ShapeConstrainedLink(lower=0.1).fit([1.0], [1.0], antisymmetric=True)
