"""Optimal policies: normalised, within the budget, and better than every other policy that is."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from semiindex.divergence import (
    Divergence,
    PolicyProblem,
    alpha_divergence,
    chi_squared,
    custom_divergence,
    forward_kl,
    hellinger,
    js_divergence,
    optimal_ratio,
    reverse_kl,
    solve_temperature,
)
from semiindex.divergence.normalizer import _gap_of_worst
from semiindex.exceptions import (
    BudgetError,
    ConvergenceWarning,
    InvalidDataError,
    InvalidParameterError,
)

NAMED: list[Divergence] = [reverse_kl, forward_kl, js_divergence, chi_squared, hellinger]
ALL = [*NAMED, *(alpha_divergence(a) for a in (-1.5, 0.7, 1.5, 3.0, 4.0, 5.0, 8.0))]
CUSTOM = custom_divergence(
    lambda r: (r - 1) ** 2 / 2, lambda r: r - 1, lambda u: 1 + u, name="chi_squared_of_a_user"
)


def label(divergence: Divergence) -> str:
    return f"{divergence.name}{getattr(divergence, 'alpha', '')}"


@pytest.fixture(params=ALL, ids=label)
def divergence(request: pytest.FixtureRequest) -> Divergence:
    return request.param


class Menus:
    """Ragged menus: scores, reference with excluded options, offsets."""

    def __init__(self, seed: int, sizes: list[int], scale: float = 1.0, excluded: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)])
        n = int(self.offsets[-1])
        self.scores = scale * rng.normal(size=n) * rng.choice([1.0, 1.0, 10.0], size=n)
        logits = 2 * rng.normal(size=n)
        logits[rng.random(n) < excluded] = -np.inf
        logits[self.offsets[:-1]] = 0.0  # one option stays
        self.log_q = np.concatenate([log_softmax(logits[a:b]) for a, b in self.bounds])
        self.weight = rng.random(len(sizes)) + 0.1

    @property
    def bounds(self) -> list[tuple[int, int]]:
        return list(zip(self.offsets[:-1], self.offsets[1:], strict=True))

    def problem(self, divergence: Divergence, scores: np.ndarray | None = None) -> PolicyProblem:
        h = self.scores if scores is None else scores
        return PolicyProblem(h, self.log_q, self.offsets, divergence)

    def sums(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.offsets[:-1])


def largest_defect(problem: PolicyProblem, temperature: float) -> float:
    """How far the logarithms of the total masses are from 0 before probabilities are divided by them."""
    defects = [part.solve(np.full(part.block.contexts.size, temperature)).defect for part in problem._parts]
    return float(np.max(np.concatenate(defects)))


menus = st.builds(
    Menus,
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.one_of(st.integers(1, 12), st.sampled_from([100, 1000])), min_size=1, max_size=12),
    scale=st.sampled_from([1e-8, 1.0, 1e3, 1e300]),
    excluded=st.sampled_from([0.0, 0.3, 0.9]),
)
divergences = st.sampled_from([*ALL, CUSTOM])


@settings(max_examples=60)
@given(menus=menus, divergence=divergences, log_temperature=st.floats(-8, 8))
def test_policies_are_normalised_and_optimal(
    menus: Menus, divergence: Divergence, log_temperature: float
) -> None:
    """Mass one, excluded options, and the first-order condition with the multipliers of its clips."""
    temperature = np.exp(log_temperature) * np.abs(menus.scores).max()
    problem = menus.problem(divergence)
    assert largest_defect(problem, temperature) < 1e-11
    best = problem.optimum(temperature)
    p = np.exp(menus.log_q + best.log_ratio)
    assert (p[np.isneginf(menus.log_q)] == 0).all()
    terms = divergence.log_terms(menus.log_q, best.log_ratio)[~np.isneginf(menus.log_q)]
    assert terms.sum() == pytest.approx(best.divergence.sum(), rel=1e-9, abs=1e-12)
    for k, (a, b) in enumerate(menus.bounds):
        used = ~np.isneginf(menus.log_q[a:b])
        u = (menus.scores[a:b][used] - best.normalizer[k]) / temperature
        derivative = divergence.derivative_at_log(best.log_ratio[a:b][used])
        kept = ~np.isneginf(best.log_ratio[a:b][used])
        # In f', where errors are those of the scores in temperatures: as a ratio they may be large near 0.
        slack = 1e-11 * (1 + np.abs(u).max() + np.exp(-log_temperature))
        np.testing.assert_allclose(derivative[kept], u[kept], rtol=1e-11, atol=slack)
        assert (u[~kept] <= divergence.derivative_at_zero + slack).all()


@settings(max_examples=60)
@given(menus=menus, divergence=divergences, part=st.sampled_from([1e-9, 1e-3, 0.1, 0.5, 0.9, 0.999]))
def test_budgets_are_met(menus: Menus, divergence: Divergence, part: float) -> None:
    problem = menus.problem(divergence)
    supremum = problem.supremum()
    weight = menus.weight / menus.weight.sum()
    most = min(float(weight @ supremum), 5.0)
    if most == 0:
        assert problem.temperature(0.0, menus.weight) == np.inf
        return
    temperature = problem.temperature(part * most, menus.weight)
    spent = float(weight @ problem.optimum(temperature).divergence)
    assert spent == pytest.approx(part * most, rel=1e-8)
    each = part * np.minimum(supremum, 5.0)
    temperatures = problem.temperature(each)
    np.testing.assert_allclose(problem.optimum(temperatures).divergence, each, rtol=1e-8, atol=1e-15)


@settings(max_examples=30)
@given(menus=menus, divergence=divergences)
def test_divergence_falls_and_score_falls_with_the_temperature(menus: Menus, divergence: Divergence) -> None:
    problem = menus.problem(divergence)
    size = np.abs(menus.scores).max()
    spent, earned = [], []
    for temperature in [0.0, *(size * np.logspace(-4, 4, 9)), np.inf]:
        best = problem.optimum(temperature)
        p = np.exp(menus.log_q + best.log_ratio)
        spent.append(best.divergence)
        earned.append(menus.sums(p * menus.scores / size))
    for low, high in zip(spent[1:], spent[:-1], strict=True):
        assert (low <= high * (1 + 1e-9) + 1e-12).all()
    for low, high in zip(earned[1:], earned[:-1], strict=True):
        assert (low <= high + 1e-9).all()
    np.testing.assert_allclose(spent[-1], 0, atol=1e-13)
    np.testing.assert_allclose(spent[0], problem.supremum(), rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(menus=menus, divergence=divergences, shift=st.floats(-50, 50))
def test_a_constant_per_context_changes_nothing(menus: Menus, divergence: Divergence, shift: float) -> None:
    size = np.abs(menus.scores).max()
    shifts = size * shift * np.repeat(menus.weight, np.diff(menus.offsets))
    if not np.isfinite(size * 100):
        return
    first = menus.problem(divergence).optimum(size)
    second = menus.problem(divergence, menus.scores + shifts).optimum(size)
    np.testing.assert_allclose(np.exp(second.log_ratio), np.exp(first.log_ratio), rtol=1e-8, atol=1e-9)


@settings(max_examples=30)
@given(menus=menus, log_temperature=st.floats(-5, 5))
def test_reverse_kl_is_a_softmax(menus: Menus, log_temperature: float) -> None:
    temperature = np.exp(log_temperature) * np.abs(menus.scores).max()
    best = menus.problem(reverse_kl).optimum(temperature)
    for a, b in menus.bounds:
        wanted = log_softmax(menus.log_q[a:b] + menus.scores[a:b] / temperature)
        np.testing.assert_allclose((menus.log_q + best.log_ratio)[a:b], wanted, rtol=1e-12, atol=1e-12)


def test_chi_squared_against_a_projection() -> None:
    """Maximising p'h - T/2 sum (p - q)^2 / q is a weighted projection on the simplex: solved by sorting."""
    rng = np.random.default_rng(1)
    q, h, temperature = rng.dirichlet(np.ones(20)), 3 * rng.normal(size=20), 0.7
    order = np.argsort(-h)
    mass, moment = np.cumsum(q[order]), np.cumsum((q * (h / temperature + 1))[order])
    levels = (moment - 1) / mass  # lambda / T for the k best options
    k = np.flatnonzero(h[order] / temperature + 1 > levels)[-1]
    wanted = q * np.maximum(h / temperature + 1 - levels[k], 0)
    best = optimal_ratio(h, np.log(q), np.array([0, 20]), chi_squared, temperature)
    np.testing.assert_allclose(q * np.exp(best.log_ratio), wanted, atol=1e-14)
    assert best.normalizer[0] == pytest.approx(temperature * levels[k])


