"""Area under the ROC curve: scikit-learn, DeLong and the bootstrap as oracles, clusters, mirror images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from semiindex import KnownLinkPolicy, LogisticLink, PreferencePairs, auc_interval, discrimination
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy import RankingPolicy


def _slow_delong(y, score):
    """Variance of DeLong, DeLong & Clarke-Pearson from the matrix of all pairs."""
    wins, losses = score[y == 1], score[y == 0]
    order = (wins[:, None] > losses) + 0.5 * (wins[:, None] == losses)
    return order.mean(), order.mean(axis=1).var(ddof=1) / wins.size + order.mean(axis=0).var(
        ddof=1
    ) / losses.size


def test_area_and_variance_against_all_pairs(rng):
    y, score = rng.integers(0, 2, 80), rng.integers(0, 12, 80).astype(float)  # with ties
    result = auc_interval(y, score + 2 * y)
    area, variance = _slow_delong(y, score + 2 * y)
    assert result.auc == pytest.approx(area) == pytest.approx(roc_auc_score(y, score + 2 * y))
    assert result.standard_error == pytest.approx(np.sqrt(variance))
    assert result.interval[0] < result.auc < result.interval[1]


def test_weights_are_repetitions(rng):
    y, score, weight = rng.integers(0, 2, 60), rng.normal(size=60), rng.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weight)
    first, second = auc_interval(y, score, sample_weight=weight), auc_interval(y[rows], score[rows])
    assert first.auc == pytest.approx(second.auc)
    assert first.standard_error == pytest.approx(second.standard_error)
    groups = np.arange(60) // 3
    clustered = auc_interval(y, score, sample_weight=weight, groups=groups)
    repeated = auc_interval(y[rows], score[rows], groups=groups[rows])
    assert clustered.standard_error == pytest.approx(repeated.standard_error)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_the_unit_of_fractional_weights_says_nothing(antisymmetric, rng):
    X = rng.normal(size=(300, 2))
    y = (rng.random(300) < LogisticLink().probability(X @ [1.0, -0.5])).astype(int)
    model = KnownLinkPolicy(antisymmetric=antisymmetric).fit(X, y)
    weight = rng.uniform(0.5, 1.5, 300)
    first, second = (discrimination(model, X, y, scale * weight) for scale in (0.01, 1.0))
    assert first.standard_error == pytest.approx(second.standard_error)
    assert first.n_clusters is None
    equal = discrimination(model, X, y, np.full(300, 0.01))
    assert equal.standard_error == pytest.approx(discrimination(model, X, y).standard_error)


def test_rows_as_clusters_are_delong(rng):
    y, score = rng.integers(0, 2, 300), rng.normal(size=300)
    single = auc_interval(y, score + y, groups=np.arange(300))
    assert single.standard_error == pytest.approx(auc_interval(y, score + y).standard_error, rel=1e-12)


def _clustered(rng, n_clusters=60, size=10):
    common = np.repeat(rng.normal(size=n_clusters), size)
    groups = np.repeat(np.arange(n_clusters), size)
    score = common + rng.normal(size=groups.size)
    y = (
        score + 1.5 * rng.normal(size=groups.size) + 2 * np.repeat(rng.normal(size=n_clusters), size) > 0
    ).astype(int)
    return y, score, groups


def test_clustered_errors_are_those_of_the_cluster_bootstrap(rng):
    y, score, groups = _clustered(rng)
    rows = [np.flatnonzero(groups == g) for g in range(60)]
    draws = []
    for _ in range(500):
        drawn = np.concatenate([rows[g] for g in rng.integers(0, 60, 60)])
        draws.append(roc_auc_score(y[drawn], score[drawn]))
    result = auc_interval(y, score, groups=groups)
    assert result.standard_error == pytest.approx(np.std(draws), rel=0.15)
    assert result.standard_error > 1.3 * auc_interval(y, score).standard_error
    assert result.n_clusters == 60


def test_few_clusters_take_the_quantile_of_t(rng):
    y, score, groups = _clustered(rng, n_clusters=8)
    result = auc_interval(y, score, groups=groups, confidence=0.9)
    half = np.diff(logit(result.interval))[0] / 2
    error = result.standard_error / (result.auc * (1 - result.auc))  # of the logit
    assert half / error == pytest.approx(student.ppf(0.95, 7))
    apart = auc_interval(y, score, confidence=0.9)
    half = np.diff(logit(apart.interval))[0] / 2
    assert half * apart.auc * (1 - apart.auc) / apart.standard_error == pytest.approx(1.6449, abs=1e-4)


def test_coverage_with_clusters(rng):
    """Two-sided 95%, 400 samples: within 3.5 Monte-Carlo standard errors of 94%."""
    truth = np.mean([roc_auc_score(*_clustered(rng, 2000, 10)[:2]) for _ in range(5)])
    held = [
        low <= truth <= high
        for low, high in (
            auc_interval(y, score, groups=groups).interval
            for y, score, groups in (_clustered(rng) for _ in range(400))
        )
    ]
    assert np.mean(held) == pytest.approx(0.94, abs=3.5 * np.sqrt(0.94 * 0.06 / 400))


def _pairs(rng, n=400):
    a, b = rng.normal(size=(2, n, 2))
    y = (rng.random(n) < LogisticLink().probability((b - a) @ [1.0, -0.5])).astype(int)
    return PreferencePairs(a, b, y)


def test_the_doubled_sample(rng):
    """An antisymmetric model is judged with the mirror images; comparison and image are one cluster."""
    pairs = _pairs(rng)
    model = RankingPolicy().fit(pairs)
    result = discrimination(model, pairs)
    assert result.auc == pytest.approx(model.auc(pairs))
    t = model.decision_function(pairs)
    y, score = np.append(pairs.labels, 1 - pairs.labels), np.append(t, -t)
    twin = auc_interval(y, score, groups=np.tile(np.arange(400), 2))
    assert result.auc == pytest.approx(twin.auc)
    assert result.standard_error == pytest.approx(twin.standard_error)
    assert result.in_sample
    flipped = discrimination(model, pairs.swapped(rng.random(400) < 0.5))
    assert flipped.standard_error == pytest.approx(result.standard_error)


def test_raters_are_taken_from_the_pairs(rng):
    pairs = _pairs(rng)
    raters = pairs.replace(groups=np.arange(400) // 8)
    model = KnownLinkPolicy().fit(pairs)
    t = model.decision_function(pairs)
    twin = auc_interval(
        np.append(pairs.labels, 1 - pairs.labels), np.append(t, -t), groups=np.tile(np.arange(400) // 8, 2)
    )
    assert discrimination(model, raters).standard_error == pytest.approx(twin.standard_error)
    assert discrimination(model, raters).n_clusters == 50


def test_without_antisymmetry_the_sample_is_taken_as_it_is(rng):
    pairs = _pairs(rng)
    model = KnownLinkPolicy(antisymmetric=False).fit(pairs)
    result = discrimination(model, pairs)
    assert result.auc == pytest.approx(roc_auc_score(pairs.labels, model.decision_function(pairs)))
    assert not result.doubled


def test_no_better_than_chance_is_a_warning(rng):
    result = auc_interval(rng.integers(0, 2, 60), np.arange(60) % 2)
    assert result.level == "warning"
    assert "chance" in result.reading()
    assert auc_interval([0, 0, 1, 1], [0, 1, 2, 3]).interval == (1.0, 1.0)


def test_what_is_refused():
    with pytest.raises(InvalidDataError, match="one kind only"):
        auc_interval([1, 1], [0.1, 0.2])
    with pytest.raises(InvalidDataError, match="0 and 1 only"):
        auc_interval([1, 2], [0.1, 0.2])
    with pytest.raises(InvalidDataError, match="fewer than two clusters"):
        auc_interval([1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4], groups=[1, 1, 1, 1])
    with pytest.raises(InvalidDataError, match="two wins and two losses"):
        auc_interval([1, 0, 0], [0.1, 0.2, 0.3])
    with pytest.raises(InvalidParameterError, match="confidence must lie"):
        auc_interval([0, 0, 1, 1], [0, 2, 1, 3], confidence=2)
