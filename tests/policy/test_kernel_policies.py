"""Estimators over kernel indices, against naive dual solutions and against themselves on the same data."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index import KernelIndex, ProductKernel

GAMMA, RIDGE = 0.3, 0.01
ESTIMATORS = [
    KnownLinkPolicy(ridge=RIDGE),
    KnownLinkPolicy("probit", ridge=RIDGE),
    KnownLinkPolicy(loss="ipo", ridge=RIDGE),
    KnownLinkPolicy(loss="hinge", ridge=RIDGE),
    KnownLinkPolicy(loss="robust", ridge=RIDGE),
    KnownLinkPolicy(antisymmetric=False, ridge=RIDGE),
    ProfiledLinkPolicy(ridge=RIDGE),
    ProfiledLinkPolicy(ridge=RIDGE, antisymmetric=False),
    ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=0.25, n_knots=20), ridge=RIDGE),
]
MAIN = [ESTIMATORS[0], ESTIMATORS[6]]


def sample(n: int = 120, seed: int = 0) -> PreferencePairs:
    """Options are liked best on a circle: no linear score would do."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, n, 2))
    score = [-2 * np.abs((side**2).sum(axis=1) - 1) for side in (first, second)]
    return PreferencePairs(first, second, rng.random(n) < 1 / (1 + np.exp(score[0] - score[1])))


def dual_logistic(K: np.ndarray, z: np.ndarray, ridge: float) -> np.ndarray:
    """Coefficients c of ``t = K c`` that minimise mean log loss + ridge / 2 c'Kc, by brute force."""
    sign = 2 * z - 1

    def loss(c):
        t = K @ c
        slope = -sign / (1 + np.exp(sign * t)) / z.size
        return np.logaddexp(0, -sign * t).mean() + ridge / 2 * c @ t, K @ (slope + ridge * c)

    return minimize(
        loss, np.zeros(z.size), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}
    ).x


def index_of(model, X) -> np.ndarray:
    """Index values on the scale of the fit with a known link."""
    return model.decision_function(X)


def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return rbf_kernel(a, b, gamma=GAMMA)


def test_exact_fit_is_the_kernel_machine_of_the_difference_kernel() -> None:
    pairs, new = sample(), sample(30, seed=1)
    model = KnownLinkPolicy(index=KernelIndex(gamma=GAMMA), ridge=RIDGE, tol=1e-8).fit(pairs)
    columns = [
        k(pairs.features1, side) - k(pairs.features0, side) for side in (pairs.features1, pairs.features0)
    ]
    c = dual_logistic(columns[0] - columns[1], pairs.labels, RIDGE)

    def h(options):
        return (k(options, pairs.features1) - k(options, pairs.features0)) @ c

    np.testing.assert_allclose(index_of(model, new), h(new.features1) - h(new.features0), atol=1e-5)
    np.testing.assert_allclose(model.score_options(new.features1), h(new.features1), atol=1e-5)
    K = columns[0] - columns[1]
    assert model.coef_ @ model.coef_ == pytest.approx(c @ K @ c, rel=1e-4)


def test_plain_differences_are_the_kernel_machine_of_the_odd_part() -> None:
    pairs, new = sample(), sample(30, seed=1).differences
    X = pairs.differences
    model = KnownLinkPolicy(index=KernelIndex(gamma=GAMMA), ridge=RIDGE, tol=1e-8).fit(X, pairs.labels)
    c = dual_logistic((k(X, X) - k(X, -X)) / 2, pairs.labels, RIDGE)
    np.testing.assert_allclose(index_of(model, new), (k(new, X) - k(new, -X)) / 2 @ c, atol=1e-5)
    with pytest.raises(InvalidDataError, match="need not be a difference of two scores"):
        model.score_options(new)


