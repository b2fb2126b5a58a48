"""Progress bars on standard error: only for people who look at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(what: str, *, quiet: bool) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """A wrapper of sequences that shows how far their handling is.

    Parameters
    ----------
    what : str
        Stands before the bar.
    quiet : bool
        Show nothing.

    Returns
    -------
    callable
        It returns the elements of its argument.
    """

    def wrap(steps: Iterable[Any]) -> Iterable[Any]:
        from tqdm import tqdm

        hidden = quiet or not sys.stderr.isatty()
        bar: Iterable[Any] = tqdm(steps, desc=what, disable=hidden, leave=False, file=sys.stderr)
        return bar

    return wrap
