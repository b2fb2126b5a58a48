"""The link-free estimators: optimality, solvers, classes of raters, statistics against the known link."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit

from semiindex import (
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    MonotoneSpline,
    PreferencePairs,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import SeparationWarning
from semiindex.link.isotonic import isotonic_fit
from semiindex.objective.spline import SplineObjective

FLIPS = LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0)


def sample(n: int = 800, d: int = 3, seed: int = 0, link=FLIPS, shift: float = 0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[:, 0] = rng.exponential(size=n) ** 1.5 - rng.exponential(size=n)
    theta = np.resize([1.0, -0.7, 0.4], d)
    theta /= np.sqrt(np.mean((X @ theta) ** 2))
    y = (rng.random(n) < link.probability(2 * X @ theta + shift)).astype(int)
    return X, y, theta


def angle(X, one, two) -> float:
    """Degrees between two directions in the metric of the design."""
    s, t = X @ one, X @ two
    return float(np.degrees(np.arccos(np.clip(s @ t / np.linalg.norm(s) / np.linalg.norm(t), -1, 1))))


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_spline_direction_minimises_the_profile_loss(antisymmetric: bool) -> None:
    """In the plane, against a fine grid of angles with the same knots; a free location is the mean."""
    X, y, _ = sample(d=2, shift=0.0 if antisymmetric else 0.5)
    model = ProfiledLinkPolicy(antisymmetric=antisymmetric, tol=1e-6).fit(X, y)
    pilot = KnownLinkPolicy(antisymmetric=antisymmetric, normalization="rms", tol=1e-4).fit(X, y)
    objective = SplineObjective(MonotoneSpline(), antisymmetric=antisymmetric)
    z, w = y.astype(float), np.ones(y.size)

    def unit(theta: np.ndarray) -> np.ndarray:
        t = X @ theta
        t = t if antisymmetric else t - np.mean(t)
        return t / np.sqrt(np.mean(t**2))

    objective.update(unit(pilot.coef_), z, w)

    def profile(a: float) -> float:
        return objective.evaluate(unit(np.array([np.cos(a), np.sin(a)])), z, w).value

    angles = np.linspace(0, 2 * np.pi, 181)
    values = [profile(a) for a in angles]
    near = angles[int(np.argmin(values))]
    best = minimize_scalar(
        profile, bounds=(near - 0.05, near + 0.05), method="bounded", options={"xatol": 1e-7}
    )
    assert model.loss_curve_[-1] == pytest.approx(best.fun, abs=1e-6)
    found = np.arctan2(model.coef_[1], model.coef_[0])
    assert np.cos(found - best.x) > 1 - 1e-5


@pytest.mark.parametrize("antisymmetric", [True, False])
def test_isotonic_score_is_short_and_its_link_is_the_isotonic_fit(antisymmetric: bool) -> None:
    X, y, _ = sample(n=2000, shift=0.0 if antisymmetric else 0.5)
    model = ProfiledLinkPolicy(link="isotonic", antisymmetric=antisymmetric).fit(X, y)
    assert model.converged_
    t = X @ model.coef_
    fit = isotonic_fit(t, y.astype(float), np.ones(y.size), antisymmetric=antisymmetric)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], fit.fitted, atol=2e-3)
    # Tangent part of the score in standard errors of its components.
    residual = (fit.fitted - y)[:, None] * X
    S, sigma = residual.mean(axis=0), X.T @ X / y.size
    tangent = S - sigma @ model.coef_ * (model.coef_ @ S) / (model.coef_ @ sigma @ model.coef_)
    error = residual.std(axis=0) / np.sqrt(y.size)
    assert (np.abs(tangent) < 0.3 * error).all()
    assert model.coef_ @ S >= 0


def test_both_solvers_of_the_isotonic_link() -> None:
    X, y, _ = sample(n=150)
    one = ProfiledLinkPolicy(link="isotonic").fit(X, y)
    two = ProfiledLinkPolicy(link="isotonic", solver="cvxpy").fit(X, y)
    assert angle(X, one.coef_, two.coef_) < 0.5
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=0.05)


def test_a_logistic_link_is_recovered_where_it_is_true() -> None:
    X, y, _ = sample(n=4000, link=LogisticLink())
    free, known = ProfiledLinkPolicy().fit(X, y), KnownLinkPolicy(normalization="rms").fit(X, y)
    assert angle(X, free.coef_, known.coef_) < 2.0
    t = np.linspace(-1.5, 1.5, 21)
    np.testing.assert_allclose(free.link_.probability(t), known.link_.probability(t), atol=0.05)


@pytest.mark.parametrize(
    ("link", "antisymmetric"),
    [(FLIPS, True), (LapsedLink(LogisticLink(), lower=0.03, upper=0.25, scale=3.0), False)],
)
def test_link_is_consistent(link, antisymmetric) -> None:
    X, y, theta = sample(n=20_000, link=link, seed=1)
    grid = np.linspace(-1.5, 1.5, 13)
    for spec in ("spline", "isotonic", ShapeConstrainedLink(lipschitz=3.0, n_knots=40)):
        model = ProfiledLinkPolicy(link=spec, antisymmetric=antisymmetric).fit(X, y)
        assert angle(X, model.coef_, theta) < 2.0
        # Pointwise standard error about .01 for the smooth links, n^(-1/3) / 2 for the isotonic one.
        np.testing.assert_allclose(model.link_.probability(grid), link.probability(2 * grid), atol=0.06)
        assert model.link_.antisymmetric == antisymmetric


@pytest.mark.parametrize("link", ["spline", ShapeConstrainedLink(n_knots=30)], ids=["spline", "shape"])
def test_ridge_bounds_the_slope_of_the_link_by_that_of_the_logistic(link) -> None:
    X, y, _ = sample(link=LapsedLink(LogisticLink(), scale=5.0))
    model = ProfiledLinkPolicy(link=link, ridge=0.02).fit(X, y)
    # On the scale before normalisation; the norm of the coefficients undoes the factor.
    factor = 1 / np.sqrt(np.mean((X @ model.coef_) ** 2))
    assert factor == pytest.approx(1, rel=1e-8)
    raw = ProfiledLinkPolicy(link=link, ridge=0.02, normalization="x0").fit(X, y)
    assert abs(raw.coef_[0]) == 1
    np.testing.assert_allclose(raw.predict_proba(X), model.predict_proba(X), atol=1e-9)


def test_more_ridge_is_less_certain() -> None:
    X, y, _ = sample(link=LogisticLink())
    spread = [
        np.std(ProfiledLinkPolicy(ridge=ridge).fit(X, y).predict_proba(X)[:, 1])
        for ridge in (1e-3, 0.1, 1.0, 10.0)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < spread[0] / 2


def test_ridge_under_a_logistic_truth_is_the_logistic_ridge() -> None:
    """A steep index makes the slope bound bind everywhere: the profile is then the logistic link."""
    X, y, _ = sample(link=LapsedLink(LogisticLink(), scale=4.0), n=3000)
    free = ProfiledLinkPolicy(ridge=0.05).fit(X, y)
    known = KnownLinkPolicy(ridge=0.05).fit(X, y)
    assert angle(X, free.coef_, known.coef_) < 0.5
    np.testing.assert_allclose(free.predict_proba(X), known.predict_proba(X), atol=0.01)


def test_held_out_log_loss_is_finite_for_every_link() -> None:
    X, y, _ = sample(n=100)
    far, labels, _ = sample(n=200, seed=5)
    for link in ("spline", "isotonic", ShapeConstrainedLink(n_knots=20)):
        p = ProfiledLinkPolicy(link=link).fit(X, y).predict_proba(10 * far)
        assert np.isfinite(np.log(p[np.arange(200), labels])).all()


# Statistics ------------------------------------------------------------------------------------------


def test_direction_is_as_good_as_with_the_link_known() -> None:
    """Flips, n = 2000, 20 samples: the ratio of mean errors has a standard error of about 0.06."""
    errors = {"known": [], "spline": [], "isotonic": [], "logistic": []}
    for seed in range(20):
        X, y, theta = sample(n=2000, d=4, seed=100 + seed)
        models = {
            "known": KnownLinkPolicy(link=FLIPS),
            "spline": ProfiledLinkPolicy(),
            "isotonic": ProfiledLinkPolicy(link="isotonic"),
            "logistic": KnownLinkPolicy(),
        }
        for name, model in models.items():
            errors[name].append(angle(X, model.fit(X, y).coef_, theta))
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["spline"] < 1.08 * mean["known"] + 3 * 0.06 * mean["known"]
    assert mean["isotonic"] < 1.10 * mean["logistic"]
    assert mean["spline"] < 0.75 * mean["logistic"]


# Classes of raters -----------------------------------------------------------------------------------


def raters(n: int = 3000, seed: int = 0):
    """Experts follow the index, the careless hardly do."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    theta = np.array([1.0, -0.7, 0.4]) / np.sqrt(1.65)
    careless = rng.random(n) < 0.5
    p = np.where(careless, 0.4 + 0.2 * expit(2 * X @ theta), expit(4 * X @ theta))
    return X, (rng.random(n) < p).astype(int), theta, np.array(["expert", "careless"])[careless.astype(int)]