def feasible_policies(rng: np.random.Generator, q: np.ndarray, divergence: Divergence, budget: float):
    """Random policies scaled towards the reference until they spend the budget."""
    rough = rng.dirichlet(rng.choice([0.1, 1.0], size=q.size), size=1000)
    low, high = np.zeros(1000), np.ones(1000)
    for _ in range(50):
        middle = (low + high) / 2
        p = q + middle[:, None] * (rough - q)
        fits = (q * divergence.f(p / q)).sum(axis=1) <= budget
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return q + low[:, None] * (rough - q)


def test_no_feasible_policy_is_better(divergence: Divergence) -> None:
    rng = np.random.default_rng(2)
    q, h, offsets = rng.dirichlet(np.ones(6)), rng.normal(size=6), np.array([0, 6])
    budget = 0.5 * min(float(PolicyProblem(h, np.log(q), offsets, divergence).supremum()[0]), 1.0)
    temperature = solve_temperature(h, np.log(q), offsets, divergence, budget)
    p = q * np.exp(optimal_ratio(h, np.log(q), offsets, divergence, temperature).log_ratio)
    others = feasible_policies(rng, q, divergence, budget)
    assert (q * divergence.f(p / q)).sum() == pytest.approx(budget)
    assert (others @ h <= p @ h + 1e-12).all()
    assert (others @ h).max() > q @ h  # they are no straw men


