"""The index of a policy: inverse to making a policy from scores, and an index class for all estimators."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import log_loss

from semiindex import (
    KnownLinkPolicy,
    LinearIndex,
    Menu,
    OrthogonalPolicy,
    PolicyIndex,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    alpha_divergence,
    custom_divergence,
    index_of_policy,
    policy_from_scores,
)
from semiindex.divergence import Divergence, chi_squared, forward_kl, hellinger, js_divergence, reverse_kl
from semiindex.exceptions import DataWarning, InvalidDataError, InvalidParameterError

DIVERGENCES: list[Divergence] = [
    reverse_kl,
    forward_kl,
    js_divergence,
    chi_squared,
    hellinger,
    alpha_divergence(-1.0),
    alpha_divergence(0.4),
    alpha_divergence(2.5),
    custom_divergence(lambda r: r * np.log(r), lambda r: np.log(r) + 1, lambda u: np.exp(u - 1)),
]
ESTIMATORS = [KnownLinkPolicy, ProfiledLinkPolicy, OrthogonalPolicy, RankingPolicy]


@settings(max_examples=60)
@given(
    divergence=st.sampled_from(DIVERGENCES),
    sizes=st.lists(st.integers(2, 30), min_size=1, max_size=5),
    seed=st.integers(0, 999),
    strength=st.sampled_from([1e-3, 0.1, 0.4]),
)
def test_scores_to_policy_to_index(
    divergence: Divergence, sizes: list[int], seed: int, strength: float
) -> None:
    """Interior policies: scores within half a temperature of each other are not clipped by any of these."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    scores, temperature = 7 * strength * rng.random(offsets[-1]), 7.0
    menu = Menu(offsets=offsets, reference_logits=rng.normal(size=offsets[-1]))
    policy = policy_from_scores(scores, menu, temperature=temperature, divergence=divergence)
    first = np.repeat(offsets[:-1], sizes)
    t = index_of_policy(policy.log_ratio, policy.log_ratio[first], divergence)
    np.testing.assert_allclose(t, (scores - scores[first]) / temperature, atol=1e-9 * strength)


@pytest.mark.parametrize("divergence", DIVERGENCES, ids=lambda d: d.name)
def test_policy_to_index_to_policy(divergence: Divergence) -> None:
    rng = np.random.default_rng(0)
    q, p = rng.dirichlet(np.full(5, 20.0), size=2)
    t = index_of_policy(np.log(p / q), np.full(5, np.log(p[0] / q[0])), divergence)
    menu = Menu(offsets=[0, 5], reference=q)
    again = policy_from_scores(t, menu, temperature=1.0, divergence=divergence)
    np.testing.assert_allclose(again.probabilities, p, rtol=1e-9)


def test_options_that_are_given_up_have_no_index() -> None:
    policy = policy_from_scores(
        [0.0, 8.5, 9.0], Menu(offsets=[0, 3]), temperature=1, divergence="chi_squared"
    )
    assert policy.probabilities[0] == 0
    with pytest.raises(InvalidDataError, match=r"log_ratio0 is -inf in 1 comparison.*no index, only a bound"):
        index_of_policy(policy.log_ratio[1:], policy.log_ratio[:-1], "chi_squared")
    with pytest.raises(InvalidDataError, match="derivative of chi_squared overflows at the log-ratio 800"):
        index_of_policy([800.0], [0.0], "chi_squared")
    assert index_of_policy([800.0], [-800.0]).tolist() == [1600.0]
    with pytest.raises(InvalidDataError, match=r"shape \(2,\) and log_ratio0 \(1,\)"):
        index_of_policy([0.0, 1.0], [0.0])


def make_pairs(seed: int = 1, sign: float = 1.0, sparse: bool = False) -> PreferencePairs:
    """Features that are not log-probabilities stand beside them, and do not matter."""
    rng = np.random.default_rng(seed)
    sides = rng.normal(size=(2, 400, 3))
    t = sign * ((sides[1, :, 2] - sides[1, :, 0]) - (sides[0, :, 2] - sides[0, :, 0]))
    labels = rng.random(400) < 0.1 + 0.8 / (1 + np.exp(-3 * t))
    made = [sp.csr_array(side) for side in sides] if sparse else sides
    return PreferencePairs(*made, labels, feature_names=["ref_logp", "length", "logp"])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators_fit_the_policy_as_one_feature(estimator: type) -> None:
    """The same fit as that of a table whose only column is the index."""
    pairs = make_pairs()
    model = estimator(index=PolicyIndex(), normalization="norm").fit(pairs)
    assert model.coef_.tolist() == [1.0]
    assert model.summary().feature_names == ("policy index",)
    ratio = [side[:, 2] - side[:, 0] for side in (pairs.features0, pairs.features1)]
    column = PreferencePairs(ratio[0][:, None], ratio[1][:, None], pairs.labels)
    twin = estimator(index=LinearIndex(), normalization="norm").fit(column)
    np.testing.assert_allclose(model.predict_proba(pairs), twin.predict_proba(column), atol=2e-3)
    assert log_loss(pairs.labels, model.predict_proba(pairs)[:, 1]) < np.log(2) - 0.1
    np.testing.assert_allclose(model.score_options(pairs.features1), ratio[1])


