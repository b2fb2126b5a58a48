"""The options of the command line as a table, and what they mean for a fit."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiindex import __version__
from semiindex.exceptions import InvalidParameterError
from semiindex.report.layouts import LAYOUTS, TableLayout

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FitSettings",
    "make_parser",
    "option_of",
    "read_diagnose_seconds",
    "read_layout",
    "read_settings",
    "with_values_of_column",
]


@dataclass(frozen=True)
class _Option:
    """One option: its flags, and the keyword arguments of `add_argument`."""

    flag: str
    help: str
    more: Mapping[str, Any] = field(default_factory=dict)


#: Seconds for the diagnostics: enough for all that need no menu, up to some ten thousand comparisons.
_DIAGNOSE_SECONDS = 20.0


def _integer_above(least: int) -> Any:
    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, got {value}")
        return value

    read.__name__ = "integer"  # argparse names it in its message
    return read


def _positive_number(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text}")
    return value


_positive_number.__name__ = "number"  # argparse names it in its message

_WIDE = (
    _Option("--option0-prefix", "prefix of the columns of option 0, such as a_"),
    _Option("--option1-prefix", "prefix of the columns of option 1, such as b_"),
    _Option("--option0-suffix", "suffix, if the columns are told apart by their ends"),
    _Option("--option1-suffix", "suffix of the columns of option 1"),
    _Option("--choice", "column of the answer: 1 if option 1 was preferred, 0 if option 0 was"),
    _Option("--positive", "value of --choice that means option 1, if it does not hold 0 and 1"),
    _Option("--tie-value", "value of --choice that marks a tie; nan for an empty cell"),
    _Option("--probability", "instead of --choice: column with the probability of option 1"),
    _Option("--wins", "instead of --choice: column with the number of times that option 1 won"),
    _Option("--trials", "with --wins: column with the number of comparisons"),
    _Option("--unit", "column with an id of the comparison, if several rows belong to one"),
)
_LONG = (
    _Option("--comparison", "column with the id of the comparison (two rows each)"),
    _Option("--chosen", "column with 1 for the preferred option and 0 for the others"),
)
_SETS = (
    _Option("--set", "column with the id of the choice set (a row per alternative)"),
    _Option("--available", "column with 1 for alternatives that could be chosen"),
)
_COMMON = (
    _Option("--ties", "ties count half for either option, are left out, or are an error",
            {"choices": ("half", "drop", "error")}),
    _Option("--group", "column of the raters: kept together in folds and in standard errors"),
    _Option("--weight", "column with the number of times that a row was observed"),
    _Option("--link-group", "column of classes of raters, each with a link of its own"),
    _Option("--features", "columns to use, without prefix; all by default", {"nargs": "+"}),
    _Option("--formula", "features by a formula, such as 'price + brand + price:income'"),
    _Option("--separator", "between the columns of a text file", {"metavar": "CHARACTER"}),
)  # fmt: skip
_MODEL = (
    _Option("--link", "class of links: smooth, or any nondecreasing function (default: spline)",
            {"choices": ("spline", "isotonic")}),
    _Option("--estimator", "how the index is learned without a known link: with the link profiled out, by "
            "the orthogonal score, or by ranking wins above losses (default: profiled)",
            {"choices": ("profiled", "orthogonal", "ranking"), "default": "profiled"}),
    _Option("--position-matters", "do not assume that the order of the options has no effect",
            {"action": "store_true"}),
    _Option("--ridge", "penalty on the coefficients; the slope of the link is then bounded (default: 0)",
            {"type": float, "default": 0.0, "metavar": "NUMBER"}),
    _Option("--normalization", "scale of the coefficients: rms, norm, or a feature whose coefficient is ±1",
            {"default": "rms", "metavar": "RULE"}),
    _Option("--folds", "folds of the cross-validation (default: 5)",
            {"type": _integer_above(2), "default": 5, "metavar": "NUMBER"}),
    _Option("--seed", "of the folds (default: 0)",
            {"type": _integer_above(0), "default": 0, "metavar": "NUMBER"}),
)  # fmt: skip
_DIAGNOSE = (
    _Option("--diagnose-seconds", "time for the diagnostics; the report names what does not fit into it "
            f"(default: {_DIAGNOSE_SECONDS:g})", {"type": _positive_number, "metavar": "NUMBER"}),
    _Option("--no-diagnose", "leave out the page of diagnostics", {"action": "store_true"}),
)  # fmt: skip
_QUIET = _Option("--quiet", "print nothing but warnings and errors", {"action": "store_true"})
_OVERWRITE = _Option("--overwrite", "replace the results of an earlier run", {"action": "store_true"})

_FIT = {
    "layout wide (a row per comparison)": _WIDE,
    "layout long (two rows per comparison)": _LONG,
    "layout choice-sets (a row per alternative), with --chosen": _SETS,
    "data": _COMMON,
    "model": _MODEL,
    "diagnostics": _DIAGNOSE,
    "output": (
        _Option("--out", "folder to write to", {"required": True, "metavar": "DIR", "type": Path}),
        _OVERWRITE,
        _QUIET,
    ),
}
_PREDICT = {
    "output": (
        _Option("--out", "CSV file to write; standard output by default", {"metavar": "FILE", "type": Path}),
        _OVERWRITE,
        _Option("--separator", "between the columns of a text file", {"metavar": "CHARACTER"}),
    ),
}
_DEMO = {
    "model": _MODEL[:1],
    "diagnostics": _DIAGNOSE,
    "output": (
        _Option("--out", "folder to write to (default: semiindex-demo)",
                {"metavar": "DIR", "type": Path, "default": Path("semiindex-demo")}),
        _OVERWRITE,
        _QUIET,
    ),
}  # fmt: skip

_SIMULATE = {
    "run": (
        _Option("--jobs", "number of processes (default: 1)",
                {"type": _integer_above(1), "default": 1, "metavar": "NUMBER"}),
        _Option("--replications", "in place of the number in the file",
                {"type": _integer_above(1), "metavar": "NUMBER"}),
        _Option("--resume", "continue a run that was stopped, or extend one: what is finished is kept",
                {"action": "store_true"}),
        _Option("--retry-failed", "with --resume: do fits again that ended with an error",
                {"action": "store_true"}),
    ),
    "output": (
        _Option("--out", "folder to write to", {"metavar": "DIR", "type": Path}),
        _OVERWRITE,
        _QUIET,
    ),
}  # fmt: skip

_EXAMPLES = """\
examples:
  semiindex demo
  semiindex fit trips.csv --option0-prefix a_ --option1-prefix b_ --choice chose_b --group person --out result
  semiindex fit choices.csv --set trip --chosen taken --formula "mode + cost + time" --out result
  semiindex predict result/model.json new_trips.csv --out predictions.csv
  semiindex simulate quick --out study
