"""The isotonic fit: max-min formula, doubling, weights as repetition, order of rows, ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlog1py, xlogy

from semiindex.exceptions import InvalidParameterError
from semiindex.link import IsotonicFit, fit_isotonic, fit_isotonic_program, isotonic_fit, probability_bound

Sample = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Small samples with ties in t, soft labels and weights of zero."""
    n = draw(st.integers(1, 10))

    def column(values: st.SearchStrategy[int]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)

    weight = column(st.integers(0, 3))
    weight[0] += 1
    return column(st.integers(-4, 4)) / 2, column(st.integers(0, 4)) / 4, weight


def max_min(t: np.ndarray, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``max over a <= t_i of min over b >= t_i of the mean label on [a, b]``, term by term."""
    points = np.unique(t[weight > 0])

    def mean(a: float, b: float) -> float:
        inside = (t >= a) & (t <= b)
        return float(np.average(z[inside], weights=weight[inside]))

    return np.array(
        [max(min(mean(a, b) for b in points if b >= u) for a in points if a <= u) for u in points]
    )


def random_sample(rng: np.random.Generator, n: int, *, ties: bool) -> Sample:
    t = rng.normal(size=n)
    t = np.round(t, 1) if ties else t
    z = (rng.random(n) < 1 / (1 + np.exp(-2 * t - 0.3))).astype(float)
    return t, z, rng.integers(0, 4, n) + np.eye(1, n)[0]


@given(samples())
def test_is_the_max_min_formula(sample: Sample) -> None:
    t, z, weight = sample
    fit = isotonic_fit(t, z, weight, antisymmetric=False)
    bound = probability_bound(weight.sum())
    at = np.searchsorted(fit.knots, np.unique(t[weight > 0]))
    np.testing.assert_allclose(fit.values[at], np.clip(max_min(t, z, weight), bound, 1 - bound), atol=1e-12)


@given(samples())
def test_antisymmetric_fit_is_that_of_the_doubled_sample(sample: Sample) -> None:
    t, z, weight = sample
    bound = probability_bound(weight.sum())
    fit = isotonic_fit(t, z, weight, antisymmetric=True)
    doubled = isotonic_fit(
        np.concatenate([t, -t]),
        np.concatenate([z, 1 - z]),
        np.concatenate([weight, weight]),
        antisymmetric=False,
        bound=bound,
    )
    present = np.concatenate([weight, weight]) > 0
    both = np.concatenate([fit.fitted, 1 - fit.fitted])
    np.testing.assert_allclose(both[present], doubled.fitted[present], atol=1e-12)
    t_grid = np.unique(np.concatenate([t[weight > 0], -t[weight > 0]]))
    np.testing.assert_allclose(
        fit.to_link().probability(t_grid), doubled.to_link().probability(t_grid), atol=1e-12
    )


@given(samples(), st.booleans())
def test_integer_weights_are_repeated_rows(sample: Sample, antisymmetric: bool) -> None:
    t, z, weight = sample
    rows = np.repeat(np.arange(t.size), weight.astype(int))
    once = isotonic_fit(t, z, weight, antisymmetric=antisymmetric)
    repeated = isotonic_fit(t[rows], z[rows], np.ones(rows.size), antisymmetric=antisymmetric)
    grid = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(once.fitted[rows], repeated.fitted, atol=1e-12)
    np.testing.assert_allclose(
        once.to_link().probability(grid), repeated.to_link().probability(grid), atol=1e-12
    )


@given(samples(), st.booleans(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(sample: Sample, antisymmetric: bool, random: object) -> None:
    t, z, weight = sample
    order = np.array(random.sample(range(t.size), t.size))  # type: ignore[attr-defined]
    fit = isotonic_fit(t, z, weight, antisymmetric=antisymmetric)
    shuffled = isotonic_fit(t[order], z[order], weight[order], antisymmetric=antisymmetric)
    np.testing.assert_allclose(shuffled.fitted, fit.fitted[order], atol=1e-14)


@given(samples())
def test_turning_rows_round_does_not_matter(sample: Sample) -> None:
    t, z, weight = sample
    turned = np.arange(t.size) % 2 == 0
    fit = isotonic_fit(t, z, weight, antisymmetric=True)
    other = isotonic_fit(np.where(turned, -t, t), np.where(turned, 1 - z, z), weight, antisymmetric=True)
    assert fit.to_link() == other.to_link()


@given(samples(), st.booleans())
def test_link_passes_through_the_fitted_values(sample: Sample, antisymmetric: bool) -> None:
    t, z, weight = sample
    fit = isotonic_fit(t, z, weight, antisymmetric=antisymmetric)
    link = fit_isotonic(t, z, weight, antisymmetric=antisymmetric)
    assert link == fit.to_link()
    assert link.antisymmetric is antisymmetric
    away = t != 0 if antisymmetric else np.ones(t.size, dtype=bool)
    np.testing.assert_allclose(link.probability(t)[away], fit.fitted[away], atol=1e-12)
    assert link.knots.size <= 2 * fit.knots.size + 1


def test_thresholds_inside_a_block_are_dropped() -> None:
    t = np.arange(9.0)
    z = np.array([0, 1, 1, 0, 0, 1, 1, 1, 1], dtype=float)
    link = isotonic_fit(t, z, np.ones(9), antisymmetric=False).to_link()
    assert link.knots.tolist() == [0.0, 1.0, 4.0, 5.0, 8.0]


def test_no_other_monotone_fit_has_smaller_loss(rng: np.random.Generator) -> None:
    t, z, weight = random_sample(rng, 200, ties=True)
    fit = isotonic_fit(t, z, weight, antisymmetric=False)
    bound = probability_bound(weight.sum())

    def losses(p: np.ndarray) -> tuple[float, float]:
        return float(weight @ (z - p) ** 2), float(-weight @ (xlogy(z, p) + xlog1py(1 - z, -p)))

    best = losses(fit.fitted)
    for _ in range(200):
        other = np.sort(np.clip(fit.values + rng.normal(scale=0.05, size=fit.values.size), bound, 1 - bound))
        assert all(a <= b for a, b in zip(best, losses(other[fit.rank]), strict=True))


def test_values_are_bounded_by_laplaces_rule() -> None:
    t, z = np.array([-1.0, 1.0]), np.array([0.0, 1.0])
    assert isotonic_fit(t, z, np.ones(2), antisymmetric=False).fitted.tolist() == [0.25, 0.75]
    fit = isotonic_fit(t, z, np.full(2, 49.0), antisymmetric=True)
    np.testing.assert_allclose(fit.fitted, [0.01, 0.99], rtol=1e-14)
    assert isotonic_fit(t, z, np.ones(2), antisymmetric=False, bound=0.0).fitted.tolist() == [0.0, 1.0]


def test_option_against_itself_is_one_half() -> None:
    t, z = np.array([0.0, 0.0, -0.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    fit = isotonic_fit(t, z, np.ones(4), antisymmetric=True)
    assert fit.fitted.tolist() == [0.5] * 4
    assert fit.to_link().probability([-1.0, 0.3]).tolist() == [0.5, 0.5]
    alone = isotonic_fit(np.zeros(2), np.ones(2), np.ones(2), antisymmetric=True)
    assert alone.to_link().probability([-1.0, 0.0, 1.0]).tolist() == [0.5] * 3


def test_float32_index() -> None:
    t = np.array([1, 2, 3], dtype=np.float32)
    fit = isotonic_fit(t, np.array([0.0, 0.0, 1.0]), np.ones(3), antisymmetric=False)
    assert np.array_equal(fit.to_link().knots, [1.0, 2.0, 3.0])


# ------------------------------------------------------------------ the same fit as a convex program


def assert_same_fit(fit: IsotonicFit, twin: IsotonicFit, tolerance: float) -> None:
    np.testing.assert_allclose(twin.values, fit.values, rtol=0, atol=tolerance)
    assert np.array_equal(twin.knots, fit.knots)
    assert np.array_equal(twin.rank, fit.rank)
    assert np.array_equal(twin.flipped, fit.flipped)
    assert (np.diff(twin.values) >= 0).all()


@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_convex_program_gives_the_same_fit(
    rng: np.random.Generator, n: int, ties: bool, antisymmetric: bool
) -> None:
    for _ in range(3):
        t, z, weight = random_sample(rng, n, ties=ties)
        fit = isotonic_fit(t, z, weight, antisymmetric=antisymmetric)
        twin = fit_isotonic_program(t, z, weight, antisymmetric=antisymmetric)
        assert_same_fit(fit, twin, 1e-6)


@pytest.mark.parametrize("antisymmetric", [False, True])
def test_convex_program_with_fractional_weights_and_zeros_in_t(
    rng: np.random.Generator, antisymmetric: bool
) -> None:
    t, z, _ = random_sample(rng, 150, ties=True)
    t[:20] = 0.0
    weight = rng.exponential(size=t.size)
    z = np.where(rng.random(t.size) < 0.3, rng.random(t.size), z)
    fit = isotonic_fit(t, z, weight, antisymmetric=antisymmetric)
    assert_same_fit(fit, fit_isotonic_program(t, z, weight, antisymmetric=antisymmetric), 1e-6)


def test_convex_program_is_refused_where_it_is_too_large(rng: np.random.Generator) -> None:
    t, z, _ = random_sample(rng, 3001, ties=False)
    with pytest.raises(
        InvalidParameterError, match="3001 distinct index values; beyond 3000 use solver='pava'"
    ):
        fit_isotonic_program(t, z, np.ones(t.size), antisymmetric=False)
