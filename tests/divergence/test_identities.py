"""What every divergence promises: f, f' and its inverse belong together, and the log forms to them."""

from __future__ import annotations

import importlib
import inspect
import math
import pickle
import pkgutil
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.special import rel_entr

import semiindex.divergence
from semiindex.divergence import (
    Divergence,
    alpha_divergence,
    chi_squared,
    custom_divergence,
    forward_kl,
    get_divergence,
    hellinger,
    js_divergence,
    reverse_kl,
)
from semiindex.exceptions import InvalidParameterError


def log_barrier(r: np.ndarray) -> np.ndarray:
    return -np.log(r) + r - 1


def log_barrier_slope(r: np.ndarray) -> np.ndarray:
    return 1 - 1 / r


def log_barrier_inverse(u: np.ndarray) -> np.ndarray:
    return 1 / (1 - u)


EXAMPLES: list[Divergence] = [
    reverse_kl,
    forward_kl,
    js_divergence,
    chi_squared,
    hellinger,
    alpha_divergence(-1.5),
    alpha_divergence(0.3),
    alpha_divergence(0.8),
    alpha_divergence(1.4),
    alpha_divergence(3.0),
    custom_divergence(log_barrier, log_barrier_slope, log_barrier_inverse, name="log_barrier"),
]

R = np.concatenate([np.logspace(-6, 6, 49), 1 + np.array([-1e-4, 1e-4])])


def subclasses(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


@pytest.fixture(params=EXAMPLES, ids=lambda d: f"{d.name}{getattr(d, 'alpha', '')}")
def divergence(request: pytest.FixtureRequest) -> Divergence:
    return request.param


def test_every_kind_has_an_example() -> None:
    for module in pkgutil.iter_modules(semiindex.divergence.__path__, "semiindex.divergence."):
        importlib.import_module(module.name)
    concrete = {cls for cls in subclasses(Divergence) if not inspect.isabstract(cls)}
    assert {type(example) for example in EXAMPLES} == {c for c in concrete if c.__module__[:5] == "semii"}


def test_f_vanishes_at_one_and_is_positive_and_convex(divergence: Divergence) -> None:
    assert float(divergence.f(1.0)) == 0
    assert float(divergence.derivative(1.0)) == pytest.approx(0, abs=1e-15)
    assert (divergence.f(R[R != 1]) > 0).all()
    assert (np.diff(divergence.derivative(np.sort(R))) > 0).all()


def test_derivative_is_the_finite_difference_of_f(divergence: Divergence) -> None:
    r = np.logspace(-2, 2, 33)
    h = 1e-5 * r
    difference = (divergence.f(r + h) - divergence.f(r - h)) / (2 * h)
    np.testing.assert_allclose(difference, divergence.derivative(r), rtol=1e-6, atol=1e-8)


def test_inverse_of_the_derivative(divergence: Divergence) -> None:
    r = np.logspace(-2, 2, 33)
    np.testing.assert_allclose(divergence.inverse_derivative(divergence.derivative(r)), r, rtol=1e-9)


def test_curvature_is_the_finite_difference_of_the_derivative(divergence: Divergence) -> None:
    x = np.linspace(-4.0, 4.0, 33)
    h = 1e-5
    rise = divergence.derivative(np.exp(x + h)) - divergence.derivative(np.exp(x - h))
    np.testing.assert_allclose(
        divergence.log_inverse_curvature(x), x - np.log(rise / (2 * h)), rtol=1e-6, atol=1e-6
    )


def test_derivative_in_the_log_ratio(divergence: Divergence) -> None:
    x = np.linspace(-12.0, 12.0, 49)
    np.testing.assert_allclose(divergence.derivative_at_log(x), divergence.derivative(np.exp(x)), rtol=1e-9)


def test_limits(divergence: Divergence) -> None:
    assert float(divergence.f(0.0)) == divergence.at_zero
    assert float(divergence.derivative(0.0)) == pytest.approx(divergence.derivative_at_zero)
    assert float(divergence.derivative(np.inf)) == pytest.approx(divergence.derivative_at_infinity)
    below, above = divergence.derivative_at_zero, divergence.derivative_at_infinity
    np.testing.assert_array_equal(divergence.inverse_derivative([below, below - 1]), [0, 0])
    if np.isfinite(above):
        np.testing.assert_array_equal(divergence.inverse_derivative([above, above + 1]), [np.inf, np.inf])


def test_extreme_arguments_give_no_nan(divergence: Divergence) -> None:
    u = np.array([-1e300, -1e3, 1e3, 1e300])
    assert not np.isnan(divergence.inverse_derivative(u)).any()
    r = np.array([0.0, 1e-300, 1e300, np.inf])
    assert not np.isnan(divergence.f(r)).any()
    assert not np.isnan(divergence.derivative(r)).any()
    gap = np.array([0.0, 1e-300, 1.0, 1e300, np.inf])
    x = divergence.log_ratio_below(np.full(5, 3.0), gap)
    assert not np.isnan(x).any()
    assert (x[1:] <= x[:-1]).all()
    assert x[0] == 3.0


def test_log_ratio_below_solves_its_equation(divergence: Divergence) -> None:
    top = np.linspace(0.0, 5.0, 11)[:, None]
    gap = np.array([0.0, 1e-6, 0.01, 0.5, 2.0])
    x = divergence.log_ratio_below(top, gap)
    wanted = divergence.inverse_derivative(divergence.derivative(np.exp(top)) - gap)
    np.testing.assert_allclose(np.exp(x), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [1e-7, 1e-3, 0.3, 3.0])
def test_terms_add_up_to_the_divergence(divergence: Divergence, size: float) -> None:
    """Against f itself, and against its second-order part where differences of f would be rounding errors."""
    if size < 1e-4 and divergence.name == "log_barrier":
        pytest.skip("only the formula of f is known, and it cancels")
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(6))
    p = q * np.exp(size * rng.normal(size=6))
    p /= p.sum()
    x = np.log1p((p - q) / q)
    value = divergence.log_terms(np.log(q), x)
    curvature = np.exp(-divergence.log_inverse_curvature(np.zeros(1)))
    if size > 1e-4:
        np.testing.assert_allclose(value, q * divergence.f(p / q), rtol=1e-8)
    else:  # the quadratic part of f is all that is left
        np.testing.assert_allclose(value, q * curvature * x**2 / 2, rtol=1e-6)


