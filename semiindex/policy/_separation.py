"""What a user is told about separated data."""

from __future__ import annotations

import warnings

from semiindex.exceptions import SeparationWarning

__all__ = ["warn_of_separation"]


def warn_of_separation(separation: str, *, finite: bool) -> tuple[str, ...]:
    """Warn of separated data; the notes of the fit repeat it.

    Parameters
    ----------
    separation : {"none", "quasi", "complete"}
        What the known-link fit found.
    finite : bool
        Whether the estimator's own criterion is bounded under quasi-complete separation (that of a
        normalised index is; a likelihood with a known link is not).
    """
    if separation == "complete":
        message = (
            "The data are completely separated: some index orders every comparison rightly, and many do. The "
            "reported direction is that of the logistic fit with a vanishing ridge (in units of the index's mean "
            "square), one of many that fit without error; probabilities near 0 and 1 are not to be "
            "trusted. Check for a feature that gives the answer away, collect more comparisons, or set "
            "ridge > 0."
        )
    elif separation == "quasi" and not finite:
        message = (
            "The data are quasi-completely separated: along some direction no label ever contradicts the index, so "
            "that the likelihood has no finite maximum. A vanishing ridge made the coefficients finite; those "
            "involved are large without meaning. Look for a feature that always wins, or set ridge > 0."
        )
    elif separation == "quasi":
        message = (
            "The data are quasi-completely separated: along some direction no label ever contradicts the index. "
            "The normalised index stays finite, but the link is poorly determined there. Look for a "
            "feature that always wins, or set ridge > 0."
        )
    else:
        return ()
    warnings.warn(message, SeparationWarning, stacklevel=4)
    return (message,)
