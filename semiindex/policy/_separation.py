"""What a user is told about separated data."""

from __future__ import annotations

import warnings

from semiindex.exceptions import SeparationWarning, caller_level

__all__ = ["warn_of_separation"]

_COMPLETE = (
    "The data are completely separated: some index orders every comparison rightly, and many do. The "
    "reported direction is that of the fit with a vanishing ridge (in units of the index's mean square), "
    "one of many that fit without error; probabilities near 0 and 1 are not to be trusted. Check for a "
    "feature that gives the answer away, collect more comparisons, or set ridge > 0."
)
_QUASI_KNOWN = (
    "The data are quasi-completely separated: along some direction no label ever contradicts the index, "
    "so that the likelihood has no finite maximum. A vanishing ridge made the coefficients finite; those "
    "involved are large without meaning. Look for a feature that always wins, or set ridge > 0."
)
_QUASI_FREE = (
    "The data are quasi-completely separated: along some direction no label ever contradicts the index. "
    "The normalised index stays finite, but the link is poorly determined there. Look for a feature that "
    "always wins, or set ridge > 0."
)
_DIVERGENT = (
    "The likelihood of this link has no finite maximum on these data: the coefficients grow without bound, "
    "since a step fits best. A vanishing ridge made them finite; their direction is meaningful, their scale "
    "is not. Collect more comparisons, or set ridge > 0."
)


def warn_of_separation(separation: str, *, finite: bool, remedy: str = "set ridge > 0") -> tuple[str, ...]:
    """Warn of separated data; the notes of the fit repeat it.

    Parameters
    ----------
    separation : {"none", "quasi", "complete", "divergent"}
        What the known-link fit found.
    finite : bool
        Whether the estimator's own criterion is bounded all the same unless the separation is
        complete (that of a normalised index is; a likelihood with a known link is not).
    remedy : str, default="set ridge > 0"
        What to do about it, for an estimator without a ridge.
    """
    messages = {
        "complete": _COMPLETE,
        "quasi": _QUASI_FREE if finite else _QUASI_KNOWN,
        "divergent": "" if finite else _DIVERGENT,
    }
    message = messages.get(separation, "").replace("set ridge > 0", remedy)
    if not message:
        return ()
    warnings.warn(message, SeparationWarning, stacklevel=caller_level())
    return (message,)
