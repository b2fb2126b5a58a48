"""The estimators as scikit-learn classifiers: its own checks, and the tools that people use around them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from semiindex import (
    KnownLinkPolicy,
    MonotoneSpline,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import SemiindexWarning

ESTIMATORS = [
    KnownLinkPolicy(),
    KnownLinkPolicy(antisymmetric=False),
    KnownLinkPolicy(loss="ipo"),
    KnownLinkPolicy(loss="hinge"),
    KnownLinkPolicy(link="probit", ridge=0.1),
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(ridge=0.1),
    ProfiledLinkPolicy(link="isotonic"),
    ProfiledLinkPolicy(link="isotonic", antisymmetric=False),
    ProfiledLinkPolicy(link=ShapeConstrainedLink(lipschitz=1.0, n_knots=20)),
]
LEARNERS = [
    KnownLinkPolicy(),
    ProfiledLinkPolicy(),
    OrthogonalPolicy(),
    OrthogonalPolicy("efficient_score"),
    RankingPolicy(),
    RankingPolicy("squared_hinge"),
]
WITHOUT_OWN_FOLDS = [*LEARNERS[:3], *LEARNERS[4:]]


# The checks use separated and rank-deficient data, of which the estimators rightly warn.
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check) -> None:
    check(estimator)


def sample(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < 1 / (1 + np.exp(-X @ [1.0, -0.5, 0.3]))).astype(int)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_clone_has_equal_parameters_and_no_fit(estimator) -> None:
    X, y = sample()
    fitted = clone(estimator).fit(X, y)
    copy = clone(fitted)
    assert repr(copy) == repr(estimator)
    assert not hasattr(copy, "coef_")


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_set_params_is_read_by_fit(estimator) -> None:
    X, y = sample()
    model = clone(estimator).set_params(normalization="norm").fit(X, y)
    assert model.get_params()["normalization"] == "norm"
    assert np.linalg.norm(model.coef_) == pytest.approx(1.0, rel=1e-12)
    with pytest.raises(ValueError, match="Invalid parameter 'no_such_parameter'"):
        model.set_params(no_such_parameter=1)


@pytest.mark.parametrize("estimator", WITHOUT_OWN_FOLDS, ids=repr)
def test_raters_are_accepted_and_leave_these_fits_alone(estimator) -> None:
    X, y = sample()
    raters = np.arange(240) // 8
    plain, given = clone(estimator).fit(X, y), clone(estimator).fit(X, y, groups=raters)
    np.testing.assert_array_equal(given.coef_, plain.coef_)
    with pytest.raises(ValueError, match="groups must have one entry for each of the 240 comparisons"):
        clone(estimator).fit(X, y, groups=raters[1:])


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_pickled_model_predicts_the_same(estimator) -> None:
    X, y = sample()
    model = clone(estimator).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.coef_, model.coef_)


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_pipeline_with_a_scaler_changes_units_only(estimator) -> None:
    X, y = sample()
    X = X * [1.0, 50.0, 0.02]
    plain = clone(estimator).fit(X, y)
    pipeline = make_pipeline(StandardScaler(with_mean=False), clone(estimator)).fit(X, y)
    scale = pipeline[0].scale_
    np.testing.assert_allclose(pipeline[-1].coef_ / scale, plain.coef_, rtol=1e-6)
    np.testing.assert_allclose(pipeline.predict_proba(X), plain.predict_proba(X), atol=1e-6)


def test_grid_search_over_link_and_ridge_finds_the_link_of_the_data() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 3)) * 3
    p = 0.2 + 0.6 / (1 + np.exp(-4 * X @ [1.0, -0.5, 0.3]))
    y = (rng.random(1500) < p).astype(int)
    grid = [{"link": ["spline", MonotoneSpline(n_knots=4)], "ridge": [0.0, 5.0]}, {"link": ["isotonic"]}]
    search = GridSearchCV(ProfiledLinkPolicy(), grid, scoring="neg_log_loss", cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 5
    assert search.best_params_.get("ridge", 0.0) == 0.0
    known = cross_val_score(KnownLinkPolicy(), X, y, scoring="neg_log_loss", cv=3).mean()
    assert search.best_score_ > known


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_cross_validation_of_pairs_keeps_raters_together(estimator) -> None:
    X, y = sample()
    raters = np.arange(240) // 8
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=raters)
    folds = GroupKFold(4)
    from_pairs = cross_val_score(clone(estimator), pairs, y, groups=pairs.groups, cv=folds)
    to_fit = {"groups": raters}
    from_arrays = cross_val_score(clone(estimator), X, y, groups=raters, cv=folds, params=to_fit)
    assert from_pairs.shape == (4,)
    np.testing.assert_array_equal(from_pairs, from_arrays)


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_pairs_and_their_differences_are_the_same_data(estimator) -> None:
    X, y = sample()
    rng = np.random.default_rng(5)
    first = rng.integers(-8, 8, size=X.shape) / 4  # exact differences
    X = np.round(X * 16) / 16
    weight = rng.integers(0, 4, size=240).astype(float)
    pairs = PreferencePairs(first, first + X, y, weights=weight)
    from_pairs = clone(estimator).fit(pairs)
    from_array = clone(estimator).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(from_pairs.coef_, from_array.coef_)
    np.testing.assert_array_equal(from_pairs.predict_proba(pairs), from_array.predict_proba(X))
    assert from_pairs.score(pairs) == from_array.score(X, y, sample_weight=weight)
    # The score of an option is the index of its comparison with an option of score 0.
    scores = from_pairs.score_options(pairs.features1) - from_pairs.score_options(pairs.features0)
    np.testing.assert_allclose(scores, from_pairs.decision_function(pairs), atol=1e-12)


def test_weights_given_to_fit_multiply_those_of_the_pairs() -> None:
    X, y = sample()
    weight, more = np.arange(240) % 3 + 1.0, np.arange(240) % 2 + 1.0
    both = ProfiledLinkPolicy().fit(PreferencePairs(0 * X, X, y, weights=weight), sample_weight=more)
    product = ProfiledLinkPolicy().fit(X, y, sample_weight=weight * more)
    np.testing.assert_array_equal(both.coef_, product.coef_)


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_data_frame_gives_feature_names_and_wants_them_back(estimator) -> None:
    X, y = sample()
    frame = pd.DataFrame(X, columns=["price", "time", "comfort"])
    model = clone(estimator).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["price", "time", "comfort"]
    assert list(model.coefficients().index) == ["price", "time", "comfort"]
    np.testing.assert_array_equal(model.predict(frame), clone(estimator).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        model.predict(frame[["time", "price", "comfort"]])
    with pytest.raises(ValueError, match="unseen at fit time"):
        model.predict(frame.rename(columns={"price": "cost"}))


def test_refit_on_an_array_forgets_the_names() -> None:
    X, y = sample()
    model = KnownLinkPolicy().fit(pd.DataFrame(X, columns=["a", "b", "c"]), y)
    model.fit(X[:, :2], y)
    assert not hasattr(model, "feature_names_in_")
    assert list(model.coefficients().index) == ["x0", "x1"]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score_options"])
def test_prediction_needs_a_fit(estimator, method) -> None:
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(clone(estimator), method)(np.zeros((2, 3)))


@pytest.mark.parametrize("method", ["summary", "coefficients"])
def test_report_needs_a_fit(method) -> None:
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(ProfiledLinkPolicy(), method)()


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.coo_array], ids=lambda c: c.__name__)
@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_sparse_prediction(estimator, container) -> None:
    X, y = sample()
    model = clone(estimator).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(container(X)), model.predict_proba(X), atol=1e-14)


def test_warnings_have_one_ancestor_to_filter_by() -> None:
    X, y = sample()
    X[:, 1] = 0.0
    with pytest.warns(SemiindexWarning, match="No comparison varies in 'x1'"):
        KnownLinkPolicy().fit(X, y)
