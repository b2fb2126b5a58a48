"""Execution: crashes of workers and drivers lose nothing, and what crashes alone becomes a row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from semiindex import KnownLinkPolicy
from semiindex.simulation import Truth, execution


class _Pool:
    """Stands for joblib's Parallel: runs calls in turn, and breaks where a worker would die."""

    def __init__(self, crashes: Callable[[Any, Any], bool], return_as: str, death: type[Exception]) -> None:
        self.crashes, self.return_as, self.death = crashes, return_as, death

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, calls: Iterable[Any]) -> Any:
        results = self._run(calls)
        return results if self.return_as != "list" else list(results)

    def _run(self, calls: Iterable[Any]) -> Any:
        calls = iter(calls)
        while under_way := [call for _, call in zip(range(3), calls, strict=False)]:
            for function, arguments, _ in reversed(under_way):  # results come in any order
                if self.crashes(*arguments):
                    raise self.death("a worker died")
                yield function(*arguments)


class RayActorError(Exception):
    """Stands for the error of Ray's pool, which hands over results at the end."""


class ActorDiedError(RayActorError):
    """What a dead worker raises there."""


def with_pool(
    monkeypatch: pytest.MonkeyPatch,
    crashes: Callable[[Any, Any], bool],
    *,
    generators: bool = True,
    death: type[Exception] = BrokenProcessPool,
) -> list[int]:
    """Put a `_Pool` in the place of joblib's; returns the sizes of the blocks that were begun."""
    begun: list[int] = []

    def seen(task: Any, block: Any) -> bool:
        begun.append(len(block.replications))
        return crashes(task, block)

    def make(n_jobs: Any = None, batch_size: Any = 1, return_as: str = "list") -> _Pool:
        if return_as != "list" and not generators:
            raise ValueError("this backend does not support return_as")
        return _Pool(seen, return_as, death)

    monkeypatch.setattr(execution, "Parallel", make)
    return begun


def test_backend_that_hands_over_results_at_the_end(
    monkeypatch: pytest.MonkeyPatch, study: Any, numbers: Any, table: pd.DataFrame
) -> None:
    with_pool(monkeypatch, lambda task, block: False, generators=False)
    assert_frame_equal(numbers(study().run(block_size=2)), table, check_exact=True)


@pytest.mark.parametrize("block_size", [1, 2])
def test_crash_that_does_not_come_again(
    monkeypatch: pytest.MonkeyPatch, study: Any, numbers: Any, table: pd.DataFrame, block_size: int
) -> None:
    left = [True, True, False]
    with_pool(monkeypatch, lambda task, block: 1 in block.replications and bool(left) and left.pop())
    assert_frame_equal(numbers(study().run(block_size=block_size)), table, check_exact=True)


@pytest.mark.parametrize(
    ("block_size", "death", "generators"),
    [
        (1, BrokenProcessPool, True),
        (3, BrokenProcessPool, True),
        (None, BrokenProcessPool, True),
        (2, ActorDiedError, False),
    ],
)
def test_what_crashes_alone_is_a_row(
    monkeypatch: pytest.MonkeyPatch,
    study: Any,
    numbers: Any,
    table: pd.DataFrame,
    block_size: int | None,
    death: type[Exception],
    generators: bool,
) -> None:
    """Only the estimator that kills its worker has an error; all else is as it was."""

    def crashes(task: Any, block: Any) -> bool:
        return task.cell.n == 60 and 1 in block.replications and "probit" in block.estimators

    with_pool(monkeypatch, crashes, death=death, generators=generators)
    frame = numbers(study().run(block_size=block_size))
    dead = (frame.n == 60) & (frame.replication == 1) & (frame.estimator == "probit")
    assert (frame.loc[dead, "error"] == f"{death.__name__}: a worker died").all()
    assert frame.loc[dead, "angle"].isna().all()
    assert dead.sum() == 4
    assert_frame_equal(frame[~dead], table[~dead], check_exact=True)


def test_an_error_of_the_framework_is_raised(monkeypatch: pytest.MonkeyPatch, study: Any) -> None:
    def broken(task: Any, block: Any) -> bool:
        raise RuntimeError("no such luck")

    with_pool(monkeypatch, broken)
    with pytest.raises(RuntimeError, match="no such luck"):
        study().run()


def test_blocks_grow_with_short_fits(monkeypatch: pytest.MonkeyPatch, study: Any) -> None:
    begun = with_pool(monkeypatch, lambda task, block: False)
    truths, estimators = {"t": Truth()}, {"e": KnownLinkPolicy()}
    study(truths=truths, estimators=estimators, n=60, replications=120).run()
    assert begun[0] == 1
    assert max(begun) >= 16
    assert sum(begun) == 240


SCRIPT = """
    import os, sys
    from pathlib import Path
    from semiindex import KnownLinkPolicy
    from semiindex.simulation import AngleError, NormalFeatures, Study, Truth

    class Deadly(KnownLinkPolicy):
        def fit(self, X, y=None, **kwargs):
            if os.environ.get("DEADLY") and abs(X.differences[0, 0]) < 0.04:
                os.kill(os.getpid(), 9)
            return super().fit(X, y, **kwargs)

    if __name__ == "__main__":
        estimators = {"deadly": Deadly(), "logistic": KnownLinkPolicy()}
        study = Study({"t": Truth()}, {"d": NormalFeatures(4)}, (1000, 2000), estimators, [AngleError()], 30)
        study.run(n_jobs=int(sys.argv[2]), cache=sys.argv[1], block_size=2).save(sys.argv[3])
"""


@pytest.fixture
def driver(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the script of a study as a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))

    def start(cache: str, n_jobs: int, result: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(script), str(tmp_path / cache), str(n_jobs), str(tmp_path / result)]
        # A file, not a pipe: workers outlive a killed driver for a while and would keep a pipe open.
        with (tmp_path / "said").open("wb") as said:
            return subprocess.Popen(command, env=os.environ | environment, stderr=said)

    return start


def finish(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert process.wait(timeout=600) == 0, (tmp_path / "said").read_text()


@pytest.mark.slow
def test_killed_driver_and_killed_workers(
    driver: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, numbers: Any
) -> None:
    finish(driver("whole", 1, "whole.parquet"), tmp_path)
    expected = numbers(pd.read_parquet(tmp_path / "whole.parquet"))

    process = driver("cache", 2, "result.parquet")
    parts = tmp_path / "cache" / "parts"
    while not parts.is_dir() or len(list(parts.glob("*.parquet"))) < 5:
        assert process.poll() is None, "the study ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("*.parquet")}
    assert 5 <= len(kept) < 30
    finish(driver("cache", 2, "result.parquet"), tmp_path)
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    assert_frame_equal(numbers(pd.read_parquet(tmp_path / "result.parquet")), expected, check_exact=True)

    finish(driver("deadly", 2, "deadly.parquet", DEADLY="1"), tmp_path)
    frame = numbers(pd.read_parquet(tmp_path / "deadly.parquet"))
    dead = frame["error"] != ""
    assert 0 < dead.sum() < 10
    assert (frame.loc[dead, "estimator"] == "deadly").all()
    assert frame.loc[dead, "error"].str.startswith("TerminatedWorkerError").all()
    assert_frame_equal(frame[~dead], expected[~dead], check_exact=True)
