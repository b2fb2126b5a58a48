"""CalibrationDisplay: shares in bins of predictions, of one or several models."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex import CalibrationDisplay
from semiindex.exceptions import InvalidDataError, InvalidParameterError


def test_bins_of_predictions():
    p = np.array([0.1, 0.2, 0.8, 0.9])
    display = CalibrationDisplay.from_predictions([0, 1, 1, 1], p, n_bins=2)
    np.testing.assert_allclose(display.bins["model"].position, [0.15, 0.85])
    np.testing.assert_allclose(display.bins["model"].share, [0.5, 1.0])


def test_folded_predictions_favour_an_option():
    display = CalibrationDisplay.from_predictions([1, 0], [0.2, 0.2], n_bins=3, folded=True)
    np.testing.assert_allclose(display.bins["model"].position, [0.8])
    np.testing.assert_allclose(display.bins["model"].share, [0.5])


def test_several_models_on_one_axis(free, logistic, pairs):
    models = {"free": free, "logistic": logistic}
    display = CalibrationDisplay.from_estimator(models, pairs)
    assert display.folded
    assert list(display.bins) == ["free", "logistic"]
    assert display.bins["free"].weight.sum() == pairs.weights.sum()
    assert (display.bins["free"].position >= 0.5).all()
    display.plot()
    assert len(display.lines_) == 2
    np.testing.assert_allclose(display.lines_[0].get_ydata(), display.bins["free"].share)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["perfect calibration", "free", "logistic"]


def test_not_folded(free, pairs):
    display = CalibrationDisplay.from_estimator(free, pairs, folded=False).plot()
    assert display.bins["ProfiledLinkPolicy"].position.min() < 0.5
    assert "option 1" in display.ax_.get_xlabel()


def test_bad_arguments(free, pairs):
    with pytest.raises(InvalidDataError, match="must lie between 0 and 1"):
        CalibrationDisplay.from_predictions([0, 1], [0.2, 1.2])
    with pytest.raises(InvalidDataError, match="one entry for each of 2 labels"):
        CalibrationDisplay.from_predictions([0, 1], [0.2])
    with pytest.raises(InvalidDataError, match="y must hold two values"):
        CalibrationDisplay.from_predictions([0, 1, 2], [0.2, 0.3, 0.4])
    with pytest.raises(InvalidParameterError, match="n_bins must be an integer of at least 1"):
        CalibrationDisplay.from_predictions([0, 1], [0.2, 0.3], n_bins=0)
    with pytest.raises(InvalidParameterError, match="models is empty"):
        CalibrationDisplay.from_estimator({}, pairs)
    with pytest.raises(InvalidDataError, match="y is missing"):
        CalibrationDisplay.from_estimator(free, np.asarray(pairs))