def test_options_without_probability_do_not_reach_a_fit() -> None:
    """Refused with the features, whatever the estimator: the fit never sees an infinite index."""
    sides = np.zeros((2, 4, 2))
    sides[1, 2, 0] = -np.inf
    with pytest.raises(InvalidDataError, match="features1 contains -inf in feature 'logp', first in row 2"):
        PreferencePairs(*sides, [0, 1, 0, 1], feature_names=["logp", "ref_logp"])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_policy_that_people_dislike_is_said_to_be_one(estimator: type) -> None:
    with pytest.warns(DataWarning, match="negative coefficient"):
        model = estimator(index=PolicyIndex(), normalization="norm").fit(make_pairs(sign=-1.0))
    assert model.coef_.tolist() == [-1.0]
    assert any("negative coefficient" in note for note in model.notes_)


def test_the_divergence_matters_where_the_policy_is_far_from_its_reference() -> None:
    """The better of two stories about how a policy was made explains the labels better."""
    rng = np.random.default_rng(5)
    x = 3 * rng.normal(size=(2, 3000))
    t = hellinger.derivative_at_log(x)
    y = rng.random(3000) < 1 / (1 + np.exp(-(t[1] - t[0])))
    sides = [np.column_stack([side, np.zeros(3000)]) for side in x]
    pairs = PreferencePairs(*sides, y, feature_names=["logp", "ref_logp"])
    losses = {}
    for name in ("hellinger", "reverse_kl"):
        model = ProfiledLinkPolicy(index=PolicyIndex(divergence=name)).fit(pairs[:2000])
        losses[name] = log_loss(y[2000:], model.predict_proba(pairs[2000:])[:, 1])
    assert losses["hellinger"] < losses["reverse_kl"] - 0.01


def test_sparse_features_new_rows_and_copies() -> None:
    pairs, sparse = make_pairs(), make_pairs(sparse=True)
    index = PolicyIndex()
    np.testing.assert_array_equal(index.fit_design(sparse).matrix, clone(index).fit_design(pairs).matrix)
    np.testing.assert_array_equal(index.design(pairs[:3]).matrix, index.fit_design(pairs).matrix[:3])
    again = pickle.loads(pickle.dumps(index))
    np.testing.assert_array_equal(
        again.score(pairs.features0, np.ones(1)), index.score(pairs.features0, np.ones(1))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ProfiledLinkPolicy(index=index).fit(sparse)


def test_policies_made_from_the_policy_index() -> None:
    """At temperature 1 and with the same divergence the menu's policy is the policy itself."""
    model = KnownLinkPolicy(index=PolicyIndex(), normalization="norm").fit(make_pairs())
    rng = np.random.default_rng(6)
    p, q = np.log(rng.dirichlet(np.ones(4), size=2))
    menu = Menu(
        np.column_stack([q, np.zeros(4), p]),
        [0, 4],
        reference_log_probability=q,
        feature_names=["ref_logp", "length", "logp"],
    )
    np.testing.assert_allclose(model.policy(menu, temperature=1.0).probabilities, np.exp(p))


def test_what_is_refused() -> None:
    pairs = make_pairs()
    with pytest.raises(InvalidDataError, match="X holds plain differences"):
        KnownLinkPolicy(index=PolicyIndex()).fit(pairs.differences, pairs.labels)
    with pytest.raises(InvalidDataError, match="X has no feature 'lp', which PolicyIndex names"):
        KnownLinkPolicy(index=PolicyIndex("lp")).fit(pairs)
    with pytest.raises(InvalidParameterError, match="divergence must be one of"):
        KnownLinkPolicy(index=PolicyIndex(divergence="kl")).fit(pairs)
