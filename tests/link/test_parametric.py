"""Parametric links: values against scipy.stats, tails against asymptotics, logarithms that stay finite."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import elementwise

from semiindex.exceptions import InvalidParameterError
from semiindex.link import (
    CauchitLink,
    CloglogLink,
    LapsedLink,
    LogisticLink,
    LogLogLink,
    ParametricLink,
    PiecewiseLinearLink,
    ProbitLink,
    ShiftedMixtureLink,
    get_link,
)

T = np.linspace(-6, 6, 61)
ORACLES = [
    (LogisticLink(), stats.logistic()),
    (ProbitLink(), stats.norm()),
    (CauchitLink(), stats.cauchy()),
    (LogLogLink(), stats.gumbel_r()),
    (CloglogLink(), stats.gumbel_l()),
]
LINKS: list[ParametricLink] = [
    *(link for link, _ in ORACLES),
    LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0),
    LapsedLink(LogLogLink(), upper=0.1, scale=1.5, shift=-1.0),
    LapsedLink(ProbitLink(), lower=0.1, scale=1e-3, shift=2.0),
    LapsedLink(ProbitLink(), scale=1e10),
    ShiftedMixtureLink(shift=1.5, scale=0.25),
    ShiftedMixtureLink(shift=3.0, scale=1e-3),
]
EXTREME = np.array([1e-300, 1e-10, 30, 700, 745, 1e3, 1e8, 1e10, 1e16, 1e150, 1e155, 1e300])
EXTREME = np.concatenate([-EXTREME[::-1], [0.0], EXTREME])


@pytest.mark.parametrize(("link", "oracle"), ORACLES, ids=lambda value: type(value).__name__)
def test_agrees_with_scipy_stats(link: ParametricLink, oracle: stats.rv_frozen) -> None:
    np.testing.assert_allclose(link.probability(T), oracle.cdf(T), rtol=1e-13)
    np.testing.assert_allclose(link.slope(T), oracle.pdf(T), rtol=1e-12)
    np.testing.assert_allclose(link.log_probability(T), oracle.logcdf(T), rtol=1e-12)
    np.testing.assert_allclose(link.log_complement(T), oracle.logsf(T), rtol=1e-9)
    np.testing.assert_allclose(link.log_slope(T), oracle.logpdf(T), rtol=1e-12)
    p = np.array([1e-12, 1e-3, 0.2, 0.5, 0.8, 1 - 1e-3])
    np.testing.assert_allclose(link.index(p), oracle.ppf(p), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_logarithms_and_hazards_are_consistent(link: ParametricLink) -> None:
    t = np.linspace(-4, 4, 41)
    p, slope = link.probability(t), link.slope(t)
    np.testing.assert_allclose(np.exp(link.log_probability(t)), p, rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(np.exp(link.log_complement(t)), 1 - p, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(np.exp(link.log_slope(t)), slope, rtol=1e-10, atol=1e-300)
    inner = (p > 1e-12) & (p < 1 - 1e-3)
    p, slope, t = p[inner], slope[inner], t[inner]
    np.testing.assert_allclose(link.reversed_hazard(t), slope / p, rtol=1e-9)
    np.testing.assert_allclose(link.hazard(t), slope / (1 - p), rtol=1e-9)


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_hazards_are_derivatives_of_the_log_loss(link: ParametricLink) -> None:
    t, h = np.linspace(-3, 3, 25), 1e-6
    if link == LapsedLink(ProbitLink(), scale=1e10):
        t, h = t * 1e-10, 1e-16
    win = (link.log_probability(t + h) - link.log_probability(t - h)) / (2 * h)
    loss = (link.log_complement(t + h) - link.log_complement(t - h)) / (2 * h)
    np.testing.assert_allclose(link.reversed_hazard(t), win, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(link.hazard(t), -loss, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_everything_is_finite_and_silent_at_extreme_index_values(link: ParametricLink) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        logs = [link.log_probability(EXTREME), link.log_complement(EXTREME), link.log_slope(EXTREME)]
        hazards = [link.hazard(EXTREME), link.reversed_hazard(EXTREME)]
    for values in logs + hazards:
        assert np.isfinite(values).all()
    assert (logs[0] <= 0).all()
    assert (logs[1] <= 0).all()
    for values in hazards:
        assert (values >= 0).all()
    assert (np.diff(logs[0]) >= 0).all()
    assert (np.diff(logs[1]) <= 0).all()


def test_hazards_in_the_far_tails() -> None:
    far = np.array([1e5, 1e10, 1e100, 1e300])
    # phi / Phi(-t) = t + 1/t + O(t^-3), where the difference of the logarithms has lost every digit.
    np.testing.assert_allclose(ProbitLink().hazard(far), far, rtol=1e-9)
    np.testing.assert_allclose(ProbitLink().reversed_hazard(-far), far, rtol=1e-9)
    np.testing.assert_allclose(CauchitLink().hazard(far), 1 / far, rtol=1e-9)
    np.testing.assert_allclose(LogisticLink().hazard(far), 1.0)
    np.testing.assert_allclose(ShiftedMixtureLink(1.5, 0.25).hazard(far), 4.0)
    np.testing.assert_allclose(LogLogLink().hazard(far), 1.0)
    np.testing.assert_allclose(CloglogLink().reversed_hazard(-far), 1.0)
    np.testing.assert_allclose(
        LogLogLink().reversed_hazard([-50.0, -600.0]), np.exp([50.0, 600.0]), rtol=1e-12
    )
    # With lapses the tails are bounded away from 0 and the loss is flat.
    assert not LapsedLink(ProbitLink(), lower=0.1, upper=0.1).hazard(far).any()


def test_loglog_and_cloglog_are_mirror_images_and_distinct() -> None:
    loglog, cloglog = LogLogLink(), CloglogLink()
    np.testing.assert_allclose(loglog.probability(-T), 1 - cloglog.probability(T), atol=1e-15)
    assert np.abs(loglog.probability(T) - cloglog.probability(T)).max() > 0.2
    assert loglog != cloglog
    assert cloglog.probability(np.array([-700.0]))[0] == pytest.approx(np.exp(-700), rel=1e-12)


def test_equal_lapses_are_random_flips() -> None:
    e, base = 0.15, LogisticLink()
    flips = LapsedLink(base, lower=e, upper=e)
    p = base.probability(T)
    np.testing.assert_allclose(flips.probability(T), (1 - e) * p + e * (1 - p), rtol=1e-14)


def test_lapsed_index_beyond_the_lapses() -> None:
    link = LapsedLink(LogisticLink(), lower=0.1, upper=0.2, scale=2.0, shift=1.0)
    index = link.index([0.0, 0.05, 0.1, 0.45, 0.8, 0.9, 1.0])
    np.testing.assert_allclose(index, [-np.inf] * 3 + [-0.5] + [np.inf] * 3, atol=1e-15)


@pytest.mark.parametrize(
    ("fields", "antisymmetric"),
    [
        ({}, True),
        ({"lower": 0.1, "upper": 0.1}, True),
        ({"lower": 0.1, "upper": 0.2}, False),
        ({"shift": 1e-9}, False),
    ],
)
def test_antisymmetry_of_a_lapsed_link(fields: dict[str, float], antisymmetric: bool) -> None:
    assert LapsedLink(ProbitLink(), **fields).antisymmetric is antisymmetric
    assert LapsedLink(LogLogLink(), **fields).antisymmetric is False


@pytest.mark.parametrize(("shift", "scale"), [(1.5, 0.25), (0.0, 2.0), (3.0, 0.01), (40.0, 0.05)])
def test_mixture_index_is_the_root(shift: float, scale: float) -> None:
    link = ShiftedMixtureLink(shift, scale)
    p = np.array([1e-200, 1e-12, 0.01, 0.2, 0.4999, 0.75, 0.99])

    def excess(t: np.ndarray, target: np.ndarray) -> np.ndarray:
        return link.log_probability(t) - link.log_complement(t) - target

    logit = np.log(p) - np.log1p(-p)
    bracket = scale * logit - shift - 1, scale * logit + shift + 1
    slow_twin = elementwise.find_root(excess, bracket, args=(logit,))
    assert slow_twin.success.all()
    np.testing.assert_allclose(link.index(p), slow_twin.x, rtol=1e-9, atol=1e-9)
    assert link.index(0.5) == 0


def test_mixture_without_shift_is_logistic() -> None:
    np.testing.assert_allclose(
        ShiftedMixtureLink(0.0, 0.5).probability(T), LogisticLink().probability(2 * T), rtol=1e-14
    )


def test_rescaling_by_one_changes_nothing() -> None:
    assert LogisticLink().rescaled(1.0) == LogisticLink()
    assert LogisticLink().rescaled(2.0) == LapsedLink(LogisticLink(), scale=2.0)
    assert LogisticLink().rescaled(2.0).rescaled(3.0) == LapsedLink(LogisticLink(), scale=6.0)


@pytest.mark.parametrize("name", ["logistic", "probit", "cauchit", "loglog", "cloglog"])
def test_get_link_by_name(name: str) -> None:
    link = get_link(name)
    assert link.kind == name
    assert get_link(link) is link


def test_get_link_passes_any_link_through() -> None:
    link = PiecewiseLinearLink([0.0], [0.5])
    assert get_link(link) is link


@pytest.mark.parametrize("wrong", ["logit", "lapsed", "", None, 3, ["logistic"], LogisticLink])
def test_get_link_names_the_links_it_knows(wrong: object) -> None:
    with pytest.raises(
        InvalidParameterError, match=r"one of \['cauchit', 'cloglog', 'logistic', 'loglog', 'probit'\]"
    ):
        get_link(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lower": -0.1}, "probabilities of a lapse"),
        ({"lower": 0.5, "upper": 0.5}, "sum to less than 1"),
        ({"upper": np.nan}, "probabilities of a lapse"),
        ({"scale": 0.0}, "scale must be positive"),
        ({"scale": np.inf}, "scale must be positive"),
        ({"shift": np.nan}, "shift must be finite"),
    ],
)
def test_lapsed_link_is_validated(fields: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        LapsedLink(LogisticLink(), **fields)


def test_lapsed_link_needs_a_parametric_base() -> None:
    with pytest.raises(InvalidParameterError, match="base must be a parametric link"):
        LapsedLink("logistic")  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="base must be a parametric link"):
        LapsedLink(PiecewiseLinearLink([0.0], [0.5]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shift", "scale", "message"),
    [(-1.0, 1.0, "shift must be"), (np.inf, 1.0, "shift must be"), (1.0, 0.0, "scale must be")],
)
def test_mixture_is_validated(shift: float, scale: float, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        ShiftedMixtureLink(shift, scale)


def test_fields_become_plain_numbers() -> None:
    link = LapsedLink(LogisticLink(), lower=np.float32(0.25), scale=np.int64(2))
    assert all(type(link.to_dict()[name]) is float for name in ("lower", "upper", "scale", "shift"))
