"""FrontierDisplay: the numbers of the frontiers, one judge for all, bands where there are some."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex import Bootstrap, FrontierDisplay, Menu, frontier_band, frontier_from_scores
from semiindex.divergence import alpha_divergence
from semiindex.exceptions import InvalidParameterError
from semiindex.policy.frontier import Frontier

BUDGETS = [0.0, 0.1, 0.3, 0.6]


@pytest.fixture
def menu(rng):
    return Menu.from_array(rng.normal(size=(20, 4, 3)), feature_names=["speed", "price", "size"])


def test_one_judge_for_all(free, logistic, menu):
    models = {"free": free, "logistic": logistic}
    display = FrontierDisplay.from_estimators(models, menu, BUDGETS, judge=free).plot()
    wins = free.win_probability(menu)
    for curve, model, line in zip(display.curves, models.values(), display.lines_, strict=True):
        rates = [model.policy(menu, budget=b).expected_reward(wins) for b in BUDGETS]
        np.testing.assert_allclose(curve.value, rates, atol=1e-9)
        np.testing.assert_allclose(line.get_xdata(), BUDGETS, atol=1e-9)
        np.testing.assert_array_equal(line.get_ydata(), curve.value)
    assert display.ax_.get_ylabel() == "Win rate against the reference, by ProfiledLinkPolicy"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(models)
    assert display.bands_ == []
    own = FrontierDisplay.from_estimators(models, menu, BUDGETS).plot()
    np.testing.assert_allclose(own.curves[0].value, display.curves[0].value)
    assert (own.curves[1].value != display.curves[1].value).any()
    assert own.ax_.get_ylabel().endswith("each by its own fit")


def test_a_true_reward(free, menu, rng):
    reward = rng.normal(size=menu.n_options)
    display = FrontierDisplay.from_estimators(free, menu, BUDGETS, reward=reward, divergence="chi_squared")
    expected = free.frontier(menu, BUDGETS, divergence="chi_squared", reward=reward).reward
    np.testing.assert_array_equal(display.curves[0].value, expected)
    ax = display.plot().ax_
    assert ax.get_ylabel() == "Mean reward"
    assert ax.get_xlabel() == "Divergence from the reference (chi_squared)"
    assert ax.get_legend() is None
    assert not ax.texts


def test_bands(logistic, pairs, menu):
    band = frontier_band(logistic, pairs, menu, BUDGETS, bootstrap=Bootstrap(n_draws=9))
    plain = logistic.frontier(menu, BUDGETS)
    display = FrontierDisplay.from_frontiers({"with": band, "without": plain}).plot()
    assert len(display.lines_) == 2
    (drawn,) = display.bands_
    heights = drawn.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(band.upper.max())
    assert [text.get_text() for text in display.ax_.texts] == ["as good as the reference"]


def test_own_axes(free, menu):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    display = FrontierDisplay.from_frontiers(free.frontier(menu, BUDGETS)).plot(ax)
    assert display.ax_ is ax
    assert display.curves[0].name == "frontier"


def test_what_cannot_be_drawn_together(free, menu, rng):
    scores = rng.normal(size=menu.n_options)
    one = free.frontier(menu, BUDGETS)
    others = [
        free.frontier(menu, BUDGETS, divergence="chi_squared"),
        frontier_from_scores(scores, menu, BUDGETS, reward=scores),
    ]
    alphas = [free.frontier(menu, BUDGETS, divergence=alpha_divergence(a)) for a in (0.3, 0.4)]
    for frontiers in ([one, others[0]], [one, others[1]], alphas):
        with pytest.raises(InvalidParameterError, match="must share one divergence"):
            FrontierDisplay.from_frontiers(dict(enumerate(frontiers)))
    moved = free.frontier(menu.with_reference(reference_logits=rng.normal(size=menu.n_options)), BUDGETS)
    for other in (moved, free.frontier(menu[1:], BUDGETS)):
        with pytest.raises(InvalidParameterError, match="must be about the same menu"):
            FrontierDisplay.from_frontiers({"one": one, "other": other})
    with pytest.raises(InvalidParameterError, match="frontiers is empty"):
        FrontierDisplay.from_frontiers({})
    with pytest.raises(InvalidParameterError, match="must be Frontier or FrontierBand, got list"):
        FrontierDisplay.from_frontiers([1.0, 2.0])
    with pytest.raises(InvalidParameterError, match="reward and judge were both given"):
        FrontierDisplay.from_estimators(free, menu, BUDGETS, reward=scores, judge=free)
    with pytest.raises(InvalidParameterError, match="expected a fitted estimator"):
        FrontierDisplay.from_estimators(free, menu, BUDGETS, judge=one)
    assert isinstance(one, Frontier)
