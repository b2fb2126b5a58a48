"""Features and pair sampling: moments and laws that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chisquare, kstest
from scipy.stats import t as student

from semiindex import KnownLinkPolicy
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation import (
    ActivePairs,
    AsOffered,
    BestOfPairs,
    BinaryFeatures,
    ComparisonDesign,
    ConjointFeatures,
    ContextualFeatures,
    FeatureDistribution,
    LinearScore,
    MixedFeatures,
    NearestPairs,
    NormalFeatures,
    PairSampling,
    ReferencePairs,
    SkewedFeatures,
    StudentFeatures,
    Truth,
    UniformPairs,
    signal_strength,
)

N = 20_000
#: Of a seeded p-value; each test below has a handful.
SMALLEST_P = 1e-4


def positions(sampling: PairSampling, rng: np.random.Generator, k: int = 4, **truth: object) -> np.ndarray:
    """Positions of the compared options, recovered from a feature that is the position itself."""
    sample = ComparisonDesign(_Position(), k, sampling).sample(Truth(_position_score, **truth), N, rng)
    return np.column_stack([sample.pairs.features0[:, 0], sample.pairs.features1[:, 0]]).astype(int)


class _Position(FeatureDistribution):
    n_features = 1

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> np.ndarray:
        return np.broadcast_to(np.arange(menu_size)[:, None], (n_menus, menu_size, 1)).astype(float)


def _position_score(options: np.ndarray) -> np.ndarray:
    return options[..., 0] ** 2  # position 0 is nearest to 1, and so on down


@pytest.mark.parametrize(
    ("features", "mean", "variance"),
    [
        (NormalFeatures(3, correlation=0.4), 0, 1),
        (StudentFeatures(3, 9.0), 0, 1),
        (SkewedFeatures(3, 1.5), 0, 1),
        (BinaryFeatures(3, 0.15), 0.15, 0.15 * 0.85),
        (ConjointFeatures(1, 0, 0), 1.5 / math.sqrt(1.25), 1),
        (ConjointFeatures(0, 2, 0, price_sigma=0.5), 0, 1),
        (ConjointFeatures(0, 0, 2, flag_rate=0.1), 0.1 / 0.3, 1),
    ],
)
def test_moments(
    features: FeatureDistribution, mean: float, variance: float, rng: np.random.Generator
) -> None:
    options = features.draw(200_000, 2, rng)
    assert (
        options.shape
        == (200_000, 2, features.n_features)
        == (*options.shape[:2], len(features.feature_names))
    )
    each = options.reshape(-1, features.n_features)
    spread = each.std(axis=0) / math.sqrt(len(each))
    assert np.all(np.abs(each.mean(axis=0) - mean) < 4 * spread)
    square = (each - mean) ** 2
    assert np.all(np.abs(square.mean(axis=0) - variance) < 4.5 * square.std(axis=0) / math.sqrt(len(each)))


def test_correlation_of_normal_features(rng: np.random.Generator) -> None:
    options = NormalFeatures(3, correlation=0.4).draw(N, 2, rng)
    np.testing.assert_allclose(np.corrcoef(options[:, 0].T), 0.4 + 0.6 * np.eye(3), atol=4 / math.sqrt(N))
    assert abs(np.corrcoef(options[:, 0, 0], options[:, 1, 0])[0, 1]) < 4 / math.sqrt(N)


def test_student_differences_are_elliptical_t(rng: np.random.Generator) -> None:
    """Every linear combination of the differences has the same t distribution up to scale."""
    options = StudentFeatures(3, 5.0).draw(N, 2, rng)
    differences = options[:, 1] - options[:, 0]
    for direction in ([1, 0, 0], [0.6, 0, 0.8], [1 / 3, 2 / 3, -2 / 3]):
        scaled = differences @ np.array(direction) / math.sqrt(2 * 3 / 5)
        assert kstest(scaled, student(5).cdf).pvalue > SMALLEST_P


def test_mixed_differences_keep_their_asymmetry(rng: np.random.Generator) -> None:
    sample = ComparisonDesign(MixedFeatures(4), sampling=AsOffered()).sample(Truth(), N, rng)
    x = sample.pairs.differences
    mean = [0, 0, math.gamma(2.5) - 1, 0]
    variance = np.array([1, 2 * 0.15 * 0.85, math.gamma(4) - math.gamma(2.5) ** 2 + 1, 1])
    assert np.all(np.abs(x.mean(axis=0) - mean) < 4 * np.sqrt(variance / N))
    np.testing.assert_allclose(x.var(axis=0), variance, rtol=0.15)


@pytest.mark.parametrize("encoding", ["columns", "interactions"])
def test_contextual_encoding_and_back(encoding: str, rng: np.random.Generator) -> None:
    features = ContextualFeatures(NormalFeatures(4), 3, encoding)  # type: ignore[arg-type]
    options = features.draw(10, 3, rng)
    assert options.shape[2] == features.n_features == len(features.feature_names)
    contexts, actions = features.decode(options)
    np.testing.assert_array_equal(actions, np.tile(np.arange(3), (10, 1)))
    np.testing.assert_array_equal(contexts[:, 0], contexts[:, 2])
    np.testing.assert_array_equal(features.encode(contexts, actions), options)


def test_interactions_are_linear_in_the_context_for_every_action(rng: np.random.Generator) -> None:
    features = ContextualFeatures(NormalFeatures(2), 3, "interactions")
    theta = rng.normal(size=(3, 3))  # action by (context, constant)
    options = features.draw(5, 3, rng)
    contexts, _ = features.decode(options)
    expected = contexts[:, 0] @ theta[:, :2].T + theta[:, 2]
    np.testing.assert_allclose(LinearScore(tuple(theta.ravel()))(options), expected)


# Pairs ---------------------------------------------------------------------------------------------


def _counts(pairs: np.ndarray, k: int = 4) -> np.ndarray:
    return np.bincount(pairs[:, 0] * k + pairs[:, 1], minlength=k * k).reshape(k, k)


def _fits(counts: np.ndarray, law: np.ndarray) -> bool:
    assert counts[law == 0].sum() == 0
    some = law > 0
    return bool(chisquare(counts[some], N * law[some] / law.sum()).pvalue > SMALLEST_P)


def test_uniform_pairs(rng: np.random.Generator) -> None:
    assert _fits(_counts(positions(UniformPairs(), rng)), 1 - np.eye(4))
    assert _fits(_counts(positions(UniformPairs(replace=True), rng)), np.ones((4, 4)))


def test_reference_pairs(rng: np.random.Generator) -> None:
    q = np.array([0.5, 0.3, 0.2, 0.0])
    together = np.outer(q, q)
    assert _fits(_counts(positions(ReferencePairs(), rng, reference=q)), together)
    without = (1 - np.eye(4)) * together / (1 - q)[:, None]
    assert _fits(_counts(positions(ReferencePairs(replace=False), rng, reference=q)), without)
    with pytest.raises(InvalidParameterError, match="two options of positive"):
        positions(ReferencePairs(replace=False), rng, reference=(1.0, 0, 0, 0))


def test_best_of_pairs(rng: np.random.Generator) -> None:
    """Position k is the best of m draws with probability F(k)^m - F(k - 1)^m."""
    m, q = 3, np.array([0.4, 0.3, 0.2, 0.1])
    best = np.diff(np.cumsum(q) ** m, prepend=0)
    law = (np.outer(q, best) + np.outer(best, q)) / 2
    assert _fits(_counts(positions(BestOfPairs(m), rng, reference=q)), law)


def test_nearest_pairs(rng: np.random.Generator) -> None:
    law = np.zeros((4, 4))
    for first, nearest in enumerate([1, 0, 1, 2]):  # scores 0, 1, 4, 9
        law[first, nearest] += 1 / 8
        law[nearest, first] += 1 / 8
    assert _fits(_counts(positions(NearestPairs(), rng)), law)


def test_as_offered(rng: np.random.Generator) -> None:
    np.testing.assert_array_equal(positions(AsOffered(), rng, k=2), np.tile([0, 1], (N, 1)))
    with pytest.raises(InvalidParameterError, match="two options"):
        positions(AsOffered(), rng)


def test_active_pairs_look_for_uncertain_answers(rng: np.random.Generator) -> None:
    design = ComparisonDesign(NormalFeatures(4), 6, ActivePairs(n_rounds=3))
    truth = Truth().rescaled(3.0)
    sample = design.sample(truth, 1500, rng)
    doubt = np.abs(sample.probability - 0.5)
    uniform, active = doubt[:500], doubt[500:]
    assert active.mean() < uniform.mean() / 2
    # The labels that the learner saw are those of the sample: its fit is no worse than usual.
    assert KnownLinkPolicy().fit(sample.pairs).score(sample.pairs[:500]) > 0.8
    strength = signal_strength(truth, ComparisonDesign(NormalFeatures(4), 6))
    assert signal_strength(truth, design) == strength


def test_active_pairs_shows_the_learner_the_labels_of_the_sample(rng: np.random.Generator) -> None:
    seen = []

    class Learner(KnownLinkPolicy):
        def fit(self, X: object, y: object = None, **kwargs: object) -> object:
            seen.append(np.asarray(y))
            return super().fit(X, y, **kwargs)

    design = ComparisonDesign(NormalFeatures(2), 3, ActivePairs(2, Learner()))
    sample = design.sample(Truth(), 60, rng)
    np.testing.assert_array_equal(seen[0], sample.pairs.labels[:30])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NormalFeatures(0), "dimension"),
        (lambda: NormalFeatures(2, 1.0), "correlation"),
        (lambda: StudentFeatures(2, 2.0), "degrees_of_freedom"),
        (lambda: SkewedFeatures(2, 0.0), "power"),
        (lambda: BinaryFeatures(2, 1.0), "rate"),
        (lambda: ConjointFeatures(0, 0, 0), "one of them positive"),
        (lambda: ConjointFeatures(flag_rate=0), "flag_rate"),
        (lambda: ContextualFeatures(n_actions=1), "n_actions"),
        (lambda: ContextualFeatures(encoding="x"), "encoding"),  # type: ignore[arg-type]
        (lambda: ComparisonDesign("x"), "features must be"),  # type: ignore[arg-type]
        (lambda: ComparisonDesign(NormalFeatures(2), 1), "menu_size"),
        (lambda: ComparisonDesign(NormalFeatures(2), sampling="x"), "sampling must be"),  # type: ignore[arg-type]
        (lambda: ActivePairs(0), "n_rounds"),
        (lambda: BestOfPairs(0), "n_draws"),
        (
            lambda: ComparisonDesign(ContextualFeatures(), 4).menus(1, np.random.default_rng(0)),
            "leave menu_size at None",
        ),
        (
            lambda: ComparisonDesign(NormalFeatures(2), 2, ActivePairs()).sample(
                Truth(), 100, np.random.default_rng(0)
            ),
            "leaves no choice",
        ),
        (
            lambda: ComparisonDesign(NormalFeatures(2), 3, ActivePairs()).sample(
                Truth(), 5, np.random.default_rng(0)
            ),
            "too few",
        ),
    ],
)
def test_parameters_without_a_meaning(make: object, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        make()  # type: ignore[operator]
