"""The efficient score: orthogonal on an exact population, and out of fold on a sample."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex.exceptions import InvalidDataError
from semiindex.link.kernel import KERNELS
from semiindex.link.kernel_regression import PRIOR_WEIGHT
from semiindex.objective.efficient_score import WEIGHT_PRIOR, EfficientScoreObjective, efficient_score
from semiindex.objective.grouped import GroupedObjective
from semiindex.objective.smoothing import SmoothingRule
from semiindex.optimize.crossfit import assign_folds, require_separate

symmetries = pytest.mark.parametrize("antisymmetric", [True, False])


# Neyman orthogonality on an exact finite population -------------------------------------------------------


class Population:
    """Finitely many comparisons with known probabilities; several of them share every index value."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        grid = np.arange(-2.0, 3.0)
        self.rows = np.array([(a, b, c) for a in grid for b in grid for c in grid])
        self.weight = rng.random(len(self.rows)) + 0.1
        self.t = self.rows @ [1.0, -1.0, 2.0]
        self.levels, self.level = np.unique(self.t, return_inverse=True)
        self.g = 0.1 + 0.8 / (1 + np.exp(-self.t))
        self.slope = 0.8 * np.exp(-self.t) / (1 + np.exp(-self.t)) ** 2
        self.z = self.g  # the mean label stands for both labels with their probabilities
        self.mean = self.conditional_mean(self.rows)
        self.direction_g = np.cos(self.t)
        self.direction_slope = np.sin(3 * self.t)
        self.direction_mean = rng.normal(size=(self.levels.size, 3))[self.level]

    def conditional_mean(self, rows: np.ndarray) -> np.ndarray:
        mass = np.bincount(self.level, self.weight)
        sums = np.stack([np.bincount(self.level, self.weight * column) for column in rows.T], axis=1)
        return (sums / mass[:, None])[self.level]

    def score(self, eps_link: float, eps_mean: float, *, centred: bool = True) -> np.ndarray:
        """Score with the link, its slope and the weight perturbed, and E[D | t] perturbed."""
        g = self.g + eps_link * self.direction_g
        multiplier = (self.slope + eps_link * self.direction_slope) / (g * (1 - g))
        mean = self.mean + eps_mean * self.direction_mean if centred else np.zeros_like(self.rows)
        return efficient_score(self.z, self.weight, g, multiplier, self.rows, mean)


def test_at_the_truth_the_score_is_zero() -> None:
    assert np.abs(Population().score(0, 0)).max() < 1e-15


@pytest.mark.parametrize("eps", [1e-3, 1e-2, 0.05])
def test_error_of_the_link_alone_moves_nothing(eps) -> None:
    assert np.abs(Population().score(eps, 0)).max() < 1e-14


@pytest.mark.parametrize("eps", [1e-3, 1e-2, 0.05])
def test_error_of_the_conditional_mean_alone_moves_nothing(eps) -> None:
    assert np.abs(Population().score(0, eps)).max() < 1e-14


def test_errors_of_both_move_by_their_product() -> None:
    population = Population()
    small, large = population.score(1e-5, 1e-5), population.score(1e-4, 1e-4)
    assert np.abs(small).max() > 1e-12
    np.testing.assert_allclose(large / small, 100, rtol=0.01)


def test_without_centring_an_error_of_the_link_moves_in_proportion() -> None:
    population = Population()
    small = population.score(1e-6, 0, centred=False)
    large = population.score(1e-5, 0, centred=False)
    assert np.abs(small).max() > 1e-8
    np.testing.assert_allclose(large / small, 10, rtol=0.01)


def test_with_a_wrong_index_the_score_is_not_orthogonal() -> None:
    population = Population()
    population.z = 0.1 + 0.8 / (1 + np.exp(-population.rows @ [1.0, -1.0, 1.0]))
    at, moved = population.score(0, 0), population.score(1e-4, 1e-4)
    assert np.abs(moved - at).max() > 1e-6


# Out of fold ---------------------------------------------------------------------------------------------


def sample(n: int = 160, *, antisymmetric: bool = True):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(n, 3)) + (0.0 if antisymmetric else 0.3)
    t = rows @ [1.0, -0.5, 0.3]
    z = (rng.random(n) < 1 / (1 + np.exp(-2 * t))).astype(float)
    weight = rng.integers(1, 4, n) / 2
    return rows, t, z, weight, rng.permutation(np.arange(n) % 4)


