"""Estimators and metrics that misbehave: they become rows with an error, and harm nobody else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator

from semiindex import KnownLinkPolicy
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.simulation import (
    AngleError,
    IndexCorrelation,
    LinkError,
    LogLoss,
    NormalFeatures,
    PolicyError,
    Truth,
)


class Delegating(BaseEstimator):
    """A logistic fit behind methods that subclasses spoil."""

    def fit(self, X: Any, y: Any = None) -> Any:
        self.model_ = KnownLinkPolicy().fit(X, y)
        self.coef_ = self.model_.coef_
        return self

    def score_options(self, options: np.ndarray) -> np.ndarray:
        return self.model_.score_options(options)

    def predict_proba(self, pairs: Any) -> np.ndarray:
        return self.model_.predict_proba(pairs)


class ScalesOptions(Delegating):
    """Scales what it is given in place, as careless code does."""

    def score_options(self, options: np.ndarray) -> np.ndarray:
        options *= 3
        return super().score_options(options)


class ScalesPairs(Delegating):
    def fit(self, X: Any, y: Any = None) -> Any:
        X.features0[...] = 0
        return super().fit(X, y)


class Exits(BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Any:
        sys.exit(3)


class OneMetric:
    """Returns a value, or what a function of model, truth and sample says."""

    def __init__(self, value: Any, name: str = "mine") -> None:
        self.value, self.name = value, name

    def __call__(self, model: Any, truth: Truth, sample: Any) -> Any:
        return self.value(model, truth, sample) if callable(self.value) else self.value


JUDGES = [IndexCorrelation(), LogLoss(), PolicyError((0.1,))]


@pytest.mark.parametrize(
    ("culprit", "message"),
    [
        (
            ScalesOptions(),
            r"metric index_correlation: ValueError: .*read-only.*\(test_hostile_parts.py:\d+\)",
        ),
        (ScalesPairs(), r"ValueError: .*read-only.*\(test_hostile_parts.py:\d+\)"),
        (Exits(), r"SystemExit: 3 \(test_hostile_parts.py:\d+\)"),
    ],
)
def test_an_estimator_cannot_change_what_others_see(study: Any, culprit: Any, message: str) -> None:
    alone = study(n=60, metrics=JUDGES).run().frame
    both = study(n=60, metrics=JUDGES, estimators={"a": culprit, **study().estimators}).run().frame
    assert both.loc[both["estimator"] == "a", "error"].str.match(message).all()
    others = both[both["estimator"] != "a"].reset_index(drop=True)
    assert_frame_equal(others[alone.columns].drop(columns="seconds"), alone.drop(columns="seconds"))


def test_what_metrics_see_is_read_only(study: Any) -> None:
    def writable(model: Any, truth: Truth, sample: Any) -> float:
        evaluation = sample.evaluation
        arrays = [sample.index, sample.probability, evaluation.flat_options, evaluation.index]
        arrays += [
            getattr(evaluation, name) for name in ("options", "scores", "reference", "first", "second")
        ]
        arrays += [
            evaluation.probability,
            evaluation.pairs.features0,
            evaluation.optimal_policy(0.1).probabilities,
        ]
        return float(sum(array.flags.writeable for array in arrays))

    assert (study(n=60, replications=1, metrics=[OneMetric(writable)]).run().frame["mine"] == 0).all()


def test_an_array_that_is_given_stays_writable() -> None:
    """`Evaluation` locks its view of an array, not the array."""
    from semiindex.simulation import Evaluation

    options, scores = np.zeros((2, 3, 1)), np.zeros((2, 3))
    Evaluation(options, scores, scores + 1 / 3, np.zeros(2, int), np.ones(2, int), Truth())
    assert options.flags.writeable
    assert scores.flags.writeable


def raises(model: Any, truth: Truth, sample: Any) -> float:
    sys.exit("out")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "InvalidDataError: a metric must return a number.* got None"),
        ("0.5", "a metric must return a number.* got '0.5'"),
        (np.arange(2.0), "a metric must return a number"),
        ({"a": None}, "a metric must return a number"),
        ({"seconds": 1.0}, "cannot be called 'seconds'"),
        ({"severity": 1.0}, "cannot be called 'severity'"),
        ({"angle": 1.0}, "cannot be called 'angle'"),
        ({3: 1.0}, "cannot be called 3"),
        (raises, r"SystemExit: out \(test_hostile_parts.py:\d+\)"),
    ],
)
def test_a_metric_that_returns_no_column_is_named(study: Any, value: Any, message: str) -> None:
    metrics = [AngleError(), OneMetric(value), IndexCorrelation()]
    frame = study(n=60, replications=1, metrics=metrics).run().frame
    assert frame["error"].str.match(f"metric mine: .*{message}").all()
    assert frame[["angle", "index_correlation"]].notna().all(axis=None)
    assert "mine" not in frame


@pytest.mark.parametrize("value", [True, 3, np.float32(0.5), np.array(0.5), np.nan])
def test_numbers_of_any_kind_are_numbers(study: Any, value: Any) -> None:
    frame = study(n=60, replications=1, metrics=[OneMetric(value)]).run().frame
    assert (frame["error"] == "").all()
    np.testing.assert_array_equal(frame["mine"], float(value))


@pytest.mark.parametrize("name", ["truth", "n", "replication", "estimator", "seconds", "error", "severity"])
def test_metrics_cannot_take_columns_of_the_table(study: Any, name: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"a metric is called '{name}'"):
        study(metrics=[AngleError(name=name)])


def test_two_metrics_of_one_name(study: Any) -> None:
    with pytest.raises(InvalidParameterError, match="two metrics have the name 'link_error'"):
        study(metrics=[LinkError(0.9), AngleError(), LinkError(0.5)])


def test_factors_are_looked_at_before_the_first_fit(study: Any) -> None:
    for factor in ("n", "seconds", "estimator"):
        with pytest.raises(InvalidParameterError, match=rf"\['{factor}'\]; rename"):
            study(truths={"a": Truth(factors={factor: 3})})


class _Counting:
    """A score that changes itself when it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, options: np.ndarray) -> np.ndarray:
        self.calls += 1
        return options[..., 0] - options[..., 1]


