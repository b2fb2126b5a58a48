"""Influence functions against refits, and what every covariance has to satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from semiindex import (
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    PreferencePairs,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.inference import infer
from semiindex.inference.conditional_mean import centred, index_basis
from semiindex.inference.eligibility import criterion_of
from semiindex.inference.influence import influence
from semiindex.inference.normalizing import normalizing_jacobian
from semiindex.inference.sample import read_sample

SHAPE = ShapeConstrainedLink(lipschitz=1.0, n_knots=25)
SQUARED = ShapeConstrainedLink(lipschitz=1.0, loss="squared", n_knots=25)
ESTIMATORS = [
    KnownLinkPolicy(),
    KnownLinkPolicy("probit", normalization="rms"),
    KnownLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(normalization="norm"),
    ProfiledLinkPolicy(normalization="x1"),
    ProfiledLinkPolicy("isotonic"),
    ProfiledLinkPolicy(SHAPE),
    ProfiledLinkPolicy(SQUARED),
]
by_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)


def influence_of(model, X, y, sample_weight=None) -> np.ndarray:
    sample = read_sample(model, X, y, sample_weight, None, None)
    return influence(model, sample, criterion_of(model)).rows


def refit_derivative(estimator, X, y, rows, step: float) -> np.ndarray:
    """Change of the coefficients per unit of weight of some rows, the second moment held fixed."""
    values = []
    for sign in (1, -1):
        weight = np.ones(len(y))
        weight[rows] += sign * step
        model = clone(estimator).fit(X, y, sample_weight=weight)
        theta = model.coef_
        if estimator.normalization == "rms":
            theta = theta / np.sqrt(np.mean((X @ theta) ** 2))
        values.append(theta)
    return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("symmetric", [True, False])
def test_logistic_influence_is_the_derivative_of_the_estimator(symmetric: bool, make_sample) -> None:
    """The derivative in a row's weight (infinitesimal jackknife), exact for a canonical link."""
    X, y = make_sample(150)
    estimator = KnownLinkPolicy(antisymmetric=symmetric, tol=1e-9)
    psi = influence_of(estimator.fit(X, y), X, y)
    for row in (0, 17, 99):
        expected = refit_derivative(estimator, X, y, [row], 1e-3)
        np.testing.assert_allclose(psi[row, :3], expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("link", ["probit", "cauchit", LapsedLink(LogisticLink(), 0.05, 0.05)], ids=repr)
def test_influence_of_a_wrong_link_is_the_derivative_of_the_estimator(link, make_sample) -> None:
    """Exact with the observed curvature; with its expectation under the wrong link it is off by 2% to 30%."""
    X, y = make_sample(150)
    estimator = KnownLinkPolicy(link, tol=1e-9)
    psi = influence_of(estimator.fit(X, y), X, y)
    for row in (0, 17, 99):
        expected = refit_derivative(estimator, X, y, [row], 1e-3)
        np.testing.assert_allclose(psi[row], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("normalization", ["rms", "x0"])
def test_spline_influence_is_the_derivative_of_the_estimator_in_a_large_sample(
    normalization: str, make_sample
) -> None:
    """To first order: what remains (knots, curvature whose mean is 0) vanishes as the sample grows."""
    X, y = make_sample(12_000)
    estimator = ProfiledLinkPolicy(normalization=normalization, tol=1e-6)
    psi = influence_of(estimator.fit(X, y), X, y)
    blocks = np.array_split(np.random.default_rng(1).permutation(len(y)), 16)
    actual = np.array([refit_derivative(estimator, X, y, rows, 0.1) for rows in blocks])
    expected = np.array([psi[rows].sum(axis=0) for rows in blocks])
    for j in [j for j in range(3) if normalization != f"x{j}"]:
        assert np.corrcoef(actual[:, j], expected[:, j])[0, 1] > 0.98
        assert np.std(actual[:, j]) == pytest.approx(np.std(expected[:, j]), rel=0.1)


@by_estimator
def test_covariance_is_symmetric_and_flat_along_the_normalisation(estimator, sample) -> None:
    X, y = sample
    model = clone(estimator).fit(X, y)
    result = infer(model, X, y)
    np.testing.assert_allclose(result.covariance, result.covariance.T, rtol=1e-9)
    assert np.linalg.eigvalsh(result.covariance)[0] > -1e-12
    gradient = {
        "rms": (X.T @ X / len(y)) @ model.coef_,
        "norm": model.coef_,
        "x1": np.array([0.0, 1.0, 0.0]),
    }.get(model.normalization)
    if gradient is not None:
        np.testing.assert_allclose(result.covariance @ gradient, 0, atol=1e-9)


@by_estimator
def test_integer_weights_are_repeated_rows(estimator, make_sample, rng) -> None:
    X, y = make_sample(400)
    weight = rng.integers(0, 3, size=y.size)
    weighted = infer(clone(estimator).fit(X, y, sample_weight=weight), X, y, sample_weight=weight)
    X, y = np.repeat(X, weight, axis=0), np.repeat(y, weight)
    repeated = infer(clone(estimator).fit(X, y), X, y)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-6, atol=1e-12)
    assert weighted.n_comparisons == repeated.n_comparisons == weight.sum()
    assert weighted.n_effective == repeated.n_effective
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)
    assert weighted.auc == pytest.approx(repeated.auc)


@by_estimator
def test_order_of_rows_is_of_no_account(estimator, sample, rng) -> None:
    X, y = sample
    order = rng.permutation(len(y))
    one = infer(clone(estimator).fit(X, y), X, y)
    two = infer(clone(estimator).fit(X[order], y[order]), X[order], y[order])
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6, atol=1e-12)


