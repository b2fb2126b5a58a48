"""Menus: what they hold, whichever way they are built, and what they refuse."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from semiindex import KnownLinkPolicy, Menu, PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError

FEATURES = np.arange(10.0).reshape(5, 2)


def same(first: Menu, second: Menu) -> None:
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.testing.assert_allclose(first.log_reference, second.log_reference, rtol=1e-14)
    np.testing.assert_array_equal(first.context_labels, second.context_labels)
    np.testing.assert_array_equal(first.option_labels, second.option_labels)
    assert first.feature_names == second.feature_names


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_three_kinds_of_reference_agree(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    logits = rng.normal(size=offsets[-1])
    log_p = np.concatenate([log_softmax(part) for part in np.split(logits, offsets[1:-1])])
    first = Menu(offsets=offsets, reference=np.exp(log_p))
    for other in (
        Menu(offsets=offsets, reference_log_probability=log_p),
        Menu(offsets=offsets, reference_logits=logits),
        Menu(offsets=offsets).with_reference(reference_logits=logits),
    ):
        np.testing.assert_allclose(other.log_reference, first.log_reference, atol=1e-12)
    np.testing.assert_allclose(np.add.reduceat(first.reference, offsets[:-1]), 1, atol=1e-14)


def test_tables_in_any_order_give_the_same_menu() -> None:
    df = pd.DataFrame(FEATURES, columns=["a", "b"]).assign(
        day=[7, 7, 3, 3, 3],
        q=[0.4, 0.6, 0.2, 0.3, 0.5],
        name=["x", "y", "x", "y", "z"],
        w=[2, 2, 5, 5, 5],
    )
    roles = {"context": "day", "reference": "q", "option": "name", "weight": "w"}
    menu = Menu.from_frame(df, **roles)
    same(menu, Menu.from_frame(df.iloc[[0, 2, 1, 3, 4]], **roles))
    same(
        menu,
        Menu(
            df[["a", "b"]],
            [0, 2, 5],
            reference=df.q,
            weights=[2, 5],
            context_labels=[7, 3],
            option_labels=df.name,
        ),
    )
    np.testing.assert_array_equal(menu.weights, [2, 5])
    assert list(Menu.from_frame(df.iloc[::-1], **roles).context_labels) == [3, 7]
    assert Menu.from_frame(df, context="day", features=["b"]).feature_names == ("b",)
    assert Menu.from_frame(df[["day"]], context="day").features is None


def test_arrays_and_flat_features_give_the_same_menu() -> None:
    X = np.arange(12.0).reshape(2, 3, 2)
    flat = Menu(X.reshape(6, 2), [0, 3, 6], reference=[0.2, 0.3, 0.5] * 2)
    same(flat, Menu.from_array(X, reference=[0.2, 0.3, 0.5]))
    same(flat, Menu.from_array(X, reference=[[0.2, 0.3, 0.5]] * 2))
    same(flat, Menu(X.reshape(6, 2), contexts=[0, 0, 0, 1, 1, 1], reference=[0.2, 0.3, 0.5] * 2))
    labelled = Menu.from_array(X, option_labels=["a", "b", "c"])
    assert labelled.option_labels.tolist() == ["a", "b", "c"] * 2


def test_unavailable_options_have_no_reference_mass() -> None:
    X = np.zeros((2, 3, 1))
    available = np.array([[1, 1, 0], [0, 1, 0]])
    assert Menu.from_array(X, available=available).reference.tolist() == [0.5, 0.5, 0, 0, 1, 0]
    logits = Menu.from_array(X, available=available, reference_logits=np.log([0.25, 0.75, 3.0]))
    np.testing.assert_allclose(logits.reference, [0.25, 0.75, 0, 0, 1, 0])
    with pytest.raises(InvalidDataError, match="does not sum to one over the available options: 0, 1"):
        Menu.from_array(X, available=available, reference=[0.2, 0.3, 0.5])
    frame = pd.DataFrame({"k": [0, 0], "a": [1.0, 2.0], "there": [True, False]})
    assert Menu.from_frame(frame, context="k", available="there").reference.tolist() == [1, 0]


def test_another_reference_keeps_what_is_available() -> None:
    menu = Menu(FEATURES, [0, 2, 5], available=[1, 1, 1, 1, 0], weights=[1, 3])
    again = menu.with_reference(reference_logits=np.zeros(5))
    same(again, menu)
    assert again.reference[4] == 0
    assert menu[1].with_reference(reference_logits=[0, 0, 9]).reference.tolist() == [0.5, 0.5, 0]
    with pytest.raises(InvalidDataError, match="does not sum to one over the available options: 1"):
        menu.with_reference(reference=[0.5, 0.5, 0.2, 0.2, 0.6])
    with pytest.raises(InvalidDataError, match="mass of reference on an option that is not available: 1"):
        menu.with_reference(reference=[0.5, 0.5, 0.5, 0.5, 0.5])
    model = KnownLinkPolicy().fit([[1.0, 2.0], [-2.0, 0.5], [0.5, -1.0], [1.0, 1.0]], [1, 0, 1, 0])
    with pytest.raises(InvalidDataError, match="does not sum to one over the available options: 1"):
        model.policy(menu, temperature=1, reference=[0.5, 0.5, 0.2, 0.2, 0.6])


def test_another_reference_is_one_of_three_arguments() -> None:
    menu = Menu(offsets=[0, 2])
    with pytest.raises(TypeError, match="refernce"):
        menu.with_reference(refernce=[0.2, 0.8])
    with pytest.raises(InvalidParameterError, match="exactly one of reference, reference_log_probability"):
        menu.with_reference()
    with pytest.raises(InvalidParameterError, match="were both given"):
        menu.with_reference(reference=[0.2, 0.8], reference_logits=[0.0, 0.0])


def test_features_of_every_kind() -> None:
    sparse = Menu(sp.csr_array(FEATURES), [0, 2, 5])
    np.testing.assert_array_equal(sparse.features.toarray(), FEATURES)
    np.testing.assert_array_equal(sparse[1].features.toarray(), FEATURES[2:])
    assert Menu(FEATURES.astype(np.float32), [0, 5]).features.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        sparse.log_reference[0] = 0


def test_categories_are_encoded_as_in_the_fit() -> None:
    df = pd.DataFrame({"id": [0, 0, 1, 1], "kind": ["a", "b", "c", "a"], "won": [1, 0, 1, 0]})
    pairs = PreferencePairs.from_long(df, comparison="id", chosen="won")
    menu = Menu.from_frame(
        pd.DataFrame({"c": [0, 0, 0], "kind": list("abc")}), context="c", encoder=pairs.encoder
    )
    assert menu.feature_names == pairs.feature_names
    np.testing.assert_array_equal(menu.features, [[0, 0], [1, 0], [0, 1]])


def test_formulas_are_evaluated_as_in_the_fit() -> None:
    df = pd.DataFrame(
        {
            "id": [0, 0, 1, 1],
            "kind": ["a", "b", "b", "a"],
            "price": [1.0, 2.0, 4.0, 3.0],
            "income": [5.0, 5.0, 7.0, 7.0],
            "won": [1, 0, 1, 0],
        }
    )
    pairs = PreferencePairs.from_choice_sets(
        df, set="id", chosen="won", formula="kind + price + price:income"
    )
    menu = Menu.from_frame(df.iloc[:2], context="id", encoder=pairs.encoder)
    assert menu.feature_names == pairs.feature_names
    np.testing.assert_array_equal(menu.features, [[0, 1, 5], [1, 2, 10]])
    np.testing.assert_array_equal(np.abs(pairs.differences[0]), menu.features[1] - menu.features[0])


def test_formulas_with_columns_that_options_share() -> None:
    df = pd.DataFrame({"a_x": [1.0, 2.0], "b_x": [3.0, 5.0], "age": [30.0, 40.0], "b_won": [1, 0]})
    pairs = PreferencePairs.from_wide(df, option0="a_", option1="b_", choice="b_won", formula="x + x:age")
    options = pd.DataFrame({"c": [0, 0], "x": [1.0, 3.0], "age": [30.0, 30.0]})
    menu = Menu.from_frame(options, context="c", encoder=pairs.encoder)
    np.testing.assert_array_equal(menu.features, [[1, 30], [3, 90]])


def test_parts() -> None:
    menu = Menu(FEATURES, [0, 2, 5], reference=[0.4, 0.6, 0.2, 0.3, 0.5], weights=[1, 3])
    second = menu[1]
    assert len(second) == 1
    np.testing.assert_array_equal(second.features, FEATURES[2:])
    np.testing.assert_allclose(second.reference, [0.2, 0.3, 0.5])
    assert second.option_labels.tolist() == [0, 1, 2]
    turned = menu[[1, 0]]
    np.testing.assert_array_equal(turned.features, FEATURES[[2, 3, 4, 0, 1]])
    assert turned.weights.tolist() == [3, 1]
    assert turned.context_labels.tolist() == [1, 0]
    assert len(menu[np.array([True, False])]) == len(menu[:1]) == 1
    with pytest.raises(InvalidDataError, match="selection of contexts is empty"):
        menu[:0]
    same(menu, pickle.loads(pickle.dumps(menu)))


def test_features_are_found_by_name() -> None:
    menu = Menu(pd.DataFrame(FEATURES, columns=["a", "b"]), [0, 5])
    turned = SimpleNamespace(feature_names_in_=np.array(["b", "a"]))
    np.testing.assert_array_equal(menu.select_features(turned), FEATURES[:, ::-1])
    np.testing.assert_array_equal(Menu(FEATURES, [0, 5]).select_features(turned), FEATURES)
    with pytest.raises(InvalidDataError, match="menu has no feature 'c'"):
        menu.select_features(SimpleNamespace(feature_names_in_=np.array(["a", "c"])))
    model = KnownLinkPolicy().fit([[1.0], [-2.0], [0.5]], [1, 0, 0])
    with pytest.raises(InvalidDataError, match="menu has no features"):
        model.policy(Menu(offsets=[0, 2]), temperature=1)


def test_shown() -> None:
    assert repr(Menu(FEATURES, [0, 2, 5])) == "Menu(2 contexts, 2 to 3 options each, 2 features)"
    assert repr(Menu(offsets=[0, 2, 4])) == "Menu(2 contexts, 2 options each, without features)"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, InvalidParameterError, "exactly one of offsets and contexts"),
        ({"offsets": [0, 5], "contexts": [0] * 5}, InvalidParameterError, "exactly one of offsets"),
        ({"offsets": [0, 4]}, InvalidDataError, "features has 5 rows, but the contexts have 4 options"),
        ({"offsets": [0, 3, 3, 5]}, InvalidDataError, "every context needs an option"),
        ({"offsets": [1, 5]}, InvalidDataError, "offsets must begin with 0"),
        ({"offsets": [0.0, 5.0]}, InvalidDataError, "offsets must be integers"),
        ({"contexts": ["a", "b", "a", "b", "b"]}, InvalidDataError, "next to each other"),
        ({"contexts": []}, InvalidDataError, "contexts is empty"),
        (
            {"offsets": [0, 5], "reference": [0.2] * 5, "reference_logits": [0] * 5},
            InvalidParameterError,
            "reference and reference_logits were both given",
        ),
        ({"offsets": [0, 5], "reference": [0.5] * 5}, InvalidDataError, "does not sum to one.*: 0; correct"),
        ({"offsets": [0, 5], "reference": [1.2, -0.2, 0, 0, 0]}, InvalidDataError, "-0.2 first in row 1"),
        (
            {"offsets": [0, 5], "reference": [0.5, 0.5]},
            InvalidDataError,
            "one entry for each of the 5 options",
        ),
        ({"offsets": [0, 5], "reference": list("abcde")}, InvalidDataError, "reference must be numbers"),
        ({"offsets": [0, 5], "reference_logits": [np.nan] * 5}, InvalidDataError, "is nan first in row 0"),
        ({"offsets": [0, 5], "reference_logits": [-np.inf] * 5}, InvalidDataError, "no reference mass"),
        (
            {"offsets": [0, 5], "available": [0] * 5},
            InvalidDataError,
            "no option that is available: 0; leave",
        ),
        ({"offsets": [0, 5], "available": [2] * 5}, InvalidDataError, "available must hold 0/1"),
        ({"offsets": [0, 5], "weights": [-1.0]}, InvalidDataError, "weights must be finite and not negative"),
        ({"offsets": [0, 5], "weights": [1.0, 1.0]}, InvalidDataError, "weights has 2 entries for 1 rows"),
        ({"offsets": [0, 5], "option_labels": [1]}, InvalidDataError, "option_labels has 1 entries"),
        ({"offsets": [0, 5], "feature_names": ["a"]}, InvalidDataError, "feature_names has 1 names"),
    ],
)
def test_what_is_refused(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Menu(FEATURES, **arguments)


def test_what_the_builders_refuse() -> None:
    with pytest.raises(
        InvalidDataError, match=r"X must have shape \(n_contexts, n_options, d\), got \(5, 2\)"
    ):
        Menu.from_array(FEATURES)
    with pytest.raises(InvalidDataError, match=r"reference must have shape \(2, 3\) or \(3,\), got \(2,\)"):
        Menu.from_array(np.zeros((2, 3, 1)), reference=[0.5, 0.5])
    with pytest.raises(InvalidDataError, match=r"option_labels must have shape \(3,\)"):
        Menu.from_array(np.zeros((2, 3, 1)), option_labels=["a"])
    df = pd.DataFrame({"k": [0, 0, 1], "a": [1.0, np.nan, 2.0], "w": [1, 2, 1]})
    with pytest.raises(InvalidDataError, match="column 'a' of df is missing in 1 row"):
        Menu.from_frame(df, context="k")
    with pytest.raises(InvalidDataError, match="context='day' is not a column of df"):
        Menu.from_frame(df, context="day")
    with pytest.raises(InvalidDataError, match="more than one value of 'w'"):
        Menu.from_frame(df.drop(columns="a"), context="k", weight="w")
    with pytest.raises(InvalidParameterError, match="features and encoder were both given"):
        Menu.from_frame(df, context="k", features=["a"], encoder=object())
