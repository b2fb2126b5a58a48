"""``semiindex simulate``: files, resumption, and refusals that lose nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semiindex.display.metric_words import metric_label, metric_meaning
from semiindex.exceptions import InvalidParameterError
from semiindex.report.command import main
from semiindex.report.simulate import CACHE, STUDY_FILES
from semiindex.report.study_html import _pictures, _tiles, _warnings
from semiindex.report.study_pictures import study_pictures
from semiindex.simulation import Study, StudyResult

STUDY = """
title = "Flips & <small>"
n = [60, 120]
replications = 2
metrics = ["angle"]
budgets = [0.1, 0.3]
baseline = "oracle"
n_evaluation = 50
[truths.flips]
severity = [0, 1]
[designs.normal]
features = "normal"
dimension = 2
[estimators.logistic]
kind = "known_link"
[estimators.oracle]
kind = "oracle"
"""


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def simulate(study: Path | str, out: Path, *more: str) -> int:
    return main(["simulate", str(study), "--out", str(out), *more])


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of other files: pictures take most of the time."""
    monkeypatch.setattr("semiindex.report.simulate.study_pictures", lambda result, baseline: [])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study, for tests that only read it."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    assert simulate(folder / "study.toml", folder / "out", "--quiet") == 0
    return folder / "out"


def test_files(done: Path) -> None:
    assert names(done) == {*STUDY_FILES, CACHE}
    assert names(done.parent) == {"study.toml", "out"}
    frame = pd.read_csv(done / "results.csv")
    assert len(frame) == 2 * 2 * 2 * 2
    result = StudyResult.load(done / "results.parquet")
    text = ["warnings", "error"]  # empty, which CSV does not tell from missing
    pd.testing.assert_frame_equal(
        frame.drop(columns=text), result.frame.drop(columns=text), check_exact=False
    )
    summary = pd.read_csv(done / "summary.csv")
    assert {"mean", "standard_error", "difference"} <= set(summary.columns)
    assert (done / "study.toml").read_text(encoding="utf-8") == STUDY
    assert names(done / "pictures") == {
        *("severity_angle.png", "sizes_angle.png", "ratio_angle.png", "frontier.png"),
        *("severity_regret_at_0.3.png", "sizes_regret_at_0.3.png", "ratio_regret_at_0.3.png"),
    }


def test_report_is_one_file_with_every_part(done: Path) -> None:
    page = (done / "report.html").read_text(encoding="utf-8")
    assert "<h1>Flips &amp; &lt;small&gt;</h1>" in page
    assert "2 truths, 1 designs, 2 sample sizes, 2 estimators, 2 replications; seed 0" in page
    assert page.count("data:image/svg+xml") == 7
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "No fit failed." in page
    assert "No fit gave a warning." in page
    assert "semiindex simulate" in page
    assert "$" not in re.sub(r'src="[^"]*"', "", page)


