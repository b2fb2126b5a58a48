"""The progress bar over refits, of the bootstrap and of the diagnostics alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["shown"]


def shown(results: Iterable[Any], total: int, label: str, *, progress: bool) -> Iterable[Any]:
    """Results as they come, behind a progress bar if wanted."""
    if not progress:
        return results
    from tqdm import tqdm

    return tqdm(results, total=total, desc=label, unit="fit")  # type: ignore[no-any-return]
