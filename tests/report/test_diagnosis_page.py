"""The diagnostics in the report and on the terminal: words of the command, escaped, or left out."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from semiindex import Multipliers, ProfiledLinkPolicy, diagnose, link_test
from semiindex.diagnostics import Diagnosis, Section
from semiindex.diagnostics.held_out import HeldOutComparison
from semiindex.exceptions import SemiindexWarning
from semiindex.report.analysis import FREE, LOGISTIC, Analysis
from semiindex.report.arguments import FitSettings, make_parser, read_settings
from semiindex.report.command import main
from semiindex.report.diagnosis_page import _OPTIONS

WIDE = ["--option0-prefix", "a_", "--option1-prefix", "b_", "--choice", "chose_b"]


def run(table, out, *more) -> str:
    """The report of a fit."""
    assert main(["fit", str(table), *WIDE, "--out", str(out), *more]) == 0
    return (out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def position_table(wide_table):
    """Option b wins more often than it should, under names that need escaping."""
    table = wide_table()
    bias = np.random.default_rng(1).random(len(table)) < 0.4
    table["chose_b"] = np.where(bias, 1, table["chose_b"])
    return table.rename(columns={"a_price": "a_<price>", "b_price": "b_<price>"})


@pytest.fixture(scope="module")
def page(position_table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    position_table.to_csv(folder / "shop.csv", index=False)
    return run(folder / "shop.csv", folder / "out", "--diagnose-seconds", "600", "--quiet")


def test_the_report_has_the_page_in_the_words_of_the_command(page) -> None:
    for text in (
        "<h2>How far can this fit be trusted?</h2>",
        "May I trust the probabilities?",
        "Fit again with --position-matters",
        "name their column by --group",
        "the command takes none; in Python pass one to diagnose",
    ):
        assert text in page, text
    assert "antisymmetric=False" not in page
    assert "time_budget" not in page


def test_every_result_unfolds(page) -> None:
    assert len(re.findall(r"<details class='semiindex-(?:fine|note|warning)'>", page)) == 9
    assert page.count("class='semiindex-diagnostic") == 9


def test_names_of_columns_are_escaped(page) -> None:
    assert "&lt;price&gt;" in page
    assert "<price>" not in page


def test_the_page_loads_nothing(page) -> None:
    loaded = re.findall(r"(?:src|href)\s*=\s*[\"']?([^\"'\s>)]+)", page)
    assert all(address.startswith("data:image/svg+xml;base64,") for address in loaded)
    assert "$" not in re.sub(r"data:[^\"]*", "", page)


def test_too_little_time_is_said_by_its_option(wide_csv, tmp_path) -> None:
    page = run(wide_csv, tmp_path / "out", "--diagnose-seconds", "0.000001", "--quiet")
    assert "allow for more by --diagnose-seconds" in page
    assert "<details" not in page


def test_left_out(wide_csv, tmp_path, capsys) -> None:
    assert "How far can" not in run(wide_csv, tmp_path / "out", "--no-diagnose")
    assert "How far can" not in capsys.readouterr().out


def test_terminal_has_answers_and_next_steps(position_table, tmp_path, capsys) -> None:
    position_table.to_csv(tmp_path / "shop.csv", index=False)
    run(tmp_path / "shop.csv", tmp_path / "out", "--diagnose-seconds", "600")
    out = capsys.readouterr().out
    text = out[out.index("How far can this fit be trusted?") :]
    assert "  May I trust the probabilities?\n    No: " in text
    assert "  Next:\n    1. " in text
    assert "--position-matters" in text


def test_time_and_no_time_contradict_each_other(wide_csv, tmp_path, capsys) -> None:
    arguments = ["fit", str(wide_csv), *WIDE, "--out", str(tmp_path / "out")]
    assert main([*arguments, "--no-diagnose", "--diagnose-seconds", "5"]) == 2
    assert "leave one of them out" in capsys.readouterr().err
    for value in ("0", "-1", "inf", "soon"):
        with pytest.raises(SystemExit):
            main([*arguments, "--diagnose-seconds", value])
        assert "number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gap", "p_value", "head"),
    [
        (0.0, 0.4, "No evidence"),
        (0.0, 0.03, "No evidence"),  # the page does not count it either
        (0.0, 0.004, "Evidence"),
        (0.5, 0.4, "Evidence"),
        (0.0, None, "No evidence"),
    ],
)
def test_headline_and_page_say_the_same_of_the_logistic_link(gap, p_value, head) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    z = (rng.random(100) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    model = ProfiledLinkPolicy().fit(X, z)
    found = {}
    if p_value is not None:
        test = link_test(model, X, z, method="score", multipliers=Multipliers(99))
        found["link"] = replace(test, p_value=p_value)
    sections = tuple(Section(key, result, 0.0) for key, result in found.items())
    worse = np.where(z > 0, 0.6 - gap, 0.4 + gap) + 0.001 * rng.random(100)
    held_out = HeldOutComparison(
        {FREE: np.where(z > 0, 0.6, 0.4), LOGISTIC: worse}, z, np.ones(100), np.arange(100), "comparisons", 5
    )
    page = Diagnosis("", sections, (), (), 100)
    analysis = Analysis(None, None, model, None, held_out, page, ())
    verdict = analysis.verdict()
    assert verdict.startswith(f"{head} against the logistic link: held out, ")
    assert ("at 1%" in verdict) == (p_value is not None)
    assert analysis.against_logistic == (head == "Evidence")


def test_default_time() -> None:
    parsed = make_parser().parse_args(["fit", "t.csv", *WIDE, "--out", "o"])
    assert read_settings(parsed).diagnose_seconds == FitSettings().diagnose_seconds == 20.0


def test_phrases_that_the_command_rewords_are_those_of_the_library() -> None:
    """If the library changes its advice, the report must not keep the words of Python."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 2))
    y = rng.random(200) < 1 / (1 + np.exp(-X[:, 0]))
    with pytest.warns(SemiindexWarning, match="separated"):
        separated = ProfiledLinkPolicy().fit(X, X[:, 0] > 0)
    said = str(diagnose(separated, X, y=X[:, 0] > 0, time_budget=600))
    said += str(diagnose(ProfiledLinkPolicy().fit(X, y), X, y=y, time_budget=600))
    said += str(diagnose(ProfiledLinkPolicy().fit(X, y), X, y=y, time_budget=1e-6))
    said = " ".join(said.split())
    missing = [words for words, _ in _OPTIONS if words not in said and "antisymmetric" not in words]
    assert missing == []
