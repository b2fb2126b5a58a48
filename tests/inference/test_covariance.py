"""Clusters, units and two ways, against explicit sums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semiindex import KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference import infer
from semiindex.inference.covariance import cluster_covariance, sandwich_covariance, two_way_covariance
from semiindex.inference.sample import Observations


def outer_sum(psi: np.ndarray, weight: np.ndarray, keys: list) -> np.ndarray:
    """Slow twin: sum over clusters of the square of the cluster's sum, times G / (G - 1)."""
    total, names = np.zeros((psi.shape[1],) * 2), sorted(set(keys))
    for name in names:
        score = sum(weight[i] * psi[i] for i in range(len(keys)) if keys[i] == name)
        total += np.outer(score, score)
    return len(names) / (len(names) - 1) * total


def test_clusters_are_the_explicit_sum(rng) -> None:
    psi, weight = rng.normal(size=(60, 3)), rng.random(60)
    clusters = rng.integers(0, 9, 60)
    estimate = cluster_covariance(psi, weight, clusters)
    np.testing.assert_allclose(estimate.matrix, outer_sum(psi, weight, clusters.tolist()))
    assert estimate.degrees_of_freedom == 8
    assert "9 clusters" in estimate.notes[0]


def test_two_ways_are_the_explicit_sums(rng) -> None:
    """Cameron, Gelbach & Miller (2011): V_1 + V_2 - V_12, each with its own factor."""
    psi, weight = rng.normal(size=(400, 2)) + 0.5, np.ones(400)
    first, second = rng.integers(0, 30, 400), rng.integers(0, 25, 400)
    both = list(zip(first.tolist(), second.tolist(), strict=True))
    expected = (
        outer_sum(psi, weight, first.tolist())
        + outer_sum(psi, weight, second.tolist())
        - outer_sum(psi, weight, both)
    )
    estimate = two_way_covariance(psi, weight, first, second)
    np.testing.assert_allclose(estimate.matrix, expected)
    assert estimate.degrees_of_freedom == 24
    assert estimate.notes == ()


def test_two_ways_without_a_positive_answer_are_repaired(rng) -> None:
    """Checkerboard: sums over rows and columns vanish, those over cells do not."""
    first, second = np.divmod(np.arange(36), 6)
    psi = np.column_stack([(-1.0) ** (first + second), rng.normal(size=36)])
    estimate = two_way_covariance(psi, np.ones(36), first, second)
    assert np.linalg.eigvalsh(estimate.matrix)[0] >= -1e-12
    assert any("negative eigenvalues" in note for note in estimate.notes)


def test_same_clusters_twice_are_one_way(sample, rng) -> None:
    X, y = sample
    groups = rng.integers(0, 40, y.size)
    model = ProfiledLinkPolicy().fit(X, y)
    one = infer(model, X, y, groups=groups)
    two = infer(model, X, y, groups=np.column_stack([groups, groups]))
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-8, atol=1e-14)
    assert two.estimate.kind == "two-way"


