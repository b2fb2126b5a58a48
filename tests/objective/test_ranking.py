"""The ranking criterion: the area under the ROC curve at the indicator, derivatives, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from semiindex.objective.grouped import GroupedObjective
from semiindex.objective.pairwise_sums import Indicator, LogisticSurrogate, SigmoidSurrogate, SquaredHinge
from semiindex.objective.ranking import RankingObjective
from semiindex.objective.unit_index import UnitIndexObjective
from semiindex.objective.win_loss import split

SMOOTH = [SigmoidSurrogate(0.3), LogisticSurrogate(), SquaredHinge()]
every_smooth = pytest.mark.parametrize("surrogate", SMOOTH, ids=repr)
every_surrogate = pytest.mark.parametrize("surrogate", [Indicator(), *SMOOTH], ids=repr)
both_forms = pytest.mark.parametrize("antisymmetric", [True, False])


def sample(n: int = 60, seed: int = 0, *, soft: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index with ties and zeros, labels some of which are soft, weights."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n)
    t[: n // 6] = rng.choice(t[n // 2 :], n // 6)
    t[n // 6 : n // 6 + 2] = 0.0
    z = rng.choice([0.0, 1.0, 0.5, 0.3] if soft else [0.0, 1.0], size=n)
    z[:2] = 0.0, 1.0
    return t, z, rng.random(n) + 0.1


def hard(t, z, weight) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every soft row as a win and a loss."""
    return np.tile(t, 2), np.repeat([1.0, 0.0], t.size), np.concatenate([weight * z, weight * (1 - z)])


def plain_loop(cost, t, z, weight, antisymmetric) -> float:
    """The definition: a mean over pairs of a win and a loss, or over pairs of pairs."""
    t, z, weight = hard(t, z, weight)
    if antisymmetric:
        s = (2 * z - 1) * t
        return float(weight @ cost(s[:, None] + s[None, :]) @ weight / weight.sum() ** 2)
    a, b = weight * z, weight * (1 - z)
    return float(a @ cost(t[:, None] - t[None, :]) @ b / (a.sum() * b.sum()))


COSTS = {
    "Indicator": lambda d: (d < 0) + 0.5 * (d == 0),
    "SigmoidSurrogate": lambda d: expit(-d / 0.3),
    "LogisticSurrogate": lambda d: np.logaddexp(0, -d),
    "SquaredHinge": lambda d: np.maximum(0, 1 - d) ** 2,
}


@every_surrogate
@both_forms
@given(n=st.integers(12, 60), seed=st.integers(0, 1000), factor=st.sampled_from([1e-3, 1.0, 30.0, 1e6]))
def test_value_is_the_mean_over_pairs(surrogate, antisymmetric, n, seed, factor) -> None:
    t, z, weight = sample(n, seed)
    t *= factor
    value = RankingObjective(surrogate, antisymmetric=antisymmetric).evaluate(t, z, weight).value
    expected = plain_loop(COSTS[type(surrogate).__name__], t, z, weight, antisymmetric)
    assert value == pytest.approx(expected, rel=1e-8)


@given(seed=st.integers(0, 1000), n=st.integers(12, 80))
def test_indicator_is_one_minus_the_area_under_the_roc_curve(seed, n) -> None:
    t, z, weight = sample(n, seed)
    index, label, mass = hard(t, z, weight)
    bipartite = split(t, z, weight, antisymmetric=False).mean(Indicator())
    assert bipartite == pytest.approx(1 - roc_auc_score(label, index, sample_weight=mass), rel=1e-12)
    doubled = split(t, z, weight, antisymmetric=True).mean(Indicator())
    area = roc_auc_score(
        np.append(label, 1 - label), np.append(index, -index), sample_weight=np.tile(mass, 2)
    )
    assert doubled == pytest.approx(1 - area, rel=1e-12)


@every_smooth
@both_forms
def test_gradient_is_the_derivative(surrogate, antisymmetric) -> None:
    t, z, weight = sample()
    objective = RankingObjective(surrogate, antisymmetric=antisymmetric)
    gradient = objective.evaluate(t, z, weight).gradient
    step = 1e-5
    for i in range(t.size):
        e = step * (np.arange(t.size) == i)
        up, down = (objective.evaluate(t + h, z, weight).value for h in (e, -e))
        assert gradient[i] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("surrogate", SMOOTH[1:], ids=repr)
@both_forms
def test_curvature_of_a_convex_surrogate_is_the_diagonal_of_its_hessian(surrogate, antisymmetric) -> None:
    # Pairs of a row with itself aside: their curvature is that of a function of 2s.
    t, z, weight = sample(soft=False)
    t = np.random.default_rng(1).normal(size=t.size)
    objective = RankingObjective(surrogate, antisymmetric=antisymmetric)
    curvature = objective.evaluate(t, z, weight).curvature()
    assert (curvature >= 0).all()
    own = np.zeros(t.size)
    if antisymmetric:
        s, share = (2 * z - 1) * t, weight / weight.sum()
        bend = surrogate.bend
        own = 2 * share**2 * [bend(np.array([v]), np.array([-v]), np.ones(1))[0] for v in s]
    for i in range(t.size):
        e = 1e-6 * (np.arange(t.size) == i)
        up, down = (objective.evaluate(t + h, z, weight).gradient[i] for h in (e, -e))
        assert curvature[i] + own[i] == pytest.approx((up - down) / 2e-6, rel=2e-3)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_curvature_of_the_rank_criterion_is_its_hessian_given_the_index(antisymmetric) -> None:
    """Second difference in a feature independent of the index, where C is that feature."""
    rng = np.random.default_rng(5)
    n = 200_000
    t, other = rng.normal(size=(2, n))
    z = (rng.random(n) < expit(2 * t)).astype(float)
    objective = RankingObjective(SigmoidSurrogate(0.02), antisymmetric=antisymmetric)
    at_truth = objective.evaluate(t, z, np.ones(n))
    step = 0.1
    values = [objective.evaluate(t + h * other, z, np.ones(n)).value for h in (step, -step)]
    second = (values[0] + values[1] - 2 * at_truth.value) / step**2
    # The second difference itself is off by the square of the step, 1%, and by sampling noise.
    assert at_truth.curvature() @ other**2 == pytest.approx(second, rel=0.08)


