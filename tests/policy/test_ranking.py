"""`RankingPolicy`: contracts, the area under the ROC curve, awkward data, accuracy of the direction."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, gamma
from scipy.stats import norm
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from semiindex import KnownLinkPolicy, PreferencePairs, RankingPolicy
from semiindex.exceptions import (
    IdentificationWarning,
    InvalidDataError,
    InvalidParameterError,
    SeparationWarning,
)
from semiindex.objective.pairwise_sums import Indicator, LogisticSurrogate, SquaredHinge
from semiindex.objective.ranking import RankingObjective

SYMMETRIC = [RankingPolicy(), RankingPolicy("logistic"), RankingPolicy("squared_hinge")]
POSITIONAL = [clone(estimator).set_params(antisymmetric=False) for estimator in SYMMETRIC]
RIDGE = [RankingPolicy(ridge=0.05), RankingPolicy("logistic", ridge=0.05)]
LEARNERS = SYMMETRIC + POSITIONAL
every = pytest.mark.parametrize("estimator", LEARNERS + RIDGE, ids=repr)
learners = pytest.mark.parametrize("estimator", LEARNERS, ids=repr)


# The checks use separated and rank-deficient data, of which the estimators rightly warn.
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@parametrize_with_checks(LEARNERS + RIDGE)
def test_scikit_learn_checks(estimator, check) -> None:
    check(estimator)


def sample(n: int = 200, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(n, 2)), rng.exponential(size=n) - rng.exponential(size=n)])
    X = np.round(X * 256) / 256
    p = 0.1 + 0.8 * expit(2 * X @ [1.0, -0.5, 0.3])
    return X, (rng.random(n) < p).astype(int), rng


def fit(estimator, *args, **kwargs):
    return clone(estimator).fit(*args, **kwargs)


def assert_same_fit(one, two, X) -> None:
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


# The same data written in different ways -----------------------------------------------------------


@every
def test_integer_weights_are_repeated_rows(estimator) -> None:
    X, y, rng = sample()
    weight = rng.integers(1, 4, size=y.size)
    one = fit(estimator, X, y, sample_weight=weight)
    two = fit(estimator, np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_same_fit(one, two, X)
    assert one.temperature_ == two.temperature_


@every
def test_order_of_rows_does_not_matter(estimator) -> None:
    X, y, rng = sample()
    X, y = np.concatenate([X, X[:50]]), np.concatenate([y, 1 - y[:50]])  # soft labels once merged
    weight = rng.random(y.size) + 0.1
    order = rng.permutation(y.size)
    one = fit(estimator, X, y, sample_weight=weight)
    assert_same_fit(one, fit(estimator, X[order], y[order], sample_weight=weight[order]), X)


@pytest.mark.parametrize("estimator", SYMMETRIC + RIDGE, ids=repr)
def test_exchanging_the_options_of_rows_changes_nothing(estimator) -> None:
    X, y, rng = sample()
    X[::17] = 0.0
    turned = rng.random(y.size) < 0.5
    one = fit(estimator, X, y)
    assert_same_fit(one, fit(estimator, np.where(turned[:, None], -X, X), np.where(turned, 1 - y, y)), X)
    np.testing.assert_allclose(one.predict_proba(-X), one.predict_proba(X)[:, ::-1], atol=1e-15)


@every
def test_rows_without_weight_are_absent(estimator) -> None:
    X, y, _ = sample()
    weight = np.ones(y.size)
    weight[::3] = 0
    X[::3] = 1e6
    one = fit(estimator, X, y, sample_weight=weight)
    assert_same_fit(one, fit(estimator, X[weight > 0], y[weight > 0]), X[weight > 0])


@learners
def test_rescaling_a_feature_rescales_its_coefficient(estimator) -> None:
    X, y, _ = sample()
    one = fit(estimator, X, y)
    for factor, rtol in ((np.array([1.0, 4.0, 1 / 1024]), 1e-12), (np.array([1.0, 1e5 / 3, 7e-4]), 1e-6)):
        two = fit(estimator, X * factor, y)
        np.testing.assert_allclose(two.coef_ * factor, one.coef_, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("estimator", POSITIONAL, ids=repr)
def test_a_constant_added_to_every_difference_is_a_position_effect(estimator) -> None:
    X, y, _ = sample()
    one = clone(estimator).set_params(normalization="norm").fit(X, y)
    two = clone(estimator).set_params(normalization="norm").fit(X + np.array([5.0, 0.0, -3.0]), y)
    np.testing.assert_allclose(two.coef_, one.coef_, atol=2e-3)  # a hundredth of a standard error, or less


@every
@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, np.asfortranarray, pd.DataFrame])
def test_one_sample_in_every_container(estimator, container) -> None:
    X, y, _ = sample()
    X[np.abs(X) < 0.3] = 0.0
    two = fit(estimator, container(X), y)
    np.testing.assert_array_equal(two.coef_, fit(estimator, X, y).coef_)


@every
def test_prediction_decision_and_probability_agree(estimator) -> None:
    X, y, rng = sample()
    model = fit(estimator, X, y)
    points = np.concatenate([X, rng.normal(size=(400, 3)) * np.logspace(-9, 2, 400)[:, None]])
    decision, proba = model.decision_function(points), model.predict_proba(points)
    np.testing.assert_array_equal(model.predict(points), (decision > 0).astype(int))
    np.testing.assert_array_equal(model.predict(points), proba.argmax(axis=1))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(points), proba)


@every
def test_normalisations_leave_predictions_as_they_are(estimator) -> None:
    X, y, _ = sample()
    models = [clone(estimator).set_params(normalization=rule).fit(X, y) for rule in ("rms", "norm", 1)]
    for model in models[1:]:
        np.testing.assert_allclose(model.predict_proba(X), models[0].predict_proba(X), atol=1e-9)
    assert np.sqrt(np.mean((X @ models[0].coef_) ** 2)) == pytest.approx(1, rel=1e-10)
    assert models[2].coef_[1] == -1


# The criterion -------------------------------------------------------------------------------------


def test_auc_is_that_of_scikit_learn() -> None:
    X, y, rng = sample()
    weight = rng.random(200)
    model = RankingPolicy(antisymmetric=False).fit(X, y)
    X = np.round(X)  # with ties
    expected = roc_auc_score(y, model.decision_function(X), sample_weight=weight)
    assert model.auc(X, y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    symmetric = RankingPolicy().fit(X, y)
    t = symmetric.decision_function(X)
    doubled = roc_auc_score(np.append(y, 1 - y), np.append(t, -t), sample_weight=np.tile(weight, 2))
    assert symmetric.auc(X, y, sample_weight=weight) == pytest.approx(doubled, rel=1e-12)
    assert symmetric.auc(-X, 1 - y, weight) == pytest.approx(doubled, rel=1e-12)


def test_auc_of_pairs_uses_their_own_labels_and_weights() -> None:
    X, y, _ = sample()
    weight = np.arange(200) % 3 + 1.0
    pairs = PreferencePairs(np.zeros_like(X), X, y, weights=weight)
    model, plain = RankingPolicy().fit(pairs), RankingPolicy().fit(X, y, sample_weight=weight)
    assert model.auc(pairs) == plain.auc(X, y, sample_weight=weight)
    assert model.auc(pairs, 1 - y) == pytest.approx(1 - plain.auc(X, y, sample_weight=weight), rel=1e-12)
    assert model.score(pairs) == plain.score(X, y, sample_weight=weight)


def test_auc_reads_labels_as_the_user_wrote_them() -> None:
    X, y, _ = sample()
    words = np.array(["left", "right"])[y]
    model = RankingPolicy(antisymmetric=False).fit(X, words)
    assert model.auc(X, words) == pytest.approx(roc_auc_score(y, model.decision_function(X)), rel=1e-12)
    with pytest.raises(InvalidDataError, match="y contains 'up', but the labels of the fit are"):
        model.auc(X, np.where(y == 1, "up", words))
    with pytest.raises(InvalidDataError, match="labels of one kind only"):
        model.auc(X[y == 1], words[y == 1])
    with pytest.raises(InvalidDataError, match="y is missing: a matrix of differences carries no labels"):
        model.auc(X)
    with pytest.raises(InvalidDataError, match="frequencies are finite and at least 0, and one"):
        model.auc(X, words, sample_weight=np.zeros(200))


def test_tools_of_scikit_learn_score_by_accuracy_or_by_auc() -> None:
    X, y, _ = sample()
    accuracy = cross_val_score(RankingPolicy(), X, y, cv=3)
    area = cross_val_score(RankingPolicy(), X, y, cv=3, scoring="roc_auc")
    assert (area > accuracy).all()
    search = GridSearchCV(RankingPolicy(), {"surrogate": ["sigmoid", "logistic"]}, scoring="roc_auc", cv=3)
    assert search.fit(X, y).best_score_ >= area.mean()


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_sharp_sigmoid_leaves_hardly_a_pair_to_improve(antisymmetric) -> None:
    X, y, rng = sample(n=60)
    model = RankingPolicy(temperature=0.02, antisymmetric=antisymmetric).fit(X, y)
    objective, z = RankingObjective(Indicator(), antisymmetric=antisymmetric), y.astype(float)
    others = rng.normal(size=(4000, 3))
    best = min(objective.evaluate(X @ theta, z, np.ones(60)).value for theta in others)
    assert 1 - model.auc(X, y) <= best + 0.004


@pytest.mark.parametrize(
    ("name", "surrogate"), [("logistic", LogisticSurrogate()), ("squared_hinge", SquaredHinge())]
)
@pytest.mark.parametrize("antisymmetric", [True, False])
def test_convex_surrogate_is_minimised(name, surrogate, antisymmetric) -> None:
    X, y, _ = sample()
    model = RankingPolicy(name, antisymmetric=antisymmetric, tol=1e-6).fit(X, y)
    objective, z = RankingObjective(surrogate, antisymmetric=antisymmetric), y.astype(float)

    def plain(theta):
        evaluation = objective.evaluate(X @ theta, z, np.ones(200))
        return evaluation.value, X.T @ evaluation.gradient

    found = minimize(plain, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-9})
    assert model.loss_curve_[-1] == pytest.approx(found.fun, rel=1e-9)
    direction = found.x / np.sqrt(np.mean((X @ found.x) ** 2))
    np.testing.assert_allclose(model.coef_, direction, atol=1e-5)


def test_temperature_falls_faster_than_the_fourth_root_of_the_sample() -> None:
    X, y, _ = sample(n=4000)
    temperature = RankingPolicy().fit(X, y).temperature_
    assert temperature == pytest.approx(0.75 * 4000 ** (-1 / 3), rel=1e-12)
    assert temperature <= 0.05
    smoothing = [np.sqrt(n) * RankingPolicy()._final_temperature(n) ** 2 for n in (1e3, 1e6, 1e9)]
    assert smoothing == sorted(smoothing, reverse=True)
    assert RankingPolicy(temperature=0.3).fit(X, y).temperature_ == 0.3
    assert RankingPolicy(ridge=0.1).fit(X, y).temperature_ == 1.0
    assert RankingPolicy("logistic").fit(X, y).temperature_ is None


# Accuracy ------------------------------------------------------------------------------------------


def asymptotic_error(probability, slope, sd: float, n: int, d: int) -> float:
    """Mean angle in radians of maximum rank correlation on a standard normal design (Sherman 1993).

    Variance ``E f^2 Psi (1 - Psi) / (E f Psi')^2`` in every direction off theta, f the index's density.
    """

    def mean(function) -> float:
        return quad(lambda u: function(u) * norm.pdf(u, scale=sd), -10 * sd, 10 * sd, limit=200)[0]

    density = norm(scale=sd).pdf
    top = mean(lambda u: density(u) ** 2 * probability(u) * (1 - probability(u)))
    bottom = mean(lambda u: density(u) * slope(u)) ** 2
    chi = np.sqrt(2) * gamma(d / 2) / gamma((d - 1) / 2)  # mean norm of d - 1 standard normals
    return float(np.sqrt(top / bottom / n) * chi / sd)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_error_is_that_of_maximum_rank_correlation(antisymmetric) -> None:
    runs, n, d, sd = 25, 3000, 5, 2.0
    theta = np.array([1.0, -1, 0.5, 0.25, -0.5])
    theta *= sd / np.linalg.norm(theta)
    angles = []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, d))
        y = rng.random(n) < 0.2 + 0.6 * expit(3 * X @ theta)
        model = RankingPolicy(antisymmetric=antisymmetric, normalization="norm").fit(X, y)
        angles.append(np.arccos(model.coef_ @ theta / sd))
    expected = asymptotic_error(
        lambda u: 0.2 + 0.6 * expit(3 * u), lambda u: 1.8 * expit(3 * u) * expit(-3 * u), sd, n, d
    )
    # The norm of four normals has a coefficient of variation of 0.36: four standard errors of the mean.
    assert np.mean(angles) == pytest.approx(expected, rel=4 * 0.36 / np.sqrt(runs))


def test_direction_is_right_where_the_logistic_one_is_not() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    X = np.column_stack(
        [rng.integers(-2, 3, n), rng.lognormal(size=n) - rng.lognormal(size=n), rng.normal(size=n)]
    ).astype(float)
    theta = np.array([1.0, -0.8, 0.5])
    y = rng.random(n) < 0.03 + 0.72 * expit(2.5 * X @ theta - 0.4)

    def angle(model) -> float:
        t, truth = X @ model.fit(X, y).coef_, X @ theta
        return float(np.degrees(np.arccos(t @ truth / np.sqrt((t @ t) * (truth @ truth)))))

    ranking = angle(RankingPolicy(antisymmetric=False))
    assert ranking < 3
    assert angle(KnownLinkPolicy(antisymmetric=False)) > 2 * ranking
    assert angle(RankingPolicy("logistic", antisymmetric=False)) > 2 * ranking  # convex: not consistent


@pytest.mark.parametrize("n", [60_000])
def test_large_sample_in_stages_is_the_small_problem(n, monkeypatch) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 3))
    y = rng.random(n) < expit(X @ [1.0, -0.5, 0.3])
    staged = RankingPolicy().fit(X, y)
    monkeypatch.setattr("semiindex.optimize.fit._STAGE_THRESHOLD", n)
    monkeypatch.setattr("semiindex.policy.ranking._ANNEALING_ROWS", n)
    whole = RankingPolicy().fit(X, y)
    assert staged.converged_
    assert whole.converged_
    # Both are within a hundredth of a standard error (about 0.006) of the minimiser.
    np.testing.assert_allclose(staged.coef_, whole.coef_, atol=2e-4)


# Awkward data --------------------------------------------------------------------------------------


@learners
def test_perfectly_separated(estimator) -> None:
    X, _, rng = sample()
    y = (X @ [1.0, -0.5, 0.3] > 0).astype(int)
    with pytest.warns(SeparationWarning, match="The data are completely separated") as record:
        model = fit(estimator, X, y)
    assert len(record) == 1
    assert model.score(X, y) == 1.0
    assert model.auc(X, y) == 1.0
    assert model.temperature_ is None
    order = rng.permutation(200)
    with pytest.warns(SeparationWarning, match="completely separated"):
        np.testing.assert_array_equal(fit(estimator, X[order], y[order]).coef_, model.coef_)


@learners
def test_quasi_separated(estimator) -> None:
    X, y, rng = sample()
    gift = (np.arange(200) % 5 == 0) * (2.0 * y - 1)  # the option with the gift always wins
    X = np.column_stack([X, gift])
    with pytest.warns(SeparationWarning, match="The data are quasi-completely separated"):
        model = fit(estimator, X, y)
    assert np.isfinite(model.coef_).all()
    assert model.coef_[3] > np.abs(model.coef_[:3]).max()
    order = rng.permutation(200)
    with pytest.warns(SeparationWarning, match="quasi-completely separated"):
        np.testing.assert_array_equal(fit(estimator, X[order], y[order]).coef_, model.coef_)


@learners
def test_more_features_than_comparisons(estimator) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 80)), np.arange(30) % 2
    with (
        pytest.warns(SeparationWarning, match="completely separated"),
        pytest.warns(IdentificationWarning, match=r"more features \(80\) than different comparisons \(30\)"),
    ):
        model = fit(estimator, X, y)
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("estimator", RIDGE, ids=repr)
def test_a_ridge_settles_it_without_a_warning(estimator) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 80)), np.arange(30) % 2
    model = fit(estimator, X, y)
    assert model.converged_
    strong = clone(estimator).set_params(ridge=100.0).fit(X, y)
    # The stronger the ridge, the closer to the mean of the signed rows.
    target = X.T @ (2 * y - 1)
    cosine = [m.coef_ @ target / np.linalg.norm(m.coef_) / np.linalg.norm(target) for m in (model, strong)]
    assert cosine[1] > cosine[0]
    assert cosine[1] > 0.999


@pytest.mark.parametrize("estimator", SYMMETRIC, ids=repr)
def test_chosen_and_rejected_options_have_one_class(estimator) -> None:
    X, y, _ = sample()
    model = fit(estimator, X, y)
    chosen = fit(estimator, np.where(y[:, None] == 1, X, -X), np.ones(200, int))
    np.testing.assert_array_equal(chosen.coef_, model.coef_)
    assert chosen.auc(X, y) == model.auc(X, y)


@pytest.mark.parametrize("estimator", POSITIONAL, ids=repr)
def test_one_class_needs_antisymmetry(estimator) -> None:
    X, _, _ = sample()
    with pytest.raises(InvalidDataError, match="y has only one class among rows of positive weight"):
        fit(estimator, X, np.ones(200, int))


@every
def test_one_feature_has_only_a_sign_and_a_link(estimator) -> None:
    X, y, _ = sample()
    up = clone(estimator).set_params(normalization="norm").fit(X[:, :1], y)
    down = clone(estimator).set_params(normalization="norm").fit(-X[:, :1], y)
    assert up.coef_.tolist() == [1.0]
    assert down.coef_.tolist() == [-1.0]


def test_sign_of_one_feature_is_that_of_the_order_not_of_an_outlier() -> None:
    t = np.append(np.linspace(-1, 1, 40), 500.0)
    y = np.append((np.linspace(-1, 1, 40) > 0) ^ (np.arange(40) % 4 == 0), False)
    model = RankingPolicy(antisymmetric=False, normalization="norm").fit(t[:, None], y)
    assert model.coef_.tolist() == [1.0]


def test_outliers_a_million_standard_deviations_out() -> None:
    X, y, _ = sample(n=2000)
    plain = RankingPolicy().fit(X, y)
    X, y = np.concatenate([X, [[1e6, 0, 0], [0, -1e6, 0]]]), np.append(y, [1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = RankingPolicy().fit(X, y)
        convex = RankingPolicy("logistic").fit(X, y)
    # At unit root mean square the others are as one point to the sigmoid; a convex surrogate on the
    # scale of the features sees them, and two comparisons among 2000 change little.
    assert model.auc(X, y) > 0.5
    cosine = convex.coef_ @ plain.coef_ / np.linalg.norm(convex.coef_) / np.linalg.norm(plain.coef_)
    assert cosine > 0.99


# Classes of raters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_classes_of_raters_are_ranked_within(antisymmetric) -> None:
    rng = np.random.default_rng(4)
    n = 3000
    X, group = rng.normal(size=(n, 3)), rng.choice(["expert", "lay"], n)
    t = X @ [1.0, -0.5, 0.3]
    # Lay raters press the right button mostly: pooled pairs are off, pairs within a class are not.
    p = np.where(group == "expert", expit(4 * t), 0.7 + 0.3 * expit(2 * t))
    y = (rng.random(n) < (p if not antisymmetric else expit(np.where(group == "expert", 4, 0.5) * t))).astype(
        int
    )
    model = RankingPolicy(antisymmetric=antisymmetric).fit(X, y, link_groups=group)
    assert set(model.links_) == {"expert", "lay"}
    shares = [np.mean(group == g) for g in model.links_]
    objective = RankingObjective(Indicator(), antisymmetric=antisymmetric)

    def within(index) -> float:
        return sum(
            share * objective.evaluate(index[rows], y[rows].astype(float), np.ones(rows.sum())).value
            for share, rows in zip(shares, [group == g for g in model.links_], strict=True)
        )

    assert within(X @ model.coef_) <= within(t) + 1e-3
    expert, lay = (model.links_[g].probability(-1.0) for g in ("expert", "lay"))
    assert abs(expert - lay) > 0.1
    proba = model.predict_proba(X, link_groups=group)
    assert np.mean(proba[:, 1]) == pytest.approx(y.mean(), abs=0.03)


def test_a_class_with_one_kind_of_label_has_no_pairs() -> None:
    X, y, _ = sample()
    group = np.arange(200) % 2
    y[group == 1] = 1
    model = RankingPolicy(antisymmetric=False).fit(X, y, link_groups=group)
    alone = RankingPolicy(antisymmetric=False, temperature=model.temperature_).fit(
        X[group == 0], y[group == 0]
    )
    cosine = model.coef_ @ alone.coef_ / np.linalg.norm(model.coef_) / np.linalg.norm(alone.coef_)
    assert cosine > 0.99


# Parameters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"surrogate": "hinge"}, "surrogate must be one of"),
        ({"surrogate": "indicator"}, "surrogate must be one of"),
        ({"normalization": None}, "normalization=None: a free link absorbs the scale of the index"),
        ({"surrogate": "logistic", "temperature": 0.1}, "temperature=0.1 is the width of the sigmoid"),
        ({"temperature": 0.0}, "temperature must be a finite number >= 1e-06"),
        ({"temperature": np.nan}, "temperature must be a finite number >= 1e-06"),
        ({"temperature": np.inf}, "temperature must be a finite number >= 1e-06"),
        ({"ridge": -1.0}, "ridge must be a finite number >= 0"),
        ({"tol": 0.0}, "tol must be a positive number"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1"),
    ],
)
def test_parameters_without_a_meaning(parameters, message) -> None:
    X, y, _ = sample()
    with pytest.raises(InvalidParameterError, match=message):
        RankingPolicy(**parameters).fit(X, y)
