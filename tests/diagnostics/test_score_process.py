"""Projected scores against refits, multipliers against their moments, and the size of the tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy, link_test
from semiindex.diagnostics import Multipliers
from semiindex.diagnostics.index_functions import even_steps, odd_steps
from semiindex.diagnostics.null_models import fit_known, known_null, read_tested_sample, smooth_null
from semiindex.diagnostics.score_process import blocks_of, merged_blocks, score_process
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference.covariance import sums_by_code


def sample_of(X, y, groups=None):
    return read_tested_sample(KnownLinkPolicy().fit(X, y), X, y, None, groups)


@pytest.fixture
def known(logistic):
    sample = sample_of(*logistic)
    return known_null(fit_known(sample, "logistic", antisymmetric=True), sample)


def test_one_direction_is_the_robust_score_test(known) -> None:
    """Rao's statistic for an added regressor, its variance from squared residuals without each row."""
    b = (known.t * np.abs(known.t))[:, None]
    process = score_process(known, b)
    D, h, e = known.nuisance, known.curvature, known.residual
    slope = np.linalg.solve(D.T @ (h[:, None] * D), D.T @ (h[:, None] * b))
    projected = (b - D @ slope)[:, 0]
    np.testing.assert_allclose(D.T @ (h * projected), 0, atol=1e-8 * np.abs(projected).sum())
    leverage = h * np.einsum("ij,ij->i", D, np.linalg.solve(D.T @ (h[:, None] * D), D.T).T)
    terms = e / (1 - leverage) * projected
    assert process.values[0] == pytest.approx(terms.sum() / np.sqrt(np.sum(terms**2)), rel=1e-9)


def test_residuals_without_a_block_are_those_of_a_refit(logistic) -> None:
    X, y = logistic
    rows = np.arange(500) // 25
    sample = sample_of(X, y, rows)
    model = KnownLinkPolicy(tol=1e-8).fit(X, y)
    null = known_null(model, sample)
    b = np.sign(null.t)[:, None]
    D, h = null.nuisance, null.curvature
    projected = (b - D @ np.linalg.solve(D.T @ (h[:, None] * D), D.T @ (h[:, None] * b)))[:, 0]
    expected = np.empty(20)
    for g in range(20):
        left = rows != g
        without = KnownLinkPolicy(tol=1e-8).fit(X[left], y[left]).coef_
        expected[g] = np.sum((y - expit(X @ without))[~left] * projected[~left])
    actual = score_process(null, b).sums[:, 0]
    scale = np.sqrt(np.sum(expected**2))
    np.testing.assert_allclose(actual, expected / scale, atol=0.02)


def test_directions_that_the_null_model_has_are_left_out(known) -> None:
    directions = np.column_stack([known.nuisance @ [1.0, 2.0, 3.0], np.sign(known.t)])
    assert score_process(known, directions).kept.tolist() == [1]
    with pytest.raises(InvalidDataError, match="Nothing is left to test"):
        score_process(known, directions[:, :1])


def test_weight_two_is_the_row_twice(logistic) -> None:
    X, y = logistic
    weight = np.where(np.arange(500) < 100, 2, 1)
    twice = np.repeat(np.arange(500), weight)
    weighted = read_tested_sample(KnownLinkPolicy().fit(X, y, weight), X, y, weight, None)
    repeated = sample_of(X[twice], y[twice])
    values = []
    for sample in (weighted, repeated):
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        values.append(score_process(null, odd_steps(null.t, sample.weight)).values)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6, atol=1e-8)


def test_a_common_fraction_of_all_weights_changes_nothing(logistic, rng) -> None:
    X, y = logistic
    weight = rng.uniform(0.2, 2.0, len(y))

    def process(w: np.ndarray):
        sample = read_tested_sample(KnownLinkPolicy().fit(X, y, sample_weight=w), X, y, w, None)
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        return null, score_process(null, odd_steps(null.t, null.weight))

    (null, plain), (other, small) = process(weight), process(0.01 * weight)
    assert null.blocks.total == other.blocks.total == len(y)
    np.testing.assert_allclose(small.sums, plain.sums, rtol=1e-4, atol=1e-6)


