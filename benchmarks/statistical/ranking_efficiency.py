"""Error of smoothed maximum rank correlation against its own asymptotic ratio to the known link.

The asymptotic variance of maximum rank correlation (Sherman 1993) is ``A^- B A^-`` with
``A = E f Psi' CC'`` and ``B = E f^2 Psi (1 - Psi) CC'``, f the density of the index and C the
features centred given the index (both of the doubled sample where the model is antisymmetric); that
of the known link is the inverse information. Mean angles compare by the mean norm of the normal
limits, computed on a simulated population.

    python benchmarks/statistical/ranking_efficiency.py --rows 4000 --replications 60
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from link_study import DESIGNS, LINKS, angle, differences, truth

from semiindex import KnownLinkPolicy, RankingPolicy

POPULATION = 1_000_000
CELLS = 500
DRAWS = 200_000
SURROGATES = ("sigmoid", "logistic", "squared_hinge")


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


def errors(design: str, link_name: str, n: int, replications: int, theta: np.ndarray) -> np.ndarray:
    """Angles, a row per replication: the known link, then every surrogate."""
    symmetric = LINKS[link_name].antisymmetric
    rows = []
    for seed in range(replications):
        rng = np.random.default_rng([seed, DESIGNS.index(design), list(LINKS).index(link_name)])
        X = differences(design, n, rng)
        y = (rng.random(n) < LINKS[link_name].probability(X @ theta)).astype(int)
        models = [KnownLinkPolicy(LINKS[link_name], antisymmetric=symmetric, position_effect=False)]
        models += [RankingPolicy(surrogate, antisymmetric=symmetric) for surrogate in SURROGATES]
        rows.append([angle(model.fit(X, y).coef_, theta, X.T @ X) for model in models])
    return np.array(rows)


def main() -> None:
    """Print a row per cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--replications", type=int, default=60)
    arguments = parser.parse_args()
    n, replications = arguments.rows, arguments.replications
    print("| cell | known | sigmoid | ratio | asymptotic | ratio / asymptotic | logistic | squared hinge |")
    print("|---|---|---|---|---|---|---|---|")
    for design in DESIGNS:
        theta = truth(design)
        for link_name in LINKS:
            limits = population_limits(design, link_name, theta)
            angles = errors(design, link_name, n, replications, theta)
            known, sigmoid, logistic, hinge = angles.mean(axis=0)
            ratio, asymptotic = sigmoid / known, limits.ranking / limits.known
            error = np.std(angles[:, 1] - ratio * angles[:, 0], ddof=1) / np.sqrt(replications) / known
            print(
                f"| {link_name}, {design} | {known:.2f} ({limits.known / np.sqrt(n):.2f}) "
                f"| {sigmoid:.2f} ({limits.ranking / np.sqrt(n):.2f}) | {ratio:.2f} ± {error:.2f} "
                f"| {asymptotic:.2f} | {ratio / asymptotic:.2f} | {logistic:.2f} | {hinge:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