@every_surrogate
@both_forms
def test_integer_weights_are_repeated_rows(surrogate, antisymmetric) -> None:
    t, z, _ = sample()
    count = np.random.default_rng(2).integers(1, 4, size=t.size)
    objective = RankingObjective(surrogate, antisymmetric=antisymmetric)
    weighted = objective.evaluate(t, z, count.astype(float))
    repeated = objective.evaluate(np.repeat(t, count), np.repeat(z, count), np.ones(count.sum()))
    assert weighted.value == pytest.approx(repeated.value, rel=1e-10)
    sums = np.add.reduceat(repeated.gradient, np.append(0, np.cumsum(count)[:-1]))
    np.testing.assert_allclose(weighted.gradient, sums, rtol=1e-8, atol=1e-12)


@every_surrogate
@both_forms
def test_order_of_rows_and_unit_of_weight_do_not_matter(surrogate, antisymmetric) -> None:
    t, z, weight = sample()
    order = np.random.default_rng(3).permutation(t.size)
    objective = RankingObjective(surrogate, antisymmetric=antisymmetric)
    one = objective.evaluate(t, z, weight)
    two = objective.evaluate(t[order], z[order], 7 * weight[order])
    assert one.value == pytest.approx(two.value, rel=1e-10)
    np.testing.assert_allclose(one.gradient[order], two.gradient, rtol=1e-8, atol=1e-12)


@every_surrogate
def test_exchanging_the_options_changes_nothing_of_the_doubled_sample(surrogate) -> None:
    t, z, weight = sample()
    turned = np.random.default_rng(4).random(t.size) < 0.5
    objective = RankingObjective(surrogate, antisymmetric=True)
    one = objective.evaluate(t, z, weight)
    two = objective.evaluate(np.where(turned, -t, t), np.where(turned, 1 - z, z), weight)
    assert one.value == pytest.approx(two.value, rel=1e-12)
    np.testing.assert_allclose(one.gradient, np.where(turned, -1, 1) * two.gradient, rtol=1e-8, atol=1e-12)


@both_forms
def test_indicator_sees_the_order_only(antisymmetric) -> None:
    t, z, weight = sample()
    values = [
        split(f, z, weight, antisymmetric=antisymmetric).mean(Indicator())
        for f in (t, np.arctan(t), np.sinh(3 * t), t**3)  # odd, as the doubled sample needs
    ]
    np.testing.assert_allclose(values, values[0], rtol=1e-13)


def test_a_class_of_raters_counts_by_its_weight_and_needs_pairs_of_its_own() -> None:
    t, z, weight = sample(soft=False)
    classes = np.arange(t.size) % 3
    z[classes == 2] = 1.0
    grouped = GroupedObjective.build(
        lambda: RankingObjective(SigmoidSurrogate(0.1), antisymmetric=False), classes
    )
    evaluation = grouped.evaluate(t, z, weight)
    expected = 0.0
    for k in (0, 1):
        rows = classes == k
        alone = RankingObjective(SigmoidSurrogate(0.1), antisymmetric=False)
        expected += weight[rows].sum() * alone.evaluate(t[rows], z[rows], weight[rows]).value
    assert evaluation.value == pytest.approx(expected / weight.sum(), rel=1e-12)
    assert not evaluation.gradient[classes == 2].any()
    assert (evaluation.curvature()[classes == 2] == 0).all()


def test_unit_index_makes_the_sigmoid_scale_free() -> None:
    t, z, weight = sample()
    objective = UnitIndexObjective(RankingObjective(SigmoidSurrogate(0.05), antisymmetric=True))
    one, two = objective.evaluate(t, z, weight), objective.evaluate(8 * t, z, weight)
    assert one.value == two.value
    np.testing.assert_allclose(one.gradient, 8 * two.gradient, rtol=1e-12)
    assert one.gradient @ t == pytest.approx(0, abs=1e-14)


@both_forms
def test_all_index_values_equal(antisymmetric) -> None:
    _, z, weight = sample()
    for level in (0.0, 3.7):
        t = np.full(z.size, level)
        objective = RankingObjective(SigmoidSurrogate(0.05), antisymmetric=antisymmetric)
        evaluation = objective.evaluate(t, z, weight)
        expected = plain_loop(lambda d: expit(-d / 0.05), t, z, weight, antisymmetric)
        assert evaluation.value == pytest.approx(expected, rel=1e-10)
        assert np.isfinite(evaluation.gradient).all()
        assert np.isfinite(evaluation.curvature()).all()
