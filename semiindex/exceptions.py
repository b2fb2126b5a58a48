"""Errors and warnings of the library: one hierarchy, each with cause, check and remedy.

Every error that a user can cause derives from `SemiindexError` *and* from the built-in class that
scikit-learn users expect (`ValueError`, `TypeError`), so that generic handlers keep working.
"""

from __future__ import annotations

import sys

from sklearn.exceptions import ConvergenceWarning as _SklearnConvergenceWarning

__all__ = [
    "BudgetError",
    "ConvergenceWarning",
    "DataWarning",
    "IdentificationWarning",
    "InvalidDataError",
    "InvalidParameterError",
    "LinkFitError",
    "SemiindexError",
    "SemiindexWarning",
    "SeparationWarning",
    "UnboundedObjectiveError",
]


class SemiindexError(Exception):
    """Base class of all errors raised on purpose by the library."""


class InvalidDataError(SemiindexError, ValueError):
    """Data that cannot be used as given: the message names the argument, the fault and the remedy."""


class InvalidParameterError(SemiindexError, ValueError):
    """A parameter, or a combination of parameters, that has no meaning."""


class BudgetError(InvalidParameterError):
    """A budget of divergence that no policy of the scores can spend; the message states the supremum."""


class UnboundedObjectiveError(SemiindexError, ValueError):
    """The objective has no minimiser on these data (for example robust DPO with a large flip rate)."""


class LinkFitError(SemiindexError, RuntimeError):
    """A link could not be fitted: the solver failed or the constraints contradict each other."""


class SemiindexWarning(UserWarning):
    """Base class of all warnings issued by the library."""


class DataWarning(SemiindexWarning):
    """The data are usable, but something in them deserves a look."""


class IdentificationWarning(SemiindexWarning):
    """The data do not determine some direction of the parameters."""


class SeparationWarning(IdentificationWarning):
    """Some index orders the data without error, so that many parameters fit equally well."""


class ConvergenceWarning(SemiindexWarning, _SklearnConvergenceWarning):
    """A numerical method stopped before it reached its tolerance."""


def caller_level() -> int:
    """The stacklevel that makes a warning of the calling function point outside this package."""
    level, frame = 1, sys._getframe(1)
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    return level
