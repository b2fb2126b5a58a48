"""Finished parts of a study on disk: written atomically, recognised, and never computed twice."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation.cells import Block, Cell
from semiindex.simulation.identity import fingerprint
from semiindex.simulation.replication import FIT, NAMES, Row

__all__ = ["StudyCache", "require_pyarrow", "write_atomically"]

_MANIFEST = "study.json"
_UNFINISHED = ".unfinished"
#: Seconds after which an unfinished file has no writer any more; one takes a fraction of a second.
_ABANDONED = 3600.0
#: Parts of a definition that a study may have more or fewer of.
_GROWING = ("truths", "designs", "estimators")


def require_pyarrow(purpose: str) -> None:
    """Refuse, with the remedy, where Parquet files cannot be written."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs the package pyarrow, which is missing: install it with: "
            "pip install 'semiindex[parquet]'"
        ) from error


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there: nobody ever sees half of it."""
    # Not of `tempfile`, whose files nobody else may read, also when they are finished.
    temporary = path.with_name(f"{path.name}.{uuid4().hex}{_UNFINISHED}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Errors of the file system with the path, and what it was wanted for."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"{what} ({error.strerror or error}); nothing was removed. Check the disk and the permissions, "
            "and run the study again",
            str(path),
        ) from error


class StudyCache:
    """A folder of finished fits of one study.

    ``study.json`` holds fingerprints of the definition; ``parts`` a Parquet file per block. The study
    may be continued with more truths, designs, estimators, sizes or replications, or with fewer: names
    that both have must mean the same. Everything else that numbers depend on must be equal. A folder
    that has all that a study needs may be read-only.

    Parameters
    ----------
    folder : Path
        Where; it is made if it does not exist.
    definition : mapping
        Entries ``"truths"``, ``"designs"``, ``"estimators"`` and ``"metrics"``: fingerprints by name.
        The metrics, and all other entries, must not change.

    Raises
    ------
    InvalidParameterError
        If the folder belongs to another study, or is full of something else.
    ImportError
        If pyarrow is missing.
    OSError
        If the folder cannot be made, read or written.
    """

    def __init__(self, folder: Path, definition: Mapping[str, Any]) -> None:
        require_pyarrow("Study.run(cache=...)")
        self.folder = folder
        self.parts = folder / "parts"
        self._claim(dict(definition))
        with _explained(self.parts, "this folder of the study's cache cannot be made"):
            self.parts.mkdir(exist_ok=True)
        self._clear()

    def _claim(self, definition: dict[str, Any]) -> None:
        """Compare the folder's definition with this one, and note what is new."""
        manifest = self.folder / _MANIFEST
        known: dict[str, Any] | None = None
        if manifest.is_file():
            known = self._read_manifest(manifest)
            changed = _changes(known, definition)
            if changed:
                raise InvalidParameterError(
                    f"cache={str(self.folder)!r} belongs to another study: {'; '.join(changed)}. Give this "
                    "study a folder of its own, or delete that one if its results are no longer wanted "
                    "(semiindex simulate does so with --overwrite)"
                )
            for entry in _GROWING:
                definition[entry] = known[entry] | definition[entry]
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InvalidParameterError(
                f"cache={str(self.folder)!r} exists and is not the cache of a study; name an empty "
                "or a new folder"
            )
        if definition != known:
            self._write_manifest(manifest, definition)

    def _write_manifest(self, manifest: Path, definition: dict[str, Any]) -> None:
        text = json.dumps(definition, indent=2, sort_keys=True) + "\n"
        with _explained(manifest, "the definition of the study cannot be written to its cache"):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(manifest, lambda path: path.write_text(text, encoding="utf-8"))

    @staticmethod
    def _read_manifest(manifest: Path) -> dict[str, Any]:
        with _explained(manifest, "the definition in the study's cache cannot be read"):
            text = manifest.read_bytes()
        try:
            known = json.loads(text)
        except ValueError as error:
            known = error
        named = isinstance(known, dict) and all(isinstance(known.get(entry), dict) for entry in _GROWING)
        if not named:
            raise InvalidParameterError(
                f"{manifest} is not the definition of a study as this version writes it ({str(known)[:80]}); "
                "name another folder as cache, or delete this one if its results are no longer wanted"
            )
        return known  # type: ignore[no-any-return]

    def _clear(self) -> None:
        """Remove what a run left that was killed while it wrote, but nothing that a second run writes now."""
        for leftover in self.parts.glob(f"*{_UNFINISHED}"):
            with suppress(OSError):  # it takes some room, and does no harm
                if time.time() - leftover.stat().st_mtime > _ABANDONED:
                    leftover.unlink()

    def read(self, cells: Iterable[Cell], replications: int, estimators: Iterable[str]) -> list[Row]:
        """Rows of finished fits of these cells.

        Parameters
        ----------
        cells : iterable of Cell
            Of the study.
        replications : int
            Rows of replications of this number and above are left where they are.
        estimators : iterable of str
            Whose rows are wanted.

        Returns
        -------
        list of dict
            No fit twice: of two rows one without an error is taken, else the newer one.

        Raises
        ------
        OSError
            If a file cannot be read for now.

        Warns
        -----
        DataWarning
            If a file is damaged. It is removed; what was in it is computed again.
        """
        wanted, names = {cell.key for cell in cells}, set(estimators)
        found: dict[tuple[Any, ...], Row] = {}
        for path in self._finished():
            for row in self._read_part(path):
                cell = tuple(row[name] for name in NAMES)
                if cell in wanted and row["replication"] < replications and row["estimator"] in names:
                    key = (*cell, *(row[name] for name in FIT))
                    if key not in found or found[key]["error"] or not row["error"]:
                        found[key] = row
        return list(found.values())

    def _finished(self) -> list[Path]:
        """Files of finished blocks, the oldest first."""
        with _explained(self.parts, "this folder of the study's cache cannot be read"):
            return sorted(self.parts.glob("*.parquet"), key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _read_part(self, path: Path) -> list[Row]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        # Apart from its parsing: pyarrow reports damage as an OSError, too, and what cannot be read just now
        # must not be taken for damaged.
        with _explained(path, "this file of the study's cache cannot be read"):
            content = path.read_bytes()
        try:
            table = pq.read_table(pa.BufferReader(content))
        except (pa.ArrowInvalid, OSError) as error:
            return self._discard(path, f"{type(error).__name__}: {error}")
        missing = {*NAMES, *FIT, "error"} - set(table.column_names)
        if missing:
            return self._discard(path, f"columns {sorted(missing)} are missing")
        rows: list[Row] = table.to_pandas().to_dict("records")
        return rows

    def _discard(self, path: Path, reason: str) -> list[Row]:
        """Remove a damaged file; it has no rows."""
        with _explained(path, f"this file of the study's cache is damaged ({reason}), and cannot be removed"):
            path.unlink(missing_ok=True)
        warnings.warn(
            f"{path} of the study's cache is damaged ({reason}). It was removed, and the fits in it are done "
            "again",
            DataWarning,
            stacklevel=5,
        )
        return []

    def write(self, block: Block, rows: list[Row]) -> None:
        """Keep a finished block."""
        import pandas as pd

        name = fingerprint([block.cell.key, list(block.replications), list(block.estimators)])
        path, frame = self.parts / f"{name}.parquet", pd.DataFrame(rows)
        with _explained(path, "finished fits cannot be written to the study's cache"):
            write_atomically(path, lambda place: frame.to_parquet(place, engine="pyarrow", index=False))


def _changes(known: Mapping[str, Any], definition: Mapping[str, Any]) -> list[str]:
    """What differs between two definitions, in words."""
    changed = []
    for entry in sorted(known.keys() | definition.keys()):
        old, new = known.get(entry), definition.get(entry)
        if isinstance(old, dict) and isinstance(new, dict):
            changed += _changed_names(entry, old, new)
        elif old != new:
            values = f" ({old!r} there, {new!r} here)" if entry in ("package", "random_state") else ""
            changed.append(f"{entry} differs{values}")
    return changed


def _changed_names(entry: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Entries of one kind that both have and that differ; of metrics also those that one has not.

    A metric needs the fitted models, of which a cache has none.
    """
    differing = {
        "are defined differently there": [name for name in old.keys() & new.keys() if old[name] != new[name]]
    }
    if entry not in _GROWING:
        differing["are not there"] = list(new.keys() - old.keys())
        differing["are there, but not here"] = list(old.keys() - new.keys())
    return [
        f"{entry} {', '.join(map(repr, sorted(names)))} {what}" for what, names in differing.items() if names
    ]