def fitted(t, z, weight, folds, *, kernel="biweight", **kwargs) -> EfficientScoreObjective:
    objective = EfficientScoreObjective(SmoothingRule(KERNELS[kernel]), folds, **kwargs)
    objective.update(t, z, weight)
    return objective


def plain(objective, rows, t, z, weight, folds):
    """Nuisances by kernel regression over all pairs, the other folds as memory."""
    s, rule = objective.smoothing, objective.rule
    u, du = s.scale.score(t), s.scale.slope(t)
    other = weight * (folds[:, None] != folds)
    near, near_slope = (other * s.kernel(name, (u[:, None] - u) / s.bandwidth) for name in ("value", "slope"))
    if objective.antisymmetric:
        far, far_slope = (other * s.kernel(n, (u[:, None] + u) / s.bandwidth) for n in ("value", "slope"))
        prior, mean = 0.5, (near @ rows - far @ rows) / 2
        wins, wins_slope = (near @ z + far @ (1 - z)) / 2, (near_slope @ z + far_slope @ (1 - z)) / 2
        near, near_slope = (near + far) / 2, (near_slope + far_slope) / 2
    else:
        prior, mean = np.average(z, weights=weight), near @ rows
        wins, wins_slope = near @ z, near_slope @ z
    mass = near.sum(axis=1) + PRIOR_WEIGHT
    g = (wins + PRIOR_WEIGHT * prior) / mass
    slope = (wins_slope - g * near_slope.sum(axis=1)) / mass / s.bandwidth * du
    g = np.clip(g, rule.bound, 1 - rule.bound)
    count = mass - PRIOR_WEIGHT
    cautious = (count * g + WEIGHT_PRIOR / 2) / (count + WEIGHT_PRIOR)
    return g, slope, slope / (cautious * (1 - cautious)), mean / mass[:, None]


@symmetries
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("threshold", [10, 1000], ids=["grid", "exact"])
def test_nuisances_and_score_are_the_plain_ones(antisymmetric, kernel, threshold) -> None:
    rows, t, z, weight, folds = sample(antisymmetric=antisymmetric)
    objective = fitted(
        t, z, weight, folds, antisymmetric=antisymmetric, kernel=kernel, compression_threshold=threshold
    )
    g, slope, multiplier, mean = plain(objective, rows, t, z, weight, folds)
    nuisance = objective.nuisances(t, z, weight)
    # The grid moves every observation by a thousandth of the index's spread.
    tolerance = 1e-8
    if threshold == 10:
        tolerance = 0.1 if kernel == "epanechnikov" else 2e-3
    np.testing.assert_allclose(nuisance.probability, g, atol=0.1 * tolerance)
    np.testing.assert_allclose(nuisance.slope, slope, atol=tolerance * np.abs(slope).max())
    np.testing.assert_allclose(nuisance.multiplier, multiplier, atol=tolerance * np.abs(multiplier).max())
    np.testing.assert_allclose(rows - nuisance.centre(rows), mean, atol=tolerance)
    evaluation = objective.evaluate(t, z, weight)
    assert evaluation.value == pytest.approx(
        -np.average(z * np.log(g) + (1 - z) * np.log1p(-g), weights=weight), abs=0.1 * tolerance
    )
    expected = efficient_score(z, weight, g, multiplier, rows, mean)
    np.testing.assert_allclose(rows.T @ evaluation.gradient, expected, atol=tolerance)


@symmetries
def test_score_of_the_index_is_the_score_with_smoothed_rows(antisymmetric) -> None:
    """``D'(e - S'e)`` is ``(D - SD)'e``: no column needs to be smoothed on the way to the root."""
    rows, t, z, weight, folds = sample(antisymmetric=antisymmetric)
    objective = fitted(t, z, weight, folds, antisymmetric=antisymmetric)
    nuisance = objective.nuisances(t, z, weight)
    mean = rows - nuisance.centre(rows)
    expected = efficient_score(z, weight, nuisance.probability, nuisance.multiplier, rows, mean)
    gradient = rows.T @ objective.evaluate(t, z, weight).gradient
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-14)


