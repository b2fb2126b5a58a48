"""Errors of finished fits as files, so that an interrupted learning curve goes on where it stopped."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from semiindex.exceptions import InvalidDataError

__all__ = ["CurveCache"]


@dataclass(frozen=True)
class CurveCache:
    """A folder with one small file per fit.

    Attributes
    ----------
    folder : Path
        Made if it does not exist.
    fingerprint : str
        Of everything that the numbers depend on; part of the file names.
    """

    folder: Path
    fingerprint: str

    def read(self, repeat: int, step: int) -> float | None:
        """Error of a finished fit, NaN for one that failed; None if it is still to be done."""
        path = self._path(repeat, step)
        if not path.exists():
            return None
        try:
            return float(json.loads(path.read_text(encoding="utf-8"))["error"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidDataError(f"cache: {path} is no result of learning_curve; delete it") from error

    def write(self, repeat: int, step: int, error: float) -> None:
        """Keep an error: written beside its place and moved there, so that no half of a file is ever seen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".learning_curve", dir=self.folder)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"repeat": repeat, "step": step, "error": error}, file)
            os.replace(temporary, self._path(repeat, step))
        finally:
            temporary.unlink(missing_ok=True)

    def _path(self, repeat: int, step: int) -> Path:
        return self.folder / f"learning_curve-{self.fingerprint[:16]}-{repeat}-{step}.json"
