"""Inference: standard errors, tests, intervals and bands for fitted linear indices."""

from semiindex.inference.band import LinkBand, link_band
from semiindex.inference.bootstrap import Bootstrap
from semiindex.inference.hypotheses import WaldTest
from semiindex.inference.ratio import FiellerSet, Ratio
from semiindex.inference.result import Inference
from semiindex.inference.table import infer

__all__ = ["Bootstrap", "FiellerSet", "Inference", "LinkBand", "Ratio", "WaldTest", "infer", "link_band"]