@pytest.mark.parametrize("link", ["spline", "isotonic", MonotoneSpline(n_knots=6)], ids=str)
def test_one_index_and_a_link_for_every_class(link) -> None:
    X, y, theta, who = raters()
    model = ProfiledLinkPolicy(link=link, normalization="norm", pooling=None).fit(X, y, link_groups=who)
    assert list(model.links_) == ["careless", "expert"]
    assert angle(X, model.coef_, theta) < 3.0
    scale = 1 / np.linalg.norm(model.coef_)
    assert model.links_["expert"].probability([scale])[0] == pytest.approx(expit(4.0), abs=0.05)
    assert model.links_["careless"].probability([scale])[0] == pytest.approx(0.4 + 0.2 * expit(2.0), abs=0.06)
    # The link of all is the average over the sample.
    share = np.mean(who == "expert")
    t = np.linspace(-2, 2, 9)
    average = share * model.links_["expert"].probability(t) + (1 - share) * model.links_[
        "careless"
    ].probability(t)
    np.testing.assert_allclose(model.link_.probability(t), average, atol=1e-12)


def test_classes_pay_off_in_likelihood_and_direction() -> None:
    errors = {"classes": [], "common": []}
    for seed in range(8):
        X, y, theta, who = raters(n=1500, seed=seed)
        errors["classes"].append(angle(X, ProfiledLinkPolicy().fit(X, y, link_groups=who).coef_, theta))
        errors["common"].append(angle(X, ProfiledLinkPolicy().fit(X, y).coef_, theta))
    assert np.mean(errors["classes"]) < np.mean(errors["common"])


