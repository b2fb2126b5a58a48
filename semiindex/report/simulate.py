"""``semiindex simulate``: runs the study that a file describes, and writes tables, pictures and a report."""

from __future__ import annotations

import shutil
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.report.output import check_folder, fill_folder
from semiindex.report.study_html import means_table, render_study
from semiindex.report.study_pictures import StudyPicture, study_pictures
from semiindex.simulation.description import StudyDescription, read_study, ready_studies
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CACHE", "STUDY_FILES", "list_studies", "simulate"]

#: What a run writes, in the order in which it appears: the report says that all is there.
STUDY_FILES = ("study.toml", "results.csv", "results.parquet", "summary.csv", "pictures", "report.html")
#: Folder of finished blocks.
CACHE = "cache"
#: Rows of a table that is printed.
_MOST_ROWS = 40


def list_studies() -> None:
    """Print the names and titles of the studies that come with the package."""
    for name, title in ready_studies().items():
        print(f"{name:8s} {title}")


def simulate(options: Namespace, typed: str) -> None:
    """Run a study and write its results.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command ``simulate``.
    typed : str
        The command line.
    """
    if options.out is None:
        raise InvalidParameterError("--out DIR is missing: name a folder to write to.")
    description = read_study(options.study)
    if options.replications is not None:
        description = description.with_replications(options.replications)
    _check_target(options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _run(description, options)
        pictures = study_pictures(result, description.baseline)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        print(f"semiindex simulate: warning: {message}", file=sys.stderr)
    _write(result, description, pictures, options.out, typed)
    if not options.quiet:
        _print_result(result, options.out)


def _check_target(options: Namespace) -> None:
    """Refuse a folder with anything that the run would lose."""
    kept = options.out / CACHE
    if kept.exists() and not (options.resume or options.overwrite):
        raise InvalidDataError(
            f"--out {options.out} holds an earlier run; add --resume to continue or extend it, --overwrite "
            "to begin anew, or name another folder."
        )
    check_folder(options.out, overwrite=options.resume or options.overwrite, known=(*STUDY_FILES, CACHE))
    if options.overwrite and not options.resume:
        shutil.rmtree(kept, ignore_errors=True)


def _run(description: StudyDescription, options: Namespace) -> StudyResult:
    """The study, with a cache in its folder where Parquet can be written."""
    cache = options.out / CACHE if find_spec("pyarrow") else None
    if cache is None:
        warnings.warn(
            "pyarrow is not installed, so that finished work is not kept: a run that is stopped begins "
            'anew. pip install "semiindex[parquet]" mends that.',
            stacklevel=2,
        )
    progress = not options.quiet and sys.stderr.isatty()
    with _made(options.out):
        return description.study.run(
            n_jobs=options.jobs, cache=cache, progress=progress, retry_failed=options.retry_failed
        )


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder, which vanishes again if it was new and nothing was finished in it."""
    new = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        yield
    except BaseException:
        if new and not any(folder.rglob("*.parquet")):
            shutil.rmtree(folder)
        raise


def _write(
    result: StudyResult, description: StudyDescription, pictures: list[StudyPicture], out: Path, typed: str
) -> None:
    """All files, when all could be made."""
    from matplotlib.figure import Figure

    with fill_folder(out, STUDY_FILES) as folder:
        (folder / "study.toml").write_text(description.text, encoding="utf-8")
        result.frame.to_csv(folder / "results.csv", index=False)
        if find_spec("pyarrow"):
            result.save(folder / "results.parquet")
        result.summary(description.baseline).to_csv(folder / "summary.csv", index=False)
        (folder / "pictures").mkdir()
        for picture in pictures:
            figure = Figure(figsize=picture.size, layout="constrained")
            picture.draw(figure)
            figure.savefig(folder / "pictures" / f"{picture.name}.png", dpi=150)
        page = render_study(result, description, pictures, typed)
        (folder / "report.html").write_text(page, encoding="utf-8")


def _print_result(result: StudyResult, out: Path) -> None:
    print(f"{result!r}\n")
    if result.metrics:
        metric = result.metrics[0]
        table: pd.DataFrame = means_table(result, metric)
        print(f"Mean {metric} ± its Monte Carlo standard error")
        print(table.head(_MOST_ROWS).to_string(index=False))
        if len(table) > _MOST_ROWS:
            print(f"... and {len(table) - _MOST_ROWS} more rows, all of them in summary.csv")
        print()
    print(f"Report: {out / 'report.html'}\nAlso in {out}: {', '.join(STUDY_FILES[:-1])}")
