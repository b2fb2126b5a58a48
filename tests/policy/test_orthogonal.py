"""`OrthogonalPolicy` by both routes: against a known link, and on data written in different ways."""

from __future__ import annotations

import inspect
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink, OrthogonalPolicy, PreferencePairs
from semiindex.exceptions import (
    ConvergenceWarning,
    IdentificationWarning,
    InvalidDataError,
    InvalidParameterError,
    SeparationWarning,
)
from semiindex.index.kernel import KernelIndex
from semiindex.link.kernel import KERNELS

ROUTES = [OrthogonalPolicy(), OrthogonalPolicy("efficient_score")]
POSITIONAL = [
    OrthogonalPolicy(antisymmetric=False),
    OrthogonalPolicy("efficient_score", antisymmetric=False),
]
ALL = ROUTES + POSITIONAL
routes = pytest.mark.parametrize("estimator", ROUTES, ids=repr)
every = pytest.mark.parametrize("estimator", ALL, ids=repr)


def sample(n: int = 200, d: int = 3, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n, d)) * 256) / 256
    p = 0.1 + 0.8 / (1 + np.exp(-2 * X @ np.resize([1.0, -0.5, 0.3], d)))
    return X, (rng.random(n) < p).astype(int)


def fit(estimator, *args, **kwargs) -> OrthogonalPolicy:
    with warnings.catch_warnings():
        # Whether every fit of a small sample reaches its tolerance is not the subject here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(estimator).fit(*args, **kwargs)


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@parametrize_with_checks([*ALL, OrthogonalPolicy(kernel="gaussian", bandwidth="cv")])
def test_scikit_learn_checks(estimator, check) -> None:
    check(estimator)


# Accuracy -----------------------------------------------------------------------------------------------


def angles(estimator, known, runs: int, n: int = 1500) -> np.ndarray:
    """Angles to the truth of an estimator and of the one that knows the link, shape (runs, 2)."""
    theta = np.array([1.0, -0.8, 0.5, 0.3])
    theta *= 2 / np.linalg.norm(theta)
    link = LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0)
    result = np.empty((runs, 2))
    for run in range(runs):
        rng = np.random.default_rng([run, 7])
        X = rng.normal(size=(n, 4))
        X[:, 1] = rng.exponential(size=n) ** 1.5 - rng.exponential(size=n)
        X[:, 2] = rng.binomial(1, 0.3, n) - rng.binomial(1, 0.3, n)
        y = (rng.random(n) < link.probability(X @ theta)).astype(int)
        for k, model in enumerate((estimator, known(link))):
            t, truth = X @ clone(model).fit(X, y).coef_, X @ theta
            result[run, k] = np.degrees(np.arccos(t @ truth / np.linalg.norm(t) / np.linalg.norm(truth)))
    return result


@routes
def test_as_accurate_as_the_estimator_that_knows_the_link(estimator) -> None:
    result = angles(estimator, KnownLinkPolicy, runs=12)
    # Mean ratio 1.05 over many runs; the ratio of means has the standard error of the paired difference.
    error = (result[:, 0] - result[:, 1]).std(ddof=1) / np.sqrt(12) / result[:, 1].mean()
    assert result[:, 0].mean() / result[:, 1].mean() < 1.05 + 3 * error
    assert error < 0.15
    logistic = angles(KnownLinkPolicy(), KnownLinkPolicy, runs=12)[:, 0]
    assert result[:, 0].mean() < 0.8 * logistic.mean()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("method", ["klein_spady", "efficient_score"])
def test_kernels_agree(method, kernel) -> None:
    X, y = sample(2000)
    reference = fit(OrthogonalPolicy(method), X, y)
    other = fit(OrthogonalPolicy(method, kernel=kernel), X, y)
    assert np.abs(other.coef_ - reference.coef_).max() < 0.02


def test_routes_agree_within_sampling_error() -> None:
    X, y = sample(4000)
    one, two = (fit(estimator, X, y).coef_ for estimator in ROUTES)
    assert np.abs(one - two).max() < 0.02


