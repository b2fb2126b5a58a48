"""Truths: exact probabilities, raters, strength, policies and regrets, each against an identity."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal, norm

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link import AverageLink, LapsedLink, LogisticLink, ProbitLink, ShiftedMixtureLink
from semiindex.simulation import (
    LINK_FAMILIES,
    AlternatingScore,
    AsOffered,
    BinaryFeatures,
    ComparisonDesign,
    ConjointFeatures,
    LinearScore,
    LinkFamily,
    MixtureLink,
    NormalFeatures,
    Raters,
    Truth,
    link_at_severity,
    scaled_to_strength,
    severity_grid,
    signal_strength,
)

#: Standard errors that a seeded frequency may miss its probability by: one in 15,000 is farther away.
SIGMAS = 4.0
DESIGN = ComparisonDesign(NormalFeatures(3), menu_size=4)


def test_probability_is_the_link_of_the_difference_of_scores(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 50, 3))
    truth = Truth([1.0, -2.0, 0.5], link="probit")
    expected = norm.cdf((second - first) @ [1.0, -2.0, 0.5])
    np.testing.assert_allclose(truth.probability(first, second), expected, rtol=1e-14)
    np.testing.assert_allclose(truth.probability(second, first), 1 - expected, atol=1e-14)


def test_score_may_be_any_function(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 20, 3))
    truth = Truth(lambda options: np.sin(options).sum(axis=-1))
    np.testing.assert_allclose(truth.index(first, second), np.sin(second).sum(1) - np.sin(first).sum(1))
    assert truth.coefficients(3) is None


def test_coefficients() -> None:
    np.testing.assert_array_equal(Truth([1.0, 2.0]).coefficients(2), [1.0, 2.0])
    np.testing.assert_allclose(Truth().coefficients(7), [1, -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1, 1 / 2])
    with pytest.raises(InvalidParameterError, match="2 coefficients, but the design has 3"):
        Truth([1.0, 2.0]).coefficients(3)


@pytest.mark.parametrize("bias", [-0.2, 0.1])
@pytest.mark.parametrize("link", ["logistic", "loglog", ShiftedMixtureLink(1.5, 0.25)])
def test_position_bias_is_that_of_equal_options_at_every_scale(link: object, bias: float) -> None:
    without = Truth([1.0], link=link)
    for scale in (0.1, 1.0, 7.0):
        truth = Truth([1.0], link=link, position_bias=bias).rescaled(scale)
        gain = truth.probability([[0.0]], [[0.0]]) - without.probability([[0.0]], [[0.0]])
        np.testing.assert_allclose(gain, bias, atol=1e-9)


def test_unattainable_position_bias() -> None:
    with pytest.raises(InvalidParameterError, match="not attainable"):
        Truth([1.0], link=LapsedLink(LogisticLink(), upper=0.4), position_bias=0.35)


def test_labels_have_the_exact_probabilities(rng: np.random.Generator) -> None:
    """Standardised residuals of the labels: mean 0, and uncorrelated with the index."""
    truth = Truth(link=link_at_severity("lapses", 1.0), position_bias=0.05)
    n = 40_000
    sample = DESIGN.sample(truth, n, rng)
    np.testing.assert_array_equal(sample.index, truth.index(sample.pairs.features0, sample.pairs.features1))
    p = sample.probability
    residual = (sample.pairs.labels - p) / np.sqrt(p * (1 - p))
    for direction in (np.ones(n), sample.index / sample.index.std(), np.sign(sample.index)):
        assert abs(residual @ direction) < SIGMAS * np.linalg.norm(direction)


def test_copula_keeps_the_link_and_has_its_intraclass_correlation(rng: np.random.Generator) -> None:
    """Two answers of a rater are both 1 with the bivariate normal probability of the copula."""
    rho, n_raters = 0.6, 40_000
    truth = Truth([1.0], link=ProbitLink(), raters=Raters(answers=2, dependence=rho))
    sample = ComparisonDesign(BinaryFeatures(1, rate=0.5)).sample(truth, 2 * n_raters, rng)
    t, z = sample.index.reshape(-1, 2), sample.pairs.labels.reshape(-1, 2)
    p = norm.cdf(t)
    residual = (z - p) / np.sqrt(p * (1 - p))
    assert np.all(np.abs(residual.sum(axis=0)) < SIGMAS * np.sqrt(n_raters))
    cases, case = np.unique(t, axis=0, return_inverse=True)
    expected = np.array([multivariate_normal.cdf(pair, cov=[[1, rho], [rho, 1]]) for pair in cases])
    assert len(cases) == 9
    for k, q in enumerate(expected):
        both = z[case.ravel() == k].prod(axis=1)
        error = np.sqrt(q * (1 - q) / both.size)
        assert abs(both.mean() - q) < SIGMAS * error
    assert np.all(expected >= norm.cdf(cases).prod(axis=1))
    assert expected[4] == pytest.approx(1 / 4 + np.arcsin(rho) / (2 * np.pi))  # both of equal options


def test_correlation_of_answers_to_equal_options(rng: np.random.Generator) -> None:
    rho, n_raters = 0.5, 20_000
    uniforms = Raters(answers=2, dependence=rho).draw_uniforms(np.arange(2 * n_raters) // 2, rng)
    z = (uniforms < 0.5).reshape(-1, 2) - 0.5
    correlation = 4 * np.mean(z[:, 0] * z[:, 1])
    assert abs(correlation - 2 / np.pi * np.arcsin(rho)) < SIGMAS / np.sqrt(n_raters)


def test_own_menus_give_the_stated_intraclass_correlation(rng: np.random.Generator) -> None:
    share, n_raters = 0.7, 20_000
    truth = Truth(raters=Raters(answers=2, own_menus=share))
    sample = ComparisonDesign(NormalFeatures(1)).sample(truth, 2 * n_raters, rng)
    differences = sample.pairs.differences[:, 0].reshape(-1, 2)
    x = np.abs(differences)  # the order of the options is random
    assert abs(np.corrcoef(x.T)[0, 1] - share**2) < 2 * SIGMAS / np.sqrt(n_raters)
    assert abs(np.corrcoef(differences.T)[0, 1]) < 2 * SIGMAS / np.sqrt(n_raters)
    offered = ComparisonDesign(NormalFeatures(1), sampling=AsOffered()).sample(truth, 2 * n_raters, rng)
    kept = np.corrcoef(offered.pairs.differences[:, 0].reshape(-1, 2).T)[0, 1]
    assert abs(kept - share**2) < 2 * SIGMAS / np.sqrt(n_raters)
    np.testing.assert_array_equal(sample.pairs.groups, np.arange(2 * n_raters) // 2)


def test_classes_of_raters_have_their_links_and_shares(rng: np.random.Generator) -> None:
    raters = Raters(answers=5, links=("logistic", LapsedLink(LogisticLink(), 0.3, 0.3)), shares=(3, 1))
    truth = Truth(raters=raters)
    sample = DESIGN.sample(truth, 20_000, rng)
    classes = sample.pairs.link_groups
    assert classes is not None
    assert all(len(set(group)) == 1 for group in classes.reshape(-1, 5))
    assert abs(np.mean(classes == 1) - 0.25) < SIGMAS * np.sqrt(0.25 * 0.75 / 4000)
    for k, link in enumerate(raters.links):
        rows = classes == k
        np.testing.assert_allclose(sample.probability[rows], link.probability(sample.index[rows]))
    expected = 0.75 * raters.links[0].probability(sample.index) + 0.25 * raters.links[1].probability(
        sample.index
    )
    np.testing.assert_allclose(truth.probability_of_index(sample.index), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("family", "severity"), [("cauchit", 0.5), *((family, 1.0) for family in sorted(LINK_FAMILIES))]
)
def test_every_link_is_brought_to_the_strength(family: str, severity: float) -> None:
    truth = Truth(link=link_at_severity(family, severity))
    scaled = scaled_to_strength(truth, DESIGN, 0.2)
    assert signal_strength(scaled, DESIGN) == pytest.approx(0.2, abs=1e-9)
    other = DESIGN.evaluation(scaled, 40_000, np.random.default_rng(1))
    spread = np.abs(other.probability - 0.5).std()
    strength = np.abs(other.probability - 0.5).mean()
    assert strength == pytest.approx(0.2, abs=SIGMAS * spread * np.sqrt(1 / 40_000 + 1 / 100_000))


@pytest.mark.parametrize("family", sorted(LINK_FAMILIES))
def test_severity_0_is_the_logistic_link_up_to_scale(family: str) -> None:
    t = np.linspace(-4, 4, 33)
    logit = np.log(1 / link_at_severity(family, 0.0).probability(t) - 1)
    np.testing.assert_allclose(logit / logit[-1], t / t[-1], atol=1e-9)


@given(severity=st.floats(0, 1), family=st.sampled_from(sorted(LINK_FAMILIES)))
def test_families_are_links(severity: float, family: str) -> None:
    p = link_at_severity(family, severity).probability(np.linspace(-6, 6, 50))
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p) >= 0)


def test_grid_over_severities() -> None:
    own = LinkFamily("own", lambda severity: ShiftedMixtureLink(severity, 1.0), "distance of the halves")
    grid = severity_grid(["lapses", own], [0, 0.5], score=[1.0, 2.0])
    assert list(grid) == ["lapses 0", "lapses 0.5", "own 0", "own 0.5"]
    assert grid["own 0.5"].link == ShiftedMixtureLink(0.5, 1.0)
    assert grid["lapses 0.5"].factors == {"link": "lapses", "severity": 0.5}
    assert not grid["lapses 0.5"].antisymmetric
    assert all(truth.score == LinearScore((1.0, 2.0)) for truth in grid.values())


def test_unattainable_strength_says_what_is_attainable() -> None:
    flips = LapsedLink(LogisticLink(), lower=0.3, upper=0.3)
    with pytest.raises(InvalidParameterError, match=r"strength=0.25 is not attainable.* 0.2 on this design"):
        scaled_to_strength(Truth(link=flips), DESIGN)


def test_strength_of_a_constant_score() -> None:
    with pytest.raises(InvalidParameterError, match="does not vary"):
        scaled_to_strength(Truth(lambda options: options[..., 0] * 0), DESIGN)


def test_mixture_link_against_the_average_link() -> None:
    links = (LogisticLink(), LapsedLink(ProbitLink(), 0.1, 0.05, scale=2.0, shift=0.3))
    mixture, average = MixtureLink(links, (1, 3)), AverageLink(links, (1, 3))
    t = np.linspace(-8, 8, 41)
    p = average.probability(t)
    np.testing.assert_allclose(mixture.log_probability(t), np.log(p), rtol=1e-12)
    np.testing.assert_allclose(mixture.log_complement(t), np.log1p(-p), rtol=1e-10)
    np.testing.assert_allclose(np.exp(mixture.log_slope(t)), average.slope(t), rtol=1e-10)
    np.testing.assert_allclose(mixture.hazard(t), average.slope(t) / (1 - p), rtol=1e-9)
    np.testing.assert_allclose(mixture.reversed_hazard(t), average.slope(t) / p, rtol=1e-9)
    np.testing.assert_allclose(mixture.rescaled(2.0).probability(t), average.probability(2 * t), rtol=1e-13)
    assert MixtureLink.from_dict({k: v for k, v in mixture.to_dict().items() if k != "kind"}) == mixture
    for x in (-2.0, 0.5):
        error = check_grad(
            lambda u: float(mixture.log_probability(u)[0]),
            lambda u: mixture.reversed_hazard(u),
            np.array([x]),
        )
        assert error < 1e-6


# Policies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("divergence", ["reverse_kl", "chi_squared", "forward_kl"])
def test_no_policy_of_the_budget_beats_the_optimal_one(divergence: str, rng: np.random.Generator) -> None:
    truth = Truth(divergence=divergence, reference=(0.4, 0.3, 0.2, 0.1))
    options = DESIGN.menus(300, rng)
    assert truth.policy(options, 0.1).divergence == pytest.approx(0.1, rel=1e-6)
    true = truth.score(options)
    assert truth.regret(true, options, 0.1) == pytest.approx(0.0, abs=1e-12)
    assert truth.regret(3 * true + rng.normal(size=(300, 1)), options, 0.1) == pytest.approx(0.0, abs=1e-8)
    for noise in (0.3, 3.0):
        assert truth.regret(true + noise * rng.normal(size=true.shape), options, 0.1) > 1e-4


def test_optimal_policy_under_kl_is_the_softmax(rng: np.random.Generator) -> None:
    truth = Truth()
    options = DESIGN.menus(50, rng)
    policy = truth.policy(options, 0.3)
    weight = np.exp(truth.score(options) / policy.temperature)
    np.testing.assert_allclose(
        policy.probabilities.reshape(50, 4), weight / weight.sum(axis=1, keepdims=True), rtol=1e-10
    )


def test_reference_by_function(rng: np.random.Generator) -> None:
    def reference(options: np.ndarray) -> np.ndarray:
        weight = np.exp(options[..., 0])
        return weight / weight.sum(axis=1, keepdims=True)

    options = DESIGN.menus(20, rng)
    truth = Truth(reference=reference)
    np.testing.assert_allclose(truth.menu(options).reference, reference(options).ravel())
    with pytest.raises(InvalidDataError, match="sum of 1"):
        Truth(reference=lambda o: o[..., 0] ** 2).reference_probabilities(options)
    with pytest.raises(InvalidDataError, match="shape"):
        Truth(reference=lambda o: np.ones(3)).reference_probabilities(options)
    with pytest.raises(InvalidParameterError, match="2 probabilities, but the menus have 4"):
        Truth(reference=(0.5, 0.5)).reference_probabilities(options)


def test_a_truth_is_a_value() -> None:
    truth = Truth(
        [1.0, 2.0], "probit", factors={"link": "probit"}, raters=Raters(links=("logistic", "probit"))
    )
    assert pickle.loads(pickle.dumps(truth)) == truth
    assert truth.draw(np.random.default_rng(0)) is truth
    assert Truth() == Truth(AlternatingScore())
    assert Truth([1, 2]).score == LinearScore((1.0, 2.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Truth(link=AverageLink((LogisticLink(),), (1.0,))), "ParametricLink"),
        (lambda: Truth(raters=3), "raters must be"),
        (lambda: Truth(score="x"), "score must be"),
        (lambda: Truth([0.0, 0.0]), "not all zero"),
        (lambda: Truth(reference=(0.5, 0.6)), "sum of 1"),
        (lambda: AlternatingScore(0), "period"),
        (lambda: Raters(answers=0), "answers"),
        (lambda: Raters(dependence=1.0), "dependence"),
        (lambda: Raters(links=("logistic",), shares=(1, 2)), "one for each of the 1 links"),
        (lambda: MixtureLink((), ()), "one or more"),
        (lambda: MixtureLink((LogisticLink(),), (0.0,)), "positive"),
        (lambda: link_at_severity("unknown", 0.5), "link family must be one of"),
        (lambda: link_at_severity("flips", 1.5), "severity"),
        (lambda: scaled_to_strength(Truth(), DESIGN, 0.5), "strength"),
        (lambda: ConjointFeatures(n_levels=1), "n_levels"),
    ],
)
def test_parameters_without_a_meaning(make: object, message: str) -> None:
    with pytest.raises((InvalidParameterError, InvalidDataError), match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("factors", "message"),
    [({"k": [1, 2]}, r"factors\['k'\] must be one number or text"), ({1: 2}, "a mapping of values by name")],
)
def test_factors_are_values_of_a_column(factors: dict[Any, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        Truth(factors=factors)
    assert Truth(factors={"a": 1, "b": "x", "c": None, "d": np.float64(2)}).factors["d"] == 2
