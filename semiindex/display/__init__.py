"""Pictures of fitted models: each display computes first, then draws."""

from semiindex.display.calibration import CalibrationDisplay
from semiindex.display.coefficients import CoefficientDisplay
from semiindex.display.link import LinkDisplay

__all__ = ["CalibrationDisplay", "CoefficientDisplay", "LinkDisplay"]
