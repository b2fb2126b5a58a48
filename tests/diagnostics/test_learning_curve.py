"""Learning curves: the law of nested errors, nesting, resuming, and what is refused."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy.stats import t as student

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    LearningCurveDisplay,
    LogisticLink,
    PreferencePairs,
    ProbitLink,
    learning_curve,
)
from semiindex.diagnostics.error_curve import curve_of_errors
from semiindex.diagnostics.nested_subsamples import _nested, _orders
from semiindex.diagnostics.power_law import fit_rate, rate_interval
from semiindex.diagnostics.refits import RefitData
from semiindex.exceptions import InvalidDataError, InvalidParameterError

THETA = np.array([1.0, -0.7])


def _sample(rng, n=1000):
    X = rng.normal(size=(n, 2))
    return X, (rng.random(n) < LogisticLink().probability(X @ THETA)).astype(int)


@pytest.mark.parametrize("rate", [0.25, 1 / 3, 0.5])
@pytest.mark.parametrize("reference", [np.inf, 6400.0])
def test_the_rate_of_an_exact_law_is_found(rate, reference):
    sizes = np.array([200.0, 400, 800, 1600, 3200])
    last = 0.0 if np.isinf(reference) else reference ** (-2 * rate)
    errors = 3.0 * np.sqrt(sizes ** (-2 * rate) - last)
    found, constant = fit_rate(sizes, np.tile(errors, (3, 1)), reference)
    assert found == pytest.approx(rate, abs=1e-4)
    assert constant == pytest.approx(3.0, rel=1e-2)


def test_overlap_of_means(rng):
    """Means of nested subsamples obey the law exactly: sigma^2 (1/m - 1/n)."""
    draws, n = rng.normal(size=(20_000, 64)), 64
    for m in (4, 16, 32):
        gaps = draws[:, :m].mean(axis=1) - draws.mean(axis=1)
        assert np.mean(gaps**2) == pytest.approx(1 / m - 1 / n, rel=4 * np.sqrt(2 / 20_000))


def test_without_correction_the_curve_looks_steeper():
    sizes, n = np.array([500.0, 1000, 2000, 4000]), 8000.0
    errors = np.tile(np.sqrt(1 / sizes - 1 / n), (2, 1))
    right, wrong = (curve_of_errors(sizes, errors, n, against_truth=known) for known in (False, True))
    assert wrong.rate > right.rate + 0.1
    assert right.rate == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(right.corrected, sizes**-0.5, rtol=1e-3)
    assert right.n_more_to_halve == pytest.approx(3 * n, rel=1e-2)
    assert right.n_more_interval == pytest.approx((3 * n, 3 * n), rel=1e-2)  # repetitions do not differ
    assert right.predict(n) == pytest.approx(n**-0.5, rel=1e-2)


def test_subsamples_are_nested_and_keep_raters_together(rng):
    X, y = _sample(rng, 120)
    raters = np.repeat(np.arange(30), 4)
    data = RefitData.read(X, y, rng.integers(1, 4, 120), raters)
    shares = np.array([0.2, 0.5, 0.8])
    for order in _orders(data.codes, 3, 0):
        parts = _nested(order, data, shares)
        for small, large in itertools.pairwise(parts):
            assert np.isin(small, large).all()
        for share, part in zip(shares, parts, strict=True):
            assert np.isin(raters, raters[part])[part].all()
            assert set(np.flatnonzero(np.isin(raters, raters[part]))) == set(part)
            excess = data.weight[part].sum() / data.weight.sum() - share
            assert 0 <= excess < 12 / data.weight.sum()


def test_the_rate_of_a_linear_index(rng):
    X, y = _sample(rng, 8000)
    model = KnownLinkPolicy().fit(X, y)
    curve = learning_curve(model, X, y, n_repeats=16)
    assert curve.rate_interval[0] < 0.5 < curve.rate_interval[1]
    assert curve.rate == pytest.approx(0.5, abs=0.25)  # of 16 orders of two features
    assert curve.level == "fine"
    assert "more comparisons would halve it" in curve.reading()
    assert curve.to_frame().shape == (5, 4)


def test_against_the_truth_errors_are_larger(rng):
    X, y = _sample(rng)
    model = KnownLinkPolicy().fit(X, y)
    shares = [0.25, 0.5]
    full, truth = (
        learning_curve(model, X, y, shares=shares, n_repeats=20, true_index=index)
        for index in (None, 3.0 * X @ THETA)
    )
    assert truth.against_truth
    assert truth.root_mean_square[-1] > full.root_mean_square[-1]


def test_one_feature_has_no_error_to_fall(rng):
    X, y = _sample(rng, 300)
    model = KnownLinkPolicy().fit(X[:, :1], y)
    with pytest.raises(InvalidDataError, match="the same index"):
        learning_curve(model, X[:, :1], y)


def test_of_pure_noise_no_number_is_given(rng):
    X = rng.normal(size=(300, 2))
    y = rng.integers(0, 2, 300)
    curve = learning_curve(KnownLinkPolicy().fit(X, y), X, y, n_repeats=5)
    assert not curve.measurable
    assert curve.level == "note"
    assert np.isnan([curve.rate, curve.n_more_to_halve, *curve.n_more_interval]).all()
    np.testing.assert_array_equal(curve.corrected, curve.root_mean_square)
    text = curve.reading()
    assert "not measurable" in text
    assert "halve" not in text
    assert "nan" not in str(curve).lower()
    np.testing.assert_array_equal(LearningCurveDisplay.from_curve(curve).plot().curve, [])


def test_a_rate_that_could_be_anything_is_not_measurable(rng):
    sizes = np.array([100.0, 200, 400])
    errors = 0.1 * np.exp(rng.normal(size=(4, 3)))
    curve = curve_of_errors(sizes, errors, 1000.0, against_truth=True)
    assert not curve.measurable
    assert curve.level == "fine"  # the errors themselves are small
    assert "n_repeats" in curve.reading()


def test_how_many_more_is_a_range_and_bias_is_named(rng):
    X, y = _sample(rng, 2000)
    curve = learning_curve(KnownLinkPolicy().fit(X, y), X, y, n_repeats=20)
    fewest, most = curve.n_more_interval
    assert fewest < curve.n_more_to_halve < most
    assert "sampling error" in curve.reading()
    assert "bias of a wrong link" in curve.reading()
    known = learning_curve(KnownLinkPolicy().fit(X, y), X, y, true_index=X @ THETA)
    assert "bias" not in known.reading()


def test_the_interval_is_the_jackknife_and_holds_the_rate(rng):
    """Ninety-five in a hundred of the intervals for noisy errors of a known rate, and the formula."""
    sizes, held = np.array([50.0, 100, 200, 400]), 0
    for _ in range(200):
        errors = np.abs(rng.normal(size=(10, 4, 3))).mean(axis=2) / np.sqrt(sizes)
        low, high = rate_interval(sizes, errors, np.inf)
        held += low <= 0.5 <= high
    assert held / 200 >= 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / 200)
    parts = [fit_rate(sizes, np.delete(errors, k, axis=0), np.inf)[0] for k in range(10)]
    half = student.ppf(0.975, 9) * np.sqrt(0.9 * np.sum((np.array(parts) - np.mean(parts)) ** 2))
    rate = fit_rate(sizes, errors, np.inf)[0]
    assert (low, high) == pytest.approx((rate - half, rate + half))


@pytest.mark.slow
def test_any_number_of_jobs_gives_the_same_numbers(rng):
    X, y = _sample(rng, 300)
    model = KnownLinkPolicy().fit(X, y)
    one, two = (learning_curve(model, X, y, n_repeats=2, shares=[0.3, 0.6], n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.errors, two.errors)


def test_resumes_from_its_files(rng, tmp_path):
    X, y = _sample(rng, 300)
    model = KnownLinkPolicy().fit(X, y)
    arguments = {"n_repeats": 3, "shares": [0.3, 0.6], "cache": tmp_path}
    first = learning_curve(model, X, y, **arguments)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 6
    files[0].unlink()  # as if interrupted there
    files[1].write_text(json.dumps({"error": 0.5}))
    again = learning_curve(model, X, y, **arguments)
    assert np.count_nonzero(again.errors != first.errors) == 1
    assert (again.errors == 0.5).sum() == 1
    learning_curve(model, X, y, random_state=1, **arguments)  # another seed, other files
    assert len(list(tmp_path.iterdir())) == 12
    files[2].write_text("half a fi")
    with pytest.raises(InvalidDataError, match="delete it"):
        learning_curve(model, X, y, **arguments)


def test_models_of_one_class_do_not_share_files(rng, tmp_path):
    """Not even with the true index for a target, which is the same for both."""
    X, y = _sample(rng, 300)
    arguments = {"n_repeats": 2, "shares": [0.3, 0.6], "true_index": X @ THETA}
    logistic, probit = (KnownLinkPolicy(link).fit(X, y) for link in (LogisticLink(), ProbitLink()))
    learning_curve(logistic, X, y, cache=tmp_path, **arguments)
    found = learning_curve(probit, X, y, cache=tmp_path, **arguments)
    assert len(list(tmp_path.iterdir())) == 8
    np.testing.assert_array_equal(found.errors, learning_curve(probit, X, y, **arguments).errors)


def test_pairs_with_a_kernel_index(rng):
    a, b = rng.normal(size=(2, 200, 2))
    y = (rng.random(200) < LogisticLink().probability((a - b) @ THETA)).astype(int)
    pairs = PreferencePairs(b, a, y, weights=np.full(200, 2.0))
    model = KnownLinkPolicy(index=KernelIndex(), ridge=0.01).fit(pairs)
    curve = learning_curve(model, pairs, n_repeats=2, shares=[0.3, 0.6])
    assert (curve.errors > 0).all()
    np.testing.assert_allclose(curve.sizes, [120, 240])
    assert curve.n_comparisons == 400


def test_the_display_draws_what_was_computed(rng):
    X, y = _sample(rng, 400)
    curve = learning_curve(KnownLinkPolicy().fit(X, y), X, y, n_repeats=2, shares=[0.2, 0.4])
    display = LearningCurveDisplay.from_curve(curve, extend=2.0).plot()
    np.testing.assert_array_equal(display.errors, curve.corrected)
    assert display.curve_sizes[-1] == pytest.approx(800)
    assert display.ax_.get_yscale() == "log"
    np.testing.assert_array_equal(display.points_.lines[0].get_xdata(), curve.sizes)


def test_what_is_refused(rng):
    X, y = _sample(rng, 90)
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidDataError, match="too few for a learning curve"):
        learning_curve(model, X, y)
    for shares in ([0.5], [0.5, 1.0]):
        with pytest.raises(InvalidParameterError, match="two different numbers"):
            learning_curve(model, X, y, shares=shares)
    for n_repeats in (1, 2.5, "ten"):
        with pytest.raises(InvalidParameterError, match="n_repeats must be an integer of at least 2"):
            learning_curve(model, X, y, n_repeats=n_repeats)
    with pytest.raises(InvalidParameterError, match="cache must be a folder"):
        learning_curve(model, X, y, shares=[0.3, 0.6], cache=__file__)
    with pytest.raises(InvalidDataError, match="y is not what the model was fitted on"):
        learning_curve(model, X, 1 - y, shares=[0.3, 0.6])
    with pytest.raises(InvalidDataError, match="true_index"):
        learning_curve(model, X, y, shares=[0.3, 0.6], true_index=np.zeros(90))
    with pytest.raises(InvalidDataError, match="not what the model was fitted on"):
        learning_curve(model, X[:80], y[:80], shares=[0.3, 0.6])
    with pytest.raises(InvalidDataError, match="y is missing"):
        learning_curve(model, X)
