"""Bootstrap limits of the policy error: their draws by hand, invariances, coverage in a small study."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex import (
    Bootstrap,
    KnownLinkPolicy,
    LogisticLink,
    Menu,
    ProfiledLinkPolicy,
    policy_error_interval,
    policy_from_scores,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference import infer
from semiindex.policy.policy_distance import policy_distance

THETA = np.array([1.0, -0.7, 0.4])
FEW = Bootstrap(n_draws=19)


def _sample(rng, n=400):
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < LogisticLink().probability(X @ THETA)).astype(int)


@pytest.fixture
def menu(rng):
    return Menu.from_array(rng.normal(size=(30, 4, 3)))


def test_draws_are_distances_of_refitted_policies(rng, menu):
    X, y = _sample(rng)
    model = ProfiledLinkPolicy().fit(X, y)
    result = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=FEW)
    theta = infer(model, X, y, covariance=FEW).draws
    options = np.asarray(menu.features)
    learned = policy_from_scores(options @ model.coef_, menu, budget=0.2).probabilities
    for row, drawn in zip(result.draws, theta, strict=True):
        refitted = policy_from_scores(options @ drawn, menu, budget=0.2).probabilities
        gap = policy_distance(refitted, learned, options @ model.coef_, menu)
        np.testing.assert_allclose(row, [gap.total_variation, gap.kl, gap.regret], atol=1e-12)
        assert gap.total_variation <= np.sqrt(gap.kl / 2)  # Pinsker
    assert result.upper_limit == pytest.approx(np.sort(result.draws[:, 0])[17])  # 18 of 19 are 95%
    assert (result.draws[:, 2] >= 0).all()


def test_distances_of_two_options_by_hand():
    menu = Menu(offsets=[0, 2, 4], weights=[3.0, 1.0])
    best, other = np.array([0.9, 0.1, 0.5, 0.5]), np.array([0.6, 0.4, 0.5, 0.5])
    gap = policy_distance(other, best, np.array([1.0, 0.0, 7.0, 8.0]), menu)
    assert gap.total_variation == pytest.approx(0.75 * 0.3)
    assert gap.kl == pytest.approx(0.75 * (0.6 * np.log(0.6 / 0.9) + 0.4 * np.log(4)))
    assert gap.regret == pytest.approx(0.75 * 0.3)


def test_the_scale_of_the_features_does_not_matter(rng, menu):
    X, y = _sample(rng)
    small = Menu(np.asarray(menu.features) / 10, menu.offsets)
    results = [
        policy_error_interval(model.fit(x, y), x, m, y, budget=0.1, bootstrap=FEW)
        for model, x, m in [
            (KnownLinkPolicy(), X, menu),
            (KnownLinkPolicy(normalization=None), X, menu),
            (KnownLinkPolicy(normalization="norm"), X / 10, small),
        ]
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other.draws, results[0].draws, atol=1e-4)


def test_raters_are_resampled_whole(rng, menu):
    """Every rater answers eight times alike: as many comparisons, but an eighth of the information."""
    X, y = _sample(rng, 100)
    X, y, raters = np.repeat(X, 8, axis=0), np.repeat(y, 8), np.repeat(np.arange(100), 8)
    model = KnownLinkPolicy().fit(X, y)
    spec = Bootstrap(n_draws=99)
    clustered = policy_error_interval(model, X, menu, y, budget=0.2, groups=raters, bootstrap=spec)
    independent = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=spec)
    assert 1.9 < clustered.upper_limit / independent.upper_limit < 4.0  # sqrt(8) = 2.8
    assert "100 groups" in clustered.reading()


def test_halving_follows_the_rate(rng, menu):
    X, y = _sample(rng)
    model = KnownLinkPolicy().fit(X, y)
    root = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=FEW)
    cube = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=FEW, rate=1 / 3)
    assert root.n_more_to_halve == pytest.approx(3 * 400)
    assert cube.n_more_to_halve == pytest.approx(7 * 400)


def test_too_little_data_is_a_warning(rng, menu):
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    model = KnownLinkPolicy().fit(X, y)
    result = policy_error_interval(model, X, menu, y, budget=0.05, bootstrap=FEW)
    assert result.level == "warning"
    assert "Collect more comparisons" in result.reading()


@pytest.mark.parametrize("divergence", ["chi_squared", "forward_kl"])
def test_other_divergences(rng, menu, divergence):
    X, y = _sample(rng)
    model = KnownLinkPolicy().fit(X, y)
    result = policy_error_interval(model, X, menu, y, budget=0.1, divergence=divergence, bootstrap=FEW)
    assert 0 < result.upper_limit < 0.2
    assert list(result.to_frame().index) == ["total variation", "KL", "regret"]


def test_what_it_does_not_cover(rng, menu):
    X, y = _sample(rng)
    with pytest.raises(InvalidParameterError, match="ridge"):
        policy_error_interval(KnownLinkPolicy(ridge=0.1).fit(X, y), X, menu, y, budget=0.1)
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidParameterError, match="confidence must lie"):
        policy_error_interval(model, X, menu, y, budget=0.1, confidence=90)
    with pytest.raises(InvalidParameterError, match="rate must be positive"):
        policy_error_interval(model, X, menu, y, budget=0.1, rate=0)
    for budget in (0, -1.0, np.nan, "0.1"):
        with pytest.raises(InvalidParameterError, match="budget must be a positive number"):
            policy_error_interval(model, X, menu, y, budget=budget)
    with pytest.raises(InvalidDataError, match="not what the model was fitted on"):
        policy_error_interval(model, X[:300], menu, y[:300], budget=0.1)


@pytest.mark.slow
def test_coverage_of_the_upper_limit(rng):
    """150 samples: nominal 90%, two and a half Monte-Carlo standard errors around 88 to 96."""
    menu = Menu.from_array(rng.normal(size=(40, 4, 3)))
    options, held = np.asarray(menu.features), []
    best = policy_from_scores(options @ THETA, menu, budget=0.2).probabilities
    for seed in range(150):
        X, y = _sample(np.random.default_rng(seed), 300)
        model = KnownLinkPolicy().fit(X, y)
        result = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=Bootstrap(n_draws=59))
        learned = policy_from_scores(options @ model.coef_, menu, budget=0.2).probabilities
        gap = policy_distance(learned, best, options @ THETA, menu)
        held.append(gap.total_variation <= result.upper_limit)
    assert 0.82 < np.mean(held) < 0.98
