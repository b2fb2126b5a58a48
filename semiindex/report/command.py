"""The command line: ``semiindex fit``, ``predict``, ``demo`` and ``simulate``."""

from __future__ import annotations

import os
import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiindex.exceptions import InvalidDataError, SemiindexError
from semiindex.report.arguments import (
    FitSettings,
    make_parser,
    option_of,
    read_diagnose_seconds,
    read_layout,
    read_settings,
    with_values_of_column,
)
from semiindex.report.layouts import TableLayout

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.report.analysis import Analysis, Reading

__all__ = ["main"]

_DEMO_FORMULA = "mode + ttme + invc + invt + air:hinc"
_DEMO_TABLE = "travel mode choice"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the name of the program; None takes those of the process.

    Returns
    -------
    int
        0, or 2 where the input was at fault: standard error then says how, in one line, and nothing
        was written. Faults of the arguments themselves leave by `SystemExit`, as with argparse.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = make_parser().parse_args(arguments)
    typed = shlex.join(["semiindex", *arguments])
    try:
        _COMMANDS[options.command](options, typed)
    except BrokenPipeError:  # whoever read the output has read enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open until the end of the process
    except (SemiindexError, OSError) as error:
        print(f"semiindex {options.command}: error: {_in_options(str(error), options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "continue with --resume" if options.command == "simulate" else "nothing was written"
        print(f"semiindex {options.command}: interrupted, {kept}", file=sys.stderr)
        return 130
    return 0


#: Arguments of the library that have an option of their name.
_ARGUMENTS = (
    "option0", "option1", "choice", "probability", "wins", "trials", "positive", "tie_value", "ties", "unit",
    "comparison", "set", "chosen", "available", "features", "formula", "weight", "group", "link_group",
    "ridge", "normalization", "link",
)  # fmt: skip


def _in_options(message: str, options: Namespace) -> str:
    """A message of the library in the words of the command line, on one line."""
    if options.command == "simulate":  # its arguments are keys of a file, named as in the library
        return " ".join(message.split())
    affix = "suffix" if getattr(options, "option0_suffix", None) else "prefix"
    layout = TableLayout("wide", {"affix": affix})

    def flag(match: re.Match[str]) -> str:
        space = " " if re.match(r"[\w'\"\[]", match[2]) else ""
        return option_of(match[1], layout) + space

    text = " ".join(message.split())
    text = re.sub(r", for example with df\[[^\]]*\] == value", "", text).replace(" of df", " of the table")
    text = re.sub("^features names", "--features names", text)
    text = text.replace("antisymmetric=False", "--position-matters")
    text = text.replace("antisymmetric=True", "a fit without --position-matters")
    return re.sub(rf"(?<![\w-])({'|'.join(_ARGUMENTS)})=(?=(.?))", flag, text)


def _fit(options: Namespace, typed: str) -> None:
    from semiindex.report.output import check_folder
    from semiindex.report.tables import read_table, require_columns

    layout = read_layout(options)
    check_folder(options.out, overwrite=options.overwrite)
    frame = read_table(options.table, separator=options.separator)
    wanted = {option_of(name, layout): column for name, column in layout.columns().items()}
    require_columns(frame, wanted, options.table.name)
    layout = with_values_of_column(layout, frame)
    _analyse_and_write(frame, layout, options.table.name, read_settings(options), options, typed)


def _demo(options: Namespace, typed: str) -> None:
    from semiindex.datasets import load_travel_mode
    from semiindex.report.output import check_folder

    check_folder(options.out, overwrite=options.overwrite)
    data = load_travel_mode()
    roles = {"set": "individual", "chosen": "choice", "group": "individual", "formula": _DEMO_FORMULA}
    layout = TableLayout("choice-sets", roles)
    _say(options, _DEMO_TEXT.rstrip())
    settings = FitSettings(
        link=options.link or FitSettings.link, diagnose_seconds=read_diagnose_seconds(options)
    )
    _analyse_and_write(data.frame, layout, _DEMO_TABLE, settings, options, typed)


_DEMO_TEXT = f"""\
210 travellers between Sydney, Canberra and Melbourne each chose one of four modes: car, air, train
or bus. A table of yours in this layout is fitted by

  semiindex fit TABLE.csv --set individual --chosen choice --group individual \\
      --formula "{_DEMO_FORMULA}" --out DIR
"""


def _analyse_and_write(
    frame: pd.DataFrame,
    layout: TableLayout,
    table: str,
    settings: FitSettings,
    options: Namespace,
    typed: str,
) -> None:
    """Print and write everything; the printing follows the steps, the folder appears at the end."""
    from semiindex.report import text
    from semiindex.report.analysis import analyse, read_comparisons
    from semiindex.report.diagnosis_page import diagnosis_text
    from semiindex.report.output import FILES
    from semiindex.report.progress import progress_bar

    reading = read_comparisons(frame, layout, table)
    data = _how_it_was_read(reading)  # what a model file cannot hold is said before the fits
    _say(options, text.reading_text(reading))
    analysis = analyse(reading, settings, progress_bar("cross-validation", quiet=options.quiet))
    for warning in analysis.warnings:
        print(f"semiindex {options.command}: warning: {warning}", file=sys.stderr)
    for part in (text.coefficient_text, text.held_out_text, diagnosis_text, text.notes_text):
        _say(options, part(analysis))
    _write(analysis, data, options.out, typed, overwrite=options.overwrite)
    report = options.out / FILES[0]
    _say(options, f"Report: {report}\nAlso in {options.out}: {', '.join(FILES[1:])}", last=True)


def _say(options: Namespace, paragraph: str, *, last: bool = False) -> None:
    if not options.quiet and paragraph:
        print(paragraph, end="\n" if last else "\n\n", flush=True)


def _how_it_was_read(reading: Reading) -> dict[str, Any]:
    """What `predict` needs beside the model."""
    return {
        "table": {"layout": reading.layout.kind, "arguments": reading.layout.arguments},
        "encoder": reading.encoder.to_dict(),
    }


def _write(analysis: Analysis, data: dict[str, Any], out: Path, typed: str, *, overwrite: bool) -> None:
    """All files of the result, or none."""
    import joblib

    from semiindex.report.html import render_report
    from semiindex.report.model_file import write_model
    from semiindex.report.output import new_folder

    model = analysis.free
    with new_folder(out, overwrite=overwrite) as folder:
        (folder / "report.html").write_text(render_report(analysis, typed), encoding="utf-8")
        _coefficient_table(analysis).to_csv(folder / "coefficients.csv")
        _link_table(analysis).to_csv(folder / "link.csv", index=False)
        write_model(folder / "model.json", model, **data)
        model.table_ = data  # so that the command can predict from the pickle as well
        joblib.dump(model, folder / "model.joblib")


def _coefficient_table(analysis: Analysis) -> pd.DataFrame:
    table = analysis.coefficients().set_axis(["link_free", "logistic"], axis="columns")
    return table.assign(normalization=analysis.free.normalization_)


def _link_table(analysis: Analysis) -> pd.DataFrame:
    """The curves of the picture of the link; a block of rows per class of raters."""
    import pandas as pd

    display = analysis.link_display()
    parts = []
    for curve in display.curves:
        columns: dict[str, Any] = {"link_class": curve.name} if len(display.curves) > 1 else {}
        columns |= {"index": display.index, "probability": curve.probability}
        columns |= {} if display.logistic is None else {"logistic": display.logistic}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _predict(options: Namespace, typed: str) -> None:
    from semiindex.data.encoding import OptionEncoder
    from semiindex.report.output import write_file
    from semiindex.report.tables import read_table

    model, data = _load(options.model)
    encoder = OptionEncoder.from_dict(data["encoder"])
    layout = TableLayout(data["table"]["layout"], data["table"]["arguments"])
    text_columns = layout.text_columns(encoder)
    frame = read_table(options.table, separator=options.separator, text_columns=text_columns)
    new = layout.read_new(frame, encoder, options.table.name, by_class=model.links_ is not None)
    result = new.labels.assign(
        index=model.index_.design(new.pairs).matvec(model.coef_),
        probability=model.predict_proba(new.pairs)[:, 1],
    )
    if options.out is None:
        result.to_csv(sys.stdout, index=False)
    else:
        write_file(options.out, lambda path: result.to_csv(path, index=False), overwrite=options.overwrite)


def _load(path: Path) -> tuple[Any, dict[str, Any]]:
    """A model that `fit` wrote, and how it read its table."""
    if not path.is_file():
        raise InvalidDataError(f"{path}: there is no such file.")
    if path.suffix not in (".json", ".joblib"):
        raise InvalidDataError(f"{path}: a model is a file model.json or model.joblib.")
    if path.suffix == ".json":
        from semiindex.report.model_file import read_model

        model, data = read_model(path)
    else:
        model = _load_pickle(path)
        data = getattr(model, "table_", {})
    if "encoder" not in data or "table" not in data:
        raise InvalidDataError(
            f"{path} does not say how a table was read; use a model that `semiindex fit` wrote."
        )
    return model, data


def _load_pickle(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # a pickle can fail in any way
        raise InvalidDataError(f"{path} could not be read: {type(error).__name__}: {error}.") from error


def _simulate(options: Namespace, typed: str) -> None:
    from semiindex.report.simulate import list_studies, simulate

    if options.list:
        list_studies()
    else:
        simulate(options, typed)


_COMMANDS: dict[str, Callable[[Namespace, str], None]] = {
    "fit": _fit,
    "predict": _predict,
    "demo": _demo,
    "simulate": _simulate,
}


if __name__ == "__main__":
    raise SystemExit(main())
