"""The cache of a study: continued, recognised, and repaired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from semiindex import KnownLinkPolicy
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation import (
    AngleError,
    NormalFeatures,
    Truth,
    replication,
)

# Cache ---------------------------------------------------------------------------------------------


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int]]:
    """Cells and replications as they are computed."""
    done: list[tuple[Any, int]] = []
    original = replication._replicate

    def count(task: Any, number: int) -> Any:
        done.append((task.cell.key, number))
        return original(task, number)

    monkeypatch.setattr(replication, "_replicate", count)
    return done


def test_finished_study_is_read_from_its_cache(
    study: Any, numbers: Any, tmp_path: Path, table: pd.DataFrame, computed: list[Any]
) -> None:
    first = study().run(cache=tmp_path / "c")
    assert_frame_equal(numbers(first), table, check_exact=True)
    assert len(computed) == 24
    again = study().run(cache=tmp_path / "c")
    assert len(computed) == 24
    assert_frame_equal(again.frame, first.frame, check_exact=True)  # the times, too
    assert not list((tmp_path / "c").rglob("*.unfinished"))


def test_interrupted_run_is_continued_and_repeats_nothing(
    study: Any,
    numbers: Any,
    tmp_path: Path,
    table: pd.DataFrame,
    computed: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counting = replication._replicate

    def interrupted(task: Any, number: int) -> Any:
        if len(computed) == 11:
            raise KeyboardInterrupt
        return counting(task, number)

    monkeypatch.setattr(replication, "_replicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study().run(cache=tmp_path / "c", block_size=2)
    monkeypatch.setattr(replication, "_replicate", counting)
    (tmp_path / "c" / "parts" / "x.parquetabc.unfinished").write_bytes(b"half a file")
    before = len(computed)
    stored = sum(len(pd.read_parquet(part)) for part in (tmp_path / "c" / "parts").glob("*.parquet")) // 2
    assert 8 <= stored <= before  # all but the block under way
    result = study().run(cache=tmp_path / "c", block_size=3)
    assert len(computed) - before == 24 - stored
    assert_frame_equal(numbers(result), table, check_exact=True)
    assert not list((tmp_path / "c").rglob("*.unfinished"))


def test_study_may_grow(
    study: Any, numbers: Any, tmp_path: Path, table: pd.DataFrame, computed: list[Any]
) -> None:
    small = {"flips": study().truths["flips"]}
    study(truths=small, n=120, replications=2).run(cache=tmp_path / "c")
    assert len(computed) == 4
    result = study().run(cache=tmp_path / "c")
    assert len(computed) == 24
    assert len(set(computed)) == 24
    assert_frame_equal(numbers(result), table, check_exact=True)
    fewer = study(truths=small, n=60, replications=1).run(cache=tmp_path / "c")
    assert len(computed) == 24
    assert len(fewer.frame) == 4


def test_corrupt_file_is_computed_again(
    study: Any, numbers: Any, tmp_path: Path, table: pd.DataFrame, computed: list[Any]
) -> None:
    study().run(cache=tmp_path / "c", block_size=3)
    part = sorted((tmp_path / "c" / "parts").glob("*.parquet"))[3]
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.warns(DataWarning, match="could not be read .* removed"):
        result = study().run(cache=tmp_path / "c")
    assert len(computed) == 27
    assert_frame_equal(numbers(result), table, check_exact=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truths": {"logistic": Truth(link="probit")}}, "truths 'logistic' are defined differently"),
        ({"designs": {"normal": NormalFeatures(4)}}, "designs 'normal' are defined differently"),
        ({"estimators": {"logistic": KnownLinkPolicy(tol=0.1)}}, "estimators differs"),
        ({"metrics": [AngleError()]}, "metrics differs"),
        ({"strength": 0.2}, "settings differs"),
        ({"random_state": 5}, r"random_state differs \(0 there, 5 here\)"),
    ],
)
def test_cache_of_another_study(study: Any, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    study(n=60, replications=1).run(cache=tmp_path / "c")
    with pytest.raises(InvalidParameterError, match=f"{message}.*folder of its own"):
        study(n=60, replications=1, **changes).run(cache=tmp_path / "c")


def test_cache_of_another_version(study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(n=60, replications=1).run(cache=tmp_path / "c")
    monkeypatch.setattr("semiindex.simulation.study.__version__", "99.0")
    with pytest.raises(InvalidParameterError, match=r"package differs .*99.0' here"):
        study(n=60, replications=1).run(cache=tmp_path / "c")


def test_folder_that_is_no_cache(study: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InvalidParameterError, match="not the cache of a study"):
        study().run(cache=tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "study.json").write_text(json.dumps([1]))
    with pytest.raises(InvalidParameterError, match="cannot be read as the definition"):
        study().run(cache=tmp_path / "c")


def test_missing_pyarrow(study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'semiindex\[parquet\]'"):
        study().run(cache=tmp_path / "c")
    assert not (tmp_path / "c").exists()
    study(n=60, replications=1).run()  # without a cache nothing is missing
