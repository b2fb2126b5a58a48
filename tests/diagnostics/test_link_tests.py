"""Tests of link, antisymmetry, monotonicity and index: what they find, what they say, what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from semiindex import (
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    antisymmetry_test,
    index_test,
    link_test,
    monotonicity_test,
)
from semiindex.diagnostics import Multipliers
from semiindex.diagnostics.evidence import in_words, level_of, monte_carlo_p_value
from semiindex.diagnostics.null_models import read_tested_sample, smooth_null
from semiindex.diagnostics.parametric_bootstrap import departure, departures_under_null, distinct_comparisons
from semiindex.diagnostics.simultaneous_band import _standardised_fit, simultaneous_band
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference import Bootstrap

FEW = Multipliers(399)
REFITS = Bootstrap(n_draws=39)


# The link -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["score", "likelihood-ratio", "distance"])
def test_flips_are_not_logistic(method, flipped) -> None:
    result = link_test(
        ProfiledLinkPolicy().fit(*flipped), *flipped, method=method, bootstrap=REFITS, multipliers=FEW
    )
    assert result.p_value <= 1 / 39
    assert result.method == method
    assert result.gap > 0.05
    assert result.level == "note"  # the model does not assume the link


def test_a_link_that_the_model_assumes_is_a_warning(flipped) -> None:
    result = link_test(KnownLinkPolicy().fit(*flipped), *flipped, method="score")
    assert result.relied_on
    assert result.level == "warning"
    assert "The model assumes this link" in result.reading()
    assert "wrong however many" in str(result)


@pytest.mark.parametrize("link", ["logistic", LapsedLink(LogisticLink(), lower=0.2, upper=0.2)])
def test_the_true_link_is_kept(link, logistic, flipped) -> None:
    data = logistic if link == "logistic" else flipped
    result = link_test(OrthogonalPolicy().fit(*data), *data, link=link, method="score", multipliers=FEW)
    assert result.p_value > 0.05
    assert result.level == "fine"
    assert "would do" in result.reading()
    assert result.to_frame().index[0] == (link if isinstance(link, str) else repr(link))


def test_a_position_effect_is_part_of_the_null_hypothesis(logistic) -> None:
    X, _ = logistic
    rng = np.random.default_rng(3)
    y = (rng.random(500) < 1 / (1 + np.exp(-X @ [2.0, -1.0, 1.0] - 0.8))).astype(int)
    model = ProfiledLinkPolicy(antisymmetric=False).fit(X, y)
    for method in ("score", "likelihood-ratio"):
        result = link_test(model, X, y, method=method, bootstrap=REFITS, multipliers=FEW)
        assert result.p_value > 0.02
        assert not result.antisymmetric
    assert antisymmetry_test(model, X, y, multipliers=FEW).p_value < 0.01


def test_refits_do_not_depend_on_the_number_of_jobs(logistic) -> None:
    sample = read_tested_sample(KnownLinkPolicy().fit(*logistic), *logistic, None, None)
    distinct = distinct_comparisons(sample, antisymmetric=True)
    observed = departure(distinct, LogisticLink(), antisymmetric=True)
    draws = [
        departures_under_null(
            distinct, observed, LogisticLink(), Bootstrap(4, n_jobs=jobs), antisymmetric=True
        )
        for jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*draws)


def test_departure_agrees_with_the_estimators(flipped) -> None:
    X, y = flipped
    sample = read_tested_sample(KnownLinkPolicy().fit(X, y), X, y, None, None)
    observed = departure(distinct_comparisons(sample, antisymmetric=True), LogisticLink(), antisymmetric=True)
    known, free = KnownLinkPolicy(tol=1e-6).fit(X, y), ProfiledLinkPolicy(tol=1e-6).fit(X, y)
    expected = 2 * len(y) * (known.loss_curve_[-1] - free.loss_curve_[-1])
    assert observed.likelihood_ratio == pytest.approx(expected, abs=0.3)
    gap = known.predict_proba(X)[:, 1] - free.predict_proba(X)[:, 1]
    assert observed.distance == pytest.approx(np.sqrt(np.mean(gap**2)), rel=0.05)


def test_repeated_comparisons_count_their_wins() -> None:
    rng = np.random.default_rng(4)
    X = np.repeat(rng.normal(size=(60, 2)), 10, axis=0)
    y = (rng.random(600) < 1 / (1 + np.exp(-X @ [1.0, 1.0]))).astype(int)
    sample = read_tested_sample(KnownLinkPolicy().fit(X, y), X, y, None, None)
    distinct = distinct_comparisons(sample, antisymmetric=True)
    assert distinct.z.size == 60
    np.testing.assert_array_equal(distinct.weight, 10)


def test_refits_refuse_labels_that_they_cannot_draw(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidDataError, match="keeps the groups together"):
        link_test(model, X, y, method="distance", groups=np.arange(500) // 5)
    half = np.full(500, 0.5)
    with pytest.raises(InvalidDataError, match="Some weights are fractions"):
        link_test(KnownLinkPolicy().fit(X, y, half), X, y, half, method="likelihood-ratio")
    ties = PreferencePairs(
        np.zeros((600, 3)), np.vstack([X, X[:100]]), np.append(y, 1 - y[:100]), units=np.r_[:500, :100],
        weights=np.r_[half[:100], np.ones(400), half[:100]],
    )  # fmt: skip
    model = KnownLinkPolicy().fit(ties)
    with pytest.raises(InvalidDataError, match="several rows"):
        link_test(model, ties, method="likelihood-ratio")
    automatic = link_test(model, ties, multipliers=FEW)
    assert automatic.method == "score"
    assert automatic.n_blocks == 500


def test_clusters_of_the_pairs_are_used(logistic) -> None:
    X, y = logistic
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=np.arange(500) // 5)
    result = link_test(ProfiledLinkPolicy().fit(pairs), pairs, multipliers=FEW)
    assert (result.method, result.clustered, result.n_blocks) == ("score", True, 100)
    assert "100 independent groups" in result.reading()


def test_what_cannot_be_tested_is_refused(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidParameterError, match="method must be one of"):
        link_test(model, X, y, method="wald")
    with pytest.raises(InvalidParameterError, match="level must lie"):
        link_test(model, X, y, level=95)
    with pytest.raises(InvalidParameterError, match="an estimated link cannot be the null"):
        link_test(model, X, y, link=ProfiledLinkPolicy().fit(X, y).link_)
    with pytest.raises(InvalidParameterError, match="not antisymmetric"):
        link_test(model, X, y, link="loglog")
    with pytest.raises(InvalidParameterError, match="ridge=1"):
        index_test(KnownLinkPolicy(ridge=1.0).fit(X, y), X, y)
    grouped = ProfiledLinkPolicy().fit(X, y, link_groups=np.arange(500) % 2)
    with pytest.raises(InvalidParameterError, match="a link for every class"):
        antisymmetry_test(grouped, X, y)
    with pytest.raises(InvalidDataError, match="is not what the model was fitted on"):
        monotonicity_test(model, 2 * X, y)


# The band -----------------------------------------------------------------------------------------


def test_the_band_is_wider_than_pointwise_and_holds_the_estimate(flipped) -> None:
    band = link_test(ProfiledLinkPolicy().fit(*flipped), *flipped, method="score").band
    assert np.all(band.lower <= band.probability)
    assert np.all(band.probability <= band.upper)
    assert 1.96 < band.critical_value < 4
    np.testing.assert_allclose(band.lower, 1 - band.upper[::-1], atol=1e-9)
    narrower = link_test(ProfiledLinkPolicy().fit(*flipped), *flipped, method="score", level=0.5).band
    assert np.all(narrower.upper - narrower.lower <= band.upper - band.lower)


def test_the_band_is_nowhere_narrower_than_its_information_allows() -> None:
    """Far out there are hardly any residuals, and in a small sample their squares say too little."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 2))
    y = (rng.random(200) < 1 / (1 + np.exp(-2 * X @ [1.0, -0.6]))).astype(int)
    free = ProfiledLinkPolicy().fit(X, y)
    sample = read_tested_sample(free, X, y, None, None)
    null = smooth_null(free, sample)
    band = simultaneous_band(free, null, sample, FEW, 0.95)
    fit = _standardised_fit(free, free.link_, null, sample, band.t)
    least = np.sqrt(np.sum(fit.to_logit**2, axis=1))
    blocks = np.sqrt(null.blocks.frequency @ fit.changes(null) ** 2)
    assert (blocks < 0.9 * least).any()
    odds = [np.log(p / (1 - p)) for p in (band.probability, band.upper)]
    used = least > 1e-6
    assert np.all((odds[1] - odds[0])[used] >= band.critical_value * least[used] * (1 - 1e-6))


