"""The convex program: against a slow twin, its certificate, uniqueness, errors and warnings."""

from __future__ import annotations

import itertools
import pickle
import warnings
from dataclasses import fields

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import xlog1py, xlogy

from semiindex._types import FloatArray
from semiindex.exceptions import ConvergenceWarning, InvalidParameterError, LinkFitError
from semiindex.link import PiecewiseLinearLink, ShapeConstrainedLink, _quadratic
from semiindex.link._program import LinkProgram, ProgramSolution
from semiindex.link.compression import compress

KNOTS = np.array([-2.0, -1.2, -0.5, 0.3, 0.8, 1.5, 2.2])
HALF = np.array([0.0, 0.3, 0.8, 1.5, 2.2])
SPECS = [
    ShapeConstrainedLink(lipschitz=lipschitz, lower=lapse, upper=1 - lapse, concave_above_zero=c, monotone=m)
    for lipschitz, lapse, c, m in itertools.product([None, 0.25], [0.0, 0.15], [False, True], [True, False])
]


def inequalities(spec: ShapeConstrainedLink, knots: FloatArray, v: FloatArray) -> dict[str, FloatArray]:
    """Every constraint as a number that must be >= 0, straight from its definition."""
    slope = np.diff(v) / np.diff(knots)
    sides = {"lower": v - spec.lower, "upper": spec.upper - v}
    if spec.monotone:
        sides["monotone"] = slope
    if spec.lipschitz is not None:
        sides["lipschitz"] = spec.lipschitz - np.abs(slope)
    if spec.concave_above_zero:
        sides["concave"] = (slope[:-1] - slope[1:])[knots[1:-1] > 0]
    return sides


def slow_twin(spec, knots, antisymmetric, loss, gradient, bound):
    """Sequential quadratic programming from scipy, from a strictly feasible start."""

    def sides(v: FloatArray) -> FloatArray:
        parts = inequalities(spec, knots, v) | {"bound": np.minimum(v - bound, 1 - bound - v)}
        if spec.lipschitz is not None:  # smooth instead of an absolute value
            slope = np.diff(v) / np.diff(knots)
            parts["lipschitz"] = np.concatenate([spec.lipschitz - slope, spec.lipschitz + slope])
        return np.concatenate(list(parts.values()))

    constraints = [{"type": "ineq", "fun": sides}]
    if antisymmetric:
        constraints.append({"type": "eq", "fun": lambda v: v[:1] - 0.5})
    start = 0.5 + 0.05 * np.tanh(knots)
    result = minimize(
        loss,
        start,
        jac=gradient,
        method="SLSQP",
        constraints=constraints,
        options={"ftol": 1e-15, "maxiter": 999},
    )
    assert result.success or result.status == 8, result.message
    return result.x


