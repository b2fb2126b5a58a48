"""Profiled links: inner optima against slow twins, envelope gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize
from scipy.special import expit

from semiindex import MonotoneSpline, ShapeConstrainedLink
from semiindex.link.isotonic import isotonic_fit
from semiindex.link.shape import fit_isotonic_program
from semiindex.link.spline import SplineBasis
from semiindex.objective.grouped import GroupedObjective
from semiindex.objective.isotonic import IsotonicObjective
from semiindex.objective.shape import ShapeObjective
from semiindex.objective.spline import SplineObjective
from semiindex.objective.unit_index import UnitIndexObjective, root_mean_square

WAYS = pytest.mark.parametrize("antisymmetric", [True, False])


def sample(n: int = 400, *, soft: bool = False, weighted: bool = False, seed: int = 0):
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n) * 1.3
    p = 0.15 + 0.75 * expit(3 * t + 0.3)
    z = np.clip(p + rng.normal(size=n) * 0.2, 0, 1) if soft else (rng.random(n) < p).astype(float)
    return t, z, rng.integers(1, 5, n) * 0.5 if weighted else np.ones(n)


def spline(antisymmetric: bool, **kwargs) -> SplineObjective:
    compression = {"compression_threshold": kwargs.pop("compression_threshold", 20_000)}
    return SplineObjective(MonotoneSpline(**kwargs), antisymmetric=antisymmetric, **compression)


def finite_difference(objective, t, z, w, direction, step: float) -> float:
    up = objective.evaluate(t + step * direction, z, w).value
    down = objective.evaluate(t - step * direction, z, w).value
    return (up - down) / (2 * step)


def assert_envelope(objective, t, z, w, *, rtol: float, step: float = 1e-5, atol: float = 0.0) -> None:
    """The gradient along smooth random directions is the slope of the profile value."""
    rng = np.random.default_rng(1)
    gradient = objective.evaluate(t, z, w).gradient
    features = np.column_stack(
        [rng.normal(size=t.size), np.sign(t), t * rng.random(t.size), rng.exponential(size=t.size)]
    )
    for direction in features.T:
        expected = finite_difference(objective, t, z, w, direction, step)
        assert gradient @ direction == pytest.approx(expected, rel=rtol, abs=atol)


# Spline --------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("max_slope", [None, 1.0])
def test_spline_envelope_gradient(antisymmetric, soft, weighted, max_slope) -> None:
    t, z, w = sample(soft=soft, weighted=weighted)
    objective = spline(antisymmetric, max_slope=max_slope)
    objective.update(t, z, w)
    # The inner problem is solved to 1e-13 in its value, so that the gradient has an error of 1e-7.
    assert_envelope(objective, t, z, w, rtol=1e-4, step=2e-5, atol=1e-7)


@WAYS
def test_spline_envelope_gradient_on_the_grid(antisymmetric) -> None:
    t, z, w = sample(n=3000, weighted=True)
    objective = spline(antisymmetric, compression_threshold=100)
    objective.update(t, z, w)
    # A step below the spacing of the grid: the binned objective is smooth between its nodes.
    assert_envelope(objective, t, z, w, rtol=1e-3, step=1e-6, atol=1e-6)


@WAYS
def test_grid_changes_the_profile_loss_by_nothing_that_matters(antisymmetric) -> None:
    t, z, w = sample(n=5000, weighted=True)
    exact, binned = spline(antisymmetric), spline(antisymmetric, compression_threshold=100)
    for objective in (exact, binned):
        objective.update(t, z, w)
    one, two = exact.evaluate(t, z, w), binned.evaluate(t, z, w)
    assert two.value == pytest.approx(one.value, abs=1e-6)
    # Standard error of the gradient along a unit direction: 1/2 slope / sqrt(n), 1e-4 of it.
    rng = np.random.default_rng(2)
    for direction in rng.normal(size=(5, t.size)):
        difference = (one.gradient - two.gradient) @ direction
        error = np.sqrt(np.sum((one.gradient * direction) ** 2))
        assert abs(difference) < 1e-2 * error
    x = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(
        binned.fit_link(t, z, w).probability(x), exact.fit_link(t, z, w).probability(x), atol=1e-4
    )


@WAYS
def test_spline_inner_optimum_is_that_of_a_slow_twin(antisymmetric) -> None:
    t, z, w = sample(n=120, weighted=True)
    objective = spline(antisymmetric, n_knots=5, penalty=0.7, max_slope=4.0)
    objective.update(t, z, w)
    value = objective.evaluate(t, z, w).value
    link = objective.fit_link(t, z, w)
    basis = SplineBasis(link.breakpoints, antisymmetric)
    columns = basis.design(t)
    lead = 0 if antisymmetric else 1
    columns = np.column_stack([np.ones((t.size, lead)), columns])
    rms = np.sqrt(w @ t**2 / w.sum())

    def loss(a):
        f = columns @ a
        rough = 0.7 * rms**3 * a[lead:] @ basis.roughness @ a[lead:] / 2
        return (w @ (np.logaddexp(0, f) - z * f) + rough) / w.sum()

    k = columns.shape[1]
    box = LinearConstraint(np.eye(k)[lead:], 0, 4.0)
    twin = minimize(
        loss, np.full(k, 0.5), method="SLSQP", constraints=box, options={"ftol": 1e-14, "maxiter": 2000}
    )
    assert value == pytest.approx(twin.fun, abs=1e-8)
    assert value <= twin.fun + 1e-12
    fitted = np.concatenate([np.full(lead, link.intercept), link.coefficients])
    assert loss(fitted) == pytest.approx(value, abs=1e-12)


@WAYS
def test_spline_profile_is_below_the_loss_of_every_logistic_link(antisymmetric) -> None:
    t, z, w = sample()
    objective = spline(antisymmetric)
    objective.update(t, z, w)
    value = objective.evaluate(t, z, w).value
    for slope in (0.3, 1.0, 3.0):  # a linear logit is in the class and is not penalised
        assert value <= np.mean(np.logaddexp(0, slope * t) - z * slope * t) + 1e-12


def test_antisymmetric_spline_is_that_of_the_doubled_sample() -> None:
    t, z, w = sample(soft=True, weighted=True)
    objective = spline(True)
    objective.update(t, z, w)
    single = objective.evaluate(t, z, w)
    doubled = objective.evaluate(np.concatenate([t, -t]), np.concatenate([z, 1 - z]), np.tile(w / 2, 2))
    assert doubled.value == pytest.approx(single.value, rel=1e-12)
    n = t.size
    np.testing.assert_allclose(doubled.gradient[:n] - doubled.gradient[n:], single.gradient, atol=1e-12)


def test_spline_of_separated_observations_stays_finite() -> None:
    t = np.linspace(-2, 2, 21)
    for antisymmetric in (True, False):
        objective = spline(antisymmetric)
        objective.update(t, (t > 0).astype(float), np.ones(21))
        evaluation = objective.evaluate(t, np.where(t == 0, 0.5, t > 0), np.ones(21))
        assert np.isfinite(evaluation.value)
        assert np.isfinite(evaluation.gradient).all()


def test_spline_of_a_class_of_raters_without_variation() -> None:
    t, z, w = np.zeros(5), np.array([1.0, 0, 0, 1, 1]), np.ones(5)
    for antisymmetric, expected in ((True, 0.5), (False, 0.6)):
        objective = spline(antisymmetric)
        objective.update(t, z, w)
        assert np.isfinite(objective.evaluate(t, z, w).gradient).all()
        assert objective.fit_link(t, z, w).probability(np.zeros(1)) == pytest.approx(expected, abs=1e-3)


# Shape-constrained ----------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("loss", "rtol"), [("squared", 1e-5), ("log", 1e-4)])
def test_shape_envelope_gradient(antisymmetric, soft, loss, rtol) -> None:
    t, z, w = sample(n=300, soft=soft, weighted=True)
    objective = ShapeObjective(
        ShapeConstrainedLink(lipschitz=1.0, loss=loss, n_knots=12), antisymmetric=antisymmetric
    )
    objective.update(t, z, w)
    assert_envelope(objective, t, z, w, rtol=rtol, step=1e-5, atol=rtol * 1e-2)


@WAYS
def test_shape_profile_value_is_the_loss_of_its_link(antisymmetric) -> None:
    t, z, w = sample(n=300, weighted=True)
    spec = ShapeConstrainedLink(lipschitz=0.5, loss="squared", n_knots=12)
    objective = ShapeObjective(spec, antisymmetric=antisymmetric)
    objective.update(t, z, w)
    link = objective.fit_link(t, z, w)
    assert objective.evaluate(t, z, w).value == pytest.approx(spec.loss_value(link, t, z, w), rel=1e-8)


# Isotonic score ---------------------------------------------------------------------------------------


def isotonic(antisymmetric: bool, solver=isotonic_fit) -> IsotonicObjective:
    return IsotonicObjective(antisymmetric=antisymmetric, slope=spline(antisymmetric), solver=solver)


@WAYS
def test_isotonic_score_is_residual_by_weight(antisymmetric) -> None:
    t, z, w = sample(weighted=True)
    objective = isotonic(antisymmetric)
    objective.update(t, z, w)
    score = objective.evaluate(t, z, w).gradient
    fitted = isotonic_fit(t, z, w, antisymmetric=antisymmetric).fitted
    np.testing.assert_allclose(score, w * (fitted - z) / w.sum(), rtol=1e-13)


@WAYS
def test_both_solvers_give_one_score(antisymmetric) -> None:
    t, z, w = sample(n=60, weighted=True)
    scores = []
    for solver in (isotonic_fit, fit_isotonic_program):
        objective = isotonic(antisymmetric, solver)
        objective.update(t, z, w)
        scores.append(objective.evaluate(t, z, w).gradient)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), d=st.integers(1, 5), antisymmetric=st.booleans(), ties=st.booleans())
def test_tangent_part_of_the_isotonic_score(seed: int, d: int, antisymmetric: bool, ties: bool) -> None:
    """``S - Sigma theta (theta' S) / (theta' Sigma theta)``, at any scale, with ``theta' S >= 0``."""
    rng = np.random.default_rng(seed)
    n = 40
    D = rng.integers(-2, 3, (n, d)).astype(float) if ties else rng.normal(size=(n, d))
    D[0] = 1.0
    theta = rng.normal(size=d) * 10.0 ** rng.integers(-3, 4)
    z, w = rng.integers(0, 2, n).astype(float), rng.integers(1, 4, n).astype(float)
    t = D @ theta
    rms = root_mean_square(t, w)
    objective = UnitIndexObjective(isotonic(antisymmetric))
    objective.update(t, z, w)
    tangent = D.T @ objective.evaluate(t, z, w).gradient
    # The score is a step function of the order only: at unit root mean square it is the same.
    fitted = isotonic_fit(t / rms, z, w, antisymmetric=antisymmetric, bound=0.0).fitted
    clipped = isotonic_fit(t / rms, z, w, antisymmetric=antisymmetric).fitted
    S = D.T @ (w * (clipped - z)) / w.sum()
    sigma = D.T @ (w[:, None] * D) / w.sum()
    expected = (S - sigma @ theta * (theta @ S) / (theta @ sigma @ theta)) / rms
    np.testing.assert_allclose(tangent, expected, atol=1e-10 / rms)
    assert theta @ (D.T @ (w * (fitted - z))) >= -1e-9 * rms


