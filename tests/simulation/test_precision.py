"""Ratios to a baseline and slopes in n: known values, written-out formulas, and their standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semiindex.exceptions import InvalidParameterError
from semiindex.simulation import StudyResult, convergence_rates, efficiency_ratios


def result(values: Any, n: tuple[int, ...] = (100,)) -> StudyResult:
    """Table of values of shape (sizes, estimators, replications)."""
    account = {"seconds": 0.0, "n_warnings": 0, "n_convergence_warnings": 0, "warnings": "", "error": ""}
    rows = [
        {"truth": "t", "design": "d", "n": n[i], "estimator": "abc"[j], "replication": r, "angle": value}
        | account
        for (i, j, r), value in np.ndenumerate(np.asarray(values, dtype=float))
    ]
    return StudyResult.from_rows(rows, truths=["t"], designs=["d"], estimators=list("abc"), factors={})


def test_ratio_of_multiples_is_exact() -> None:
    base = np.array([1.0, 2.0, 4.0])
    table = efficiency_ratios(result([[base, 3 * base]]), "a", "angle")
    assert table["ratio"].tolist() == [1.0, 3.0]
    np.testing.assert_allclose(table["ratio_se"], 0, atol=1e-15)
    assert table["n_pairs"].tolist() == [3, 3]


def test_error_of_a_ratio_against_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    base = rng.gamma(4, size=400)
    other = base * rng.gamma(9, 0.2, size=400)
    row = efficiency_ratios(result([[base, other]]), "a", "angle").iloc[1]
    draws = rng.integers(400, size=(4000, 400))
    spread = (other[draws].mean(axis=1) / base[draws].mean(axis=1)).std()
    assert row["ratio_se"] == pytest.approx(spread, rel=0.08)  # 4000 draws: 1.1%; 400 values: 3.5%


def test_ratio_leaves_out_replications_that_one_of_the_two_lacks() -> None:
    row = efficiency_ratios(result([[[1, 2, np.nan, 7], [2, 4, 5, np.nan]]]), "a", "angle").iloc[1]
    assert (row["ratio"], row["n_pairs"]) == (2.0, 2)


@pytest.mark.parametrize("values", [[[0, 0], [1, 1]], [[1, 2], [np.inf, 1]], [[np.nan] * 2, [1, 1]]])
def test_ratio_without_a_value(values: Any) -> None:
    assert np.isnan(efficiency_ratios(result([values]), "a", "angle")["ratio"].iloc[1])


def test_slope_of_a_power_law() -> None:
    n = (100, 200, 800)
    values = [[[7 * size**-0.5] * 2, [3.0] * 2] for size in n]
    rates = convergence_rates(result(values, n), "angle")
    np.testing.assert_allclose(rates["slope"], [-0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(rates["slope_se"], 0, atol=1e-12)
    assert rates["n_sizes"].tolist() == [3, 3]


def test_slope_against_polyfit_and_its_error_against_replications() -> None:
    n, rng = (100, 300, 1000), np.random.default_rng(1)
    slopes, errors = [], []
    for _ in range(300):
        values = [[rng.gamma(5, size**-0.5, size=40)] for size in n]
        row = convergence_rates(result(values, n), "angle").iloc[0]
        slopes.append(row["slope"])
        errors.append(row["slope_se"])
    means = np.mean(values, axis=2).ravel()
    assert row["slope"] == pytest.approx(np.polyfit(np.log(n), np.log(means), 1)[0])
    # The standard deviation of 300 draws is known up to 4%: three of its own errors.
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.13)


def test_slope_needs_positive_means_and_two_sizes(study: Any) -> None:
    rates = convergence_rates(result([[[1.0]], [[0.0]]], (100, 200)), "angle")
    assert rates["slope"].isna().all()
    with pytest.raises(InvalidParameterError, match="two sample sizes"):
        convergence_rates(result([[[1.0]]]), "angle")


def test_tables_have_the_factors_of_the_truths(study: Any) -> None:
    ran = study().run()
    for table in (convergence_rates(ran, "angle"), efficiency_ratios(ran, "probit", "angle")):
        assert table.loc[table["truth"] == "flips", "severity"].eq(1.0).all()
    with pytest.raises(InvalidParameterError, match="no metric 'unknown'"):
        convergence_rates(ran, "unknown")
    with pytest.raises(InvalidParameterError, match="baseline must be one of"):
        efficiency_ratios(ran, "unknown", "angle")


def test_cells_are_those_of_the_table(study: Any, table: pd.DataFrame) -> None:
    cells = list(study().run().cells("angle"))
    assert len(cells) == 8
    common, wide = cells[-1]
    assert (common["truth"], common["design"], common["n"], common["severity"]) == (
        "flips",
        "mixed",
        120,
        1.0,
    )
    same = table[(table.truth == "flips") & (table.design == "mixed") & (table.n == 120)]
    assert wide["probit"].tolist() == same.loc[same.estimator == "probit", "angle"].tolist()
