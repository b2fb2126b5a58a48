"""Bounds by formula: counts against enumeration, rates, monotonicity, and samples in which they must hold."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from semiindex.diagnostics import (
    direction_bound,
    direction_noise,
    in_sample_profile_bound,
    informative_from,
    lipschitz_link_bound,
    log_half_space_patterns,
    log_orderings,
    profile_bound,
    ranking_bound,
)
from semiindex.diagnostics.pattern_counts import log_binomial, log_central_orderings, log_monotone_sequences
from semiindex.exceptions import InvalidParameterError

BOUNDS = {
    "new": lambda n, **kw: profile_bound(n, 4, **kw),
    "sample": lambda n, **kw: in_sample_profile_bound(n, 4, **kw),
    "ranking": lambda n, **kw: ranking_bound(n, 4, **kw),
    "lipschitz": lambda n, **kw: lipschitz_link_bound(n, 3.0, **kw),
    "anchored ranking": lambda n, **kw: ranking_bound(n, 4, n_anchors=6, **kw),
    "anchored": lambda n, **kw: profile_bound(n, 4, n_anchors=6, **kw),
}


def _patterns(points: np.ndarray, rng: np.random.Generator) -> int:
    """Patterns of half-spaces through 0, found by many random normals; bits of a number each."""
    normals = rng.normal(size=(400_000, points.shape[1]))
    return len(np.unique((normals @ points.T > 0) @ 2 ** np.arange(len(points))))


@pytest.mark.parametrize(("n", "dimension"), [(3, 2), (6, 2), (5, 3), (3, 4)])
def test_cover_counts_the_patterns_of_half_spaces(rng, n, dimension):
    counted = _patterns(rng.normal(size=(n, dimension)), rng)
    assert math.exp(log_half_space_patterns(n, dimension)) == pytest.approx(counted)


def test_orders_are_never_more_than_counted(rng):
    points = rng.normal(size=(5, 2))
    orders = np.unique(np.argsort(rng.normal(size=(20_000, 2)) @ points.T, axis=1), axis=0)
    assert len(orders) <= math.exp(log_orderings(5, 2)) * (1 + 1e-9)
    assert math.exp(log_orderings(5, 2)) == pytest.approx(20)  # every pair of points changes places twice


@pytest.mark.parametrize(("n", "levels"), [(3, 2), (4, 3), (5, 1)])
def test_monotone_sequences_are_counted(n, levels):
    listed = sum(1 for _ in itertools.combinations_with_replacement(range(levels), n))
    assert math.exp(log_monotone_sequences(n, levels)) == pytest.approx(listed)


@pytest.mark.parametrize(("n", "d"), [(4, 1), (3, 2), (4, 2)])
def test_orders_of_small_indices_are_never_more_than_counted(rng, n, d):
    """Many random directions, on points of which two coincide in a coordinate: ties too."""
    points = rng.integers(-2, 3, (n, d)).astype(float)
    thresholds = rng.uniform(0.5, 3, n)
    directions = np.concatenate([rng.normal(size=(40_000, d)), rng.integers(-2, 3, (4_000, d))])
    length = np.linalg.norm(directions, axis=1)
    directions = directions[length > 0] / length[length > 0, None]
    index = directions @ points.T
    small = np.abs(index) <= thresholds
    order = np.argsort(np.where(small, index, np.inf), axis=1, kind="stable")
    patterns = np.unique(np.hstack([small, np.where(np.take_along_axis(small, order, 1), order, -1)]), axis=0)
    assert 1 < len(patterns) <= math.exp(log_central_orderings(n, d)) * (1 + 1e-9)


def test_hyperplanes_cut_a_sphere_into_no_more_cells_than_if_they_went_through_its_centre(rng):
    """Three planes off the centre of a sphere: the eight cells that Cover counts."""
    normals, offsets = np.eye(3), np.array([0.2, -0.1, 0.3])
    directions = rng.normal(size=(20_000, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    cells = len(np.unique(directions @ normals.T > offsets, axis=0))
    assert cells == round(math.exp(log_half_space_patterns(3, 3))) == 8
    assert log_central_orderings(3, 3) == log_half_space_patterns(18, 3)


def test_binomials_of_large_numbers():
    n = 10**15
    exact = math.log(math.comb(n, 4))
    assert log_binomial(float(n), 4.0) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_fall_with_the_sample_and_rise_with_confidence_and_gap(name):
    bound = BOUNDS[name]
    sizes = np.geomspace(20, 1e8, 30)
    values = np.array([bound(n) for n in sizes])
    assert (np.diff(values) < 0).all()
    assert bound(1000, confidence=0.99) > bound(1000, confidence=0.9) > bound(1000, confidence=0.5)
    assert bound(1000, gap=0.01) > bound(1000)


@pytest.mark.parametrize(
    ("name", "rate"),
    [("new", -0.5), ("sample", -2 / 3), ("ranking", -0.5), ("lipschitz", -1 / 3), ("anchored", -0.5)],
)
def test_rates_up_to_logarithms(name, rate):
    slope = math.log(BOUNDS[name](1e12) / BOUNDS[name](1e10)) / math.log(100)
    assert slope == pytest.approx(rate, abs=0.03)


def test_the_gap_does_not_choose_the_level():
    """One level for all gaps: the root of the bound solves ``x^2 = 2 a x + c + gap`` with one a and c."""
    x = np.sqrt([in_sample_profile_bound(3000, 5, gap=gap) for gap in (0.0, 0.001, 0.2)])
    a = (x[1] ** 2 - x[0] ** 2 - 0.001) / (2 * (x[1] - x[0]))
    c = x[0] ** 2 - 2 * a * x[0]
    assert x[2] ** 2 == pytest.approx(2 * a * x[2] + c + 0.2, rel=1e-6)


def test_anchors_cost_their_comparisons_and_their_choice():
    """The bound for the comparisons that are left, with the confidence divided among the choices."""
    n, k, gap = 2000, 2, 0.003
    confidence = 1 - 0.1 / math.comb(2 * n, k)
    rest = profile_bound(n - k, 3, confidence=confidence, gap=(n * gap + k) / (n - k))
    assert profile_bound(n, 3, gap=gap, n_anchors=k) == pytest.approx(rest, rel=1e-6)
    assert profile_bound(4, 3, n_anchors=4) == ranking_bound(4, 3, n_anchors=4) == math.inf
    lost = (n**2 * gap + n**2) / ((n - k) * (n - k - 1)) - 1
    pairs = ranking_bound(n - k, 3, confidence=confidence, gap=(lost * (n - k - 1) - 1) / (n - k))
    assert ranking_bound(n, 3, gap=gap, n_anchors=k) == pytest.approx(pairs, rel=1e-6)
    with pytest.raises(InvalidParameterError, match="n_anchors"):
        profile_bound(100, 2, n_anchors=-1)


def test_directions_are_bounded_at_the_rate_of_a_known_link():
    slope = math.log(direction_noise(1e12, 4) / direction_noise(1e10, 4)) / math.log(100)
    assert slope == pytest.approx(-0.5, abs=0.03)
    assert direction_noise(5000, 4, n_distinct=30) < direction_noise(5000, 4) / 1.4
    shares = [
        math.exp(-2 * 500 * direction_noise(500, 3, step=j) ** 2 + log_central_orderings(500, 3))
        for j in range(2000)
    ]
    assert sum(shares) == pytest.approx(0.1, rel=1e-3)  # the error probabilities of all steps
    assert direction_bound(0.01, slope=0.2, spread=0.5) == pytest.approx(0.1)
    assert direction_bound(0.01, slope=0.2, spread=0.5, moment=0.005) == pytest.approx(0.15)
    assert direction_bound(0.3, slope=0.2, spread=0.5) == 1.0
    assert direction_bound(0.01, slope=0.0, spread=0.5) == direction_bound(0.01, slope=1, spread=0) == 1.0
    y = 0.5 * direction_bound(0.01, slope=0.2, spread=0.5, moment=0.02, index_within=0.03) - 0.03
    assert 0.2 * y**2 == pytest.approx(0.03 * y + 0.02 * 0.03)


def test_repeated_comparisons_cost_less():
    assert in_sample_profile_bound(5000, 6, n_distinct=20) < in_sample_profile_bound(5000, 6) / 2


def test_half_the_pairs_have_no_order_without_doubling():
    assert ranking_bound(1000, 3, antisymmetric=False) < ranking_bound(1000, 3)


def test_informative_from_is_where_the_bound_crosses():
    n = informative_from(lambda size: profile_bound(size, 5))
    assert profile_bound(1.01 * n, 5) < 0.25 < profile_bound(0.99 * n, 5)
    assert informative_from(lambda size: 1.0) == math.inf


def test_half_space_complexity_holds_in_one_dimension(rng):
    """In one dimension the supremum over thresholds is a maximum of partial sums, computed exactly."""
    n, values = 200, []
    for _ in range(400):
        walk = np.concatenate([[0.0], np.cumsum(rng.choice([-1.0, 1.0], n))])
        values.append(max(walk.max(), (walk[-1] - walk).max()) / n)
    bound = math.sqrt(log_half_space_patterns(n, 2) / (2 * n))
    assert 0.3 * bound < np.mean(values) < bound


def test_the_in_sample_bound_holds_for_isotonic_fits(rng):
    """With one feature the exact minimiser is the isotonic fit, up or down."""
    from semiindex.link import isotonic_fit

    n, x = 1500, np.sort(rng.normal(size=1500))
    truth = 1 / (1 + np.exp(-2 * x))
    errors = []
    for _ in range(40):
        z = (rng.random(n) < truth).astype(float)
        fit = isotonic_fit(x, z, np.ones(n), antisymmetric=False, bound=0.0).fitted
        errors.append(np.mean((fit - truth) ** 2))
    assert max(errors) < in_sample_profile_bound(n, 1, confidence=0.5) < 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0, "d": 2}, "at least 1"),
        ({"n": 10, "d": 0}, "at least 1"),
        ({"n": 10, "d": 2, "confidence": 1.0}, "confidence must lie"),
        ({"n": 10, "d": 2, "gap": -1.0}, "gap must be at least 0"),
    ],
)
def test_numbers_without_a_meaning_are_refused(arguments, message):
    for bound in (profile_bound, in_sample_profile_bound, ranking_bound):
        with pytest.raises(InvalidParameterError, match=message):
            bound(**arguments)
    with pytest.raises(InvalidParameterError, match="index_range and slope"):
        lipschitz_link_bound(10, -1.0)
