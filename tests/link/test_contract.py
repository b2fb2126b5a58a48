"""What every link promises. A new kind of link is tested by being registered and having an example here."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pickle
import pkgutil
from collections.abc import Iterator

import numpy as np
import pytest

import semiindex.link
from semiindex.exceptions import InvalidParameterError
from semiindex.link import (
    CauchitLink,
    CloglogLink,
    LapsedLink,
    Link,
    LogisticLink,
    LogLogLink,
    PiecewiseLinearLink,
    ProbitLink,
    ShiftedMixtureLink,
    link_from_dict,
)
from semiindex.link.mixture import AverageLink
from semiindex.link.recalibrated import RecalibratedLink
from semiindex.link.spline import SplineLink
from semiindex.simulation import MixtureLink

EXAMPLES: list[Link] = [
    LogisticLink(),
    ProbitLink(),
    CauchitLink(),
    LogLogLink(),
    CloglogLink(),
    LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0),
    LapsedLink(LogLogLink(), upper=0.1, scale=1.5),
    LapsedLink(ProbitLink(), lower=0.03, shift=0.4),
    LapsedLink(LapsedLink(CauchitLink(), lower=0.1), scale=0.5, shift=-1.0),
    ShiftedMixtureLink(shift=1.5, scale=0.25),
    ShiftedMixtureLink(shift=0.0, scale=2.0),
    LapsedLink(ShiftedMixtureLink(shift=1.0, scale=0.5), lower=0.1, upper=0.1),
    PiecewiseLinearLink([-2.0, -0.5, 0.5, 2.0], [0.1, 0.4, 0.6, 0.9], antisymmetric=True),
    PiecewiseLinearLink([-2.0, -1.0, 1.0, 2.5], [0.0, 0.3, 0.3, 1.0]),
    PiecewiseLinearLink([0.0], [0.5], antisymmetric=True),
    SplineLink([-1.0, 0.0, 1.0], [2.0, 0.5], antisymmetric=True),
    SplineLink([-1.0, 0.5, 1.0], [2.0, 0.5, 0.3, 1.0], intercept=-1.0),
    AverageLink((LogisticLink(), ProbitLink()), (0.25, 0.75)),
    AverageLink((LogisticLink(), CloglogLink()), (0.5, 0.5)),
    MixtureLink((LogisticLink(), ProbitLink()), (0.25, 0.75)),
    MixtureLink((LapsedLink(LogisticLink(), lower=0.3), CloglogLink()), (0.5, 0.5)),
    RecalibratedLink(ShiftedMixtureLink(shift=1.5, scale=0.5), slope_factor=0.6),
    RecalibratedLink(SplineLink([-1.0, 0.5, 1.0], [2.0, 0.5, 0.3, 1.0]), slope_factor=1.4, intercept=-0.5),
]

T = np.concatenate([np.linspace(-4.03, 4.07, 83), [-30.1, 30.3]])


def subclasses(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


@pytest.fixture(params=EXAMPLES, ids=repr)
def link(request: pytest.FixtureRequest) -> Link:
    return request.param


def test_every_kind_has_an_example() -> None:
    for module in pkgutil.iter_modules(semiindex.link.__path__, "semiindex.link."):
        importlib.import_module(module.name)
    concrete = {cls for cls in subclasses(Link) if not inspect.isabstract(cls)}
    concrete = {cls for cls in concrete if cls.__module__.startswith("semiindex.")}
    assert all(cls.kind for cls in concrete), "a concrete link needs a kind, or it cannot be saved"
    assert {type(example) for example in EXAMPLES} == concrete


def test_probability_is_monotone_in_the_unit_interval(link: Link) -> None:
    p = link.probability(np.sort(T))
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p) >= -1e-15).all()


def test_shape_follows_the_argument(link: Link) -> None:
    for shape in [(), (1,), (0,), (2, 3)]:
        argument = np.full(shape, 0.3)
        for method in (link.probability, link.slope, link.index):
            assert np.shape(method(argument)) == shape
    assert np.array_equal(link.probability([0, 1]), link.probability(np.array([0.0, 1.0])))


def test_slope_is_the_derivative(link: Link) -> None:
    h = 1e-6
    difference = (link.probability(T + h) - link.probability(T - h)) / (2 * h)
    np.testing.assert_allclose(link.slope(T), difference, rtol=1e-6, atol=1e-9)


def test_index_inverts_probability_where_it_rises(link: Link) -> None:
    t = T[link.slope(T) > 1e-3]
    np.testing.assert_allclose(link.index(link.probability(t)), t, rtol=0, atol=1e-9)


def test_probability_inverts_index_within_the_range(link: Link) -> None:
    low, high = link.probability(np.array([-1e6, 1e6]))
    p = low + (high - low) * np.linspace(0.01, 0.99, 33)
    np.testing.assert_allclose(link.probability(link.index(p)), p, rtol=0, atol=1e-12)


def test_index_outside_the_range(link: Link) -> None:
    index = link.index(np.array([-1.0, -1e-300, 1.0 + 1e-15, 2.0, np.nan]))
    assert np.array_equal(index, [-np.inf, -np.inf, np.inf, np.inf, np.nan], equal_nan=True)


def test_antisymmetry_is_declared_exactly_where_it_holds(link: Link) -> None:
    gap = np.abs(link.probability(-T) + link.probability(T) - 1).max()
    assert (gap < 1e-12) == link.antisymmetric
    if link.antisymmetric:
        assert link.half_point == 0


def test_half_point(link: Link) -> None:
    assert link.probability(np.array([link.half_point]))[0] == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("factor", [0.3, 1.0, 2.0, np.float64(7.0)])
def test_rescaled_is_the_link_of_the_scaled_index(link: Link, factor: float) -> None:
    rescaled = link.rescaled(factor)
    np.testing.assert_allclose(rescaled.probability(T), link.probability(factor * T), rtol=0, atol=1e-14)
    np.testing.assert_allclose(rescaled.slope(T), factor * link.slope(factor * T), rtol=1e-12, atol=1e-14)
    assert rescaled.antisymmetric == link.antisymmetric
    assert np.array_equal(
        rescaled.rescaled(1 / factor).probability(T).round(12), link.probability(T).round(12)
    )


@pytest.mark.parametrize("offset", [-0.7, 0.0, np.float64(3.0)])
def test_shifted_is_the_link_of_the_shifted_index(link: Link, offset: float) -> None:
    shifted = link.shifted(offset)
    np.testing.assert_allclose(shifted.probability(T), link.probability(T + offset), rtol=0, atol=1e-14)
    np.testing.assert_allclose(shifted.slope(T), link.slope(T + offset), rtol=1e-11, atol=1e-13)
    assert shifted.antisymmetric == (link.antisymmetric and offset == 0)
    back = link_from_dict(json.loads(json.dumps(shifted.to_dict()))).shifted(-offset)
    np.testing.assert_allclose(back.probability(T), link.probability(T), rtol=0, atol=1e-13)
    both = link.shifted(offset).rescaled(2.0)
    np.testing.assert_allclose(both.probability(T), link.probability(2 * T + offset), rtol=0, atol=1e-14)


def test_survives_pickle_and_json(link: Link) -> None:
    copies = [
        pickle.loads(pickle.dumps(link)),
        link_from_dict(json.loads(json.dumps(link.to_dict()))),
        link_from_dict(json.loads(json.dumps(link.rescaled(np.float64(1.0)).to_dict()))),
    ]
    for copy in copies:
        assert copy == link
        assert hash(copy) == hash(link)
        assert repr(copy) == repr(link)
        assert np.array_equal(copy.probability(T), link.probability(T))
    assert link != object()


def test_is_frozen(link: Link) -> None:
    for field in dataclasses.fields(link):
        value = getattr(link, field.name)
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
            setattr(link, field.name, value)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[0] = 0.0


def test_extreme_arguments_are_silent(link: Link) -> None:
    extreme = np.array([-np.inf, -1e300, -1e150, -1e-300, -0.0, 1e-300, 1e150, 1e300, np.inf])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        p, slope = link.probability(extreme), link.slope(extreme)
    assert np.isfinite(p).all()
    assert np.isfinite(slope).all()
    assert (slope >= 0).all()
    assert (np.diff(p) >= 0).all()


def test_nan_propagates(link: Link) -> None:
    for method in (link.probability, link.slope, link.index):
        assert np.isnan(method(np.array([np.nan, 0.3]))).tolist() == [True, False]


def test_domain_is_the_line(link: Link) -> None:
    assert link.domain == (-np.inf, np.inf)


def test_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"unknown kind of link 'logitt'.*'logistic'"):
        link_from_dict({"kind": "logitt"})


@pytest.mark.parametrize("factor", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize(
    "kind", [LogisticLink(), EXAMPLES[5], EXAMPLES[12]], ids=["plain", "lapsed", "knots"]
)
def test_rescaling_needs_a_positive_factor(kind: Link, factor: float) -> None:
    with pytest.raises(InvalidParameterError, match="must be positive and finite"):
        kind.rescaled(factor)
