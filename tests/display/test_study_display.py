"""StudyDisplay and EfficiencyDisplay: what is stored, and that it is what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from semiindex import EfficiencyDisplay, StudyDisplay
from semiindex.display.panel_grid import PanelGrid
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation import StudyResult, convergence_rates, efficiency_ratios

SIZES, SEVERITIES, LINKS = (100, 400, 1600), (0.0, 0.5, 1.0), ("flips", "lapses")
ESTIMATORS = ("logistic", "spline")
BUDGETS = (0.1, 0.2)


def value(link, severity, n, estimator, noise):
    """An error that the logistic estimator keeps where the link is wrong."""
    bias = (1 + LINKS.index(link)) * severity if estimator == "logistic" else 0.0
    return bias + 30 / np.sqrt(n) + noise


def make(change=lambda row: row, links=LINKS, severities=SEVERITIES, sizes=SIZES, extra=()):
    rng = np.random.default_rng(3)
    truths = {f"{k} {s:g}": {"link": k, "severity": s} for k in links for s in severities}
    rows = []
    for truth, factors in truths.items():
        for n in sizes:
            for replication in range(4):
                for estimator in ESTIMATORS:
                    angle = value(factors["link"], factors["severity"], n, estimator, rng.uniform(0, 0.2))
                    policy = {}
                    for budget in BUDGETS:
                        policy |= {f"regret[{budget:g}]": angle * budget}
                        policy |= {f"reward[{budget:g}]": 10 * budget - angle * budget}
                        policy |= {f"gain_share[{budget:g}]": 1 - angle / 10}
                    row = {"truth": truth, "design": "mixed", "n": n, "replication": replication}
                    account = {
                        "seconds": 1.0,
                        "n_warnings": 0,
                        "n_convergence_warnings": 0,
                        "warnings": "",
                        "error": "",
                    }
                    rows.append(change(row | {"estimator": estimator, "angle": angle} | policy | account))
    truths |= dict(extra)
    return StudyResult.from_rows(
        rows, truths=list(truths), designs=["mixed"], estimators=ESTIMATORS, factors=truths
    )


@pytest.fixture(scope="module")
def result():
    return make()


def test_severity_panels(result):
    display = StudyDisplay.against_severity(result, "angle", label="Error")
    assert [panel.title for panel in display.panels] == [
        f"{link}, n = {n:,}" for link in LINKS for n in SIZES
    ]
    summary = result.summary(metrics=["angle"])
    rows = summary[(summary.link == "lapses") & (summary.n == 400) & (summary.estimator == "logistic")]
    curve = display.panels[4].curves[0]
    assert curve.name == curve.label == "logistic"
    assert curve.x.tolist() == list(SEVERITIES)
    np.testing.assert_array_equal(curve.mean, rows["mean"])
    np.testing.assert_array_equal(curve.error, rows["standard_error"])


def test_one_panel_has_no_title_and_estimators_come_in_the_order_asked_for(result):
    display = StudyDisplay.against_severity(
        make(links=("flips",), sizes=(100,)), "angle", estimators=["spline", "logistic"]
    )
    assert [panel.title for panel in display.panels] == [""]
    assert [curve.name for curve in display.panels[0].curves] == ["spline", "logistic"]
    one = StudyDisplay.against_n(result, "angle", estimators=["spline"])
    assert {curve.name for panel in one.panels for curve in panel.curves} == {"spline"}


def test_slopes_in_n(result):
    display = StudyDisplay.against_n(result, "angle")
    assert [panel.title for panel in display.panels] == [f"{k} {s:g}" for k in LINKS for s in SEVERITIES]
    rates = convergence_rates(result, "angle").set_index(["truth", "estimator"])
    for panel in display.panels:
        for curve in panel.curves:
            assert curve.slope == rates.loc[(panel.title, curve.name), "slope"]
            assert f"{curve.slope:+.2f}".replace("-", "−") in curve.label
    logistic, spline = display.panels[-1].curves
    assert logistic.slope > -0.35
    assert spline.slope < -0.45


def test_frontiers(result):
    display = StudyDisplay.frontier(result, "reward")
    assert display.panels[0].title == "flips 0, n = 100"
    *curves, best = display.panels[0].curves
    assert [curve.name for curve in curves] == list(ESTIMATORS)
    assert best.name == "optimal policy"
    np.testing.assert_allclose(best.mean, 10 * np.array(BUDGETS))
    np.testing.assert_allclose(best.error, 0, atol=1e-12)
    regret = StudyDisplay.frontier(result, "regret").panels[0].curves
    assert [curve.name for curve in regret] == list(ESTIMATORS)
    np.testing.assert_allclose(regret[0].mean, best.mean - curves[0].mean)


def test_frontiers_are_shares_of_the_optimal_gain_unless_something_else_is_asked_for(result):
    display = StudyDisplay.frontier(result)
    assert display.y_label == "Share of the optimal policy's gain"
    *curves, best = display.panels[0].curves
    assert [curve.name for curve in (*curves, best)] == [*ESTIMATORS, "optimal policy"]
    summary = result.summary(metrics=["gain_share[0.2]"])
    rows = summary[(summary.truth == "flips 0") & (summary.n == 100)]
    assert [curve.mean[1] for curve in curves] == rows["mean"].tolist()
    assert (best.x.tolist(), best.mean.tolist(), best.error.tolist()) == (list(BUDGETS), [1, 1], [0, 0])


def test_drawing(result):
    display = StudyDisplay.against_severity(result, "angle", label="Error").plot()
    assert len(display.axes_) == 6
    line = display.axes_[0].containers[1]
    np.testing.assert_array_equal(line.lines[0].get_ydata(), display.panels[0].curves[1].mean)
    bars = np.array([segment[:, 1] for segment in line.lines[2][0].get_segments()])
    np.testing.assert_allclose(np.ptp(bars, axis=1), 4 * display.panels[0].curves[1].error)
    (legend,) = display.figure_.legends
    assert [text.get_text() for text in legend.get_texts()] == list(ESTIMATORS)
    assert [ax.get_ylabel() for ax in display.axes_] == ["Error", "", ""] * 2
    assert [ax.get_xlabel() for ax in display.axes_] == [""] * 3 + ["Severity"] * 3


def test_drawing_on_logarithmic_axes_in_a_given_figure(result):
    figure = Figure(layout="constrained")
    five = make(links=("flips",), severities=(0.0, 0.25, 0.5, 0.75, 1.0))
    display = StudyDisplay.against_n(five, "angle").plot(figure)
    assert display.figure_ is figure
    ax = display.axes_[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        curve.label for curve in display.panels[0].curves
    ]
    figure.canvas.draw()
    # Legends stand between the rows, so that the upper ones have labels of their own.
    for ax in display.axes_:
        assert [label.get_text() for label in ax.get_xticklabels()] == ["100", "400", "1,600"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["", ""] + 3 * ["Comparisons"]
    assert [ax.get_visible() for ax in figure.axes] == [True] * 5 + [False]


def test_curves_stand_beside_each_other_and_the_optimal_one_in_its_place():
    result = make(links=("flips",), severities=(0.0,))
    display = StudyDisplay.frontier(result, "reward").plot()
    first, second = (container.lines[0].get_xdata() for container in display.axes_[0].containers[:2])
    assert ((second - first > 0) & (second - first < 0.1 * np.ptp(BUDGETS))).all()
    np.testing.assert_allclose((first + second) / 2, BUDGETS)
    np.testing.assert_array_equal(display.axes_[0].containers[2].lines[0].get_xdata(), BUDGETS)
    sizes = StudyDisplay.against_n(result, "angle").plot()
    first, second = (container.lines[0].get_xdata() for container in sizes.axes_[0].containers)
    np.testing.assert_allclose(np.sqrt(first * second), SIZES)
    alone = StudyDisplay.against_n(result, "angle", estimators=["spline"]).plot()
    np.testing.assert_array_equal(alone.axes_[0].containers[0].lines[0].get_xdata(), SIZES)


def test_the_fitted_power_is_drawn():
    result = make(links=("flips",), severities=(1.0,))
    display = StudyDisplay.against_n(result, "angle").plot()
    curve = display.panels[0].curves[0]
    rate, constant = np.polyfit(np.log(SIZES), np.log(curve.mean), 1)
    np.testing.assert_allclose(curve.trend, np.exp(constant + rate * np.log(SIZES)))
    drawn = [line.get_ydata() for line in display.axes_[0].lines]
    assert any(np.array_equal(values, curve.trend) for values in drawn)
    assert display.axes_[0].get_legend().get_title().get_text() == "Lines and brackets: fitted power of n"
    assert StudyDisplay.against_severity(result, "angle").panels[0].curves[0].trend is None


def test_every_truth_has_rows_of_its_own():
    """Two designs: a column each, in place of three columns that mix them."""
    part = make(links=("flips",), severities=(0.0, 1.0))
    frames = [part.frame.assign(design=design) for design in ("normal", "conjoint")]
    two = StudyResult(pd.concat(frames, ignore_index=True), part.metrics, part.factors)
    display = StudyDisplay.against_n(two, "regret[0.2]")
    assert [panel.group for panel in display.panels] == ["flips 0"] * 2 + ["flips 1"] * 2
    display.plot()
    columns = [ax.get_subplotspec().colspan.start for ax in display.axes_]
    rows = [ax.get_subplotspec().rowspan.start for ax in display.axes_]
    assert (columns, rows) == ([0, 1] * 2, [0, 0, 1, 1])
    assert [ax.get_ylabel() for ax in display.axes_] == ["Regret at divergence 0.2", ""] * 2


@pytest.mark.parametrize(
    ("groups", "columns", "cells"),
    [
        (["a"], 1, [0]),
        (["a"] * 4, 2, [0, 1, 2, 3]),
        (["a"] * 5, 3, [0, 1, 2, 3, 4]),
        (list("abcde"), 3, [0, 1, 2, 3, 4]),
        (list("aabb"), 2, [0, 1, 2, 3]),
        (list("aaaabbbb"), 4, list(range(8))),
        (list("aaaaabbbbb"), 3, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]),
        (list("aabbb"), 3, [0, 1, 3, 4, 5]),
    ],
)
def test_panel_grid(groups, columns, cells):
    grid = PanelGrid.of_groups(groups)
    assert (grid.columns, list(grid.cells), grid.rows) == (columns, cells, cells[-1] // columns + 1)
    for panel, cell in enumerate(cells):
        assert grid.is_left(panel) == (cell % columns == 0)
        below = range(cell + columns, grid.rows * columns, columns)
        assert grid.is_lowest(panel) == (not set(below) & set(cells))


def test_failed_fits_are_counted_and_gaps_are_said():
    def fail(row):
        if row["estimator"] == "logistic" and row["n"] == 100 and row["replication"] < 1:
            return row | {"angle": np.nan, "error": "ValueError: no"}
        if row["estimator"] == "spline" and row["n"] == 400:
            return row | {"angle": np.inf}
        return row

    with pytest.warns(
        DataWarning, match=r"2 of 12 means are not positive and finite.*\['spline'\]"
    ) as caught:
        display = StudyDisplay.against_n(make(fail, links=("flips",), severities=(0.0, 1.0)), "angle")
    assert caught[0].filename == __file__
    logistic, spline = display.panels[0].curves
    assert logistic.n_failed == 1
    assert logistic.label.endswith("[1 failed]")
    assert spline.x.tolist() == [100, 1600]
    assert np.isnan(spline.slope)
    display.plot()


def test_truths_without_a_severity_are_said():
    def rename(row):
        return row | {"truth": "other"} if row["truth"] == "flips 0" else row

    with pytest.warns(DataWarning, match=r"truths without severity are not drawn: \['other'\]"):
        display = StudyDisplay.against_severity(make(rename, links=("flips",), extra={"other": {}}), "angle")
    assert display.panels[0].curves[0].x.tolist() == [0.5, 1.0]


def test_what_cannot_be_drawn(result):
    with pytest.raises(InvalidParameterError, match="no factor 'unknown'"):
        StudyDisplay.against_severity(result, "angle", factor="unknown")
    twins = make(
        lambda row: row | {"truth": "twin"} if row["truth"] == "flips 0.5" else row,
        links=("flips",),
        extra={"twin": {"link": "flips", "severity": 0.0}},
    )
    with pytest.raises(InvalidParameterError, match="several truths share a value"):
        StudyDisplay.against_severity(twins, "angle")
    with pytest.raises(InvalidParameterError, match="estimators must be among"):
        StudyDisplay.against_n(result, "angle", estimators=["unknown"])
    with pytest.raises(InvalidParameterError, match=r"did not measure 'kl' at budgets; add PolicyError"):
        StudyDisplay.frontier(result, "kl")


# Efficiency ------------------------------------------------------------------------------------------


def test_ratios_are_those_of_the_table(result):
    display = EfficiencyDisplay.from_result(result, "spline", "angle")
    table = efficiency_ratios(result, "spline", "angle")
    table = table[table.estimator == "logistic"]
    assert display.estimators == ("logistic",)
    assert display.cells == tuple(f"{t}, n = {n:,}" for t, n in zip(table.truth, table.n, strict=True))
    np.testing.assert_array_equal(display.ratios[:, 0], table["ratio"])
    np.testing.assert_array_equal(display.errors[:, 0], table["ratio_se"])


def test_drawing_of_ratios():
    ratios, errors = np.array([[1.0, 9.0], [np.nan, 0.0]]), np.array([[0.1, np.nan], [np.nan, 0.0]])
    display = EfficiencyDisplay(
        ["a", "b"], ["x", "y"], ratios, errors, baseline="known", metric="angle"
    ).plot()
    assert [text.get_text() for text in display.ax_.texts] == ["1.00 ± 0.10", "9", "–", "0.00 ± 0.00"]
    assert display.ax_.texts[1].get_color() == "white"
    assert display.mesh_.get_array().mask.tolist() == [[False, False], [True, True]]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["x", "y"]
    assert display.ax_.get_title(loc="right") == "Angle to the true direction (degrees):\nratio to known"


def test_entries_of_every_colour_can_be_read():
    """Contrast of at least 3 to 1, as the Web Content Accessibility Guidelines ask of larger text."""

    def luminance(colour):
        channels = np.array(to_rgb(colour))
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    ratios = np.geomspace(0.1, 10, 60)[:, None]
    display = EfficiencyDisplay(
        ["a"], [str(i) for i in range(60)], ratios, 0 * ratios, baseline="b", metric="angle"
    ).plot()
    display.figure_.canvas.draw()
    for fill, text in zip(display.mesh_.get_facecolors(), display.ax_.texts, strict=True):
        dark, light = sorted([luminance(fill[:3]), luminance(text.get_color())])
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_ratios_need_a_second_estimator(result):
    alone = result.frame[result.frame.estimator == "spline"]
    with pytest.raises(InvalidParameterError, match="no estimator besides"):
        EfficiencyDisplay.from_result(StudyResult(alone, result.metrics, result.factors), "spline", "angle")
