"""Builders say the same thing about the same comparisons, whatever the table looks like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from semiindex.data import PreferencePairs
from semiindex.exceptions import DataWarning

N = 12


def assert_same(left, right, *, assumptions=True):
    np.testing.assert_array_equal(left.features0, right.features0)
    np.testing.assert_array_equal(left.features1, right.features1)
    for name in ("labels", "weights", "groups", "link_groups", "units"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
    assert left.feature_names == right.feature_names
    if assumptions:
        assert left.assumptions == right.assumptions


@pytest.fixture
def wide(rng):
    return pd.DataFrame(
        {
            "a_price": rng.integers(1, 9, N).astype(float),
            "a_brand": rng.choice(["x", "y", "z"], N),
            "b_price": rng.integers(1, 9, N).astype(float),
            "b_brand": rng.choice(["x", "y", "z"], N),
            "chose_b": rng.integers(0, 2, N),
            "w": rng.uniform(0.5, 2, N),
            "person": np.arange(N) // 3,
            "income": np.arange(N) % 5 + 1.0,
        },
        index=np.arange(N)[::-1] + 100,
    )


@pytest.fixture
def long(wide):
    """The same comparisons with two rows each, option 0 first."""
    rows = []
    for k, row in enumerate(wide.to_dict("records")):
        for side, letter in enumerate("ab"):
            rows.append(
                {
                    "id": k,
                    "price": row[f"{letter}_price"],
                    "brand": row[f"{letter}_brand"],
                    "taken": int(row["chose_b"] == side),
                    "w": row["w"],
                    "person": row["person"],
                    "income": row["income"],
                }
            )
    return pd.DataFrame(rows)


WIDE = {"option0": "a_", "option1": "b_", "choice": "chose_b", "weight": "w", "group": "person"}
LONG = {
    "comparison": "id",
    "chosen": "taken",
    "weight": "w",
    "group": "person",
    "features": ["price", "brand"],
}


@pytest.fixture
def expected(wide):
    return PreferencePairs.from_wide(wide, **WIDE)


# Identities between builders ---------------------------------------------------------------------------


def test_wide_gives_the_encoding_done_by_hand(wide, expected):
    for side, letter in ((expected.features0, "a"), (expected.features1, "b")):
        brand = wide[f"{letter}_brand"]
        by_hand = np.column_stack([wide[f"{letter}_price"], brand == "y", brand == "z"])
        np.testing.assert_array_equal(side, by_hand)
    assert expected.feature_names == ("price", "brand[T.y]", "brand[T.z]")
    np.testing.assert_array_equal(expected.labels, wide["chose_b"])
    np.testing.assert_array_equal(expected.weights, wide["w"])
    np.testing.assert_array_equal(expected.groups, wide["person"])
    np.testing.assert_array_equal(expected.units, np.arange(N))
    assert expected.assumptions == ()


def test_long_equals_wide(long, expected):
    assert_same(PreferencePairs.from_long(long, **LONG), expected)


@given(seed=st.integers(0, 2**32 - 1))
def test_shuffled_long_rows_change_order_and_sides_only(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"id": np.repeat(np.arange(6), 2), "x": rng.normal(size=12), "taken": [0, 1] * 6})
    signed = {"comparison": "id", "chosen": "taken"}

    def picture(pairs):
        return sorted((pairs.differences.ravel() * (2 * pairs.labels - 1)).tolist())

    shuffled = PreferencePairs.from_long(table.iloc[rng.permutation(12)], **signed)
    assert picture(shuffled) == picture(PreferencePairs.from_long(table, **signed))


def test_choice_sets_of_two_equal_long(long, expected):
    pairs = PreferencePairs.from_choice_sets(
        long, set="id", chosen="taken", weight="w", group="person", features=["price", "brand"]
    )
    assert_same(pairs, expected)


def test_rankings_of_two_equal_long(long, expected):
    ranked = long.assign(place=2 - long["taken"])
    pairs = PreferencePairs.from_rankings(
        ranked, ranking="id", rank="place", weight="w", group="person", features=["price", "brand"]
    )
    assert_same(pairs, expected)


@pytest.mark.parametrize("by_side", [False, True])
@pytest.mark.parametrize("in_index", [False, True])
def test_items_equal_wide(wide, long, expected, by_side, in_index):
    items = long[["price", "brand"]].assign(item=[f"i{k}" for k in range(2 * N)])
    table = pd.DataFrame({"l": items["item"].to_numpy()[0::2], "r": items["item"].to_numpy()[1::2]})
    chose = wide["chose_b"].to_numpy() == 1
    words = np.where(chose, "right", "left") if by_side else np.where(chose, table["r"], table["l"])
    table = table.assign(best=words, w=wide["w"].to_numpy(), person=wide["person"].to_numpy())
    shuffled = items.sample(frac=1, random_state=3)
    pairs = PreferencePairs.from_items(
        shuffled.set_index("item") if in_index else shuffled,
        table,
        left="l",
        right="r",
        winner="best",
        item_id=None if in_index else "item",
        weight="w",
        group="person",
    )
    assert_same(pairs, expected)


@pytest.mark.parametrize("formula", [None, "price + brand"])
def test_chosen_rejected_is_wide_with_the_chosen_option_second(wide, expected, formula):
    sides = [wide[["a_price", "a_brand"]], wide[["b_price", "b_brand"]]]
    sides = [side.set_axis(["price", "brand"], axis=1).reset_index(drop=True) for side in sides]
    took_b = np.repeat(wide["chose_b"].to_numpy()[:, None] == 1, 2, axis=1)
    chosen, rejected = sides[1].where(took_b, sides[0]), sides[0].where(took_b, sides[1])
    pairs = PreferencePairs.from_chosen_rejected(
        chosen, rejected, weights=wide["w"], groups=wide["person"], formula=formula
    )
    assert_same(pairs, expected.swapped(expected.labels == 0))


@pytest.mark.parametrize("wrap", [np.asarray, sp.csr_array, lambda x: x.tolist()])
def test_chosen_rejected_matrices(wrap, rng):
    chosen, rejected = rng.normal(size=(2, 5, 3))
    pairs = PreferencePairs.from_chosen_rejected(
        wrap(chosen),
        wrap(rejected),
        units=[1, 1, 2, 2, 3],
        link_groups=list("aabbb"),
        feature_names=["a", "c", "b"],
    )
    differences = pairs.differences.toarray() if wrap is sp.csr_array else pairs.differences
    np.testing.assert_array_equal(differences, chosen - rejected)
    assert set(pairs.labels) == {1}
    assert pairs.feature_names == ("a", "c", "b")
    assert pairs.n_units == 3


def test_suffixes_equal_prefixes(wide, expected):
    renamed = wide.rename(columns=lambda c: f"{c[2:]}_{c[0]}" if c[:2] in ("a_", "b_") else c)
    pairs = PreferencePairs.from_wide(renamed, **WIDE | {"option0": "_a", "option1": "_b"}, affix="suffix")
    assert_same(pairs, expected)


def test_a_formula_of_the_columns_equals_no_formula(wide, long, expected):
    assert_same(PreferencePairs.from_wide(wide, **WIDE, formula="price + brand"), expected)
    assert_same(PreferencePairs.from_wide(wide, **WIDE, formula="0 + price + brand"), expected)
    keywords = LONG | {"features": None, "formula": "price + brand"}
    assert_same(PreferencePairs.from_long(long, **keywords), expected)


def test_the_order_of_columns_is_that_of_the_table_or_of_features(wide):
    shuffled = wide[wide.columns[::-1]]
    assert PreferencePairs.from_wide(shuffled, **WIDE).feature_names == ("brand[T.y]", "brand[T.z]", "price")
    pairs = PreferencePairs.from_wide(shuffled, **WIDE, features=["price"])
    assert pairs.feature_names == ("price",)


# Answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert", [lambda c: c.astype(bool), lambda c: c.astype(float), lambda c: c.astype(object)]
)
def test_answers_of_every_two_valued_kind(wide, expected, convert):
    assert_same(PreferencePairs.from_wide(wide.assign(chose_b=convert(wide["chose_b"])), **WIDE), expected)


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_answers_of_two_named_values(wide, expected, dtype):
    named = wide.assign(chose_b=wide["chose_b"].map({0: "A", 1: "B"}).astype(dtype))
    assert_same(PreferencePairs.from_wide(named, **WIDE, positive="B"), expected)
    other = PreferencePairs.from_wide(named, **WIDE, positive="A")
    np.testing.assert_array_equal(other.labels, 1 - expected.labels)


@pytest.mark.parametrize("mark", ["same", float("nan"), pd.NA])
def test_ties_become_two_half_rows_of_one_unit(wide, expected, mark):
    answers = wide["chose_b"].map({0: "A", 1: "B"}).astype(object)
    answers.iloc[[2, 5]] = mark
    keywords = WIDE | {"positive": "B", "tie_value": mark}
    pairs = PreferencePairs.from_wide(wide.assign(chose_b=answers), **keywords)
    tied = np.isin(pairs.units, [2, 5])
    assert (len(pairs), pairs.n_units) == (N + 2, N)
    np.testing.assert_array_equal(pairs.units[tied], [2, 2, 5, 5])
    np.testing.assert_array_equal(pairs.labels[tied], [1, 0, 1, 0])
    np.testing.assert_allclose(pairs.weights[tied], np.repeat(wide["w"].to_numpy()[[2, 5]] / 2, 2))
    assert_same(pairs[~tied], expected[~np.isin(np.arange(N), [2, 5])])
    assert pairs.weights.sum() == pytest.approx(wide["w"].sum())


def test_ties_dropped_on_request_with_a_warning(wide, expected):
    halves = wide.assign(chose_b=wide["chose_b"].astype(float))
    halves.iloc[[0, 3], halves.columns.get_loc("chose_b")] = 0.5
    with pytest.warns(DataWarning, match="2 of 12 comparisons are ties and were dropped") as caught:
        pairs = PreferencePairs.from_wide(halves, **WIDE, tie_value=0.5, ties="drop")
    assert caught[0].filename == __file__
    assert_same(pairs, expected[~np.isin(np.arange(N), [0, 3])])


def test_levels_of_dropped_comparisons_leave_no_column():
    table = pd.DataFrame({"a_c": list("xyx"), "b_c": list("yxz"), "y": [1.0, 0.0, 0.5]})
    with pytest.warns(DataWarning, match="1 of 3"):
        pairs = PreferencePairs.from_wide(
            table, option0="a_", option1="b_", choice="y", tie_value=0.5, ties="drop"
        )
    assert pairs.feature_names == ("c[T.y]",)


def test_counts_equal_soft_labels_times_trials_and_repeated_rows(wide):
    base = {"option0": "a_", "option1": "b_"}
    won, played = np.arange(N) % 4, np.full(N, 3)
    counted = PreferencePairs.from_wide(wide.assign(k=won, n=played), **base, wins="k", trials="n")
    soft = PreferencePairs.from_wide(
        wide.assign(p=won / played, n=played), **base, probability="p", weight="n"
    )
    np.testing.assert_allclose(counted.weights, soft.weights)
    assert_same(counted.replace(weights=None), soft.replace(weights=None))
    assert counted.n_units == N

    single = wide.iloc[np.repeat(np.arange(N), played)].assign(
        y=np.concatenate([[1] * k + [0] * (n - k) for k, n in zip(won, played, strict=True)])
    )
    repeated = PreferencePairs.from_wide(single, **base, choice="y")
    rows = np.repeat(np.arange(len(counted)), counted.weights.astype(int))
    assert_same(counted[rows].replace(weights=None, units=None), repeated.replace(units=None))


def test_sure_soft_labels_equal_answers(wide, expected):
    soft = PreferencePairs.from_wide(
        wide, option0="a_", option1="b_", probability="chose_b", weight="w", group="person"
    )
    assert_same(soft, expected)


def test_rows_without_trials_yield_no_pairs_and_a_warning(wide):
    counts = wide.assign(k=1, n=np.where(np.arange(N) == 4, 0, 2))
    counts.loc[counts["n"] == 0, "k"] = 0
    with pytest.warns(DataWarning, match="1 of 12 rows have trials='n' equal to 0"):
        pairs = PreferencePairs.from_wide(counts, option0="a_", option1="b_", wins="k", trials="n")
    assert 4 not in pairs.units


def test_rows_of_zero_weight_are_kept(wide):
    pairs = PreferencePairs.from_wide(wide.assign(w=np.arange(N)), **WIDE)
    assert pairs.weights[0] == 0
    assert len(pairs) == N


def test_units_and_link_groups_are_read(wide):
    table = wide.assign(visit=np.arange(N) // 2, sex=list("fm") * (N // 2))
    pairs = PreferencePairs.from_wide(table, **WIDE, unit="visit", link_group="sex")
    np.testing.assert_array_equal(pairs.units, np.arange(N) // 2)
    np.testing.assert_array_equal(pairs.link_groups, list("fm") * (N // 2))


def test_long_ties_on_request(long):
    tied = long.assign(taken=np.where(long["id"] == 1, 1, np.where(long["id"] == 4, 0, long["taken"])))
    halves = PreferencePairs.from_long(tied, **LONG, ties="half")
    assert (len(halves), halves.n_units) == (N + 2, N)
    with pytest.warns(DataWarning, match="2 of 12 comparisons are ties"):
        dropped = PreferencePairs.from_long(tied, **LONG, ties="drop")
    assert sorted(set(range(N)) - set(dropped.units)) == [1, 4]


def test_items_tie_and_counts():
    items = pd.DataFrame({"x": [1.0, 2.0]}, index=[10, 20])
    table = pd.DataFrame({"l": [10, 20], "r": [20, 10], "best": [20, "tie"], "k": [2, 1], "n": [3, 1]})
    pairs = PreferencePairs.from_items(items, table, left="l", right="r", winner="best")
    np.testing.assert_array_equal(pairs.labels, [1, 1, 0])
    np.testing.assert_array_equal(pairs.weights, [1.0, 0.5, 0.5])
    counts = PreferencePairs.from_items(items, table, left="l", right="r", wins="k", trials="n")
    np.testing.assert_array_equal(counts.weights, [2.0, 1.0, 1.0])
    np.testing.assert_array_equal(counts.differences.ravel(), [1.0, 1.0, -1.0])


def test_an_item_compared_with_itself_needs_sides():
    items = pd.DataFrame({"x": [1.0, 2.0]}, index=["p", "q"])
    table = pd.DataFrame({"l": ["p", "p"], "r": ["p", "q"], "best": ["right", "left"]})
    pairs = PreferencePairs.from_items(items, table, left="l", right="r", winner="best")
    assert pairs.n_self_comparisons == 1
    np.testing.assert_array_equal(pairs.labels, [1, 0])


# Choice sets and rankings -------------------------------------------------------------------------------


@pytest.fixture
def trips():
    """Three sets of different size; set 2 has an alternative that could not be chosen."""
    return pd.DataFrame(
        {
            "trip": [2, 1, 1, 2, 1, 2, 3, 3],
            "cost": [4.0, 1.0, 2.0, 5.0, 3.5, 6.0, 7.0, 8.0],
            "taken": [0, 0, 1, 1, 0, 0, 1, 0],
            "open": [1, 1, 1, 1, 1, 0, 1, 1],
            "person": [20, 10, 10, 20, 10, 20, 10, 10],
        }
    )


SETS = {"set": "trip", "chosen": "taken", "available": "open", "group": "person"}


def test_chosen_against_all_others_sorted_by_set(trips):
    pairs = PreferencePairs.from_choice_sets(trips, **SETS)
    np.testing.assert_array_equal(pairs.features0.ravel(), [4.0, 1.0, 2.0, 7.0])
    np.testing.assert_array_equal(pairs.features1.ravel(), [5.0, 2.0, 3.5, 8.0])
    np.testing.assert_array_equal(pairs.labels, [1, 1, 0, 0])
    np.testing.assert_array_equal(pairs.units, [0, 1, 1, 2])
    np.testing.assert_array_equal(pairs.groups, [20, 10, 10, 10])
    assert pairs.weights is None


def test_only_sets_of_more_than_two_assume_independence_of_irrelevant_alternatives(trips):
    assert (
        "independence of irrelevant alternatives"
        in PreferencePairs.from_choice_sets(trips, **SETS).assumptions[0]
    )
    two = PreferencePairs.from_choice_sets(trips[trips["trip"] != 1], **SETS)
    assert two.assumptions == ()


def test_one_random_other_is_one_of_all_others(trips):
    everything = PreferencePairs.from_choice_sets(trips, **SETS)
    seen = set()
    for seed in range(20):
        one = PreferencePairs.from_choice_sets(trips, **SETS, against="random", random_state=seed)
        np.testing.assert_array_equal(one.units, [0, 1, 2])
        rows = {(u, *d) for u, d in zip(one.units, one.differences, strict=True)}
        assert rows <= {(u, *d) for u, d in zip(everything.units, everything.differences, strict=True)}
        seen |= rows
        assert one.assumptions == everything.assumptions
    assert len(seen) == len(everything)
    again = [PreferencePairs.from_choice_sets(trips, **SETS, against="random", random_state=4) for _ in "ab"]
    assert_same(*again)


def test_sets_with_one_alternative_are_dropped_on_request(trips):
    alone = trips.assign(open=[1, 1, 1, 1, 1, 0, 1, 0])
    with pytest.warns(DataWarning, match="1 of 3 choice sets have a single available alternative.*: 3"):
        pairs = PreferencePairs.from_choice_sets(alone, **SETS, singletons="drop")
    np.testing.assert_array_equal(pairs.units, [0, 1, 1])


@given(seed=st.integers(0, 2**32 - 1))
def test_rankings_give_every_pair_once_with_the_better_one_preferred(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, size=4)
    table = pd.DataFrame(
        {
            "judge": np.repeat(list("abcd"), sizes),
            "x": rng.permutation(sizes.sum()) * 1.0,
            "row": range(sizes.sum()),
        }
    )
    table["place"] = table.groupby("judge")["x"].rank(ascending=False)
    shuffled = table.sample(frac=1, random_state=seed % 1000)
    pairs = PreferencePairs.from_rankings(shuffled, ranking="judge", rank="place", features=["x"])
    assert len(pairs) == (sizes * (sizes - 1) // 2).sum()
    assert len(np.unique(np.column_stack([pairs.features0, pairs.features1]), axis=0)) == len(pairs)
    np.testing.assert_array_equal(pairs.labels, (pairs.differences.ravel() > 0).astype(int))
    assert (np.diff(pairs.units) >= 0).all()
    assert pairs.n_units == 4


def test_tied_ranks_are_half_rows():
    table = pd.DataFrame({"judge": [1, 1, 1], "x": [1.0, 2.0, 4.0], "place": [1, 1, 3]})
    pairs = PreferencePairs.from_rankings(table, ranking="judge", rank="place")
    np.testing.assert_array_equal(pairs.weights, [0.5, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(pairs.labels, [1, 0, 0, 0])
    assert "all pairs of the ranked options" in pairs.assumptions[0]


def test_columns_of_the_person_are_left_out_with_a_warning(long):
    keywords = LONG | {"features": None}
    with pytest.warns(DataWarning, match="cancel in the difference and are left out: income") as caught:
        pairs = PreferencePairs.from_long(long, **keywords)
    assert caught[0].filename == __file__
    assert pairs.feature_names == ("price", "brand[T.y]", "brand[T.z]")
