"""Bad tables: every fault of a builder's input has its message."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError


@pytest.fixture
def wide():
    return pd.DataFrame(
        {
            "a_x": [1.0, 2, 3],
            "b_x": [3.0, 2, 1],
            "a_z": [1, 1, 0],
            "b_z": [0, 1, 1],
            "y": [0, 1, 1],
            "w": [1.0, 2, 1],
            "who": ["p", "p", "q"],
            "named": ["A", "B", "A"],
            "three": ["A", "B", "tie"],
            "p": [0.1, 0.5, 1.0],
            "k": [1, 2, 0],
            "n": [1, 3, 2],
            "words": ["one", "two", "three"],
            "zero": [0, 0, 0],
        }
    )


@pytest.fixture
def long():
    return pd.DataFrame(
        {
            "id": [1, 1, 2, 2, 3, 3],
            "x": [1.0, 2, 3, 4, 5, 7],
            "taken": [0, 1, 1, 0, 0, 1],
            "who": list("ppqqpp"),
            "place": [2, 1, 1, 2, 2, 1],
            "open": [1] * 6,
        }
    )


SIDES = {"option0": "a_", "option1": "b_"}


def wide_pairs(df, **changes):
    return PreferencePairs.from_wide(df, **SIDES | {"choice": "y"} | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choice": "yy"}, r"choice='yy' is not a column of df: did you mean 'y'\?"),
        (
            {"weight": "qqqq"},
            "weight='qqqq' is not a column of df: the columns are a_x, b_x, a_z, b_z, y, ...",
        ),
        ({"group": "whom"}, r"group='whom' is not a column of df: did you mean 'who'\?"),
        ({"option1": "c_"}, "option1='c_' is the prefix of no column"),
        ({"option0": "q_"}, "option0='q_' is the prefix of no column"),
        ({"affix": "suffix"}, "option0='a_' is the suffix of no column"),
        (
            {"choice": "named"},
            "holds 2 kind.* A, B: name the value that means option 1, for example positive='B'",
        ),
        ({"choice": "three"}, "holds 3 kind.* A, B, tie: name the value of ties with tie_value="),
        ({"choice": "p"}, "or pass probabilities as probability="),
        (
            {"choice": "three", "positive": "B"},
            "must hold two values, positive='B' and one other, but holds A, B, tie",
        ),
        (
            {"choice": "named", "positive": "C"},
            "must hold two values, positive='C' and one other, but holds A, B",
        ),
        (
            {"choice": "three", "positive": "B", "tie_value": "tie", "ties": "error"},
            "1 of 3 comparisons are ties, first in comparison 2: use ties='half'",
        ),
        ({"choice": "zero", "tie_value": 0, "ties": "drop"}, "All comparisons are ties"),
        (
            {"choice": None, "probability": "k"},
            "probability='k' must lie between 0 and 1, but is 2 first in row 1",
        ),
        ({"choice": None, "probability": "words"}, "probability='words' must be numeric"),
        (
            {"choice": None, "wins": "n", "trials": "k"},
            "wins='n' must lie between 0 and trials='k', but is 3",
        ),
        ({"choice": None, "wins": "zero", "trials": "zero"}, "trials='zero' is zero in every row"),
        ({"features": ["x", "u"]}, "features names u, but the options have x, z"),
        ({"features": ["x", "x"]}, "features names a column twice"),
        ({"features": []}, "No feature is left"),
        ({"weight": "zero"}, "weight='zero' are all zero"),
        ({"weight": "words"}, "weight='words' must be numbers"),
    ],
)
def test_wide_tables_with_faults(wide, changes, message):
    with pytest.raises(InvalidDataError, match=message):
        wide_pairs(wide, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choice": None}, r"exactly one kind of answer.*\(given: none\)"),
        ({"probability": "p"}, r"exactly one kind of answer.*\(given: choice=, probability=\)"),
        ({"wins": "k"}, "wins= and trials= belong together"),
        ({"trials": "n"}, "wins= and trials= belong together"),
        ({"option1": "a_"}, "must be two different, non-empty prefixes"),
        ({"option1": ""}, "must be two different, non-empty prefixes"),
        ({"option1": "a"}, "column 'a_x' has both prefixes"),
        ({"affix": "infix"}, "affix must be one of 'prefix', 'suffix', not 'infix'"),
        ({"ties": "maybe"}, "ties must be one of 'half', 'drop', 'error', not 'maybe'"),
        ({"features": ["x"], "formula": "x"}, "features= and formula= exclude each other"),
        ({"features": "x"}, r"not one string: write \['x'\]"),
    ],
)
def test_arguments_of_wide_that_contradict_each_other(wide, changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        wide_pairs(wide, **changes)


def test_one_sided_columns_are_named(wide):
    with pytest.raises(InvalidDataError, match=r"column\(s\) a_only have no partner with option1='b_'"):
        wide_pairs(wide.assign(a_only=1.0))
    with pytest.raises(InvalidDataError, match=r"column\(s\) b_only have no partner with option0='a_'"):
        wide_pairs(wide.assign(b_only=1.0))
    assert wide_pairs(wide.assign(a_only=1.0), features=["x", "z"]).n_features == 2


@pytest.mark.parametrize("column", ["b_x", "y", "who", "w"])
def test_missing_values_name_the_column_and_count_the_rows(wide, column):
    holes = wide.astype({"y": object})
    holes.loc[1:, column] = None
    with pytest.raises(
        InvalidDataError, match=rf"column '{column}' of df is missing in 2 row\(s\), first in row 1"
    ):
        wide_pairs(holes, group="who", weight="w")


def test_negative_weights_name_the_column(wide):
    with pytest.raises(
        InvalidDataError, match=r"weight='w' must be finite and not negative.*\(-1\) first in row 0"
    ):
        wide_pairs(wide.assign(w=[-1, 1, 1]), weight="w")


def test_infinite_features_name_the_feature(wide):
    with pytest.raises(InvalidDataError, match="features1 contains inf in feature 'x', first in row 2"):
        wide_pairs(wide.assign(b_x=[1.0, 2.0, np.inf]))


@pytest.mark.parametrize(
    "build",
    [
        lambda df: PreferencePairs.from_wide(df, **SIDES, choice="y"),
        lambda df: PreferencePairs.from_long(df, comparison="id", chosen="taken"),
        lambda df: PreferencePairs.from_choice_sets(df, set="id", chosen="taken"),
        lambda df: PreferencePairs.from_rankings(df, ranking="id", rank="place"),
        lambda df: PreferencePairs.from_items(df, df, left="l", right="r", winner="w"),
    ],
)
def test_tables_must_be_non_empty_data_frames_without_duplicate_columns(build):
    with pytest.raises(InvalidDataError, match="must be a pandas DataFrame, not dict: wrap it"):
        build({"a_x": [1]})
    with pytest.raises(InvalidDataError, match=r"is empty \(no rows\)"):
        build(pd.DataFrame({"a_x": []}))
    with pytest.raises(InvalidDataError, match="has duplicate column names: u"):
        build(pd.DataFrame([[1, 2]], columns=["u", "u"]))


# Long -----------------------------------------------------------------------------------------------------


def long_pairs(df, **changes):
    return PreferencePairs.from_long(
        df, **{"comparison": "id", "chosen": "taken", "features": ["x"]} | changes
    )


def test_long_comparisons_must_have_two_rows(long):
    with pytest.raises(
        InvalidDataError, match=r"1 of 3 comparisons do not have exactly two rows: 3. Complete"
    ):
        long_pairs(long[:5])
    with pytest.raises(InvalidDataError, match="2 of 2 comparisons do not have exactly two rows: 1, 3"):
        long_pairs(long.assign(id=[1, 1, 1, 1, 3, 1]))


@pytest.mark.parametrize("flag", [0, 1])
def test_long_comparisons_must_have_one_chosen_row(long, flag):
    long.loc[2:3, "taken"] = flag
    with pytest.raises(
        InvalidDataError, match=r"1 of 3 comparisons have both or neither option chosen: 2. Correct"
    ):
        long_pairs(long)


def test_long_flags_and_ids(long):
    with pytest.raises(
        InvalidDataError, match=r"chosen='x' must hold 0/1 or booleans, but holds 1.0, 2.0, 3.0"
    ):
        long_pairs(long, chosen="x")
    with pytest.raises(InvalidDataError, match=r"column 'id' of df is missing in 1 row\(s\)"):
        long_pairs(long.assign(id=[1, 1, 2, 2, 3, None]))
    with pytest.raises(InvalidDataError, match="comparison='idd' is not a column of df: did you mean 'id'"):
        long_pairs(long, comparison="idd")
    with pytest.raises(InvalidDataError, match="1 of 3 comparisons have more than one value of 'who': 2"):
        long_pairs(long.assign(who=list("ppqrpp")), group="who")
    with pytest.raises(
        InvalidDataError, match=r"None of the columns who, place.* differs between the options"
    ):
        PreferencePairs.from_long(
            long.assign(place=1, open=1).drop(columns="x"), comparison="id", chosen="taken"
        )


# Choice sets ------------------------------------------------------------------------------------------------


def sets(df, **changes):
    return PreferencePairs.from_choice_sets(
        df, **{"set": "id", "chosen": "taken", "features": ["x"]} | changes
    )


def test_choice_sets_need_one_chosen_available_alternative(long):
    with pytest.raises(
        InvalidDataError, match=r"1 of 3 choice sets have no chosen alternative: 3. Remove them, or add"
    ):
        sets(long.assign(taken=[0, 1, 1, 0, 0, 0]))
    with pytest.raises(
        InvalidDataError, match=r"2 of 3 choice sets have several chosen alternatives: 1, 3. Split"
    ):
        sets(long.assign(taken=[1, 1, 1, 0, 1, 1]))
    with pytest.raises(
        InvalidDataError, match="1 of 3 choice sets have a chosen alternative that was not available: 1"
    ):
        sets(long.assign(open=[1, 0, 1, 1, 1, 1]), available="open")
    with pytest.raises(InvalidDataError, match="have more than one value of 'who': 2"):
        sets(long.assign(who=list("ppqrpp")), group="who")


def test_choice_sets_with_a_single_alternative(long):
    alone = long.assign(open=[1, 1, 1, 0, 1, 1])
    with pytest.raises(
        InvalidDataError, match=r"1 of 3 choice sets have a single available alternative.*: 2. Remove"
    ):
        sets(alone, available="open")
    with pytest.raises(InvalidDataError, match="All choice sets have a single available alternative"):
        sets(long.assign(open=long["taken"]), available="open", singletons="drop")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"against": "some"}, "against must be one of 'all', 'random'"),
        ({"singletons": "keep"}, "singletons must be one of 'error', 'drop'"),
    ],
)
def test_words_of_choice_sets(long, changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        sets(long, **changes)


# Rankings ---------------------------------------------------------------------------------------------------


def test_rankings_with_faults(long):
    def rank(df, **changes):
        return PreferencePairs.from_rankings(
            df, **{"ranking": "id", "rank": "place", "features": ["x"]} | changes
        )

    with pytest.raises(
        InvalidDataError, match="1 of 3 rankings have a single option and hold no comparison: 3"
    ):
        rank(long[:5])
    with pytest.raises(InvalidDataError, match="rank='who' must be numeric, 1 = best"):
        rank(long, rank="who")
    with pytest.raises(InvalidDataError, match="column 'place' of df is missing in 1 row"):
        rank(long.assign(place=[1, 2, 1, 2, 1, None]))
    with pytest.raises(InvalidDataError, match="3 of 3 comparisons are ties"):
        rank(long.assign(place=1), ties="error")


# Items ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"r": ["q", "s"]}, r"right='r' names 1 item\(s\) not in items: s. Add them"),
        (
            {"best": ["p", "r"]},
            r"winner='best' is neither of the items compared in 1 row\(s\), first 'r' in row 1",
        ),
        ({"best": ["p", "left"]}, "is neither of the items compared .* first 'left' in row 1"),
        ({"best": ["p", None]}, r"column 'best' of comparisons is missing in 1 row\(s\)"),
        ({"l": ["p", None]}, r"column 'l' of comparisons is missing in 1 row\(s\)"),
        (
            {"r": ["p", "q"], "best": ["p", "q"]},
            r"does not say which side won in 2 comparison\(s\) of an item",
        ),
    ],
)
def test_item_comparisons_with_faults(changes, message):
    items = pd.DataFrame({"x": [1.0, 2, 3]}, index=list("pqr"))
    duels = pd.DataFrame({"l": ["p", "q"], "r": ["q", "p"], "best": ["p", "p"]}).assign(**changes)
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs.from_items(items, duels, left="l", right="r", winner="best")


def test_item_tables_with_faults():
    items = pd.DataFrame({"x": [1.0, np.nan], "name": ["p", "p"]})
    duels = pd.DataFrame({"l": [0], "r": [1], "best": [1]})
    columns = {"left": "l", "right": "r", "winner": "best"}
    with pytest.raises(InvalidDataError, match="items has repeated ids: p"):
        PreferencePairs.from_items(items, duels, **columns, item_id="name")
    with pytest.raises(InvalidDataError, match="item_id='nam' is not a column of items"):
        PreferencePairs.from_items(items, duels, **columns, item_id="nam")
    with pytest.raises(
        InvalidDataError, match=r"column 'x' of items is missing in 1 row\(s\), first in row 1"
    ):
        PreferencePairs.from_items(items, duels, **columns, features=["x"])
    with pytest.raises(InvalidParameterError, match="exactly one kind of answer, winner="):
        PreferencePairs.from_items(items, duels, left="l", right="r")


# Chosen and rejected --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "rejected", "keywords", "error", "message"),
    [
        (np.ones((3, 2)), np.ones((2, 2)), {}, InvalidDataError, "chosen has 3 rows and rejected has 2"),
        (np.ones((3, 2)), np.ones((3, 1)), {}, InvalidDataError, "features0 has shape"),
        (np.ones(3), np.ones(3), {}, InvalidDataError, "must be two-dimensional"),
        (pd.DataFrame({"x": [1]}), [[1]], {}, InvalidDataError, "must both be DataFrames, or neither"),
        ([[1]], [[2]], {"formula": "x"}, InvalidParameterError, "features= and formula= need DataFrames"),
        (
            pd.DataFrame({"x": [1], "u": [1]}),
            pd.DataFrame({"x": [1], "v": [1]}),
            {},
            InvalidDataError,
            "stand in only one of chosen and rejected: v, u",
        ),
        (
            pd.DataFrame({"x": [1]}),
            pd.DataFrame({"x": [1, 2]}),
            {},
            InvalidDataError,
            "chosen has 1 rows and rejected has 2: they must match",
        ),
        (
            pd.DataFrame({"x": [1.0]}),
            pd.DataFrame({"x": [np.nan]}),
            {},
            InvalidDataError,
            "column 'x' of rejected is missing",
        ),
        (
            pd.DataFrame({"x": [1]}),
            pd.DataFrame({"x": [1]}),
            {"feature_names": ["z"]},
            InvalidParameterError,
            "feature_names= is for arrays",
        ),
    ],
)
def test_chosen_and_rejected_with_faults(chosen, rejected, keywords, error, message):
    with pytest.raises(error, match=message):
        PreferencePairs.from_chosen_rejected(chosen, rejected, **keywords)
