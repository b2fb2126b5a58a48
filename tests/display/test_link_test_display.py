"""LinkTestDisplay: what it stores is the test's, and drawing shows what is stored."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from semiindex import LinkTestDisplay, link_test


def test_stored_values_are_those_of_the_test(free, pairs) -> None:
    test = link_test(free, pairs, method="score")
    display = LinkTestDisplay.from_estimator(free, pairs, method="score")
    np.testing.assert_array_equal(display.probability, test.band.probability)
    np.testing.assert_array_equal(display.known, test.known_probability)
    np.testing.assert_allclose(display.probability, free.link_.probability(display.index))
    assert (display.name, display.p_value, display.level) == ("logistic", test.p_value, 0.95)
    assert display.scale == free.normalization_


def test_drawing_shows_what_is_stored(free, pairs) -> None:
    _, ax = plt.subplots()
    display = LinkTestDisplay.from_estimator(free, pairs, method="score").plot(ax)
    assert display.ax_ is ax
    np.testing.assert_array_equal(display.line_.get_ydata(), display.probability)
    np.testing.assert_array_equal(display.known_line_.get_ydata(), display.known)
    vertices = display.band_.get_paths()[0].vertices
    assert vertices[:, 1].min() == display.lower.min()
    assert vertices[:, 1].max() == display.upper.max()
    assert f"(p < {2 / 2000:g})" in ax.get_legend().get_texts()[2].get_text()  # as in words
    plt.close(ax.figure)
