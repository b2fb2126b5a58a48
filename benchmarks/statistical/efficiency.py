"""What every learner loses against the estimator that knows the link, and how its error falls with n.

The links, designs and error of ``link_study.py``; n = 1000, 4000 and 16,000. Under the asymmetric link
(Gumbel) the learners allow for asymmetry; what the antisymmetric spline does there, misspecified, stands
in a column of its own. Smoothed maximum rank correlation is not efficient, so that it is held to its own
asymptotic ratio (``ranking_limits.py``). A slope is that of the log of the mean error in log n.

    python benchmarks/statistical/efficiency.py --replications 100 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from link_study import DESIGNS, LINKS, angle, differences, truth
from ranking_limits import Limits, population_limits

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.exceptions import ConvergenceWarning

SIZES = (1000, 4000, 16_000)
#: Replications of a task: small enough to share the work, large enough not to count.
BLOCK = 10
MISSPECIFIED = "antisymmetric spline"


def estimators(link_name: str) -> dict[str, Callable[[], Any]]:
    """Every learner; the first knows the link."""
    symmetric = LINKS[link_name].antisymmetric
    learners: dict[str, Callable[[], Any]] = {
        "known": lambda: KnownLinkPolicy(LINKS[link_name], antisymmetric=symmetric, position_effect=False),
        "logistic": KnownLinkPolicy,
        "isotonic": lambda: ProfiledLinkPolicy("isotonic", antisymmetric=symmetric),
        "spline": lambda: ProfiledLinkPolicy("spline", antisymmetric=symmetric),
        "Klein-Spady": lambda: OrthogonalPolicy(antisymmetric=symmetric),
        "efficient score": lambda: OrthogonalPolicy("efficient_score", antisymmetric=symmetric),
        "ranking, sigmoid": lambda: RankingPolicy("sigmoid", antisymmetric=symmetric),
        "ranking, logistic": lambda: RankingPolicy("logistic", antisymmetric=symmetric),
        "ranking, squared hinge": lambda: RankingPolicy("squared_hinge", antisymmetric=symmetric),
    }
    if not symmetric:
        learners[MISSPECIFIED] = lambda: ProfiledLinkPolicy("spline")
    return learners


def replicate(design: str, link_name: str, n: int, theta: np.ndarray, seeds: range) -> list[dict[str, Any]]:
    """All learners on the samples of some seeds."""
    rows = []
    for seed in seeds:
        rng = np.random.default_rng([seed, n, DESIGNS.index(design), list(LINKS).index(link_name)])
        X = differences(design, n, rng)
        y = (rng.random(n) < LINKS[link_name].probability(X @ theta)).astype(int)
        for name, make in estimators(link_name).items():
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # counted below
                model = make().fit(X, y)
            rows.append(
                {
                    "link": link_name,
                    "design": design,
                    "n": n,
                    "replication": seed,
                    "estimator": name,
                    "angle": angle(model.coef_, theta, X.T @ X),
                    "converged": model.converged_,
                    "seconds": time.perf_counter() - start,
                }
            )
    return rows


def run(sizes: tuple[int, ...], replications: int, jobs: int) -> pd.DataFrame:
    """All cells; the same numbers for any number of jobs."""
    tasks = [
        delayed(replicate)(design, link, n, theta, range(first, min(first + BLOCK, replications)))
        for n in sizes
        for design in DESIGNS
        for theta in [truth(design)]
        for link in LINKS
        for first in range(0, replications, BLOCK)
    ]
    return pd.DataFrame([row for rows in Parallel(jobs, batch_size=1)(tasks) for row in rows])


def ratio_table(results: pd.DataFrame, n: int, limits: dict[tuple[str, str], Limits]) -> str:
    """Ratio of the mean error to that of the known link, with the standard error of the ratio."""
    names = [name for name in estimators("logistic") if name != "known"]
    lines = [
        f"| n = {n}: link, design | known (degrees) | "
        + " | ".join(names)
        + " | sigmoid / its asymptotic ratio |",
        "|---" * (len(names) + 3) + "|",
    ]
    for design in DESIGNS:
        for link in LINKS:
            cell = results[(results.n == n) & (results.link == link) & (results.design == design)]
            angles = cell.pivot(index="replication", columns="estimator", values="angle")
            entries = [ratio(angles, name) for name in names]
            limit = limits[design, link]
            sigmoid = angles["ranking, sigmoid"].mean() / angles["known"].mean()
            own = f"{sigmoid / (limit.ranking / limit.known):.2f} (of {limit.ranking / limit.known:.2f})"
            lines.append(
                f"| {link}, {design} | {angles['known'].mean():.2f} | " + " | ".join([*entries, own]) + " |"
            )
            if MISSPECIFIED in angles:
                blank = ["" for _ in names]
                blank[names.index("spline")] = ratio(angles, MISSPECIFIED)
                lines.append(f"| {link}, {design}, misspecified as antisymmetric | | {' | '.join(blank)} | |")
    return "\n".join(lines)


def ratio(angles: pd.DataFrame, name: str) -> str:
    """Ratio of mean errors with its standard error (delta method on paired replications)."""
    value = angles[name].mean() / angles["known"].mean()
    error = (
        (angles[name] - value * angles["known"]).std(ddof=1) / np.sqrt(len(angles)) / angles["known"].mean()
    )
    return f"{value:.2f} ± {error:.2f}"


def slope_table(results: pd.DataFrame) -> str:
    """Slopes of the log mean error in log n."""
    names = list(estimators("logistic"))
    lines = ["| slope in log n: link, design | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    mean = results.groupby(["design", "link", "estimator", "n"]).angle.mean()
    sizes = np.log(sorted(results.n.unique()))
    for design in DESIGNS:
        for link in LINKS:
            slopes = [
                np.polyfit(sizes, np.log(mean[design, link, name].sort_index()), 1)[0] for name in names
            ]
            lines.append(f"| {link}, {design} | " + " | ".join(f"{slope:.2f}" for slope in slopes) + " |")
    return "\n".join(lines)


def cost_table(results: pd.DataFrame) -> str:
    """Median seconds of a fit and the share of fits that converged."""
    cost = results.groupby(["estimator", "n"], sort=False)
    seconds = cost.seconds.median().unstack()
    converged = results.groupby("estimator", sort=False).converged.mean()
    sizes = list(seconds.columns)
    lines = [
        "| estimator | " + " | ".join(f"seconds, n = {n}" for n in sizes) + " | share converged |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name in seconds.index:
        entries = [f"{seconds.loc[name, n]:.3f}" for n in sizes]
        lines.append(f"| {name} | " + " | ".join(entries) + f" | {converged[name]:.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Run the study, print its tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--replications", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for efficiency.md and efficiency.csv")
    arguments = parser.parse_args()
    results = run(tuple(arguments.sizes), arguments.replications, arguments.jobs)
    limits = {
        (design, link): population_limits(design, link, truth(design)) for design in DESIGNS for link in LINKS
    }
    tables = [ratio_table(results, n, limits) for n in arguments.sizes]
    if len(arguments.sizes) > 1:
        tables.append(slope_table(results))
    text = "\n\n".join([*tables, cost_table(results)])
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "efficiency.md").write_text(text + "\n")
        results.drop(columns="seconds").to_csv(arguments.out / "efficiency.csv", index=False)


if __name__ == "__main__":
    main()
