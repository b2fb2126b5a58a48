"""Preference and policy bounds: exact inequalities on populations, factors, and what is refused."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    LogisticLink,
    Menu,
    OrthogonalPolicy,
    PreferencePairs,
    ProductKernel,
    ProfiledLinkPolicy,
    RankingPolicy,
    policy_error_bound,
    policy_from_scores,
    preference_error_bound,
)
from semiindex.diagnostics.determinacy import TangentSample, coordinates_of
from semiindex.diagnostics.direction_theorem import direction_noise
from semiindex.diagnostics.policy_bound import _diameter
from semiindex.diagnostics.theorems import in_sample_profile_bound, profile_bound
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy.policy_distance import policy_distance

THETA = np.array([1.0, -0.7, 0.4])


def _sample(rng, n=1200):
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < LogisticLink().probability(X @ THETA)).astype(int)
    return X, y


def _rms(X, theta):
    return theta / np.sqrt(np.mean((X @ theta) ** 2))


def _sine(X, first, second):
    cosine = np.mean((X @ _rms(X, first)) * (X @ _rms(X, second)))
    return math.sqrt(max(1 - cosine**2, 0.0))


@pytest.mark.parametrize("model", [ProfiledLinkPolicy("isotonic"), OrthogonalPolicy(), RankingPolicy()])
def test_the_bound_holds_and_is_the_theorem_with_the_gap(rng, model):
    X, y = _sample(rng)
    model.fit(X, y)
    result = preference_error_bound(model, X, y)
    truth = LogisticLink().probability(X @ THETA)
    error = np.mean((model.predict_proba(X)[:, 1] - truth) ** 2)
    assert error < result.squared_error < 0.25
    assert result.squared_error == pytest.approx(in_sample_profile_bound(1200, 3, gap=result.gap))
    assert result.level == "fine"
    assert "90% confidence" in result.reading()
    assert ("excess ranking risk, new comparisons" in result.to_frame().index) == isinstance(
        model, RankingPolicy
    )


def test_a_wrong_direction_has_a_gap(rng):
    """The gap of a fit that ended in the wrong place is what its index loses in squared error."""
    X, y = _sample(rng)
    other = (rng.random(1200) < LogisticLink().probability(X @ [0.3, 1.0, 1.0])).astype(int)
    good = preference_error_bound(KnownLinkPolicy().fit(X, y), X, y)
    wrong = KnownLinkPolicy().fit(X, other)
    wrong.index_label_moment_ = float(np.mean(wrong.decision_function(X) * (y - 0.5)))  # a fit to y
    bad = preference_error_bound(wrong, X, y)
    assert bad.gap > good.gap + 0.05


def test_rivals_can_only_widen_the_gap(rng):
    """A rival may be better than what the library finds; those that it would fit itself change nothing."""
    X, y = _sample(rng, 400)
    model = RankingPolicy().fit(X, y)
    own = [ProfiledLinkPolicy().fit(X, y), ProfiledLinkPolicy("isotonic").fit(X, y)]
    plain = preference_error_bound(model, X, y)
    assert preference_error_bound(model, X, y, rivals=own).gap == plain.gap
    best = KnownLinkPolicy().fit(X, y)
    errors = []
    for _ in range(200):  # a direction nearby that happens to fit better
        best.coef_ = best.coef_ + rng.normal(scale=0.02, size=3)
        best.coef_ /= np.sqrt(np.mean((X @ best.coef_) ** 2)) / best.index_rms_
        errors.append(preference_error_bound(model, X, y, rivals=[*own, best]).gap)
    assert min(errors) == plain.gap < max(errors)
    for other in (ProfiledLinkPolicy().fit(X[:, :2], y), ProfiledLinkPolicy().fit(2 * X, y), object()):
        with pytest.raises(InvalidParameterError, match="rivals must be"):
            preference_error_bound(model, X, y, rivals=[other])


def test_whole_weights_are_repetitions(rng):
    X, y = _sample(rng, 300)
    weight = rng.integers(0, 3, 300)
    rows = np.repeat(np.arange(300), weight)
    first = preference_error_bound(ProfiledLinkPolicy().fit(X, y, sample_weight=weight), X, y, weight)
    second = preference_error_bound(ProfiledLinkPolicy().fit(X[rows], y[rows]), X[rows], y[rows])
    assert first.squared_error == pytest.approx(second.squared_error)


def test_raters_are_a_warning(rng):
    X, y = _sample(rng, 300)
    model = ProfiledLinkPolicy().fit(X, y)
    result = preference_error_bound(model, X, y, groups=np.arange(300) // 3)
    assert result.level == "warning"
    assert "raters" in result.reading()
    assert preference_error_bound(model, X, y, groups=np.arange(300)).level != "warning"


def test_what_the_theorems_do_not_cover_is_refused(rng):
    X, y = _sample(rng, 300)
    model = ProfiledLinkPolicy().fit(X, y, sample_weight=np.full(300, 1.5))
    with pytest.raises(InvalidDataError, match="not whole numbers"):
        preference_error_bound(model, X, y, np.full(300, 1.5))
    ties = PreferencePairs(X, np.zeros_like(X), y, units=np.arange(300) // 2, weights=np.full(300, 0.5))
    with pytest.raises(InvalidDataError, match="no independent answers"):
        preference_error_bound(ProfiledLinkPolicy().fit(ties), ties)
    kernel = KnownLinkPolicy(index=KernelIndex(), ridge=0.1).fit(ties)
    with pytest.raises(InvalidParameterError, match="Set components"):
        preference_error_bound(kernel, ties)


def test_a_penalty_is_a_gap(rng):
    """The theorems are about any index of the class: what a ridge costs in training error is added."""
    X = rng.normal(size=(1200, 3)) * [3.0, 1.0, 0.3]  # a penalty turns the index where scales differ
    y = (rng.random(1200) < LogisticLink().probability(X @ [0.3, -1.0, 3.0])).astype(int)
    gaps = [
        preference_error_bound(KnownLinkPolicy(ridge=ridge).fit(X, y), X, y).gap for ridge in (0.0, 0.1, 1.0)
    ]
    assert gaps[0] < gaps[1] < gaps[2]
    menu = Menu.from_array(rng.normal(size=(20, 4, 3)))
    free, held = (
        policy_error_bound(KnownLinkPolicy(ridge=ridge).fit(X, y), X, menu, y, budget=0.2, slope=(0.15, 1.5))
        for ridge in (0.0, 1.0)
    )
    assert held.factors[0].value > free.factors[0].value


def _quadratic(first, second):
    """Kernel of the quadratic functions without a constant: five of them for two columns."""
    return (1 + first @ second.T) ** 2 - 1


def _score(options):
    return options[:, 0] + 0.5 * options[:, 1] ** 2 - options[:, 0] * options[:, 1]


def _quadratic_sample(rng, n=1200):
    first, second = rng.normal(size=(2, n, 2))
    truth = LogisticLink().probability(_score(second) - _score(first))
    return PreferencePairs(first, second, (rng.random(n) < truth).astype(int)), truth


def test_a_kernel_index_is_a_linear_one_of_its_components(rng):
    """Where the components span the quadratics, nothing differs from the linear index of five monomials."""
    pairs, truth = _quadratic_sample(rng)
    kernel = ProfiledLinkPolicy("isotonic", index=KernelIndex(_quadratic, components=8)).fit(pairs)
    monomials = [np.column_stack([x, x**2, x[:, :1] * x[:, 1:]]) for x in (pairs.features0, pairs.features1)]
    linear = ProfiledLinkPolicy("isotonic").fit(monomials[1] - monomials[0], pairs.labels)
    first = preference_error_bound(kernel, pairs)
    second = preference_error_bound(linear, monomials[1] - monomials[0], pairs.labels)
    assert first.n_features == second.n_features == 5
    assert first.squared_error == pytest.approx(second.squared_error, rel=0.02)
    assert np.mean((kernel.predict_proba(pairs)[:, 1] - truth) ** 2) < first.squared_error
    assert first.statements[1].bound == pytest.approx(profile_bound(1200, 5, gap=first.gap, n_anchors=8))
    assert "components of a kernel" in first.reading()
    options = rng.normal(size=(20, 4, 2))
    flat = options.reshape(-1, 2)
    powers = np.column_stack([flat, flat**2, flat[:, :1] * flat[:, 1:]])
    settings = {"budget": 0.2, "slope": (0.1, 1.5)}
    one = policy_error_bound(kernel, pairs, Menu.from_array(options), **settings)
    other = policy_error_bound(
        linear,
        monomials[1] - monomials[0],
        Menu.from_array(powers.reshape(20, 4, 5)),
        pairs.labels,
        **settings,
    )
    assert one.temperature == pytest.approx(other.temperature, rel=0.1)
    assert one.factors[2].value == pytest.approx(other.factors[2].value, rel=0.1)
    assert one.factors[3].value == pytest.approx(other.factors[3].value, rel=0.1)


def test_features_of_the_whole_sample_have_no_bound_for_new_comparisons(rng):
    pairs, _ = _quadratic_sample(rng, 400)

    def statements(**settings):
        model = ProfiledLinkPolicy(index=KernelIndex(components=4, **settings)).fit(pairs)
        result = preference_error_bound(model, pairs)
        assert (len(result.statements) == 2) == ("width of the kernel" not in result.reading())
        return result.statements

    assert len(statements()) == 1
    assert len(statements(gamma=0.2)) == 2
    product = ProductKernel((0, "rbf", {"gamma": 0.2}), (1, "rbf"))
    assert len(statements(kernel=product)) == 1
    waves = statements(gamma=0.2, approximation="random_features")
    anchored = statements(gamma=0.2)
    assert waves[1].bound < anchored[1].bound - 0.1


def _tangent(X, estimate, z):
    weight = np.ones(X.shape[0])
    rows = X @ coordinates_of(X, weight, estimate).tangent
    return TangentSample(rows, X @ estimate, z, weight)


def _turned(rng, X, angle):
    """A direction of unit root mean square, and another one at an angle from it."""
    theta, side = _rms(X, THETA), rng.normal(size=3)
    side -= theta * np.mean((X @ side) * (X @ theta))
    return theta, math.cos(angle) * theta + math.sin(angle) * _rms(X, side)


def _noise_along(sample, index, noise, limit, sine):
    """Noise along the true index within blocks, per unit of it: blocks formed by hand."""
    central = np.flatnonzero(sample.reach(sine) <= limit)
    central = central[np.argsort(sample.t[central], kind="stable")]
    size = int(np.clip(np.cbrt(central.size), 2, 50))
    within = np.zeros(index.size)
    for start in range(0, central.size, size):
        block = central[start : start + size]
        within[block] = index[block] - index[block].mean()
    return -np.mean(within * noise) / np.sqrt(np.mean(within**2))


@pytest.mark.parametrize("angle", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("known", [False, True])
def test_the_angle_is_bounded_by_the_noise(rng, angle, known):
    """Given the noise that there is, the inequality is deterministic: for any estimate, turned as we like."""
    X = rng.normal(size=(3000, 3)) + rng.exponential(size=(3000, 3)) - 1
    theta, estimate = _turned(rng, X, angle)
    truth = LogisticLink().probability(X @ theta)
    z = (rng.random(3000) < truth).astype(float)
    sample, slope = _tangent(X, estimate, z), float(LogisticLink().slope(1.5))
    sine = math.sin(angle) if known else 1.0
    noise = max(_noise_along(sample, X @ theta, z - truth, 1.5, sine), 0.0)
    found = sample.determinacy(1.5, sine)
    assert math.sin(angle) <= found.sine(noise, slope)
    if known:  # and it is not vacuous
        assert found.sine(noise, slope) < 3 * math.sin(angle) + 0.2
        assert found.index_within < 0.02


def test_the_angle_is_bounded_in_samples(rng):
    """The bound of the theorem, in a sample large enough for it to say something, for a learned direction."""
    X = rng.normal(size=(40_000, 2))
    theta = _rms(X, np.array([1.0, -0.7]))
    y = (rng.random(40_000) < LogisticLink().probability(2 * X @ theta)).astype(int)
    estimate = _rms(X, KnownLinkPolicy().fit(X, y).coef_)
    slope = 2 * float(LogisticLink().slope(2.0))
    result = _tangent(X, estimate, y).angle(lambda step: direction_noise(40_000, 2, step=step), slope, 1.0)
    first = _tangent(X, estimate, y).determinacy(1.0)
    assert _sine(X, estimate, theta) < result.sine < 0.5 * first.sine(result.noise, slope)
    assert result.found.share > first.share


@pytest.mark.parametrize("step", [0, 6])
def test_no_direction_finds_more_noise_than_the_theorem_allows(rng, step):
    """The estimate that the noise itself chooses, among many, of everything that the blocks can do."""
    X, sine = rng.normal(size=(60, 2)), 0.9**step
    theta = _rms(X, np.array([1.0, -0.7]))
    truth = LogisticLink().probability(2 * X @ theta)
    largest = []
    for _ in range(20):
        noise = (rng.random(60) < truth) - truth
        directions = rng.normal(size=(40, 2))
        samples = [_tangent(X, _rms(X, direction), truth) for direction in directions]
        largest.append(max(_noise_along(sample, X @ theta, noise, 2.0, sine) for sample in samples))
    bound = direction_noise(60, 2, step=step)
    assert 0.1 * bound < np.mean(largest) <= np.max(largest) < bound


@pytest.mark.parametrize("sine", [0.1, 0.6, 1.0])
def test_the_reach_is_the_largest_index_within_the_angle(rng, sine):
    X = rng.normal(size=(40, 3))
    theta = _rms(X, THETA)
    sample = _tangent(X, theta, X @ theta)
    angles = np.linspace(0, math.asin(sine), 2001)[:, None]
    side = np.linalg.norm(sample.rows, axis=1)
    largest = (np.cos(angles) * np.abs(sample.t) + np.sin(angles) * side).max(axis=0)
    np.testing.assert_allclose(sample.reach(sine), largest, rtol=1e-5)


def test_features_that_the_index_determines_have_no_spread(rng):
    """Four different comparisons, one at each value of the index: only blocks across values see a spread."""
    X = np.sign(rng.normal(size=(40_000, 2)))
    estimate = _rms(X, np.array([1.0, 0.3]))
    found = _tangent(X, estimate, np.zeros(40_000)).determinacy(10.0)
    assert found.spread < 0.05
    assert found.share == 1.0


@pytest.mark.parametrize("angle", [0.02, 0.2, 0.8])
@pytest.mark.parametrize("budget", [0.02, 0.3])
def test_policies_of_one_budget(rng, angle, budget):
    """The identity of equal budgets, and both bounds that follow from it, for uneven references and menus."""
    X, offsets = rng.normal(size=(2000, 3)) * [1.0, 2.0, 0.5], np.array([0, 3, 5, 9, 16, 20])
    options = rng.normal(size=(20, 3)) * [1.0, 2.0, 0.5]
    menu = Menu(options, offsets, reference_logits=rng.normal(size=20), weights=[1.0, 2, 1, 1, 3])
    estimate = _rms(X, THETA)
    side = rng.normal(size=3)
    side -= estimate * np.mean((X @ side) * (X @ estimate))
    side = _rms(X, side)
    truth = math.cos(angle) * estimate + math.sin(angle) * side
    learned, best = (policy_from_scores(options @ theta, menu, budget=budget) for theta in (estimate, truth))
    forward = policy_distance(learned.probabilities, best.probabilities, options @ truth, menu)
    backward = policy_distance(best.probabilities, learned.probabilities, options @ estimate, menu)
    share = np.repeat(menu.shares, menu.sizes)
    right = math.sin(angle) * share @ ((best.probabilities - learned.probabilities) * (options @ side))
    left = best.temperature * forward.kl + math.cos(angle) * learned.temperature * backward.kl
    assert left == pytest.approx(right, rel=1e-5)
    assert forward.regret == pytest.approx(best.temperature * forward.kl, rel=1e-5)
    diameter = _diameter(options @ coordinates_of(X, np.ones(2000), estimate).tangent, menu)
    assert forward.total_variation <= math.tan(angle) * diameter / (2 * learned.temperature)
    allowed = math.sin(angle) ** 2 / math.cos(angle) * diameter**2 / (8 * learned.temperature)
    assert forward.regret <= allowed
    assert forward.total_variation <= math.sqrt(2 * budget)


def test_factors_multiply_and_are_marked(rng):
    X, y = _sample(rng)
    menu = Menu.from_array(rng.normal(size=(20, 4, 3)))
    model = ProfiledLinkPolicy().fit(X, y)
    estimate = policy_error_bound(model, X, menu, y, budget=0.2)
    assumed = policy_error_bound(model, X, menu, y, budget=0.2, slope=(0.15, 1.5))
    assert not estimate.is_bound
    assert estimate.title.startswith("Estimate")
    assert assumed.is_bound
    assert assumed.title.startswith("Bound")
    assert [factor.kind for factor in assumed.factors] == ["theorem", "assumption", "computed", "computed"]
    assert assumed.factors[1].value == pytest.approx(1 / 0.15)
    assert assumed.total_variation <= assumed.trivial == pytest.approx(math.sqrt(0.4))
    assert assumed.level == "note"
    assert "says something" in assumed.reading()
    assert list(assumed.to_frame().index[:2]) == ["complexity", "flatness"]


def test_an_informative_bound_needs_little_noise(rng):
    """At the number of comparisons that the result names, the product is below the trivial bound."""
    X, y = _sample(rng)
    menu = Menu.from_array(rng.normal(size=(20, 4, 3)))
    model = ProfiledLinkPolicy().fit(X, y)
    result = policy_error_bound(model, X, menu, y, budget=0.2, slope=(0.15, 1.5))
    leverage, n = result.factors[3].value, result.informative_from
    sample = _tangent(X, _rms(X, model.coef_), y)
    for size, holds in [(1.01 * n, True), (0.99 * n, False)]:
        noise = partial(direction_noise, size, 3)
        sine = min(sample.angle(lambda j, noise=noise: noise(step=j), 0.15, 1.5, blocks=False).sine, 1 - 1e-9)
        assert (sine / math.sqrt(1 - sine**2) * leverage < result.trivial) == holds
    assert n > 1200
    assert result.factors[0].value > direction_noise(1200, 3)


def test_slopes_and_menus_without_a_meaning(rng):
    X, y = _sample(rng, 300)
    model = ProfiledLinkPolicy().fit(X, y)
    menu = Menu.from_array(rng.normal(size=(4, 3, 3)))
    for slope in [(0.0, 1.0), (0.5, 2.0), 0.2, (0.1, 1.5, 2.0)]:
        with pytest.raises(InvalidParameterError, match="slope must be"):
            policy_error_bound(model, X, menu, y, budget=0.1, slope=slope)
    with pytest.raises(InvalidParameterError, match="menu must be a Menu"):
        policy_error_bound(model, X, X, y, budget=0.1)
    with pytest.raises(InvalidDataError, match="no features"):
        policy_error_bound(model, X, Menu(offsets=[0, 2]), y, budget=0.1)
    with pytest.raises(InvalidDataError, match="one feature"):
        policy_error_bound(
            ProfiledLinkPolicy().fit(X[:, :1], y),
            X[:, :1],
            Menu.from_array(np.ones((2, 2, 1))),
            y,
            budget=0.1,
        )
