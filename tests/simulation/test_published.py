"""The published design: its network written out, its distribution, and the reader of recorded data."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link import ShiftedMixtureLink
from semiindex.simulation import (
    ContextualFeatures,
    NormalFeatures,
    TeacherScore,
    TruthSource,
    load_published_data,
    published_design,
    random_teacher,
)


def test_teacher_is_the_network(rng: np.random.Generator) -> None:
    """Against a loop over options that multiplies out one context at a time."""
    features = ContextualFeatures(NormalFeatures(4), 3)
    teacher = random_teacher(features, rng, hidden=(6, 5), nu=7.0)
    options = features.draw(8, 3, rng)
    scores = teacher(options)
    for i in range(8):
        hidden = options[i, 0, :4]
        for weight, bias in teacher.layers[:-1]:
            hidden = np.maximum(hidden @ weight + bias, 0)
        logits = hidden @ teacher.layers[-1][0] + teacher.layers[-1][1]
        np.testing.assert_allclose(scores[i], 7 * (log_softmax(logits) + np.log(3)), rtol=1e-12)
    np.testing.assert_allclose(teacher(options[:, 1]), scores[:, 1])  # options apart from their menus
    assert np.exp(scores / 7).mean(axis=1) == pytest.approx(1)


def test_teachers_initialisation(rng: np.random.Generator) -> None:
    teacher = random_teacher(ContextualFeatures(), rng)
    assert [weight.shape for weight, _ in teacher.layers] == [(20, 32), (32, 32), (32, 10)]
    for weight, bias in teacher.layers:
        bound = 1 / np.sqrt(weight.shape[0])
        values = np.concatenate([weight.ravel(), bias])
        assert np.abs(values).max() <= bound
        assert abs(values.mean()) < 4 * bound / np.sqrt(3 * values.size)
        assert np.mean(values**2) == pytest.approx(bound**2 / 3, rel=4 * 0.9 / np.sqrt(values.size))


def test_teacher_is_the_optimal_policy_at_temperature_nu(rng: np.random.Generator) -> None:
    truths, design = published_design(0.5)
    truth = truths.draw(rng)
    options = design.menus(50, rng)
    teacher = np.exp(truth.score(options) / 10) / 10
    budget = float(np.mean(np.sum(teacher * np.log(10 * teacher), axis=1)))
    policy = truth.policy(options, budget)
    assert policy.temperature == pytest.approx(10, rel=1e-5)
    np.testing.assert_allclose(policy.probabilities, teacher.ravel(), rtol=1e-5)


def test_published_design(rng: np.random.Generator) -> None:
    truths, design = published_design(1.5)
    assert isinstance(truths, TruthSource)
    assert truths.factors == {"shift": 1.5}
    truth = truths.draw(rng)
    sample = design.sample(truth, 5000, rng)
    assert truth.link == ShiftedMixtureLink(1.5, 0.25)
    self_comparisons = np.mean(sample.index == 0)
    assert abs(self_comparisons - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 5000)
    other = truths.draw(rng).score(design.menus(1, np.random.default_rng(0)))
    assert not np.allclose(other, truth.score(design.menus(1, np.random.default_rng(0))))


def test_both_encodings_are_one_truth() -> None:
    draws = []
    for encoding in ("columns", "interactions"):
        truths, design = published_design(1.0, encoding=encoding)  # type: ignore[arg-type]
        rng = np.random.default_rng(3)
        draws.append(design.sample(truths.draw(rng), 200, rng))
    np.testing.assert_allclose(draws[0].index, draws[1].index, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(draws[0].pairs.labels, draws[1].pairs.labels)


@pytest.fixture
def recorded(tmp_path: Path, rng: np.random.Generator) -> Path:
    log_policy = log_softmax(rng.normal(size=(7, 3)), axis=1).astype(np.float32)
    arrays = {
        "x": rng.normal(size=(5, 2)).astype(np.float32),
        "x_eval": rng.normal(size=(7, 2)).astype(np.float32),
        "y0": np.array([0, 1, 2, 0, 1], dtype=np.int8),
        "y1": np.array([1, 1, 0, 2, 2], dtype=np.int8),
        "z_s0.0": np.array([0, 1, 1, 0, 1], dtype=np.int8),
        "z_s1.5": np.array([1, 1, 1, 0, 1], dtype=np.int8),
        "teacher_logp_train": log_policy[:5],
        "teacher_logp_eval": log_policy,
    }
    np.savez(tmp_path / "seed_03.npz", **arrays)
    return tmp_path


def test_reader(recorded: Path) -> None:
    data = pickle.loads(pickle.dumps(load_published_data(recorded, 3)))  # as workers get it
    pairs = data.pairs(1.5)
    np.testing.assert_array_equal(pairs.labels, [1, 1, 1, 0, 1])
    np.testing.assert_array_equal(pairs.differences[:, 2], [1, 0, -2, 2, 1])
    np.testing.assert_array_equal(pairs.differences[:, :2], 0)
    assert data.pairs(0.0, "interactions").shape == (5, 9)
    options = data.evaluation_options()
    assert options.shape == (7, 3, 3)
    np.testing.assert_array_equal(options[:, 1, :2], data.evaluation_contexts)
    np.testing.assert_allclose(np.exp(data.evaluation_rewards / 10).mean(axis=1), 1, rtol=1e-6)
    with pytest.raises(InvalidParameterError, match=r"recorded for shift in \[0.0, 1.5\]"):
        data.pairs(1.0)


def test_reader_says_what_is_missing(recorded: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"seed_04.npz: folder must hold"):
        load_published_data(recorded, 4)
    np.savez(recorded / "seed_05.npz", x=np.zeros(3))
    with pytest.raises(InvalidDataError, match="lacks x_eval, y0"):
        load_published_data(recorded, 5)
    for seed in (1.5, -1, "1"):
        with pytest.raises(InvalidParameterError, match="seed must be"):
            load_published_data(recorded, seed)  # type: ignore[arg-type]


def test_teachers_layers_must_fit() -> None:
    features = ContextualFeatures(NormalFeatures(2), 3)
    with pytest.raises(InvalidParameterError, match=r"after \[2\] came \(4, 3\)"):
        TeacherScore(features, ((np.zeros((4, 3)), np.zeros(3)),))
    with pytest.raises(InvalidParameterError, match="one output for each of the 3 actions"):
        TeacherScore(features, ((np.zeros((2, 4)), np.zeros(4)),))
