"""Distances between policies: closed forms, symmetries, inequalities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiindex import Menu, policy_distance, policy_from_scores
from semiindex.exceptions import InvalidDataError, InvalidParameterError


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 9), spread=st.floats(0.01, 20))
def test_identities_and_inequalities(seed, size, spread):
    rng = np.random.default_rng(seed)
    menu = Menu(offsets=[0, size], reference_logits=rng.normal(size=size))
    p, q = (policy_from_scores(spread * rng.normal(size=size), menu, temperature=1.0) for _ in "ab")
    forth, back = policy_distance(p, q), policy_distance(q, p)
    assert forth.total_variation == pytest.approx(back.total_variation, abs=1e-15)
    assert forth.squared_hellinger == pytest.approx(back.squared_hellinger, abs=1e-15)
    assert (forth.kl, forth.kl_from_other) == (back.kl_from_other, back.kl)
    assert np.isnan(forth.regret)
    slack = 1e-12
    assert forth.squared_hellinger <= forth.total_variation + slack <= 1 + 2 * slack
    assert forth.total_variation <= np.sqrt(min(forth.kl, back.kl) / 2) + 1e-7  # Pinsker
    assert forth.total_variation <= np.sqrt(2 * forth.squared_hellinger) + slack
    assert 2 * forth.squared_hellinger <= min(forth.kl, back.kl) + slack


def test_a_policy_is_no_distance_from_itself(rng):
    menu = Menu(offsets=[0, 3, 7])
    policy = policy_from_scores(rng.normal(size=7), menu, budget=0.2)
    distance = policy_distance(policy, policy, reward=rng.normal(size=7))
    values = [getattr(distance, name) for name in vars(distance)]
    np.testing.assert_allclose(values, 0, atol=1e-15)


def test_two_options_by_hand():
    menu = Menu(offsets=[0, 2, 4], weights=[3.0, 1.0])
    policy, best = [0.6, 0.4, 0.5, 0.5], [0.9, 0.1, 0.5, 0.5]
    distance = policy_distance(policy, best, reward=[1.0, 0.0, 7.0, 8.0], menu=menu)
    assert distance.total_variation == pytest.approx(0.75 * 0.3)
    assert distance.kl == pytest.approx(0.75 * (0.6 * np.log(0.6 / 0.9) + 0.4 * np.log(4)))
    assert distance.kl_from_other == pytest.approx(0.75 * (0.9 * np.log(0.9 / 0.6) - 0.1 * np.log(4)))
    affinity = np.sqrt(0.6 * 0.9) + np.sqrt(0.4 * 0.1)
    assert distance.squared_hellinger == pytest.approx(0.75 * (1 - affinity))
    assert distance.regret == pytest.approx(0.75 * 0.3)


def test_the_reference_is_as_far_as_the_divergence_says(rng):
    menu = Menu(offsets=[0, 4, 9], weights=[1.0, 2.0])
    scores = rng.normal(size=9)
    kl = policy_from_scores(scores, menu, budget=0.3)
    assert policy_distance(kl, menu.reference).kl == pytest.approx(0.3)
    forward = policy_from_scores(scores, menu, budget=0.3, divergence="forward_kl")
    assert policy_distance(forward, menu.reference).kl_from_other == pytest.approx(0.3)
    hellinger = policy_from_scores(scores, menu, budget=0.3, divergence="hellinger")
    assert policy_distance(menu.reference, hellinger).squared_hellinger == pytest.approx(0.3 / 4)


def test_regret_at_equal_budget_is_not_negative(rng):
    menu = Menu(offsets=np.arange(0, 41, 5))
    truth = rng.normal(size=40)
    for divergence in ("reverse_kl", "chi_squared"):
        best, learned = (
            policy_from_scores(scores, menu, budget=0.2, divergence=divergence)
            for scores in (truth, truth + rng.normal(size=40))
        )
        assert policy_distance(learned, best, reward=truth).regret > 0


def test_excluded_options():
    menu = Menu(offsets=[0, 3])
    sparse, full = [0.5, 0.5, 0.0], [0.4, 0.4, 0.2]
    distance = policy_distance(sparse, full, reward=[1.0, 1.0, 0.0], menu=menu)
    assert distance.kl == pytest.approx(np.log(1.25))
    assert distance.kl_from_other == np.inf
    assert distance.regret == pytest.approx(-0.2)
    missing = policy_distance(sparse, sparse, reward=[1.0, 1.0, np.nan], menu=menu)
    assert missing.regret == 0


def test_probabilities_too_small_for_a_number():
    menu = Menu(offsets=[0, 2])
    policy = policy_from_scores([0.0, 2000.0], menu, temperature=1.0)
    assert policy.probabilities[0] == 0
    assert policy_distance(policy, menu.reference).kl_from_other == pytest.approx(1000 - np.log(2))


def test_what_does_not_fit_together(rng):
    policy = policy_from_scores(rng.normal(size=5), Menu(offsets=[0, 2, 5]), budget=0.1)
    with pytest.raises(InvalidParameterError, match="menu is missing"):
        policy_distance([0.5, 0.5], [0.5, 0.5])
    with pytest.raises(InvalidDataError, match="offsets differ"):
        policy_distance(policy, [0.5, 0.5, 0.0, 0.0, 1.0], menu=Menu(offsets=[0, 5]))
    with pytest.raises(InvalidDataError, match="other must hold a probability for each of the 5"):
        policy_distance(policy, [0.5, 0.5])
    with pytest.raises(InvalidDataError, match="reward must have shape"):
        policy_distance(policy, policy, reward=[1.0])


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            [0.5, 0.6, 0.2, 0.3, 0.5],
            "policy must sum to one in every context, but does not in 1 of 2, first in 0",
        ),
        ([0.5, 0.5, 2.0, 3.0, 5.0], "first in 1, where the sum is 10"),
        ([np.inf, 0.0, 0.2, 0.3, 0.5], "policy must hold probabilities, but is inf first in row 0"),
        ([0.5, np.nan, 0.2, 0.3, 0.5], "is nan first in row 1"),
        ([1.5, -0.5, 0.2, 0.3, 0.5], "is -0.5 first in row 1"),
    ],
)
def test_numbers_that_are_no_policy(numbers, message):
    menu = Menu(offsets=[0, 2, 5])
    with pytest.raises(InvalidDataError, match=message):
        policy_distance(numbers, menu.reference, menu=menu)
    rounded = [0.5, 0.5, 0.333333, 0.333333, 0.333333]
    assert policy_distance(rounded, menu.reference, menu=menu).total_variation < 1e-6


def test_contexts_without_weight_do_not_count():
    """Even where the divergence is infinite, or the reward is missing."""
    menu = Menu(offsets=[0, 2, 4], weights=[1, 0])
    p, q = [0.5, 0.5, 1.0, 0.0], [0.5, 0.5, 0.0, 1.0]
    distance = policy_distance(p, q, reward=[1.0, 2.0, np.nan, np.inf], menu=menu)
    assert [getattr(distance, name) for name in vars(distance)] == [0, 0, 0, 0, 0]
    only = policy_distance(p, q, menu=Menu(offsets=[0, 2, 4], weights=[1, 1]))
    assert (only.kl, only.kl_from_other) == (np.inf, np.inf)


def test_menus_are_menus():
    with pytest.raises(InvalidParameterError, match="menu must be a Menu, got list"):
        policy_distance([1.0], [1.0], menu=[0, 1])
