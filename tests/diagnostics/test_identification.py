"""What the data determine: exact findings, separation, the graph of options, information, starts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from semiindex import (
    Bootstrap,
    KernelIndex,
    KnownLinkPolicy,
    Menu,
    PreferencePairs,
    ProfiledLinkPolicy,
    identification,
    infer,
    policy_error_interval,
)
from semiindex.diagnostics.comparison_graph import comparison_graph
from semiindex.diagnostics.direction_words import direction_words, relation_words, relations
from semiindex.exceptions import InvalidDataError, InvalidParameterError

quiet = pytest.mark.filterwarnings("ignore::semiindex.exceptions.IdentificationWarning")


@pytest.mark.parametrize("estimator", [ProfiledLinkPolicy(), KnownLinkPolicy(normalization="rms")], ids=repr)
def test_one_free_direction_has_the_error_of_the_table(estimator, rng) -> None:
    """Two features: the angle's standard error is that of the coefficients on the unit circle."""
    X = rng.normal(size=(800, 2)) @ np.array([[1.0, 0.4], [0.0, 0.7]])
    y = (rng.random(800) < expit(2 * X @ [1.0, -0.5])).astype(int)
    model = estimator.fit(X, y)
    result = identification(model, X, y, n_starts=0)
    sigma = X.T @ X / 800
    # A change of theta along the circle theta' Sigma theta = 1 has its length in the metric Sigma.
    covariance = infer(model, X, y).covariance
    expected = np.degrees(np.sqrt(np.trace(sigma @ covariance)))
    # Weights of a known link are those of a spline fit here.
    rel = 0.05 if result.information.link_known else 0.01
    assert result.information.errors == pytest.approx([expected], rel=rel)
    assert result.information.shares[0] > 0.9  # elliptical: the link costs nothing but noise
    assert result.level == "fine"
    assert result.spread is None


