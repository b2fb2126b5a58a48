"""Different ways to write the same data give the same fit.

Samples of this size are brought to canonical form, so that the equalities are exact where the
numbers themselves are.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink, ProfiledLinkPolicy, ShapeConstrainedLink

SYMMETRIC = [
    KnownLinkPolicy(),
    KnownLinkPolicy(link="cauchit"),
    KnownLinkPolicy(link=LapsedLink(LogisticLink(), lower=0.1, upper=0.1)),
    KnownLinkPolicy(loss="ipo"),
    KnownLinkPolicy(loss="hinge"),
    KnownLinkPolicy(loss="robust", flip_rate=0.05),
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy(link="isotonic"),
    ProfiledLinkPolicy(link=ShapeConstrainedLink(lipschitz=1.0, loss="squared", n_knots=20)),
]
POSITIONAL = [
    KnownLinkPolicy(antisymmetric=False),
    KnownLinkPolicy(link="loglog", antisymmetric=False),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(link="isotonic", antisymmetric=False),
]
RIDGE = [KnownLinkPolicy(ridge=0.05), ProfiledLinkPolicy(ridge=0.05)]
ALL = SYMMETRIC + POSITIONAL + RIDGE
by_name = pytest.mark.parametrize("estimator", ALL, ids=repr)

# Whether every fit on these small samples reaches its tolerance is not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")


def sample(n: int = 200, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(n, 2)), rng.exponential(size=n) - rng.exponential(size=n)])
    X = np.round(X * 256) / 256
    p = 0.1 + 0.8 / (1 + np.exp(-2 * X @ [1.0, -0.5, 0.3]))
    return X, (rng.random(n) < p).astype(int), rng


def assert_same_fit(one, two, X) -> None:
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


@by_name
def test_integer_weights_are_repeated_rows(estimator) -> None:
    X, y, rng = sample()
    weight = rng.integers(1, 4, size=y.size)
    X[3:20] = 0.0
    weighted = clone(estimator).fit(X, y, sample_weight=weight)
    repeated = clone(estimator).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_same_fit(weighted, repeated, X)
    assert weighted.n_comparisons_ == repeated.n_comparisons_ == weight.sum()
    assert weighted.notes_ == repeated.notes_


@by_name
def test_order_of_rows_does_not_matter(estimator) -> None:
    X, y, rng = sample()
    X = np.concatenate([X, X[:50]])  # repeated comparisons with fractional weights
    y = np.concatenate([y, 1 - y[:50]])
    weight = rng.random(y.size) + 0.1
    order = rng.permutation(y.size)
    one = clone(estimator).fit(X, y, sample_weight=weight)
    two = clone(estimator).fit(X[order], y[order], sample_weight=weight[order])
    assert_same_fit(one, two, X)


@pytest.mark.parametrize("estimator", SYMMETRIC + RIDGE, ids=repr)
def test_exchanging_the_options_of_rows_changes_nothing(estimator) -> None:
    X, y, rng = sample()
    X[::17] = 0.0  # an option compared with itself
    turned = rng.random(y.size) < 0.5
    one = clone(estimator).fit(X, y)
    two = clone(estimator).fit(np.where(turned[:, None], -X, X), np.where(turned, 1 - y, y))
    assert_same_fit(one, two, X)
    np.testing.assert_allclose(one.predict_proba(-X), one.predict_proba(X)[:, ::-1], atol=1e-15)


@pytest.mark.parametrize("estimator", POSITIONAL, ids=repr)
def test_exchanging_the_options_matters_where_position_does(estimator) -> None:
    X, y, rng = sample()
    turned = rng.random(y.size) < 0.5
    one = clone(estimator).fit(X, y)
    two = clone(estimator).fit(np.where(turned[:, None], -X, X), np.where(turned, 1 - y, y))
    assert np.abs(one.coef_ - two.coef_).max() > 1e-4


@by_name
def test_rows_without_weight_are_absent(estimator) -> None:
    X, y, _ = sample()
    weight = np.ones(y.size)
    weight[::3] = 0
    X[::3] = 1e6  # whatever stands there
    one = clone(estimator).fit(X, y, sample_weight=weight)
    two = clone(estimator).fit(X[weight > 0], y[weight > 0])
    assert_same_fit(one, two, X[weight > 0])


@by_name
def test_labels_of_any_kind(estimator) -> None:
    X, y, _ = sample()
    one = clone(estimator).fit(X, y)
    for labels in (y == 1, 2 * y - 1, np.array(["left", "right"])[y], y.astype(float)):
        two = clone(estimator).fit(X, labels)
        assert_same_fit(one, two, X)
        np.testing.assert_array_equal(two.predict(X) == two.classes_[1], one.predict(X) == 1)


@pytest.mark.parametrize("estimator", SYMMETRIC + POSITIONAL, ids=repr)
def test_rescaling_a_feature_by_a_power_of_two_is_exact(estimator) -> None:
    X, y, _ = sample()
    factor = np.array([1.0, 4.0, 1 / 1024])
    one = clone(estimator).set_params(normalization="rms").fit(X, y)
    two = clone(estimator).set_params(normalization="rms").fit(X * factor, y)
    np.testing.assert_allclose(two.coef_ * factor, one.coef_, rtol=1e-12)


@pytest.mark.parametrize("estimator", SYMMETRIC + POSITIONAL, ids=repr)
def test_rescaling_a_feature_rescales_its_coefficient(estimator) -> None:
    X, y, _ = sample()
    factor = np.array([1.0, 1e5 / 3, 7e-4])
    one = clone(estimator).set_params(normalization="rms").fit(X, y)
    two = clone(estimator).set_params(normalization="rms").fit(X * factor, y)
    np.testing.assert_allclose(two.coef_ * factor, one.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(two.predict_proba(X * factor), one.predict_proba(X), atol=1e-6)


@by_name
def test_one_sample_in_every_container(estimator) -> None:
    X, y, _ = sample()
    X[np.abs(X) < 0.3] = 0.0
    model = clone(estimator).fit(X, y)
    read_only = X.copy()
    read_only.flags.writeable = False
    for other in (
        np.asfortranarray(X),
        read_only,
        sp.csr_matrix(X),
        sp.csc_array(X),
        X.tolist(),
        X.astype(object),
    ):
        again = clone(estimator).fit(other, y)
        assert_same_fit(again, model, X)
        assert again.notes_ == model.notes_


@by_name
def test_float32_is_kept_and_means_the_same_numbers(estimator) -> None:
    X, y, _ = sample()  # exact in float32
    single = clone(estimator).fit(X.astype(np.float32), y)
    double = clone(estimator).fit(X, y)
    assert single.coef_.dtype == np.float32
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert single.decision_function(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(single.coef_, double.coef_.astype(np.float32))


@pytest.mark.parametrize("estimator", SYMMETRIC + RIDGE, ids=repr)
def test_a_tie_is_half_a_win_of_either_option(estimator) -> None:
    X, y, _ = sample()
    tied = np.arange(y.size) < 40
    weight = np.concatenate([np.where(tied, 0.5, 1.0), np.full(40, 0.5)])
    y[:40] = 1
    both_labels = clone(estimator).fit(
        np.concatenate([X, X[:40]]), np.concatenate([y, np.zeros(40, int)]), sample_weight=weight
    )
    both_orders = clone(estimator).fit(
        np.concatenate([X, -X[:40]]), np.concatenate([y, np.ones(40, int)]), sample_weight=weight
    )
    assert_same_fit(both_labels, both_orders, X)
    assert both_labels.n_comparisons_ == y.size


@by_name
def test_prediction_decision_and_probability_agree(estimator) -> None:
    X, y, rng = sample()
    model = clone(estimator).fit(X, y)
    dense = np.concatenate(
        [X, rng.normal(size=(400, 3)) * np.logspace(-9, 2, 400)[:, None], np.zeros((1, 3))]
    )
    for points in (dense, dense.astype(np.float32)):
        decision, proba = model.decision_function(points), model.predict_proba(points)
        np.testing.assert_array_equal(model.predict(points), (decision > 0).astype(int))
        np.testing.assert_array_equal(model.predict(points), proba.argmax(axis=1))
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-7)
        assert ((proba >= 0) & (proba <= 1)).all()


@by_name
@pytest.mark.parametrize("seed", range(4))
def test_option_beside_itself_is_even_if_position_has_no_effect(estimator, seed) -> None:
    X, y, _ = sample(n=25, seed=seed)
    model = clone(estimator).fit(X, y)
    proba, label = model.predict_proba(np.zeros((1, 3))), model.predict(np.zeros((1, 3)))
    assert proba.argmax() == label[0]
    if estimator.antisymmetric:
        assert proba.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("link", ["spline", "isotonic"])
@pytest.mark.parametrize("flip", [False, True])
def test_one_option_more_probable_throughout_keeps_the_order_of_the_index(link, flip) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    y = rng.random(2000) < 0.75 + 0.1 * np.tanh(X @ [1.0, -0.5, 0.2])
    model = ProfiledLinkPolicy(link=link, antisymmetric=False).fit(-X if flip else X, y != flip)
    assert np.isinf(model.link_.half_point)
    points = np.concatenate([X, 1e3 * X])
    for array in (points, points.astype(np.float32)):
        decision, index = model.decision_function(array), array @ model.coef_
        np.testing.assert_array_equal(decision > 0, not flip)
        assert (np.diff(decision[np.argsort(index)]) >= 0).all()
        np.testing.assert_array_equal(model.predict_proba(array).argmax(axis=1), not flip)
    assert np.unique(model.decision_function(X)).size == 2000


def test_flat_of_the_link_at_one_half_is_broken_by_the_index() -> None:
    # Below |t| = 1 the labels are coin flips, so that the isotonic link is flat at 1/2 there.
    t = np.concatenate([np.linspace(0.05, 0.9, 18), np.linspace(1.1, 2, 10)])
    y = np.concatenate([np.tile([0, 1], 9), np.ones(10, int)])
    model = ProfiledLinkPolicy(link="isotonic").fit(t[:, None], y)
    points = np.array([[-0.3], [-1e-9], [0.0], [1e-9], [0.3]])
    assert model.link_.probability(model.coef_[0] * points[:, 0]) == pytest.approx(0.5)
    np.testing.assert_array_equal(model.predict(points), [0, 0, 0, 1, 1])
    proba = model.predict_proba(points)
    np.testing.assert_array_equal(proba.argmax(axis=1), [0, 0, 0, 1, 1])
    np.testing.assert_allclose(proba, 0.5, atol=1e-15)


@by_name
def test_normalisations_leave_predictions_as_they_are(estimator) -> None:
    X, y, _ = sample()
    rules = ["rms", "norm", 1] + ([None] if isinstance(estimator, KnownLinkPolicy) else [])
    models = [clone(estimator).set_params(normalization=rule).fit(X, y) for rule in rules]
    for model in models[1:]:
        np.testing.assert_allclose(model.predict_proba(X), models[0].predict_proba(X), atol=1e-9)
        ratio = model.coef_ / models[0].coef_
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
        assert ratio[0] > 0
    index = X @ models[0].coef_
    assert np.sqrt(np.mean(index**2)) == pytest.approx(1, rel=1e-10)
    assert np.linalg.norm(models[1].coef_) == pytest.approx(1, rel=1e-12)
    assert models[2].coef_[1] == -1


@by_name
def test_one_feature_has_only_a_sign_and_a_link(estimator) -> None:
    X, y, _ = sample()
    x = X[:, :1]
    up = clone(estimator).set_params(normalization="norm").fit(x, y)
    down = clone(estimator).set_params(normalization="norm").fit(-x, y)
    assert up.coef_.tolist() == [1.0]
    assert down.coef_.tolist() == [-1.0]
    np.testing.assert_allclose(up.predict_proba(x), down.predict_proba(-x), atol=1e-6)


@settings(max_examples=15)
@given(data=st.data(), n=st.integers(12, 30), seed=st.integers(0, 1000))
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.IdentificationWarning")
@pytest.mark.parametrize("link", ["spline", "isotonic"])
def test_canonical_equivalences_on_discrete_designs(
    link: str, data: st.DataObject, n: int, seed: int
) -> None:
    """Ties, contradictions, self-comparisons: permutation, repetition and exchange are still exact."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, size=(n, 2)).astype(float)
    assume(np.linalg.matrix_rank(X) == 2)
    y = rng.integers(0, 2, size=n)
    weight = rng.integers(1, 4, size=n)
    one = ProfiledLinkPolicy(link=link).fit(X, y, sample_weight=weight)
    rows = np.repeat(np.arange(n), weight)
    rows = rows[data.draw(st.permutations(range(rows.size)))]
    turned = rng.random(rows.size) < 0.5
    two = ProfiledLinkPolicy(link=link).fit(
        np.where(turned[:, None], -X[rows], X[rows]), np.where(turned, 1 - y[rows], y[rows])
    )
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
