"""Frontiers: the same policies as one by one, monotone, judged by win rate or by a reward."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiindex import (
    Frontier,
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    Menu,
    OrthogonalPolicy,
    ProfiledLinkPolicy,
    RankingPolicy,
    alpha_divergence,
    frontier_from_scores,
    policy_from_scores,
)
from semiindex.divergence import chi_squared, forward_kl, hellinger, js_divergence, reverse_kl
from semiindex.exceptions import BudgetError, InvalidDataError, InvalidParameterError

DIVERGENCES = [reverse_kl, forward_kl, js_divergence, chi_squared, hellinger, alpha_divergence(3.0)]
LINK = LapsedLink(LogisticLink(), lower=0.05, upper=0.05, scale=2.0)


def _random_menu(rng: np.random.Generator, n_contexts: int) -> Menu:
    offsets = np.concatenate([[0], np.cumsum(rng.integers(2, 7, n_contexts))])
    logits = rng.normal(size=offsets[-1])
    return Menu(offsets=offsets, reference_logits=logits, weights=rng.random(n_contexts) + 0.1)


@pytest.mark.parametrize("divergence", DIVERGENCES, ids=lambda kind: kind.name)
def test_every_budget_has_the_policy_of_that_budget(divergence, rng):
    menu = _random_menu(rng, 12)
    scores, reward = rng.normal(size=(2, menu.n_options))
    budgets = [0.0, 0.05, 0.15, 0.2]
    frontier = frontier_from_scores(scores, menu, budgets, divergence=divergence, link=LINK, reward=reward)
    assert len(frontier) == 4
    wins = frontier_from_scores(scores, menu, budgets, divergence=divergence, link=LINK).win_rate
    np.testing.assert_array_equal(frontier.win_rate, wins)
    for k, budget in enumerate(budgets):
        policy = policy_from_scores(scores, menu, budget=budget, divergence=divergence)
        again = frontier.policy(k)
        np.testing.assert_allclose(again.probabilities, policy.probabilities, atol=1e-9)
        assert frontier.divergence[k] == pytest.approx(budget, abs=1e-10)
        assert frontier.expected_score[k] == pytest.approx(policy.expected_score, abs=1e-8)
        assert frontier.reward[k] == pytest.approx(policy.expected_reward(reward), abs=1e-8)
    assert frontier.win_rate[0] == pytest.approx(0.5, abs=1e-13)
    assert np.isinf(frontier.temperature[0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), divergence=st.sampled_from(DIVERGENCES))
def test_score_and_own_win_rate_grow_with_the_budget(seed, divergence):
    rng = np.random.default_rng(seed)
    menu = _random_menu(rng, 5)
    scores = 2 * rng.normal(size=menu.n_options)
    greedy = policy_from_scores(scores, menu, temperature=0.0, divergence=divergence).divergence
    budgets = np.linspace(0, 0.95 * min(greedy, 5.0), 8)
    frontier = frontier_from_scores(scores, menu, budgets, divergence=divergence, link=LINK)
    assert (np.diff(frontier.expected_score) > -1e-9).all()
    assert (np.diff(frontier.win_rate) > -1e-9).all()
    assert (np.diff(frontier.temperature) < 0).all()


def test_no_policy_of_the_budget_has_a_larger_score(rng):
    menu = _random_menu(rng, 6)
    scores, other = rng.normal(size=(2, menu.n_options))
    own = frontier_from_scores(scores, menu, [0.1, 0.3])
    theirs = frontier_from_scores(scores + other, menu, [0.1, 0.3], reward=scores)
    assert (own.expected_score > theirs.reward).all()


@pytest.mark.parametrize(
    "model", [KnownLinkPolicy(), ProfiledLinkPolicy(), OrthogonalPolicy(), RankingPolicy()], ids=repr
)
def test_frontier_of_every_estimator(model, rng):
    X = rng.normal(size=(300, 3))
    y = rng.random(300) < LINK.probability(X @ [1.0, -0.5, 0.2])
    menu = Menu.from_array(rng.normal(size=(20, 4, 3)))
    frontier = model.fit(X, y).frontier(menu, [0.0, 0.2, 0.4], divergence="chi_squared")
    assert frontier.win_rate[0] == pytest.approx(0.5, abs=1e-12)
    assert 0.5 < frontier.win_rate[1] < frontier.win_rate[2] < 1
    policy = model.policy(menu, budget=0.4, divergence="chi_squared")
    rate = policy.expected_reward(model.win_probability(menu))
    assert frontier.win_rate[2] == pytest.approx(rate, abs=1e-9)
    reference = np.tile([0.1, 0.2, 0.3, 0.4], 20)
    leaning = model.frontier(menu, [0.2], reference=reference)
    same = model.frontier(menu.with_reference(reference=reference), [0.2])
    assert leaning.win_rate == pytest.approx(same.win_rate)


def test_what_a_frontier_shows(rng):
    menu, scores = Menu(offsets=[0, 3, 6]), rng.normal(size=6)
    plain = frontier_from_scores(scores, menu, [0.1])
    assert (plain.value_name, plain.win_rate, plain.reward) == ("score", None, None)
    np.testing.assert_array_equal(plain.value, plain.expected_score)
    assert list(plain.to_frame()) == ["divergence", "temperature", "expected_score"]
    full = frontier_from_scores(scores, menu, [0.1, 0.2], link=LINK, reward=-scores)
    assert full.value_name == "reward"
    assert list(full.to_frame())[3:] == ["win_rate", "reward"]
    assert list(full.to_frame().index) == [0.1, 0.2]
    np.testing.assert_allclose(full.reward, -full.expected_score)
    assert repr(full).startswith("Frontier(2 budgets of reverse_kl from 0.1 to 0.2, reward from ")
    assert isinstance(full, Frontier)
    with pytest.raises(ValueError, match="read-only"):
        full.budget[0] = 1.0


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        (0.2, "must be a sequence"),
        ([], "must be a sequence"),
        ([0.2, 0.1], "increasing order"),
        ([0.1, 0.1], "increasing order"),
        ([-0.1, 0.1], "at least 0"),
        ([0.1, np.nan], "finite"),
        ([0.1, np.inf], "finite"),
    ],
)
def test_budgets_without_a_meaning(budgets, message):
    with pytest.raises(InvalidParameterError, match=message):
        frontier_from_scores([1.0, 2.0], Menu(offsets=[0, 2]), budgets)


def test_rewards_and_budgets_that_do_not_fit():
    menu = Menu(offsets=[0, 3], reference=[0.5, 0.5, 0.0])
    for reward in ([1.0, 2.0], [1.0, np.nan, 0.0]):
        with pytest.raises(InvalidDataError, match="reward must hold a finite number for each of the 3"):
            frontier_from_scores([1.0, 2.0, 3.0], menu, [0.1], reward=reward)
    excluded = frontier_from_scores([1.0, 2.0, 3.0], menu, [0.1], reward=[1.0, 0.0, np.nan])
    assert 0 < excluded.reward[0] < 0.5
    with pytest.raises(BudgetError, match=r"budget=0\.7 cannot be spent"):
        frontier_from_scores([1.0, 2.0, 3.0], menu, [0.1, 0.7])
    with pytest.raises(InvalidDataError, match="values must have one entry"):
        policy_from_scores([1.0, 2.0, 3.0], menu, budget=0.1).expected_reward([1.0])


@pytest.mark.parametrize("alpha", [5.0, 8.0])
def test_policies_of_sparse_frontiers_are_found_again(alpha):
    """A policy is solved afresh from its temperature, also where an option is about to be given up."""
    menu = Menu(offsets=np.arange(0, 6001, 6))
    scores = np.random.default_rng(0).normal(size=6000)
    frontier = frontier_from_scores(scores, menu, [0.05, 0.2, 0.5], divergence=alpha_divergence(alpha))
    np.testing.assert_allclose(frontier.divergence, frontier.budget, rtol=1e-10)
    for k in range(3):
        again = frontier.policy(k)
        assert again.divergence == pytest.approx(frontier.divergence[k], rel=1e-10)
        assert again.expected_score == pytest.approx(frontier.expected_score[k], rel=1e-10)