def convex_divergence(cp, divergence: Divergence, p, q: np.ndarray):  # type: ignore[no-untyped-def]
    """``sum q f(p / q)`` in the language of cvxpy; linear terms vanish as both sum to one."""
    if divergence is reverse_kl:
        return cp.sum(cp.kl_div(p, q))
    if divergence is forward_kl:
        return cp.sum(cp.kl_div(q, p))
    if divergence is js_divergence:
        return cp.sum(cp.kl_div(p, (p + q) / 2)) + cp.sum(cp.kl_div(q, (p + q) / 2))
    if divergence is chi_squared:
        return cp.sum_squares(cp.multiply(p - q, 1 / np.sqrt(q))) / 2
    if divergence is hellinger:
        return 4 - 4 * cp.sum(cp.multiply(np.sqrt(q), cp.sqrt(p)))
    a = divergence.alpha  # type: ignore[attr-defined]
    power = cp.sum(cp.multiply(q ** (1 - a), cp.power(p, a, approx=False)))
    return (power - 1) / (a * (a - 1))


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # of these tolerances, tighter than usual
@pytest.mark.parametrize("seed", [0, 1])
def test_against_a_convex_program(divergence: Divergence, seed: int) -> None:
    """Two contexts share one budget: the constrained problem as it is stated, solved by another method."""
    cp = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(seed)
    q = [rng.dirichlet(np.full(k, 2.0)) for k in (3, 5)]
    h = [rng.normal(size=k) for k in (3, 5)]
    weight = np.array([0.3, 0.7])
    problem = PolicyProblem(np.concatenate(h), np.log(np.concatenate(q)), np.array([0, 3, 8]), divergence)
    budget = 0.4 * min(float(weight @ problem.supremum()), 1.0)
    p = [cp.Variable(k, nonneg=True) for k in (3, 5)]
    spent = sum(w * convex_divergence(cp, divergence, *one) for w, *one in zip(weight, p, q, strict=True))
    score = sum(w * (one @ s) for w, one, s in zip(weight, p, h, strict=True))
    program = cp.Problem(cp.Maximize(score), [spent <= budget, *(cp.sum(one) == 1 for one in p)])
    program.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11, max_iter=200)
    best = problem.optimum(problem.temperature(budget, weight))
    ours = np.concatenate(q) * np.exp(best.log_ratio)
    # The cones of powers are where the interior-point method stops early, by its own word. That the error is
    # its own show the first-order condition, held to 1e-11 above, and the budget, to 1e-8.
    tolerance = 5e-6 if divergence.name == "alpha_divergence" else 1e-6
    np.testing.assert_allclose(ours, np.concatenate([one.value for one in p]), rtol=0, atol=tolerance)


