"""Held-out comparison: folds keep clusters together, sums are clustered, the sentence claims no more."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex import KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy
from semiindex.diagnostics.held_out import (
    HeldOutComparison,
    PairedDifference,
    clusters_of,
    compare_held_out,
    held_out_folds,
)
from semiindex.exceptions import InvalidDataError


def test_folds_keep_clusters_together_and_are_balanced(rng):
    clusters = rng.integers(0, 60, 500)
    folds = held_out_folds(clusters, 5, seed=1)
    assert all(np.unique(folds[clusters == c]).size == 1 for c in np.unique(clusters))
    sizes = np.bincount(folds)
    assert sizes.size == 5
    assert np.ptp(sizes) <= np.bincount(clusters).max()


def test_folds_depend_on_the_seed_only():
    clusters = np.repeat(np.arange(40), 2)
    first, again, other = (held_out_folds(clusters, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_few_clusters_give_few_folds():
    assert held_out_folds(np.array([7, 7, 8]), 5, 0).max() == 1
    with pytest.raises(InvalidDataError, match="all comparisons belong to one group"):
        held_out_folds(np.array([7, 7, 7]), 5, 0)


def test_the_clustered_error_of_a_mean(rng):
    """For clusters of one row with weight one it is the textbook standard error of a mean."""
    d = rng.normal(size=50)
    gap = PairedDifference.of(d, np.ones(50), np.arange(50))
    assert gap.mean == pytest.approx(d.mean())
    assert gap.error == pytest.approx(d.std(ddof=1) / np.sqrt(50))


def test_repeating_every_row_within_its_cluster_adds_no_information(rng):
    d = rng.normal(size=50)
    once = PairedDifference.of(d, np.ones(50), np.arange(50))
    thrice = PairedDifference.of(np.repeat(d, 3), np.ones(150), np.repeat(np.arange(50), 3))
    assert thrice.error == pytest.approx(once.error)
    weighted = PairedDifference.of(d, np.full(50, 3.0), np.arange(50))
    assert weighted.error == pytest.approx(once.error)


def test_clusters_are_raters_else_units():
    pairs = PreferencePairs([[0.0]] * 4, [[1.0]] * 4, [0, 1, 0, 1], units=[0, 0, 1, 1])
    assert clusters_of(pairs, "choice sets")[1] == "choice sets"
    np.testing.assert_array_equal(clusters_of(pairs)[0], [0, 0, 1, 1])
    assert clusters_of(pairs.replace(groups=["p", "p", "p", "q"]))[1] == "raters"


def test_predictions_are_those_of_models_that_did_not_see_the_fold(rng):
    X = rng.normal(size=(120, 2))
    pairs = PreferencePairs(np.zeros_like(X), X, rng.integers(0, 2, 120), groups=np.arange(120) // 6)
    held = compare_held_out({"m": KnownLinkPolicy()}, pairs, n_folds=4, seed=3)
    folds = held_out_folds(pairs.groups, 4, 3)
    for fold in range(4):
        model = KnownLinkPolicy().fit(pairs[folds != fold])
        expected = model.predict_proba(pairs[folds == fold])[:, 1]
        np.testing.assert_array_equal(held.probability["m"][folds == fold], expected)


def test_scores_by_hand():
    p = {"m": np.array([0.8, 0.5, 0.4])}
    held = HeldOutComparison(p, np.array([1.0, 0, 1]), np.array([1.0, 2, 1]), np.arange(3), "comparisons", 3)
    assert held.log_loss("m") == pytest.approx(-(np.log(0.8) + 2 * np.log(0.5) + np.log(0.4)) / 4)
    assert held.accuracy("m") == pytest.approx((1 + 1 + 0) / 4)


def made_up(logistic, free):
    z = np.ones(200)
    p = {"logistic": np.full(200, logistic), "link-free": np.full(200, free)}
    p["logistic"][::2] += 0.01
    return HeldOutComparison(p, z, np.ones(200), np.arange(200), "comparisons", 5)


@pytest.mark.parametrize(
    ("logistic", "free", "start", "then"),
    [
        (0.6, 0.7, "Evidence against the logistic link", "lower by .* more than two"),
        (0.6, 0.6051, "No evidence against the logistic link", "within two standard errors"),
        (0.7, 0.6, "No evidence against the logistic link", "higher by .* more than two"),
    ],
)
def test_the_sentence(logistic, free, start, then):
    import re

    sentence = made_up(logistic, free).sentence("logistic", "link-free")
    assert sentence.startswith(start)
    assert re.search(then, sentence)
    assert "adequate" not in sentence
    assert "200 comparisons" in sentence


def test_a_link_that_is_not_logistic_is_found_out(rng):
    X = rng.normal(size=(3000, 2))
    y = rng.random(3000) < 0.2 + 0.6 * (X @ [1.0, -1.0] > 0)
    pairs = PreferencePairs(np.zeros_like(X), X, y.astype(int))
    held = compare_held_out({"logistic": KnownLinkPolicy(), "link-free": ProfiledLinkPolicy()}, pairs)
    assert held.sentence("logistic", "link-free").startswith("Evidence against")
