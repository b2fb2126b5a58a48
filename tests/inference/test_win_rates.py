"""Intervals for win rates and frontiers: the draws by hand, invariances, refusals, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from semiindex import (
    Bootstrap,
    KernelIndex,
    KnownLinkPolicy,
    LogisticLink,
    Menu,
    PolicyIndex,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    frontier_band,
    frontier_from_scores,
    policy_from_scores,
    win_rate_interval,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference import infer

THETA = np.array([1.0, -0.7, 0.4])
FEW = Bootstrap(n_draws=19)


def _sample(rng, n=400):
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < LogisticLink().probability(X @ THETA)).astype(int)


@pytest.fixture
def menu(rng):
    return Menu.from_array(rng.normal(size=(25, 4, 3)), weights=rng.random(25) + 0.5)


def test_draws_of_a_known_link_by_hand(rng, menu):
    """With normalization=None the link of every refit is the logistic one."""
    X, y = _sample(rng)
    model = KnownLinkPolicy(normalization=None).fit(X, y)
    policy = model.policy(menu, budget=0.3)
    options = np.asarray(menu.features)
    theta = infer(model, X, y, covariance=FEW).draws
    given, own = [], []
    for drawn in theta:
        refit = frontier_from_scores(options @ drawn, menu, [0.1, 0.3], link=LogisticLink())
        own.append(refit.win_rate)
        t = (options @ drawn).reshape(25, 4)
        won = LogisticLink().probability(t[:, :, None] - t[:, None, :]).mean(axis=2)
        given.append(policy.expected_reward(won.ravel()))
    rate = win_rate_interval(model, X, policy, y, bootstrap=FEW)
    np.testing.assert_allclose([rate.lower, rate.upper], np.quantile(given, [0.025, 0.975]), atol=1e-8)
    assert rate.std_error == pytest.approx(np.std(given, ddof=1), abs=1e-8)
    assert rate.estimate == pytest.approx(policy.expected_reward(model.win_probability(menu)))
    band = frontier_band(model, X, menu, [0.1, 0.3], y, bootstrap=FEW, level=0.8)
    expected = np.quantile(own, [0.1, 0.9], axis=0)
    np.testing.assert_allclose([band.lower, band.upper], expected, atol=1e-8)
    np.testing.assert_allclose(band.frontier.win_rate[1], rate.estimate, atol=1e-9)


def test_the_normalisation_does_not_matter(rng, menu):
    X, y = _sample(rng)
    results = []
    for normalization in ("rms", "x1"):
        model = ProfiledLinkPolicy(normalization=normalization).fit(X, y)
        policy = policy_from_scores(np.asarray(menu.features) @ THETA, menu, budget=0.2)
        rate = win_rate_interval(model, X, policy, y, bootstrap=FEW)
        band = frontier_band(model, X, menu, [0.0, 0.2], y, bootstrap=FEW)
        assert (band.lower[0], band.upper[0]) == (pytest.approx(0.5), pytest.approx(0.5))
        results.append([rate.estimate, rate.lower, rate.upper, *band.lower, *band.upper])
    np.testing.assert_allclose(results[1], results[0], atol=2e-3)  # tolerance of the refits


def test_a_known_link_with_a_position_effect(rng, menu):
    X = rng.normal(size=(400, 3))
    y = (rng.random(400) < LogisticLink().probability(X @ THETA + 0.7)).astype(int)
    model = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    rate = win_rate_interval(model, X, model.policy(menu, budget=0.3), y, bootstrap=FEW)
    assert 0.5 < rate.lower < rate.estimate < rate.upper < 0.9


def test_band_of_a_reward(rng, menu):
    X, y = _sample(rng)
    model = ProfiledLinkPolicy().fit(X, y)
    truth = np.asarray(menu.features) @ THETA
    band = frontier_band(model, X, menu, [0.2], y, reward=truth, bootstrap=FEW)
    best = frontier_from_scores(truth, menu, [0.2]).expected_score
    assert (band.upper <= best + 1e-9).all()
    assert "reward of the policies" in str(band)
    assert list(band.to_frame())[-2:] == ["lower", "upper"]


def test_raters_are_resampled_as_wholes(rng, menu):
    X, y = _sample(rng)
    raters = np.repeat(np.arange(20), 20)
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=raters)
    model = KnownLinkPolicy().fit(pairs)
    policy = model.policy(menu, budget=0.2)
    carried = win_rate_interval(model, pairs, policy, bootstrap=FEW)
    passed = win_rate_interval(model, X, policy, y, groups=raters, bootstrap=FEW)
    alone = win_rate_interval(model, X, policy, y, bootstrap=FEW)
    assert carried.lower == pytest.approx(passed.lower, abs=1e-6)
    assert "raters" in carried.method
    assert "comparisons" in alone.method
    assert carried.lower != alone.lower


@pytest.mark.parametrize("interval", ["symmetric", "normal"])
def test_kinds_of_intervals(interval, rng, menu):
    X, y = _sample(rng)
    model = KnownLinkPolicy().fit(X, y)
    policy = model.policy(menu, budget=0.2)
    rate = win_rate_interval(model, X, policy, y, bootstrap=Bootstrap(n_draws=19, interval=interval))
    assert (rate.lower + rate.upper) / 2 == pytest.approx(rate.estimate)
    if interval == "normal":
        assert rate.upper - rate.estimate == pytest.approx(1.959964 * rate.std_error, rel=1e-6)
    assert str(rate).startswith(f"Win rate against the reference: {rate.estimate:.4f}")
    assert list(rate.to_frame()) == ["estimate", "std_error", "lower", "upper"]


def test_fits_without_intervals(rng, menu):
    X, y = _sample(rng, 200)
    good = KnownLinkPolicy().fit(X, y)
    policy = good.policy(menu, budget=0.2)
    pairs = PreferencePairs(np.zeros_like(X), X, y)
    kernel = ProfiledLinkPolicy(index=KernelIndex(), ridge=0.1).fit(pairs)
    sides = rng.normal(size=(2, 200, 2))
    given = PreferencePairs(*sides, y[:200], feature_names=["logp", "ref_logp"])
    by_policy = KnownLinkPolicy(index=PolicyIndex()).fit(given)
    with pytest.raises(InvalidParameterError, match="index=PolicyIndex: its one parameter is a sign"):
        win_rate_interval(by_policy, given, policy, bootstrap=FEW)
    with pytest.raises(InvalidParameterError, match="index=PolicyIndex: its one parameter is a sign"):
        frontier_band(by_policy, given, menu, [0.1], bootstrap=FEW)
    classes = ProfiledLinkPolicy(pooling=None).fit(X, y, link_groups=np.arange(200) % 2)
    refused = [
        (kernel, pairs, None, "index=KernelIndex"),
        (KnownLinkPolicy(ridge=0.1).fit(X, y), X, y, "ridge=0.1: a penalised fit"),
        (ProfiledLinkPolicy("isotonic").fit(X, y), X, y, "isotonic or piecewise linear"),
        (RankingPolicy().fit(X, y), X, y, "isotonic or piecewise linear"),
        (classes, X, y, "a link for every class of raters"),
    ]
    for model, data, labels, message in refused:
        with pytest.raises(InvalidParameterError, match=message):
            win_rate_interval(model, data, policy, labels, bootstrap=FEW)
        with pytest.raises(InvalidParameterError, match=message):
            frontier_band(model, data, menu, [0.1], labels, bootstrap=FEW)
    with pytest.raises(InvalidParameterError, match="level must lie between 0 and 1"):
        win_rate_interval(good, X, policy, y, level=95)
    with pytest.raises(InvalidParameterError, match="level must lie between 0 and 1"):
        frontier_band(good, X, menu, [0.1], y, level=95)
    with pytest.raises(InvalidParameterError, match="policy must be a Policy"):
        win_rate_interval(good, X, np.ones(100), y)
    with pytest.raises(InvalidDataError, match="not what the model was fitted on"):
        win_rate_interval(good, X[:100], policy, y[:100])


def test_a_budget_that_only_the_fit_can_spend(rng):
    """Where the greedy option of a refit is a likelier one, the largest budget of the fit is beyond it."""
    X = rng.normal(size=(60, 1))
    y = (rng.random(60) < LogisticLink().probability(0.3 * X[:, 0])).astype(int)
    menu = Menu([[0.0], [1.0]], [0, 2], reference=[0.9, 0.1])
    model = KnownLinkPolicy(normalization=None).fit(X, y)
    assert model.coef_[0] > 0
    most = policy_from_scores([0.0, 1.0], menu, temperature=0.0).divergence
    with pytest.raises(InvalidDataError, match="A refit cannot spend the largest budget"):
        frontier_band(model, X, menu, [0.1, 0.99 * most], y, bootstrap=Bootstrap(n_draws=199))


@pytest.mark.slow
@pytest.mark.parametrize("model", [KnownLinkPolicy(), ProfiledLinkPolicy()], ids=repr)
def test_coverage(model):
    """Intervals at 80% cover as often as a binomial count with that probability may (0.1% tails)."""
    options = np.random.default_rng(5).normal(size=(30, 4, 3))
    menu = Menu.from_array(options)
    truth = (options @ THETA).ravel()
    fixed = policy_from_scores(truth + np.tile([0.5, 0.0, -0.5, 0.0], 30), menu, budget=0.2)
    t = truth.reshape(30, 4)
    wins = LogisticLink().probability(t[:, :, None] - t[:, None, :]).mean(axis=2).ravel()
    frontier = frontier_from_scores(truth, menu, [0.3], link=LogisticLink()).win_rate[0]
    covered, n_runs = np.zeros(2), 50
    for seed in range(n_runs):
        X, y = _sample(np.random.default_rng([9, seed]), 400)
        model.fit(X, y)
        spec = Bootstrap(n_draws=39, random_state=seed)
        rate = win_rate_interval(model, X, fixed, y, bootstrap=spec, level=0.8)
        band = frontier_band(model, X, menu, [0.3], y, bootstrap=spec, level=0.8)
        covered += [
            rate.lower <= fixed.expected_reward(wins) <= rate.upper,
            band.lower[0] <= frontier <= band.upper[0],
        ]
    least, most = binom.ppf([0.001, 0.999], n_runs, 0.8 * 39 / 40)
    assert (least <= covered).all(), covered
    assert (covered <= most).all(), covered
