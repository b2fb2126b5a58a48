"""The piecewise linear link: interpolation, generalised inverse at flats and ends, validation."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiindex.exceptions import InvalidParameterError
from semiindex.link import PiecewiseLinearLink

#: Flat from 1 to 3 at 1/2, flat at both ends by extension.
STAIRS = PiecewiseLinearLink([0.0, 1.0, 3.0, 4.0], [0.25, 0.5, 0.5, 0.75])


@st.composite
def links(draw: st.DrawFn) -> PiecewiseLinearLink:
    """Links with flats, on knots of any magnitude."""
    m = draw(st.integers(1, 8))
    steps = draw(st.lists(st.integers(1, 1000), min_size=m, max_size=m))
    rises = draw(st.lists(st.integers(0, 3), min_size=m + 1, max_size=m + 1))
    scale = draw(st.sampled_from([1e-300, 1e-5, 1.0, 1e5, 1e300]))
    values = np.cumsum(rises) / max(sum(rises), 1)
    return PiecewiseLinearLink((np.cumsum(steps) - 500) * (scale / 1e4), values[:m])


@given(links(), st.floats(0, 1))
def test_index_is_a_generalised_inverse(link: PiecewiseLinearLink, p: float) -> None:
    t = float(link.index(p))
    low, high = link.values[0], link.values[-1]
    if low == high == p:
        assert t == link.knots[0] / 2 + link.knots[-1] / 2
    elif p <= low:
        assert t == -np.inf
    elif p >= high:
        assert t == np.inf
    else:
        assert link.knots[0] <= t <= link.knots[-1]
        assert float(link.probability(t)) == pytest.approx(p, abs=1e-9)


@given(links(), st.floats(-1e5, 1e5))
def test_index_recovers_t_where_the_link_rises(link: PiecewiseLinearLink, share: float) -> None:
    t = link.knots[0] + (link.knots[-1] - link.knots[0]) * (share / 2e5 + 0.5)
    p = link.probability(t)
    if link.slope(t) > 0 and link.values[0] < p < link.values[-1] and p not in link.values:
        width = link.knots[-1] - link.knots[0]
        assert abs(float(link.index(p)) - t) <= 1e-9 * width


@given(links(), st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_index_is_monotone(link: PiecewiseLinearLink, p: list[float]) -> None:
    t = link.index(np.sort(p))
    assert (t[1:] >= t[:-1]).all()


@given(links(), st.lists(st.floats(allow_nan=False, width=64), min_size=2, max_size=9))
def test_probability_is_monotone_and_within_the_values(link: PiecewiseLinearLink, t: list[float]) -> None:
    p = link.probability(np.sort(t))
    assert (np.diff(p) >= -1e-15).all()
    assert link.values[0] <= p.min() <= p.max() <= link.values[-1]


def test_index_at_flats_and_beyond_the_range() -> None:
    p = [0.0, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0, np.nan]
    expected = [-np.inf, -np.inf, 0.5, 2.0, 3.5, np.inf, np.inf, np.nan]
    assert np.array_equal(STAIRS.index(p), expected, equal_nan=True)


def test_index_tells_values_apart_whose_complements_round_to_one() -> None:
    link = PiecewiseLinearLink([0.0, 1.0, 2.0, 3.0], [0.0, 1e-20, 1e-20, 0.5])
    np.testing.assert_allclose(link.index([0.5e-20, 1e-20, 1e-19]), [0.5, 1.5, 2.0], rtol=1e-12)


def test_index_of_a_constant_link() -> None:
    link = PiecewiseLinearLink([-1.0, 3.0], [0.5, 0.5])
    assert link.index([0.4, 0.5, 0.6]).tolist() == [-np.inf, 1.0, np.inf]
    assert PiecewiseLinearLink([-1.0, 1.0], [0.5, 0.5], antisymmetric=True).half_point == 0


def test_values_at_the_knots_are_exact() -> None:
    assert np.array_equal(STAIRS.probability(STAIRS.knots), STAIRS.values)


def test_slope_is_the_right_one_at_a_knot_and_zero_outside() -> None:
    slope = STAIRS.slope([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 9.0])
    assert slope.tolist() == [0.0, 0.25, 0.25, 0.0, 0.0, 0.25, 0.0, 0.0]


def test_steps_of_subnormal_width() -> None:
    link = PiecewiseLinearLink([0.0, 5e-324, 1.0], [0.1, 0.6, 0.9])
    p = link.probability(np.array([0.0, 5e-324, 0.5]))
    np.testing.assert_allclose(p, [0.1, 0.6, 0.75])
    assert np.isinf(link.slope(0.0))


def test_a_link_that_is_not_monotone_says_so() -> None:
    knots, values = [0.0, 1.0, 2.0, 3.0], [0.2, 0.6, 0.4, 0.8]
    with pytest.raises(InvalidParameterError, match="nondecreasing; or say monotone=False"):
        PiecewiseLinearLink(knots, values)
    link = PiecewiseLinearLink(knots, values, monotone=False)
    assert link.probability([0.5, 1.5]).tolist() == [0.4, 0.5]
    assert link.slope([1.5]) == pytest.approx(-0.2)
    # The running maximum is flat at 0.6 from 1 to 2.5.
    np.testing.assert_allclose(link.index([0.4, 0.7]), [0.5, 2.5])
    assert pickle.loads(pickle.dumps(link)) == link == PiecewiseLinearLink.from_dict(link.to_dict())
    assert link != PiecewiseLinearLink(knots, sorted(values))


def test_models_saved_without_the_flag_are_monotone() -> None:
    state = STAIRS.to_dict()
    del state["kind"], state["monotone"]
    assert PiecewiseLinearLink.from_dict(state) == STAIRS


@pytest.mark.parametrize(
    ("knots", "values", "antisymmetric", "message"),
    [
        ([], [], False, "common length >= 1, got 0 and 0"),
        ([0.0, 1.0], [0.5], False, "common length >= 1, got 2 and 1"),
        ([0.0, 0.0], [0.1, 0.2], False, "finite and strictly increasing"),
        ([1.0, 0.0], [0.1, 0.2], False, "finite and strictly increasing"),
        ([0.0, np.inf], [0.1, 0.2], False, "finite and strictly increasing"),
        ([0.0, 1.0], [-0.1, 0.2], False, r"probabilities in \[0, 1\]"),
        ([0.0, 1.0], [0.1, np.nan], False, r"probabilities in \[0, 1\]"),
        ([0.0, 1.0], [0.2, 0.1], False, "nondecreasing"),
        ([0.0, 1.0], [0.2, 0.8], True, "not antisymmetric about 0"),
        ([-1.0, 1.0], [0.2, 0.9], True, "not antisymmetric about 0"),
    ],
)
def test_is_validated(knots: list[float], values: list[float], antisymmetric: bool, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        PiecewiseLinearLink(knots, values, antisymmetric)


def test_arrays_are_owned_and_stay_read_only() -> None:
    knots = np.array([0.0, 1.0])
    link = PiecewiseLinearLink(knots, [0.1, 0.2])
    knots[0] = 0.5
    assert link.knots[0] == 0
    for twin in (link, pickle.loads(pickle.dumps(link)), copy.deepcopy(link), link.rescaled(2.0)):
        assert not twin.knots.flags.writeable
        assert not twin.values.flags.writeable


def test_equal_links_hash_equally() -> None:
    a = PiecewiseLinearLink([-0.0, 1.0], [-0.0, 0.2])
    b = PiecewiseLinearLink([0.0, 1.0], [0.0, 0.2])
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b}) == 1
    assert a != PiecewiseLinearLink([0.0, 1.0], [0.0, 0.3])


def test_repr_is_short() -> None:
    link = PiecewiseLinearLink(np.arange(1000.0), np.linspace(0, 1, 1000))
    assert repr(link) == "PiecewiseLinearLink(1000 knots on [0, 999], values in [0, 1], antisymmetric=False)"


@pytest.mark.parametrize("factor", [1.8, 3.6, 1.8 * 2.0**40])
def test_rescaling_survives_knots_that_are_neighbouring_doubles(factor: float) -> None:
    close = [1.9]
    for _ in range(5):
        close.append(float(np.nextafter(close[-1], 2.0)))
    knots = np.array([-k for k in reversed(close)] + close)
    values = np.concatenate([np.linspace(0.1, 0.4, 6), np.linspace(0.6, 0.9, 6)])
    link = PiecewiseLinearLink(knots, values, antisymmetric=True).rescaled(factor)
    assert link.knots.size < 12
    probability = link.probability([-3.0 / factor, 0.0, 3.0 / factor])
    np.testing.assert_allclose(probability, [0.1, 0.5, 0.9], atol=0.1)
    assert (np.diff(link.knots) > 0).all()
