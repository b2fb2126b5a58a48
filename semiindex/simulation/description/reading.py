"""`read_study`: from a TOML file to a study that was tried out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from semiindex.exceptions import InvalidDataError
from semiindex.simulation.description.designs import read_design
from semiindex.simulation.description.estimators import read_estimator
from semiindex.simulation.description.metrics import read_metrics
from semiindex.simulation.description.table import Table
from semiindex.simulation.description.trial import try_out
from semiindex.simulation.description.truths import TruthReader
from semiindex.simulation.study import Study
from semiindex.simulation.truth import TruthSource

__all__ = ["STUDY_KEYS", "StudyDescription", "read_study", "ready_studies"]

_REPLICATIONS = re.compile(r"""^[ \t]*["']?replications["']?[ \t]*=[ \t]*[0-9xob_]+""", re.MULTILINE)
_STUDIES = files("semiindex.simulation") / "studies"


@dataclass(frozen=True)
class StudyDescription:
    """A study with what a report says of it.

    Attributes
    ----------
    study : Study
        Ready to run.
    title : str
        What it is about.
    baseline : str or None
        Estimator that the others are compared with.
    text : str
        The file.
    """

    study: Study
    title: str
    baseline: str | None
    text: str

    def with_replications(self, replications: int) -> StudyDescription:
        """The description with another number of replications, which its text says, too.

        Parameters
        ----------
        replications : int
            Samples per cell.

        Returns
        -------
        StudyDescription
        """
        study = replace(self.study, replications=replications)
        return replace(self, study=study, text=_with_replications(self.text, study.replications))


def _with_replications(text: str, replications: int) -> str:
    """The text with the number in its place, or in a line before all others, where no table is open."""
    wanted = tomllib.loads(text) | {"replications": replications}
    line = f"replications = {replications}"
    changed = [text[: old.start()] + line + text[old.end() :] for old in _REPLICATIONS.finditer(text)]
    # Lines of a text of several lines may look like the key.
    return next((new for new in changed if tomllib.loads(new) == wanted), f"{line}\n{text}")


def ready_studies() -> dict[str, str]:
    """Studies that come with the package.

    Returns
    -------
    dict
        Names, for `read_study` and ``semiindex simulate``, with their titles.

    Examples
    --------
    >>> from semiindex.simulation import ready_studies
    >>> sorted(ready_studies())
    ['full', 'quick']
    """
    names = sorted(path.name.removesuffix(".toml") for path in _STUDIES.iterdir())
    return {name: tomllib.loads(_ready_text(name))["title"] for name in names}


def _ready_text(name: str) -> str:
    return (_STUDIES / f"{name}.toml").read_text(encoding="utf-8")


def read_study(source: str | Path) -> StudyDescription:
    """Read a study from a TOML file.

    Parameters
    ----------
    source : str or Path
        A file, or the name of one of `ready_studies`.

    Returns
    -------
    StudyDescription

    Raises
    ------
    InvalidDataError
        If there is no such file, or it is no TOML.
    InvalidParameterError
        If a key is missing, unknown or has a value without a meaning; the message names the key.

    Notes
    -----
    Every truth is drawn on every design, every estimator fitted to a small sample of every design, and every
    metric taken of it, so that what does not fit together is said here and not in every row of the table.

    Examples
    --------
    >>> from semiindex.simulation import read_study
    >>> description = read_study("quick")
    >>> description.baseline
    'told the link'
    """
    name = str(source)
    if name in ready_studies():
        text = _ready_text(name)
    else:
        text = _text_of(Path(source))
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDataError(f"{name} is no TOML file: {error}") from error
    return _describe(Table(values, Path(name).name), text)


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidDataError(
            f"{path}: there is no such file, and no ready study of this name; those are "
            f"{', '.join(ready_studies())}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path} is no text in UTF-8: {error}") from error


#: Keys of the file itself.
STUDY_KEYS = (
    "title", "n", "replications", "seed", "strength", "n_evaluation", "common_random_numbers", "baseline",
    "metrics", "budgets", "truths", "designs", "estimators",
)  # fmt: skip


def _describe(table: Table, text: str) -> StudyDescription:
    table.refuse_unknown(STUDY_KEYS)
    parts = {key: table.tables(key) for key in ("truths", "designs", "estimators")}
    designs = {name: read_design(part) for name, part in parts["designs"].items()}
    estimators = {name: read_estimator(part) for name, part in parts["estimators"].items()}
    arguments = {
        "truths": _truths(table, parts["truths"], TruthReader(designs)),
        "designs": designs,
        "n": table.integers("n"),
        "estimators": estimators,
        "metrics": read_metrics(table),
        "replications": table.get("replications", "int", 100),
        "random_state": table.get("seed", "int", 0),
        "n_evaluation": table.get("n_evaluation", "int", 2000),
        "common_random_numbers": table.get("common_random_numbers", "bool", False),
        "strength": _strength(table),
    }
    study = table.call(Study, arguments)
    baseline = table.get("baseline", "str", None)
    if baseline is not None and baseline not in estimators:
        raise table.error("baseline", f"must be one of the estimators {list(estimators)}, got {baseline!r}")
    try_out(study, table)
    return StudyDescription(study, table.get("title", "str", "Simulation study"), baseline, text)


def _truths(table: Table, parts: Mapping[str, Table], reader: TruthReader) -> dict[str, TruthSource]:
    truths: dict[str, TruthSource] = {}
    for name, part in parts.items():
        for key, truth in reader.read(name, part).items():
            if key in truths:
                raise table.error(f"truths.{name}", f"there is another truth {key!r}: give one another name")
            truths[key] = truth
    return truths


def _strength(table: Table) -> float | None:
    """A number, or False for links as they are: TOML has no None."""
    if table.values.get("strength") is False:
        return None
    strength: float = table.get("strength", "float", 0.25)
    return strength