@pytest.mark.usefixtures("no_pictures")
def test_what_is_printed(description: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(description, tmp_path / "out", "--replications", "1") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "StudyResult(8 fits in 4 cells, 0 with an error" in printed.out
    assert re.search(r"flips 1 +normal +120 +\d", printed.out)
    assert "report.html" in printed.out


@pytest.mark.usefixtures("no_pictures")
def test_resumption_computes_only_what_is_missing(description: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert simulate(description, out, "--replications", "2", "--quiet") == 0
    first = pd.read_csv(out / "results.csv")
    blocks = names(out / CACHE / "parts")
    assert simulate(description, out, "--replications", "3", "--resume", "--quiet") == 0
    second = pd.read_csv(out / "results.csv")
    pd.testing.assert_frame_equal(second[second["replication"] < 2].reset_index(drop=True), first)
    assert len(second) == 1.5 * len(first)
    assert blocks < names(out / CACHE / "parts")

    whole = tmp_path / "whole"
    assert simulate(description, whole, "--replications", "3", "--quiet") == 0
    pd.testing.assert_frame_equal(
        pd.read_csv(whole / "results.csv").drop(columns="seconds"), second.drop(columns="seconds")
    )


@pytest.mark.usefixtures("no_pictures")
def test_an_interrupted_run_keeps_its_work_and_writes_no_results(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, run = tmp_path / "out", Study.run

    def interrupted(self, **options):
        run(self, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "run", interrupted)
    assert simulate(description, out, "--quiet") == 130
    assert "interrupted, continue with --resume" in capsys.readouterr().err
    assert names(out) == {CACHE}
    monkeypatch.setattr(Study, "run", run)
    assert simulate(description, out) == 2
    assert "holds an earlier run; add --resume" in capsys.readouterr().err
    assert simulate(description, out, "--resume", "--quiet") == 0
    assert names(out) == {*STUDY_FILES, CACHE}


def test_overwriting(description: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert simulate(description, out, "--replications", "1", "--quiet") == 0
    description.write_text(STUDY.replace("budgets = [0.1, 0.3]\n", "seed = 3\n"), encoding="utf-8")
    assert simulate(description, out, "--replications", "1", "--resume", "--quiet") == 2
    assert simulate(description, out, "--replications", "1", "--overwrite", "--quiet") == 0
    assert "frontier.png" not in names(out / "pictures")


@pytest.mark.usefixtures("no_pictures")
def test_a_failure_while_writing_leaves_the_old_results(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert simulate(description, out, "--replications", "1", "--quiet") == 0
    before = (out / "results.csv").read_bytes()

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("semiindex.report.simulate.render_study", fail)
    assert simulate(description, out, "--replications", "2", "--resume", "--quiet") == 2
    assert (out / "results.csv").read_bytes() == before
    assert names(tmp_path) == {"study.toml", "out"}


def test_refusals_write_nothing(
    description: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["simulate", str(description)]) == 2
    assert "--out DIR is missing" in capsys.readouterr().err
    assert simulate(tmp_path / "missing.toml", out) == 2
    assert "no ready study of this name; those are full, quick" in capsys.readouterr().err
    description.write_text(STUDY.replace("dimension", "dimention"), encoding="utf-8")
    assert simulate(description, out) == 2
    error = capsys.readouterr().err
    assert "study.toml: designs.normal: dimention: unknown key; did you mean 'dimension'?" in error
    assert error.count("\n") == 1
    description.write_text(STUDY.replace("n = [60", "strength = 0.45\nn = [60"), encoding="utf-8")
    assert simulate(description, out) == 2
    assert "truth 'flips 1' on design 'normal': strength=0.45 is not attainable" in capsys.readouterr().err
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").touch()
    description.write_text(STUDY, encoding="utf-8")
    assert simulate(description, out, "--overwrite") == 2
    assert "holds other files (mine.txt)" in capsys.readouterr().err


def test_the_ready_studies_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--list"]) == 0
    assert re.search(r"^quick +When a wrong link", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit):
        main(["simulate"])


@pytest.mark.usefixtures("no_pictures")
def test_without_parquet_nothing_is_kept_and_that_is_said(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semiindex.report.simulate.find_spec", lambda name: None)
    assert simulate(description, tmp_path / "out", "--replications", "1", "--quiet") == 0
    assert "pyarrow is not installed" in capsys.readouterr().err
    assert names(tmp_path / "out") == set(STUDY_FILES) - {"results.parquet"}


def test_pictures_that_a_study_allows(done: Path) -> None:
    result = StudyResult.load(done / "results.parquet")
    one = result.frame[(result.frame["n"] == 60) & (result.frame["severity"] == 1.0)]
    one = StudyResult(one.reset_index(drop=True), ("angle",), result.factors)
    assert study_pictures(one, None) == []
    assert [picture.name for picture in study_pictures(one, "oracle")] == ["ratio_angle"]
    with pytest.raises(InvalidParameterError, match="baseline must be"):
        study_pictures(one, "unknown")


def test_many_panels_are_a_picture_for_each_design(done: Path) -> None:
    """Thirteen designs of one family and one size: more panels than a reader takes in."""
    result = StudyResult.load(done / "results.parquet")
    part = result.frame[result.frame["n"] == 60]
    designs = [f"d/{i}" for i in range(13)]
    frame = pd.concat([part.assign(design=name) for name in designs], ignore_index=True)
    pictures = study_pictures(StudyResult(frame, ("angle",), result.factors), None)
    assert [picture.name for picture in pictures] == [f"severity_angle_d_{i}" for i in range(13)]
    assert [picture.design for picture in pictures] == designs
    assert [picture.first for picture in pictures] == [True] + 12 * [False]
    assert pictures[3].caption.startswith("d/3: Angle to the true direction (degrees) against the severity")
    assert all(len(picture.display.panels) == 1 for picture in pictures)
    few = frame[frame["design"].isin(designs[:12])].reset_index(drop=True)
    (picture,) = study_pictures(StudyResult(few, ("angle",), result.factors), None)
    assert (picture.design, len(picture.display.panels)) == ("", 12)
    html = _pictures(pictures[:2])
    assert html.count("<details open>") == html.count("<details>") == 1


def test_sizes_and_frontiers_are_shown_where_the_link_is_most_wrong(done: Path) -> None:
    result = StudyResult.load(done / "results.parquet")
    pictures = {picture.name: picture for picture in study_pictures(result, None)}
    for name, metric, x in (("sizes_angle", "angle", "n"), ("frontier", "gain_share[0.1]", "budget")):
        assert " at severity 1" in pictures[name].caption
        summary = result.summary(metrics=[metric])
        worst = summary[(summary["severity"] == 1) & (summary["estimator"] == "logistic")]
        expected = worst["mean"].to_numpy() if x == "n" else worst.loc[worst["n"] == 120, "mean"].to_numpy()
        (panel,) = pictures[name].display.panels
        np.testing.assert_array_equal(panel.curves[0].mean[: expected.size], expected)


def test_warnings_are_counted_by_class(done: Path) -> None:
    result = StudyResult.load(done / "results.parquet")
    frame = result.frame.assign(n_warnings=0, warnings="")
    frame.loc[:2, ["n_warnings", "warnings"]] = [1, "SeparationWarning"]
    frame.loc[5, ["n_warnings", "warnings"]] = [2, "ConvergenceWarning; SeparationWarning"]
    warned = StudyResult(frame, result.metrics, result.factors)
    html = _warnings(warned)
    assert "A SeparationWarning says" in html
    counts = re.findall(r"<td>(\w+Warning)</td><td[^>]*>(\w+)</td><td[^>]*>(\d+)</td>", html)
    assert counts == [
        ("ConvergenceWarning", "oracle", "1"),
        ("SeparationWarning", "logistic", "2"),
        ("SeparationWarning", "oracle", "2"),
    ]
    assert "<b>4</b><span>with a warning</span>" in _tiles(warned)


def test_shares_have_neither_rates_nor_ratios(done: Path) -> None:
    result = StudyResult.load(done / "results.parquet")
    frame = result.frame.rename(columns={"angle": "coverage"})
    pictures = study_pictures(StudyResult(frame, ("coverage",), result.factors), "oracle")
    assert [picture.name for picture in pictures] == ["severity_coverage"]
    assert pictures[0].display.y_label == "Share of intervals that cover"


def test_words_of_metrics() -> None:
    """Every column of the metrics that a file can name has its words."""
    for column in ("angle", "index_correlation", "log_loss", "excess_log_loss", "link_error", "coverage"):
        assert metric_label(column) != column
        assert metric_meaning(column).endswith(".")
    for measure in ("regret", "reward", "gain_share", "total_variation", "kl"):
        assert metric_label(f"{measure}[0.05]").endswith("at divergence 0.05")
    assert (metric_label("mine"), metric_meaning("mine")) == ("mine", "")


def test_others_may_read_the_results(done: Path) -> None:
    modes = {(done / name).stat().st_mode & 0o777 for name in ("results.csv", "results.parquet")}
    assert len(modes) == 1
