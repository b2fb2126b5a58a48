"""Every bad input is one line on standard error, exit status 2, and no file left behind."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from semiindex.report.command import main

WIDE = ["--option0-prefix", "a_", "--option1-prefix", "b_", "--choice", "chose_b"]

QUICK = ["--quiet", "--no-diagnose"]
LONG = ["--comparison", "id", "--chosen", "taken"]
SETS = ["--set", "trip", "--chosen", "taken"]


def fails(capsys, folder, *arguments):
    """The message of a run that must fail and leave the folder as it was."""
    before = sorted(path.name for path in folder.iterdir())
    assert main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert printed.err.count("\n") == 1
    assert printed.err.startswith(f"semiindex {arguments[0]}: error: ")
    return printed.err.partition("error: ")[2].strip()


@pytest.fixture
def failing_fit(capsys, tmp_path):
    def run(table, *arguments):
        table.to_csv(tmp_path / "t.csv", index=False)
        return fails(capsys, tmp_path, "fit", tmp_path / "t.csv", "--out", tmp_path / "out", *arguments)

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--choice", "chosen_b"], "--choice chosen_b: t.csv has no such column; similar ones: chose_b"),
        (["--choice", "zzz"], "--choice zzz: t.csv has no such column; it has a_price, a_brand, b_price"),
        (["--group", "Person"], "--group Person: t.csv has no such column; similar ones: person"),
        (["--weight", "time"], "--weight time: t.csv has no such column; similar ones: times"),
        (["--option1-prefix", "c_"], "--option1-prefix 'c_' is the prefix of no column"),
        (["--features", "prise"], "--features names prise, but the options have price, brand"),
        (["--formula", "price + colour"], "uses colour, but the columns are"),
        (["--formula", "price +"], "--formula 'price +' could not be read"),
        (["--formula", "price + price.clip(2)"], "contains price.clip(2), and model files hold arithmetic"),
        (["--positive", "B"], "--positive B: column 'chose_b' has no such value; it holds"),
        (["--normalization", "prise"], "normalization must be 'rms', 'norm', the name of a feature"),
        (["--ridge", "-1"], "ridge must be a finite number >= 0"),
        (["--ridge", "1", "--link", "isotonic"], "with --link 'isotonic': an isotonic link"),
        (["--link", "spline", "--estimator", "ranking"], "--link chooses the links of --estimator profiled"),
        (["--ridge", "1", "--estimator", "orthogonal"], "--ridge does not belong to --estimator orthogonal"),
        (["--set", "person"], "--chosen"),
        (["--layout", "wide", "--set", "person"], "--set does not belong to the layout wide"),
        (["--comparison", "person", "--layout", "long"], "--choice does not belong to the layout long"),
        (["--wins", "times"], "by one of --choice, --probability, or --wins with --trials"),
        (["--option0-suffix", "_a"], "say which columns belong to which option"),
        (["--out", "no/where"], "--out no/where: there is no folder"),
    ],
)
def test_arguments_that_do_not_fit_the_table(failing_fit, arguments, message, wide_table):
    wide = WIDE if arguments[0] != "--set" else ["--layout", "choice-sets"]
    assert message in failing_fit(wide_table(), *wide, *arguments)


def test_answers_are_asked_for(failing_fit, wide_table):
    affixes = ["--option0-prefix", "a_", "--option1-prefix", "b_"]
    assert "name the column of the answers" in failing_fit(wide_table(), *affixes)
    assert "--wins and --trials belong together" in failing_fit(wide_table(), *affixes, "--wins", "times")
    assert "say which columns belong" in failing_fit(wide_table(), "--choice", "chose_b")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"chose_b": np.arange(240) % 3},
            "--choice 'chose_b' must hold 0/1 or booleans, but holds 3",
        ),
        ({"chose_b": np.where(np.arange(240) % 2, "left", "right")}, "for example --positive 'left'"),
        ({"chose_b": [np.nan, *np.ones(239)]}, "column 'chose_b' of the table is missing in 1 row(s)"),
        ({"a_price": [np.nan, *np.ones(239)]}, "column 'a_price' of the table is missing in 1 row(s)"),
        ({"a_price": [np.inf, *np.ones(239)]}, "contains inf in feature 'price'"),
        ({"a_price": ["free", *np.ones(239)]}, "column 'a_price' of t.csv is not numeric: it holds 'free'"),
        ({"a_size": 1}, "column(s) a_size have no partner"),
        ({"times": -1}, "--weight 'times' must be finite and not negative"),
        ({"times": 0}, "--weight 'times' are all zero"),
        ({"person": 1}, "all comparisons belong to one group"),
        ({"a_brand": "oak", "b_brand": "oak"}, "column 'brand' has the single level oak"),
    ],
)
def test_values_that_cannot_be_used(failing_fit, columns, message, wide_table):
    args = [*WIDE, "--group", "person", "--weight", "times"]
    assert message in failing_fit(wide_table().assign(**columns), *args)


def test_nothing_differs(failing_fit, wide_table):
    table = wide_table().assign(a_price=1.0, b_price=1.0)
    message = failing_fit(table, *WIDE, "--features", "price")
    assert "no feature differs between the two options of any comparison" in message


def test_one_answer_only(failing_fit, wide_table):
    message = failing_fit(wide_table().assign(chose_b=1), *WIDE, "--position-matters")
    assert "only one class" in message
    assert "--position-matters" in message


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda f: f.iloc[1:], [], "comparisons do not have exactly two rows"),
        (lambda f: f.assign(taken=1), [], "comparisons have both or neither option chosen"),
        (
            lambda f: f.assign(taken=2),
            [],
            "--chosen 'taken' must hold 0/1 or booleans, but holds 2: recode it.",
        ),
        (lambda f: f, ["--set", "id"], "--comparison does not belong to the layout choice-sets"),
    ],
)
def test_tables_with_two_rows_per_comparison(failing_fit, change, arguments, message, long_table):
    assert message in failing_fit(change(long_table()), *LONG, *arguments)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda f: f.assign(taken=0), SETS, "80 of 80 choice sets have no chosen alternative"),
        (lambda f: f.assign(open=0), [*SETS, "--available", "open"], "chosen alternative that was not"),
        (lambda f: f, [*SETS, "--ties", "half"], "--ties does not belong to the layout choice-sets"),
        (lambda f: f, ["--set", "trip"], "the layout choice-sets needs --chosen"),
        (lambda f: f, [*SETS, "--available", "opened"], "similar ones: open"),
    ],
)
def test_tables_with_a_row_per_alternative(failing_fit, change, arguments, message, choice_table):
    assert message in failing_fit(change(choice_table()), *arguments)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv", b"a_x,b_x,chose_b\n", "t.csv has columns but no rows"),
        ("t.csv", b"a_x;b_x;chose_b\n1;2;0\n", "looks separated by ';'; say so with --separator"),
        ("t.csv", b"a_x,b_x,a_x,chose_b\n1,2,3,0\n", "t.csv has more than one column 'a_x'"),
        ("t.csv", b"a_x,b_x,chose_b\n1,2,0\n1,2,3,4,5\n", "t.csv could not be read"),
        ("t.csv", b"a_x,b_x,chose_b\n\xff\xfe,2,0\n", "t.csv is not text in UTF-8"),
        ("t.parquet", b"no parquet", "t.parquet could not be read"),
        ("t.xlsx", b"PK", "the format is told by the ending of the name, one of .csv, .tsv, .parquet, .pq"),
        ("t", b"a,b\n", "the format is told by the ending"),
    ],
)
def test_files_that_are_no_tables(name, content, message, capsys, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert message in fails(capsys, tmp_path, "fit", tmp_path / name, "--out", tmp_path / "out", *WIDE)


def test_files_that_are_not_there(capsys, tmp_path):
    arguments = ["--out", tmp_path / "out", *WIDE]
    assert "there is no such file" in fails(capsys, tmp_path, "fit", tmp_path / "t.csv", *arguments)
    assert "is a folder; name a CSV" in fails(capsys, tmp_path, "fit", tmp_path, *arguments)


def test_a_column_without_a_name_is_no_feature(capsys, tmp_path, choice_table):
    choice_table().to_csv(tmp_path / "t.csv")  # pandas writes row numbers
    arguments = ["fit", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out"), *SETS, "--available", "open"]
    assert main([*arguments, "--no-diagnose"]) == 0
    assert re.search(r"features +3: mode\[T\.bus\], mode\[T\.car\], cost\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [[], ["fit"], ["fit", "t.csv"], ["grow"], ["demo", "--folds", "5"]])
def test_arguments_that_argparse_refuses(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "fault"), [("1", "must be at least 2"), ("two", "invalid integer value")])
def test_numbers_are_checked(value, fault, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "t.csv", "--out", "o", *WIDE, "--folds", value])
    assert fault in capsys.readouterr().err


# Prediction -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory, wide_table):
    folder = tmp_path_factory.mktemp("model")
    wide_table().to_csv(folder / "shop.csv", index=False)
    arguments = ["fit", str(folder / "shop.csv"), "--out", str(folder / "out"), *WIDE, *QUICK]
    assert main(arguments) == 0
    return folder / "out" / "model.json"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f.drop(columns="b_price"),
            "needs the column b_price: new.csv has no such",
        ),
        (
            lambda f: f.assign(b_brand="fir"),
            "column 'brand' holds fir, which did not occur when",
        ),
        (lambda f: f.assign(a_price="cheap"), "column 'price' must hold numbers"),
        (lambda f: f.assign(a_price=np.nan), "column 'a_price' of new.csv is missing in 240 row(s)"),
        (lambda f: f.iloc[:0], "new.csv has columns but no rows"),
    ],
)
def test_new_tables_that_do_not_fit_the_model(change, message, model, capsys, tmp_path, wide_table):
    change(wide_table()).to_csv(tmp_path / "new.csv", index=False)
    arguments = ["predict", model, tmp_path / "new.csv", "--out", tmp_path / "p.csv"]
    assert message in fails(capsys, tmp_path, *arguments)


def test_new_levels_under_a_formula(capsys, tmp_path, wide_table):
    wide_table().to_csv(tmp_path / "shop.csv", index=False)
    arguments = ["fit", str(tmp_path / "shop.csv"), "--out", str(tmp_path / "out"), *WIDE, *QUICK]
    assert main([*arguments, "--formula", "price + brand"]) == 0
    wide_table().assign(b_brand="fir").to_csv(tmp_path / "new.csv", index=False)
    message = fails(capsys, tmp_path, "predict", tmp_path / "out" / "model.json", tmp_path / "new.csv")
    assert "column 'brand' holds fir" in message


def test_models_that_cannot_be_read(model, capsys, tmp_path, wide_table):
    wide_table().to_csv(tmp_path / "new.csv", index=False)
    document = json.loads(model.read_text(encoding="utf-8"))
    del document["encoder"]
    (tmp_path / "bare.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    (tmp_path / "bad.joblib").write_bytes(b"no pickle")
    (tmp_path / "model.txt").write_text("")
    faults = {
        "gone.json": "there is no such file",
        "model.txt": "a model is a file model.json or model.joblib",
        "other.json": "is not a model file",
        "bare.json": "does not say how a table was read",
        "bad.joblib": "could not be read",
    }
    for name, message in faults.items():
        assert message in fails(capsys, tmp_path, "predict", tmp_path / name, tmp_path / "new.csv")


def test_predictions_are_not_replaced_silently(model, capsys, tmp_path, wide_table):
    wide_table().to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "p.csv").write_text("precious")
    arguments = ["predict", model, tmp_path / "new.csv", "--out", tmp_path / "p.csv"]
    assert "exists; name another file" in fails(capsys, tmp_path, *arguments)
    assert (tmp_path / "p.csv").read_text() == "precious"
    assert main([*map(str, arguments), "--overwrite"]) == 0
