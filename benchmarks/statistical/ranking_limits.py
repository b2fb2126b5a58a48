"""Asymptotic error of maximum rank correlation, and of the estimator that knows the link.

The asymptotic variance of maximum rank correlation (Sherman 1993) is ``A^- B A^-`` with
``A = E f Psi' CC'`` and ``B = E f^2 Psi (1 - Psi) CC'``, f the density of the index and C the
features centred given the index (both of the doubled sample where the model is antisymmetric); that
of the known link is the inverse information. Mean angles compare by the mean norm of the normal
limits, computed on a simulated population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from link_study import LINKS, differences

POPULATION = 1_000_000
CELLS = 500
DRAWS = 200_000


@dataclass(frozen=True)
class Limits:
    """Mean angle times the root of the sample size, in degrees, for both estimators."""

    ranking: float
    known: float


def population_limits(design: str, link_name: str, theta: np.ndarray) -> Limits:
    """Asymptotic errors of a cell."""
    rng = np.random.default_rng(7)
    link = LINKS[link_name]
    X = differences(design, POPULATION, rng)
    sigma = X.T @ X / POPULATION
    if link.antisymmetric:
        X = np.concatenate([X, -X])
    t = X @ theta
    density, centred = density_and_centred(X, t)
    information = link.hazard(t) * link.reversed_hazard(t)  # Psi'^2 / (Psi (1 - Psi))
    slope = link.slope(t)
    variance = np.divide(slope**2, information, out=np.zeros_like(slope), where=information > 1e-300)
    A = (centred * (density * slope)[:, None]).T @ centred / t.size
    B = (centred * (density**2 * variance)[:, None]).T @ centred / t.size
    known = np.linalg.inv((X * information[:, None]).T @ X / t.size)

    # Coordinates in which the metric of the angle is Euclidean, and the tangent space at the truth.
    root = np.linalg.cholesky(sigma).T
    unit = root @ theta / np.linalg.norm(root @ theta)
    tangent = np.linalg.svd(unit[None])[2][1:].T
    back = np.linalg.inv(root) @ tangent
    bread = np.linalg.inv(back.T @ A @ back)
    ranking = bread @ (back.T @ B @ back) @ bread
    scale = np.degrees(1 / np.linalg.norm(root @ theta))
    draws = rng.standard_normal((DRAWS, tangent.shape[1]))
    return Limits(
        scale * mean_norm(ranking, draws),
        scale * mean_norm(tangent.T @ root @ known @ root.T @ tangent, draws),
    )


def density_and_centred(X: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density of the index, and features minus their mean given it, by quantile cells."""
    edges = np.quantile(t, np.linspace(0, 1, CELLS + 1))
    cell = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, CELLS - 1)
    count = np.bincount(cell, minlength=CELLS)
    means = np.column_stack([np.bincount(cell, column, CELLS) / count for column in X.T])
    return (count / t.size / np.diff(edges))[cell], X - means[cell]


def mean_norm(covariance: np.ndarray, draws: np.ndarray) -> float:
    """Mean length of a normal vector with this covariance."""
    return float(np.linalg.norm(draws @ np.linalg.cholesky(covariance).T, axis=1).mean())
