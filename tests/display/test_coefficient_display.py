"""CoefficientDisplay: one normalisation for all models, one dot per feature."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex import CoefficientDisplay, KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.exceptions import InvalidParameterError


def test_models_are_normalised_alike(free, logistic, pairs):
    models = {"free": free, "logistic": logistic}
    display = CoefficientDisplay.from_estimator(models)
    t = pairs.differences @ np.column_stack(list(display.coefficients.values()))
    np.testing.assert_allclose(np.average(t**2, axis=0, weights=pairs.weights), 1, rtol=1e-8)
    named = CoefficientDisplay.from_estimator(models, normalization="price")
    np.testing.assert_allclose([abs(c[1]) for c in named.coefficients.values()], 1)
    assert named.normalization == "coefficient of price = -1 (sign estimated)"


def test_coefficients_of_a_typical_difference_do_not_depend_on_units(free, pairs):
    X, w = np.asarray(pairs), pairs.weights
    scaled = ProfiledLinkPolicy().fit(X * [1000, 1, 0.01], pairs.labels, sample_weight=w)
    plain = ProfiledLinkPolicy().fit(X, pairs.labels, sample_weight=w)
    first = CoefficientDisplay.from_estimator(plain, X)
    second = CoefficientDisplay.from_estimator(scaled, X * [1000, 1, 0.01])
    np.testing.assert_allclose(
        first.coefficients["ProfiledLinkPolicy"], second.coefficients["ProfiledLinkPolicy"], rtol=1e-4
    )


def test_drawing(free, logistic, pairs):
    display = CoefficientDisplay.from_estimator({"free": free, "logistic": logistic}, pairs).plot()
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["speed", "price", "size"]
    np.testing.assert_allclose(display.lines_[0].get_xdata(), display.coefficients["free"])
    offsets = [line.get_ydata()[0] for line in display.lines_]
    assert offsets[0] != offsets[1]
    assert "unit root mean square" in display.ax_.get_xlabel()


def test_of_many_features_the_largest_are_drawn(rng):
    X = rng.normal(size=(500, 6))
    y = rng.random(500) < 1 / (1 + np.exp(-X @ [3.0, 0, 0, -3.0, 0, 0]))
    display = CoefficientDisplay.from_estimator(KnownLinkPolicy().fit(X, y)).plot(max_features=2)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["x0", "x3"]
    assert "4 features with smaller coefficients are not shown" in display.ax_.get_xlabel()
    assert display.ax_.get_legend() is None


def test_models_of_different_features(free, rng):
    other = KnownLinkPolicy().fit(rng.normal(size=(50, 2)), rng.integers(0, 2, 50))
    with pytest.raises(InvalidParameterError, match="models have different features"):
        CoefficientDisplay.from_estimator({"a": free, "b": other})
