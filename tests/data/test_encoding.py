"""Categories and formulas: the same columns for both options, and what cancels is gone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semiindex.data import PreferencePairs
from semiindex.exceptions import DataWarning, InvalidDataError, InvalidParameterError

SIDES = {"option0": "a_", "option1": "b_", "choice": "y"}


def table(a, b, **others):
    return pd.DataFrame({"a_c": a, "b_c": b, "y": [0, 1] * (len(a) // 2) + [0] * (len(a) % 2)} | others)


def test_levels_are_those_of_both_options():
    pairs = PreferencePairs.from_wide(table(list("qp"), list("rq")), **SIDES)
    assert pairs.feature_names == ("c[T.q]", "c[T.r]")
    np.testing.assert_array_equal(pairs.features0, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(pairs.features1, [[0, 1], [1, 0]])


def test_categories_keep_their_order_and_unused_ones_go():
    kind = pd.CategoricalDtype(["small", "never", "large", "huge"], ordered=True)
    a, b = (pd.Series(values, dtype=kind) for values in (["large", "small"], ["huge", "large"]))
    pairs = PreferencePairs.from_wide(table(a, b), **SIDES)
    assert pairs.feature_names == ("c[T.large]", "c[T.huge]")


def test_categories_of_the_two_options_may_differ():
    a, b = pd.Series(["v", "u"], dtype="category"), pd.Series(["w", "v"], dtype="category")
    pairs = PreferencePairs.from_wide(table(a, b), **SIDES)
    assert pairs.feature_names == ("c[T.v]", "c[T.w]")


def test_categories_of_numbers():
    a, b = pd.Series([1990, 1991]).astype("category"), pd.Series([1991, 1992]).astype("category")
    assert PreferencePairs.from_wide(table(a, b), **SIDES).feature_names == ("c[T.1991]", "c[T.1992]")


@pytest.mark.parametrize("dtype", ["int8", "float64", "bool", "Int64", "boolean", "object"])
def test_numbers_and_booleans_stay_one_column(dtype):
    a, b = pd.Series([1, 0]).astype(dtype), pd.Series([0, 0]).astype(dtype)
    pairs = PreferencePairs.from_wide(table(a, b), **SIDES)
    assert pairs.feature_names == ("c",)
    assert pairs.dtype == np.float64
    np.testing.assert_array_equal(pairs.differences, [[-1], [0]])


def test_float32_is_kept_if_all_features_are():
    a, b = (np.array(values, dtype=np.float32) for values in ([1, 2], [3, 4]))
    assert PreferencePairs.from_wide(table(a, b), **SIDES).dtype == np.float32
    mixed = table(a, b, a_d=["u", "v"], b_d=["v", "u"])
    assert PreferencePairs.from_wide(mixed, **SIDES).dtype == np.float64


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (["u", 2], "column 'c' mixes values of types int, str"),
        ([(1,), (2,)], "column 'c' mixes values of types str, tuple"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "column 'c' has dtype"),
        (np.array([1j, 2]), "column 'c' holds complex numbers"),
    ],
)
def test_columns_of_the_wrong_kind(a, message):
    b = a if not isinstance(a, list) else ["u", "v"]
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs.from_wide(table(a, b), **SIDES)


def test_a_category_with_one_level_tells_nothing_apart():
    with pytest.raises(InvalidDataError, match="column 'c' has the single level u"):
        PreferencePairs.from_wide(table(["u", "u"], ["u", "u"]), **SIDES)


def test_many_levels_look_like_an_identifier():
    names = [f"id{i}" for i in range(102)]
    with pytest.raises(
        InvalidDataError, match="column 'c' is text with 102 levels in 204 values, as many as"
    ):
        PreferencePairs.from_wide(table(names, names[::-1]), **SIDES)
    often = names * 5
    with pytest.warns(DataWarning, match="column 'c' has 102 levels and becomes 101 features"):
        PreferencePairs.from_wide(table(often, often[::-1]), **SIDES)


# Formulas -----------------------------------------------------------------------------------------------


@pytest.fixture
def shop(rng):
    n = 8
    return pd.DataFrame(
        {
            "a_price": rng.uniform(1, 9, n),
            "a_brand": list("xyzxyzxy"),
            "a_unit size": rng.uniform(1, 2, n),
            "b_price": rng.uniform(1, 9, n),
            "b_brand": list("yzxzxyzz"),
            "b_unit size": rng.uniform(1, 2, n),
            "income": rng.uniform(1, 3, n),
            "sex": list("fmfmffmm"),
            "y": [0, 1] * 4,
        }
    )


def test_interactions_with_a_shared_column(shop):
    pairs = PreferencePairs.from_wide(shop, **SIDES, formula="price + price:income")
    d = shop["b_price"] - shop["a_price"]
    np.testing.assert_allclose(pairs.differences, np.column_stack([d, d * shop["income"]]))
    assert pairs.feature_names == ("price", "price:income")


def test_shared_terms_cancel_with_a_warning(shop):
    with pytest.warns(
        DataWarning, match=r"cancel in the difference and are left out: income\. Write a:b"
    ) as caught:
        star = PreferencePairs.from_wide(shop, **SIDES, formula="price * income")
    assert caught[0].filename == __file__
    assert star.feature_names == ("price", "price:income")


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("brand", ["brand[T.y]", "brand[T.z]"]),
        ("0 + brand", ["brand[T.y]", "brand[T.z]"]),
        ("brand:income", ["brand[T.y]:income", "brand[T.z]:income"]),
        ("brand + brand:sex", ["brand[T.y]", "brand[T.z]", "brand[T.y]:sex[T.m]", "brand[T.z]:sex[T.m]"]),
        ("C(brand, Treatment('z'))", ["C(brand, Treatment('z'))[T.x]", "C(brand, Treatment('z'))[T.y]"]),
        ("`unit size` + np.log(`unit size`)", ["unit size", "np.log(`unit size`)"]),
        ("poly(price, 2)", ["poly(price, 2)[1]", "poly(price, 2)[2]"]),
    ],
)
def test_differences_of_a_formula_have_full_rank(shop, formula, names):
    pairs = PreferencePairs.from_wide(shop, **SIDES, formula=formula)
    assert list(pairs.feature_names) == names
    assert np.linalg.matrix_rank(pairs.differences) == len(names)


def test_data_dependent_transforms_use_both_options(shop):
    pairs = PreferencePairs.from_wide(shop, **SIDES, formula="center(price)")
    np.testing.assert_allclose(pairs.differences.ravel(), shop["b_price"] - shop["a_price"])


def test_only_the_columns_a_formula_uses_must_be_complete_and_two_sided(shop):
    holes = shop.assign(income=np.nan, a_only=1.0).drop(columns="b_unit size")
    assert PreferencePairs.from_wide(holes, **SIDES, formula="price").n_features == 1
    with pytest.raises(InvalidDataError, match=r"column 'income' of df is missing in 8 row\(s\)"):
        PreferencePairs.from_wide(holes, **SIDES, formula="price:income")
    with pytest.raises(InvalidDataError, match="a_unit size have no partner with option1='b_'"):
        PreferencePairs.from_wide(holes, **SIDES, formula="price + `unit size`")


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("y ~ price", InvalidParameterError, "must be a right-hand side only"),
        ("price +", InvalidParameterError, "could not be read: Operator"),
        (3, InvalidParameterError, "could not be read"),
        ("prize + brand", InvalidDataError, "uses prize, but the columns are price, brand, unit size"),
        ("income", InvalidDataError, "has no term that differs between the options"),
        ("foo(price)", InvalidDataError, "could not be evaluated: Unable to evaluate factor"),
        ("np.log(price - price)", InvalidDataError, "contains -inf in feature"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_formulas_with_faults(shop, formula, error, message):
    with pytest.raises(error, match=message):
        PreferencePairs.from_wide(shop, **SIDES, formula=formula)


def test_a_name_for_two_things_is_ambiguous(shop):
    both = shop.assign(price=1.0)
    with pytest.raises(InvalidDataError, match="uses price, which is a column of the options and also one"):
        PreferencePairs.from_wide(both, **SIDES, formula="price")
    assert PreferencePairs.from_wide(both, **SIDES, features=["price"]).n_features == 1


def test_choice_sets_with_person_by_alternative_interactions():
    trips = pd.DataFrame(
        {
            "trip": np.repeat([1, 2, 3], 3),
            "mode": ["air", "bus", "car"] * 3,
            "cost": [5.0, 2, 3, 6, 1, 3, 7, 2, 4],
            "hinc": np.repeat([1.0, 2, 5], 3),
            "taken": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        }
    )
    pairs = PreferencePairs.from_choice_sets(
        trips, set="trip", chosen="taken", formula="mode + cost + mode:hinc"
    )
    assert pairs.feature_names == (
        "mode[T.bus]",
        "mode[T.car]",
        "cost",
        "mode[T.bus]:hinc",
        "mode[T.car]:hinc",
    )
    with pytest.warns(DataWarning, match="left out: hinc"):
        plain = PreferencePairs.from_choice_sets(trips, set="trip", chosen="taken")
    assert plain.feature_names == ("mode[T.bus]", "mode[T.car]", "cost")


def test_items_formula_with_a_column_of_the_comparison():
    items = pd.DataFrame({"x": [1.0, 2.0, 4.0]}, index=list("pqr"))
    duels = pd.DataFrame({"l": list("pq"), "r": list("qr"), "age": [3.0, 5.0], "best": list("qq")})
    pairs = PreferencePairs.from_items(items, duels, left="l", right="r", winner="best", formula="x + x:age")
    np.testing.assert_array_equal(pairs.differences, [[1.0, 3.0], [2.0, 10.0]])
