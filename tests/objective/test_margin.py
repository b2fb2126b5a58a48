"""Losses of the margin: values from their formulas, derivatives from finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex.link import CauchitLink, CloglogLink, LapsedLink, LogisticLink, LogLogLink, ProbitLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.objective.margin import HingeObjective, IPOObjective, RobustObjective

SMOOTH = [
    IPOObjective(0.1),
    IPOObjective(2.0),
    HingeObjective(0.3),
    RobustObjective(0.0),
    RobustObjective(0.2),
    KnownLinkObjective(LogisticLink()),
    KnownLinkObjective(ProbitLink()),
    KnownLinkObjective(CauchitLink()),
    KnownLinkObjective(LogLogLink()),
    KnownLinkObjective(CloglogLink()),
    KnownLinkObjective(LapsedLink(LogisticLink(), lower=0.1, upper=0.2)),
]


def name(objective) -> str:
    return f"{type(objective).__name__}({vars(objective)})"


def sample(n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=n) * 1.5, rng.random(n), rng.random(n) + 0.1


@pytest.mark.parametrize("objective", SMOOTH, ids=name)
def test_gradient_is_the_finite_difference(objective) -> None:
    t, z, w = sample()
    gradient = objective.evaluate(t, z, w).gradient
    step = 1e-5
    for i in range(0, 40, 7):
        shift = np.eye(40)[i] * step
        up, down = objective.evaluate(t + shift, z, w).value, objective.evaluate(t - shift, z, w).value
        assert gradient[i] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("objective", SMOOTH, ids=name)
def test_weights_count_and_averages_divide_by_their_sum(objective) -> None:
    t, z, _ = sample()
    w = np.arange(40) % 4
    weighted, plain = (
        objective.evaluate(t, z, w),
        objective.evaluate(*(np.repeat(a, w) for a in (t, z)), np.ones(w.sum())),
    )
    assert weighted.value == pytest.approx(plain.value, rel=1e-13)
    assert objective.evaluate(t, z, 5.0 * w).value == pytest.approx(weighted.value, rel=1e-13)
    np.testing.assert_allclose(objective.evaluate(t, z, 5.0 * w).gradient, weighted.gradient, rtol=1e-12)


@pytest.mark.parametrize("objective", SMOOTH, ids=name)
def test_soft_label_is_a_win_and_a_loss(objective) -> None:
    t, z, w = sample()
    soft = objective.evaluate(t, z, w)
    hard = objective.evaluate(np.tile(t, 2), np.repeat([1.0, 0.0], 40), np.concatenate([w * z, w * (1 - z)]))
    assert soft.value == pytest.approx(hard.value, rel=1e-13)
    np.testing.assert_allclose(soft.gradient, hard.gradient[:40] + hard.gradient[40:], atol=1e-15)


@pytest.mark.parametrize("objective", SMOOTH, ids=name)
def test_curvature_is_not_negative(objective) -> None:
    assert (objective.evaluate(*sample()).curvature() >= 0).all()


@pytest.mark.parametrize("objective", [o for o in SMOOTH if o.antisymmetric], ids=name)
def test_exchanged_options_give_the_mirrored_gradient(objective) -> None:
    t, z, w = sample()
    one, two = objective.evaluate(t, z, w), objective.evaluate(-t, 1 - z, w)
    assert one.value == pytest.approx(two.value, rel=1e-14)
    np.testing.assert_allclose(one.gradient, -two.gradient, rtol=1e-12)


def test_formulas() -> None:
    t, z, w = np.array([0.5, -2.0]), np.array([1.0, 1.0]), np.array([3.0, 1.0])
    assert IPOObjective(0.25).evaluate(t, z, w).value == pytest.approx((3 * 1.5**2 + 4.0**2) / 4)
    assert HingeObjective().evaluate(t, z, w).value == pytest.approx((3 * 0.5 + 3.0) / 4)
    logistic = np.log1p(np.exp(-t))
    assert RobustObjective(0.0).evaluate(t, z, w).value == pytest.approx(w @ logistic / 4)
    flipped = (0.8 * logistic - 0.2 * np.log1p(np.exp(t))) / 0.6
    assert RobustObjective(0.2).evaluate(t, z, w).value == pytest.approx(w @ flipped / 4)


@pytest.mark.parametrize("width", [0.5, 0.1, 0.001])
def test_rounded_hinge_is_above_the_hinge_by_at_most_a_quarter_of_its_width(width: float) -> None:
    t = np.concatenate([np.linspace(-3, 3, 301), [1.0], 1 + np.linspace(-width, width, 21)])
    gap = [
        HingeObjective(width).evaluate(np.array([s]), np.ones(1), np.ones(1)).value - max(0.0, 1 - s)
        for s in t
    ]
    assert min(gap) >= -1e-15
    assert max(gap) == pytest.approx(width / 4, rel=1e-6)


def test_robust_loss_is_unbounded_where_the_weighted_error_is_below_the_rate() -> None:
    t = np.array([4.0, 3.0, -1.0])
    z = np.ones(3)  # error 1/8 by |t|
    reason = RobustObjective(0.13).unbounded_reason(t, z, np.ones(3))
    assert "has no minimiser on these data" in reason
    assert "training error is 0.125, below the flip rate" in reason
    assert RobustObjective(0.12).unbounded_reason(t, z, np.ones(3)) is None
    assert RobustObjective(0.13).unbounded_reason(0 * t, z, np.ones(3)) is None

    # The loss along the direction says the same.
    def far(rate: float) -> float:
        values = [RobustObjective(rate).evaluate(scale * t, z, np.ones(3)).value for scale in (1e3, 1e4)]
        return values[1] - values[0]

    assert far(0.13) < 0 < far(0.12)
