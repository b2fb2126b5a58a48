"""Numbers of bins, folds and repetitions, checked before anything is computed."""

from __future__ import annotations

from numbers import Real
from typing import Any

from semiindex.exceptions import InvalidParameterError

__all__ = ["require_count"]


def require_count(name: str, value: Any, least: int) -> int:
    """The number, if it is whole and large enough.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    value : int
        What was passed.
    least : int
        The smallest that makes sense.

    Returns
    -------
    int

    Raises
    ------
    InvalidParameterError
        For anything else.

    Examples
    --------
    >>> from semiindex.diagnostics.counts import require_count
    >>> require_count("n_folds", 5, 2)
    5
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or value % 1 != 0 or value < least:
        raise InvalidParameterError(f"{name} must be an integer of at least {least}, got {value!r}")
    return int(value)
