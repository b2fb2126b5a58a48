"""Comparison of estimators: losses by hand, the corrected error, raters held out whole."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from semiindex import KnownLinkPolicy, LogisticLink, PreferencePairs, ProbitLink, compare_estimators
from semiindex.diagnostics.held_out import held_out_folds
from semiindex.exceptions import InvalidParameterError


def _sample(rng, n=300):
    X = rng.normal(size=(n, 2))
    return X, (rng.random(n) < LogisticLink().probability(2 * X @ [1.0, -1.0])).astype(int)


BOTH = {"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy(ProbitLink())}


def test_losses_by_hand(rng):
    X, y = _sample(rng)
    result = compare_estimators(BOTH, X, y, n_folds=3, n_repeats=1)
    folds = held_out_folds(np.arange(300), 3, 0)
    for fold in range(3):
        test = folds == fold
        model = KnownLinkPolicy().fit(X[~test], y[~test])
        assert result.losses[fold, 0] == pytest.approx(log_loss(y[test], model.predict_proba(X[test])))
    assert result.test_ratio == pytest.approx(0.5)


def test_the_corrected_error(rng):
    X, y = _sample(rng)
    result = compare_estimators(BOTH, X, y, n_folds=5, n_repeats=2, loss="brier")
    gaps = result.losses[:, 1] - result.losses[:, 0]
    assert gaps.size == 10
    assert result.standard_errors[1] == pytest.approx(np.sqrt((1 / 10 + 1 / 4) * gaps.var(ddof=1)))
    assert result.standard_errors[0] == 0
    assert result.level == "fine"
    assert "cannot be told" in result.reading()
    assert np.isnan(result.to_frame().loc["logistic", "difference"])


def test_a_better_estimator_is_noticed(rng):
    X, y = _sample(rng, 600)
    worse = KnownLinkPolicy(ridge=1e3)
    result = compare_estimators({"held back": worse, "free": KnownLinkPolicy()}, X, y)
    assert result.level == "note"
    assert "'free' is better" in result.reading()
    turned = compare_estimators({"held back": worse, "free": KnownLinkPolicy()}, X, y, baseline="free")
    assert "'held back' is worse" in turned.reading()
    assert turned.level == "fine"


def test_share_of_wrong_predictions(rng):
    X, y = _sample(rng)
    result = compare_estimators(BOTH, X, y, loss="error", n_folds=2, n_repeats=1)
    test = held_out_folds(np.arange(300), 2, 0) == 0
    model = KnownLinkPolicy().fit(X[~test], y[~test])
    assert result.losses[0, 0] == pytest.approx(1 - model.score(X[test], y[test]))


def test_raters_are_held_out_whole(rng):
    """Noise features that identify the rater help only where the rater's answers are trained on."""
    raters = np.repeat(np.arange(30), 10)
    own = np.eye(30)[raters]
    X = np.column_stack([rng.normal(size=300), own])
    y = np.repeat(rng.integers(0, 2, 30), 10)
    X = X * np.where(rng.random(300) < 0.5, 1, -1)[:, None]
    y = np.where(X[np.arange(300), 1 + raters] > 0, y, 1 - y)
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=raters)
    models = {"small": KnownLinkPolicy(ridge=0.1), "large": KnownLinkPolicy(ridge=0.01)}
    whole = compare_estimators(models, pairs, n_repeats=1)
    mixed = compare_estimators(models, pairs, groups=np.arange(300), n_repeats=1)
    assert whole.n_clusters == 30
    assert "whole groups were held out (30)" in whole.reading()
    assert "each of 300 comparisons was held out by itself" in mixed.reading()
    assert whole.losses.mean() > 0.6 > 0.45 > mixed.losses.mean(axis=0).min()


def test_weights_and_jobs(rng):
    X, y = _sample(rng, 120)
    weight = rng.integers(1, 3, 120)
    pairs = PreferencePairs(np.zeros_like(X), X, y, weights=weight.astype(float))
    first = compare_estimators(BOTH, pairs, n_folds=2, n_repeats=1)
    second = compare_estimators(BOTH, X, y, weight, n_folds=2, n_repeats=1)
    np.testing.assert_allclose(first.losses, second.losses, rtol=1e-6)


def test_what_is_refused(rng):
    X, y = _sample(rng, 60)
    with pytest.raises(InvalidParameterError, match="two or more"):
        compare_estimators({"one": KnownLinkPolicy()}, X, y)
    with pytest.raises(InvalidParameterError, match="two or more"):
        compare_estimators(BOTH, X, y, baseline="three")
    with pytest.raises(InvalidParameterError, match="loss must be"):
        compare_estimators(BOTH, X, y, loss="auc")
    for n_folds in (1, 2.5, "five"):
        with pytest.raises(InvalidParameterError, match="n_folds must be an integer of at least 2"):
            compare_estimators(BOTH, X, y, n_folds=n_folds)
    with pytest.raises(InvalidParameterError, match="n_repeats must be an integer of at least 1"):
        compare_estimators(BOTH, X, y, n_repeats=2.5)
    with pytest.raises(InvalidParameterError, match="dictionary of estimators by name, got list"):
        compare_estimators(list(BOTH.values()), X, y)
    for confidence in (0, 2):
        with pytest.raises(InvalidParameterError, match="confidence must lie between 0 and 1"):
            compare_estimators(BOTH, X, y, confidence=confidence)
