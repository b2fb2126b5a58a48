"""RocDisplay: the curve of scikit-learn, an area that agrees, and a band that knows of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from semiindex import KnownLinkPolicy, RocDisplay, discrimination


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(500, 2))
    return X, (rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))).astype(int)


def _area(display):
    return np.sum((display.wins[1:] + display.wins[:-1]) / 2 * np.diff(display.losses))


def test_the_curve_is_that_of_scikit_learn(sample) -> None:
    X, y = sample
    model = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    display = RocDisplay.from_estimator(model, X, y)
    down, up, _ = roc_curve(y, model.decision_function(X), drop_intermediate=False)
    np.testing.assert_allclose(display.wins, np.interp(display.losses, down, up), atol=1e-12)
    assert not display.area.doubled


def test_equal_scores_are_one_step(sample) -> None:
    X, y = sample
    coarse = np.round(X)
    model = KnownLinkPolicy(antisymmetric=False).fit(coarse, y)
    display = RocDisplay.from_estimator(model, coarse, y)
    assert _area(display) == pytest.approx(display.area.auc, abs=2e-3)


def test_of_an_antisymmetric_model_it_is_symmetric(sample) -> None:
    X, y = sample
    display = RocDisplay.from_estimator(KnownLinkPolicy().fit(X, y), X, y)
    back = np.interp(1 - display.wins, display.losses, display.wins)
    assert np.abs(back - (1 - display.losses)).mean() < 0.01  # but for steps between the points
    assert display.area.auc == discrimination(KnownLinkPolicy().fit(X, y), X, y).auc
    assert _area(display) == pytest.approx(display.area.auc, abs=2e-3)


def test_the_band_is_binomial_at_a_known_threshold_and_wider_with_twins(sample) -> None:
    X, y = sample
    model = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    display = RocDisplay.from_estimator(model, X, y)
    inside = slice(20, 80)
    width = (display.upper - display.lower)[inside] / (2 * 1.96)
    binomial = np.sqrt(display.wins * (1 - display.wins) / y.sum())[inside]
    assert 0.9 < np.mean(width / binomial) < 2  # the threshold of a share of losses varies as well
    twins = RocDisplay.from_estimator(
        model, np.vstack([X, X]), np.tile(y, 2), groups=np.tile(np.arange(500), 2)
    )
    np.testing.assert_allclose((twins.upper - twins.lower)[inside], width * 2 * 1.96, rtol=0.35)
    assert twins.area.n_clusters == 500


def test_drawing_shows_what_is_stored(sample) -> None:
    X, y = sample
    display = RocDisplay.from_estimator(KnownLinkPolicy().fit(X, y), X, y, confidence=0.9).plot()
    np.testing.assert_array_equal(display.line_.get_ydata(), display.wins)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "90% band, point by point" in texts
    assert f"{display.area.auc:.3f}" in texts[2]