def test_objects_that_change_when_called_keep_their_cache(study: Any, tmp_path: Any) -> None:
    score = _Counting()
    changes = {"truths": {"t": Truth(score)}, "metrics": [IndexCorrelation()], "n": 60}
    first = study(**changes).run(cache=tmp_path / "c")
    assert score.calls == 0
    again = study(**changes, replications=4).run(cache=tmp_path / "c").frame
    kept = again[again["replication"] < 3].reset_index(drop=True)
    assert_frame_equal(kept, first.frame, check_exact=True)


class _Uncopied(_Counting):
    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("a connection cannot be copied")


def test_what_cannot_be_copied_is_used_as_it_is(study: Any) -> None:
    score = _Uncopied()
    frame = study(truths={"t": Truth(score)}, metrics=[IndexCorrelation()], n=60).run().frame
    assert (frame["error"] == "").all()
    assert score.calls > 0


def wrong_shape(options: np.ndarray) -> np.ndarray:
    return options


@pytest.mark.parametrize("strength", [0.2, None])
def test_score_of_a_wrong_shape(study: Any, strength: float | None) -> None:
    make: Callable[[], Any] = study(
        truths={"t": Truth(wrong_shape)}, designs={"d": NormalFeatures(3)}, strength=strength
    ).run
    message = r"score must return one number per option, of shape \(\d+, 2\), got \(\d+, 2, 3\)"
    if strength is None:  # nothing is computed of the truth before the replications
        assert make().frame["error"].str.match(f"InvalidDataError: {message}").all()
    else:
        with pytest.raises(InvalidDataError, match=f"truth 't' on design 'd': {message}"):
            make()
