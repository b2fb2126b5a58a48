"""Displays of diagnostics: what they store is the result's, drawing shows it, and one call finds them."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from semiindex import (
    Bootstrap,
    CalibrationDisplay,
    ComplexityDisplay,
    IndexBinsDisplay,
    KnownLinkPolicy,
    LearningCurveDisplay,
    LinkTestDisplay,
    Menu,
    PolicyErrorDisplay,
    ProbitLink,
    QuantitiesDisplay,
    antisymmetry_test,
    calibration,
    compare_estimators,
    discrimination,
    identification,
    index_complexity,
    index_test,
    learning_curve,
    link_test,
    local_complexity,
    monotonicity_test,
    plot_diagnostic,
    policy_error_bound,
    policy_error_interval,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError


@pytest.fixture(scope="module")
def menu():
    return Menu.from_array(np.random.default_rng(1).normal(size=(15, 4, 3)))


@pytest.fixture(scope="module")
def sample():
    """Differences with weights 1, for diagnostics that want no frequencies."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(600, 3))
    return X, (rng.random(600) < 1 / (1 + np.exp(-2 * X @ [1.0, -0.7, 0.2]))).astype(int)


def _texts(display):
    return [text.get_text() for text in display.ax_.texts] + [
        text.get_text() for text in display.ax_.get_yticklabels()
    ]


def test_monotonicity_shows_its_bins_and_marks_its_ranges(free, pairs) -> None:
    test = monotonicity_test(free, pairs)
    display = IndexBinsDisplay.from_monotonicity(test).plot()
    assert test.antisymmetric
    np.testing.assert_array_equal(display.bins.share, test.bins.mirrored().share)
    np.testing.assert_array_equal(display.points_.lines[0].get_xdata(), display.bins.position)
    assert [mark.get_x() for mark in display.marks_] == pytest.approx([test.lower[0], test.upper[0]])
    total = np.sum(pairs.weights)
    assert test.bins.weight.sum() == pytest.approx(total)
    # shares of wins of the option with the larger index
    t = free.decision_function(pairs)
    favoured = np.where(t > 0, pairs.labels, 1 - pairs.labels)
    assert test.bins.weight @ test.bins.share == pytest.approx(pairs.weights @ favoured)


def test_errors_of_bins_are_binomial_where_rows_are_independent(sample) -> None:
    X, y = sample
    test = monotonicity_test(KnownLinkPolicy(antisymmetric=False).fit(X, y), X, y)
    assert not test.antisymmetric
    binomial = np.sqrt(test.bins.share * (1 - test.bins.share) / test.bins.weight)
    np.testing.assert_allclose(test.bins.error, binomial, rtol=0.05, atol=2e-3)
    assert IndexBinsDisplay.from_monotonicity(test).bins is test.bins


def test_the_effect_of_position_adds_up_to_the_excess(free, pairs) -> None:
    test = antisymmetry_test(free, pairs)
    display = IndexBinsDisplay.from_antisymmetry(test).plot()
    assert np.average(display.bins.share, weights=display.bins.weight) == pytest.approx(test.excess)
    assert (display.bins.position >= 0).all()
    assert np.all(np.diff(display.bins.position) > 0)
    assert display.reference == 0


def test_scores_are_drawn_against_what_the_largest_may_be(free, pairs) -> None:
    test = index_test(free, pairs)
    display = QuantitiesDisplay.from_index_test(test, n_terms=4).plot()
    assert list(display.names) == list(test.to_frame().index[:4])
    np.testing.assert_array_equal(display.values, test.to_frame()["score"][:4])
    assert test.critical_value in display.marks.values()
    # the threshold and the adjusted p-values say the same
    beyond = np.abs(test.scores) > test.critical_value
    np.testing.assert_array_equal(beyond, test.adjusted_p_values <= 0.05)
    assert f"({len(test.terms) - 4} smaller ones are not shown)" in display.label
    wrong = replace(test, scores=test.scores + 10 * test.critical_value)
    assert QuantitiesDisplay.from_index_test(wrong).highlighted.all()