@pytest.mark.slow
def test_standard_errors_of_the_band_are_those_of_refits() -> None:
    """Spread of the fitted logit over samples against its mean standard error."""
    at, logits, errors = np.array([0.5, 1.0, 1.5]), [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 3))
        y = (rng.random(600) < 1 / (1 + np.exp(-2 * X @ [1.0, -0.6, 0.4]))).astype(int)
        band = link_test(
            ProfiledLinkPolicy().fit(X, y), X, y, method="score", multipliers=Multipliers(99)
        ).band
        odds = [np.log(p / (1 - p)) for p in (band.probability, band.upper)]
        logits.append(np.interp(at, band.t, odds[0]))
        errors.append(np.interp(at, band.t, odds[1] - odds[0]) / band.critical_value)
    ratio = np.mean(errors, axis=0) / np.std(logits, axis=0)
    assert np.all(np.abs(ratio - 1) < 4 / np.sqrt(2 * 60))  # four standard errors of a standard deviation


# Antisymmetry -------------------------------------------------------------------------------------


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_an_asymmetric_link_is_found_by_either_fit(antisymmetric, gumbel) -> None:
    model = ProfiledLinkPolicy(antisymmetric=antisymmetric).fit(*gumbel)
    result = antisymmetry_test(model, *gumbel, multipliers=FEW)
    assert result.p_value <= 1 / 399
    assert result.level == ("warning" if antisymmetric else "note")
    assert result.close_excess < -0.05  # Psi(0) = exp(-1) = 0.37
    assert ("fit again with antisymmetric=False" in result.reading()) is antisymmetric