@pytest.mark.parametrize(
    "estimator",
    [KnownLinkPolicy(antisymmetric=False), ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")],
    ids=repr,
)
def test_prediction_by_class(estimator) -> None:
    X, y, _, who = raters(n=1000)
    model = estimator.fit(X, y, link_groups=who)
    t = X @ model.coef_
    p = model.predict_proba(X, link_groups=who)[:, 1]
    for name in ("expert", "careless"):
        np.testing.assert_allclose(p[who == name], model.links_[name].probability(t[who == name]), atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], model.link_.probability(t), atol=1e-12)
    decision = model.decision_function(X, link_groups=who)
    np.testing.assert_array_equal(model.predict(X, link_groups=who), (decision > 0).astype(int))
    np.testing.assert_array_equal(decision > 0, p > 0.5)


def test_classes_carried_by_pairs_are_used_at_prediction_too() -> None:
    X, y, _, who = raters(n=1000)
    pairs = PreferencePairs(0 * X, X, y, link_groups=who)
    model = ProfiledLinkPolicy().fit(pairs)
    plain = ProfiledLinkPolicy().fit(X, y, link_groups=who)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.predict_proba(pairs), plain.predict_proba(X, link_groups=who))
    assert model.score(pairs) == np.mean(plain.predict(X, link_groups=who) == y)