"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of `semiindex` with its commands fit, predict, demo and simulate."""
    parser = argparse.ArgumentParser(
        prog="semiindex",
        description="Preference learning without a link function: from a table of comparisons to a report.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"semiindex {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    fit = commands.add_parser("fit", help="fit a table of comparisons and write a report")
    fit.add_argument("table", type=Path, metavar="TABLE", help="a CSV, TSV or Parquet file")
    fit.add_argument("--layout", choices=tuple(LAYOUTS), help="told by the options given, if left out")
    _add(fit, _FIT)
    predict = commands.add_parser("predict", help="predict new comparisons by a model that fit wrote")
    predict.add_argument(
        "model", type=Path, metavar="MODEL", help="model.json, or a model.joblib that you trust"
    )
    predict.add_argument("table", type=Path, metavar="NEW", help="a table of the layout of the fit")
    _add(predict, _PREDICT)
    demo = commands.add_parser("demo", help="fit built-in data on travel modes and write a report")
    _add(demo, _DEMO)
    simulate = commands.add_parser("simulate", help="run a simulation study that a TOML file describes")
    what = simulate.add_mutually_exclusive_group(required=True)
    what.add_argument("study", nargs="?", metavar="STUDY", help="a TOML file, or the name of a ready study")
    what.add_argument("--list", action="store_true", help="name the studies that come with the package")
    _add(simulate, _SIMULATE)
    return parser


def _add(parser: argparse.ArgumentParser, groups: Mapping[str, tuple[_Option, ...]]) -> None:
    for title, options in groups.items():
        group = parser.add_argument_group(title)
        for option in options:
            more: dict[str, Any] = {"metavar": "TEXT"} if _takes_text(option) else {}
            group.add_argument(option.flag, help=option.help, **more, **option.more)


def _takes_text(option: _Option) -> bool:
    return not {"choices", "action", "metavar"} & set(option.more)


@dataclass(frozen=True)
class FitSettings:
    """What to fit, and how to compare.

    Attributes
    ----------
    link : {"spline", "isotonic"}
        Class of links of the profiled estimator.
    antisymmetric : bool
        Whether position has no effect.
    ridge : float
        Penalty.
    normalization : str
        Scale of the coefficients.
    n_folds, seed : int
        Of the cross-validation.
    estimator : {"profiled", "orthogonal", "ranking"}
        How the index is learned without a known link.
    diagnose_seconds : float or None
        Time for the diagnostics; None for none.
    """

    link: str = "spline"
    antisymmetric: bool = True
    ridge: float = 0.0
    normalization: str = "rms"
    n_folds: int = 5
    seed: int = 0
    estimator: str = "profiled"
    diagnose_seconds: float | None = _DIAGNOSE_SECONDS

    @property
    def description(self) -> str:
        """How the index is learned, in two words."""
        return {"orthogonal": "orthogonal score", "ranking": "rank criterion"}.get(
            self.estimator, f"{self.link} link"
        )


def read_settings(options: argparse.Namespace) -> FitSettings:
    """The settings of a fit.

    Raises
    ------
    InvalidParameterError
        If an option has no meaning for the estimator.
    """
    if options.link is not None and options.estimator != "profiled":
        raise InvalidParameterError(
            f"--link chooses the links of --estimator profiled; --estimator {options.estimator} fits its "
            "link afterwards: leave it out."
        )
    if options.ridge != 0 and options.estimator == "orthogonal":
        raise InvalidParameterError(
            "--ridge does not belong to --estimator orthogonal, whose score gives the coefficients no scale "
            "to shrink; leave it out, or use --estimator profiled."
        )
    return FitSettings(
        options.link or FitSettings.link,
        not options.position_matters,
        options.ridge,
        options.normalization,
        options.folds,
        options.seed,
        options.estimator,
        read_diagnose_seconds(options),
    )


def read_diagnose_seconds(options: argparse.Namespace) -> float | None:
    """Time for the diagnostics; None for none.

    Raises
    ------
    InvalidParameterError
        If a time is given and the diagnostics are left out.
    """
    if not options.no_diagnose:
        return options.diagnose_seconds or FitSettings.diagnose_seconds
    if options.diagnose_seconds is not None:
        raise InvalidParameterError(
            "--no-diagnose leaves out what --diagnose-seconds gives time to; leave one of them out."
        )
    return None


def _names(options: tuple[_Option, ...]) -> tuple[str, ...]:
    return tuple(option.flag.removeprefix("--").replace("-", "_") for option in options)


#: Layout -> options that belong to it, besides those of all layouts.
_OF_LAYOUT = {
    "wide": _names(_WIDE),
    "long": _names(_LONG),
    "choice-sets": (*_names(_SETS), "chosen"),
}
_OF_ALL = ("group", "weight", "link_group", "features", "formula")


def read_layout(options: argparse.Namespace) -> TableLayout:
    """The layout that the options describe.

    Raises
    ------
    InvalidParameterError
        If an option is missing, or belongs to another layout.
    """
    given = {name for names in _OF_LAYOUT.values() for name in names if getattr(options, name) is not None}
    kind = options.layout or (
        "choice-sets" if "set" in given else "long" if "comparison" in given else "wide"
    )
    foreign = sorted(given - set(_OF_LAYOUT[kind]))
    if foreign:
        raise InvalidParameterError(
            f"{option_of(foreign[0])} does not belong to the layout {kind}; its options are "
            f"{', '.join(option_of(name) for name in _OF_LAYOUT[kind])}."
        )
    names = (*_OF_LAYOUT[kind], *_OF_ALL, *(("ties",) if kind != "choice-sets" else ()))
    arguments = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if kind == "wide":
        return TableLayout(kind, _wide_arguments(arguments))
    required = ("comparison" if kind == "long" else "set", "chosen")
    _require(required, arguments, kind)
    if kind == "choice-sets" and options.ties is not None:
        raise InvalidParameterError(
            "--ties does not belong to the layout choice-sets: one alternative is chosen."
        )
    return TableLayout(kind, arguments)


def _wide_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Prefixes and suffixes as the builder takes them; exactly one kind of answer."""
    affixes = [name for name in arguments if name.endswith(("_prefix", "_suffix"))]
    kinds = {name.partition("_")[2] for name in affixes}
    if len(kinds) != 1 or len(affixes) != 2:
        raise InvalidParameterError(
            "say which columns belong to which option: --option0-prefix and --option1-prefix (or "
            "--option0-suffix and --option1-suffix); for a table with a row per option use --comparison or "
            "--set."
        )
    answers = [name for name in ("choice", "probability", "wins") if name in arguments]
    if len(answers) != 1:
        raise InvalidParameterError(
            "name the column of the answers by one of --choice, --probability, or --wins with --trials."
        )
    if ("wins" in arguments) != ("trials" in arguments):
        raise InvalidParameterError("--wins and --trials belong together: give both.")
    affix = kinds.pop()
    options = {f"option{side}": arguments[f"option{side}_{affix}"] for side in (0, 1)}
    rest = {name: value for name, value in arguments.items() if name not in affixes}
    return options | {"affix": affix} | rest


def _require(names: tuple[str, ...], arguments: Mapping[str, Any], kind: str) -> None:
    missing = [option_of(name) for name in names if name not in arguments]
    if missing:
        raise InvalidParameterError(f"the layout {kind} needs {' and '.join(missing)}.")


def option_of(name: str, layout: TableLayout | None = None) -> str:
    """The option that sets an argument of a builder."""
    if name in ("option0", "option1"):
        affix = "prefix" if layout is None else layout.arguments.get("affix", "prefix")
        return f"--{name}-{affix}"
    return "--" + name.replace("_", "-")


def with_values_of_column(layout: TableLayout, frame: pd.DataFrame) -> TableLayout:
    """The layout with --positive and --tie-value as values of the column, not as the text typed."""
    arguments = dict(layout.arguments)
    for name in ("positive", "tie_value"):
        if name in arguments:
            arguments[name] = _value_of(frame, arguments["choice"], arguments[name], option_of(name))
    return TableLayout(layout.kind, arguments)


def _value_of(frame: pd.DataFrame, column: str, text: str, option: str) -> Any:
    values = frame[column].dropna().unique().tolist()
    for value in values:
        if str(value) == text or (isinstance(value, int | float) and _as_number(text) == value):
            return value
    if text.lower() == "nan":
        return float("nan")
    raise InvalidParameterError(
        f"{option} {text}: column {column!r} has no such value; it holds {', '.join(map(str, values[:6]))}."
    )


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