@pytest.mark.parametrize(
    "estimator", [KnownLinkPolicy(), ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")], ids=repr
)
def test_clusters_of_one_row_are_the_sandwich_up_to_the_factor(estimator, sample) -> None:
    X, y = sample
    model = estimator.fit(X, y)
    free = 3 if isinstance(estimator, KnownLinkPolicy) else 2
    plain = infer(model, X, y).covariance * (600 - free) / 600
    single = infer(model, X, y, groups=np.arange(600)).covariance * 599 / 600
    np.testing.assert_allclose(plain, single, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("link", ["logistic", "cauchit"])
def test_jackknife_of_clusters_is_that_of_refits(link: str, sample, rng) -> None:
    """CR3 against the estimator fitted anew without each cluster, one Newton step against the whole way."""
    X, y = sample
    groups = rng.integers(0, 12, y.size)
    tight = KnownLinkPolicy(link, tol=1e-9)
    result = infer(tight.fit(X, y), X, y, groups=groups, covariance="jackknife")
    theta = tight.fit(X, y).coef_
    gaps = np.array(
        [KnownLinkPolicy(link, tol=1e-9).fit(X[groups != g], y[groups != g]).coef_ - theta for g in range(12)]
    )
    np.testing.assert_allclose(result.covariance, 11 / 12 * gaps.T @ gaps, rtol=0.1, atol=2e-4)
    assert result.estimate.degrees_of_freedom == 11
    assert (result.standard_errors > infer(tight.fit(X, y), X, y, groups=groups).standard_errors * 0.95).all()


def test_jackknife_of_rows_is_hc3_of_least_squares_in_the_working_model(sample) -> None:
    X, y = sample
    model = KnownLinkPolicy(tol=1e-9).fit(X, y)
    result = infer(model, X, y, covariance="jackknife")
    p = model.predict_proba(X)[:, 1]
    bread = np.linalg.inv((X.T * (p * (1 - p))) @ X)
    leverage = p * (1 - p) * np.einsum("ij,jk,ik->i", X, bread, X)
    scores = ((y - p) / (1 - leverage))[:, None] * X @ bread
    np.testing.assert_allclose(result.covariance, 599 / 600 * scores.T @ scores, rtol=1e-6)


@pytest.mark.parametrize("estimator", [ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")], ids=repr)
def test_jackknife_of_repeated_rows_is_that_of_weights(estimator, sample, rng) -> None:
    X, y = sample
    weight, groups = rng.integers(1, 3, y.size), rng.integers(0, 30, y.size)
    for clusters in (None, groups):
        one = infer(
            estimator.fit(X, y, sample_weight=weight), X, y, weight, groups=clusters, covariance="jackknife"
        )
        rows = np.repeat(np.arange(y.size), weight)
        repeated = None if clusters is None else clusters[rows]
        two = infer(
            estimator.fit(X[rows], y[rows]), X[rows], y[rows], groups=repeated, covariance="jackknife"
        )
        np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6, atol=1e-12)


def test_jackknife_without_a_rest_is_refused(sample) -> None:
    X, y = sample
    X = np.column_stack([X, np.where(np.arange(600) < 30, np.random.default_rng(2).normal(size=600), 0.0)])
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidDataError, match="Without observation or cluster number 0"):
        infer(model, X, y, groups=np.arange(600) // 30, covariance="jackknife")
    with pytest.raises(InvalidParameterError, match="needs groups with 1 column"):
        infer(model, X, y, groups=np.arange(1200).reshape(600, 2) // 60, covariance="jackknife")


def test_names_of_clusters_are_of_no_account(sample, rng) -> None:
    X, y = sample
    groups = rng.integers(0, 40, y.size)
    model = ProfiledLinkPolicy().fit(X, y)
    one = infer(model, X, y, groups=groups)
    two = infer(model, X, y, groups=pd.Series([f"rater {-g}" for g in groups]))
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-12, atol=1e-18)


def test_pairs_carry_their_raters(sample, rng) -> None:
    X, y = sample
    groups = rng.integers(0, 40, y.size)
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=groups)
    model = ProfiledLinkPolicy().fit(pairs)
    result = infer(model, pairs)
    assert result.estimate.kind == "cluster"
    np.testing.assert_allclose(
        result.covariance, infer(ProfiledLinkPolicy().fit(X, y), X, y, groups=groups).covariance, rtol=1e-9
    )
    assert infer(model, pairs, covariance="sandwich").estimate.kind == "sandwich"


def test_rows_of_one_unit_are_summed_before_they_are_squared() -> None:
    psi = np.array([[1.0], [-1.0], [2.0]])
    observations = Observations(np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]), np.array([1.0, 3.0]))
    estimate = sandwich_covariance(psi, observations, 1)
    assert estimate.matrix[0, 0] == pytest.approx(4 / 3 * (0.0 + 3 * 4.0))


@pytest.mark.parametrize("factor", [0.01, 1.0, 3.7])
@pytest.mark.parametrize("covariance", ["sandwich", "jackknife"])
def test_fractions_weigh_comparisons_that_were_made_once(covariance, factor, sample, rng) -> None:
    """Least squares of weight w is that of rows times sqrt(w): scores are squared with their weight."""
    X, y = sample
    weight = factor * rng.uniform(0.2, 3.0, len(y))
    model = KnownLinkPolicy(normalization=None, tol=1e-8).fit(X, y, sample_weight=weight)
    table = infer(model, X, y, weight, covariance=covariance)
    p = model.predict_proba(X)[:, 1]
    inverse = np.linalg.inv(X.T @ ((weight * p * (1 - p))[:, None] * X))
    leverage = weight * p * (1 - p) * np.einsum("ij,jk,ik->i", X, inverse, X)
    score = (weight * (y - p))[:, None] * X
    n, d = X.shape
    scale = n / (n - d)
    if covariance == "jackknife":
        score, scale = score / (1 - leverage)[:, None], (n - 1) / n
    expected = scale * inverse @ (score.T @ score) @ inverse
    np.testing.assert_allclose(table.covariance, expected, rtol=1e-6)


def test_one_fraction_makes_all_weights_those_of_single_comparisons(sample) -> None:
    X, y = sample
    weight = np.full(len(y), 2.0)
    nearly = weight + 1e-6 * (np.arange(len(y)) == 0)
    doubled, single, mixed = (
        np.diag(infer(KnownLinkPolicy().fit(X, y, sample_weight=w), X, y, w).covariance)
        for w in (weight, None, nearly)
    )
    np.testing.assert_allclose(doubled, single / 2, rtol=0.01)
    np.testing.assert_allclose(mixed, single, rtol=1e-4)


def wide(rng: np.random.Generator, n: int = 300) -> pd.DataFrame:
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a_0", "b_0", "a_1", "b_1"])
    t = frame.a_1 - frame.a_0 - 0.5 * (frame.b_1 - frame.b_0)
    frame["choice"] = (rng.random(n) < 1 / (1 + np.exp(-2 * t))).astype(float)
    return frame