def test_the_slope_of_the_divergence(divergence: Divergence) -> None:
    """The derivative that guides the search, against a finite difference."""
    menus = Menus(3, [4, 7, 7])
    part = menus.problem(divergence)._parts[0]
    s, h = np.array([0.3]), 1e-6
    rise = part.respond(s + h).value - part.respond(s - h).value
    np.testing.assert_allclose(part.respond(s).slope, rise / (2 * h), rtol=1e-5, atol=1e-9)


def test_budgets_at_their_ends(divergence: Divergence) -> None:
    menus = Menus(4, [3, 1, 5])
    menus.scores[1] = menus.scores[0] = menus.scores[2] + 1  # a tie at the top
    problem = menus.problem(divergence)
    assert problem.temperature(0.0) == np.inf
    reference = problem.optimum(np.inf)
    np.testing.assert_allclose(reference.log_ratio, 0, atol=1e-14)
    np.testing.assert_allclose(
        reference.normalizer, menus.sums(np.exp(menus.log_q) * menus.scores), rtol=1e-12
    )
    greedy = problem.optimum(0.0)
    q = np.exp(menus.log_q)
    p = q * np.exp(greedy.log_ratio)
    np.testing.assert_allclose(p[:2], q[:2] / q[:2].sum())
    assert p[2] == 0
    assert p[3] == pytest.approx(1)
    supremum = problem.supremum()
    assert supremum[1] == 0
    wanted = q[:2].sum() * divergence.f(1 / q[:2].sum()) + q[2] * divergence.at_zero
    assert supremum[0] == pytest.approx(float(wanted))
    if np.isfinite(supremum).all():
        assert problem.temperature(supremum.mean()) == 0
        np.testing.assert_array_equal(problem.temperature(supremum), [0, np.inf, 0])
        with pytest.raises(BudgetError, match=rf"divergence of {supremum.mean():.10g} on average"):
            problem.temperature(supremum.mean() * 1.001)
        with pytest.raises(BudgetError, match="in context 0"):
            problem.temperature(supremum * 1.001)


def test_constant_scores_can_spend_nothing(divergence: Divergence) -> None:
    problem = PolicyProblem(np.full(4, 3.0), np.log(np.full(4, 0.25)), np.array([0, 4]), divergence)
    assert problem.temperature(0.0) == np.inf
    for temperature in (0.0, 1e-300, 1.0):
        np.testing.assert_allclose(problem.optimum(temperature).log_ratio, 0, atol=1e-14)
    with pytest.raises(BudgetError, match="divergence of 0"):
        problem.temperature(0.1)


def test_references_too_small_for_a_number() -> None:
    """Mass e^-2000 is moved by a score of 2001 temperatures, as the closed form says."""
    log_q = np.array([np.log1p(-np.exp(-2000.0)), -2000.0])
    best = optimal_ratio(np.array([0.0, 2001.0]), log_q, np.array([0, 2]), reverse_kl, 1.0)
    np.testing.assert_allclose(np.exp(log_q + best.log_ratio), 1 / (1 + np.exp([1.0, -1.0])), rtol=1e-12)
    spent = solve_temperature(np.array([0.0, 2001.0]), log_q, np.array([0, 2]), reverse_kl, 1000.0)
    p = np.exp(
        log_q + optimal_ratio(np.array([0.0, 2001.0]), log_q, np.array([0, 2]), reverse_kl, spent).log_ratio
    )
    assert p[1] == pytest.approx(0.5, abs=1e-2)


