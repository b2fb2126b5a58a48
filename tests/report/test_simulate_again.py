"""``semiindex simulate`` a second time: another number of replications, and fits that failed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semiindex import KnownLinkPolicy
from semiindex.report.command import main
from semiindex.simulation import StudyResult, read_study

STUDY = """
n = 60
replications = 3
n_evaluation = 50
[truths.flips]
[designs.normal]
features = "normal"
dimension = 2
[estimators.logistic]
kind = "known_link"
[estimators.spline]
kind = "profiled"
"""


@pytest.fixture
def description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose pictures, which take most of the time, are left out."""
    monkeypatch.setattr("semiindex.report.simulate.study_pictures", lambda result, baseline: [])
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_the_copy_of_the_study_is_of_this_run(description: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["simulate", str(description), "--out", str(out), "--quiet", "--resume"]
    for replications in (2, 4):
        assert main([*command, "--replications", str(replications)]) == 0
        copy = read_study(out / "study.toml")
        assert copy.study.replications == replications
        assert copy.text == STUDY.replace("replications = 3", f"replications = {replications}")
        page = (out / "report.html").read_text(encoding="utf-8")
        assert re.findall(r"^replications = (\d+)", page, re.MULTILINE) == [str(replications)]
    assert main(["simulate", str(out / "study.toml"), "--out", str(tmp_path / "twin"), "--quiet"]) == 0
    results = [pd.read_csv(tmp_path / name / "results.csv") for name in ("out", "twin")]
    pd.testing.assert_frame_equal(*(frame.drop(columns="seconds") for frame in results))


def test_failed_fits_are_done_again_on_request(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    command = ["simulate", str(description), "--out", str(out), "--quiet"]
    fit = KnownLinkPolicy.fit

    def failing(self: Any, *arguments: Any, **options: Any) -> Any:
        if len(arguments) > 1:  # as a study calls it, not the trial before
            raise MemoryError("no room")
        return fit(self, *arguments, **options)

    def n_failed() -> int:
        return len(StudyResult.load(out / "results.parquet").failures)

    monkeypatch.setattr(KnownLinkPolicy, "fit", failing)
    assert main(command) == 0
    assert n_failed() == 3
    monkeypatch.setattr(KnownLinkPolicy, "fit", fit)
    assert main([*command, "--resume"]) == 0
    assert n_failed() == 3
    assert main([*command, "--resume", "--retry-failed"]) == 0
    assert n_failed() == 0
