"""LinkDisplay: what it stores is right, and drawing shows what is stored."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.sparse as sp

from semiindex import KnownLinkPolicy, LinkDisplay, PreferencePairs, ProfiledLinkPolicy
from semiindex.exceptions import InvalidDataError, InvalidParameterError


def test_stored_values(free, pairs):
    display = LinkDisplay.from_estimator(free, pairs)
    (curve,) = display.curves
    np.testing.assert_array_equal(curve.probability, free.link_.probability(display.index))
    assert display.folded
    np.testing.assert_allclose(display.index, -display.index[::-1], atol=1e-12)
    np.testing.assert_allclose(curve.bins.share, 1 - curve.bins.share[::-1])
    assert curve.bins.weight[10:].sum() == pairs.weights.sum()
    assert display.scale == free.normalization_


def test_the_reference_is_the_logistic_fit_to_the_index_alone(free, pairs):
    display = LinkDisplay.from_estimator(free, pairs)
    t = pairs.differences @ free.coef_
    alone = KnownLinkPolicy().fit(t[:, None], pairs.labels, sample_weight=pairs.weights)
    expected = 1 / (1 + np.exp(-alone.coef_[0] * display.index))
    np.testing.assert_allclose(display.logistic, expected, rtol=1e-9)


def test_the_reference_has_a_shift_where_position_matters(rng):
    X = rng.normal(size=(800, 2))
    y = rng.random(800) < 1 / (1 + np.exp(-X @ [1.0, -1.0] - 0.8))
    display = LinkDisplay.from_estimator(ProfiledLinkPolicy(antisymmetric=False).fit(X, y), X, y)
    assert not display.folded
    assert np.interp(0, display.index, display.logistic) > 0.6


def test_chosen_and_rejected_options(pairs):
    same = pairs.swapped(pairs.labels == 0)
    model = ProfiledLinkPolicy().fit(same)
    display = LinkDisplay.from_estimator(model, same)
    expected = LinkDisplay.from_estimator(model, pairs)
    np.testing.assert_allclose(display.curves[0].bins.share, expected.curves[0].bins.share)
    np.testing.assert_allclose(display.logistic, expected.logistic, atol=1e-6)


def test_pairs_and_arrays_give_the_same(free, pairs):
    from_pairs = LinkDisplay.from_estimator(free, pairs)
    for X in (np.asarray(pairs), sp.csr_array(np.asarray(pairs))):
        other = ProfiledLinkPolicy().fit(X, pairs.labels, sample_weight=pairs.weights)
        display = LinkDisplay.from_estimator(other, X, pairs.labels, sample_weight=pairs.weights)
        np.testing.assert_allclose(display.curves[0].bins.share, from_pairs.curves[0].bins.share, atol=1e-8)


def test_classes_of_raters_have_a_curve_each(pairs):
    groups = np.where(np.arange(600) % 2, "novice", "expert")
    model = ProfiledLinkPolicy().fit(pairs, link_groups=groups)
    display = LinkDisplay.from_estimator(model, pairs, link_groups=groups).plot()
    assert [curve.name for curve in display.curves] == ["expert", "novice"]
    assert len(display.lines_) == 2
    half = display.curves[0].bins.weight[10:].sum()
    assert half == pairs.weights[groups == "expert"].sum()
    styles = {line.get_linestyle() for line in display.lines_}
    assert len(styles) == 2


def test_drawing(free, pairs):
    display = LinkDisplay.from_estimator(free, pairs)
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), display.curves[0].probability)
    np.testing.assert_array_equal(display.logistic_line_.get_ydata(), display.logistic)
    assert "unit root mean square" in ax.get_xlabel()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"estimated link", "logistic link, same index"} <= set(texts)


def test_parts_can_be_left_out(free, pairs):
    display = LinkDisplay.from_estimator(free, pairs).plot(show_bins=False, show_logistic=False)
    assert display.logistic_line_ is None
    assert len(display.ax_.containers) == 1  # the bars of the histogram


def test_comparisons_of_options_with_themselves_only(free):
    same = PreferencePairs(
        np.ones((4, 3)), np.ones((4, 3)), [0, 1, 1, 0], feature_names=["speed", "price", "size"]
    )
    display = LinkDisplay.from_estimator(free, same).plot()
    assert display.logistic is None
    np.testing.assert_array_equal(display.curves[0].bins.share, [0.5])


def test_bad_arguments(free, pairs):
    with pytest.raises(InvalidParameterError, match="n_bins must be at least 2"):
        LinkDisplay.from_estimator(free, pairs, n_bins=1)
    with pytest.raises(InvalidParameterError, match="expected a fitted estimator of this library, got str"):
        LinkDisplay.from_estimator("model", pairs)
    with pytest.raises(InvalidDataError, match="y is missing"):
        LinkDisplay.from_estimator(
            ProfiledLinkPolicy().fit(np.asarray(pairs), pairs.labels), np.asarray(pairs)
        )
    with pytest.raises(InvalidDataError, match="y must hold two values"):
        LinkDisplay.from_estimator(free, pairs, np.full(600, 7))
    with pytest.raises(InvalidDataError, match="sample_weight must be finite"):
        LinkDisplay.from_estimator(free, pairs, sample_weight=np.full(600, -1))
    with pytest.raises(InvalidDataError, match="sample_weight must have 600 entries"):
        LinkDisplay.from_estimator(free, pairs, sample_weight=np.ones(3))
    with pytest.raises(InvalidDataError, match="y must have 600 entries"):
        LinkDisplay.from_estimator(free, pairs, [0, 1])
