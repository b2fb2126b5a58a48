"""Known links: sandwich and clustered covariances are those of statsmodels, factors reconciled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from semiindex import KnownLinkPolicy
from semiindex.inference import infer

sm = pytest.importorskip("statsmodels.api")

TIGHT = {"tol": 1e-9}


def hc1(n: int, k: int) -> float:
    return n / (n - k)


def test_logit_sandwich_is_hc0_times_its_factor(sample) -> None:
    X, y = sample
    ours = infer(KnownLinkPolicy(**TIGHT).fit(X, y), X, y)
    theirs = sm.Logit(y, X).fit(disp=0, cov_type="HC0", tol=1e-12)
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.covariance, hc1(600, 3) * theirs.cov_params(), rtol=1e-5, atol=1e-12)


def test_table_is_that_of_logit(sample) -> None:
    """statsmodels takes HC1 for HC0 in discrete models, so that the factor is ours to apply."""
    X, y = sample
    ours = infer(KnownLinkPolicy(**TIGHT).fit(X, y), X, y)
    theirs = sm.Logit(y, X).fit(disp=0, cov_type="HC0", tol=1e-12)
    errors = theirs.bse * np.sqrt(hc1(600, 3))
    np.testing.assert_allclose(ours.z, theirs.params / errors, rtol=1e-5)
    np.testing.assert_allclose(ours.p_values, 2 * norm.sf(np.abs(theirs.params / errors)), atol=1e-8)
    half = norm.ppf(0.975) * errors
    np.testing.assert_allclose(
        ours.intervals, np.column_stack([theirs.params - half, theirs.params + half]), rtol=1e-5
    )
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-9)


def test_shift_is_the_intercept(sample) -> None:
    X, y = sample
    ours = infer(KnownLinkPolicy(antisymmetric=False, **TIGHT).fit(X, y), X, y)
    theirs = sm.Logit(y, np.column_stack([X, np.ones(len(y))])).fit(disp=0, cov_type="HC0", tol=1e-12)
    assert ours.names[-1] == "(position)"
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.covariance, hc1(600, 4) * theirs.cov_params(), rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize(
    ("link", "theirs"), [("probit", "Probit"), ("cloglog", "CLogLog"), ("cauchit", "Cauchy")]
)
def test_other_links_are_those_of_the_glm(link: str, theirs: str, sample) -> None:
    """With the observed information: of a link that may be wrong the expected one is not the curvature."""
    X, y = sample
    symmetric = link != "cloglog"
    design = X if symmetric else np.column_stack([X, np.ones(len(y))])
    ours = infer(KnownLinkPolicy(link, antisymmetric=symmetric, **TIGHT).fit(X, y), X, y)
    family = sm.families.Binomial(getattr(sm.families.links, theirs)())
    model = sm.GLM(y, design, family=family)
    fit = model.fit(tol=1e-12)
    np.testing.assert_allclose(ours.coefficients, fit.params, rtol=1e-4, atol=1e-6)
    bread = np.linalg.inv(-model.hessian(fit.params, observed=True))
    score = model.score_obs(fit.params)
    expected = hc1(600, design.shape[1]) * bread @ (score.T @ score) @ bread
    np.testing.assert_allclose(ours.covariance, expected, rtol=1e-3, atol=1e-8)


def test_clusters(sample, rng) -> None:
    """statsmodels multiplies by (n - 1)/(n - k) besides; CR1 and Stata's logit do not."""
    X, y = sample
    groups = rng.integers(0, 40, size=y.size)
    ours = infer(KnownLinkPolicy(**TIGHT).fit(X, y), X, y, groups=groups)
    theirs = sm.Logit(y, X).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": groups}, use_t=True, tol=1e-12
    )
    np.testing.assert_allclose(ours.covariance * (599 / 597), theirs.cov_params(), rtol=1e-5, atol=1e-12)
    assert ours.estimate.degrees_of_freedom == np.unique(groups).size - 1


def test_frequency_weights(sample, rng) -> None:
    X, y = sample
    weight = rng.integers(1, 4, size=y.size)
    ours = infer(KnownLinkPolicy(**TIGHT).fit(X, y, sample_weight=weight), X, y, sample_weight=weight)
    theirs = sm.GLM(np.repeat(y, weight), np.repeat(X, weight, axis=0), family=sm.families.Binomial()).fit(
        cov_type="HC0", tol=1e-12
    )
    n = int(weight.sum())
    np.testing.assert_allclose(ours.covariance, hc1(n, 3) * theirs.cov_params(), rtol=1e-4, atol=1e-10)


@pytest.mark.parametrize("rule", ["rms", "norm", 1])
def test_normalised_known_link_is_the_delta_method_on_logit(rule: str | int, sample) -> None:
    """J V J' with J by finite differences of the normalisation, the second moment held fixed."""
    X, y = sample
    ours = infer(KnownLinkPolicy(normalization=rule, **TIGHT).fit(X, y), X, y)
    theirs = sm.Logit(y, X).fit(disp=0, cov_type="HC0", tol=1e-12)
    theta, sigma = np.asarray(theirs.params), X.T @ X / len(y)

    def normalised(value: np.ndarray) -> np.ndarray:
        size = {"rms": np.sqrt(value @ sigma @ value), "norm": np.linalg.norm(value), 1: abs(value[1])}
        return value / size[rule]

    step = 1e-6
    jacobian = np.column_stack(
        [(normalised(theta + step * e) - normalised(theta - step * e)) / (2 * step) for e in np.eye(3)]
    )
    np.testing.assert_allclose(
        ours.covariance, hc1(600, 3) * jacobian @ theirs.cov_params() @ jacobian.T, rtol=1e-4, atol=1e-9
    )


def test_wald_test_is_that_of_statsmodels(sample, rng) -> None:
    X, y = sample
    groups = rng.integers(0, 40, size=y.size)
    model = KnownLinkPolicy(**TIGHT).fit(X, y)
    logit = sm.Logit(y, X)
    fit = logit.fit(disp=0, cov_type="HC0", tol=1e-12)
    theirs = float(fit.wald_test("x1 = x2, x3 = 0.5", scalar=True, use_f=False).statistic) / hc1(600, 3)
    ours = infer(model, X, y).wald_test("x0 = x1, x2 = 0.5")
    assert ours.statistic == pytest.approx(theirs, rel=1e-5)
    assert ours.p_value == pytest.approx(chi2.sf(theirs, 2), rel=1e-4, abs=1e-12)
    fit = logit.fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, tol=1e-12
    )
    count = np.unique(groups).size
    theirs = float(fit.wald_test("x1 = x2, x3 = 0.5", scalar=True, use_f=False).statistic)
    ours = infer(model, X, y, groups=groups).wald_test("x0 = x1, x2 = 0.5")
    assert ours.distribution == f"F(2, {count - 1})"
    assert ours.statistic == pytest.approx(theirs / 2 * (count - 1) / count, rel=1e-5)
