"""Pictures of fitted models and of studies: each display computes first, then draws."""

from semiindex.display.calibration import CalibrationDisplay
from semiindex.display.coefficients import CoefficientDisplay
from semiindex.display.complexity import ComplexityDisplay
from semiindex.display.diagnostic import plot_diagnostic
from semiindex.display.efficiency import EfficiencyDisplay
from semiindex.display.frontier import FrontierDisplay
from semiindex.display.index_bins import IndexBinsDisplay
from semiindex.display.learning_curve import LearningCurveDisplay
from semiindex.display.link import LinkDisplay
from semiindex.display.link_hypothesis import LinkTestDisplay
from semiindex.display.policy_error import PolicyErrorDisplay
from semiindex.display.quantities import QuantitiesDisplay
from semiindex.display.roc import RocDisplay
from semiindex.display.study import StudyDisplay

__all__ = [
    "CalibrationDisplay",
    "CoefficientDisplay",
    "ComplexityDisplay",
    "EfficiencyDisplay",
    "FrontierDisplay",
    "IndexBinsDisplay",
    "LearningCurveDisplay",
    "LinkDisplay",
    "LinkTestDisplay",
    "PolicyErrorDisplay",
    "QuantitiesDisplay",
    "RocDisplay",
    "StudyDisplay",
    "plot_diagnostic",
]