def test_a_symmetric_link_is_kept_though_it_is_not_logistic(flipped) -> None:
    result = antisymmetry_test(ProfiledLinkPolicy().fit(*flipped), *flipped, multipliers=FEW)
    assert result.p_value > 0.05
    assert result.level == "fine"
    assert abs(result.excess) < 3 * np.sqrt(0.25 / 800)


def test_labels_that_say_nothing_on_position_are_refused(logistic, rng) -> None:
    X, y = logistic
    turned = np.where(y[:, None] == 1, X, -X)  # rejected first, chosen second
    with pytest.raises(InvalidDataError, match="all labels are of one kind"):
        antisymmetry_test(ProfiledLinkPolicy().fit(turned, np.ones_like(y)), turned, np.ones_like(y))
    weight = np.ones(len(y))
    weight[y == 0] = 0  # of one kind among those that count
    model = ProfiledLinkPolicy().fit(X, y, sample_weight=weight)
    with pytest.raises(InvalidDataError, match="all labels are of one kind"):
        antisymmetry_test(model, X, y, weight)
    taken = rng.permuted(np.tile([1, 0, 0], (150, 1)), axis=1).ravel()
    frame = pd.DataFrame({"trip": np.repeat(np.arange(150), 3), "taken": taken})
    frame["price"], frame["time"] = rng.normal(size=(2, 450))
    sets = PreferencePairs.from_choice_sets(frame, set="trip", chosen="taken")
    with pytest.raises(InvalidDataError, match="the pairs come from choice sets or rankings"):
        antisymmetry_test(ProfiledLinkPolicy().fit(sets), sets)


def test_halves_of_a_tie_have_a_position(logistic) -> None:
    X, y = logistic
    zero = np.zeros_like(X)
    tied = PreferencePairs(
        np.vstack([zero, zero[:50]]),
        np.vstack([X, X[:50]]),
        np.append(y, 1 - y[:50]),
        weights=np.where(np.arange(550) % 500 < 50, 0.5, 1.0),
        units=np.append(np.arange(500), np.arange(50)),
    )
    result = antisymmetry_test(ProfiledLinkPolicy().fit(tied), tied)
    assert result.n_blocks == 500


def test_excess_is_the_share_of_wins_of_self_comparisons() -> None:
    rng = np.random.default_rng(6)
    X = np.vstack([rng.normal(size=(400, 2)), np.zeros((400, 2))])
    y = (rng.random(800) < np.where(np.arange(800) < 400, 1 / (1 + np.exp(-2 * X[:, 0])), 0.65)).astype(int)
    result = antisymmetry_test(ProfiledLinkPolicy().fit(X, y), X, y, multipliers=FEW)
    assert result.close_excess == pytest.approx(y[400:].mean() - 0.5, abs=1e-9)
    assert result.level == "warning"


# Monotonicity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_a_falling_link_is_found_where_it_falls(antisymmetric) -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(2000, 2))
    t = X @ [0.8, -0.6]
    y = (rng.random(2000) < 0.5 + 0.4 * np.sin(2 * t)).astype(int)
    result = monotonicity_test(
        ProfiledLinkPolicy(antisymmetric=antisymmetric).fit(X, y), X, y, multipliers=FEW
    )
    assert result.level == "warning"
    assert result.fall > 0.2
    assert result.lower[1] == result.upper[0]
    assert "A larger index should never be worse" in result.reading()


