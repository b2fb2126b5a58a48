"""Bounds by formula: counts against enumeration, rates, monotonicity, and samples in which they must hold."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from semiindex.diagnostics import (
    in_sample_profile_bound,
    informative_from,
    lipschitz_link_bound,
    log_half_space_patterns,
    log_orderings,
    profile_bound,
    ranking_bound,
)
from semiindex.diagnostics.theorems import _log_binomial, _log_monotone
from semiindex.exceptions import InvalidParameterError

BOUNDS = {
    "new": lambda n, **kw: profile_bound(n, 4, **kw),
    "sample": lambda n, **kw: in_sample_profile_bound(n, 4, **kw),
    "ranking": lambda n, **kw: ranking_bound(n, 4, **kw),
    "lipschitz": lambda n, **kw: lipschitz_link_bound(n, 3.0, **kw),
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
    assert math.exp(_log_monotone(n, levels)) == pytest.approx(listed)


def test_binomials_of_large_numbers():
    n = 10**15
    exact = math.log(math.comb(n, 4))
    assert _log_binomial(float(n), 4.0) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_fall_with_the_sample_and_rise_with_confidence_and_gap(name):
    bound = BOUNDS[name]
    sizes = np.geomspace(20, 1e8, 30)
    values = np.array([bound(n) for n in sizes])
    assert (np.diff(values) < 0).all()
    assert bound(1000, confidence=0.99) > bound(1000, confidence=0.9) > bound(1000, confidence=0.5)
    assert bound(1000, gap=0.01) > bound(1000)


@pytest.mark.parametrize(
    ("name", "rate"), [("new", -0.5), ("sample", -2 / 3), ("ranking", -0.5), ("lipschitz", -1 / 3)]
)
def test_rates_up_to_logarithms(name, rate):
    slope = math.log(BOUNDS[name](1e12) / BOUNDS[name](1e10)) / math.log(100)
    assert slope == pytest.approx(rate, abs=0.03)


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