def test_terms_without_probability_and_without_reference(divergence: Divergence) -> None:
    given_up = divergence.log_terms(np.log([0.5, 0.5]), np.array([np.log(2), -np.inf])).sum()
    assert given_up == pytest.approx(0.5 * float(divergence.f(2.0)) + 0.5 * divergence.at_zero)
    excluded = divergence.log_terms(np.array([-np.inf]), np.array([2.0]))
    assert excluded[0] == 0


def test_masses_are_those_of_the_log_forms(divergence: Divergence) -> None:
    top = np.array([0.1, 2.0, 20.0])
    gap = np.array([[0.0, 0.0, 0.0], [0.01, 0.5, 1e5], [0.2, 30.0, 1.0]])
    log_q = np.log([[0.5, 0.2, 0.1], [0.3, 0.3, 0.3], [0.2, 0.5, 0.6]])
    p, rate = divergence.masses(top, gap, log_q)
    x = divergence.log_ratio_below(top, gap)
    np.testing.assert_allclose(p, np.exp(log_q + x), rtol=1e-12)
    h = 1e-6
    rise = divergence.masses(top + h, gap, log_q)[0] - divergence.masses(top - h, gap, log_q)[0]
    np.testing.assert_allclose(rate, rise / (2 * h), rtol=1e-6, atol=1e-9 * np.exp(top.max()))


def test_large_log_ratios_do_not_overflow_the_masses() -> None:
    for one in EXAMPLES[:-1]:
        top, log_q = np.array([1000.0]), np.array([[-1000.5], [-0.1]])
        p, _ = one.masses(top, np.array([[0.0], [np.inf]]), log_q)
        np.testing.assert_allclose(p, [[math.exp(-0.5)], [0.0]])


@pytest.mark.parametrize(("alpha", "limit"), [(1.0, reverse_kl), (0.0, forward_kl)])
@pytest.mark.parametrize("step", [1e-16, -1e-16, 1e-13, -1e-13, 1e-10, -1e-8])
def test_alpha_is_continuous_at_its_limits(alpha: float, limit: Divergence, step: float) -> None:
    near = alpha_divergence(alpha + step)
    r = np.logspace(-3, 3, 25)
    tolerance = {"rtol": 1e-12 + 100 * abs(step), "atol": 1e-14}
    np.testing.assert_allclose(near.f(r), limit.f(r), **tolerance)
    np.testing.assert_allclose(near.derivative(r), limit.derivative(r), **tolerance)
    u = limit.derivative(r)
    np.testing.assert_allclose(near.inverse_derivative(u), r, rtol=1e-11 + 1e5 * abs(step))
    x, gap = np.linspace(0, 3, 7)[:, None], np.array([0.0, 0.3, 2.0])
    np.testing.assert_allclose(
        near.log_ratio_below(x, gap), limit.log_ratio_below(x, gap), rtol=1e-12, atol=1e-13 + 100 * abs(step)
    )
    log_q = np.log(np.full(3, 0.2))
    terms = [one.log_terms(log_q, np.array([-2.0, 0.1, 1.5])) for one in (near, limit)]
    np.testing.assert_allclose(*terms, rtol=1e-12 + 100 * abs(step), atol=1e-14)


