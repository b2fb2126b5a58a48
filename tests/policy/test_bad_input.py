"""Each kind of bad or awkward input, with its own error, warning or note."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from semiindex import (
    KnownLinkPolicy,
    MonotoneSpline,
    PreferencePairs,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import (
    ConvergenceWarning,
    DataWarning,
    IdentificationWarning,
    InvalidDataError,
    InvalidParameterError,
    SeparationWarning,
)

BOTH = [KnownLinkPolicy(), ProfiledLinkPolicy()]
LEARNERS = [
    KnownLinkPolicy(),
    KnownLinkPolicy(link="probit"),
    KnownLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(link="isotonic"),
    ProfiledLinkPolicy(link="isotonic", antisymmetric=False),
    ProfiledLinkPolicy(link=ShapeConstrainedLink(lipschitz=1.0, n_knots=20)),
]
both = pytest.mark.parametrize("estimator", BOTH, ids=repr)
learners = pytest.mark.parametrize("estimator", LEARNERS, ids=repr)


def sample(n: int = 150, d: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    theta = np.resize([1.0, -0.5, 0.3], d)
    return X, (rng.random(n) < 1 / (1 + np.exp(-X @ theta))).astype(int)


def fit(estimator, *args, **kwargs):
    return clone(estimator).fit(*args, **kwargs)


# Arguments that cannot be used ----------------------------------------------------------------------


@both
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, sp.csr_array])
def test_not_finite_features(estimator, value, container) -> None:
    X, y = sample()
    X[3, 1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        fit(estimator, container(X), y)
    model = fit(estimator, *sample())
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.predict(np.asarray(X))


@both
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_labels(estimator, value) -> None:
    X, y = sample()
    labels = y.astype(float)
    labels[3] = value
    with pytest.raises(ValueError, match=r"Input y contains (NaN|infinity)"):
        fit(estimator, X, labels)
    with pytest.raises(ValueError, match="Input y contains NaN or infinity; drop the comparisons"):
        fit(estimator, PreferencePairs(0 * X, X, y), labels)


@both
@pytest.mark.parametrize("missing", [None, pd.NA], ids=["None", "pandas.NA"])
def test_missing_labels_of_text(estimator, missing) -> None:
    X, y = sample()
    labels = np.array(["left", "right"], dtype=object)[y]
    labels[3] = missing
    with pytest.raises(ValueError, match="y has no answer in row 3; drop"):
        fit(estimator, X, labels)


@both
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_weights(estimator, value) -> None:
    X, y = sample()
    weight = np.ones(y.size)
    weight[7] = value
    with pytest.raises(InvalidDataError, match="sample_weight contains NaN or infinity"):
        fit(estimator, X, y, sample_weight=weight)


@both
def test_negative_weight_names_the_row(estimator) -> None:
    X, y = sample()
    weight = np.ones(y.size)
    weight[7] = -0.5
    with pytest.raises(InvalidDataError, match=r"sample_weight is negative in row 7 \(-0.5\)"):
        fit(estimator, X, y, sample_weight=weight)


@both
def test_no_weight_at_all(estimator) -> None:
    X, y = sample()
    with pytest.raises(InvalidDataError, match="sample_weight is zero in every row; at least one"):
        fit(estimator, X, y, sample_weight=np.zeros(y.size))
    first_half = (np.arange(y.size) < 70).astype(float)
    pairs = PreferencePairs(0 * X, X, y, weights=first_half)
    with pytest.raises(InvalidDataError, match="zero in every row to which the pairs themselves give weight"):
        fit(estimator, pairs, sample_weight=1 - first_half)


@both
@pytest.mark.parametrize("total", [1e-300, 1e300])
def test_weights_that_are_no_frequencies(estimator, total) -> None:
    X, y = sample()
    warnings.simplefilter("ignore", DataWarning)
    with pytest.raises(InvalidDataError, match=r"the weights sum to .*, which is no number of comparisons"):
        fit(estimator, X, y, sample_weight=np.full(y.size, total / y.size))


@both
def test_weights_scaled_to_a_sum_of_one_are_asked_about(estimator) -> None:
    X, y = sample()
    with pytest.warns(
        DataWarning, match="The weights of 150 rows sum to 1. Weights are frequencies"
    ) as record:
        fit(estimator, X, y, sample_weight=np.full(150, 1 / 150))
    assert record[0].filename == __file__


@both
def test_lengths_that_do_not_match(estimator) -> None:
    X, y = sample()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(estimator, X, y[:-1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(estimator, PreferencePairs(0 * X, X, y), y[:-1])
    with pytest.raises(
        InvalidDataError, match="sample_weight has 149 entries, but there are 150 comparisons"
    ):
        fit(estimator, X, y, sample_weight=np.ones(149))
    with pytest.raises(
        InvalidDataError, match=r"Sample weights must be 1D array or scalar, got shape \(150, 1\)"
    ):
        fit(estimator, X, y, sample_weight=np.ones((150, 1)))
    with pytest.raises(InvalidDataError, match="link_groups must have one entry for each of the 150"):
        fit(estimator, X, y, link_groups=np.zeros(149))


@both
def test_empty(estimator) -> None:
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        fit(estimator, np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(ValueError, match=r"Found array with 0 feature\(s\)"):
        fit(estimator, np.zeros((3, 0)), np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        fit(estimator, np.zeros(3), np.array([0, 1, 1]))


@both
def test_labels_are_needed_beside_an_array(estimator) -> None:
    with pytest.raises(ValueError, match="requires y to be passed"):
        fit(estimator, sample()[0])


@both
@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "tie"], [-1, 0, 1]])
def test_three_kinds_of_labels(estimator, labels) -> None:
    X, _ = sample()
    y = np.resize(labels, 150)
    with pytest.raises(
        InvalidDataError, match=r"y has 3 different labels, \[.* among them; a comparison has two"
    ):
        fit(estimator, X, y)


@both
def test_duplicate_column_names(estimator) -> None:
    X, y = sample()
    with pytest.raises(InvalidDataError, match="X has more than one column named 'price'; rename"):
        fit(estimator, pd.DataFrame(X, columns=["price", "time", "price"]), y)


@both
def test_not_numeric(estimator) -> None:
    X, y = sample()
    text = X.astype(object)
    text[0, 0] = "cheap"
    with pytest.raises(ValueError, match="could not convert string to float: 'cheap'"):
        fit(estimator, text, y)


# One class -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [
        KnownLinkPolicy(antisymmetric=False),
        *(ProfiledLinkPolicy(k, antisymmetric=False) for k in ("spline", "isotonic")),
    ],
    ids=repr,
)
@pytest.mark.parametrize(("label", "shown"), [(0, "0"), (1, "1"), (True, "True"), (-1, "-1")])
def test_one_class_needs_antisymmetry(estimator, label, shown) -> None:
    X, _ = sample()
    message = rf"y has only one class among rows of positive weight \({shown}\)\. With antisymmetric=False"
    with pytest.raises(InvalidDataError, match=message):
        fit(estimator, X, np.full(150, label))


def test_one_class_among_the_rows_that_count() -> None:
    X, y = sample()
    with pytest.raises(InvalidDataError, match=r"only one class among rows of positive weight \(1\)"):
        KnownLinkPolicy(antisymmetric=False).fit(X, y, sample_weight=y)


@both
@pytest.mark.parametrize(
    ("label", "classes"), [(1, [0, 1]), (0, [0, 1]), (True, [False, True]), (-1, [-1, 1]), (1.0, [0.0, 1.0])]
)
def test_chosen_and_rejected_options_have_one_class(estimator, label, classes) -> None:
    X, y = sample()
    sign = 1 if label in (1, True) else -1
    chosen_minus_rejected = np.where(y[:, None] == 1, X, -X)
    model = fit(estimator, sign * chosen_minus_rejected, np.full(150, label))
    assert model.classes_.tolist() == classes
    assert [type(c) for c in model.classes_.tolist()] == [type(c) for c in classes]
    np.testing.assert_array_equal(model.coef_, fit(estimator, X, y).coef_)
    assert set(model.predict(X)) == set(classes)


@both
def test_one_class_of_unknown_meaning(estimator) -> None:
    X, _ = sample()
    with pytest.raises(
        InvalidDataError, match="only one class, 'left', which does not say whether option 0 or"
    ):
        fit(estimator, X, np.full(150, "left"))


# What the data do not determine ------------------------------------------------------------------------


@learners
def test_feature_without_variation(estimator) -> None:
    X, y = sample()
    X[:, 1] = 0.0
    frame = pd.DataFrame(X, columns=["price", "income", "time"])
    with pytest.warns(IdentificationWarning, match="No comparison varies in 'income'") as record:
        model = fit(estimator, frame, y)
    assert len(record) == 1
    assert model.coef_[1] == 0
    np.testing.assert_allclose(model.coef_[[0, 2]], fit(estimator, X[:, [0, 2]], y).coef_, rtol=1e-9)
    assert str(record[0].message) in model.notes_


def test_feature_without_variation_among_very_many(monkeypatch) -> None:
    monkeypatch.setattr("semiindex.index.whitening._DENSE_LIMIT", 2)
    X, y = sample()
    X[:, 1] = 0.0
    with pytest.warns(IdentificationWarning, match="No comparison varies in 'x1'"):
        model = KnownLinkPolicy().fit(X, y)
    assert model.coef_[1] == 0
    np.testing.assert_allclose(model.coef_[[0, 2]], KnownLinkPolicy().fit(X[:, [0, 2]], y).coef_, rtol=1e-3)


@learners
def test_collinear_features_share_the_least_norm_answer(estimator) -> None:
    X, y = sample()
    doubled = np.column_stack([X, 2 * X[:, 0]])
    with pytest.warns(IdentificationWarning, match=r"'x0', 'x3' are collinear in the comparisons \(1 exact"):
        model = fit(estimator, doubled, y)
    plain = fit(estimator, X, y)
    # In units of each feature's spread both copies get the same coefficient.
    assert model.coef_[0] == pytest.approx(2 * model.coef_[3], rel=1e-8)
    np.testing.assert_allclose(doubled @ model.coef_, X @ plain.coef_, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("estimator", [e for e in LEARNERS if not e.antisymmetric], ids=repr)
def test_constant_difference_is_the_position_effect(estimator) -> None:
    X, y = sample()
    with pytest.warns(IdentificationWarning, match="feature 'x3' is the same in every comparison"):
        model = fit(estimator, np.column_stack([X, np.full(150, 3.0)]), y)
    assert model.coef_[3] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(model.coef_[:3], fit(estimator, X, y).coef_, rtol=1e-6)
    levels = np.eye(3)[np.arange(150) % 3]
    with pytest.warns(
        IdentificationWarning, match="combination of the features 'x0', 'x1', 'x2' is the same"
    ):
        model = fit(estimator, np.column_stack([levels, X]), y)
    assert model.coef_[:3].sum() == pytest.approx(0, abs=1e-10)


def test_constant_difference_is_a_position_effect_to_estimate_if_antisymmetric() -> None:
    X, y = sample()
    model = KnownLinkPolicy().fit(np.column_stack([X, np.ones(150)]), y)
    intercept = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    np.testing.assert_allclose(model.coef_[:3], intercept.coef_, rtol=1e-4)
    assert model.coef_[3] == pytest.approx(-intercept.link_.half_point, rel=1e-2)


@both
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_all_differences_zero(estimator, container) -> None:
    _, y = sample()
    with pytest.raises(
        InvalidDataError, match="no feature differs between the two options of any comparison"
    ):
        fit(estimator, container(np.zeros((150, 3))), y)


@both
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_option_compared_with_itself_is_counted_and_reported(estimator, container) -> None:
    X, y = sample()
    X[::50] = 0.0
    model = fit(estimator, container(X), y)
    assert any(note.startswith("3 comparisons of an option with itself: valid") for note in model.notes_)
    assert "3 comparisons of an option with itself" in " ".join(str(model.summary()).split())
    others = np.arange(150) % 50 != 0
    without = clone(estimator).set_params(normalization="norm").fit(X[others], y[others])
    direction = model.coef_ / np.linalg.norm(model.coef_)
    np.testing.assert_allclose(direction, without.coef_, atol=5e-3)  # the knots are relative to the rms


def test_discrete_features_are_said_to_identify_a_set() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-1, 2, size=(200, 3)).astype(float)
    y = (rng.random(200) < 1 / (1 + np.exp(-X @ [1.0, -0.5, 0.3]))).astype(int)
    assert any("All feature differences are discrete" in n for n in ProfiledLinkPolicy().fit(X, y).notes_)


# Separated data, more features than comparisons ---------------------------------------------------------


@learners
def test_perfectly_separated(estimator) -> None:
    X, _ = sample()
    y = (X @ [1.0, -0.5, 0.3] > 0).astype(int)
    with pytest.warns(SeparationWarning, match="The data are completely separated") as record:
        model = fit(estimator, X, y)
    assert len(record) == 1
    assert model.score(X, y) == 1.0
    assert np.isfinite(model.coef_).all()
    assert str(record[0].message) in model.notes_
    order = np.random.default_rng(1).permutation(150)
    with pytest.warns(SeparationWarning, match="completely separated"):
        again = fit(estimator, X[order], y[order])
    np.testing.assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize(
    "estimator", [KnownLinkPolicy(), KnownLinkPolicy(antisymmetric=False), ProfiledLinkPolicy()], ids=repr
)
def test_quasi_separated(estimator) -> None:
    X, y = sample()
    gift = (np.arange(150) % 5 == 0) * (2.0 * y - 1)  # the option with the gift always wins
    X = np.column_stack([X, gift])
    with pytest.warns(SeparationWarning, match="The data are quasi-completely separated"):
        model = fit(estimator, X, y)
    assert np.isfinite(model.coef_).all()
    assert model.coef_[3] > 2 * np.abs(model.coef_[:3]).max()
    assert (model.predict(X)[gift != 0] == y[gift != 0]).all()
    order = np.random.default_rng(1).permutation(150)
    with pytest.warns(SeparationWarning, match="quasi-completely separated"):
        np.testing.assert_array_equal(fit(estimator, X[order], y[order]).coef_, model.coef_)


@learners
def test_more_features_than_comparisons(estimator) -> None:
    X, y = sample(n=30, d=80)
    with (
        pytest.warns(SeparationWarning, match="completely separated"),
        pytest.warns(IdentificationWarning, match=r"more features \(80\) than different comparisons \(30\)"),
    ):
        model = fit(estimator, X, y)
    assert model.score(X, y) == 1.0
    order = np.random.default_rng(1).permutation(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        np.testing.assert_array_equal(fit(estimator, X[order], y[order]).coef_, model.coef_)
    # Least norm in units of spread: the parameters are a combination of the standardised rows.
    spread = np.sqrt(np.mean(X**2, axis=0))
    rows, target = (X / spread).T, model.coef_ * spread
    residual = target - rows @ np.linalg.lstsq(rows, target)[0]
    assert np.abs(residual).max() < 1e-9 * np.abs(target).max()


@both
def test_more_features_than_comparisons_beyond_the_size_of_a_matrix(estimator, monkeypatch) -> None:
    monkeypatch.setattr("semiindex.index.whitening._DENSE_LIMIT", 20)
    X, y = sample(n=30, d=80)
    with (
        pytest.warns(SeparationWarning, match="completely separated"),
        pytest.warns(IdentificationWarning, match=r"more features \(80\) than different comparisons \(30\)"),
    ):
        model = fit(estimator, X, y)
    assert model.converged_
    assert model.score(X, y) == 1.0
    spread = np.sqrt(np.mean(X**2, axis=0))
    rows, target = (X / spread).T, model.coef_ * spread
    np.testing.assert_allclose(
        rows @ np.linalg.lstsq(rows, target)[0], target, atol=1e-6 * np.abs(target).max()
    )


@pytest.mark.parametrize("estimator", [KnownLinkPolicy(ridge=0.1), ProfiledLinkPolicy(ridge=0.1)], ids=repr)
def test_a_ridge_settles_it_without_a_warning(estimator) -> None:
    X, y = sample(n=30, d=80)
    assert fit(estimator, X, y).converged_
    X, _ = sample()
    y = (X @ [1.0, -0.5, 0.3] > 0).astype(int)
    assert fit(estimator, np.column_stack([X, X[:, 0]]), y).converged_


@pytest.mark.parametrize("estimator", [KnownLinkPolicy(), ProfiledLinkPolicy()], ids=repr)
def test_warnings_point_at_the_line_that_called_fit(estimator) -> None:
    X, _ = sample()
    y = (X[:, 0] > 0).astype(int)
    degenerate = np.column_stack([X, X[:, 0], np.zeros(150)])
    short = clone(estimator).set_params(max_iter=1, tol=1e-12)
    noisy = (np.random.default_rng(0).random(150) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        clone(estimator).fit(degenerate, y)
        short.fit(X, noisy)
    kinds = {w.category for w in record}
    assert kinds == {IdentificationWarning, SeparationWarning, ConvergenceWarning}
    for w in record:
        assert w.filename == __file__
        assert w.lineno == line + (w.category is ConvergenceWarning)


@both
def test_not_converged_is_said_with_the_distance_and_the_remedy(estimator) -> None:
    model = clone(estimator).set_params(max_iter=1, tol=1e-9)
    with pytest.warns(
        ConvergenceWarning, match=r"1 iterations\), an estimated .* standard errors .* Increase"
    ):
        model.fit(*sample())
    assert not model.converged_
    assert "NOT CONVERGED" in str(model.summary())


# Magnitudes and types --------------------------------------------------------------------------------


@learners
def test_enormous_and_tiny_features_are_the_rescaled_problem(estimator) -> None:
    X, y = sample()
    factor = np.ldexp(1.0, [996, -996, 0])  # about 1e300 and 1e-300
    model = fit(estimator, X * factor, y)
    plain = fit(estimator, X, y)
    np.testing.assert_allclose(model.coef_ * factor, plain.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X * factor), plain.predict_proba(X), rtol=1e-12)
    rounded = fit(estimator, X * [1e300, 1e-300, 1.0], y)
    np.testing.assert_allclose(rounded.coef_ * [1e300, 1e-300, 1.0], plain.coef_, rtol=1e-4)
    np.testing.assert_allclose(fit(estimator, sp.csr_array(X * factor), y).coef_, model.coef_, rtol=1e-12)


@both
@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_all_features_enormous_or_tiny(estimator, scale) -> None:
    X, y = sample()
    model = clone(estimator).set_params(normalization="norm").fit(X * scale, y)
    plain = clone(estimator).set_params(normalization="norm").fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-5)


@both
def test_units_too_far_apart_for_a_common_norm(estimator) -> None:
    X, y = sample()
    with pytest.raises(InvalidParameterError, match="the units of the features are so far apart"):
        clone(estimator).set_params(normalization="norm").fit(X * [1e300, 1e-300, 1.0], y)


@both
@pytest.mark.parametrize("scale", [1e300, 1e-8, 1e-300])
def test_ridge_in_units_that_mean_nothing(estimator, scale) -> None:
    X, y = sample()
    message = r"ridge=0\.1 is in the units of the features, .* magnitude: 'x0' \(up to .*\)\. Rescale them"
    with pytest.raises(InvalidDataError, match=message):
        clone(estimator).set_params(ridge=0.1).fit(X * [scale, 1.0, 1.0], y)


@both
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, bool, object, np.float16])
def test_numbers_of_any_type(estimator, dtype) -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 2, size=(150, 3))
    y = (rng.random(150) < 1 / (1 + np.exp(1 - values @ [2.0, 1.0, -1.0]))).astype(int)
    model = fit(estimator, values.astype(dtype), y)
    assert model.coef_.dtype == np.float64
    np.testing.assert_array_equal(model.coef_, fit(estimator, values.astype(float), y).coef_)
    np.testing.assert_array_equal(model.predict(values.astype(dtype)), model.predict(values.astype(float)))


# Prediction ------------------------------------------------------------------------------------------


@both
def test_wrong_features_at_prediction(estimator) -> None:
    X, y = sample()
    model = fit(estimator, X, y)
    with pytest.raises(ValueError, match=r"X has 2 features, but \w+ is expecting 3 features"):
        model.predict(X[:, :2])
    with pytest.raises(ValueError, match=r"X has 2 features, but \w+ is expecting 3 features"):
        model.predict(PreferencePairs(0 * X[:, :2], X[:, :2], y))
    named = fit(estimator, PreferencePairs(0 * X, X, y, feature_names=["a", "b", "c"]))
    other = PreferencePairs(0 * X, X, y, feature_names=["a", "c", "b"])
    with pytest.raises(
        InvalidDataError, match=r"X has the features \['a', 'c', 'b'\], but the model was fitted on"
    ):
        named.predict(other)
    with pytest.raises(ValueError, match="feature names should match those that were passed during fit"):
        named.predict(pd.DataFrame(X, columns=["a", "b", "d"]))


@both
def test_options_to_score(estimator) -> None:
    X, y = sample()
    model = fit(estimator, pd.DataFrame(X, columns=["a", "b", "c"]), y)
    shuffled = pd.DataFrame(X[:5][:, [2, 0, 1]], columns=["c", "a", "b"])
    np.testing.assert_allclose(model.score_options(shuffled), X[:5] @ model.coef_, rtol=1e-12)
    with pytest.raises(
        InvalidDataError, match=r"options has no column 'b'; the model needs \['a', 'b', 'c'\]"
    ):
        model.score_options(shuffled[["a", "c"]])
    with pytest.raises(InvalidDataError, match=r"options must have shape \(n_options, 3\), got \(5, 2\)"):
        model.score_options(X[:5, :2])
    with pytest.raises(InvalidDataError, match="options contains NaN or infinity"):
        model.score_options(np.full((1, 3), np.nan))


# Parameters -------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ridge": -1.0}, r"ridge must be a finite number >= 0, got -1\.0"),
        ({"ridge": np.inf}, "ridge must be a finite number >= 0, got inf"),
        ({"ridge": np.nan}, "ridge must be a finite number >= 0, got nan"),
        ({"tol": 0.0}, r"tol must be a positive number \(standard errors\), got 0\.0"),
        ({"ridge": "much"}, "ridge must be a finite number >= 0, got 'much'"),
        ({"antisymmetric": "no"}, "antisymmetric must be True or False, got 'no'"),
        ({"max_iter": 2.5}, "max_iter must be an integer of at least 1, got 2.5"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1, got 0"),
        ({"index": "linear"}, r"index must be an IndexClass such as LinearIndex\(\), got 'linear'"),
        (
            {"normalization": "sd"},
            "normalization must be 'rms', 'norm', the name of a feature or its column .* 'sd'",
        ),
        ({"normalization": 3}, "its column number, got 3; the features are x0, x1, x2"),
        ({"normalization": True}, "its column number, got True"),
    ],
)
def test_common_parameters(estimator, parameters, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        clone(estimator).set_params(**parameters).fit(*sample())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "dpo"}, r"loss must be one of \('log', 'sigmoid', 'ipo', 'hinge', 'robust'\), got 'dpo'"),
        ({"link": "logit"}, "unknown link 'logit'|link must be"),
        ({"link": MonotoneSpline()}, "link must be"),
        ({"loss": "ipo", "link": "probit"}, "loss='ipo' knows no link='probit'"),
        ({"loss": "hinge", "antisymmetric": False}, "loss='hinge' is a function of the signed index alone"),
        ({"link": "loglog"}, "link='loglog' is not antisymmetric, so that exchanging the two options"),
        ({"loss": "ipo", "tau": 0.0}, r"tau must be positive, got 0\.0"),
        ({"loss": "robust", "flip_rate": 0.5}, r"flip_rate must be in \[0, 0\.5\), got 0\.5"),
        ({"loss": "robust", "flip_rate": -0.1}, r"flip_rate must be in \[0, 0\.5\), got -0\.1"),
    ],
)
def test_parameters_of_known_links(parameters, message) -> None:
    with pytest.raises(ValueError, match=message):
        KnownLinkPolicy(**parameters).fit(*sample())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"link": "logistic"},
            "link must be 'spline', 'isotonic', a MonotoneSpline or a ShapeConstrainedLink",
        ),
        ({"link": ShapeConstrainedLink(monotone=False, lipschitz=1.0)}, "identified by monotonicity only"),
        ({"normalization": None}, "normalization=None: a free link absorbs the scale of the index"),
        ({"solver": "osqp"}, "solver must be 'pava' or 'cvxpy', got 'osqp'"),
        ({"solver": "cvxpy"}, "solver='cvxpy' chooses how the isotonic link is fitted; use link='isotonic'"),
        (
            {"link": "isotonic", "ridge": 0.1},
            "ridge=0.1 with link='isotonic': an isotonic link can be arbitrarily",
        ),
    ],
)
def test_parameters_of_profiled_links(parameters, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        ProfiledLinkPolicy(**parameters).fit(*sample())


def test_named_coefficient_that_is_zero() -> None:
    X, y = sample()
    X[:, 1] = 0
    with (
        pytest.warns(IdentificationWarning, match="No comparison varies in 'x1'"),
        pytest.raises(InvalidParameterError, match="the coefficient of 'x1' is zero within rounding"),
    ):
        ProfiledLinkPolicy(normalization="x1").fit(X, y)


# Classes of raters ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_class_of_raters(estimator, missing) -> None:
    X, y = sample()
    groups = np.array([1.0, 2.0] * 75, dtype=object if missing is None else float)
    groups[9] = missing
    with pytest.raises(InvalidDataError, match="link_groups has no class in row 9"):
        fit(estimator, X, y, link_groups=groups)


@both
def test_unknown_class_of_raters_at_prediction(estimator) -> None:
    X, y = sample()
    groups = np.array(["expert", "lay"])[np.arange(150) % 2]
    model = fit(estimator, X, y, link_groups=groups)
    with pytest.raises(
        InvalidDataError, match=r"contains 'robot', which did not occur in the fit; .*\['expert', 'lay'\]"
    ):
        model.predict(X[:2], link_groups=["expert", "robot"])
    with pytest.raises(InvalidParameterError, match=r"link_groups must have 2 entries, got shape \(1,\)"):
        model.predict(X[:2], link_groups=["expert"])
    with pytest.raises(InvalidParameterError, match="fitted with one common link; pass link_groups to fit"):
        fit(estimator, X, y).predict(X[:2], link_groups=["expert", "lay"])


def test_link_groups_of_two_types() -> None:
    X, y = sample()
    classes = np.array([1, "a"] * (len(y) // 2) + [1] * (len(y) % 2), dtype=object)
    with pytest.raises(InvalidDataError, match="link_groups mixes text and numbers"):
        ProfiledLinkPolicy().fit(X, y, link_groups=classes)
