"""Finished parts of a study on disk: written atomically, recognised, and never computed twice."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation.cells import Block, Cell
from semiindex.simulation.identity import fingerprint
from semiindex.simulation.replication import Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StudyCache", "require_pyarrow", "write_atomically"]

_MANIFEST = "study.json"
_UNFINISHED = ".unfinished"


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
    descriptor, name = tempfile.mkstemp(prefix=path.name, suffix=_UNFINISHED, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class StudyCache:
    """A folder of finished blocks of one study.

    ``study.json`` holds fingerprints of the definition; ``parts`` a Parquet file per block. The study
    may be continued with more truths, designs, sizes or replications: names that both have must mean
    the same. Everything else that numbers depend on must be equal.

    Parameters
    ----------
    folder : Path
        Where; it is made if it does not exist.
    definition : mapping
        Entries ``"truths"`` and ``"designs"``: fingerprints by name; all others must not change.

    Raises
    ------
    InvalidParameterError
        If the folder belongs to another study, or is full of something else.
    ImportError
        If pyarrow is missing.
    """

    def __init__(self, folder: Path, definition: Mapping[str, Any]) -> None:
        require_pyarrow("Study.run(cache=...)")
        self.folder = folder
        self.parts = folder / "parts"
        self._claim(dict(definition))
        self.parts.mkdir(exist_ok=True)
        for leftover in self.parts.glob(f"*{_UNFINISHED}"):  # of a run that was killed while it wrote
            leftover.unlink(missing_ok=True)

    def _claim(self, definition: dict[str, Any]) -> None:
        """Compare the folder's definition with this one, and note what is new."""
        manifest = self.folder / _MANIFEST
        if manifest.is_file():
            known = self._read_manifest(manifest)
            changed = _changes(known, definition)
            if changed:
                raise InvalidParameterError(
                    f"cache={str(self.folder)!r} belongs to another study: {'; '.join(changed)}. Give this "
                    "study a folder of its own, or delete that one if its results are no longer wanted"
                )
            for entry in ("truths", "designs"):
                definition[entry] = known[entry] | definition[entry]
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InvalidParameterError(
                f"cache={str(self.folder)!r} exists and is not the cache of a study; name an empty "
                "or a new folder"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(definition, indent=2, sort_keys=True) + "\n"
        write_atomically(manifest, lambda path: path.write_text(text, encoding="utf-8"))

    @staticmethod
    def _read_manifest(manifest: Path) -> dict[str, Any]:
        try:
            known = json.loads(manifest.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            known = error
        if not isinstance(known, dict) or not {"truths", "designs"} <= known.keys():
            raise InvalidParameterError(
                f"{manifest} cannot be read as the definition of a study ({known!r}); name another folder as "
                "cache, or delete this one if its results are no longer wanted"
            )
        return known

    def read(self, cells: Iterable[Cell], replications: int, estimators: Iterable[str]) -> list[Row]:
        """Rows of finished replications of these cells.

        Parameters
        ----------
        cells : iterable of Cell
            Of the study.
        replications : int
            Rows of replications of this number and above are left where they are.
        estimators : iterable of str
            A replication counts as finished if all of these have a row.

        Returns
        -------
        list of dict
            No replication twice.

        Warns
        -----
        DataWarning
            If a file cannot be read. It is removed; what was in it is computed again.
        """
        wanted, names = {cell.key for cell in cells}, set(estimators)
        found: dict[tuple[Any, ...], dict[str, Row]] = {}
        for path in sorted(self.parts.glob("*.parquet")):
            for row in self._read_part(path):
                key = (row["truth"], row["design"], row["n"])
                if key in wanted and row["replication"] < replications:
                    found.setdefault((*key, row["replication"]), {})[row["estimator"]] = row
        complete = (rows for rows in found.values() if rows.keys() == names)
        return [row for rows in complete for row in rows.values()]

    def _read_part(self, path: Path) -> list[Row]:
        import pandas as pd

        try:
            frame: pd.DataFrame = pd.read_parquet(path, engine="pyarrow")
            missing = {"truth", "design", "n", "replication", "estimator"} - set(frame.columns)
            if missing:
                raise ValueError(f"columns {sorted(missing)} are missing")
        except Exception as error:  # pyarrow's errors have no common base but this
            path.unlink(missing_ok=True)
            warnings.warn(
                f"{path} of the study's cache could not be read ({type(error).__name__}: {error}). It was "
                "removed, and the replications in it are computed again",
                DataWarning,
                stacklevel=5,
            )
            return []
        rows: list[Row] = frame.to_dict("records")  # type: ignore[assignment]
        return rows

    def write(self, block: Block, rows: list[Row]) -> None:
        """Keep a finished block."""
        import pandas as pd

        name = fingerprint([block.cell.key, list(block.replications)])
        frame = pd.DataFrame(rows)
        write_atomically(
            self.parts / f"{name}.parquet", lambda path: frame.to_parquet(path, engine="pyarrow", index=False)
        )


def _changes(known: Mapping[str, Any], definition: Mapping[str, Any]) -> list[str]:
    """What differs between two definitions, in words."""
    changed = []
    for entry in sorted(known.keys() | definition.keys()):
        old, new = known.get(entry), definition.get(entry)
        if isinstance(old, dict) and isinstance(new, dict) and entry in ("truths", "designs"):
            names = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
            if names:
                changed.append(f"{entry} {', '.join(map(repr, names))} are defined differently there")
        elif old != new:
            values = f" ({old!r} there, {new!r} here)" if entry in ("package", "random_state") else ""
            changed.append(f"{entry} differs{values}")
    return changed
