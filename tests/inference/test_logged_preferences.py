"""Win rates from logged comparisons: exact means by enumeration, what each of two nuisances allows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import t as student

from semiindex import KnownLinkPolicy, LogisticLink, Menu, logged_win_rate, policy_from_scores
from semiindex.exceptions import InvalidDataError, InvalidParameterError

REFERENCE = np.array([0.4, 0.3, 0.2, 0.1, 0.5, 0.25, 0.25])


@pytest.fixture
def menu(rng):
    return Menu(rng.normal(size=(7, 2)), [0, 4, 7], reference=REFERENCE)


@pytest.fixture
def policy(menu, rng):
    return policy_from_scores(rng.normal(size=7), menu, budget=0.3)


class Population:
    """All comparisons of two contexts, with cyclic preferences that depend on position as well."""

    def __init__(self, menu: Menu, rng: np.random.Generator, *, same: bool = True) -> None:
        starts = menu.offsets
        pairs = [
            (k, a, b)
            for k in range(2)
            for a in range(starts[k], starts[k + 1])
            for b in range(starts[k], starts[k + 1])
            if same or a != b
        ]
        context, self.first, self.second = np.array(pairs).T
        mass = rng.random(len(pairs)) + 0.1
        self.propensity = mass / np.bincount(context, mass)[context]
        self.share = np.array([0.7, 0.3])[context]
        self.prefers_second = rng.random(len(pairs))
        self.win = dict(zip(zip(self.first, self.second, strict=True), self.prefers_second, strict=True))

    def log(self) -> dict[str, np.ndarray]:
        """Every pair with every answer, as often as in 10,000 comparisons on average."""
        weight = [self.share * self.propensity * p for p in (self.prefers_second, 1 - self.prefers_second)]
        n = self.first.size
        return {
            "option0": np.tile(self.first, 2),
            "option1": np.tile(self.second, 2),
            "y": np.repeat([1, 0], n),
            "log_propensity": np.log(np.tile(self.propensity, 2)),
            "sample_weight": 10_000 * np.concatenate(weight),
        }

    def win_rate(self, policy) -> float:
        """The double sum; an option against itself counts half, both orders count half."""
        p, q = policy.probabilities, policy.menu.reference
        total = 0.0
        for share, (start, end) in zip([0.7, 0.3], [(0, 4), (4, 7)], strict=True):
            for a in range(start, end):
                for b in range(start, end):
                    won = 0.5 if a == b else (self.win[b, a] + 1 - self.win[a, b]) / 2
                    total += share * p[a] * q[b] * won
        return total


@pytest.mark.parametrize("same", [True, False])
def test_unbiased_by_enumeration(menu, policy, rng, same):
    population = Population(menu, rng, same=same)
    rate = logged_win_rate(policy, **population.log())
    assert rate.estimate == pytest.approx(population.win_rate(policy), abs=1e-13)
    assert rate.notes == ()


def test_variance_by_enumeration(menu, policy, rng):
    population = Population(menu, rng)
    log = population.log()
    rate = logged_win_rate(policy, **log, level=0.9)
    p, q, mu = policy.probabilities, menu.reference, np.exp(log["log_propensity"])
    a, b = log["option1"], log["option0"]
    terms = 0.5 + np.where(log["y"] == 1, 1, -1) * (p[a] * q[b] - p[b] * q[a]) / mu / 4
    share = log["sample_weight"] / 10_000
    variance = share @ (terms - share @ terms) ** 2
    assert rate.std_error == pytest.approx(np.sqrt(variance / 9999))
    assert rate.upper - rate.estimate == pytest.approx(student.ppf(0.95, 9999) * rate.std_error)
    w = (p[a] * q[b] + p[b] * q[a]) / mu / 2
    assert rate.n_effective == pytest.approx(10_000 * (share @ w) ** 2 / (share @ w**2))


def test_the_reference_against_itself_is_known_without_data(menu, rng):
    reference = policy_from_scores(rng.normal(size=7), menu, budget=0.0)
    rate = logged_win_rate(reference, **Population(menu, rng).log())
    assert (rate.estimate, rate.std_error) == (0.5, 0.0)


class _Model:
    """A model of comparisons, right or wrong."""

    link_ = LogisticLink()

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores

    def score_options(self, options):
        return self.scores

    def win_probability(self, menu):
        from semiindex.policy.win_probability import win_probabilities

        return win_probabilities(self.scores, menu, self.link_)


def test_doubly_robust(menu, policy, rng):
    """Right with right propensities or a right model, and not without both."""
    scores = rng.normal(size=7)
    population = Population(menu, rng)
    population.prefers_second = LogisticLink().probability(
        scores[population.second] - scores[population.first]
    )
    population.win = dict(
        zip(
            zip(population.first, population.second, strict=True),
            population.prefers_second,
            strict=True,
        )
    )
    truth, log = population.win_rate(policy), population.log()
    right, wrong = _Model(scores), _Model(rng.normal(size=7))
    skewed = log | {"log_propensity": np.tile(np.log(rng.random(25)), 2)}  # 4 * 4 + 3 * 3 pairs
    assert logged_win_rate(policy, **log, model=wrong).estimate == pytest.approx(truth, abs=1e-13)
    assert logged_win_rate(policy, **skewed, model=right).estimate == pytest.approx(truth, abs=1e-13)
    assert abs(logged_win_rate(policy, **skewed, model=wrong).estimate - truth) > 0.01
    plain, robust = logged_win_rate(policy, **log), logged_win_rate(policy, **log, model=right)
    assert robust.std_error < plain.std_error
    assert "doubly robust" in robust.method


def test_wrong_propensities_are_noticed(menu, policy, rng):
    log = Population(menu, rng).log()
    halved = log | {"log_propensity": log["log_propensity"] - np.log(2)}
    (note,) = logged_win_rate(policy, **halved).notes
    assert "the propensities are not those of this log" in note


def test_weights_are_frequencies_and_zeros_are_left_out(menu, policy, rng):
    n = 40
    first, second = rng.integers(4, size=(2, n))
    log_mu = menu.log_reference[first] + menu.log_reference[second]
    y, count = rng.integers(2, size=n), rng.integers(0, 4, size=n)
    weighted = logged_win_rate(policy, first, second, y, log_mu, sample_weight=count)
    rows = np.repeat(np.arange(n), count)
    repeated = logged_win_rate(policy, first[rows], second[rows], y[rows], log_mu[rows])
    for name in ("estimate", "std_error", "lower", "n_effective"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))


def test_raters(menu, policy, rng):
    """Copies of a rater's answers add nothing once it is known that they are one rater's."""
    n = 60
    first, second = rng.integers(4, size=(2, n))
    log_mu, y = menu.log_reference[first] + menu.log_reference[second], rng.integers(2, size=n)
    once = logged_win_rate(policy, first, second, y, log_mu)
    thrice = [np.repeat(values, 3) for values in (first, second, y, log_mu)]
    clustered = logged_win_rate(policy, *thrice, groups=np.repeat(np.arange(n), 3))
    assert clustered.std_error == pytest.approx(once.std_error)
    assert (clustered.lower, clustered.upper) == pytest.approx((once.lower, once.upper))


def test_intervals_cover(rng):
    """On logs drawn anew, plain and doubly robust intervals at 90% cover as a binomial count may."""
    menu = Menu(rng.normal(size=(40, 2)), np.arange(0, 41, 4))
    scores = np.asarray(menu.features) @ [1.0, -0.5]
    policy = policy_from_scores(scores, menu, budget=0.3)
    judge, trained = _Model(scores), rng.normal(size=(300, 2))
    rough = KnownLinkPolicy().fit(trained, rng.random(300) < 1 / (1 + np.exp(-trained @ [0.5, 0.5])))
    truth = policy.expected_reward(judge.win_probability(menu))
    covered, runs = np.zeros(2), 200
    for _ in range(runs):
        first, second = (4 * (np.arange(400) % 10) + rng.integers(4, size=400) for _ in "ab")
        y = rng.random(400) < LogisticLink().probability(scores[second] - scores[first])
        log = policy, first, second, y, np.full(400, -2 * np.log(4))
        for k, model in enumerate([None, rough]):
            rate = logged_win_rate(*log, model=model, level=0.9)
            covered[k] += rate.lower <= truth <= rate.upper
    least, most = binom.ppf([0.0005, 0.9995], runs, 0.9)
    assert (least <= covered).all(), covered
    assert (covered <= most).all(), covered


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"option0": [0, 1, 5]}, "two options of one context"),
        ({"option0": [0, 1]}, "two options of one context"),
        ({"option0": [0, 1, 7]}, "option0 must hold positions among the 7"),
        ({"option1": [0.0, 1.0, 2.0]}, "option1 must hold positions"),
        ({"y": [0, 1, 2]}, "y must hold 0 or 1"),
        ({"log_propensity": [0.1, -1.0, -1.0]}, "finite logarithm of a probability"),
        ({"log_propensity": [-np.inf, -1.0, -1.0]}, "finite logarithm of a probability"),
        ({"log_propensity": [-800.0, -1.0, -1.0]}, "importance weights overflow"),
        ({"sample_weight": [-1.0, 1.0, 1.0]}, "sample_weight must hold 3 numbers"),
        ({"sample_weight": [1.0, 0.0, 0.0]}, "two are needed"),
        ({"groups": [1, 1, 1]}, "two are needed"),
        ({"groups": [1, 2]}, "groups must have one entry"),
    ],
)
def test_logs_that_make_no_sense(menu, policy, change, message):
    log = {"option0": [0, 1, 2], "option1": [1, 2, 0], "y": [0, 1, 1], "log_propensity": [-1.0, -1.0, -1.0]}
    with pytest.raises(InvalidDataError, match=message):
        logged_win_rate(policy, **(log | change))


def test_arguments_without_a_meaning(menu, policy):
    with pytest.raises(InvalidParameterError, match="policy must be a Policy"):
        logged_win_rate(np.ones(7), [0, 1], [1, 0], [0, 1], [-1.0, -1.0])
    with pytest.raises(InvalidParameterError, match="level must lie"):
        logged_win_rate(policy, [0, 1], [1, 0], [0, 1], [-1.0, -1.0], level=0)
