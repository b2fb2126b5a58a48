"""Writing results whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from semiindex.exceptions import InvalidDataError

__all__ = ["FILES", "check_folder", "fill_folder", "new_folder", "write_file"]

#: The files of a result: only a folder with no others in it is ever replaced.
FILES = ("report.html", "coefficients.csv", "link.csv", "model.joblib", "model.json")


def check_folder(target: Path, *, overwrite: bool, known: Collection[str] = FILES) -> None:
    """Refuse a folder that cannot be written, or that holds anything worth keeping.

    Parameters
    ----------
    target : Path
        The folder to write.
    overwrite : bool
        Whether results of an earlier run may be replaced.
    known : collection of str, default=FILES
        Names of the files of a result.

    Raises
    ------
    InvalidDataError
        If it is a file or the current folder, its parent does not exist, or it is not empty.
    """
    _require_parent(target)
    if target.exists() and not target.is_dir():
        raise InvalidDataError(f"--out {target} is a file; name a folder.")
    if target.resolve() == Path.cwd():
        raise InvalidDataError(f"--out {target} is the current folder; name a new one in it.")
    inside = sorted(entry.name for entry in target.iterdir()) if target.is_dir() else []
    foreign = [name for name in inside if name not in known]
    if foreign:
        raise InvalidDataError(
            f"--out {target} holds other files ({', '.join(foreign[:3])}), which are never replaced; "
            "name another folder."
        )
    if inside and not overwrite:
        raise InvalidDataError(
            f"--out {target} holds the results of an earlier run; name another folder, or add --overwrite."
        )


def _require_parent(target: Path) -> None:
    parent = target.resolve().parent
    if not parent.is_dir():
        raise InvalidDataError(f"--out {target}: there is no folder {parent}; make it first.")


@contextmanager
def new_folder(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder to write to that becomes `target` when all is written, and vanishes if not.

    Parameters
    ----------
    target : Path
        The folder to write.
    overwrite : bool
        Whether results of an earlier run may be replaced; they are, only when the new ones are
        complete.

    Yields
    ------
    Path
        A new folder beside `target`.
    """
    target = target.resolve()
    check_folder(target, overwrite=overwrite)
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    partial.mkdir()
    try:
        yield partial
        check_folder(target, overwrite=overwrite)
        _replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def fill_folder(target: Path, known: Sequence[str]) -> Iterator[Path]:
    """A folder to write to whose files move into `target` when all are written, for folders that stay.

    Parameters
    ----------
    target : Path
        An existing folder.
    known : sequence of str
        Names of files and folders of a result, in the order in which they move. Old ones are replaced,
        or removed where the new result has none; whatever else is in the folder stays.

    Yields
    ------
    Path
        A new folder beside `target`.
    """
    target = target.resolve()
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    partial.mkdir()
    try:
        yield partial
        for name in known:
            old = target / name
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)
            if (partial / name).exists():
                os.replace(partial / name, old)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, target: Path) -> None:
    """Put a complete folder in place of an old one, which comes back if that fails."""
    if not target.exists():
        partial.rename(target)
        return
    old = target.with_name(f".{target.name}.{uuid4().hex[:8]}.old")
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_file(target: Path, write: Callable[[Path], None], *, overwrite: bool) -> None:
    """Write one file by way of a temporary one beside it.

    Parameters
    ----------
    target : Path
        The file.
    write : callable
        Writes the file that it is given.
    overwrite : bool
        Whether an existing file may be replaced.
    """
    _require_parent(target)
    if target.is_dir():
        raise InvalidDataError(f"--out {target} is a folder; name a file.")
    if target.exists() and not overwrite:
        raise InvalidDataError(f"--out {target} exists; name another file, or add --overwrite.")
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    try:
        write(partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