def test_size_under_fractional_weights() -> None:
    """Importance weights say how much a comparison counts, not how often it was made.

    The share of rejections at 5% of 250 samples has a standard error of 1.4%. Taken for frequencies,
    such weights rejected a fifth of them.
    """
    rng, rejected = np.random.default_rng(4), 0
    for _ in range(250):
        X = rng.normal(size=(150, 2))
        y = (rng.random(150) < expit(X @ [1.0, -0.7])).astype(int)
        weight = rng.uniform(0.1, 3.0, 150)
        sample = read_tested_sample(KnownLinkPolicy().fit(X, y, sample_weight=weight), X, y, weight, None)
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        process = score_process(null, odd_steps(null.t, null.weight))
        draws = np.mean(process.draws(Multipliers(n_draws=199)) ** 2, axis=1)
        rejected += np.mean(draws >= np.mean(process.values**2)) <= 0.05
    assert 0.01 <= rejected / 250 <= 0.09


def test_swapping_the_options_changes_nothing_that_is_odd(logistic, rng) -> None:
    X, y = logistic
    sign = rng.choice([-1, 1], len(y))
    swapped = X * sign[:, None], np.where(sign > 0, y, 1 - y)
    statistics = [
        link_test(KnownLinkPolicy().fit(*data), *data, method="score").statistic
        for data in (logistic, swapped)
    ]
    assert statistics[0] == pytest.approx(statistics[1], rel=1e-6)


def test_clusters_of_one_row_are_independent_rows(logistic) -> None:
    X, y = logistic
    processes = []
    for groups in (None, np.arange(500)[::-1]):
        sample = sample_of(X, y, groups)
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        processes.append(score_process(null, odd_steps(null.t, sample.weight)).values)
    np.testing.assert_allclose(*processes)


@pytest.mark.parametrize("kind", ["rademacher", "mammen"])
def test_multipliers_have_mean_0_and_the_variance_of_their_copies(kind) -> None:
    frequency = np.array([1.0, 4.0, 2.5])
    draws = np.concatenate(list(Multipliers(20_000, kind, 3).chunks(frequency)))
    assert draws.shape == (20_000, 3)
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=4 * np.sqrt(4 / 20_000))
    np.testing.assert_allclose(draws.var(axis=0), frequency, rtol=0.08)
    if kind == "mammen":
        assert np.mean(draws[:, 0] ** 3) == pytest.approx(1, abs=0.15)


def test_multipliers_of_whole_copies_are_sums_of_signs() -> None:
    draws = next(Multipliers(999).chunks(np.array([3.0, 1.0])))
    assert set(np.unique(draws[:, 0])) == {-3.0, -1.0, 1.0, 3.0}
    assert set(np.unique(draws[:, 1])) == {-1.0, 1.0}


def test_draws_have_the_covariance_of_the_process(known) -> None:
    process = score_process(known, odd_steps(known.t, known.weight)[:, ::6])
    draws = process.draws(Multipliers(20_000))
    np.testing.assert_allclose(draws.T @ draws / 20_000, process.sums.T @ process.sums, atol=0.05)


def test_wrong_multipliers_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="n_draws must be an integer >= 99"):
        Multipliers(50)
    with pytest.raises(InvalidParameterError, match="kind must be"):
        Multipliers(kind="normal")  # type: ignore[arg-type]