def test_linear_kernel_is_the_linear_index() -> None:
    pairs = sample()
    for estimator in MAIN:
        linear = clone(estimator).set_params(tol=1e-6).fit(pairs)
        kernel = clone(linear).set_params(index=KernelIndex("linear")).fit(pairs)
        assert kernel.coef_.size == 2
        np.testing.assert_allclose(kernel.predict_proba(pairs), linear.predict_proba(pairs), atol=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_every_estimator_learns_what_no_linear_index_can(estimator) -> None:
    pairs, new = sample(300), sample(400, seed=1)
    model = clone(estimator).set_params(index=KernelIndex()).fit(pairs)
    linear = clone(estimator).fit(pairs)
    assert model.converged_
    assert model.score(new) > 0.63
    assert model.score(new) > linear.score(new) + 0.1
    difference = model.score_options(new.features1) - model.score_options(new.features0)
    t = model.index_.design(new).matvec(model.coef_)
    np.testing.assert_allclose(difference, t, atol=1e-7)
    proba = model.predict_proba(new)
    np.testing.assert_array_equal(model.predict(new), proba.argmax(axis=1))
    assert len(model.summary().to_frame()) == model.index_.n_components_


@pytest.mark.parametrize(
    "index", [KernelIndex(components=600), KernelIndex(components=600, gamma=0.25)], ids=repr
)
def test_nystroem_at_all_options_is_the_exact_fit(index) -> None:
    pairs, new = sample(), sample(30, seed=1)
    exact = KnownLinkPolicy(index=clone(index).set_params(components=None), ridge=RIDGE, tol=1e-7).fit(pairs)
    approximate = clone(exact).set_params(index=index).fit(pairs)
    np.testing.assert_allclose(index_of(approximate, new), index_of(exact, new), atol=1e-4)


def test_random_features_come_near_the_exact_fit() -> None:
    pairs, new = sample(), sample(200, seed=1)
    exact = KnownLinkPolicy(index=KernelIndex(gamma=GAMMA), ridge=RIDGE).fit(pairs)
    waves = KernelIndex(gamma=GAMMA, components=2000, approximation="random_features")
    t = index_of(clone(exact).set_params(index=waves).fit(pairs), new)
    assert np.sqrt(np.mean((t - index_of(exact, new)) ** 2)) < 0.1 * np.std(t)


@pytest.mark.parametrize("estimator", MAIN, ids=repr)
def test_order_weights_and_exchange_do_not_matter(estimator) -> None:
    pairs, new = sample(), sample(30, seed=1)
    model = clone(estimator).set_params(index=KernelIndex(), tol=1e-7)
    wanted = clone(model).fit(pairs).predict_proba(new)
    rng = np.random.default_rng(3)
    permuted = clone(model).fit(pairs[rng.permutation(120)])
    np.testing.assert_allclose(permuted.predict_proba(new), wanted, atol=1e-6)
    exchanged = clone(model).fit(pairs.swapped(rng.random(120) < 0.5))
    np.testing.assert_allclose(exchanged.predict_proba(new), wanted, atol=1e-6)
    counts = rng.integers(1, 4, 120)
    weighted = clone(model).fit(pairs, sample_weight=counts)
    repeated = clone(model).fit(pairs[np.repeat(np.arange(120), counts)])
    np.testing.assert_allclose(weighted.predict_proba(new), repeated.predict_proba(new), atol=1e-5)


@pytest.mark.parametrize("estimator", MAIN, ids=repr)
def test_pickle_clone_and_nested_parameters(estimator) -> None:
    pairs = sample()
    kernel = ProductKernel((["x0"], "rbf"), (["x1"], "arc_cosine"))
    model = clone(estimator).set_params(index=KernelIndex(kernel))
    model.set_params(index__gamma=0.7).fit(pairs)
    assert model.index_.gamma_ == 0.7
    assert not hasattr(model.index, "gamma_")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(pairs), model.predict_proba(pairs))
    assert not hasattr(clone(model), "coef_")


@pytest.mark.parametrize("data", ["pairs", "differences"])
def test_grid_search_over_the_width(data: str) -> None:
    pairs = sample()
    X = pairs if data == "pairs" else pairs.differences
    search = GridSearchCV(
        KnownLinkPolicy(index=KernelIndex(), ridge=RIDGE),
        {"index__gamma": [1e-4, 0.3]},
        scoring="neg_log_loss",
        cv=3,
    ).fit(X, pairs.labels)
    if data == "pairs":
        assert search.best_params_ == {"index__gamma": 0.3}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_rich_classes_need_a_ridge_and_a_bounded_link() -> None:
    pairs = sample()
    for estimator in (KnownLinkPolicy(index=KernelIndex()), ProfiledLinkPolicy(index=KernelIndex())):
        with pytest.raises(InvalidParameterError, match=r"ridge=0 with index=KernelIndex\(\)"):
            estimator.fit(pairs)
    with pytest.raises(InvalidParameterError, match="an isotonic link can be arbitrarily steep"):
        ProfiledLinkPolicy("isotonic", index=KernelIndex(), ridge=0.1).fit(pairs)


