"""Inference: standard errors, tests, intervals and bands for fitted linear indices."""

from semiindex.inference.band import LinkBand, link_band
from semiindex.inference.bootstrap import Bootstrap
from semiindex.inference.frontiers import FrontierBand, frontier_band
from semiindex.inference.hypotheses import WaldTest
from semiindex.inference.logged_preferences import logged_win_rate
from semiindex.inference.ratio import FiellerSet, Ratio
from semiindex.inference.result import Inference
from semiindex.inference.table import infer
from semiindex.inference.win_rate import WinRate, win_rate_interval

__all__ = [
    "Bootstrap",
    "FiellerSet",
    "FrontierBand",
    "Inference",
    "LinkBand",
    "Ratio",
    "WaldTest",
    "WinRate",
    "frontier_band",
    "infer",
    "link_band",
    "logged_win_rate",
    "win_rate_interval",
]
