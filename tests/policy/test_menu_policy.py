"""Policies over menus: what they report, and policies of fitted estimators."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    Menu,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    frontier_from_scores,
    policy_from_scores,
)
from semiindex.exceptions import BudgetError, DataWarning, InvalidDataError, InvalidParameterError

NAMES = ["reverse_kl", "forward_kl", "js_divergence", "chi_squared", "hellinger"]
MENU = Menu(offsets=[0, 2, 5], reference=[0.4, 0.6, 0.2, 0.3, 0.5], weights=[1, 3])
SCORES = np.array([1.0, 0.0, 0.5, 2.0, -1.0])


def test_moments_against_their_definitions() -> None:
    policy = policy_from_scores(SCORES, MENU, temperature=0.5)
    p = [softmax(np.log(MENU.reference[a:b]) + SCORES[a:b] / 0.5) for a, b in ((0, 2), (2, 5))]
    np.testing.assert_allclose(policy.probabilities, np.concatenate(p))
    score = [one @ part for one, part in zip(p, np.split(SCORES, [2]), strict=True)]
    np.testing.assert_allclose(policy.context_score, score)
    assert policy.expected_score == pytest.approx(np.average(score, weights=[1, 3]))
    entropy = [-(one @ np.log(one)) for one in p]
    np.testing.assert_allclose(policy.entropy, entropy)
    np.testing.assert_allclose(policy.effective_options, np.exp(entropy))
    q = np.split(MENU.reference, [2])
    kl = [one @ np.log(one / ref) for one, ref in zip(p, q, strict=True)]
    np.testing.assert_allclose(policy.context_divergence, kl)
    assert policy.divergence == pytest.approx(np.average(kl, weights=[1, 3]))


@pytest.mark.parametrize("name", NAMES)
def test_budgets(name: str) -> None:
    policy = policy_from_scores(SCORES, MENU, budget=0.1, divergence=name)
    assert policy.divergence == pytest.approx(0.1, rel=1e-10)
    same = policy_from_scores(SCORES, MENU, temperature=policy.temperature, divergence=policy.kind)
    np.testing.assert_allclose(same.log_ratio, policy.log_ratio, rtol=1e-9)
    scaled = policy_from_scores(100 * SCORES + 7, MENU, budget=0.1, divergence=name)
    np.testing.assert_allclose(scaled.probabilities, policy.probabilities, rtol=1e-9)
    assert scaled.temperature == pytest.approx(100 * policy.temperature)
    each = policy_from_scores(SCORES, MENU, budget=[0.1, 0.05], divergence=name)
    np.testing.assert_allclose(each.context_divergence, [0.1, 0.05], rtol=1e-10)
    assert each.temperature.shape == (2,)
    earned = [
        policy_from_scores(SCORES, MENU, budget=b, divergence=name).expected_score for b in (0, 0.05, 0.2)
    ]
    assert earned[0] < earned[1] < earned[2]
    assert earned[0] == pytest.approx(np.average([0.4, 0.2], weights=[1, 3]))


def test_options_without_probability_report_no_nan() -> None:
    menu = Menu(offsets=[0, 3], reference=[0.5, 0.5, 0.0])
    policy = policy_from_scores([1.0, 0.0, np.nan], menu, temperature=0)
    assert policy.probabilities.tolist() == [1, 0, 0]
    assert policy.expected_score == 1
    assert policy.entropy.tolist() == [0]
    assert policy.log_ratio.tolist() == pytest.approx([np.log(2), -np.inf, -np.inf])
    assert policy.sample(0).tolist() == [0]


def test_sampling_and_argmax() -> None:
    policy = policy_from_scores(SCORES, MENU, temperature=1.0)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([policy.sample(rng) for _ in range(4000)])
    share = np.bincount(drawn, minlength=5) / 4000
    # four standard errors of a share
    assert (np.abs(share - policy.probabilities) < 4 * np.sqrt(0.25 / 4000)).all()
    np.testing.assert_array_equal(policy.sample(3), policy.sample(3))
    assert policy.argmax().tolist() == [0, 3]
    assert policy_from_scores([0.0, 0.0], Menu(offsets=[0, 2]), temperature=1).argmax().tolist() == [0]


def test_tables_and_text() -> None:
    policy = policy_from_scores(SCORES, MENU, temperature=0.5)
    frame = policy.to_frame()
    assert list(frame.columns) == ["context", "option", "score", "reference", "probability", "log_ratio"]
    assert frame.context.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(frame.reference * np.exp(frame.log_ratio), frame.probability)
    assert repr(policy).startswith("Policy(2 contexts, 5 options, reverse_kl divergence 0.")
    assert len(policy) == 2
    assert "temperature 0.1 to 0.2" in repr(policy_from_scores(SCORES, MENU, temperature=[0.1, 0.2]))
    again = pickle.loads(pickle.dumps(policy))
    np.testing.assert_array_equal(again.probabilities, policy.probabilities)


def test_what_is_refused() -> None:
    for arguments in ({}, {"budget": 1, "temperature": 1}):
        with pytest.raises(InvalidParameterError, match="exactly one of budget and temperature"):
            policy_from_scores(SCORES, MENU, **arguments)
    with pytest.raises(InvalidDataError, match="one entry for each of the 5 options"):
        policy_from_scores(SCORES[:4], MENU, temperature=1)
    for wrong in (-1, np.nan):
        with pytest.raises(InvalidParameterError, match="temperature must be at least 0"):
            policy_from_scores(SCORES, MENU, temperature=wrong)
    with pytest.raises(InvalidParameterError, match=r"one number per context \(2\), got shape \(3,\)"):
        policy_from_scores(SCORES, MENU, temperature=[1, 2, 3])
    with pytest.raises(BudgetError, match="greedy policy of these scores has a divergence of"):
        policy_from_scores(SCORES, MENU, budget=5)
    with pytest.raises(InvalidParameterError, match="budget must be finite, got inf"):
        policy_from_scores(SCORES, MENU, budget=np.inf, divergence="forward_kl")
    for wrong in (True, "0.1", [0.1, "a"], np.array([True, False])):
        for name in ("budget", "temperature"):
            with pytest.raises(InvalidParameterError, match=f"{name} must be a number or one"):
                policy_from_scores(SCORES, MENU, **{name: wrong})
    with pytest.raises(InvalidDataError, match="scores must be numbers"):
        policy_from_scores(list("abcde"), MENU, budget=0.1)
    for wrong in (None, np.zeros((5, 2))):
        with pytest.raises(InvalidParameterError, match="menu must be a Menu"):
            policy_from_scores(SCORES, wrong, budget=0.1)


def test_contexts_without_weight_do_not_count() -> None:
    menu = Menu(offsets=[0, 2, 4], weights=[1, 0])
    policy = policy_from_scores([0, 0, 0, 1], menu, temperature=0, divergence="forward_kl")
    assert policy.context_divergence.tolist() == [0, np.inf]
    assert policy.divergence == 0
    assert policy.expected_reward([1.0, 3.0, np.nan, np.nan]) == 2


def test_policies_keep_their_scores() -> None:
    scores = SCORES.copy()
    policy = policy_from_scores(scores, MENU, budget=0.1)
    frontier = frontier_from_scores(scores, MENU, [0.0, 0.1])
    scores[:] = 7.0
    np.testing.assert_array_equal(policy.scores, SCORES)
    np.testing.assert_array_equal(frontier.scores, SCORES)
    np.testing.assert_allclose(frontier.policy(1).probabilities, policy.probabilities)


@pytest.fixture(scope="module")
def pairs() -> PreferencePairs:
    rng = np.random.default_rng(1)
    options = rng.normal(size=(2, 300, 2))
    t = (options[1] - options[0]) @ [1.0, -0.5]
    frames = [pd.DataFrame(side, columns=["a", "b"]) for side in options]
    return PreferencePairs(*frames, rng.random(300) < 1 / (1 + np.exp(-2 * t)))


@pytest.mark.parametrize("estimator", [KnownLinkPolicy, ProfiledLinkPolicy, OrthogonalPolicy, RankingPolicy])
def test_policies_of_estimators(estimator: type, pairs: PreferencePairs) -> None:
    model = estimator().fit(pairs)
    X = np.random.default_rng(2).normal(size=(6, 2))
    menu = Menu(pd.DataFrame(X[:, ::-1], columns=["b", "a"]), [0, 2, 6])
    policy = model.policy(menu, budget=0.2, divergence="chi_squared")
    np.testing.assert_allclose(policy.scores, X @ model.coef_)
    assert policy.divergence == pytest.approx(0.2)
    wanted = policy_from_scores(
        X @ model.coef_, menu, temperature=policy.temperature, divergence="chi_squared"
    )
    np.testing.assert_allclose(policy.probabilities, wanted.probabilities, atol=1e-12)
    reference = [0.5, 0.5, 0.1, 0.2, 0.3, 0.4]
    moved = model.policy(menu, temperature=1e6, reference=reference)
    np.testing.assert_allclose(moved.probabilities, reference, rtol=1e-4)


def test_menus_that_do_not_fit_the_model(pairs: PreferencePairs) -> None:
    model = KnownLinkPolicy().fit(pairs.differences, pairs.labels)
    with pytest.raises(InvalidDataError, match="menu has 3 features, but the model was fitted on 2"):
        model.policy(Menu(np.zeros((2, 3)), [0, 2]), temperature=1)
    named = Menu(pd.DataFrame(np.eye(2), columns=["b", "a"]), [0, 2])
    with pytest.warns(DataWarning, match="menu has feature names, but KnownLinkPolicy was fitted without"):
        by_position = model.policy(named, temperature=1)
    np.testing.assert_array_equal(by_position.scores, model.coef_)
    for act in (model.policy, model.win_probability, lambda menu: model.frontier(menu, [0.1])):
        with pytest.raises(InvalidParameterError, match="menu must be a Menu, got NoneType"):
            act(None)


def test_kernels_on_differences_have_no_policy(pairs: PreferencePairs) -> None:
    model = KnownLinkPolicy(index=KernelIndex(components=20), ridge=0.01)
    model.fit(pairs.differences, pairs.labels)
    with pytest.raises(InvalidDataError, match="options have no scores"):
        model.policy(Menu(np.zeros((2, 2)), [0, 2]), temperature=1)
    menu = Menu(np.random.default_rng(3).normal(size=(3, 2)), [0, 3])
    assert model.fit(pairs).policy(menu, budget=0.1).divergence == pytest.approx(0.1)
