"""Pictures of fitted models and of studies: each display computes first, then draws."""

from semiindex.display.calibration import CalibrationDisplay
from semiindex.display.coefficients import CoefficientDisplay
from semiindex.display.efficiency import EfficiencyDisplay
from semiindex.display.frontier import FrontierDisplay
from semiindex.display.learning_curve import LearningCurveDisplay
from semiindex.display.link import LinkDisplay
from semiindex.display.link_hypothesis import LinkTestDisplay
from semiindex.display.study import StudyDisplay

__all__ = [
    "CalibrationDisplay",
    "CoefficientDisplay",
    "EfficiencyDisplay",
    "FrontierDisplay",
    "LearningCurveDisplay",
    "LinkDisplay",
    "LinkTestDisplay",
    "StudyDisplay",
]