def test_link_need_not_be_monotone_for_the_index() -> None:
    """The kernel link shows a fall that the monotone one cannot."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 3))
    t = X @ [0.8, -0.5, 0.3]
    p = 0.5 + 0.45 * np.tanh(6 * t) * np.exp(-((t / 1.2) ** 2))
    y = (rng.random(4000) < p).astype(int)
    model = OrthogonalPolicy(normalization="norm").fit(X, y)
    assert model.coef_ @ [0.8, -0.5, 0.3] / np.linalg.norm([0.8, -0.5, 0.3]) > np.cos(np.radians(3))
    at = np.array([0.5, 2.2])
    high, low = model.kernel_link_.probability(at)
    assert high > low + 0.2
    assert (np.diff(model.link_.probability(np.linspace(-3, 3, 50))) > -1e-12).all()


def test_sign_is_that_of_the_covariance() -> None:
    X, y = sample(400)
    for estimator in ALL:
        for labels in (y, 1 - y):
            model = fit(estimator, X, labels)
            assert np.cov(X @ model.coef_, labels)[0, 1] > 0


# The same data written in different ways -----------------------------------------------------------------


@every
def test_integer_weights_are_repeated_rows(estimator) -> None:
    X, y = sample()
    weight = np.random.default_rng(0).integers(1, 4, y.size)
    weighted = fit(estimator, X, y, sample_weight=weight)
    repeated = fit(estimator, np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.coef_, repeated.coef_)
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))
    np.testing.assert_array_equal(weighted.kernel_link_.values, repeated.kernel_link_.values)
    assert weighted.n_trimmed_ == repeated.n_trimmed_


@every
def test_order_of_rows_does_not_matter(estimator, rng) -> None:
    X, y = sample()
    weight = rng.random(y.size) + 0.1
    order = rng.permutation(y.size)
    one = fit(estimator, X, y, sample_weight=weight)
    two = fit(estimator, X[order], y[order], sample_weight=weight[order])
    np.testing.assert_array_equal(one.coef_, two.coef_)


@routes
def test_exchanging_the_options_of_rows_changes_nothing(estimator, rng) -> None:
    X, y = sample()
    turned = rng.random(y.size) < 0.5
    one = fit(estimator, X, y)
    two = fit(estimator, np.where(turned[:, None], -X, X), np.where(turned, 1 - y, y))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    chosen_minus_rejected = np.where(y[:, None] == 1, X, -X)
    np.testing.assert_array_equal(fit(estimator, chosen_minus_rejected, np.ones(200, int)).coef_, one.coef_)


@every
def test_units_of_the_features_are_free(estimator) -> None:
    X, y = sample()
    factor = np.array([1.0, 1e5 / 3, 7e-4])
    one, two = fit(estimator, X, y), fit(estimator, X * factor, y)
    np.testing.assert_allclose(two.coef_ * factor, one.coef_, rtol=1e-5, atol=1e-6)


@routes
def test_pickled_model_predicts_the_same(estimator) -> None:
    X, y = sample()
    model = fit(estimator, X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


# Raters ---------------------------------------------------------------------------------------------------


def test_comparisons_of_a_rater_share_a_fold(monkeypatch) -> None:
    X, y = sample()
    raters = np.array([f"r{k:02d}" for k in np.arange(200) // 8])
    seen = {}

    def spy(self, prepared):
        seen["folds"], seen["sample"] = prepared.strata, prepared.sample
        return original(self, prepared)

    original = OrthogonalPolicy._estimate
    monkeypatch.setattr(OrthogonalPolicy, "_estimate", spy)
    model = OrthogonalPolicy("efficient_score", n_folds=4)
    weight = np.ones(200)
    weight[::9] = 0  # rows without weight are absent, and so are their raters
    fit(model, X, y, sample_weight=weight, groups=raters)
    rows = seen["sample"].design.design.rows(slice(None))
    folds = {}
    for row, fold in zip(rows, seen["folds"], strict=True):
        match = np.flatnonzero((np.abs(X) == np.abs(row)).all(axis=1) & (weight > 0))
        for rater in raters[match]:
            assert folds.setdefault(rater, fold) == fold
    assert len(folds) == 25
    assert set(folds.values()) == {0, 1, 2, 3}


def test_raters_may_answer_the_same_comparisons() -> None:
    rng = np.random.default_rng(0)
    items = rng.normal(size=(30, 3))
    X = np.tile(items, (10, 1))
    raters = np.repeat(np.arange(10), 30)
    y = (rng.random(300) < 1 / (1 + np.exp(-2 * X @ [1.0, -0.5, 0.3]))).astype(int)
    model = fit(OrthogonalPolicy("efficient_score"), X, y, groups=raters)
    order = rng.permutation(300)
    again = fit(OrthogonalPolicy("efficient_score"), X[order], y[order], groups=raters[order])
    np.testing.assert_array_equal(model.coef_, again.coef_)
    pairs = PreferencePairs(0 * X, X, y, groups=raters)
    np.testing.assert_array_equal(fit(OrthogonalPolicy("efficient_score"), pairs).coef_, model.coef_)
    alone = fit(OrthogonalPolicy("efficient_score"), X, y)
    assert np.abs(alone.coef_ - model.coef_).max() > 0


@routes
def test_classes_of_raters_have_their_own_links(estimator) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    classes = np.array(["careful", "hasty"])[np.arange(2000) % 2]
    steep = np.where(classes == "careful", 5.0, 0.7)
    y = (rng.random(2000) < 1 / (1 + np.exp(-steep * (X @ [1.0, -0.5, 0.3])))).astype(int)
    model = fit(estimator, X, y, link_groups=classes)
    both = fit(estimator, X, y, link_groups=classes, groups=np.arange(2000) // 5)
    for fitted in (model, both):
        assert list(fitted.links_) == ["careful", "hasty"]
        high = {name: link.probability([1.0])[0] for name, link in fitted.links_.items()}
        assert high["careful"] > high["hasty"] + 0.1


@pytest.mark.parametrize("pooling", ["auto", None])
@pytest.mark.parametrize("method", ["klein_spady", "efficient_score"])
def test_class_of_raters_with_one_label(method: str, pooling: str | None) -> None:
    """It says nothing of the index, and keeps nobody else from it."""
    X, y = sample(400)
    classes = np.arange(400) % 2
    estimator = OrthogonalPolicy(method, antisymmetric=False, pooling=pooling, normalization="norm")
    model = fit(estimator, X, np.where(classes == 1, 1, y), link_groups=classes)
    alone = fit(estimator, X[::2], y[::2])
    assert (
        model.converged_ or method == "efficient_score"
    )  # a score that jumps may stop early, with a warning
    assert model.n_iter_ > 1
    assert model.coef_ @ alone.coef_ > 0.99
    assert model.predict_proba(X[:5], link_groups=np.ones(5, dtype=int))[:, 1].min() > 0.9


def test_class_of_one_comparison() -> None:
    X, y = sample(400)
    classes = (np.arange(400) == 7).astype(int)
    estimator = OrthogonalPolicy(antisymmetric=False, pooling=None, normalization="norm")
    model = fit(estimator, X, y, link_groups=classes)
    assert model.converged_
    assert model.coef_ @ fit(estimator, X, y).coef_ > 0.995


def test_folds_depend_on_the_random_state_only() -> None:
    X, y = sample()
    score = OrthogonalPolicy("efficient_score")
    np.testing.assert_array_equal(fit(score, X, y).coef_, fit(score, X, y).coef_)
    other = fit(clone(score).set_params(random_state=1), X, y)
    assert 0 < np.abs(other.coef_ - fit(score, X, y).coef_).max() < 0.2
    state = np.random.RandomState(5)
    fit(clone(score).set_params(random_state=state), X, y)


# Components ----------------------------------------------------------------------------------------------


@every
def test_components_are_those_of_the_score_at_its_root(estimator) -> None:
    X, y = sample(2000)
    model = clone(estimator).fit(X, y)
    parts = model.score_components(X, y)
    assert parts.centred.shape == X.shape
    np.testing.assert_allclose(parts.index, X @ model.coef_)
    np.testing.assert_array_equal(parts.label, y)
    total = parts.scores.sum(axis=0)
    # The estimates solve the score, on other folds and bandwidths: within a fraction of a standard error.
    spread = np.sqrt((parts.scores**2).sum(axis=0))
    assert (np.abs(total) < 0.6 * spread).all()
    values = np.linalg.eigvalsh(parts.information)
    assert values[0] < 0.1 * values[1]
    g = parts.probability
    assert abs(np.mean(y - g)) < 0.05
    weight = np.random.default_rng(0).integers(1, 3, 2000)
    weighted = model.score_components(X, y, sample_weight=weight, groups=np.arange(2000) // 10)
    assert np.unique(weighted.folds[:10]).size == 1


def test_components_of_pairs_are_those_of_their_differences() -> None:
    X, y = sample(300)
    pairs = PreferencePairs(0 * X, X, y)
    model = fit(OrthogonalPolicy(), pairs)
    one, two = model.score_components(pairs), model.score_components(pairs, y)
    np.testing.assert_array_equal(one.centred, two.centred)
    array = fit(OrthogonalPolicy(), X, y)
    np.testing.assert_array_equal(array.score_components(X, y).scores, one.scores)
    with pytest.raises(InvalidDataError, match="y is missing: a matrix of differences carries no labels"):
        array.score_components(X)


# What the data do not determine --------------------------------------------------------------------------


@every
def test_perfectly_separated(estimator) -> None:
    X, _ = sample()
    y = (X @ [1.0, -0.5, 0.3] > 0).astype(int)
    with pytest.warns(SeparationWarning, match="The data are completely separated") as record:
        model = clone(estimator).fit(X, y)
    assert len(record) == 1
    assert "use ProfiledLinkPolicy(ridge=...)" in str(record[0].message)
    assert str(record[0].message) in model.notes_
    assert model.score(X, y) == 1.0
    order = np.random.default_rng(1).permutation(200)
    with pytest.warns(SeparationWarning, match="completely separated"):
        np.testing.assert_array_equal(clone(estimator).fit(X[order], y[order]).coef_, model.coef_)


@routes
def test_quasi_separated(estimator) -> None:
    X, y = sample()
    gift = (np.arange(200) % 5 == 0) * (2.0 * y - 1)  # the option with the gift always wins
    with pytest.warns(SeparationWarning, match="quasi-completely separated"):
        model = fit(estimator, np.column_stack([X, gift]), y)
    assert np.isfinite(model.coef_).all()
    assert model.coef_[3] > np.abs(model.coef_[:3]).max()


@every
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SeparationWarning")
def test_more_features_than_comparisons(estimator) -> None:
    X, y = sample(n=30, d=80)
    with pytest.warns(IdentificationWarning, match="more features"):
        model = fit(estimator, X, y)
    assert model.score(X, y) == 1.0
    order = np.random.default_rng(1).permutation(30)
    with pytest.warns(IdentificationWarning, match="more features"):
        np.testing.assert_array_equal(fit(estimator, X[order], y[order]).coef_, model.coef_)


@every
def test_one_feature_has_only_a_sign_and_a_link(estimator) -> None:
    X, y = sample()
    model = fit(clone(estimator).set_params(normalization="norm"), X[:, :1], y)
    assert model.coef_.tolist() == [1.0]


def test_trimming_is_counted_and_noted() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2)) * 5
    y = (rng.random(600) < 1 / (1 + np.exp(-2 * X @ [1.0, 0.5]))).astype(int)
    for estimator in ROUTES:
        model = fit(clone(estimator).set_params(trimming=0.02), X, y)
        assert 0 < model.n_trimmed_ < 600
        assert any(f"of {model.n_trimmed_:g} comparisons was held" in note for note in model.notes_)
        assert fit(clone(estimator).set_params(trimming=1e-6), X, y).n_trimmed_ < model.n_trimmed_


# Parameters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "newton"}, r"method must be one of \('klein_spady', 'efficient_score'\), got 'newton'"),
        ({"kernel": "box"}, "kernel must be one of .* got 'box'"),
        ({"bandwidth": "silverman"}, "bandwidth must be 'rule', 'cv' or a positive number .* 'silverman'"),
        ({"bandwidth": 0.0}, "bandwidth must be .* got 0.0"),
        ({"n_folds": 1}, "n_folds must be an integer >= 2, got 1"),
        ({"trimming": 0.5}, "trimming must lie between 0 and 1/2, got 0.5"),
        ({"normalization": None}, "normalization=None: a free link absorbs the scale"),
        ({"index": KernelIndex()}, r"needs a penalty, and an orthogonal score has no scale .* ProfiledLink"),
        ({"tol": 0.0}, "tol must be"),
    ],
)
def test_parameters_without_a_meaning(parameters, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        OrthogonalPolicy(**parameters).fit(*sample())


def test_groups_are_checked() -> None:
    X, y = sample()
    model = OrthogonalPolicy("efficient_score")
    with pytest.raises(InvalidDataError, match=r"groups must have one entry for each of the 200 comparisons"):
        model.fit(X, y, groups=np.zeros(199))
    groups = np.zeros(200)
    groups[3] = np.nan
    with pytest.raises(InvalidDataError, match="groups has no rater in row 3; drop the row"):
        model.fit(X, y, groups=groups)


def test_warnings_point_at_the_line_that_called_fit() -> None:
    X, _ = sample()
    y = (X[:, 0] > 0).astype(int)
    degenerate = np.column_stack([X, X[:, 0], np.zeros(200)])
    noisy = (np.random.default_rng(0).random(200) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        OrthogonalPolicy().fit(degenerate, y)
        OrthogonalPolicy(max_iter=1, tol=1e-12).fit(X, noisy)
    assert {w.category for w in record} == {IdentificationWarning, SeparationWarning, ConvergenceWarning}
    for w in record:
        assert w.filename == __file__
        assert w.lineno == line + (w.category is ConvergenceWarning)


def test_a_single_rater_cannot_be_cross_fitted() -> None:
    X, y = sample()
    one = np.zeros(200)
    with pytest.raises(InvalidDataError, match="two raters or more"):
        OrthogonalPolicy("efficient_score").fit(X, y, groups=one)
    model = fit(OrthogonalPolicy(), X, y, groups=one)  # nothing is cross-fitted
    with pytest.raises(InvalidDataError, match="two raters or more"):
        model.score_components(X, y, groups=one)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5)])
def test_bandwidths_of_numpy(number) -> None:
    X, y = sample()
    np.testing.assert_array_equal(
        fit(OrthogonalPolicy(bandwidth=number), X, y).coef_, fit(OrthogonalPolicy(bandwidth=0.5), X, y).coef_
    )
    fit(OrthogonalPolicy(bandwidth=np.int64(1)), X, y)
    with pytest.raises(InvalidParameterError, match="bandwidth must be"):
        OrthogonalPolicy(bandwidth=True).fit(X, y)


def test_components_check_labels_and_weights() -> None:
    X, y = sample()
    model = fit(OrthogonalPolicy(), X, y)
    with pytest.raises(InvalidDataError, match="the label 2, which did not occur"):
        model.score_components(X, np.where(np.arange(200) == 5, 2, y))
    with pytest.raises(InvalidDataError, match="sample_weight is negative"):
        model.score_components(X, y, np.where(np.arange(200) == 5, -1.0, 1.0))