def random_counts(rng: np.random.Generator, knots: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A link with a dip and a late jump, so that every constraint has something to do."""
    truth = np.clip(0.5 + 0.3 * np.tanh(2 * knots) - 0.2 * (np.abs(knots - 1) < 0.5), 0.02, 0.98)
    total = rng.integers(5, 40, knots.size).astype(float)
    wins = rng.binomial(total.astype(int), truth).astype(float)
    return wins, total - wins


@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize(
    "spec", SPECS, ids=lambda s: f"{s.lipschitz}-{s.lower}-{s.concave_above_zero}-{s.monotone}"
)
def test_log_loss_agrees_with_a_slow_twin(
    spec: ShapeConstrainedLink, antisymmetric: bool, rng: np.random.Generator
) -> None:
    knots = HALF if antisymmetric else KNOTS
    wins, losses = random_counts(rng, knots)
    wins[2], losses[3] = 0.0, 0.0
    solution = LinkProgram(spec, knots, antisymmetric).solve_log(wins, losses, 0.01)

    def loss(v: FloatArray) -> float:
        v = np.clip(v, 1e-9, 1 - 1e-9)
        return -float(np.sum(xlogy(wins, v) + xlog1py(losses, -v)))

    def gradient(v: FloatArray) -> FloatArray:
        v = np.clip(v, 1e-9, 1 - 1e-9)
        return losses / (1 - v) - wins / v

    twin = slow_twin(spec, knots, antisymmetric, loss, gradient, 0.01)
    assert_solution(solution, spec, knots, antisymmetric)
    assert solution.objective == pytest.approx(loss(solution.values), rel=1e-12)
    assert solution.objective <= loss(twin) + 1e-8
    np.testing.assert_allclose(solution.values, twin, atol=2e-5)


@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize(
    "spec", SPECS, ids=lambda s: f"{s.lipschitz}-{s.lower}-{s.concave_above_zero}-{s.monotone}"
)
def test_squared_loss_agrees_with_a_slow_twin(
    spec: ShapeConstrainedLink, antisymmetric: bool, rng: np.random.Generator
) -> None:
    knots = HALF if antisymmetric else KNOTS
    t = rng.uniform(knots[0], knots[-1], 80)
    truth = 0.5 + 0.3 * np.tanh(2 * t) - 0.3 * (np.abs(t - 1) < 0.5)
    gram = compress(t, (rng.random(80) < truth).astype(float), rng.exponential(size=80), knots).gram
    full = np.diag(gram.diagonal) + np.diag(gram.off_diagonal, 1) + np.diag(gram.off_diagonal, -1)
    solution = LinkProgram(spec, knots, antisymmetric).solve_squared(
        gram.diagonal, gram.off_diagonal, gram.moment, 0.01
    )

    def loss(v: FloatArray) -> float:
        return float(v @ full @ v - 2 * gram.moment @ v)

    twin = slow_twin(spec, knots, antisymmetric, loss, lambda v: 2 * (full @ v - gram.moment), 0.01)
    assert_solution(solution, spec, knots, antisymmetric)
    assert solution.objective == pytest.approx(loss(solution.values), rel=1e-12)
    assert solution.objective <= loss(twin) + 1e-8
    np.testing.assert_allclose(solution.values, twin, atol=2e-5)


def assert_solution(
    solution: ProgramSolution, spec: ShapeConstrainedLink, knots: FloatArray, antisymmetric: bool
) -> None:
    assert solution.accurate
    assert 0 <= solution.gap < 1e-9
    v = solution.values
    for name, side in inequalities(spec, knots, v).items():
        exact = name in {"lower", "upper", "monotone"}
        assert side.min(initial=0.0) >= (0 if exact else -1e-9), name
    if antisymmetric:
        assert v[0] == 0.5


@pytest.mark.parametrize("solve", ["log", "squared"])
def test_without_constraints_on_shape_the_program_returns_the_means(
    solve: str, rng: np.random.Generator
) -> None:
    spec = ShapeConstrainedLink(monotone=False)
    wins, losses = random_counts(rng, KNOTS)
    program = LinkProgram(spec, KNOTS, False)
    if solve == "log":
        solution = program.solve_log(wins, losses, 1e-3)
    else:
        solution = program.solve_squared(wins + losses, np.zeros(KNOTS.size - 1), wins, 1e-3)
    np.testing.assert_allclose(solution.values, np.clip(wins / (wins + losses), 1e-3, 1 - 1e-3), atol=1e-8)


def test_certificate_is_an_upper_bound(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a solver that stops early the certified gap is still above the true one."""
    wins, losses = random_counts(rng, KNOTS)
    exact = LinkProgram(SPECS[0], KNOTS, False).solve_squared(wins + losses, np.zeros(6), wins, 0.01)
    monkeypatch.setattr(_quadratic, "GAP_TOLERANCE", 1e-3)
    monkeypatch.setattr(_quadratic, "_FEASIBILITY_TOLERANCE", 1e-3)
    with pytest.warns(ConvergenceWarning, match="stopped early: its mean loss may be"):
        rough = LinkProgram(SPECS[0], KNOTS, False).solve_squared(wins + losses, np.zeros(6), wins, 0.01)
    excess = (rough.objective - exact.objective) / (wins + losses).sum()
    assert not rough.accurate
    assert 0 < excess <= rough.gap


def test_warning_points_at_the_caller(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_quadratic, "GAP_TOLERANCE", 1e-2)
    monkeypatch.setattr(_quadratic, "_FEASIBILITY_TOLERANCE", 1e-2)
    t = rng.normal(size=50)
    with pytest.warns(ConvergenceWarning) as caught:
        ShapeConstrainedLink(loss="squared", lipschitz=0.2).fit(t, (t > 0).astype(float))
    assert caught[0].filename == __file__


def test_solvers_doubts_are_not_passed_on(rng: np.random.Generator) -> None:
    """Clarabel reports "almost solved" for many of these, all of them certified."""
    program = LinkProgram(ShapeConstrainedLink(lipschitz=0.4), KNOTS, False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(10):
            assert program.solve_log(*random_counts(rng, KNOTS), 1e-6).gap < 1e-9


@pytest.mark.parametrize("antisymmetric", [False, True])
def test_program_is_stated_once(antisymmetric: bool, rng: np.random.Generator) -> None:
    """A reused program gives what a new one gives: nothing of the last data remains."""
    knots = HALF if antisymmetric else KNOTS
    program = LinkProgram(SPECS[0], knots, antisymmetric)
    for bound in (0.01, 0.2, 0.001):
        wins, losses = random_counts(rng, knots)
        again = program.solve_log(wins, losses, bound)
        fresh = LinkProgram(SPECS[0], knots, antisymmetric).solve_log(wins, losses, bound)
        np.testing.assert_allclose(again.values, fresh.values, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_scale_of_the_weights_does_not_matter(scale: float, rng: np.random.Generator) -> None:
    wins, losses = random_counts(rng, KNOTS)
    program = LinkProgram(ShapeConstrainedLink(lipschitz=0.3), KNOTS, False)
    one, other = program.solve_log(wins, losses, 0.01), program.solve_log(scale * wins, scale * losses, 0.01)
    np.testing.assert_allclose(other.values, one.values, atol=1e-8)
    assert other.objective == pytest.approx(scale * one.objective, rel=1e-9)


def test_weights_of_very_different_size(rng: np.random.Generator) -> None:
    knots = np.linspace(-3, 3, 120)
    total = rng.exponential(size=120) ** 4
    wins = total * rng.random(120)
    solution = LinkProgram(ShapeConstrainedLink(), knots, False).solve_log(wins, total - wins, 1e-4)
    assert solution.gap < 1e-9


# ------------------------------------------------------------------------- values left open by the data


@pytest.mark.parametrize("loss", ["log", "squared"])
@pytest.mark.parametrize("spec", [SPECS[0], SPECS[1], ShapeConstrainedLink(lipschitz=0.3)])
def test_knots_without_data_are_interpolated(loss: str, spec: ShapeConstrainedLink) -> None:
    wins, losses = np.array([0.0, 2, 0, 0, 6, 9, 0]), np.array([0.0, 6, 0, 0, 4, 1, 0])
    program = LinkProgram(spec, KNOTS, False)
    if loss == "log":
        v = program.solve_log(wins, losses, 0.01).values
    else:
        v = program.solve_squared(wins + losses, np.zeros(6), wins, 0.01).values
    known = [1, 4, 5]
    np.testing.assert_allclose(v, np.interp(KNOTS, KNOTS[known], v[known]), atol=1e-14)


def test_knots_without_data_beside_a_given_zero() -> None:
    wins, losses = np.array([0.0, 0, 8, 0, 0]), np.array([0.0, 0, 2, 0, 0])
    v = LinkProgram(SPECS[0], HALF, True).solve_log(wins, losses, 0.01).values
    np.testing.assert_allclose(v, np.interp(HALF, [0.0, HALF[2]], [0.5, 0.8]), atol=1e-9)


def test_concavity_wins_over_interpolation() -> None:
    """Flat beyond the first knot with data would bend upwards above zero."""
    knots = np.array([0.5, 1.0, 2.0, 3.0])
    wins, losses = np.array([0.0, 4, 6, 7]), np.array([0.0, 6, 4, 3])
    v = (
        LinkProgram(ShapeConstrainedLink(concave_above_zero=True), knots, False)
        .solve_log(wins, losses, 0.01)
        .values
    )
    np.testing.assert_allclose(v, [0.3, 0.4, 0.6, 0.7], atol=1e-6)


def test_singular_gram_has_one_answer() -> None:
    """One observation in the middle of every segment leaves an alternating direction open."""
    knots = np.arange(5.0)
    t, z = np.arange(4) + 0.5, np.array([0.2, 0.3, 0.6, 0.8])
    gram = compress(t, z, np.ones(4), knots).gram
    full = np.diag(gram.diagonal) + np.diag(gram.off_diagonal, 1) + np.diag(gram.off_diagonal, -1)
    assert np.linalg.eigvalsh(full)[0] < 1e-12
    program = LinkProgram(ShapeConstrainedLink(), knots, False)
    solutions = [
        program.solve_squared(c * gram.diagonal, c * gram.off_diagonal, c * gram.moment, 0.01)
        for c in (1, 7, 1e-3)
    ]
    for solution in solutions:
        np.testing.assert_allclose(np.interp(t, knots, solution.values), z, atol=1e-5)
        np.testing.assert_allclose(solution.values, solutions[0].values, atol=1e-6)


# ------------------------------------------------------------------------------------------- refusals


def test_contradicting_bounds_are_named() -> None:
    program = LinkProgram(ShapeConstrainedLink(upper=0.3), KNOTS, False)
    with pytest.raises(LinkFitError, match=r"lower=0 and upper=0.3 together with the bound 0.333333"):
        program.solve_log(np.ones(7), np.ones(7), 1 / 3)
    program = LinkProgram(ShapeConstrainedLink(), HALF, True)
    with pytest.raises(LinkFitError, match=r"lower=0 and upper=1 together with the bound 0\.6"):
        program.solve_squared(np.ones(5), np.zeros(4), np.ones(5), 0.6)


def test_knots_are_validated() -> None:
    for knots in ([], [1.0, 0.0], [0.0, np.nan], [[0.0, 1.0]]):
        with pytest.raises(InvalidParameterError, match="one-dimensional, finite and strictly increasing"):
            LinkProgram(SPECS[0], np.array(knots), False)
    with pytest.raises(InvalidParameterError, match="nonnegative half of its knots, beginning with 0"):
        LinkProgram(SPECS[0], KNOTS, True)


def test_antisymmetric_bounds_must_be_mirror_images() -> None:
    with pytest.raises(InvalidParameterError, match=r"upper = 1 - lower, got lower=0.1 and upper=0.8"):
        LinkProgram(ShapeConstrainedLink(lower=0.1, upper=0.8), HALF, True)


@pytest.mark.parametrize("wins", [np.zeros(7), np.full(7, -1.0), np.full(7, np.nan), np.full(7, np.inf)])
def test_weights_are_validated(wins: FloatArray) -> None:
    with pytest.raises(LinkFitError, match="nonnegative, finite and not all zero"):
        LinkProgram(SPECS[0], KNOTS, False).solve_log(wins, np.zeros(7), 0.1)


def test_lengths_are_validated() -> None:
    with pytest.raises(LinkFitError, match="binned on 3 knots, the program has 7"):
        LinkProgram(SPECS[0], KNOTS, False).solve_log(np.ones(3), np.ones(3), 0.1)


def test_failure_of_the_solver_is_an_error_of_ours() -> None:
    program = LinkProgram(ShapeConstrainedLink(solver="NO_SUCH_SOLVER"), KNOTS, False)
    with pytest.raises(LinkFitError, match="the solver NO_SUCH_SOLVER failed") as caught:
        program.solve_log(np.ones(7), np.ones(7), 0.1)
    assert caught.value.__cause__ is None


def test_a_status_without_a_solution_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    program = LinkProgram(SPECS[0], KNOTS, False)
    _, values, inequality, parameters = program._quadratic._problem

    class Stuck:
        status = "infeasible"

        def solve(self, **options: object) -> None: ...

    monkeypatch.setattr(program._quadratic, "_problem", (Stuck(), values, inequality, parameters))
    with pytest.raises(LinkFitError, match=r"found no link within \[0.1, 0.9\] \(status 'infeasible'\)"):
        program.solve_log(np.ones(7), np.ones(7), 0.1)


def test_nothing_of_cvxpy_leaks() -> None:
    solution = LinkProgram(SPECS[0], KNOTS, False).solve_log(np.ones(7), np.ones(7), 0.1)
    for field in fields(solution):
        assert type(getattr(solution, field.name)) in (np.ndarray, float, bool, int)
    assert not solution.values.dtype.hasobject


def test_pickled_program_is_stated_anew(rng: np.random.Generator) -> None:
    program = LinkProgram(SPECS[0], KNOTS, False)
    data = random_counts(rng, KNOTS)
    values = program.solve_log(*data, 0.1).values
    pickled = pickle.dumps(program)
    assert b"cvxpy" not in pickled
    assert np.array_equal(pickle.loads(pickled).solve_log(*data, 0.1).values, values)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("antisymmetric", [False, True])
def test_few_knots(m: int, antisymmetric: bool) -> None:
    knots = np.arange(m, dtype=float)
    for spec in SPECS:
        program = LinkProgram(spec, knots, antisymmetric)
        log = program.solve_log(np.full(m, 3.0), np.full(m, 1.0), 0.01)
        squared = program.solve_squared(np.full(m, 4.0), np.zeros(m - 1), np.full(m, 3.0), 0.01)
        for solution in (log, squared):
            assert_solution(solution, spec, knots, antisymmetric)
        if not antisymmetric:
            np.testing.assert_allclose([log.values, squared.values], 0.75, atol=1e-7)
        link = program.link(log.values)
        assert isinstance(link, PiecewiseLinearLink)
        assert link.antisymmetric is antisymmetric
