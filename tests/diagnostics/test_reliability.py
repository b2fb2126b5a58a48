"""Calibration: the Brier identity, bins, mirror images, and verdicts where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f as fisher
from scipy.stats import norm
from sklearn.metrics import brier_score_loss

from semiindex import (
    CalibrationDisplay,
    KnownLinkPolicy,
    LogisticLink,
    PreferencePairs,
    brier_decomposition,
    calibration,
    discrimination,
)
from semiindex.diagnostics.calibration_gaps import calibration_gaps
from semiindex.exceptions import InvalidDataError, InvalidParameterError

THETA = np.array([1.5, -1.0])


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=60
    ).filter(lambda rows: any(row[2] for row in rows)),
    st.integers(1, 12),
)
def test_the_terms_add_up(rows, n_bins):
    y, p, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    terms = brier_decomposition(y, p, sample_weight=weight, n_bins=n_bins)
    parts = terms.reliability - terms.resolution + terms.uncertainty
    assert terms.brier == pytest.approx(parts + terms.within_variance - terms.within_covariance, abs=1e-12)
    assert terms.brier == pytest.approx(terms.reliability - terms.generalized_resolution + terms.uncertainty)
    assert terms.brier == pytest.approx(np.average((y - p) ** 2, weights=weight))


def test_against_scikit_learn_and_murphy(rng):
    """With few distinct predictions nothing varies within bins, and the three terms of Murphy remain."""
    p = rng.choice([0.2, 0.5, 0.9], 600)
    y = (rng.random(600) < p**2).astype(int)
    terms = brier_decomposition(y, p, n_bins=600)
    assert terms.brier == pytest.approx(brier_score_loss(y, p))
    assert terms.within_variance == pytest.approx(0, abs=1e-12)
    by_hand = sum(np.mean(p == v) * (y[p == v].mean() - v) ** 2 for v in (0.2, 0.5, 0.9))
    assert terms.reliability == pytest.approx(by_hand)


def _fit(rng, n=6000):
    X = rng.normal(size=(n, 2))
    y = (rng.random(n) < LogisticLink().probability(X @ THETA)).astype(int)
    half = n // 2
    return KnownLinkPolicy().fit(X[:half], y[:half]), X[half:], y[half:], X[:half], y[:half]


def test_a_right_model_is_calibrated_and_a_bold_one_is_not(rng):
    model, X, y, _, _ = _fit(rng)
    good = calibration(model, X, y)
    assert good.calibrated
    assert good.level == "fine"
    assert not good.in_sample
    model.link_ = model.link_.rescaled(2.0)
    bold = calibration(model, X, y)
    assert not bold.calibrated
    assert bold.level == "note"
    assert "too bold" in bold.reading()
    assert bold.decomposition.resolution == pytest.approx(good.decomposition.resolution, rel=0.02)


def test_reliability_by_chance_is_its_mean_under_the_truth(rng):
    p = rng.uniform(size=500)
    values = [brier_decomposition(rng.random(500) < p, p).reliability for _ in range(300)]
    expected = np.mean([np.mean((p * (1 - p))[part]) / 50 for part in np.argsort(p).reshape(10, 50)])
    assert np.mean(values) == pytest.approx(expected, rel=4 * np.sqrt(2 / 10 / 300))


def test_right_probabilities_are_rarely_called_wrong(rng):
    """p-values of the truth are uniform: their mean over 200 samples is 1/2."""
    X = rng.normal(size=(600, 2))
    model = KnownLinkPolicy(normalization=None).fit(X, rng.integers(0, 2, 600))
    model.coef_ = THETA
    truth = LogisticLink().probability(X @ THETA)
    values = [calibration(model, X, (rng.random(600) < truth).astype(int)).p_value for _ in range(200)]
    assert np.mean(values) == pytest.approx(0.5, abs=3.5 / np.sqrt(12 * 200))


def test_bins_are_those_of_the_display(rng):
    model, X, y, _, _ = _fit(rng, 800)
    result = calibration(model, X, y, n_bins=3)  # few enough that none has to be merged
    display = CalibrationDisplay.from_estimator(model, X, y, n_bins=3)
    np.testing.assert_allclose(result.bins.share, next(iter(display.bins.values())).share)
    np.testing.assert_allclose(result.to_frame()["comparisons"].sum(), 400)
    own = CalibrationDisplay.from_calibration({"fit": result})
    assert own.folded
    assert own.bins["fit"] is result.bins
    with pytest.raises(InvalidParameterError, match="all folded"):
        CalibrationDisplay.from_calibration({"a": result, "b": calibration(model, X, y, folded=False)})


def test_exchanging_options_changes_nothing_if_antisymmetric(rng):
    model, X, y, _, _ = _fit(rng, 800)
    sign = rng.choice([-1.0, 1.0], y.size)
    first, second = (
        calibration(model, X, y),
        calibration(model, X * sign[:, None], np.where(sign > 0, y, 1 - y)),
    )
    assert first.folded
    np.testing.assert_allclose(first.bins.share, second.bins.share)
    assert first.decomposition.brier == pytest.approx(second.decomposition.brier)
    assert first.decomposition.uncertainty == pytest.approx(0.25)


def test_the_comparisons_of_the_fit_are_noticed(rng):
    model, _, _, X, y = _fit(rng, 800)
    result = calibration(model, X, y)
    assert result.in_sample
    assert (result.tested, result.calibrated, result.level) == (False, None, "fine")
    assert "held-out" in result.reading()


def _wins(rng, n, spread, n_groups=None):
    """Right probabilities of the favoured options, wins and raters: some answer with care, some do not."""
    if n_groups is None:
        p = LogisticLink().probability(np.abs(spread * rng.normal(size=n)))
        return p, (rng.random(n) < p) * 1.0, None
    raters = np.repeat(np.arange(n_groups), n // n_groups)
    common, t = (np.sqrt(0.5) * (rng.normal(size=n_groups)[raters] + rng.normal(size=n)) for _ in range(2))
    p = LogisticLink().probability(np.abs(spread * t))
    return p, (norm.cdf(common) < p) * 1.0, raters


@pytest.mark.parametrize("n_groups", [None, 50, 100])
@pytest.mark.parametrize("spread", [1, 4, 6])
def test_right_probabilities_are_rejected_no_more_often_than_the_level_says(spread, n_groups):
    rng = np.random.default_rng(10 * spread)
    runs = 300
    values = np.empty(runs)
    for run in range(runs):
        p, z, raters = _wins(rng, 1000, spread, n_groups)
        values[run] = calibration_gaps(p, z, np.ones(1000), raters, 10).p_value
    for level in (0.01, 0.05):
        assert np.mean(values <= level) <= level + 3.5 * np.sqrt(level * (1 - level) / runs)


def test_dependent_answers_need_their_groups(rng):
    """Without them right probabilities are rejected far too often, which is what the argument is for."""
    p, z, raters = _wins(rng, 1000, 2, 20)
    apart, together = (calibration_gaps(p, z, np.ones(1000), codes, 10) for codes in (None, raters))
    assert together.p_value > apart.p_value
    assert together.n_clusters == 20
    assert (together.bins.error > 1.2 * np.sqrt(p.mean() * (1 - p.mean()) / together.bins.weight)).any()


def test_groups_are_those_of_the_pairs_unless_given(rng):
    model, X, y, _, _ = _fit(rng, 1200)
    raters = np.repeat(np.arange(60), 10)
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=raters)
    given, carried = calibration(model, X, y, groups=raters), calibration(model, pairs)
    assert given.n_clusters == carried.n_clusters == 60
    assert given.p_value == carried.p_value
    assert "60" in given.reading()
    assert calibration(model, X, y).n_clusters is None
    assert not calibration(model, X, y, groups=np.zeros(600)).tested  # one rater tells nothing


def test_small_bins_are_merged(rng):
    p = np.append(np.full(2, 0.55), np.full(598, 0.8))  # ties leave two comparisons in the first bin
    z = (rng.random(600) < p) * 1.0
    found = calibration_gaps(p, z, np.ones(600), None, 10)
    np.testing.assert_array_equal(found.bins.weight, [600])
    p = LogisticLink().probability(np.abs(6 * rng.normal(size=1000)))
    found = calibration_gaps(p, (rng.random(1000) < p) * 1.0, np.ones(1000), None, 10)
    assert (np.bincount(found.codes, weights=p * (1 - p)) >= 5).all()
    assert 2 <= found.bins.share.size < 10
    certain = calibration_gaps(np.full(50, 0.99), np.ones(50), np.ones(50), None, 10)
    assert np.isnan(certain.p_value)


def test_whole_weights_are_repetitions_and_others_belong_to_one_row(rng):
    p = rng.uniform(0.5, 1, 400)
    z, w = (rng.random(400) < p - 0.05) * 1.0, rng.integers(1, 4, 400)
    weighted = calibration_gaps(p, z, w * 1.0, None, 8)
    repeated = calibration_gaps(np.repeat(p, w), np.repeat(z, w), np.ones(w.sum()), None, 8)
    assert weighted.p_value == pytest.approx(repeated.p_value)
    np.testing.assert_allclose(weighted.bins.error, repeated.bins.error)
    scaled = [calibration_gaps(p, z, (w + 0.5) * factor, None, 8).p_value for factor in (1, 0.01)]
    assert scaled[0] == pytest.approx(scaled[1])  # their unit says nothing
    same = calibration_gaps(p, z, np.full(400, 0.01), None, 8)
    assert same.p_value == pytest.approx(calibration_gaps(p, z, np.ones(400), None, 8).p_value)


def test_the_statistic_by_hand(rng):
    """Two raters' sums written out."""
    p, z = np.full(120, 0.7), (rng.random(120) < 0.6) * 1.0
    raters = rng.integers(0, 40, 120)
    found = calibration_gaps(p, z, np.ones(120), raters, 10)
    sums = np.bincount(raters, weights=z - p)
    squares = np.sum(sums[np.unique(raters)] ** 2)
    assert found.p_value == pytest.approx(
        fisher.sf((z - p).sum() ** 2 / squares, 1, np.unique(raters).size - 1)
    )
    assert found.bins.error[0] == pytest.approx(np.sqrt(squares) / 120)
    assert found.by_chance == pytest.approx(squares / 120**2)


