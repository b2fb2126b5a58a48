"""Pictures of fitted models: each display computes first, then draws."""

from semiindex.display.calibration import CalibrationDisplay
from semiindex.display.coefficients import CoefficientDisplay
from semiindex.display.frontier import FrontierDisplay
from semiindex.display.learning_curve import LearningCurveDisplay
from semiindex.display.link import LinkDisplay
from semiindex.display.link_hypothesis import LinkTestDisplay

__all__ = [
    "CalibrationDisplay",
    "CoefficientDisplay",
    "FrontierDisplay",
    "LearningCurveDisplay",
    "LinkDisplay",
    "LinkTestDisplay",
]