def test_a_fall_across_zero_is_found_and_measured_against_its_mirror_image() -> None:
    """The option with the larger index loses in 70% of close comparisons, and wins in 95% of the others."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(4000, 2))
    t = X @ [0.8, -0.6]
    right = rng.random(4000) < np.where(np.abs(t) < 0.4, 0.3, 0.95)
    y = np.where(right, t > 0, t < 0).astype(int)
    result = monotonicity_test(KnownLinkPolicy().fit(X, y), X, y, multipliers=FEW)
    assert result.level == "warning"
    assert result.lower == (-result.upper[1], -result.upper[0])
    assert result.upper[1] == pytest.approx(0.4, abs=0.2)  # in root mean squares of the index
    close = (np.abs(t) < result.upper[1]) & (t != 0)
    assert result.fall == pytest.approx(1 - 2 * right[close].mean(), abs=0.1)  # from 70% to 30%


def test_a_monotone_link_is_kept(logistic) -> None:
    result = monotonicity_test(ProfiledLinkPolicy().fit(*logistic), *logistic, multipliers=FEW)
    assert result.p_value > 0.2
    assert result.level == "fine"


# The index ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curved() -> PreferencePairs:
    rng = np.random.default_rng(8)
    first, second = rng.normal(size=(2, 1500, 2))
    age = np.repeat(rng.normal(size=(1500, 1)), 1, axis=1)
    first, second = np.hstack([first, age]), np.hstack([second, age])

    def utility(x: np.ndarray) -> np.ndarray:
        return x[:, 0] + x[:, 1] + 0.7 * x[:, 0] * x[:, 2]

    y = rng.random(1500) < 1 / (1 + np.exp(utility(first) - utility(second)))
    return PreferencePairs(first, second, y, feature_names=["price", "size", "age"])


@pytest.mark.filterwarnings("ignore:No comparison varies in 'age'")
def test_an_interaction_with_the_person_is_named(curved) -> None:
    result = index_test(ProfiledLinkPolicy().fit(curved), curved, multipliers=FEW)
    assert result.to_frame().index[0] == "price x age"
    assert result.adjusted_p_values.min() == result.p_value <= 1 / 399
    assert "'price x age'" in result.reading()
    assert "age x |index|" in result.explained
    assert len(result.terms) + len(result.explained) == 3 + 6


def test_one_index_is_kept(flipped) -> None:
    result = index_test(ProfiledLinkPolicy().fit(*flipped), *flipped, multipliers=FEW)
    assert result.p_value > 0.05
    assert result.level == "fine"
    assert "x0 |x1|" in result.terms
    assert len(result.terms) == 3 + 9


@pytest.fixture(scope="module")
def modes() -> Callable[[bool], PreferencePairs]:
    """Travel by one of four modes, at a price; answers are random in four cases out of ten."""
    rng = np.random.default_rng(21)
    mode = np.argsort(rng.random((1500, 4)), axis=1)[:, :2]
    price = rng.normal(size=(1500, 2))
    options = [np.column_stack([np.eye(4)[mode[:, k], 1:], price[:, k]]) for k in (0, 1)]
    uniform = rng.random(1500)

    def pairs(curved: bool) -> PreferencePairs:
        first, second = (x @ [2.0, 1.0, -1.5, 2.0] + 2 * curved * x[:, 0] * x[:, 3] for x in options)
        y = uniform < 0.2 + 0.6 / (1 + np.exp(first - second))
        return PreferencePairs(*options, y, feature_names=["air", "train", "bus", "price"])

    return pairs


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("curved", [True, False])
def test_linear_functions_of_the_features_are_never_named(modes, antisymmetric, curved) -> None:
    """Squares of indicators, and products of those that exclude each other, whatever the link."""
    pairs = modes(curved)
    model = ProfiledLinkPolicy(antisymmetric=antisymmetric).fit(pairs)
    result = index_test(model, pairs, multipliers=FEW)
    linear = {"air squared", "train squared", "bus squared", "air x train", "air x bus", "train x bus"}
    assert set(result.explained) == linear
    assert "express them already: air squared" in result.reading()
    assert (result.to_frame().index[0] == "air x price" and result.p_value < 0.01) == curved


def test_steps_of_one_are_linear_without_the_options_too(flipped) -> None:
    X, y = flipped[0].copy(), flipped[1]
    X[:, 2] = np.clip(np.round(X[:, 2]), -1, 1)
    result = index_test(ProfiledLinkPolicy().fit(X, y), X, y, multipliers=FEW)
    assert result.explained == ("x2 |x2|",)


def test_many_features_are_tested_by_squares_alone() -> None:
    rng = np.random.default_rng(9)
    X = rng.normal(size=(600, 11))
    y = (rng.random(600) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    result = index_test(KnownLinkPolicy().fit(X, y), X, y, multipliers=FEW)
    assert len(result.terms) == 22


# Words --------------------------------------------------------------------------------------------


def test_levels_follow_p_values() -> None:
    assert [level_of(p) for p in (0.2, 0.03, 0.002)] == ["fine", "note", "warning"]
    assert level_of(0.002, harmful=False) == "note"


def test_p_values_count_draws() -> None:
    assert monte_carlo_p_value(2.0, np.array([1.0, 2.0, 3.0])) == 0.75
    assert in_words(0.001, 999) == "strong evidence against it (p < 0.002)"
    assert in_words(0.3, 999) == "no evidence against it (p = 0.3)"