@pytest.mark.parametrize(("alpha", "same"), [(0.5, hellinger), (2.0, chi_squared)])
def test_named_members_of_the_alpha_family(alpha: float, same: Divergence) -> None:
    one = alpha_divergence(alpha)
    np.testing.assert_allclose(one.f(R), same.f(R), rtol=1e-9)
    np.testing.assert_allclose(one.derivative(R), same.derivative(R), rtol=1e-9, atol=1e-12)
    x, gap = np.linspace(0, 3, 7)[:, None], np.array([0.0, 0.3, 2.0])
    np.testing.assert_allclose(one.log_ratio_below(x, gap), same.log_ratio_below(x, gap), rtol=1e-9)
    assert (one.at_zero, one.derivative_at_zero) == (same.at_zero, same.derivative_at_zero)


def test_jensen_shannon_is_two_halves_of_kl(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(5), size=2)
    wanted = rel_entr(p, (p + q) / 2).sum() + rel_entr(q, (p + q) / 2).sum()
    assert np.sum(q * js_divergence.f(p / q)) == pytest.approx(wanted, rel=1e-12)


def test_kl_against_scipy(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(5), size=2)
    assert np.sum(q * reverse_kl.f(p / q)) == pytest.approx(rel_entr(p, q).sum(), rel=1e-12)
    assert np.sum(q * forward_kl.f(p / q)) == pytest.approx(rel_entr(q, p).sum(), rel=1e-12)


def test_divergences_are_values(divergence: Divergence) -> None:
    again = pickle.loads(pickle.dumps(divergence))
    assert again == divergence
    assert hash(again) == hash(divergence)
    assert get_divergence(divergence) is divergence


def test_names() -> None:
    for one in EXAMPLES[:5]:
        assert get_divergence(one.name) is one
    for wrong in ("kl", None, 3.0, ["reverse_kl"]):
        with pytest.raises(InvalidParameterError, match="divergence must be one of 'reverse_kl'"):
            get_divergence(wrong)
    for wrong in ("1", True, np.nan, np.inf, None):
        with pytest.raises(InvalidParameterError, match="alpha must be a finite number"):
            alpha_divergence(wrong)
    assert alpha_divergence(np.float32(1)) is reverse_kl


@pytest.mark.parametrize(
    ("functions", "identity"),
    [
        ((lambda r: r * np.log(r), np.log, np.exp), r"derivative\(r\) = the derivative of f"),
        ((lambda r: r**2, lambda r: 2 * r, lambda u: u / 2), r"f\(1\) = 0"),
        ((lambda r: (r - 1) ** 2 / 2, lambda r: r - 1, lambda u: 2 + u), r"inverse_derivative\(derivative"),
        ((lambda r: 1 - r, lambda r: -np.ones_like(r), lambda u: u), "strictly increasing"),
    ],
)
def test_custom_functions_that_do_not_belong_together(functions: tuple, identity: str) -> None:
    with pytest.raises(InvalidParameterError, match=identity):
        custom_divergence(*functions)


def test_custom_limits_are_found_declared_or_asked_for() -> None:
    kl = custom_divergence(lambda r: r * np.log(r), lambda r: np.log(r) + 1, lambda u: np.exp(u - 1))
    assert kl.at_zero == pytest.approx(0, abs=1e-290)
    assert (kl.derivative_at_zero, kl.derivative_at_infinity) == (-np.inf, np.inf)
    slow = alpha_divergence(1.004)
    functions = slow.f, slow.derivative, slow.inverse_derivative
    with pytest.raises(InvalidParameterError, match=r"derivative_at_zero, f'\(0\+\), is in doubt"):
        custom_divergence(*functions)
    declared = custom_divergence(*functions, derivative_at_zero=slow.derivative_at_zero)
    assert declared.derivative_at_zero == slow.derivative_at_zero
    with pytest.raises(InvalidParameterError, match=r"f'\(0\+\), is -0.5 as passed"):
        custom_divergence(*functions, derivative_at_zero=-0.5)


