"""Metrics: those of the truth itself, and the definitions written out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy, infer
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation import (
    AngleError,
    CoefficientIntervals,
    ComparisonDesign,
    Coverage,
    IndexCorrelation,
    LinkError,
    LogLoss,
    NormalFeatures,
    NormalizedCoefficients,
    PolicyError,
    Sample,
    Truth,
)
from semiindex.simulation.metrics import rms_coefficients

# Metrics -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged() -> tuple[Truth, Sample]:
    """A truth with a sample and an evaluation."""
    truth = Truth([1.0, -0.5, 0.25], link="probit")
    design = ComparisonDesign(NormalFeatures(3), 5)
    generator = np.random.default_rng(4)
    sample = design.sample(truth, 3000, generator)
    evaluation = design.evaluation(truth, 500, generator)
    return truth, Sample(sample.pairs, sample.index, sample.probability, truth, evaluation)


class Oracle(BaseEstimator):
    """Knows the truth, on another scale and with another constant."""

    def __init__(self, truth: Truth, scale: float = 3.0) -> None:
        self.truth, self.scale = truth, scale
        self.coef_ = scale * np.asarray(truth.coefficients(3))
        self.link_ = truth.link.rescaled(1 / scale)

    def score_options(self, options: np.ndarray) -> np.ndarray:
        return options @ self.coef_ + 5.0

    def predict_proba(self, pairs: Any) -> np.ndarray:
        p = self.link_.probability(pairs.differences @ self.coef_)
        return np.column_stack([1 - p, p])


def test_metrics_of_the_truth_itself(judged: tuple[Truth, Sample]) -> None:
    truth, sample = judged
    oracle = Oracle(truth)
    oracle.index_rms_ = float(np.sqrt(np.mean((3 * sample.index) ** 2)))
    assert AngleError()(oracle, truth, sample) == pytest.approx(0, abs=1e-5)
    assert IndexCorrelation()(oracle, truth, sample) == pytest.approx(1)
    assert LinkError()(oracle, truth, sample) == pytest.approx(0, abs=1e-12)
    losses = LogLoss()(oracle, truth, sample)
    assert losses["excess_log_loss"] == pytest.approx(0, abs=1e-12)
    values = PolicyError((0.05, 0.3))(oracle, truth, sample)
    for budget in ("0.05", "0.3"):
        for name in ("regret", "total_variation", "kl"):
            assert values[f"{name}[{budget}]"] == pytest.approx(0, abs=1e-7)
    assert values["reward[0.3]"] > values["reward[0.05]"] > sample.evaluation.scores.mean()
    assert values["gain_share[0.3]"] == pytest.approx(1)


def test_angle_is_that_of_the_indices(judged: tuple[Truth, Sample], rng: np.random.Generator) -> None:
    truth, sample = judged
    other = Oracle(truth)
    other.coef_ = rng.normal(size=3)
    t, u = sample.index, sample.pairs.differences @ other.coef_
    expected = np.degrees(np.arccos(t @ u / np.sqrt((t @ t) * (u @ u))))
    assert AngleError()(other, truth, sample) == pytest.approx(expected)
    other.coef_ = -truth.coefficients(3)  # type: ignore[operator]
    assert AngleError()(other, truth, sample) == pytest.approx(180)
    other.coef_ = np.zeros(3)
    assert np.isnan(AngleError()(other, truth, sample))


def test_policy_error_against_the_definitions(judged: tuple[Truth, Sample], rng: np.random.Generator) -> None:
    truth, sample = judged
    other = Oracle(truth)
    other.coef_ = other.coef_ + rng.normal(size=3)
    values = PolicyError((0.2,))(other, truth, sample)
    evaluation = sample.evaluation
    assert evaluation is not None
    best = truth.policy(evaluation.options, 0.2).probabilities.reshape(-1, 5)
    p = truth.policy(evaluation.options, 0.2, evaluation.options @ other.coef_).probabilities.reshape(-1, 5)
    assert values["total_variation[0.2]"] == pytest.approx(np.mean(np.abs(p - best).sum(axis=1) / 2))
    assert values["kl[0.2]"] == pytest.approx(np.mean((p * np.log(p / best)).sum(axis=1)))
    regret = truth.regret(evaluation.options @ other.coef_, evaluation.options, 0.2)
    assert values["regret[0.2]"] == pytest.approx(regret)
    assert regret > 0


def test_share_of_the_gain_over_a_reference_that_is_not_uniform() -> None:
    reference = np.array([0.6, 0.2, 0.1, 0.1])
    truth = Truth([1.0, -1.0, 0.5], reference=reference)
    design = ComparisonDesign(NormalFeatures(3), menu_size=4)
    sample = design.sample(truth, 100, np.random.default_rng(0))
    evaluation = design.evaluation(truth, 200, np.random.default_rng(1))
    model = Oracle(truth)
    model.coef_ = np.array([1.0, 1.0, 0.0])
    values = PolicyError((0.2,))(model, truth, replace(sample, evaluation=evaluation))
    best = truth.policy(evaluation.options, 0.2).expected_reward(evaluation.scores.ravel())
    start = np.mean(evaluation.scores @ reference)
    assert values["gain_share[0.2]"] == pytest.approx((values["reward[0.2]"] - start) / (best - start))
    assert abs(start - evaluation.scores.mean()) > 0.01


def test_expected_log_loss_is_the_mean_over_labels(judged: tuple[Truth, Sample]) -> None:
    truth, sample = judged
    model = KnownLinkPolicy().fit(sample.pairs)
    evaluation = sample.evaluation
    assert evaluation is not None
    loss = LogLoss()(model, truth, sample)
    p, q = evaluation.probability, model.predict_proba(evaluation.pairs)[:, 1]
    assert loss["log_loss"] == pytest.approx(np.mean(-p * np.log(q) - (1 - p) * np.log(1 - q)))
    assert 0 < loss["excess_log_loss"] < 0.01


def test_link_error_of_a_wrong_link(judged: tuple[Truth, Sample]) -> None:
    truth, sample = judged
    assert LinkError()(ProfiledLinkPolicy().fit(sample.pairs), truth, sample) < 0.08
    wrong = Oracle(truth)
    wrong.index_rms_ = float(np.sqrt(np.mean((3 * sample.index) ** 2)))
    wrong.link_ = Truth().link.rescaled(0.01)
    assert LinkError()(wrong, truth, sample) > 0.3


def test_central_range_leaves_half_of_the_rest_on_either_side(judged: tuple[Truth, Sample]) -> None:
    """Of a fitted link that is wrong beyond a point the error is 0 until the range reaches that point."""
    truth, sample = judged
    limit = float(np.quantile(np.abs(sample.index), 0.6))

    class WrongBeyond:
        def probability(self, t: np.ndarray) -> np.ndarray:
            return np.where(np.abs(t) < limit, truth.link.probability(t), 0.5)

    model = Oracle(truth, 1.0)
    model.link_, model.index_rms_ = WrongBeyond(), float(np.sqrt(np.mean(sample.index**2)))
    assert LinkError(central=0.55)(model, truth, sample) == 0
    assert LinkError(central=0.65)(model, truth, sample) > 0.1


def test_coverage(judged: tuple[Truth, Sample]) -> None:
    truth, sample = judged
    theta = np.array([1.0, -0.5, 0.25]) / np.sqrt(np.mean(sample.index**2))
    limits = np.column_stack([theta - np.array([0.1, 0.1, -0.1]), theta + np.array([0.1, 0.1, 0.3])])
    values = Coverage(lambda model, s: limits)(None, truth, sample)
    assert values == pytest.approx({"coverage": 2 / 3, "coverage_length": 0.2})
    model = ProfiledLinkPolicy().fit(sample.pairs)
    with_inference = Coverage(lambda m, s: infer(m, s.pairs).intervals)(model, truth, sample)
    assert 0 < with_inference["coverage_length"] < 0.5
    for estimand, normalization in ((rms_coefficients, "norm"), (NormalizedCoefficients("norm"), "rms")):
        foreign = ProfiledLinkPolicy(normalization=normalization).fit(sample.pairs)
        with pytest.raises(InvalidParameterError, match=f"but those of the estimator '{normalization}'"):
            Coverage(CoefficientIntervals(), estimand)(foreign, truth, sample)
        assert Coverage(lambda m, s: limits, lambda t, s: theta)(foreign, truth, sample) == values
    known = KnownLinkPolicy().fit(sample.pairs)
    with pytest.raises(InvalidParameterError, match=r"the scale of its link; give .*normalization='rms'"):
        Coverage(CoefficientIntervals())(known, truth, sample)
    known = KnownLinkPolicy(normalization="norm").fit(sample.pairs)
    matching = Coverage(CoefficientIntervals(), NormalizedCoefficients("norm"))(known, truth, sample)
    assert matching["coverage"] > 0.3
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        Coverage(lambda m, s: limits[:2])(None, truth, sample)


def test_metrics_say_what_they_need(judged: tuple[Truth, Sample]) -> None:
    truth, sample = judged
    with pytest.raises(ValueError, match="no coef_"):
        AngleError()(object(), truth, sample)
    with pytest.raises(ValueError, match="no score_options"):
        IndexCorrelation()(object(), truth, sample)
    with pytest.raises(ValueError, match=r"sample.evaluation, which is None"):
        LogLoss()(object(), truth, Sample(sample.pairs, sample.index, sample.probability, truth))
    with pytest.raises(ValueError, match="score is not linear"):
        AngleError()(Oracle(truth), Truth(np.sum), sample)
    with pytest.raises(InvalidParameterError, match="budgets"):
        PolicyError(())
    with pytest.raises(InvalidParameterError, match="central"):
        LinkError(central=1.0)
