"""A link with a free location absorbs shifts of the index: constants added to features change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit
from sklearn.base import clone

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    MonotoneSpline,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
    infer,
    tune,
)
from semiindex.exceptions import IdentificationWarning

LEARNERS = [
    KnownLinkPolicy("probit", antisymmetric=False),
    KnownLinkPolicy("cloglog", antisymmetric=False, ridge=0.01, normalization="rms"),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(MonotoneSpline(max_slope=3.0), antisymmetric=False),
    ProfiledLinkPolicy(antisymmetric=False, ridge=0.01),
    ProfiledLinkPolicy("isotonic", antisymmetric=False),
    ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=1.0), antisymmetric=False),
    OrthogonalPolicy(antisymmetric=False),
    OrthogonalPolicy("efficient_score", antisymmetric=False),
    RankingPolicy(antisymmetric=False),
    RankingPolicy("logistic", antisymmetric=False, ridge=0.01),
    RankingPolicy("squared_hinge", antisymmetric=False),
]
#: Directions of the constants: alike, and against each other.
CONSTANT = np.array([1.0, -1.0, 0.5])


def sample(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=n), rng.exponential(size=n), rng.integers(0, 4, n)])
    t = X @ [1.0, -0.8, 0.5]
    return X, (rng.random(n) < 0.1 + 0.8 * expit(3 * (t - 0.4))).astype(int)


def direction(model) -> np.ndarray:
    return model.coef_ / np.linalg.norm(model.coef_)


@pytest.mark.parametrize("learner", LEARNERS, ids=repr)
def test_constants_in_the_features_change_nothing(learner) -> None:
    X, y = sample()
    base = clone(learner).fit(X, y)
    for size in (1.0, 100.0):
        moved = X + size * X.std(axis=0) * CONSTANT
        model = clone(learner).fit(moved, y)
        # The features themselves are rounded to 1e-14 of their spread.
        np.testing.assert_allclose(direction(model), direction(base), rtol=0, atol=1e-9)
        np.testing.assert_allclose(model.predict_proba(moved), base.predict_proba(X), rtol=0, atol=1e-8)
        assert (model.predict(moved) == base.predict(X)).all()
        if model.normalization_.startswith("unit root mean square"):  # of the index as it is, mean included
            assert np.sqrt(np.mean((moved @ model.coef_) ** 2)) == pytest.approx(1)
        assert model.index_rms_ == pytest.approx(np.sqrt(np.mean((moved @ model.coef_) ** 2)))


@pytest.mark.parametrize(
    "learner", [ProfiledLinkPolicy(antisymmetric=False), OrthogonalPolicy(antisymmetric=False)], ids=repr
)
def test_income_and_age_as_they_are_and_centred(learner) -> None:
    """Regressors far from zero, as in studies of labour supply: log income of 10.7, ages and their square."""
    rng = np.random.default_rng(1)
    age = rng.uniform(2.0, 6.2, 400)
    X = np.column_stack([rng.normal(10.7, 0.4, 400), age, age**2, rng.poisson(0.5, 400)])
    odds = -1.2 * (X[:, 0] - 10.7) + 3 * (age - 4) - 0.4 * (age**2 - 16) - 0.8 * X[:, 3]
    y = rng.random(400) < expit(odds + 0.5)
    raw, middle = clone(learner).fit(X, y), clone(learner).fit(X - X.mean(axis=0), y)
    np.testing.assert_allclose(direction(raw), direction(middle), rtol=0, atol=1e-8)
    np.testing.assert_allclose(raw.predict_proba(X), middle.predict_proba(X - X.mean(axis=0)), atol=1e-7)


def test_kernel_regression_and_score_components_follow_the_index() -> None:
    X, y = sample()
    moved = X + 100 * CONSTANT
    base, model = (OrthogonalPolicy(antisymmetric=False, normalization="norm").fit(D, y) for D in (X, moved))
    np.testing.assert_allclose(
        model.kernel_link_.probability(moved @ model.coef_),
        base.kernel_link_.probability(X @ base.coef_),
        atol=1e-8,
    )
    one, two = base.score_components(X, y), model.score_components(moved, y)
    np.testing.assert_allclose(two.scores, one.scores, atol=1e-8)
    np.testing.assert_allclose(two.index, moved @ model.coef_)


@pytest.mark.parametrize("pooling", ["auto", None, 20.0])
def test_links_of_classes_of_raters_are_shifted_too(pooling) -> None:
    X, y = sample(900)
    classes = np.arange(900) % 3
    moved = X + 50 * CONSTANT
    learner = ProfiledLinkPolicy(antisymmetric=False, pooling=pooling)
    base = clone(learner).fit(X, y, link_groups=classes)
    model = clone(learner).fit(moved, y, link_groups=classes)
    for groups in (classes, None):
        np.testing.assert_allclose(
            model.predict_proba(moved, groups), base.predict_proba(X, groups), rtol=0, atol=1e-8
        )


def test_the_shift_of_a_known_link_moves_against_the_index() -> None:
    X, y = sample()
    base = KnownLinkPolicy(antisymmetric=False, tol=1e-8).fit(X, y)
    model = KnownLinkPolicy(antisymmetric=False, tol=1e-8).fit(X + CONSTANT, y)
    assert model.link_.shift == pytest.approx(base.link_.shift - CONSTANT @ base.coef_)


def test_a_link_that_is_known_to_the_last_constant_sees_the_location() -> None:
    """With it a constant feature is identified: it is the intercept of the regression."""
    X, y = sample()
    learner = KnownLinkPolicy(antisymmetric=False, position_effect=False, tol=1e-8)
    model = learner.fit(np.column_stack([X, np.ones(y.size)]), y)
    free = KnownLinkPolicy(antisymmetric=False, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(model.coef_, [*free.coef_, free.link_.shift], atol=1e-6)


def test_sparse_features_far_from_zero_stay_sparse() -> None:
    X, y = sample()
    X = np.column_stack([X[:, 2] > 1, X[:, 2] + 5, X[:, 0]]).astype(float)
    one, two = (ProfiledLinkPolicy(antisymmetric=False).fit(D, y) for D in (X, sp.csr_array(X)))
    np.testing.assert_allclose(two.coef_, one.coef_, atol=1e-9)


def test_a_constant_column_beside_a_free_location_gets_no_coefficient() -> None:
    X, y = sample()
    base = ProfiledLinkPolicy(antisymmetric=False).fit(X, y)
    with pytest.warns(IdentificationWarning, match="same in every comparison"):
        model = ProfiledLinkPolicy(antisymmetric=False).fit(np.column_stack([X, np.full(y.size, 9.0)]), y)
    assert abs(model.coef_[3]) < 1e-9
    np.testing.assert_allclose(direction(model)[:3], direction(base), atol=1e-8)


def test_standard_errors_of_ratios_do_not_depend_on_location() -> None:
    X, y = sample()
    results = []
    for D in (X, X + 100 * CONSTANT):
        for learner in (KnownLinkPolicy(), ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")):
            model = clone(learner).set_params(antisymmetric=False, normalization="x0").fit(D, y)
            results.append(infer(model, D, y).standard_errors[: X.shape[1]])
    np.testing.assert_allclose(results[:3], results[3:], rtol=1e-6)


def test_tuning_scores_do_not_depend_on_location() -> None:
    X, y = sample()
    scores = []
    for D in (X, X + 10 * CONSTANT):
        pairs = PreferencePairs(D, np.zeros_like(D), y)
        learner = ProfiledLinkPolicy(antisymmetric=False, normalization="norm")
        scores.append(tune(learner, pairs, ridge=[0.1, 0.001, 0.0]).scores["log_loss"].to_numpy())
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-8)


def test_path_of_a_kernel_index_with_a_free_location_is_that_of_cold_fits() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.uniform(-2, 2, size=(2, 200, 1))
    y = rng.random(200) < expit(2 * (b**2 - a**2)[:, 0] + 0.7)
    pairs = PreferencePairs(a, b, y)
    learner = ProfiledLinkPolicy(index=KernelIndex(gamma=0.5), antisymmetric=False, ridge=0.01, tol=1e-5)
    folds = [(np.arange(100), np.arange(100, 200))]
    result = tune(learner, pairs, ridge=[0.1, 0.01], cv=folds).scores.set_index("ridge")["log_loss"]
    for ridge in (0.1, 0.01):
        cold = clone(learner).set_params(ridge=ridge).fit(pairs[:100])
        p = cold.predict_proba(pairs[100:])[:, 1]
        z = y[100:]
        assert result[ridge] == pytest.approx(-np.mean(z * np.log(p) + (1 - z) * np.log1p(-p)), abs=1e-4)
