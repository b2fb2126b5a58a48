"""Divergences from a reference, and the policies that are optimal under them."""

from semiindex.divergence.alpha import alpha_divergence
from semiindex.divergence.base import Divergence
from semiindex.divergence.custom import custom_divergence
from semiindex.divergence.named import get_divergence
from semiindex.divergence.optimum import Optimum, PolicyProblem, optimal_ratio, solve_temperature
from semiindex.divergence.standard import (
    chi_squared,
    forward_kl,
    hellinger,
    js_divergence,
    reverse_kl,
)

__all__ = [
    "Divergence",
    "Optimum",
    "PolicyProblem",
    "alpha_divergence",
    "chi_squared",
    "custom_divergence",
    "forward_kl",
    "get_divergence",
    "hellinger",
    "js_divergence",
    "optimal_ratio",
    "reverse_kl",
    "solve_temperature",
]
