"""Calibration: the Brier identity, bins, mirror images, and verdicts where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from semiindex import CalibrationDisplay, KnownLinkPolicy, LogisticLink, brier_decomposition, calibration
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
    assert bold.decomposition.resolution == pytest.approx(good.decomposition.resolution, rel=1e-6)


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
    result = calibration(model, X, y, n_bins=5)
    display = CalibrationDisplay.from_estimator(model, X, y, n_bins=5)
    np.testing.assert_allclose(result.bins.share, next(iter(display.bins.values())).share)
    np.testing.assert_allclose(result.to_frame()["comparisons"].sum(), 400)


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
    assert "held-out" in result.reading()


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
