"""Known links against other software, closed forms and slow twins."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import linprog, minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from statsmodels.genmod.families import links

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink
from semiindex.exceptions import SeparationWarning, UnboundedObjectiveError


def sample(n: int = 400, d: int = 4, seed: int = 0, shift: float = 0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.geomspace(0.01, 10, d)
    theta = np.resize([1.0, -0.7, 0.4], d) / np.geomspace(0.01, 10, d)
    y = (rng.random(n) < expit(X @ theta + shift)).astype(int)
    return X, y, rng.integers(1, 4, n).astype(float)


def scikit(X, y, w=None, *, intercept: bool, C: float = np.inf) -> LogisticRegression:
    model = LogisticRegression(
        C=C, fit_intercept=intercept, solver="newton-cholesky", tol=1e-12, max_iter=1000
    )
    return model.fit(X, y, sample_weight=w)


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression(weighted: bool) -> None:
    X, y, w = sample()
    w = w if weighted else None
    reference = scikit(X, y, w, intercept=False)
    model = KnownLinkPolicy(tol=1e-6).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(model.coef_, reference.coef_[0], rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-7)
    np.testing.assert_allclose(model.decision_function(X), reference.decision_function(X), atol=1e-5)
    np.testing.assert_array_equal(KnownLinkPolicy(loss="sigmoid", tol=1e-6).fit(X, y, w).coef_, model.coef_)


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_with_intercept(weighted: bool) -> None:
    X, y, w = sample(shift=0.8)
    w = w if weighted else None
    reference = scikit(X, y, w, intercept=True)
    model = KnownLinkPolicy(antisymmetric=False, tol=1e-6).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(model.coef_, reference.coef_[0], rtol=1e-5)
    assert -model.link_.half_point == pytest.approx(reference.intercept_[0], rel=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-6)


def test_error_of_the_default_tolerance_is_a_thousandth_of_a_standard_error() -> None:
    X, y, _ = sample()
    fit = sm.GLM(y, X, family=sm.families.Binomial()).fit(tol=1e-12)
    assert (np.abs(KnownLinkPolicy().fit(X, y).coef_ - fit.params) < 2e-3 * fit.bse).all()


@pytest.mark.parametrize(
    ("link", "family", "antisymmetric"),
    [
        ("logistic", links.Logit(), True),
        ("probit", links.Probit(), True),
        ("cauchit", links.Cauchy(), True),
        ("probit", links.Probit(), False),
        ("cauchit", links.Cauchy(), False),
        ("cloglog", links.CLogLog(), False),
        ("loglog", links.LogLog(), False),
    ],
)
def test_binomial_models_of_statsmodels(link, family, antisymmetric) -> None:
    X, y, w = sample(shift=0.0 if antisymmetric else 0.4)
    design = X if antisymmetric else sm.add_constant(X)
    reference = sm.GLM(y, design, family=sm.families.Binomial(link=family), freq_weights=w).fit(
        tol=1e-12, maxiter=200
    )
    model = KnownLinkPolicy(link=link, antisymmetric=antisymmetric, tol=1e-6).fit(X, y, sample_weight=w)
    params = reference.params if antisymmetric else reference.params[1:]
    np.testing.assert_allclose(model.coef_, params, rtol=1e-4)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], reference.predict(design), atol=1e-5)
    assert model.loss_curve_[-1] == pytest.approx(-reference.llf / w.sum(), rel=1e-8)


def test_lapsed_link_has_the_likelihood_of_its_formula() -> None:
    X, y, _ = sample()

    def loss(theta):
        p = 0.1 + 0.7 * expit(X @ theta)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    model = KnownLinkPolicy(
        LapsedLink(LogisticLink(), lower=0.1, upper=0.2), antisymmetric=False, tol=1e-6
    ).fit(X, y)
    shift = -model.link_.half_point + 0  # the shift of the fitted link, from its own probabilities
    assert np.isfinite(shift)
    fitted = model.predict_proba(X)[:, 1]
    ours = -np.mean(y * np.log(fitted) + (1 - y) * np.log(1 - fitted))
    assert ours == pytest.approx(model.loss_curve_[-1], rel=1e-9)
    assert ours <= min(loss(model.coef_), loss(0 * model.coef_)) + 1e-12


@pytest.mark.parametrize("ridge", [1e-4, 0.01, 1.0])
@pytest.mark.parametrize("intercept", [False, True])
def test_ridge_is_that_of_scikit_learn(ridge: float, intercept: bool) -> None:
    """Its C multiplies the sum of the losses: ``C = 1 / (n ridge)``."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4)) * [0.3, 1.0, 3.0, 1.0] + 0.2
    y = (rng.random(400) < expit(X @ [1.0, -0.7, 0.4, 0.0] + 0.5 * intercept)).astype(int)
    reference = scikit(X, y, intercept=intercept, C=1 / (400 * ridge))
    model = KnownLinkPolicy(ridge=ridge, antisymmetric=not intercept, tol=1e-6).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_[0], rtol=1e-4, atol=1e-6)
    if intercept:
        assert -model.link_.half_point == pytest.approx(reference.intercept_[0], abs=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3])