def test_a_tie_is_one_observation_and_repeats_with_its_weight(rng) -> None:
    frame = wide(rng)
    frame.loc[::5, "choice"] = 0.5
    pairs = tied(frame)
    copies = PreferencePairs.concatenate([pairs, pairs])
    twice = np.full(len(pairs), 2.0)
    one = infer(KnownLinkPolicy().fit(pairs, sample_weight=twice), pairs, sample_weight=twice)
    two = infer(KnownLinkPolicy().fit(copies), copies)
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6)
    assert one.n_effective == two.n_effective == 600


def tied(frame: pd.DataFrame) -> PreferencePairs:
    """Rows as the builders write them: a tie is two rows of half weight in one unit."""
    tie = frame.choice == 0.5
    rows = np.concatenate([np.arange(len(frame)), np.flatnonzero(tie)])
    labels = np.concatenate([np.where(tie, 1, frame.choice), np.zeros(tie.sum())]).astype(int)
    weights = np.where(tie.to_numpy()[rows], 0.5, 1.0)
    option0, option1 = (frame[[f"a_{k}", f"b_{k}"]].to_numpy()[rows] for k in (0, 1))
    return PreferencePairs(option0, option1, labels, weights=weights, units=rows)


def test_counts_are_their_rows_written_one_by_one(rng) -> None:
    """k wins of n trials are n independent answers, whether summed in two rows or not."""
    frame = wide(rng, 150)
    trials = rng.integers(1, 6, 150)
    t = frame.a_1 - frame.a_0 - 0.5 * (frame.b_1 - frame.b_0)
    wins = rng.binomial(trials, 1 / (1 + np.exp(-2 * t)))
    option0, option1 = (frame[[f"a_{k}", f"b_{k}"]].to_numpy() for k in (0, 1))
    units, labels, weights = [], [], []
    for unit in range(150):
        for label, weight in ((1, wins[unit]), (0, trials[unit] - wins[unit])):
            if weight:
                units, labels, weights = [*units, unit], [*labels, label], [*weights, float(weight)]
    counted = PreferencePairs(option0[units], option1[units], labels, weights=weights, units=units)
    rows = np.repeat(units, np.array(weights, dtype=int))
    answers = np.repeat(labels, np.array(weights, dtype=int))
    written = PreferencePairs(option0[rows], option1[rows], answers)
    one, two = (infer(KnownLinkPolicy().fit(p), p) for p in (counted, written))
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6)
    assert one.n_effective == two.n_effective == trials.sum()


def test_choice_sets_are_their_clusters(rng) -> None:
    """Pairs of one choice set are one observation: the same sums as clusters of sets."""
    frame = pd.DataFrame(
        {"set": np.repeat(np.arange(200), 3), "x": rng.normal(size=600), "w": rng.normal(size=600)}
    )
    utility = 1.5 * frame.x - frame.w + rng.gumbel(size=600)
    frame["chosen"] = (utility == utility.groupby(frame.set).transform("max")).astype(int)
    pairs = PreferencePairs.from_choice_sets(frame, set="set", chosen="chosen")
    model = KnownLinkPolicy().fit(pairs)
    plain, clustered = infer(model, pairs), infer(model, pairs, groups=pairs.units)
    np.testing.assert_allclose(plain.covariance * 198 / 200, clustered.covariance * 199 / 200, rtol=1e-9)
    assert plain.n_effective == 200


def test_clusters_must_hold_whole_comparisons(rng) -> None:
    pairs = tied(wide(rng).assign(choice=lambda f: np.where(f.index % 5 == 0, 0.5, f.choice)))
    model = KnownLinkPolicy().fit(pairs)
    with pytest.raises(InvalidDataError, match="belong to different groups"):
        infer(model, pairs, groups=np.arange(len(pairs)))


def test_weights_within_a_comparison_must_agree(rng) -> None:
    pairs = tied(wide(rng).assign(choice=lambda f: np.where(f.index % 5 == 0, 0.5, f.choice)))
    weight = np.linspace(1, 2, len(pairs))
    model = KnownLinkPolicy().fit(pairs, sample_weight=weight)
    with pytest.raises(InvalidDataError, match="sample_weight differs between the rows of one comparison"):
        infer(model, pairs, sample_weight=weight)


@pytest.mark.parametrize(
    ("groups", "covariance", "error", "message"),
    [
        (None, "cluster", InvalidParameterError, "needs groups with 1 column,"),
        (np.zeros(600), "cluster", InvalidDataError, "single cluster"),
        (np.arange(600), "two-way", InvalidParameterError, "needs groups with 2 columns"),
        (np.zeros((600, 3)), "auto", InvalidDataError, "two columns at most"),
        (np.arange(599), "auto", InvalidDataError, "one entry for each of the 600 rows"),
        (np.where(np.arange(600) == 3, np.nan, 1.0), "auto", InvalidDataError, "no value in row 3"),
        (np.arange(600), "HC3", InvalidParameterError, "covariance must be"),
        (np.zeros((600, 2)), "bootstrap", InvalidParameterError, "clusters of one kind"),
    ],
)
def test_bad_clusters_are_refused(groups, covariance, error, message, sample) -> None:
    X, y = sample
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(error, match=message):
        infer(model, X, y, groups=groups, covariance=covariance)