def test_weights_multiply_those_of_the_pairs(rng):
    model, X, y, _, _ = _fit(rng, 800)
    carried, passed = rng.integers(1, 4, (2, 400)) * 1.0
    pairs = PreferencePairs(np.zeros_like(X), X, y, weights=carried)
    for judge, weight in ((calibration, "bins"), (discrimination, "auc")):
        both = judge(model, pairs, sample_weight=passed)
        product = judge(model, X, y, carried * passed)
        first, second = (getattr(result, weight) for result in (both, product))
        if weight == "bins":
            first, second = first.weight, second.weight
        np.testing.assert_allclose(first, second)


def test_ties_at_one_half_have_no_gap_and_no_variance(rng):
    X = np.vstack([np.zeros((300, 2)), rng.normal(size=(300, 2))])
    model = KnownLinkPolicy(normalization=None).fit(X, rng.integers(0, 2, 600))
    model.coef_ = THETA
    y = (rng.random(600) < LogisticLink().probability(X @ THETA)).astype(int)
    first, second = calibration(model, X, y, n_bins=1), calibration(model, X[300:], y[300:], n_bins=1)
    assert first.p_value == pytest.approx(second.p_value)


def test_words_do_not_contradict_the_p_value(rng):
    model, X, y, _, _ = _fit(rng)
    model.link_ = model.link_.rescaled(1.6)
    wrong = calibration(model, X, y)
    assert "hardly show such gaps" in wrong.reading()
    assert "% is predicted and" in wrong.reading()


def test_what_is_refused(rng):
    model, X, y, _, _ = _fit(rng, 100)
    with pytest.raises(InvalidParameterError, match="n_bins"):
        calibration(model, X, y, n_bins=0)
    with pytest.raises(InvalidDataError, match="one of the labels"):
        calibration(model, X, y + 5)
    with pytest.raises(InvalidDataError, match="between 0 and 1"):
        brier_decomposition([0, 1], [0.5, 1.5])
    with pytest.raises(InvalidDataError, match="one length"):
        brier_decomposition([0, 1], [0.5])
