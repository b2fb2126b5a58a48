"""Small tables in the three layouts, as files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

N = 240


def make_wide():
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "a_price": rng.uniform(1, 9, N).round(2),
            "a_brand": rng.choice(["oak", "elm", "ash"], N),
            "b_price": rng.uniform(1, 9, N).round(2),
            "b_brand": rng.choice(["oak", "elm", "ash"], N),
            "income": rng.uniform(1, 3, N).round(2),
            "person": np.arange(N) // 4,
            "times": rng.integers(1, 4, N),
            "kind": rng.choice(["new", "old"], N),
        }
    )
    t = (frame["a_price"] - frame["b_price"]) / 2
    t += (frame["b_brand"] == "oak") * 1.0 - (frame["a_brand"] == "oak")
    frame["chose_b"] = (rng.random(N) < 0.1 + 0.8 / (1 + np.exp(-2 * t))).astype(int)
    return frame


def make_long():
    wide = make_wide()
    rows = [
        wide[[f"{side}_price", f"{side}_brand", "person", "income"]]
        .set_axis(["price", "brand", "person", "income"], axis="columns")
        .assign(id=np.arange(N), taken=(wide["chose_b"] == code).astype(int))
        for code, side in enumerate("ab")
    ]
    return pd.concat(rows).sort_values("id", kind="stable").reset_index(drop=True)


def make_choices():
    rng = np.random.default_rng(12)
    trips = 80
    frame = pd.DataFrame(
        {
            "trip": np.repeat(np.arange(trips), 3),
            "mode": np.tile(["car", "bus", "air"], trips),
            "cost": rng.uniform(1, 9, 3 * trips).round(2),
            "open": 1,
        }
    )
    utility = -frame["cost"] / 2 + (frame["mode"] == "car") + rng.gumbel(size=3 * trips)
    frame["taken"] = (utility == utility.groupby(frame["trip"]).transform("max")).astype(int)
    return frame


@pytest.fixture(scope="session")
def wide_table():
    """Makes the table with a row per comparison."""
    return make_wide


@pytest.fixture(scope="session")
def long_table():
    """Makes the table with two rows per comparison."""
    return make_long


@pytest.fixture(scope="session")
def choice_table():
    """Makes the table with a row per alternative."""
    return make_choices


@pytest.fixture
def wide_csv(tmp_path):
    path = tmp_path / "shop.csv"
    make_wide().to_csv(path, index=False)
    return path