@by_estimator
def test_order_of_options_is_of_no_account_to_an_antisymmetric_model(estimator, sample, rng) -> None:
    if not estimator.antisymmetric:
        pytest.skip("the position of an option matters to this one")
    X, y = sample
    turned = rng.random(len(y)) < 0.5
    X2, y2 = np.where(turned[:, None], -X, X), np.where(turned, 1 - y, y)
    one = infer(clone(estimator).fit(X, y), X, y)
    two = infer(clone(estimator).fit(X2, y2), X2, y2)
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6, atol=1e-12)
    assert one.auc == pytest.approx(two.auc)


@by_estimator
def test_units_of_features_rescale_standard_errors(estimator, sample) -> None:
    if estimator.normalization not in ("rms", None):
        pytest.skip("the normalisation depends on the units")
    X, y = sample
    scale = np.array([1e3, 1.0, 1e-4])
    one = infer(clone(estimator).fit(X, y), X, y)
    two = infer(clone(estimator).fit(X * scale, y), X * scale, y)
    # Where a fit stops depends on rounding: scores that jump are the coarsest.
    np.testing.assert_allclose(one.standard_errors[:3], (two.standard_errors[:3] * scale), rtol=2e-2)


def test_self_comparisons_tell_nothing_of_the_coefficients(sample) -> None:
    X, y = sample
    padded, labels = np.vstack([X, np.zeros((50, 3))]), np.append(y, np.tile([0, 1], 25))
    one = infer(ProfiledLinkPolicy(normalization="norm").fit(X, y), X, y)
    two = infer(ProfiledLinkPolicy(normalization="norm").fit(padded, labels), padded, labels)
    assert two.n_comparisons == 650
    assert two.n_effective == 600
    np.testing.assert_allclose(two.standard_errors, one.standard_errors, rtol=0.03)


def test_classes_of_raters_are_centred_by_themselves(rng) -> None:
    """Two classes with links of their own: the information is the sum of the classes'."""
    X = rng.normal(size=(3000, 3))
    careful = np.arange(3000) % 2 == 0
    steep = np.where(careful, 5.0, 1.0)
    y = (rng.random(3000) < 1 / (1 + np.exp(-steep * (X @ [1.0, -0.5, 0.2])))).astype(int)
    model = ProfiledLinkPolicy(normalization="norm").fit(X, y, link_groups=careful)
    both = infer(model, X, y, link_groups=careful)
    parts = []
    for rows in (careful, ~careful):
        part = ProfiledLinkPolicy(normalization="norm").fit(X[rows], y[rows])
        parts.append(np.linalg.pinv(infer(part, X[rows], y[rows]).covariance, rcond=1e-6))
    expected = np.linalg.pinv(parts[0] + parts[1], rcond=1e-2)
    np.testing.assert_allclose(both.standard_errors, np.sqrt(np.diag(expected)), rtol=0.1)


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_smoother_reproduces_the_index_and_finds_the_mean(antisymmetric: bool, rng) -> None:
    t = rng.normal(size=4000)
    mean = np.sin(2 * t) if antisymmetric else np.cos(2 * t)
    rows = np.column_stack([t, mean + rng.normal(size=4000), mean])
    weight = rng.integers(1, 3, size=4000).astype(float)
    basis = index_basis(t, weight, antisymmetric=antisymmetric)
    residual = centred(rows, basis, weight)
    np.testing.assert_allclose(residual[:, 0], 0, atol=1e-9)
    assert np.sqrt(np.mean(residual[:, 2] ** 2)) < 5e-3
    assert np.mean(residual[:, 1] ** 2) == pytest.approx(1, abs=0.06)
    np.testing.assert_allclose(basis.T @ (weight[:, None] * residual), 0, atol=1e-8)


def test_smoother_is_odd_and_silent_at_zero(rng) -> None:
    t = rng.normal(size=300)
    basis = index_basis(np.append(t, -t), np.ones(600), antisymmetric=True).toarray()
    np.testing.assert_allclose(basis[:300], -basis[300:])
    assert not index_basis(np.append(t, 0.0), np.ones(301), antisymmetric=True).toarray()[-1].any()


@pytest.mark.parametrize("rule", ["rms", "norm", "x2", 0, None])
def test_jacobian_of_the_normalisation_by_finite_differences(rule, rng) -> None:
    """A shift behind the coefficients is divided with them."""
    A = rng.normal(size=(3, 3))
    sigma, names = A @ A.T + np.eye(3), ("x0", "x1", "x2")
    sizes = {
        "rms": lambda v: np.sqrt(v[:3] @ sigma @ v[:3]),
        "norm": lambda v: np.linalg.norm(v[:3]),
        "x2": lambda v: abs(v[2]),
        0: lambda v: abs(v[0]),
        None: lambda v: 1.0,
    }
    size = sizes[rule]
    theta = np.array([0.7, 1.1, -0.4, 0.3])
    theta = theta / size(theta)
    step = 1e-6
    expected = np.column_stack(
        [
            ((theta + step * e) / size(theta + step * e) - (theta - step * e) / size(theta - step * e))
            / (2 * step)
            for e in np.eye(4)
        ]
    )
    actual = normalizing_jacobian(rule, theta, sigma, names)
    np.testing.assert_allclose(actual, expected, atol=1e-8)
    if rule is not None:
        np.testing.assert_allclose(actual @ theta, 0, atol=1e-12)


def test_pairs_and_their_differences_agree(sample) -> None:
    X, y = sample
    pairs = PreferencePairs(np.zeros_like(X), X, y)
    one = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    two = infer(ProfiledLinkPolicy().fit(pairs), pairs)
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-9)
