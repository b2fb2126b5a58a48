"""Reference policies of menus: from probabilities, their logarithms or logits to log-probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError

__all__ = ["KINDS", "SUM_TOLERANCE", "log_sum_by_context", "read_available", "read_reference"]

#: Arguments that state a reference; a menu takes one of them.
KINDS = ("reference", "reference_log_probability", "reference_logits")
#: Probabilities that sum to one up to rounding, in tables with six digits or single precision.
SUM_TOLERANCE = 1e-5


def log_sum_by_context(values: FloatArray, offsets: IntArray) -> FloatArray:
    """``log sum exp`` over the options of each context, shape (n_contexts,); -inf where all are -inf."""
    top = np.maximum.reduceat(values, offsets[:-1])
    shift = np.where(np.isfinite(top), top, 0.0)
    total = np.add.reduceat(np.exp(values - np.repeat(shift, np.diff(offsets))), offsets[:-1])
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(total))


def read_available(available: ArrayLike | None, n_options: int) -> AnyArray:
    """The mask of the options that contexts offer; all by default."""
    if available is None:
        return np.ones(n_options, dtype=bool)
    array = np.asarray(available)
    if array.shape != (n_options,) or not np.isin(array, (0, 1)).all():
        raise InvalidDataError(f"available must hold 0/1 or booleans, one for each of {n_options} options")
    return array.astype(bool)


def read_reference(
    given: dict[str, ArrayLike | None], available: AnyArray, offsets: IntArray, labels: Any
) -> FloatArray:
    """Log-probabilities of the reference, -inf for options that are not available.

    Parameters
    ----------
    given : dict
        The arguments named in `KINDS`, at most one of which is not None; none means uniform over the
        options that are available.
    available : array of bool, shape (n_options,)
        Options that the context offers.
    offsets : array of int, shape (n_contexts + 1,)
        Where the options of each context begin and end.
    labels : sequence
        Names of the contexts, for messages.
    """
    stated = [name for name, values in given.items() if values is not None]
    if len(stated) > 1:
        raise InvalidParameterError(
            f"{' and '.join(stated)} were both given, but a menu has one reference: keep one of them"
        )
    offered = np.add.reduceat(available.astype(np.intp), offsets[:-1])
    _require(offered > 0, "no option that is available", labels, "leave these contexts out")
    if not stated:
        values = np.where(available, 0.0, -np.inf)
        return np.asarray(values - np.repeat(np.log(offered), np.diff(offsets)))
    name = stated[0]
    given_values = _read(name, given[name], available.size)
    values = np.where(available, given_values, -np.inf)
    total = log_sum_by_context(values, offsets)
    mass = f"no reference mass on an available option ({name})"
    _require(total > -np.inf, mass, labels, "give one a positive probability, or leave the contexts out")
    if name != "reference_logits":
        _require(
            np.abs(np.expm1(np.minimum(total, 1.0))) <= SUM_TOLERANCE,
            f"a {name} that does not sum to one over the available options",
            labels,
            "correct it, or pass reference_logits=log(reference) to have it normalised",
        )
        stray = ~available & (given_values > np.log(SUM_TOLERANCE))
        _require(
            ~np.logical_or.reduceat(stray, offsets[:-1]),
            f"mass of {name} on an option that is not available",
            labels,
            "set it to 0",
        )
    return values - np.repeat(total, np.diff(offsets))


def _read(name: str, given: Any, n_options: int) -> FloatArray:
    """The values as logarithms, up to a constant per context."""
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{name} must be numbers: {error}.") from error
    if values.shape != (n_options,):
        raise InvalidDataError(
            f"{name} must have one entry for each of the {n_options} options, got shape {values.shape}"
        )
    if name == "reference":
        bad = ~((values >= 0) & (values < np.inf))
        what = "probabilities between 0 and 1"
    else:
        bad = ~(values < np.inf)
        what = "numbers, or -inf for an option that the reference never takes"
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidDataError(f"{name} must be {what}, but is {values[row]} first in row {row}")
    if name != "reference":
        return values
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def _require(fine: AnyArray, fault: str, labels: Any, remedy: str) -> None:
    if not fine.all():
        bad = [str(labels[k]) for k in np.flatnonzero(~fine)[:5]]
        raise InvalidDataError(
            f"{np.count_nonzero(~fine)} of {fine.size} contexts have {fault}: {', '.join(bad)}; {remedy}"
        )
