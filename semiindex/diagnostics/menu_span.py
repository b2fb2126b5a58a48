"""Whether the comparisons determine scores over a menu, though not every single coefficient."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.direction_words import relations
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearDesign
from semiindex.index.whitening import whiten
from semiindex.inference.sample import InferenceSample
from semiindex.policy.menu import Menu

__all__ = ["require_determined", "undetermined_features"]

#: Share of the size of its terms below which a difference of scores is rounding.
_TINY = 1e-6


def undetermined_features(sample: InferenceSample, options: FloatArray, menu: Menu) -> tuple[str, ...]:
    """Features in which the options of a context differ as no two compared options did.

    Indicators of all items add up to one in every option: the comparisons leave a constant open, which
    moves no policy. A feature that never varied in a comparison and varies within the menu is another
    matter, since its coefficient is 0 by convention only.

    Parameters
    ----------
    sample : InferenceSample
        The comparisons.
    options : array of shape (n_options, d)
        Features of the options of the menu.
    menu : Menu
        Contexts and reference.

    Returns
    -------
    tuple of str
        Empty where every difference of scores within a context is determined.
    """
    _, null = whiten(LinearDesign(sample.differences), sample.weight)
    spread = np.sqrt(np.diag(sample.second_moment))
    directions = relations(null)
    taken = np.flatnonzero(np.isfinite(menu.log_reference))
    context = np.repeat(np.arange(menu.offsets.size - 1), np.diff(menu.offsets))[taken]
    first = taken[np.searchsorted(context, np.unique(context))]
    differences = options[taken] - options[first][np.unique(context, return_inverse=True)[1]]
    differences /= np.where(spread > 0, spread, 1.0)  # null directions are in these units
    moved = np.abs(differences @ directions.T) > _TINY * (np.abs(differences) @ np.abs(directions.T))
    involved = np.any(directions[moved.any(axis=0)] != 0, axis=0)
    return tuple(sample.feature_names[j] for j in np.flatnonzero(involved))


def require_determined(sample: InferenceSample, options: FloatArray, menu: Menu) -> None:
    """Refuse menus over which the comparisons do not determine the policy.

    Parameters
    ----------
    sample, options, menu
        As in `undetermined_features`.

    Raises
    ------
    InvalidDataError
        With the names of the features.
    """
    n_rows, d = sample.differences.shape
    if d > n_rows:
        raise InvalidDataError(
            f"There are more features ({d}) than comparisons ({n_rows}): they do not determine a policy"
        )
    names = undetermined_features(sample, options, menu)
    if names:
        raise InvalidDataError(
            f"The options of the menu differ in {', '.join(map(repr, names[:6]))} as no two compared options "
            "did, so that the comparisons do not determine the policy: compare such options, or fit without "
            "these features"
        )