@pytest.mark.parametrize(
    "estimator",
    [
        KnownLinkPolicy(),
        ProfiledLinkPolicy(),
        ProfiledLinkPolicy("isotonic"),
        OrthogonalPolicy(),
        OrthogonalPolicy("efficient_score"),
        RankingPolicy(),
    ],
    ids=repr,
)
def test_few_components_bound_the_class_so_that_no_ridge_is_needed(estimator) -> None:
    rng = np.random.default_rng(0)
    first, second, new = rng.uniform(-2, 2, size=(3, 3000, 2))
    score = [np.sin(2 * side[:, 0]) + side[:, 1] ** 2 for side in (first, second, new)]
    labels = rng.random(3000) < 0.2 + 0.6 / (1 + np.exp(3 * (score[0] - score[1])))
    model = clone(estimator).set_params(index=KernelIndex(components=15))
    model.fit(PreferencePairs(first, second, labels))
    assert np.corrcoef(model.score_options(new), score[2])[0, 1] > 0.95


def test_a_penalised_fit_says_when_its_link_is_the_logistic_one() -> None:
    pairs = sample(400)
    model = ProfiledLinkPolicy(index=KernelIndex(), ridge=RIDGE).fit(pairs)
    logistic = KnownLinkPolicy(index=KernelIndex(), ridge=RIDGE).fit(pairs)
    assert "the fit is that of the logistic link" in " ".join(model.notes_)
    np.testing.assert_allclose(model.predict_proba(pairs), logistic.predict_proba(pairs), atol=2e-3)


def test_a_penalised_fit_learns_a_flatter_link_where_the_data_ask_for_it() -> None:
    rng = np.random.default_rng(0)
    first, second, new = rng.uniform(-2, 2, size=(3, 3000, 2))
    score = [4 * np.sin(2 * side[:, 0]) for side in (first, second, new)]
    labels = rng.random(3000) < 0.25 + 0.5 / (1 + np.exp(2 * (score[0] - score[1])))
    pairs = PreferencePairs(first, second, labels)
    fits = [
        type(estimator)(index=KernelIndex(components=40), ridge=1e-5).fit(pairs)
        for estimator in (KnownLinkPolicy(), ProfiledLinkPolicy())
    ]
    assert "logistic" not in " ".join(fits[1].notes_)
    logistic, spline = (np.corrcoef(model.score_options(new), score[2])[0, 1] for model in fits)
    assert spline > logistic + 0.005


def test_classes_of_raters_share_the_index() -> None:
    pairs = sample(300)
    model = ProfiledLinkPolicy(index=KernelIndex(), ridge=RIDGE).fit(pairs, link_groups=np.arange(300) % 2)
    assert set(model.links_) == {0, 1}
    assert model.predict_proba(pairs, link_groups=np.arange(300) % 2).shape == (300, 2)


def test_single_precision_and_plain_arrays_predict_in_their_type() -> None:
    pairs = sample()
    X = pairs.differences.astype(np.float32)
    model = KnownLinkPolicy(index=KernelIndex(), ridge=RIDGE).fit(X, pairs.labels)
    assert model.predict_proba(X).dtype == np.float32
    double = KnownLinkPolicy(index=KernelIndex(), ridge=RIDGE).fit(X.astype(float), pairs.labels)
    np.testing.assert_allclose(model.predict_proba(X), double.predict_proba(X.astype(float)), atol=1e-3)


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@parametrize_with_checks(
    [
        KnownLinkPolicy(index=KernelIndex(), ridge=0.1),
        ProfiledLinkPolicy(index=KernelIndex(components=10), ridge=0.1),
    ]
)
def test_scikit_learn_checks(estimator, check) -> None:
    check(estimator)
