"""The driver: penalties, preconditioner, and a large sample fitted in stages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiindex import MonotoneSpline
from semiindex.exceptions import UnboundedObjectiveError
from semiindex.index.linear import LinearDesign
from semiindex.index.whitening import WhitenedDesign, whiten
from semiindex.link import LogisticLink
from semiindex.objective.isotonic import IsotonicObjective
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.objective.margin import IPOObjective, RobustObjective
from semiindex.objective.spline import SplineObjective
from semiindex.objective.unit_index import UnitIndexObjective
from semiindex.optimize import fit as driver
from semiindex.optimize.fit import IndexSample, fit_index
from semiindex.optimize.penalty import NO_PENALTY, Ridge, TieBreaker
from semiindex.optimize.preconditioner import thinned_rows


def sample(n: int = 3000, d: int = 4, seed: int = 0) -> IndexSample:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.geomspace(0.1, 10, d)
    X[:, 0] += X[:, -1] / 20
    w = rng.integers(1, 3, n).astype(float)
    t = X @ (np.resize([1.0, -0.7], d) / np.geomspace(0.1, 10, d))
    z = (rng.random(n) < 0.1 + 0.8 / (1 + np.exp(-2 * t))).astype(float)
    return IndexSample(whiten(LinearDesign(X), w)[0], z, w)


def profiled() -> UnitIndexObjective:
    return UnitIndexObjective(SplineObjective(MonotoneSpline(), antisymmetric=True))


def isotonic() -> UnitIndexObjective:
    slope = SplineObjective(MonotoneSpline(), antisymmetric=True)
    return UnitIndexObjective(IsotonicObjective(antisymmetric=True, slope=slope))


@pytest.mark.parametrize("penalty", [NO_PENALTY, Ridge(0.3), TieBreaker(0.01)], ids=repr)
@pytest.mark.parametrize("full", [True, False])
@given(seed=st.integers(0, 1000))
def test_penalties_are_quadratic_forms(penalty, full: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(4, 3)) if full else rng.normal(size=4)
    design = WhitenedDesign(LinearDesign(rng.normal(size=(6, 4))), basis)
    phi, other = rng.normal(size=(2, design.n_parameters))
    value, gradient = penalty.value_and_gradient(design, phi)
    matrix = penalty.matrix(design) * np.ones((phi.size, phi.size))
    assert value == pytest.approx(phi @ matrix @ phi / 2, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(gradient, matrix @ phi, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(np.diag(matrix), penalty.diagonal(design) * np.ones(phi.size), rtol=1e-12)
    change = penalty.value_and_gradient(design, phi + other)[0] - value
    assert change == pytest.approx(gradient @ other + other @ matrix @ other / 2, rel=1e-9, abs=1e-12)


def test_ridge_is_in_the_units_of_the_features() -> None:
    s = sample()
    phi = np.arange(1.0, 5.0)
    theta = s.design.to_theta(phi)
    assert Ridge(0.3).value_and_gradient(s.design, phi)[0] == pytest.approx(0.15 * theta @ theta)
    t = s.design.matvec(phi)
    assert TieBreaker(0.3).value_and_gradient(s.design, phi)[0] == pytest.approx(
        0.15 * s.weight @ t**2 / s.weight.sum()
    )


def test_quadratic_objective_takes_one_step() -> None:
    s = sample()
    found = fit_index(s, IPOObjective(0.5), np.zeros(4), tol=1e-8)
    assert found.converged
    assert found.n_iter <= 2
    X = s.design.rows(slice(None))
    # (s - 1)^2 with s = (2z - 1) t is least squares of 2z - 1 on the features.
    expected = np.linalg.lstsq(np.sqrt(s.weight)[:, None] * X, np.sqrt(s.weight) * (2 * s.z - 1))[0]
    np.testing.assert_allclose(found.x, expected, atol=1e-9)


def test_tolerance_is_in_standard_errors() -> None:
    s = sample()
    objective = KnownLinkObjective(LogisticLink())
    exact = fit_index(s, objective, np.zeros(4), tol=1e-10).x
    evaluation = objective.evaluate(s.design.matvec(exact), s.z, s.weight)
    information = s.design.gram(evaluation.curvature()) * s.weight.sum()
    for tol in (0.5, 0.05, 1e-3):
        rough = fit_index(s, objective, np.zeros(4), tol=tol).x
        distance = np.sqrt((rough - exact) @ information @ (rough - exact))
        assert distance < 1.5 * tol


@pytest.mark.parametrize(
    "make",
    [lambda: KnownLinkObjective(LogisticLink()), profiled, isotonic],
    ids=["known", "spline", "isotonic"],
)
def test_staged_fit_of_a_large_sample_is_the_unstaged_one(make, monkeypatch) -> None:
    s = sample()
    start = np.ones(4) / 2
    tol = 1e-4
    whole = fit_index(s, make(), start, tol=tol)
    monkeypatch.setattr(driver, "_STAGE_THRESHOLD", 1000)
    monkeypatch.setattr(driver, "_STAGE_MINIMUM", 500)
    staged = fit_index(s, make(), start, tol=tol)
    assert whole.converged
    assert staged.converged
    one, two = (m.x / np.linalg.norm(m.x) if make is not None else m.x for m in (whole, staged))
    # In units of the standard error of a direction, about 1 / sqrt(n) here. The knots follow the pilot.
    limit = {"known": 1e-3, "spline": 0.05, "isotonic": 0.5}
    name = (
        "known" if isinstance(make(), KnownLinkObjective) else ("isotonic" if make is isotonic else "spline")
    )
    assert np.linalg.norm(one - two) * np.sqrt(s.weight.sum()) < limit[name]


def test_staged_fit_takes_few_passes(monkeypatch) -> None:
    s = sample(n=20_000)
    monkeypatch.setattr(driver, "_STAGE_THRESHOLD", 1000)
    monkeypatch.setattr(driver, "_STAGE_MINIMUM", 2000)
    assert fit_index(s, KnownLinkObjective(LogisticLink()), np.zeros(4)).n_iter <= 5


def test_part_without_a_minimiser_proves_nothing_of_the_whole(monkeypatch) -> None:
    s, objective = sample(n=2000), RobustObjective(0.1)
    with pytest.raises(UnboundedObjectiveError, match="has no minimiser on these data"):
        fit_index(s.take(thinned_rows(2000, 200)), objective, np.zeros(4))
    whole = fit_index(s, objective, np.zeros(4))
    monkeypatch.setattr(driver, "_STAGE_THRESHOLD", 1000)
    monkeypatch.setattr(driver, "_STAGE_MINIMUM", 200)
    np.testing.assert_array_equal(fit_index(s, objective, np.zeros(4)).x, whole.x)


def test_fractional_weights_are_fitted_as_accurately() -> None:
    s = sample()
    tenth = IndexSample(s.design, s.z, s.weight / s.weight.sum())
    one, two = (fit_index(x, KnownLinkObjective(LogisticLink()), np.zeros(4)).x for x in (s, tenth))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_compression_to_a_grid_moves_the_estimate_by_nothing() -> None:
    s = sample()
    found = []
    for threshold in (10**9, 100):
        inner = SplineObjective(MonotoneSpline(), antisymmetric=True, compression_threshold=threshold)
        minimum = fit_index(s, UnitIndexObjective(inner), np.ones(4), tol=1e-5)
        assert minimum.converged
        found.append(minimum.x / np.linalg.norm(minimum.x))
    assert np.linalg.norm(found[0] - found[1]) * np.sqrt(s.weight.sum()) < 1e-3


def test_thinned_rows_are_spread_evenly_and_distinct() -> None:
    rows = thinned_rows(1000, 10)
    assert rows.tolist() == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]
    assert thinned_rows(5, 10).tolist() == [0, 1, 2, 3, 4]
