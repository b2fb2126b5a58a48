"""Local regressions against weighted least squares, and the normal scores they smooth on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from semiindex.link.kernel import KERNELS
from semiindex.link.kernel_regression import PRIOR_WEIGHT, FoldedSums, local_constant, local_linear
from semiindex.link.kernel_sums import kernel_sums
from semiindex.link.normal_score import NormalScore

every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)


def least_squares(x, t, z, weight, kernel, h, prior):
    """Both fits at one point, the pseudo-observation as rows of a weighted regression."""
    k = weight * kernel("value", (x - t) / h)
    constant = (k @ z + PRIOR_WEIGHT * prior) / (k.sum() + PRIOR_WEIGHT)
    # A pseudo-observation with the spread of the kernel: two half ones on either side, the label the same
    # about the fitted line, add PRIOR_WEIGHT to the mass and its variance to the second moment.
    design = np.column_stack([np.ones_like(t), (t - x) / h])
    gram = design.T @ (k[:, None] * design) + PRIOR_WEIGHT * np.diag([1.0, kernel.variance])
    moment = design.T @ (k * z) + PRIOR_WEIGHT * np.array([prior, 0.0])
    value, slope = np.linalg.solve(gram, moment)
    return constant, value, slope / h


@every_kernel
def test_local_fits_are_weighted_least_squares(rng, kernel) -> None:
    t, h, prior = rng.normal(size=150), 0.8, 0.3
    z, weight = rng.integers(0, 2, 150).astype(float), rng.random(150) * 2
    x = np.concatenate([rng.normal(size=12), [3.0, 30.0]])
    columns = np.column_stack([weight, weight * z])
    value, slope, first, second = kernel_sums(x, t, columns, kernel, h, ("value", "slope", "first", "second"))
    constant = local_constant(value[:, 0], value[:, 1], slope[:, 0], slope[:, 1], prior)
    mass = value[:, 0], first[:, 0], second[:, 0]
    linear = local_linear(mass, (value[:, 1], first[:, 1]), kernel, h, prior)
    for i, point in enumerate(x):
        expected = least_squares(point, t, z, weight, kernel, h, prior)
        np.testing.assert_allclose(
            [constant.value[i], linear.value[i], linear.slope[i]], expected, atol=1e-10
        )
        step = 1e-5
        up, down = (least_squares(point + s, t, z, weight, kernel, h, prior)[0] for s in (step, -step))
        assert constant.slope[i] == pytest.approx((up - down) / (2 * step), abs=1e-5)


@every_kernel
def test_window_without_observations_falls_back_on_the_mean(kernel) -> None:
    t, z = np.array([0.0, 0.1]), np.array([1.0, 1.0])
    x = np.array([500.0])
    value, slope, first, second = (
        kernel_sums(x, t, np.ones(2), kernel, 1.0, (name,))[0]
        for name in ("value", "slope", "first", "second")
    )
    constant = local_constant(value, value * z[0], slope, slope, prior=0.25)
    linear = local_linear((value, first, second), (value, first), kernel, 1.0, prior=0.25)
    for fit in (constant, linear):
        assert (fit.value[0], fit.slope[0], fit.mass[0]) == (0.25, 0.0, 0.0)


def test_local_linear_slope_of_a_single_point_is_zero() -> None:
    for kernel in KERNELS.values():
        value, first, second = kernel_sums(
            np.zeros(1), np.zeros(1), np.ones(1), kernel, 1.0, ("value", "first", "second")
        )
        fit = local_linear((value, first, second), (value, first), kernel, 1.0, prior=0.5)
        assert fit.slope[0] == pytest.approx(0, abs=1e-15)
        assert fit.value[0] == pytest.approx((1 + PRIOR_WEIGHT / 2) / (1 + PRIOR_WEIGHT))


@every_kernel
def test_folded_sums_are_those_of_the_doubled_sample(rng, kernel) -> None:
    points = np.sort(np.abs(rng.normal(size=80)))
    even, odd = rng.random(80), rng.normal(size=80)
    query, h = np.abs(rng.normal(size=15)), 0.9
    value, slope = FoldedSums(query, points, kernel, h, True)([even], [odd], ("value", "slope"))
    both = np.concatenate([points, -points])
    columns = np.column_stack([np.concatenate([even, even]), np.concatenate([odd, -odd])]) / 2
    expected = kernel_sums(query, both, columns, kernel, h, ("value", "slope"))
    np.testing.assert_allclose(value, expected[0].T, atol=1e-12)
    np.testing.assert_allclose(slope, expected[1].T, atol=1e-12)
    plain = FoldedSums(query, points, kernel, h, False)([even], [odd], ("value",))[0]
    np.testing.assert_allclose(plain[0], kernel_sums(query, points, even, kernel, h)[0], atol=1e-12)


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("draw", ["exponential", "standard_cauchy", "normal"])
def test_scores_of_any_sample_are_normal(rng, draw, antisymmetric) -> None:
    t = getattr(rng, draw)(size=4000)
    scale = NormalScore.fit(t, np.ones(t.size), antisymmetric=antisymmetric)
    doubled = np.concatenate([t, -t]) if antisymmetric else t
    u = np.sort(scale.score(doubled))
    normal = ndtri((np.arange(u.size) + 0.5) / u.size)
    middle = np.abs(normal) < 2.5
    assert np.abs(u - normal)[middle].max() < 0.08
    assert np.abs(u).max() < 5


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_scale_is_increasing_with_a_continuous_derivative(rng, antisymmetric) -> None:
    t = rng.exponential(size=500) - 0.4
    scale = NormalScore.fit(t, np.ones(500), antisymmetric=antisymmetric)
    x = np.linspace(-9, 12, 4001)
    assert (np.diff(scale.score(x)) > 0).all()
    step = 1e-6
    difference = (scale.score(x + step) - scale.score(x - step)) / (2 * step)
    np.testing.assert_allclose(scale.slope(x), difference, rtol=1e-4, atol=1e-6)
    if antisymmetric:
        np.testing.assert_allclose(scale.score(-x), -scale.score(x), atol=1e-14)
        assert scale.score(np.zeros(1))[0] == 0


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_scale_of_weights_is_that_of_repetitions(rng, antisymmetric) -> None:
    t, weight = rng.normal(size=200), rng.integers(1, 4, 200)
    weighted = NormalScore.fit(t, weight, antisymmetric=antisymmetric)
    rows = rng.permutation(np.repeat(np.arange(200), weight))
    repeated = NormalScore.fit(t[rows], np.ones(rows.size), antisymmetric=antisymmetric)
    np.testing.assert_array_equal(weighted.knots, repeated.knots)
    np.testing.assert_array_equal(weighted.scores, repeated.scores)


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("values", [[0.0], [2.0], [0.0, 1.0], [-1.0, 0.0, 1.0]])
def test_few_distinct_index_values(values, antisymmetric) -> None:
    t = np.resize(values, 60)
    scale = NormalScore.fit(t, np.ones(60), antisymmetric=antisymmetric)
    u = scale.score(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    assert np.isfinite(u).all()
    assert (np.diff(u) > 0).all()
