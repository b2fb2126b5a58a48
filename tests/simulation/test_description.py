"""Studies described in TOML: the same objects as by hand, and messages that name the key at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.simulation import (
    AngleError,
    BestOfPairs,
    ComparisonDesign,
    ConjointFeatures,
    NormalFeatures,
    PolicyError,
    Raters,
    link_at_severity,
    read_study,
    ready_studies,
)

SMALL = """
title = "Small"
n = [60, 80]
replications = 2
seed = 7
strength = false
n_evaluation = 50
baseline = "oracle"
metrics = ["angle"]
budgets = [0.1, 0.2]

[truths.flips]
severity = [0, 1]
score = [1, -1, 2]
[truths.odd]
link = "lapses"
score = [1, -1, 2]
raters = { answers = 2, dependence = 0.3 }

[designs.normal]
features = "normal"
dimension = 3
correlation = 0.5
[designs.survey]
features = "conjoint"
n_ordinal = 1
n_prices = 1
n_flags = 1
flag_rate = 0.3
menu_size = 4
pairs = { kind = "best_of", n_draws = 3 }

[estimators.logistic]
kind = "known_link"
ridge = 0.01
[estimators.spline]
kind = "profiled"
antisymmetric = true
[estimators.oracle]
kind = "oracle"
"""


def read(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "small.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(path)


def test_the_study_is_the_one_written_by_hand(tmp_path: Path) -> None:
    description = read(tmp_path, SMALL)
    study = description.study
    assert (description.title, description.baseline, description.text) == ("Small", "oracle", SMALL)
    assert (study.n, study.replications, study.random_state) == ((60, 80), 2, 7)
    assert (study.strength, study.n_evaluation) == (None, 50)
    assert list(study.truths) == ["flips 0", "flips 1", "odd 1"]
    assert study.truths["odd 1"].link == link_at_severity("lapses", 1.0)
    assert study.truths["odd 1"].raters == Raters(2, dependence=0.3)
    assert study.truths["odd 1"].factors == {"link": "odd", "severity": 1.0}
    assert study.truths["flips 1"].coefficients(3).tolist() == [1, -1, 2]
    assert study.designs["normal"] == ComparisonDesign(NormalFeatures(3, 0.5))
    features = ConjointFeatures(1, 1, 1, flag_rate=0.3)
    assert study.designs["survey"] == ComparisonDesign(features, 4, BestOfPairs(3))
    assert study.metrics == (AngleError(), PolicyError((0.1, 0.2)))


def test_estimators_follow_the_truth_unless_told(tmp_path: Path) -> None:
    study = read(tmp_path, SMALL).study
    flips, lapses = study.truths["flips 1"], study.truths["odd 1"]
    logistic = study.estimators["logistic"]
    assert isinstance(logistic(flips), KnownLinkPolicy)
    assert [logistic(truth).antisymmetric for truth in (flips, lapses)] == [True, False]
    assert logistic(flips).ridge == 0.01
    spline = study.estimators["spline"]
    assert isinstance(spline(lapses), ProfiledLinkPolicy)
    assert spline(lapses).antisymmetric
    oracle = study.estimators["oracle"](lapses)
    assert oracle.link == lapses.marginal_link
    assert not oracle.position_effect


def test_the_study_runs(tmp_path: Path) -> None:
    result = read(tmp_path, SMALL).study.run()
    assert len(result.frame) == 3 * 2 * 2 * 2 * 3
    assert len(result.failures) == 0


@pytest.mark.parametrize("name", ["quick", "full"])
def test_ready_studies(name: str) -> None:
    description = read_study(name)
    assert ready_studies()[name] == description.title
    assert description.baseline in description.study.estimators


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n = [60, 80]", "", r"small.toml: n: is missing"),
        ("n = [60, 80]", "n = []", r"n: must not be empty"),
        ("n = [60, 80]", 'n = ["60"]', r"n: must be an integer, got '60'"),
        ("n = [60, 80]", "n = [1]", r"small.toml: n must be integers of at least 2"),
        ("replications = 2", "replications = true", r"replications: must be an integer, got True"),
        ("seed = 7", "sead = 7", r"sead: unknown key; did you mean 'seed'\?"),
        ("strength = false", "strength = 0.7", r"small.toml: strength must be None or in"),
        ('baseline = "oracle"', 'baseline = "best"', r"baseline: must be one of the estimators"),
        (
            'metrics = ["angle"]',
            'metrics = ["angel"]',
            r"metrics, entry 1: must be one of angle, .*; got 'angel'",
        ),
        ('metrics = ["angle"]', 'metrics = "angle"', r"metrics: must be a list"),
        ("budgets = [0.1, 0.2]", "budgets = [0.9]", r"truths.flips 0: on designs.normal: budget=0.9 cannot"),
        ("budgets = [0.1, 0.2]", "budgets = [-1]", r"budgets must be positive"),
        ("severity = [0, 1]", "severity = [0, 2]", r"truths.flips: severity must be in \[0, 1\], got 2"),
        ('link = "lapses"', 'link = "lapse"', r"truths.odd: link: must be one of probit, .*; got 'lapse'"),
        ('link = "lapses"', "", r"truths.odd: link: must be one of .*; got 'odd'"),
        ("answers = 2", "answer = 2", r"truths.odd: raters: answer: unknown key; did you mean 'answers'"),
        ("answers = 2", "answers = 0", r"truths.odd: raters: answers must"),
        ("dimension = 3", "", r"designs.normal: dimension: is missing"),
        ("dimension = 3", 'dimension = "3"', r"designs.normal: dimension: must be an integer, got '3'"),
        ("dimension = 3", "dimension = 4", r"truths.flips 0: on designs.normal: .*3"),
        ("dimension = 3", "dimensions = 3", r"dimensions: unknown key; did you mean 'dimension'"),
        ('features = "normal"', "", r"designs.normal: features: must be one of .*; it is missing"),
        ('kind = "best_of"', 'kind = "best"', r"designs.survey: pairs: kind: must be one of"),
        ("n_draws = 3", "draws = 3", r"designs.survey: pairs: draws: unknown key; did you mean 'n_draws'"),
        ("menu_size = 4", "menu_size = 1", r"designs.survey: menu_size must be"),
        ("ridge = 0.01", "ridge = -1", r"estimators.logistic: ridge must"),
        ("ridge = 0.01", "rigde = 1", r"estimators.logistic: rigde: unknown key; did you mean 'ridge'"),
        ("ridge = 0.01", 'link = "logit"', r"estimators.logistic: .*'logit'"),
        ('kind = "oracle"', 'kind = "oracle"\nlink = "probit"', r"estimators.oracle: link: unknown key"),
        ('kind = "profiled"', 'kind = "spline"', r"estimators.spline: kind: must be one of known_link"),
    ],
)
def test_messages_name_the_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SMALL.count(old) == 1
    with pytest.raises(InvalidParameterError, match=message):
        read(tmp_path, SMALL.replace(old, new))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("n = [", InvalidDataError, "small.toml is no TOML file"),
        ("n = 5\ntruths = 3", InvalidParameterError, "truths: must be a table"),
        (
            "n = 5\n[truths]\nflips = 3",
            InvalidParameterError,
            r"truths.flips: must be a table \[truths.flips\]",
        ),
        ("n = 5", InvalidParameterError, r"truths: is missing: write a table \[truths.NAME\]"),
    ],
)
def test_files_without_a_study(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="no such file, and no ready study of this name; those"):
        read_study(tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidDataError, match="no text in UTF-8"):
        read_study(tmp_path / "bytes.toml")


#: A text of which a line looks like the key.
TITLE = 'title = """\nreplications = 2\n"""\n'


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("replications = 2\n", "replications = 9\n"),
        ("  'replications'=1_00 # many\n", "replications = 9 # many\n"),
        ("", ""),
        (f"{TITLE}replications = 2\n", f"{TITLE}replications = 9\n"),
        (TITLE, TITLE),
    ],
)
def test_text_says_how_many_replications_there_are(given: str, expected: str, tmp_path: Path) -> None:
    """In its place, or in a new first line; nothing else of the file changes."""
    path, rest = (
        tmp_path / "study.toml",
        SMALL.replace('title = "Small"\n', "").replace("replications = 2\n", ""),
    )
    path.write_text(given + rest)
    described = read_study(path).with_replications(9)
    assert described.study.replications == 9
    new_line = "" if "replications = 9" in expected else "replications = 9\n"
    assert described.text == new_line + expected + rest
    path.write_text(described.text)
    again = read_study(path)
    assert again.study.replications == 9
    assert again.study.definition() == described.study.definition()
    assert again.title == described.title
