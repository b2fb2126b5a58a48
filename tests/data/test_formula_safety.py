"""Formulas from files: arithmetic and known functions are evaluated, all else is refused unread."""

from __future__ import annotations

import ast
import json

import numpy as np
import pandas as pd
import pytest

from semiindex import PreferencePairs
from semiindex.data.encoding import OptionEncoder
from semiindex.data.formula_safety import forbidden_part
from semiindex.exceptions import InvalidDataError

FRAME = pd.DataFrame(
    {
        "a_price": [1.0, 2.5, 3.0, 2.0],
        "b_price": [2.0, 1.0, 1.5, 4.0],
        "a_kind": ["x", "y", "z", "x"],
        "b_kind": ["y", "z", "x", "z"],
        "b_unit price": [3.0, 1.0, 2.0, 1.0],
        "a_unit price": [1.0, 1.5, 2.5, 2.0],
        "chose_b": [1, 0, 1, 0],
    }
)
SIDES = {"option0": "a_", "option1": "b_", "choice": "chose_b"}

ALLOWED = [
    "price + kind",
    "price:kind",
    "np.log(price)",
    "np.maximum(price, 2) + np.clip(price, 1.5, 2.5)",
    "np.where(price > 2, np.pi, -price)",
    "log(price) + exp(-price)",
    "center(`unit price`) + scale(price)",
    "bs(price, df=4)",
    "poly(price, 2)",
    "C(kind, contr.treatment('y')) + I(price**2)",
    "C(kind, contr.sum)",
    "{price * 2}",
    "np.log1p(price) / np.sqrt(price + 1)",
]
ATTACKS = [
    "price + {__import__('os').system('touch SEEN')}",
    "price + {open('SEEN', 'w').write('x')}",
    "price + {eval('1')}",
    "price + np.log(__import__('os').system('touch SEEN'))",
    "price + np.lib.npyio.DataSource('SEEN')",
    "price + np.save('SEEN', price)",
    "price + np.vectorize(open)('SEEN')",
    "price + np.frompyfunc(open, 1, 1)(price)",
    "price + {().__class__.__base__.__subclasses__()[0]}",
    "price + {[open(x, 'w') for x in ['SEEN']][0]}",
    "price + {(lambda: open('SEEN', 'w'))()}",
    "price + hashed(price, levels=2, hash_func=eval)",
    "price + price.apply(print)",
    "price + price.map(eval)",
    "price + {contr.treatment.__init__.__globals__}",
    "price + contr.__class__(price)",
    "price + np.log(*[price])",
    "price + {(x := price)}",
]


def through_json(encoder: OptionEncoder) -> OptionEncoder:
    return OptionEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))


@pytest.mark.parametrize("formula", ALLOWED)
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.DataWarning")
def test_arithmetic_and_known_functions_come_back(formula) -> None:
    pairs = PreferencePairs.from_wide(FRAME, **SIDES, formula=formula)
    sides = [
        FRAME[[f"{side}_{name}" for name in ("price", "kind", "unit price")]].set_axis(
            ["price", "kind", "unit price"], axis="columns"
        )
        for side in "ab"
    ]
    again = through_json(pairs.encoder).transform(*sides)
    np.testing.assert_allclose(again.features0, pairs.features0, atol=1e-13)
    np.testing.assert_allclose(again.features1, pairs.features1, atol=1e-13)


@pytest.mark.parametrize("formula", ATTACKS)
def test_everything_else_is_refused_before_it_is_evaluated(formula, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = PreferencePairs.from_wide(FRAME, **SIDES, formula="price").encoder.to_dict()
    state["formula"]["formula"] = formula
    with pytest.raises(InvalidDataError, match="and model files hold arithmetic"):
        OptionEncoder.from_dict(state)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expression", ["f'{price}'", "price[0]", "price if time else 0", "(lambda: 1)()"])
def test_other_expressions(expression) -> None:
    assert forbidden_part(ast.parse(f"np.log({expression})", mode="eval")) == expression


def test_what_could_not_be_read_is_not_written() -> None:
    pairs = PreferencePairs.from_wide(FRAME, **SIDES, formula="price.clip(2)")
    with pytest.raises(InvalidDataError, match=r"contains price.clip\(2\), .* compute that column"):
        pairs.encoder.to_dict()


def test_a_method_of_a_column_reads_the_column() -> None:
    pairs = PreferencePairs.from_wide(FRAME, **SIDES, formula="price.clip(2)")
    np.testing.assert_array_equal(pairs.features0[:, 0], FRAME["a_price"].clip(2))