@pytest.mark.parametrize(
    "estimator", [KnownLinkPolicy(), ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")], ids=repr
)
def test_one_class_is_no_class(estimator) -> None:
    X, y, _, _ = raters(n=500)
    one = estimator.fit(X, y, link_groups=np.full(500, "all"))
    coef, proba = one.coef_, one.predict_proba(X)
    plain = estimator.fit(X, y)
    assert plain.links_ is None
    np.testing.assert_allclose(coef, plain.coef_, rtol=1e-9)
    np.testing.assert_allclose(proba, plain.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("link", ["spline", "isotonic"])
def test_class_without_information(link, antisymmetric) -> None:
    X, y, _, who = raters(n=600)
    idle = who == "careless"
    X[idle] = 0.0
    model = ProfiledLinkPolicy(link=link, antisymmetric=antisymmetric).fit(X, y, link_groups=who)
    assert np.isfinite(model.coef_).all()
    rate = 0.5 if antisymmetric else np.mean(y[idle])
    assert model.links_["careless"].probability([0.0])[0] == pytest.approx(rate, abs=0.02)


def test_class_with_one_kind_of_answer() -> None:
    X, y, theta, who = raters(n=1500)
    y[who == "careless"] = 1
    model = ProfiledLinkPolicy(antisymmetric=False).fit(X, y, link_groups=who)
    assert angle(X, model.coef_, theta) < 6.0
    assert model.links_["careless"].probability([-1.0, 0.0, 1.0]).min() > 0.95


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(4))
def test_isotonic_index_points_the_right_way_on_quasi_separated_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 3))
    y = (rng.random(300) < expit(X @ [1.0, -0.5, 0.3])).astype(int)
    X[:, 2] = (rng.random(300) < 0.2) * (2 * y - 1)  # a feature that only the preferred option has
    with pytest.warns(SeparationWarning, match="quasi-completely separated"):
        model = ProfiledLinkPolicy("isotonic").fit(X, y)
    assert model.score(X, y) > 0.6
    assert (model.coef_ * [1, -1, 1] > 0).all()


@pytest.mark.parametrize("link", ["spline", "isotonic", ShapeConstrainedLink(lipschitz=1.0, n_knots=20)])
def test_a_class_of_raters_too_rare_for_the_subsample(link: object, rng: np.random.Generator) -> None:
    n = 60_000
    X = rng.normal(size=(n, 10))
    y = rng.random(n) < expit(X[:, 0])
    classes = np.zeros(n, dtype=int)
    classes[[1, 4]] = 1
    model = ProfiledLinkPolicy(link).fit(X, y, link_groups=classes)
    assert sorted(model.links_) == [0, 1]
    assert model.coef_[0] > 0.9


def test_a_stated_slope_bound_that_is_active_is_said(rng: np.random.Generator) -> None:
    X = rng.normal(size=(1500, 2))
    y = rng.random(1500) < expit(X @ [3.0, -2.0])
    for link in (ShapeConstrainedLink(lipschitz=0.25), MonotoneSpline(max_slope=1.0)):
        assert any("bound" in note for note in ProfiledLinkPolicy(link).fit(X, y).notes_)
    assert not ProfiledLinkPolicy(MonotoneSpline(max_slope=50.0)).fit(X, y).notes_


def test_second_start_finds_the_better_of_two_local_minima() -> None:
    # On this sample the profile loss has a local minimum 20 degrees from the better one, in which a fit
    # from the logistic direction alone ends.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    X[:, 1] = rng.exponential(size=150) ** 1.5 - rng.exponential(size=150)
    y = rng.random(150) < 0.2 + 0.6 * expit(3 * X @ [1.0, -0.5])
    coefficients = ProfiledLinkPolicy().fit(X, y).coef_
    assert np.degrees(np.arctan2(coefficients[1], coefficients[0])) == pytest.approx(-26.6, abs=5)