def test_too_few_blocks_and_two_ways_are_refused(logistic) -> None:
    X, y = logistic
    with pytest.raises(InvalidDataError, match="There are 5 independent groups"):
        blocks_of(sample_of(X, y, np.arange(500) // 100))
    with pytest.raises(InvalidDataError, match="clusters of one kind"):
        blocks_of(sample_of(X, y, np.column_stack([np.arange(500) // 5, np.arange(500) % 50])))


def test_a_feature_of_one_group_alone_is_refused(logistic) -> None:
    X, y = logistic
    groups = np.arange(500) // 10
    X = np.column_stack([X, np.where(groups == 3, X[:, 0] ** 2 * np.sign(X[:, 1]), 0.0)])
    sample = sample_of(X, y, groups)
    null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
    with pytest.raises(InvalidDataError, match="One group alone determines"):
        score_process(null, np.sign(null.t)[:, None])


def test_functions_of_the_index_are_no_news_beside_an_unknown_link(flipped) -> None:
    sample = sample_of(*flipped)
    null = smooth_null(ProfiledLinkPolicy().fit(*flipped), sample)
    odd = null.nuisance[:, 3:] @ np.ones(null.nuisance.shape[1] - 3)
    even = even_steps(null.t, sample.weight)
    kept = score_process(null, np.column_stack([odd, even])).kept
    assert 0 not in kept
    assert kept.size == even.shape[1]


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_an_index_direction_is_the_derivative_of_the_likelihood(flipped, antisymmetric) -> None:
    sample = sample_of(*flipped)
    free = ProfiledLinkPolicy(antisymmetric=antisymmetric).fit(*flipped)
    null = smooth_null(free, sample)
    term = sample.differences[:, 0] * np.abs(sample.differences[:, 1])

    def log_likelihood(step: float) -> float:
        g = free.link_.probability(null.t + step * term)
        return float(np.sum(np.where(sample.z == 1, np.log(g), np.log1p(-g))))

    score = null.residual @ null.index_directions(term[:, None])[:, 0]
    assert score == pytest.approx((log_likelihood(1e-5) - log_likelihood(-1e-5)) / 2e-5, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_a_term_is_tested_up_to_linear_functions(flipped, antisymmetric, rng) -> None:
    """Beside flips the slope of the logit varies, as do the directions of the features with it."""
    sample = sample_of(*flipped)
    null = smooth_null(ProfiledLinkPolicy(antisymmetric=antisymmetric).fit(*flipped), sample)
    linear = sample.differences @ rng.normal(size=(3, 2))
    curved = (sample.differences[:, 0] * np.abs(sample.differences[:, 1]))[:, None]
    process = score_process(null, null.index_directions(np.column_stack([curved, curved + linear, linear])))
    # The curved term alone and with linear functions; those by themselves are left out.
    assert process.kept.tolist() == [0, 1, 2]
    np.testing.assert_allclose(process.sums[:, 1:], process.sums[:, :1] @ np.ones((1, 2)), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [0, 60])
def test_size_of_the_link_test(n_groups: int, draw_clustered) -> None:
    """300 samples of a logistic link: three binomial standard errors around 5%."""
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, n_groups])
        X, y, groups = draw_clustered(n_groups or 600, 10 if n_groups else 1, rng)
        sample = sample_of(X, y, groups if n_groups else None)
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        process = score_process(null, odd_steps(null.t, sample.weight))
        draws = np.mean(process.draws(Multipliers(399, random_state=seed)) ** 2, axis=1)
        rejected += np.mean(draws >= np.mean(process.values**2)) <= 0.05
    assert abs(rejected / 300 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300)


def test_ignoring_clusters_misjudges_the_variance(draw_clustered) -> None:
    """Groups of identical answers: the variance of the sum is the size of a group times larger."""
    rng = np.random.default_rng(5)
    X, y, _ = draw_clustered(60, 1, rng)
    X, y = np.repeat(X, 10, axis=0), np.repeat(y, 10)
    values = []
    for groups in (None, np.repeat(np.arange(60), 10)):
        sample = sample_of(X, y, groups)
        null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
        values.append(score_process(null, np.sign(null.t)[:, None]).values[0])
    assert values[0] == pytest.approx(np.sqrt(10) * values[1], rel=0.1)


def test_blocks_put_together_keep_sum_and_variance(rng) -> None:
    sums = rng.normal(size=(50_000, 2))
    merged, frequency = merged_blocks(sums, np.ones(50_000))
    assert merged.shape == (20_000, 2)
    np.testing.assert_allclose(frequency @ merged, sums.sum(axis=0))
    np.testing.assert_allclose(np.sum(merged**2, axis=0), np.sum(sums**2, axis=0), rtol=0.05)
    copies = np.full(50_000, 2.0)
    assert merged_blocks(sums, copies)[0] is sums


def test_block_sums_add_up(known) -> None:
    process = score_process(known, np.sign(known.t)[:, None])
    total = sums_by_code(process.sums, np.zeros(500, dtype=int))[0]
    np.testing.assert_allclose(total, process.values)