def test_clusters_enter_the_errors(rng) -> None:
    X = np.repeat(rng.normal(size=(150, 3)), 4, axis=0)
    y = np.repeat(rng.random(150) < expit(X[::4] @ [1.0, -0.5, 0.5]), 4).astype(int)
    model = ProfiledLinkPolicy().fit(X, y)
    alone = identification(model, X, y, n_starts=0)
    together = identification(model, X, y, groups=np.arange(600) // 4, n_starts=0)
    np.testing.assert_allclose(together.information.errors, 2 * alone.information.errors, rtol=1e-6)


@quiet
def test_exact_findings_by_name(rng) -> None:
    X = rng.normal(size=(300, 4))
    X[:, 2], X[:, 3] = X[:, 0] - 2 * X[:, 1], 0
    y = (rng.random(300) < expit(X[:, 0])).astype(int)
    pairs = PreferencePairs(np.zeros_like(X), X, y, feature_names=["a", "b", "c", "age"])
    result = identification(ProfiledLinkPolicy().fit(pairs), pairs)
    assert result.without_variation == ("age",)
    assert result.relations == ("b = 0.5 a - 0.5 c",)
    assert result.level == "note"
    frame = result.to_frame()
    assert frame.kind.tolist() == ["no variation", "collinear", "information"]
    assert "drop a feature of each relation" in result.reading()


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SeparationWarning")
def test_separation_names_its_direction(antisymmetric, rng) -> None:
    X = rng.normal(size=(40, 2))
    y = (X @ [1.0, -0.5] + (0.0 if antisymmetric else 0.5) > 0).astype(int)
    result = identification(KnownLinkPolicy(antisymmetric=antisymmetric).fit(X, y), X, y)
    assert result.separation == "complete"
    assert result.separating.startswith("x0 ")
    assert ("position" in result.separating) is not antisymmetric
    assert result.information is None
    assert "orders every comparison rightly" in result.reading()


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SeparationWarning")
def test_a_feature_that_always_wins(rng) -> None:
    X = rng.normal(size=(200, 2))
    X[:, 1] = np.where(rng.random(200) < 0.2, np.abs(X[:, 1]), 0.0)
    y = np.where(X[:, 1] > 0, 1, rng.random(200) < expit(X[:, 0])).astype(int)
    result = identification(KnownLinkPolicy().fit(X, y), X, y)
    assert (result.separation, result.separating) == ("quasi-complete", "x1")


def test_discrete_features_leave_no_information(rng) -> None:
    X = rng.integers(-1, 2, (400, 3)).astype(float)
    y = (rng.random(400) < expit(X @ [1.0, -0.5, 0.2])).astype(int)
    result = identification(ProfiledLinkPolicy().fit(X, y), X, y)
    assert result.information.shares.min() < 1e-6
    assert np.isinf(result.worst_error)
    assert result.level == "warning"
    assert "smoothness of the link" in result.reading()
    known = identification(KnownLinkPolicy().fit(X, y), X, y)
    assert known.information.shares.min() < 1e-6
    assert (known.level, known.worst_error < 15) == ("fine", True)
    assert "0% of the information would be left" in known.reading()


def test_graph_of_items_against_a_walk_by_hand() -> None:
    items = np.arange(7.0)[:, None]
    first, second = np.array([0, 1, 3, 3, 4, 5]), np.array([1, 2, 4, 5, 5, 5])
    pairs = PreferencePairs(items[first], items[second], np.ones(6, dtype=int))
    graph = comparison_graph(pairs)  # {0, 1, 2} and {3, 4, 5}; 6 is never compared, 5 with itself once
    assert (graph.n_options, graph.n_parts, graph.n_appearances) == (6, 2, 10)
    assert graph.largest_share == 0.5
    assert not graph.is_split


def ballots(rng: np.random.Generator) -> PreferencePairs:
    """Rankings of options that stand in one ranking each."""
    frame = pd.DataFrame({"list": np.repeat(np.arange(60), 5), "place": np.tile(np.arange(1, 6), 60)})
    frame["price"], frame["size"] = rng.normal(size=(2, 300))
    return PreferencePairs.from_rankings(frame, ranking="list", rank="place")


def test_options_of_one_unit_do_not_recur(rng) -> None:
    """Two rows of a soft label, win counts and all pairs of a ranking are one occasion each."""
    first, second = rng.normal(size=(2, 50, 2))
    soft = PreferencePairs(
        np.vstack([first, first]),
        np.vstack([second, second]),
        np.repeat([1, 0], 50),
        weights=np.repeat([0.7, 0.3], 50),
        units=np.tile(np.arange(50), 2),
    )
    for pairs, n_parts in ((soft, 50), (ballots(rng), 60)):
        graph = comparison_graph(pairs)
        assert (graph.n_parts, graph.repeats) == (n_parts, 1.0)
        assert not graph.is_split
    again = PreferencePairs.concatenate([ballots(rng)] * 2)  # the same options on two occasions
    assert comparison_graph(again).repeats == 2.0


@quiet
def test_indicators_of_all_items_are_a_note(rng) -> None:
    """Bradley-Terry: a constant is open, which moves no score, unless the menu offers another item."""
    items = np.eye(6)
    codes = np.array([rng.permutation(5)[:2] for _ in range(400)])  # the sixth item is never compared
    first, second = items[codes[:, 0]], items[codes[:, 1]]
    worth = np.array([1.0, 0.5, 0.0, -0.5, -1.0, 0.0])
    y = (rng.random(400) < expit((second - first) @ worth)).astype(int)
    pairs = PreferencePairs(first[:, :5], second[:, :5], y, feature_names=list("abcde"))
    model = KnownLinkPolicy().fit(pairs)
    five = Menu.from_array(np.eye(5)[None])
    result = identification(model, pairs, menu=five, n_starts=0)
    assert len(result.relations) == 1
    assert (result.undetermined_in_menu, result.level) == ((), "note")
    error = policy_error_interval(model, pairs, five, budget=0.1, bootstrap=Bootstrap(n_draws=19))
    dropped = PreferencePairs(first[:, 1:5], second[:, 1:5], y)
    other = policy_error_interval(
        KnownLinkPolicy().fit(dropped),
        dropped,
        Menu.from_array(np.eye(5)[None, :, 1:]),
        budget=0.1,
        bootstrap=Bootstrap(n_draws=19),
    )
    np.testing.assert_allclose(error.draws, other.draws, rtol=0.02, atol=1e-6)

    wide = PreferencePairs(first, second, y, feature_names=list("abcdef"))
    model = KnownLinkPolicy().fit(wide)
    assert identification(model, wide, n_starts=0).level == "note"
    six = Menu.from_array(np.eye(6)[None])
    result = identification(model, wide, menu=six, n_starts=0)
    assert result.level == "warning"
    assert "f" in result.undetermined_in_menu
    assert "Options of the menu differ in" in result.reading()
    with pytest.raises(InvalidDataError, match=r"'f'.* as no two compared options did"):
        policy_error_interval(model, wide, six, budget=0.1)
    reference = np.append(np.full(5, 0.2), 0.0)  # a policy never takes it
    without = Menu(np.eye(6), [0, 6], reference=reference)
    assert identification(model, wide, menu=without, n_starts=0).undetermined_in_menu == ()


def test_parts_that_no_comparison_connects(rng) -> None:
    items = rng.normal(size=(20, 2))
    left = rng.integers(0, 10, (300, 2))
    codes = left + 10 * (rng.random(300) < 0.5)[:, None]
    codes = codes[codes[:, 0] != codes[:, 1]]
    first, second = items[codes[:, 0]], items[codes[:, 1]]
    y = (rng.random(len(codes)) < expit((second - first) @ [1.0, -1.0])).astype(int)
    pairs = PreferencePairs(first, second, y)
    result = identification(ProfiledLinkPolicy().fit(pairs), pairs)
    assert result.graph.is_split
    assert "The 20 options fall into 2 parts" in result.reading()


def test_starts_agree_on_a_clear_sample(rng) -> None:
    X = rng.normal(size=(2000, 3))
    y = (rng.random(2000) < expit(3 * X @ [1.0, -0.5, 0.2])).astype(int)
    spread = identification(ProfiledLinkPolicy().fit(X, y), X, y, n_starts=3).spread
    assert (spread.n_starts, spread.gain) == (3, pytest.approx(0, abs=0.05))
    assert spread.angle < 1
    assert not spread.is_ambiguous


def test_what_has_no_directions_is_refused(rng) -> None:
    X = rng.normal(size=(60, 2))
    y = (rng.random(60) < expit(X[:, 0])).astype(int)
    kernel = KnownLinkPolicy(index=KernelIndex(), ridge=1.0).fit(X, y)
    with pytest.raises(InvalidParameterError, match="directions of coefficients are those of a linear index"):
        identification(kernel, X, y)
    for n_starts in (-1, 2.5, "5"):
        with pytest.raises(InvalidParameterError, match="n_starts must be"):
            identification(KnownLinkPolicy().fit(X, y), X, y, n_starts=n_starts)
    with pytest.raises(InvalidParameterError, match="of a pipeline pass the last step"):
        identification("model", X, y)


def test_words_of_directions_and_relations() -> None:
    assert direction_words(np.array([0.0, 0.0]), ["a", "b"]) == "nothing"
    assert direction_words(np.array([-1.0, 0.5, 0.05]), ["a", "b", "c"]) == "a - 0.5 b"
    many = direction_words(np.ones(7), list("abcdefg"))
    assert many == "a + b + c + d + e and 2 more"
    null = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [-1.0, 0.0]])
    found = relations(null)
    assert np.linalg.matrix_rank(np.vstack([found, null.T])) == 2
    assert relation_words(np.array([1.0, -2.0, 1.0]), ["a", "b", "c"]) == "a = 2 b - c"
    long = relation_words(np.ones(9), list("abcdefghi"))
    assert long == "a = -b - c - d - e - f and 3 more terms"