def _quadratic(**limits: object) -> Divergence:
    return custom_divergence(lambda r: (r - 1) ** 2 / 2, lambda r: r - 1, lambda u: 1 + u, **limits)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"at_zero": 7.0},
            r"at_zero, f\(0\+\), is 7 as passed, but far out the function moves from 0.5 to 0.5",
        ),
        ({"at_zero": np.inf}, r"at_zero, f\(0\+\), is inf as passed"),
        ({"at_zero": np.nan}, r"at_zero, f\(0\+\), must be a number"),
        ({"at_zero": "0.5"}, r"at_zero, f\(0\+\), must be a number"),
        ({"derivative_at_zero": -10.0}, r"f'\(0\+\), is -10 as passed"),
        ({"derivative_at_zero": -np.inf}, r"f'\(0\+\), is -inf as passed"),
        ({"derivative_at_infinity": 1e6}, r"f'\(inf\), is 1e\+06 as passed.* to 1e\+300"),
    ],
)
def test_declared_limits_that_contradict_the_functions(limits: dict, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        _quadratic(**limits)
    fine = _quadratic(at_zero=0.5, derivative_at_zero=-1, derivative_at_infinity=np.inf)
    assert fine.limits == (0.5, -1.0, np.inf)


def test_declared_limits_beyond_which_there_are_no_ratios() -> None:
    """A slow f' moves towards any limit beyond it; its inverse says that this one is too far."""
    slow = alpha_divergence(1.004)
    functions = slow.f, slow.derivative, slow.inverse_derivative
    with pytest.raises(
        InvalidParameterError, match="derivative_at_zero=-1000 contradicts inverse_derivative"
    ):
        custom_divergence(
            *functions[:2],
            lambda u: np.sign(1 + 0.004 * u) * np.abs(1 + 0.004 * u) ** 250,
            derivative_at_zero=-1000,
        )
    with pytest.raises(InvalidParameterError, match=r"f'\(inf\), is 0.9 as passed"):
        custom_divergence(
            forward_kl.f, forward_kl.derivative, forward_kl.inverse_derivative, derivative_at_infinity=0.9
        )


def test_custom_functions_take_arrays() -> None:
    f, derivative, inverse = (lambda r: (r - 1) ** 2 / 2, lambda r: r - 1, lambda u: 1 + u)
    with pytest.raises(InvalidParameterError, match="derivative must be a function"):
        custom_divergence(f, 2.0, inverse)
    with pytest.raises(InvalidParameterError, match=r"f must take an array.*TypeError"):
        custom_divergence(lambda r: math.sqrt(r), derivative, inverse)
    with pytest.raises(InvalidParameterError, match=r"inverse_derivative must take an array.*result is \(\)"):
        custom_divergence(f, derivative, lambda u: 0.0)


SPARSE = [chi_squared, *(alpha_divergence(a) for a in (1.01, 1.5, 2.0, 3.0, 5.0, 8.0)), _quadratic()]


@pytest.mark.parametrize("sparse", SPARSE, ids=lambda one: f"{one.name}{getattr(one, 'alpha', '')}")
def test_ratios_from_below_and_from_above(sparse: Divergence) -> None:
    """What lies a gap below is what the other rises from; an option just given up rises from f'(0+)."""
    top, gap = np.array([0.0, 0.7, 2.0]), np.array([[0.0], [0.01], [0.05]])
    below = sparse.log_ratio_below(top, gap)
    np.testing.assert_allclose(sparse.log_ratio_above(below, gap), np.broadcast_to(top, (3, 3)), atol=1e-12)
    nothing = sparse.log_ratio_above(np.array([-np.inf]), np.array([0.0, 0.3, 2.0]))
    wanted = sparse.inverse_derivative(sparse.derivative_at_zero + np.array([0.0, 0.3, 2.0]))
    np.testing.assert_allclose(np.exp(nothing), wanted, rtol=1e-10)  # a power of 100 for alpha = 1.01
    worst, log_q, h = np.array([-3.0, -0.1, 0.0]), np.log(np.full((3, 3), 1 / 3)), 1e-6
    p, rate = sparse.masses_above(worst, gap, log_q)
    np.testing.assert_allclose(p, np.exp(log_q + sparse.log_ratio_above(worst, gap)), rtol=1e-14)
    rise = sparse.masses_above(worst + h, gap, log_q)[0] - sparse.masses_above(worst - h, gap, log_q)[0]
    np.testing.assert_allclose(rate, rise / (2 * h), rtol=1e-6, atol=1e-9)