# Unit index -----------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("kind", ["spline", "isotonic", "shape"])
def test_unit_index_is_scale_free_and_its_gradient_is_tangent(antisymmetric, kind) -> None:
    t, z, w = sample(n=200, weighted=True)
    make = {
        "spline": lambda: spline(antisymmetric),
        "isotonic": lambda: isotonic(antisymmetric),
        "shape": lambda: ShapeObjective(
            ShapeConstrainedLink(lipschitz=1.0, n_knots=10), antisymmetric=antisymmetric
        ),
    }[kind]
    objective = UnitIndexObjective(make())
    objective.update(t, z, w)
    one = objective.evaluate(t, z, w)
    assert abs(one.gradient @ t) < 1e-13
    for factor in (1e-6, 0.25, 1e8):
        other = objective.evaluate(factor * t, z, w)
        assert other.value == pytest.approx(one.value, rel=1e-9)
        np.testing.assert_allclose(other.gradient * factor, one.gradient, atol=1e-7)
    # The link is that of the index as given.
    p = objective.fit_link(t, z, w).probability(t)
    np.testing.assert_allclose(objective.fit_link(8 * t, z, w).probability(8 * t), p, atol=1e-7)


@WAYS
def test_unit_index_gradient_is_the_finite_difference(antisymmetric) -> None:
    t, z, w = sample(soft=True, weighted=True)
    objective = UnitIndexObjective(spline(antisymmetric))
    objective.update(t, z, w)
    assert_envelope(objective, t, z, w, rtol=1e-4, step=1e-4, atol=1e-9)


