"""`plot_diagnostic`: the picture of any result of a diagnostic, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semiindex.diagnostics.antisymmetry import AntisymmetryTest
from semiindex.diagnostics.base import Diagnostic
from semiindex.diagnostics.bound_factors import PolicyErrorBound
from semiindex.diagnostics.error_curve import LearningCurve
from semiindex.diagnostics.estimator_comparison import EstimatorComparison
from semiindex.diagnostics.identifiability import Identification
from semiindex.diagnostics.index_hypothesis import IndexTest
from semiindex.diagnostics.link_hypothesis import LinkTest
from semiindex.diagnostics.monotonicity import MonotonicityTest
from semiindex.diagnostics.policy_interval import PolicyErrorInterval
from semiindex.diagnostics.reliability import Calibration
from semiindex.diagnostics.richness import IndexComplexity
from semiindex.display.calibration import CalibrationDisplay
from semiindex.display.complexity import ComplexityDisplay
from semiindex.display.index_bins import IndexBinsDisplay
from semiindex.display.learning_curve import LearningCurveDisplay
from semiindex.display.link_hypothesis import LinkTestDisplay
from semiindex.display.policy_error import PolicyErrorDisplay
from semiindex.display.quantities import QuantitiesDisplay
from semiindex.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_diagnostic"]

_DISPLAYS: dict[type[Diagnostic], Callable[[Any], Any]] = {
    AntisymmetryTest: IndexBinsDisplay.from_antisymmetry,
    Calibration: CalibrationDisplay.from_calibration,
    EstimatorComparison: QuantitiesDisplay.from_comparison,
    Identification: QuantitiesDisplay.from_identification,
    IndexComplexity: ComplexityDisplay.from_complexity,
    IndexTest: QuantitiesDisplay.from_index_test,
    LearningCurve: LearningCurveDisplay.from_curve,
    LinkTest: LinkTestDisplay.from_test,
    MonotonicityTest: IndexBinsDisplay.from_monotonicity,
    PolicyErrorBound: QuantitiesDisplay.from_bound,
    PolicyErrorInterval: PolicyErrorDisplay.from_interval,
}


def plot_diagnostic(result: Diagnostic, ax: Axes | None = None) -> Any:
    """Draw the picture that belongs to the result of a diagnostic.

    Parameters
    ----------
    result : Diagnostic
        Of `link_test`, `antisymmetry_test`, `monotonicity_test`, `index_test`, `identification`,
        `policy_error_interval`, `policy_error_bound`, `index_complexity`, `learning_curve`, `calibration`
        or `compare_estimators`.
    ax : matplotlib axes, default=None
        Where to draw; None makes a figure.

    Returns
    -------
    display
        `LinkTestDisplay`, `IndexBinsDisplay`, `QuantitiesDisplay`, `PolicyErrorDisplay`,
        `ComplexityDisplay`, `LearningCurveDisplay` or `CalibrationDisplay`, drawn: ``ax_`` and
        ``figure_`` are what matplotlib needs.

    Raises
    ------
    InvalidParameterError
        For anything else: a `preference_error_bound` is one number, and the curve behind a
        `discrimination` needs the comparisons (`RocDisplay`).
    InvalidDataError
        For an identification without standard errors.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, monotonicity_test, plot_diagnostic
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> display = plot_diagnostic(monotonicity_test(KnownLinkPolicy().fit(X, y), X, y))
    >>> display.ax_.get_ylabel().splitlines()[1]
    'option 1 was preferred'
    """
    make = _DISPLAYS.get(type(result))
    if make is None:
        names = ", ".join(sorted(kind.__name__ for kind in _DISPLAYS))
        raise InvalidParameterError(
            f"result must be one of {names}, got {type(result).__name__}; print other results of diagnostics"
        )
    return make(result).plot(ax)
