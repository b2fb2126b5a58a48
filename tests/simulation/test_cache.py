"""The cache of a study: continued, recognised, and repaired."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from semiindex import KnownLinkPolicy
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation import (
    AngleError,
    IndexCorrelation,
    LinkError,
    LogLoss,
    NormalFeatures,
    Truth,
    replication,
)
from semiindex.simulation.cache import write_atomically

# Cache ---------------------------------------------------------------------------------------------


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Cells, replications and estimators as they are computed."""
    done: list[tuple[Any, ...]] = []
    original = replication._replicate

    def count(task: Any, block: Any, number: int) -> Any:
        done.append((task.cell.key, number, *block.estimators))
        return original(task, block, number)

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

    def interrupted(task: Any, block: Any, number: int) -> Any:
        if len(computed) == 11:
            raise KeyboardInterrupt
        return counting(task, block, number)

    monkeypatch.setattr(replication, "_replicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study().run(cache=tmp_path / "c", block_size=2)
    monkeypatch.setattr(replication, "_replicate", counting)
    abandoned, fresh = (tmp_path / "c" / "parts" / f"{name}.parquet.ab.unfinished" for name in "xy")
    for path in (abandoned, fresh):
        path.write_bytes(b"half a file")
    os.utime(abandoned, (time.time() - 7200,) * 2)
    before = len(computed)
    stored = sum(len(pd.read_parquet(part)) for part in (tmp_path / "c" / "parts").glob("*.parquet")) // 2
    assert 8 <= stored <= before  # all but the block under way
    result = study().run(cache=tmp_path / "c", block_size=3)
    assert len(computed) - before == 24 - stored
    assert_frame_equal(numbers(result), table, check_exact=True)
    assert list((tmp_path / "c").rglob("*.unfinished")) == [fresh]  # which another run may be writing


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


def test_estimators_may_come_and_go(
    study: Any, numbers: Any, tmp_path: Path, table: pd.DataFrame, computed: list[Any]
) -> None:
    """Only fits that are missing are done, and no row of an estimator appears that the study has not."""
    logistic, probit = (study().estimators[name] for name in ("logistic", "probit"))
    study(estimators={"logistic": logistic}).run(cache=tmp_path / "c", block_size=2)
    assert {entry[2:] for entry in computed} == {("logistic",)}
    computed.clear()
    result = study().run(cache=tmp_path / "c")
    assert {entry[2:] for entry in computed} == {("probit",)}
    assert len(computed) == 24
    assert_frame_equal(numbers(result), table, check_exact=True)
    computed.clear()
    fewer = study(estimators={"probit": probit}).run(cache=tmp_path / "c")
    assert not computed
    expected = table[table["estimator"] == "probit"].reset_index(drop=True)
    assert_frame_equal(numbers(fewer), expected, check_exact=True)
    with pytest.raises(InvalidParameterError, match=r"estimators 'logistic' are defined .*--overwrite"):
        study(estimators={"logistic": probit}).run(cache=tmp_path / "c")


class Licensed(KnownLinkPolicy):
    """Fails while a file is missing."""

    def __init__(self, licence: str = "") -> None:
        super().__init__()
        self.licence = licence

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        if not Path(self.licence).exists():
            raise OSError("no licence")
        return super().fit(X, y, **kwargs)


def test_failed_fits_are_done_again_on_request(study: Any, tmp_path: Path, computed: list[Any]) -> None:
    licensed = study(
        estimators={"mine": Licensed(str(tmp_path / "licence")), "logistic": KnownLinkPolicy()}, n=60
    )
    assert len(licensed.run(cache=tmp_path / "c").failures) == 12
    (tmp_path / "licence").touch()
    computed.clear()
    assert len(licensed.run(cache=tmp_path / "c").failures) == 12
    assert not computed
    result = licensed.run(cache=tmp_path / "c", retry_failed=True)
    assert {entry[2:] for entry in computed} == {("mine",)}
    assert len(result.failures) == 0
    wide = result.frame.pivot(index=["truth", "design", "replication"], columns="estimator", values="angle")
    assert (wide["mine"] == wide["logistic"]).all()
    # The new rows count from now on, whichever file is read first.
    for age in (-100, 100):
        for part in (tmp_path / "c" / "parts").glob("*.parquet"):
            good = not pd.read_parquet(part)["error"].astype(bool).any()
            os.utime(part, (time.time() + (age if good else 0),) * 2)
        again = licensed.run(cache=tmp_path / "c", retry_failed=True)
        assert_frame_equal(again.frame, result.frame, check_exact=True)


def test_corrupt_file_is_computed_again(
    study: Any, numbers: Any, tmp_path: Path, table: pd.DataFrame, computed: list[Any]
) -> None:
    study().run(cache=tmp_path / "c", block_size=3)
    part = sorted((tmp_path / "c" / "parts").glob("*.parquet"))[3]
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.warns(DataWarning, match="is damaged .* removed") as caught:
        result = study().run(cache=tmp_path / "c")
    assert caught[0].filename == __file__
    assert len(computed) == 27
    assert_frame_equal(numbers(result), table, check_exact=True)
    part = sorted((tmp_path / "c" / "parts").glob("*.parquet"))[3]
    pd.DataFrame({"a": [1]}).to_parquet(part)
    with pytest.warns(DataWarning, match=r"columns \['design', .* are missing"):
        study().run(cache=tmp_path / "c")


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_a_file_that_cannot_be_read_just_now_stays(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    small = study(n=60, replications=1)
    first = small.run(cache=tmp_path / "c")
    before, original = sorted((tmp_path / "c").rglob("*")), Path.read_bytes

    def denied(path: Path) -> bytes:
        if path.suffix == suffix:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(PermissionError, match=r"cannot be read \(Permission denied\); nothing was removed"):
        small.run(cache=tmp_path / "c")
    assert sorted((tmp_path / "c").rglob("*")) == before
    monkeypatch.undo()
    assert_frame_equal(small.run(cache=tmp_path / "c").frame, first.frame, check_exact=True)


def test_a_complete_cache_may_be_read_only(study: Any, tmp_path: Path) -> None:
    """Nothing is written, not even the manifest: as a user who is refused it would notice."""
    small = study(n=60, replications=1)
    first = small.run(cache=tmp_path / "c")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*")}
    again = small.run(cache=tmp_path / "c")
    assert_frame_equal(again.frame, first.frame, check_exact=True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*")} == written


def test_folder_that_cannot_be_made(study: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="the definition of the study cannot be written to its cache"):
        study().run(cache=tmp_path / "file" / "c")


def test_files_are_written_beside_their_place_for_all_to_read(tmp_path: Path) -> None:
    """A reader sees the old file until the new one is complete, and others may read it."""
    path = tmp_path / "a.parquet"
    path.write_text("old")
    path.chmod(0o600)

    def write(place: Path) -> None:
        place.write_text("half")
        assert path.read_text() == "old"
        place.write_text("whole")

    write_atomically(path, write)
    assert path.read_text() == "whole"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask

    def fails(place: Path) -> None:
        place.write_text("half")
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        write_atomically(path, fails)
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truths": {"logistic": Truth(link="probit")}}, "truths 'logistic' are defined differently"),
        ({"designs": {"normal": NormalFeatures(4)}}, "designs 'normal' are defined differently"),
        ({"estimators": {"logistic": KnownLinkPolicy(tol=0.1)}}, "estimators 'logistic' are defined diff"),
        ({"metrics": [AngleError()]}, "metrics 'index_correlation' are there, but not here"),
        ({"metrics": [AngleError(), IndexCorrelation(), LogLoss()]}, "metrics 'log_loss' are not there"),
        ({"metrics": [LinkError(0.9, "angle"), IndexCorrelation()]}, "metrics 'angle' are defined diff"),
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
    with pytest.raises(InvalidParameterError, match="is not the definition of a study"):
        study().run(cache=tmp_path / "c")


def test_missing_pyarrow(study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'semiindex\[parquet\]'"):
        study().run(cache=tmp_path / "c")
    assert not (tmp_path / "c").exists()
    study(n=60, replications=1).run()  # without a cache nothing is missing