def test_ridge_among_features_of_very_different_units(scale: float) -> None:
    X, y, _ = sample(d=3)
    X = X / np.geomspace(0.01, 10, 3) * [1.0, scale, 1.0]
    reference = scikit(X, y, intercept=False, C=1 / (400 * 0.1))
    model = KnownLinkPolicy(ridge=0.1, tol=1e-6).fit(X, y)
    np.testing.assert_allclose(X @ model.coef_, X @ reference.coef_[0], atol=1e-4)


@pytest.mark.parametrize("d", [40, 120])
def test_ridge_with_more_features_than_comparisons(d: int) -> None:
    """Least norm in the units of the ridge, not of the features' spread."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, d)) * np.exp(rng.normal(size=d))
    y = rng.integers(0, 2, 30)
    reference = scikit(X, y, intercept=False, C=1 / (30 * 0.05))
    model = KnownLinkPolicy(ridge=0.05, tol=1e-6).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_[0], atol=1e-6)


def test_ridge_with_collinear_features() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    X = np.column_stack([X, 5 * X[:, 0] - X[:, 1]])
    y = rng.integers(0, 2, 100)
    reference = scikit(X, y, intercept=False, C=1 / (100 * 0.05))
    np.testing.assert_allclose(
        KnownLinkPolicy(ridge=0.05, tol=1e-6).fit(X, y).coef_, reference.coef_[0], atol=1e-6
    )


@pytest.mark.parametrize("tau", [0.05, 1.0])
def test_ipo_is_least_squares(tau: float) -> None:
    X, y, w = sample()
    model = KnownLinkPolicy(loss="ipo", tau=tau, tol=1e-8).fit(X, y, sample_weight=w)
    root = np.sqrt(w)
    expected = np.linalg.lstsq(root[:, None] * X, root * (2 * y - 1) / (2 * tau))[0]
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-8)
    residual = (2 * y - 1) * (X @ expected) - 1 / (2 * tau)
    assert model.loss_curve_[-1] == pytest.approx(w @ residual**2 / w.sum(), rel=1e-10)


def test_ipo_with_ridge_is_ridge_regression() -> None:
    X, y, w = sample()
    X = X / np.geomspace(0.01, 10, 4)
    model = KnownLinkPolicy(loss="ipo", tau=0.5, ridge=0.4, tol=1e-9).fit(X, y, sample_weight=w)
    moment = X.T @ (w * (2 * y - 1)) / w.sum()
    expected = np.linalg.solve(2 * (X.T * w) @ X / w.sum() + 0.4 * np.eye(4), 2 * moment)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-7)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hinge_is_the_linear_program(seed: int) -> None:
    X, y, w = sample(n=150, seed=seed)
    n, d = X.shape
    model = KnownLinkPolicy(loss="hinge").fit(X, y, sample_weight=w)
    signed = (2 * y - 1)[:, None] * X
    cost = np.concatenate([np.zeros(d), w / w.sum()])
    program = linprog(
        cost,
        A_ub=np.column_stack([-signed, -np.eye(n)]),
        b_ub=-np.ones(n),
        bounds=[(None, None)] * d + [(0, None)] * n,
        method="highs",
    )
    loss = w @ np.maximum(0, 1 - signed @ model.coef_) / w.sum()
    # Rounded at the width 0.001: a quarter of it above the optimum at most, and never below it.
    assert program.fun - 1e-12 <= loss <= program.fun + 0.001 / 4 + 1e-6
    assert model.converged_


def test_hinge_on_separated_data_has_the_largest_margin() -> None:
    X = np.array([[2.0, 1.0], [1.0, 2.0], [3.0, 0.5], [-1.0, -3.0]])
    y = np.array([1, 1, 1, 0])
    with pytest.warns(SeparationWarning, match="completely separated"):
        model = KnownLinkPolicy(loss="hinge", tol=1e-6).fit(X, y)
    margin = (2 * y - 1) * (X @ model.coef_)
    assert margin.min() == pytest.approx(1, abs=2e-3)

    # Least mean square index among those with all margins at least 1.
    constraint = {"type": "ineq", "fun": lambda a: (2 * y - 1) * (X @ a) - 1}
    twin = minimize(lambda a: np.mean((X @ a) ** 2), np.ones(2), constraints=constraint, method="SLSQP")
    np.testing.assert_allclose(model.coef_, twin.x, atol=5e-3)


@pytest.mark.parametrize("flip_rate", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_robust_loss_is_its_formula(flip_rate: float, ridge: float) -> None:
    X, y, w = sample()
    X = X / np.geomspace(0.01, 10, 4)
    s = (2 * y - 1)[:, None] * X

    def loss(a):
        m = s @ a
        terms = ((1 - flip_rate) * np.logaddexp(0, -m) - flip_rate * np.logaddexp(0, m)) / (1 - 2 * flip_rate)
        return w @ terms / w.sum() + ridge / 2 * a @ a

    twin = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    model = KnownLinkPolicy(loss="robust", flip_rate=flip_rate, ridge=ridge, tol=1e-6).fit(
        X, y, sample_weight=w
    )
    np.testing.assert_allclose(model.coef_, twin.x, atol=1e-5)
    assert model.loss_curve_[-1] == pytest.approx(twin.fun, abs=1e-9)
    # Its link is that of the labels as observed.
    assert model.link_.probability([-50.0, 50.0]) == pytest.approx([flip_rate, 1 - flip_rate])


def test_robust_loss_without_a_minimiser() -> None:
    X, y, _ = sample()
    with pytest.raises(
        UnboundedObjectiveError, match=r"flip_rate=0\.4 has no minimiser on these data: an index exists"
    ):
        KnownLinkPolicy(loss="robust", flip_rate=0.4).fit(X, y)
    assert KnownLinkPolicy(loss="robust", flip_rate=0.4, ridge=0.1).fit(X, y).converged_


def test_losses_without_a_probability_get_the_isotonic_link() -> None:
    X, y, _ = sample()
    for loss in ("ipo", "hinge"):
        model = KnownLinkPolicy(loss=loss).fit(X, y)
        assert type(model.link_).__name__ == "PiecewiseLinearLink"
        p = model.predict_proba(X)[:, 1]
        assert ((p > 0) & (p < 1)).all()
        # Fitted on this sample: it beats the base rate.
        assert -np.mean(np.log(np.where(y == 1, p, 1 - p))) < np.log(2)


def test_a_wrong_link_on_a_skewed_design_is_biased_and_the_right_one_is_not() -> None:
    """Seeded; the error of a direction falls as 1 / sqrt(n), a bias does not."""
    rng = np.random.default_rng(0)
    n = 40_000
    X = np.column_stack([rng.normal(size=n), rng.exponential(size=n) ** 1.5 - rng.exponential(size=n)])
    theta = np.array([0.6, -0.8])
    flips = LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0)
    y = rng.random(n) < flips.probability(X @ theta)

    def error(model) -> float:
        sigma = X.T @ X / n
        coef = model.fit(X, y).coef_
        cosine = coef @ sigma @ theta / np.sqrt((coef @ sigma @ coef) * (theta @ sigma @ theta))
        return float(np.degrees(np.arccos(min(1.0, cosine))))

    assert error(KnownLinkPolicy(link=flips)) < 1.5
    assert error(KnownLinkPolicy()) > 3.0