@symmetries
def test_labels_take_no_part_in_their_own_prediction(antisymmetric) -> None:
    _, t, z, weight, folds = sample(antisymmetric=antisymmetric)
    objective = fitted(t, z, weight, folds, antisymmetric=antisymmetric)
    before = objective.nuisances(t, z, weight)
    changed = np.where(folds == 2, 1 - z, z)
    after = objective.nuisances(t, changed, weight)
    same = folds == 2
    np.testing.assert_array_equal(before.probability[same], after.probability[same])
    np.testing.assert_array_equal(before.multiplier[same], after.multiplier[same])
    assert np.abs(before.probability - after.probability)[~same].min() > 0


def test_mirror_images_are_the_same_sample(rng) -> None:
    rows, t, z, weight, folds = sample()
    turned = rng.random(t.size) < 0.5
    sign = np.where(turned, -1.0, 1.0)
    one = fitted(t, z, weight, folds, antisymmetric=True)
    two = fitted(sign * t, np.where(turned, 1 - z, z), weight, folds, antisymmetric=True)
    first = one.evaluate(t, z, weight)
    second = two.evaluate(sign * t, np.where(turned, 1 - z, z), weight)
    assert first.value == second.value
    np.testing.assert_array_equal(second.gradient, sign * first.gradient)
    centred = one.nuisances(t, z, weight).centre(rows)
    mirrored = two.nuisances(sign * t, z, weight).centre(sign[:, None] * rows)
    np.testing.assert_array_equal(mirrored, sign[:, None] * centred)


@symmetries
def test_weights_are_repetitions_in_the_same_fold(antisymmetric) -> None:
    _, t, z, weight, folds = sample(antisymmetric=antisymmetric)
    weight = np.round(2 * weight)
    rows = np.repeat(np.arange(t.size), weight.astype(int))
    one = fitted(t, z, weight, folds, antisymmetric=antisymmetric)
    repeated = t[rows], z[rows], np.ones(rows.size)
    two = fitted(*repeated, folds[rows], antisymmetric=antisymmetric)
    gradient = np.bincount(rows, two.evaluate(*repeated).gradient)
    np.testing.assert_allclose(one.evaluate(t, z, weight).gradient, gradient, atol=1e-14)


def test_subsample_keeps_its_folds() -> None:
    _, t, z, weight, folds = sample()
    objective = EfficientScoreObjective(SmoothingRule(), folds, antisymmetric=True)
    rows = np.arange(0, t.size, 3)
    np.testing.assert_array_equal(objective.for_rows(rows).folds, folds[rows])
    classes = np.arange(t.size) % 2
    parts = [
        EfficientScoreObjective(SmoothingRule(), folds[classes == k], antisymmetric=True) for k in (0, 1)
    ]
    grouped = GroupedObjective(list(parts), classes).for_rows(rows)
    for k, part in enumerate(grouped.objectives):
        np.testing.assert_array_equal(part.folds, folds[rows][classes[rows] == k])
    grouped.update(t[rows], z[rows], weight[rows])
    assert np.isfinite(grouped.evaluate(t[rows], z[rows], weight[rows]).value)


# Folds ---------------------------------------------------------------------------------------------------


def test_folds_are_of_units_whatever_their_rows() -> None:
    units = np.repeat(np.arange(23), np.arange(23) + 1)
    folds = assign_folds(units, 5, np.random.default_rng(0))
    require_separate(folds, units)
    sizes = np.bincount(folds[np.unique(units, return_index=True)[1]])
    assert sizes.size == 5
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(1).permutation(units.size)
    np.testing.assert_array_equal(assign_folds(units[order], 5, np.random.default_rng(0)), folds[order])
    np.testing.assert_array_equal(assign_folds(np.arange(23), 5, np.random.default_rng(0))[units], folds)


def test_fewer_units_make_fewer_folds() -> None:
    assert set(assign_folds(np.array([7, 7, 8]), 5, np.random.default_rng(0))) == {0, 1}


def test_overlapping_folds_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="the folds overlap: 'b' has rows in more than one of them"):
        require_separate(np.array([0, 0, 1, 1]), np.array(["a", "b", "b", "c"]))
