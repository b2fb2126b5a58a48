"""The leave-one-out kernel likelihood against a plain one over all pairs, and its derivative."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex.exceptions import LinkFitError
from semiindex.link.kernel import KERNELS, get_kernel
from semiindex.link.kernel_regression import PRIOR_WEIGHT, prior_label
from semiindex.link.kernel_sums import kernel_sums
from semiindex.objective.kernel_link import fit_kernel_link
from semiindex.objective.klein_spady import KleinSpadyObjective
from semiindex.objective.smoothing import SmoothingRule
from semiindex.objective.unit_index import UnitIndexObjective

every_kernel = pytest.mark.parametrize("kernel", KERNELS)
symmetries = pytest.mark.parametrize("antisymmetric", [True, False])


def sample(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n) * 1.3 + 0.2
    z = (rng.random(n) < 1 / (1 + np.exp(-2 * t))).astype(float)
    return t, z, np.ones(n)


def plain_losses(u, z, weight, kernel, h, *, antisymmetric, bound) -> np.ndarray:
    """The criterion as it is defined, over units: each predicted by all others, whole units left out."""
    others = 1 - np.eye(u.size)
    near = others * kernel("value", (u[:, None] - u) / h) * weight
    wins, mass = near @ z, near.sum(axis=1)
    prior = np.average(z, weights=weight)
    if antisymmetric:
        far = others * kernel("value", (u[:, None] + u) / h) * weight
        wins, mass, prior = (wins + far @ (1 - z)) / 2, (mass + far.sum(axis=1)) / 2, 0.5
    g = np.clip((wins + PRIOR_WEIGHT * prior) / (mass + PRIOR_WEIGHT), bound, 1 - bound)
    return -z * np.log(g) - (1 - z) * np.log1p(-g)


def plain(u, z, weight, kernel, h, *, antisymmetric, bound) -> float:
    """Mean of these losses."""
    losses = plain_losses(u, z, weight, kernel, h, antisymmetric=antisymmetric, bound=bound)
    return np.average(losses, weights=weight)


def fitted(t, z, weight, kernel="biweight", *, antisymmetric=True, **kwargs) -> KleinSpadyObjective:
    rule = SmoothingRule(
        get_kernel(kernel), **{k: kwargs.pop(k) for k in ("bandwidth", "bound") if k in kwargs}
    )
    objective = KleinSpadyObjective(rule, antisymmetric=antisymmetric, **kwargs)
    objective.update(t, z, weight)
    return objective


@every_kernel
@symmetries
@pytest.mark.parametrize("bound", [1e-3, 0.15])
def test_value_is_the_plain_one(kernel, antisymmetric, bound) -> None:
    t, z, weight = sample()
    rng = np.random.default_rng(1)
    weight *= rng.random(t.size)
    z[:15] = rng.random(15)  # a tie or a soft label is one unit, both of its labels left out
    objective = fitted(t, z, weight, kernel, antisymmetric=antisymmetric, bound=bound)
    s = objective.smoothing
    expected = plain(
        s.scale.score(t), z, weight, s.kernel, s.bandwidth, antisymmetric=antisymmetric, bound=bound
    )
    assert objective.evaluate(t, z, weight).value == pytest.approx(expected, rel=1e-9)


@every_kernel
@symmetries
def test_gradient_is_the_derivative_of_the_plain_criterion(kernel, antisymmetric) -> None:
    """Through the query and through every memory point, and through the scale."""
    t, z, weight = sample(60)
    objective = fitted(t, z, weight, kernel, antisymmetric=antisymmetric, bound=1e-6)
    s = objective.smoothing
    gradient = objective.evaluate(t, z, weight).gradient

    def value(index):
        u = s.scale.score(index)
        return plain(u, z, weight, s.kernel, s.bandwidth, antisymmetric=antisymmetric, bound=1e-6)

    step = 1e-7
    difference = [(value(t + step * e) - value(t - step * e)) / (2 * step) for e in np.eye(t.size)]
    # Second derivatives jump at the knots of the scale, which are points of the sample; that of the
    # parabola jumps wherever a point enters a window.
    tolerance = 1e-7 * np.abs(gradient).max() * (100 if kernel == "epanechnikov" else 10) + 1e-8
    np.testing.assert_allclose(gradient, difference, rtol=0, atol=tolerance)


@symmetries
def test_gradient_of_weights_and_soft_labels(antisymmetric) -> None:
    t, z, weight = sample()
    rng = np.random.default_rng(1)
    weight = rng.choice([0.3, 1.0, 2.0, 3.5], t.size)
    z[:30] = rng.random(30)
    objective = fitted(t, z, weight, antisymmetric=antisymmetric)
    for _ in range(3):
        direction, step = rng.normal(size=t.size), 1e-7
        up, down = (objective.evaluate(t + s * direction, z, weight).value for s in (step, -step))
        slope = objective.evaluate(t, z, weight).gradient @ direction
        assert slope == pytest.approx((up - down) / (2 * step), abs=1e-7)


@symmetries
@pytest.mark.parametrize("kernel", ["biweight", "gaussian"])
def test_gradient_is_exact_for_a_compressed_sample(kernel, antisymmetric) -> None:
    t, z, weight = sample(400)
    objective = fitted(t, z, weight, kernel, antisymmetric=antisymmetric, compression_threshold=100)
    assert objective.resolution() > 0
    rng = np.random.default_rng(2)
    direction = rng.normal(size=t.size)
    evaluation = objective.evaluate(t, z, weight)
    step = 1e-7  # shorter than the distance of any index value from a node
    up, down = (objective.evaluate(t + s * direction, z, weight).value for s in (step, -step))
    assert evaluation.gradient @ direction == pytest.approx((up - down) / (2 * step), rel=1e-5)


@symmetries
def test_compression_changes_little(antisymmetric) -> None:
    t, z, weight = sample(2000)
    exact = fitted(t, z, weight, antisymmetric=antisymmetric)
    binned = fitted(t, z, weight, antisymmetric=antisymmetric, compression_threshold=100)
    one, two = (objective.evaluate(t, z, weight) for objective in (exact, binned))
    assert two.value == pytest.approx(one.value, abs=2e-3)
    assert np.corrcoef(one.gradient, two.gradient)[0, 1] > 0.99
    np.testing.assert_allclose(two.curvature().sum(), one.curvature().sum(), rtol=0.02)


@symmetries
def test_integer_weights_are_repeated_rows(antisymmetric) -> None:
    t, z, _ = sample()
    weight = np.random.default_rng(3).integers(1, 4, t.size)
    rows = np.repeat(np.arange(t.size), weight)
    weighted = fitted(t, z, weight.astype(float), antisymmetric=antisymmetric)
    repeated = fitted(t[rows], z[rows], np.ones(rows.size), antisymmetric=antisymmetric)
    assert weighted.smoothing.bandwidth == repeated.smoothing.bandwidth
    one = weighted.evaluate(t, z, weight.astype(float))
    two = repeated.evaluate(t[rows], z[rows], np.ones(rows.size))
    assert one.value == pytest.approx(two.value, rel=1e-12)
    np.testing.assert_allclose(one.gradient, np.bincount(rows, two.gradient), atol=1e-14)


@symmetries
def test_merged_wins_and_losses_are_the_rows_apart(antisymmetric) -> None:
    t, _, _ = sample(50)
    wins, losses = np.random.default_rng(4).integers(0, 3, (2, 50)) + np.array([[1], [1]])
    merged = fitted(t, wins / (wins + losses), (wins + losses) * 1.0, antisymmetric=antisymmetric)
    one = merged.evaluate(t, wins / (wins + losses), (wins + losses) * 1.0)
    rows = np.concatenate([np.repeat(np.arange(50), wins), np.repeat(np.arange(50), losses)])
    z = np.repeat([1.0, 0.0], [wins.sum(), losses.sum()])
    two = fitted(t[rows], z, np.ones(z.size), antisymmetric=antisymmetric).evaluate(
        t[rows], z, np.ones(z.size)
    )
    assert one.value == pytest.approx(two.value, rel=1e-12)
    np.testing.assert_allclose(one.gradient, np.bincount(rows, two.gradient), atol=1e-14)


@symmetries
def test_order_of_rows_is_free_and_ties_are_fine(antisymmetric, rng) -> None:
    t, z, weight = sample()
    t = np.round(t, 1)
    order = rng.permutation(t.size)
    one = fitted(t, z, weight, antisymmetric=antisymmetric).evaluate(t, z, weight)
    two = fitted(t[order], z[order], weight, antisymmetric=antisymmetric).evaluate(t[order], z[order], weight)
    assert one.value == pytest.approx(two.value, rel=1e-13)
    np.testing.assert_allclose(two.gradient, one.gradient[order], atol=1e-14)


def test_mirror_images_are_the_same_sample(rng) -> None:
    t, z, weight = sample()
    turned = rng.random(t.size) < 0.5
    s, y = np.where(turned, -t, t), np.where(turned, 1 - z, z)
    one = fitted(t, z, weight).evaluate(t, z, weight)
    two = fitted(s, y, weight).evaluate(s, y, weight)
    assert one.value == two.value
    np.testing.assert_array_equal(two.gradient, np.where(turned, -one.gradient, one.gradient))


@symmetries
def test_a_falling_link_is_no_obstacle(antisymmetric) -> None:
    t, z, weight = sample()
    rising, falling = (
        fitted(t, labels, weight, antisymmetric=antisymmetric).evaluate(t, labels, weight).value
        for labels in (z, 1 - z)
    )
    assert rising == pytest.approx(falling, rel=1e-12)


def test_trimmed_comparisons_are_counted_and_have_no_pull() -> None:
    t = np.concatenate([np.linspace(1, 2, 30), np.linspace(-0.2, 0.2, 30)])
    z = np.concatenate([np.ones(30), np.tile([0.0, 1.0], 15)])
    objective = fitted(t, z, np.ones(60), bound=0.05, bandwidth=0.05)
    gradient = objective.evaluate(t, z, np.ones(60)).gradient
    assert objective.n_trimmed >= 15
    assert np.sum(gradient == 0) >= 15


def test_lone_observation_is_predicted_by_the_mean() -> None:
    t, z = np.array([-1.0, -0.9, -0.8, 50.0]), np.array([0.0, 1.0, 1.0, 1.0])
    objective = fitted(t, z, np.ones(4), antisymmetric=False, bandwidth=0.1)
    s = objective.smoothing
    assert np.abs(np.diff(s.scale.score(t)))[-1] > s.bandwidth
    one = objective.evaluate(t, z, np.ones(4))
    assert one.gradient[3] == 0
    others = fitted(t[:3], z[:3], np.ones(3), antisymmetric=False, bandwidth=0.1)
    assert np.isfinite(others.evaluate(t[:3], z[:3], np.ones(3)).value)


@symmetries
def test_scale_of_the_index_does_not_matter_under_the_unit_index(antisymmetric) -> None:
    t, z, weight = sample()
    values = []
    for factor in (1.0, 1e-3, 7.0):
        objective = UnitIndexObjective(KleinSpadyObjective(SmoothingRule(), antisymmetric=antisymmetric))
        objective.update(factor * t, z, weight)
        evaluation = objective.evaluate(factor * t, z, weight)
        assert evaluation.gradient @ t == pytest.approx(0, abs=1e-12 / factor)
        values.append(evaluation.value)
    np.testing.assert_allclose(values, values[0], rtol=1e-12)


@symmetries
def test_cross_validated_bandwidth_is_the_longest_that_is_not_worse(antisymmetric) -> None:
    t, z, weight = sample(150)
    rule = fitted(t, z, weight, antisymmetric=antisymmetric).smoothing
    chosen = fitted(t, z, weight, antisymmetric=antisymmetric, bandwidth="cv").smoothing
    u = rule.scale.score(t)
    losses = np.array(
        [
            plain_losses(
                u, z, weight, rule.kernel, multiple * rule.bandwidth, antisymmetric=antisymmetric, bound=1e-3
            )
            for multiple in 2.0 ** np.arange(-1, 2.01, 0.5)
        ]
    )
    excess = losses - losses[np.argmin(losses.mean(axis=1))]
    equivalent = excess.mean(axis=1) <= excess.std(axis=1) / np.sqrt(t.size)
    longest = 2.0 ** (-1 + 0.5 * np.flatnonzero(equivalent)[-1])
    assert chosen.bandwidth == pytest.approx(longest * rule.bandwidth)


def test_rule_is_that_of_the_documentation() -> None:
    t, z, _ = sample(200)
    for kernel in KERNELS.values():
        s = fitted(t, z, np.full(200, 5.0), kernel.name).smoothing
        assert s.bandwidth == pytest.approx(1.1 * 1.06 * 1000**-0.2 * kernel.equivalent)


@symmetries
def test_kernel_link_is_the_local_linear_regression(antisymmetric) -> None:
    t, z, weight = sample(500)
    rule = SmoothingRule()
    link = fit_kernel_link(t, z, weight, rule, antisymmetric=antisymmetric)
    smoothing = fitted(t, z, weight, antisymmetric=antisymmetric).smoothing
    u, kernel, h = smoothing.scale.score(t), smoothing.kernel, smoothing.bandwidth
    if antisymmetric:
        u, z, weight = np.concatenate([u, -u]), np.concatenate([z, 1 - z]), np.tile(weight, 2) / 2
    at = np.array([-0.9, -0.2, 0.4, 1.1])
    x = smoothing.scale.score(at)
    first = kernel_sums(x, u, np.column_stack([weight, weight * z]), kernel, h, ("value", "first"))
    (second,) = kernel_sums(x, u, weight, kernel, h, ("second",))
    for i in range(4):
        gram = np.array([[first[0][i, 0], first[1][i, 0]], [first[1][i, 0], second[i]]])
        line = np.linalg.solve(gram, [first[0][i, 1], first[1][i, 1]])
        # A pseudo-observation of weight 0.1 among dozens, and interpolation between a few hundred points.
        assert link.probability(at)[i] == pytest.approx(line[0], abs=3e-3)
    assert link.antisymmetric == antisymmetric


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("n", [1, 60])
def test_sample_of_one_label_has_a_derivative(label: float, n: int) -> None:
    """Its mean label is 0 or 1, and a window that holds nothing else is divided by."""
    t, _, weight = sample(n)
    z = np.full(n, label)
    objective = KleinSpadyObjective(SmoothingRule(bound=1e-9, bandwidth=0.2), antisymmetric=False)
    objective.update(t, z, weight)
    evaluation = objective.evaluate(t, z, weight)
    assert 0 < evaluation.value < np.log(4)
    step = 1e-6
    for i in range(min(n, 3)):
        values = [
            objective.evaluate(t + sign * step * (np.arange(n) == i), z, weight).value for sign in (1, -1)
        ]
        assert evaluation.gradient[i] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-7)


def test_prior_label_of_other_samples_is_their_mean() -> None:
    _, z, weight = sample(50)
    assert prior_label(z, weight, antisymmetric=False) == np.mean(z)
    assert prior_label(z, weight, antisymmetric=True) == 0.5
    one_loss = np.append(np.ones(9), 0.0)
    assert prior_label(one_loss, np.ones(10), antisymmetric=False) == 0.9
    assert prior_label(np.ones(9), np.ones(9), antisymmetric=False) == 0.95


def test_derivative_that_is_not_finite_is_an_error() -> None:
    t, z, weight = sample()
    objective = KleinSpadyObjective(SmoothingRule(), antisymmetric=True)
    objective.update(t, z, weight)
    with pytest.raises(LinkFitError, match="not finite"), np.errstate(all="ignore"):
        objective.evaluate(np.where(np.arange(t.size) == 3, np.nan, t), z, weight)


def test_link_of_separated_labels_is_a_steep_spline() -> None:
    """Steps drive the spline to where its solver stops: this sample is one of them."""
    t = np.array([-3.07833191, 0.03174376, 0.06963723, 0.38562925, 0.95806398, 1.31825002, 1.82725863])
    z, weight = np.append(np.zeros(6), 1.0), np.ones(7)
    objective = KleinSpadyObjective(SmoothingRule(), antisymmetric=False)
    objective.update(t, z, weight)
    p = objective.fit_link(t, z, weight).probability(t)
    assert (np.diff(p) >= 0).all()
    assert p[-2] < 0.1 < 0.9 < p[-1]
