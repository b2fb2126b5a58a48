"""The command line from a user's side: what is printed, what is written, what new data get."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import semiindex
from semiindex import OrthogonalPolicy, PreferencePairs, ProfiledLinkPolicy, RankingPolicy
from semiindex.report.command import main
from semiindex.report.model_file import read_model
from semiindex.report.output import FILES

WIDE = ["--option0-prefix", "a_", "--option1-prefix", "b_", "--choice", "chose_b"]


def fit(table, out, *more):
    """Without the diagnostics, which have tests of their own, unless their time is given."""
    quick = [] if "--diagnose-seconds" in more else ["--no-diagnose"]
    return main(["fit", str(table), "--out", str(out), *quick, *more])


@pytest.fixture(scope="session")
def fitted(tmp_path_factory, wide_table):
    """A result of the wide layout, made once."""
    folder = tmp_path_factory.mktemp("fitted")
    wide_table().to_csv(folder / "shop.csv", index=False)
    assert fit(folder / "shop.csv", folder / "out", *WIDE, "--group", "person", "--weight", "times") == 0
    return folder


def test_fit_prints_every_part(wide_csv, tmp_path, capsys):
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--group", "person") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for pattern in (
        r"table +shop\.csv: 240 rows, 9 columns, layout wide",
        r"comparisons +240",
        r"raters +60 \(column person\)",
        r"ties +0",
        r"self-comparisons +0",
        r"features +3: price, brand\[T\.elm\], brand\[T\.oak\]",
        r"encoding +brand is a category: indicators for elm, oak, against ash",
        r"feature +link-free +logistic\n  price +-\d",
        r"Normalisation of both: unit root mean square of the index\.",
        r"Held out \(5-fold cross-validation, raters kept together\)",
        r"logistic +0\.\d{4} +0\.\d{4}\n  link-free +0\.\d{4} +0\.\d{4}",
        r"vidence against the logistic link: held out",
        r"Report: .*report\.html",
    ):
        assert re.search(pattern, printed.out), pattern
    assert "adequate" not in printed.out


def test_fit_writes_every_file(fitted):
    out = fitted / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    coefficients = pd.read_csv(out / "coefficients.csv")
    assert list(coefficients) == ["feature", "link_free", "logistic", "normalization"]
    link = pd.read_csv(out / "link.csv")
    assert list(link) == ["index", "probability", "logistic"]
    assert (np.diff(link["probability"]) >= 0).all()
    model, document = read_model(out / "model.json")
    np.testing.assert_array_equal(coefficients["link_free"], model.coef_)
    np.testing.assert_array_equal(link["probability"], model.link_.probability(link["index"]))
    assert document["table"]["layout"] == "wide"


def test_the_model_is_the_fit_to_all_the_data(fitted, wide_table):
    pairs = PreferencePairs.from_wide(
        wide_table(), option0="a_", option1="b_", choice="chose_b", group="person", weight="times"
    )
    expected = semiindex.ProfiledLinkPolicy().fit(pairs)
    model = joblib.load(fitted / "out" / "model.joblib")
    np.testing.assert_array_equal(model.coef_, expected.coef_)


def test_two_runs_give_the_same_files(fitted, wide_csv, tmp_path):
    args = [*WIDE, "--group", "person", "--weight", "times", "--quiet"]
    assert fit(wide_csv, tmp_path / "again", *args) == 0
    for name in ("coefficients.csv", "link.csv", "model.json"):
        assert (tmp_path / "again" / name).read_bytes() == (fitted / "out" / name).read_bytes()


def test_quiet(wide_csv, tmp_path, capsys):
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_the_report_is_one_file_that_loads_nothing(fitted):
    page = (fitted / "out" / "report.html").read_text(encoding="utf-8")
    loaded = re.findall(r"(?:src|href|url|action|data)\s*[=(]\s*[\"']?([^\"'\s>)]+)", page)
    assert loaded
    assert all(address.startswith("data:image/svg+xml;base64,") for address in loaded)
    assert len([address for address in loaded if address.startswith("data:")]) == 3
    assert "<script" not in page
    assert "@import" not in page
    assert "$" not in re.sub(r"data:[^\"]*", "", page)
    for text in (
        "vidence against the logistic link",
        "What was read",
        "brand is a category",
        "semiindex fit",
    ):
        assert text in page


def test_names_of_columns_are_escaped_in_the_report(tmp_path, wide_table):
    table = wide_table().rename(columns={"a_price": "a_<b>&", "b_price": "b_<b>&"})
    table.to_csv(tmp_path / "t.csv", index=False)
    assert fit(tmp_path / "t.csv", tmp_path / "out", *WIDE, "--quiet") == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "parquet"])
def test_formats_of_tables(ending, tmp_path, fitted, wide_table):
    path = tmp_path / f"shop.{ending}"
    if ending == "parquet":
        wide_table().to_parquet(path)
    else:
        wide_table().to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    args = [*WIDE, "--group", "person", "--weight", "times", "--quiet"]
    assert fit(path, tmp_path / "out", *args) == 0
    expected = (fitted / "out" / "coefficients.csv").read_bytes()
    assert (tmp_path / "out" / "coefficients.csv").read_bytes() == expected


def test_suffixes_and_named_answers(tmp_path, capsys, wide_table):
    table = wide_table()
    table = table.rename(columns=lambda c: f"{c[2:]}.{c[0]}" if c[:2] in ("a_", "b_") else c)
    table["answer"] = np.where(table.pop("chose_b") == 1, "B", "A")
    table.loc[:4, "answer"] = "same"
    table.to_csv(tmp_path / "t.csv", index=False, sep=";")
    args = ["--option0-suffix", ".a", "--option1-suffix", ".b", "--choice", "answer", "--separator", ";"]
    args += ["--positive", "B", "--tie-value", "same", "--features", "price"]
    assert fit(tmp_path / "t.csv", tmp_path / "out", *args) == 0
    printed = capsys.readouterr().out
    assert re.search(r"comparisons +245 rows from 240 comparisons, total weight 240", printed)
    assert re.search(r"ties +5", printed)
    assert re.search(r"features +1: price", printed)


def test_counts_of_wins(tmp_path, capsys, wide_table):
    table = wide_table().assign(won=lambda f: f["chose_b"] * 2, played=3).drop(columns="chose_b")
    table.to_csv(tmp_path / "t.csv", index=False)
    args = ["--option0-prefix", "a_", "--option1-prefix", "b_", "--wins", "won", "--trials", "played"]
    assert fit(tmp_path / "t.csv", tmp_path / "out", *args) == 0
    assert "from 240 comparisons, total weight 720" in capsys.readouterr().out


def test_long_layout_gives_the_coefficients_of_the_wide_one(tmp_path, wide_csv, long_table):
    long_table().to_csv(tmp_path / "long.csv", index=False)
    args = ["--comparison", "id", "--chosen", "taken", "--group", "person", "--quiet"]
    assert fit(tmp_path / "long.csv", tmp_path / "a", *args, "--features", "price", "brand") == 0
    assert fit(wide_csv, tmp_path / "b", *WIDE, "--group", "person", "--quiet") == 0
    files = [(tmp_path / name / "coefficients.csv").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_choice_sets_say_what_they_assume(tmp_path, capsys, choice_table):
    choice_table().to_csv(tmp_path / "trips.csv", index=False)
    args = ["--layout", "choice-sets", "--set", "trip", "--chosen", "taken", "--available", "open"]
    assert fit(tmp_path / "trips.csv", tmp_path / "out", *args) == 0
    printed = capsys.readouterr().out
    assert "160 rows from 80 choice sets" in printed
    assert "choice sets kept together" in printed
    assert "independence of irrelevant" in printed


def test_warnings_are_sentences_on_standard_error(tmp_path, capsys, wide_table):
    table = wide_table().assign(a_tax=lambda f: 2 * f["a_price"], b_tax=lambda f: 2 * f["b_price"])
    table.to_csv(tmp_path / "t.csv", index=False)
    assert fit(tmp_path / "t.csv", tmp_path / "out", *WIDE) == 0
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("semiindex fit: warning: The features 'price', 'tax' are collinear")
    assert "collinear" not in printed.out
    assert "collinear" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_options_of_the_model(tmp_path, wide_csv):
    args = [*WIDE, "--quiet", "--position-matters", "--ridge", "0.1", "--normalization", "norm"]
    assert fit(wide_csv, tmp_path / "out", *args) == 0
    model, _ = read_model(tmp_path / "out" / "model.json")
    assert (model.antisymmetric, model.ridge, model.normalization) == (False, 0.1, "norm")
    assert fit(wide_csv, tmp_path / "iso", *WIDE, "--quiet", "--link", "isotonic") == 0
    assert read_model(tmp_path / "iso" / "model.json")[0].link == "isotonic"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("profiled", ProfiledLinkPolicy), ("orthogonal", OrthogonalPolicy), ("ranking", RankingPolicy)],
)
def test_estimators(tmp_path, wide_csv, wide_table, capsys, name, kind):
    out = tmp_path / "out"
    assert fit(wide_csv, out, *WIDE, "--estimator", name, "--link-group", "kind") == 0
    assert "link-free" in capsys.readouterr().out
    model, _ = read_model(out / "model.json")
    assert type(model) is kind
    coefficients = pd.read_csv(out / "coefficients.csv")
    np.testing.assert_array_equal(coefficients["link_free"], model.coef_)
    subtitle = {"orthogonal": "orthogonal score", "ranking": "rank criterion"}.get(name, "spline link")
    assert subtitle in (out / "report.html").read_text(encoding="utf-8")
    predictions = []
    for file in ("model.json", "model.joblib"):
        assert main(["predict", str(out / file), str(wide_csv)]) == 0
        predictions.append(capsys.readouterr().out)
    assert predictions[0] == predictions[1]


def test_classes_of_raters(tmp_path, wide_csv, capsys, wide_table):
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--link-group", "kind") == 0
    assert "new, old (column kind)" in capsys.readouterr().out
    link = pd.read_csv(tmp_path / "out" / "link.csv")
    assert set(link["link_class"]) == {"new", "old"}
    new = wide_table().drop(columns="chose_b")
    new.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(tmp_path / "out" / "model.json"), str(tmp_path / "new.csv")]) == 0
    predicted = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    model = joblib.load(tmp_path / "out" / "model.joblib")
    link = [model.links_[kind] for kind in new["kind"]]
    expected = [float(one.probability([t])[0]) for one, t in zip(link, predicted["index"], strict=True)]
    np.testing.assert_allclose(predicted["probability"], expected, atol=1e-15)


def test_overwriting(tmp_path, wide_csv, capsys):
    for more in ([], ["--overwrite"]):
        assert fit(wide_csv, tmp_path / "out", *WIDE, "--quiet", *more) == 0
        first = (tmp_path / "out" / "report.html").stat().st_ino
        assert fit(wide_csv, tmp_path / "out", *WIDE, "--quiet") == 2
        assert (tmp_path / "out" / "report.html").stat().st_ino == first
    assert "holds the results of an earlier run" in capsys.readouterr().err


def test_a_failure_in_the_middle_leaves_nothing(tmp_path, wide_csv, monkeypatch):
    def failing(*args, **kwargs):
        raise RuntimeError("power cut")

    monkeypatch.setattr(joblib, "dump", failing)
    with pytest.raises(RuntimeError, match="power cut"):
        fit(wide_csv, tmp_path / "out", *WIDE, "--quiet")
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_a_full_disk_is_one_line(tmp_path, wide_csv, monkeypatch, capsys):
    def failing(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(joblib, "dump", failing)
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--quiet") == 2
    assert capsys.readouterr().err == "semiindex fit: error: [Errno 28] No space left on device\n"
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_an_interrupt_leaves_nothing(tmp_path, wide_csv, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(joblib, "dump", interrupted)
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--quiet") == 130
    assert "interrupted, nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_progress_is_for_terminals(tmp_path, wide_csv, monkeypatch, capsys):
    assert fit(wide_csv, tmp_path / "a", *WIDE) == 0
    assert "cross-validation" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert fit(wide_csv, tmp_path / "b", *WIDE) == 0
    assert "cross-validation" in capsys.readouterr().err
    assert fit(wide_csv, tmp_path / "c", *WIDE, "--quiet") == 0
    assert capsys.readouterr().err == ""


# Prediction -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "joblib"])
def test_few_new_rows_get_the_predictions_of_the_fit(kind, fitted, tmp_path, capsys, wide_table):
    wide_table().iloc[3:5].drop(columns=["chose_b", "times"]).to_csv(tmp_path / "new.csv", index=False)
    arguments = ["predict", str(fitted / "out" / f"model.{kind}"), str(tmp_path / "new.csv")]
    assert main([*arguments, "--out", str(tmp_path / "p.csv")]) == 0
    predicted = pd.read_csv(tmp_path / "p.csv")
    model = joblib.load(fitted / "out" / "model.joblib")
    pairs = PreferencePairs.from_wide(wide_table(), option0="a_", option1="b_", choice="chose_b")
    np.testing.assert_array_equal(predicted["probability"], model.predict_proba(pairs)[3:5, 1])
    np.testing.assert_array_equal(predicted["index"], model.decision_function(pairs)[3:5])
    assert list(predicted["row"]) == [1, 2]
    assert capsys.readouterr() == ("", "")
    assert main(arguments) == 0
    assert capsys.readouterr().out == (tmp_path / "p.csv").read_text(encoding="utf-8")


def test_a_formula_is_applied_as_in_the_fit(tmp_path, wide_csv, capsys, wide_table):
    formula = "center(price) + poly(price, 2) + brand:income"
    assert fit(wide_csv, tmp_path / "out", *WIDE, "--formula", formula, "--quiet") == 0
    capsys.readouterr()
    wide_table().iloc[10:13].to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(tmp_path / "out" / "model.json"), str(tmp_path / "new.csv")]) == 0
    predicted = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    pairs = PreferencePairs.from_wide(
        wide_table(), option0="a_", option1="b_", choice="chose_b", formula=formula
    )
    model = joblib.load(tmp_path / "out" / "model.joblib")
    np.testing.assert_allclose(predicted["probability"], model.predict_proba(pairs)[10:13, 1], atol=1e-14)


def test_prediction_in_the_long_layout(tmp_path, capsys, long_table):
    table = long_table()
    table.to_csv(tmp_path / "long.csv", index=False)
    args = ["--comparison", "id", "--chosen", "taken", "--features", "price", "brand", "--quiet"]
    assert fit(tmp_path / "long.csv", tmp_path / "out", *args) == 0
    new = table.drop(columns="taken").iloc[[7, 3, 6, 2]]
    new.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(tmp_path / "out" / "model.json"), str(tmp_path / "new.csv")]) == 0
    predicted = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    assert predicted[["id", "option0_row", "option1_row"]].to_numpy().tolist() == [[3, 1, 3], [1, 2, 4]]


def test_prediction_of_choice_sets_is_of_all_pairs(tmp_path, capsys, choice_table):
    table = choice_table()
    table.to_csv(tmp_path / "trips.csv", index=False)
    args = ["--set", "trip", "--chosen", "taken", "--available", "open", "--quiet"]
    assert fit(tmp_path / "trips.csv", tmp_path / "out", *args) == 0
    new = table.drop(columns="taken").head(6).assign(open=[1, 1, 1, 1, 0, 1])
    new.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(tmp_path / "out" / "model.json"), str(tmp_path / "new.csv")]) == 0
    predicted = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    pairs = predicted[["trip", "option0_row", "option1_row"]].to_numpy().tolist()
    assert pairs == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 4, 6]]
    first, second, third = predicted["index"][:3]
    assert second == pytest.approx(first + third)


def test_levels_that_look_like_numbers_stay_text(tmp_path, capsys, wide_table):
    sizes = {"oak": "38", "elm": "40", "ash": "XL"}
    table = wide_table().replace({"a_brand": sizes, "b_brand": sizes})
    table = table.assign(a_brand="s" + table["a_brand"], b_brand="s" + table["b_brand"])
    table.to_csv(tmp_path / "t.csv", index=False)
    assert fit(tmp_path / "t.csv", tmp_path / "out", *WIDE, "--quiet") == 0
    path = tmp_path / "out" / "model.json"
    path.write_text(re.sub(r'"s(38|40|XL)"', r'"\1"', path.read_text(encoding="utf-8")), encoding="utf-8")
    wide_table().replace({"a_brand": sizes, "b_brand": sizes}).query(
        "a_brand != 'XL' and b_brand != 'XL'"
    ).to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(path), str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().err == ""


# Demo, version, process -----------------------------------------------------------------------------------


def test_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert "210 travellers" in printed
    assert "630 rows from 210 choice sets" in printed
    assert "How far can this fit be trusted?\n  May I trust how the features are weighed?" in printed
    assert "independence of irrelevant" in printed
    assert f"Report: {Path('semiindex-demo') / 'report.html'}" in printed
    assert sorted(os.listdir("semiindex-demo")) == sorted(FILES)
    assert main(["demo"]) == 2
    assert "holds the results of an earlier run" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"semiindex {semiindex.__version__}\n"


def test_as_a_process(wide_csv, tmp_path):
    run = [sys.executable, "-W", "error", "-m", "semiindex.report.command"]
    done = subprocess.run(
        [*run, "fit", str(wide_csv), *WIDE, "--out", str(tmp_path / "out"), "--group", "persom"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "semiindex fit: error: --group persom: shop.csv has no such column; similar ones: person.\n"
    )
    assert not (tmp_path / "out").exists()


def test_help_is_quick():
    """The parser needs none of the heavy packages."""
    code = (
        "import sys; from semiindex.report.command import make_parser; make_parser(); "
        "sys.exit('matplotlib' in sys.modules or 'formulaic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_layout_of_the_table_is_in_the_model_file(fitted):
    document = json.loads((fitted / "out" / "model.json").read_text(encoding="utf-8"))
    assert document["table"]["arguments"]["option0"] == "a_"
    assert document["encoder"]["columns"][1] == {"name": "brand", "levels": ["ash", "elm", "oak"]}
