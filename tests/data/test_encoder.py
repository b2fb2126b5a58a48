"""New tables become features exactly as the table of the fit did, also by way of JSON."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from semiindex.data import PreferencePairs
from semiindex.data.encoding import OptionEncoder
from semiindex.exceptions import InvalidDataError

SIDES = {"option0": "a_", "option1": "b_", "choice": "y"}


@pytest.fixture
def shop(rng):
    n = 20
    return pd.DataFrame(
        {
            "a_price": rng.uniform(1, 9, n),
            "b_price": rng.uniform(1, 9, n),
            "a_stars": rng.integers(1, 4, n),
            "b_stars": rng.integers(1, 4, n),
            "a_brand": rng.choice(["x", "y", "z"], n),
            "b_brand": rng.choice(["x", "y", "z"], n),
            "income": rng.uniform(1, 3, n),
            "y": rng.integers(0, 2, n),
        }
    )


def sides_of(frame, rows=slice(None)):
    part = frame.iloc[rows]
    options = [
        part[[f"{side}_{name}" for name in ("price", "stars", "brand")]].set_axis(
            ["price", "stars", "brand"], axis="columns"
        )
        for side in "ab"
    ]
    return *options, part[["income"]]


def through_json(encoder):
    return OptionEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))


FORMULAS = [
    None,
    "price + brand + price:income",
    "center(price) + scale(price) + C(stars) + brand:income",
    "poly(price, 2) + C(brand, contr.sum)",
    "bs(price, df=4) + np.log(price):income",
    "C(brand, contr.treatment('z')) + stars*income",
]


@pytest.mark.filterwarnings("ignore:In formula")
@pytest.mark.parametrize("formula", FORMULAS)
def test_few_rows_are_encoded_as_they_were_among_many(shop, formula):
    pairs = PreferencePairs.from_wide(shop, **SIDES, formula=formula)
    for encoder in (pairs.encoder, through_json(pairs.encoder)):
        options0, options1, context = sides_of(shop, slice(3, 5))
        new = encoder.transform(options0, options1, context)
        assert new.names == pairs.feature_names
        np.testing.assert_array_equal(new.features0, pairs.features0[3:5])
        np.testing.assert_array_equal(new.features1, pairs.features1[3:5])


@pytest.mark.parametrize("formula", [None, "price + stars + brand", "C(stars)", "brand:price"])
def test_levels_that_did_not_occur(shop, formula):
    encoder = through_json(PreferencePairs.from_wide(shop, **SIDES, formula=formula).encoder)
    options0, options1, context = sides_of(shop)
    with pytest.raises(InvalidDataError, match=r"w|9"):
        encoder.transform(options0.assign(brand="w", stars=9), options1, context)


def test_the_error_for_a_new_level_names_column_and_levels(shop):
    encoder = PreferencePairs.from_wide(shop, **SIDES).encoder
    options0, options1, _ = sides_of(shop)
    with pytest.raises(InvalidDataError, match=r"'brand' holds w, which did not occur .* levels are x, y, z"):
        encoder.transform(options0, options1.assign(brand=["w"] + ["x"] * 19))


@pytest.mark.parametrize("formula", [None, "price + brand"])
def test_text_where_there_were_numbers(shop, formula):
    encoder = PreferencePairs.from_wide(shop, **SIDES, formula=formula).encoder
    options0, options1, _ = sides_of(shop)
    with pytest.raises(InvalidDataError, match="'price' must hold numbers, as it did when"):
        encoder.transform(options0, options1.assign(price="cheap"))


def test_the_shared_columns_of_a_formula_are_asked_for(shop):
    encoder = PreferencePairs.from_wide(shop, **SIDES, formula="price:income").encoder
    assert [code.name for code in encoder.context] == ["income"]
    with pytest.raises(InvalidDataError, match="context must have the column 'income'"):
        encoder.transform(*sides_of(shop)[:2])


def test_a_state_that_json_does_not_know(shop):
    kinds = pd.to_datetime(["2020-01-01", "2021-01-01"] * 10).astype("category")
    shop = shop.assign(a_year=kinds, b_year=kinds[::-1])
    encoder = PreferencePairs.from_wide(shop, **SIDES, features=["price", "year"]).encoder
    with pytest.raises(InvalidDataError, match="column 'year' has levels of type Timestamp"):
        encoder.to_dict()


def test_numbers_from_the_start_have_no_encoder():
    assert PreferencePairs([[1.0]], [[2.0]], [1]).encoder is None


def test_the_encoder_stays_with_the_pairs(shop):
    pairs = PreferencePairs.from_wide(shop, **SIDES)
    for other in (
        pairs[:3],
        pairs.swapped(),
        pairs.with_labels(1 - pairs.labels),
        pairs.replace(groups=np.arange(20)),
        PreferencePairs.concatenate([pairs, pairs]),
    ):
        assert other.encoder is pairs.encoder
    assert pickle.loads(pickle.dumps(pairs)).encoder.names == pairs.encoder.names


def test_parts_encoded_apart_have_no_common_encoder(shop):
    parts = [PreferencePairs.from_wide(shop, **SIDES) for _ in range(2)]
    assert PreferencePairs.concatenate(parts).encoder is None