def test_directions_are_named_and_unknown_ones_are_arrows(free, pairs) -> None:
    result = identification(free, pairs)
    display = QuantitiesDisplay.from_identification(result).plot()
    np.testing.assert_array_equal(display.values, result.information.errors)
    assert any("of the information left" in text for text in _texts(display))
    errors = result.information.errors.copy()
    errors[0] = np.inf
    unknown = replace(result, information=replace(result.information, errors=errors))
    display = QuantitiesDisplay.from_identification(unknown).plot()
    assert display.points_[0].get_marker() == ">"
    assert display.notes[0] == "not determined"
    assert display.highlighted[0]
    with pytest.raises(InvalidDataError, match="no standard errors"):
        QuantitiesDisplay.from_identification(replace(result, information=None))


def test_long_names_keep_to_two_lines() -> None:
    name = "a name that goes on and on " * 6
    display = QuantitiesDisplay([name, "b"], [1.0, 2.0], label="x").plot()
    shown = display.ax_.get_yticklabels()[0].get_text()
    assert shown.count("\n") == 1
    assert shown.endswith("...")
    low, high = display.ax_.get_ylim()
    assert low > high  # the first stands on top


def test_differences_come_with_their_intervals(sample) -> None:
    X, y = sample
    both = {"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy(ProbitLink())}
    result = compare_estimators(both, X, y, n_folds=3)
    display = QuantitiesDisplay.from_comparison(result).plot()
    assert display.names == ("probit",)
    frame = result.to_frame().loc["probit"]
    np.testing.assert_allclose(
        [display.values[0], display.lower[0], display.upper[0]], frame[["difference", "from", "to"]]
    )


def test_factors_of_a_bound_are_a_chain_with_its_bottleneck(sample, menu) -> None:
    X, y = sample
    bound = policy_error_bound(KnownLinkPolicy().fit(X, y), X, menu, y, budget=0.1)
    display = QuantitiesDisplay.from_bound(bound).plot()
    assert display.names == (*(factor.name for factor in bound.factors), "total variation")
    assert display.names[int(np.argmax(display.highlighted))] == bound.bottleneck.name
    assert display.marks == {"known without data": bound.trivial}
    assert display.ax_.get_xscale() == "log"


def test_policy_errors_are_those_of_the_draws(sample, menu) -> None:
    X, y = sample
    model = KnownLinkPolicy().fit(X, y)
    result = policy_error_interval(model, X, menu, y, budget=0.1, bootstrap=Bootstrap(n_draws=39))
    display = PolicyErrorDisplay.from_interval(result).plot()
    assert sum(bar.get_height() for bar in display.bars_) == 39
    assert display.limit_.get_xdata()[0] == pytest.approx(100 * result.upper_limit)
    assert display.reference_.get_xdata()[0] == pytest.approx(100 * result.from_reference)
    near = PolicyErrorDisplay.from_interval(replace(result, from_reference=3 * result.upper_limit)).plot()
    assert near.ax_.get_xlim()[1] > 300 * result.upper_limit
    assert "beyond" not in near.reference_.get_label()
    far = PolicyErrorDisplay.from_interval(replace(result, from_reference=0.99)).plot()
    assert far.ax_.get_xlim()[1] < 99
    assert "beyond the axis" in far.reference_.get_label()


def test_the_critical_radius_is_where_the_curves_cross(sample) -> None:
    X, y = sample
    result = index_complexity(KnownLinkPolicy(ridge=0.1).fit(X, y), X)
    display = ComplexityDisplay.from_complexity(result).plot()
    above = display.formula > display.radii**2
    np.testing.assert_array_equal(above, display.radii < result.critical_radius * (1 - 1e-9))
    assert display.formula[40] == pytest.approx(
        local_complexity(result.eigenvalues, 600, result.critical_radius, radius=result.radius)
    )


def test_one_call_finds_the_display_of_a_result(sample, free, pairs) -> None:
    X, y = sample
    model = KnownLinkPolicy().fit(X, y)
    curve = learning_curve(model, X, y, n_repeats=2, shares=[0.3, 0.6])
    for result, kind in (
        (calibration(model, X, y), CalibrationDisplay),
        (curve, LearningCurveDisplay),
        (link_test(free, pairs, method="score"), LinkTestDisplay),
        (monotonicity_test(free, pairs), IndexBinsDisplay),
        (index_complexity(model, X), ComplexityDisplay),
    ):
        _, ax = plt.subplots()
        display = plot_diagnostic(result, ax)
        assert type(display) is kind
        assert display.ax_ is ax
        display.figure_.canvas.draw()
    with pytest.raises(InvalidParameterError, match=r"IndexTest.*got Discrimination"):
        plot_diagnostic(discrimination(model, X, y))