# Classes of raters ------------------------------------------------------------------------------------


@WAYS
def test_classes_share_out_the_mean_loss(antisymmetric) -> None:
    t, z, w = sample(weighted=True)
    classes = np.arange(t.size) % 3
    grouped = GroupedObjective.build(lambda: spline(antisymmetric), classes)
    grouped.update(t, z, w)
    evaluation = grouped.evaluate(t, z, w)
    value = 0.0
    for k in range(3):
        rows = classes == k
        single = spline(antisymmetric)
        single.update(t[rows], z[rows], w[rows])
        part = single.evaluate(t[rows], z[rows], w[rows])
        value += w[rows].sum() / w.sum() * part.value
        np.testing.assert_allclose(
            evaluation.gradient[rows], part.gradient * w[rows].sum() / w.sum(), atol=1e-12
        )
    assert evaluation.value == pytest.approx(value, rel=1e-12)
    assert_envelope(grouped, t, z, w, rtol=1e-4, step=1e-4, atol=1e-8)
    part = grouped.for_rows(np.arange(0, t.size, 2))
    np.testing.assert_array_equal(part.classes, classes[::2])


@WAYS
def test_one_class_of_raters_is_no_class(antisymmetric) -> None:
    t, z, w = sample(weighted=True)
    grouped = GroupedObjective.build(lambda: spline(antisymmetric), np.zeros(t.size, dtype=int))
    alone = spline(antisymmetric)
    for objective in (grouped, alone):
        objective.update(t, z, w)
    one, two = grouped.evaluate(t, z, w), alone.evaluate(t, z, w)
    assert one.value == pytest.approx(two.value, rel=1e-14)
    np.testing.assert_allclose(one.gradient, two.gradient, rtol=1e-12)