def test_many_contexts_take_the_same_way(divergence: Divergence, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first search on a part of many contexts changes the start, not the answer."""
    monkeypatch.setattr("semiindex.divergence.optimum._MANY", 1000)
    rng = np.random.default_rng(5)
    n = 3000
    h, log_q, offsets = rng.normal(size=3 * n), np.full(3 * n, -np.log(3)), np.arange(0, 3 * n + 1, 3)
    problem = PolicyProblem(h, log_q, offsets, divergence)
    whole = problem._search(problem._parts, 0.1, float(problem.supremum().mean()), np.full(n, 1 / n), None)
    assert problem.temperature(0.1) == pytest.approx(float(np.exp(-whole[0])), rel=1e-9)


def test_weights_are_frequencies(divergence: Divergence) -> None:
    menus = Menus(6, [3, 5])
    twice = Menus(6, [3, 5])
    twice.scores = np.concatenate([menus.scores[:3], menus.scores])
    twice.log_q = np.concatenate([menus.log_q[:3], menus.log_q])
    twice.offsets = np.array([0, 3, 6, 11])
    first = menus.problem(divergence).temperature(0.1, np.array([2.0, 1.0]))
    assert twice.problem(divergence).temperature(0.1) == pytest.approx(first, rel=1e-9)
    alone = PolicyProblem(menus.scores[:3], menus.log_q[:3], np.array([0, 3]), divergence)
    none = menus.problem(divergence).temperature(0.1, np.array([1.0, 0.0]))
    assert none == pytest.approx(alone.temperature(0.1), rel=1e-9)


def test_what_is_refused() -> None:
    menus = Menus(7, [3, 5])
    for scores in (np.full(8, np.nan), np.full(8, 1e308)):
        with pytest.raises(InvalidDataError, match="scores must be finite and below 8e307"):
            menus.problem(reverse_kl, scores)
    problem = menus.problem(reverse_kl)
    with pytest.raises(InvalidParameterError, match="budget must be at least 0"):
        problem.temperature(-0.1)
    with pytest.raises(InvalidParameterError, match=r"one number per context \(2\), got shape \(3,\)"):
        problem.temperature([0.1, 0.1, 0.1])


def decimal_policy(h: np.ndarray, temperature: float, power: int) -> np.ndarray:
    """Alpha divergence with ``a - 1 = power``, uniform reference: lambda halved out in 150 digits."""
    with localcontext() as context:
        context.prec = 150
        scores = [Decimal(float(one)) for one in h]
        t, k = Decimal(temperature), Decimal(power)

        def ratios(level: Decimal) -> list[Decimal]:
            inner = [1 + k * (one - level) / t for one in scores]
            return [one ** (1 / k) if one > 0 else Decimal(0) for one in inner]

        low, high = min(scores), max(scores)
        for _ in range(450):
            middle = (low + high) / 2
            low, high = (middle, high) if sum(ratios(middle)) > len(scores) else (low, middle)
        return np.array([float(one / len(scores)) for one in ratios(low)])


@pytest.mark.parametrize("alpha", [3, 5, 8])
def test_options_about_to_be_given_up_against_many_digits(alpha: int) -> None:
    """At temperatures just above the one at which the second or third option leaves, from 1e-16 to 1e-2."""
    h, offsets, k = np.array([0.0, 1.0, 3.0, -1.0]), np.array([0, 4]), alpha - 1
    log_q = np.full(4, -np.log(4))
    leaving = [2 * k * 4.0**-k, 3 * k / (4.0**k - 1)]  # of the second; a lower bound for the third
    for temperature in [leaving[0] * (1 + 10.0**-e) for e in (2, 5, 7, 9, 12, 15)] + [0.0312877, leaving[1]]:
        best = optimal_ratio(h, log_q, offsets, alpha_divergence(float(alpha)), temperature)
        wanted = decimal_policy(h, temperature, k)
        np.testing.assert_allclose(np.exp(log_q + best.log_ratio), wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("alpha", [1.5, 3.0, 4.0, 5.0, 6.0, 8.0])
@pytest.mark.parametrize("budget", [0.05, 0.2, 0.5])
def test_many_contexts_with_options_about_to_be_given_up(alpha: float, budget: float) -> None:
    """Among 2000 contexts some option is always close to its end: all of them are resolved."""
    scores = np.random.default_rng(0).normal(size=12_000)
    log_q, offsets = np.full(12_000, -np.log(6)), np.arange(0, 12_001, 6)
    problem = PolicyProblem(scores, log_q, offsets, alpha_divergence(alpha))
    temperature = problem.temperature(budget)
    assert largest_defect(problem, temperature) < 1e-12
    afresh = PolicyProblem(scores, log_q, offsets, alpha_divergence(alpha)).optimum(temperature)
    assert afresh.divergence.mean() == pytest.approx(budget, rel=1e-10)
    followed = problem.optimum(temperature)
    np.testing.assert_allclose(np.exp(followed.log_ratio), np.exp(afresh.log_ratio), rtol=0, atol=1e-11)


@pytest.mark.parametrize("alpha", [2.0, 3.0, 5.0, 8.0])
@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_uneven_references_with_options_about_to_be_given_up(alpha: float, spread: float) -> None:
    """Where options of much reference mass leave, all ratios of those that stay may be large."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        sizes = rng.integers(2, 12, size=6)
        menus = Menus(int(rng.integers(1000)), sizes.tolist())
        logits = spread * rng.normal(size=menus.scores.size)
        menus.log_q = np.concatenate([log_softmax(logits[a:b]) for a, b in menus.bounds])
        problem = menus.problem(alpha_divergence(alpha))
        most = float(problem.supremum().mean())
        for part in (0.01, 0.5, 0.9, 0.9999):
            temperature = problem.temperature(part * most)
            assert largest_defect(problem, temperature) < 1e-11
            assert problem.optimum(temperature).divergence.mean() == pytest.approx(part * most, rel=1e-10)


@pytest.mark.parametrize("log_odds", [-20.0, -35.0, -100.0])
def test_a_best_option_of_tiny_reference_probability(log_odds: float) -> None:
    """Two options: p follows from the budget alone, ``(p - q)^2 / (2 q (1 - q)) = D``."""
    log_q = log_softmax([log_odds, 0.0])
    problem = PolicyProblem(np.array([1.0, 0.0]), log_q, np.array([0, 2]), chi_squared)
    best = problem.optimum(problem.temperature(0.1))
    q = np.exp(log_q)
    wanted = q[0] + np.sqrt(0.2 * q[0] * q[1])
    np.testing.assert_allclose(np.exp(log_q + best.log_ratio), [wanted, 1 - wanted], rtol=1e-11)


def test_worst_kept_option_against_a_search_of_all() -> None:
    """The option at which halving ends is the last one that the policy keeps."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gap = np.round(3 * rng.exponential(size=(9, 1)), rng.integers(0, 3))
        gap -= gap.min()
        log_q = log_softmax(rng.normal(size=(9, 1)), axis=0)
        best = optimal_ratio(-gap[:, 0], log_q[:, 0], np.array([0, 9]), alpha_divergence(3.0), 1.0)
        wanted = gap[np.isfinite(best.log_ratio)].max()
        assert _gap_of_worst(alpha_divergence(3.0), gap, log_q)[0] == wanted


def test_imprecise_functions_are_refused() -> None:
    """An inverse in single precision jumps, by more than a best option of little mass can make up for."""
    rough = custom_divergence(
        lambda r: r * np.log(r) - r + 1,
        np.log,
        lambda u: np.exp(u).astype(np.float32),
        at_zero=1.0,
        name="rough",
    )
    h, log_q, offsets = np.array([1.0, 0.0]), log_softmax([-30.0, 0.0]), np.array([0, 2])
    with pytest.raises(InvalidDataError, match=r"of 1 context\(s\) is lost in rounding errors: under rough"):
        optimal_ratio(h, log_q, offsets, rough, 1 / 27.5)


def test_a_budget_that_rounding_keeps_out_of_reach_is_said() -> None:
    rough = custom_divergence(lambda r: np.round((r - 1) ** 2 / 2, 15), lambda r: r - 1, lambda u: 1 + u)
    h, log_q = np.array([1.0, 0.3, 0.0]), np.log([0.2, 0.3, 0.5])
    with pytest.warns(ConvergenceWarning, match="could not be brought closer to the budget 1.23457e-10"):
        solve_temperature(h, log_q, np.array([0, 3]), rough, 1.23456789e-10)


def test_scores_too_small_for_a_temperature() -> None:
    h, log_q = 1e-308 * np.array([0.0, 1.0, 2.0]), np.full(3, -np.log(3))
    with pytest.warns(ConvergenceWarning, match="below 1e-290"):
        solve_temperature(h, log_q, np.array([0, 3]), reverse_kl, 0.3)
