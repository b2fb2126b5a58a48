"""Coverage of 95% intervals for the coefficients, with the link profiled out.

Comparisons n = 2000 of d = 6 features; the truth is put under the sample normalisation (unit root
mean square of the true index over the sample at hand), as the table of coefficients says. Feature
differences are mixed: x0 and x3 normal, x1 and x4 Bern(.15) - Bern(.15), x2 and x5 E^1.5 - E' with
E, E' exponential; index standard deviation 2, ``theta_j ~ (-1)^j / (1 + j mod 5)``.

``clusters``: 100 clusters of 20. Every feature of a row is the cluster's own value with probability
sqrt(1/2) and a fresh one otherwise, which keeps its distribution and gives an intra-class correlation
of exactly 1/2. Labels come through a Gaussian copula of correlation 1/2, which keeps the link exactly.
CR1 is `covariance="cluster"`, CR3 `covariance="jackknife"`; "unclustered" overlooks the clusters.

    python benchmarks/statistical/coverage.py --replications 2000 --jobs 2 --out docs/tables
    python benchmarks/statistical/coverage.py --estimators Klein-Spady --name coverage_orthogonal
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import norm
from sklearn.base import clone

from semiindex import LapsedLink, LogisticLink, OrthogonalPolicy, ProfiledLinkPolicy
from semiindex.exceptions import ConvergenceWarning
from semiindex.inference import infer
from semiindex.link import ParametricLink, ShiftedMixtureLink

N_FEATURES = 6
N_CLUSTERS = 100
INDEX_SD = 2.0
COPULA = 0.5
LEVEL = 0.95
LINKS: dict[str, ParametricLink] = {
    "logistic": LogisticLink(),
    "shifted mixture": ShiftedMixtureLink(1.5, 0.25),
    "flips": LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0),
}
ESTIMATORS = {
    "spline": ProfiledLinkPolicy("spline"),
    "isotonic": ProfiledLinkPolicy("isotonic"),
    "Klein-Spady": OrthogonalPolicy(),
    "efficient score": OrthogonalPolicy("efficient_score"),
}
SAMPLES = ("independent", "clusters")
COVARIANCES = {"independent": {"sandwich": "sandwich"}, "clusters": {"CR1": "cluster", "CR3": "jackknife"}}
#: Bounds for a coefficient and for the average, in percent.
EACH, AVERAGE = (93.0, 96.8), (94.0, 96.0)


def differences(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Feature differences of every row of a sample, shape (n, d)."""
    X = rng.standard_normal(shape)
    for column in range(1, shape[1], 3):
        X[:, column] = rng.binomial(1, 0.15, shape[0]) - rng.binomial(1, 0.15, shape[0])
    for column in range(2, shape[1], 3):
        X[:, column] = rng.exponential(size=shape[0]) ** 1.5 - rng.exponential(size=shape[0])
    return X


def truth() -> np.ndarray:
    """Coefficients, scaled to the index's standard deviation in a large sample."""
    theta = (-1.0) ** np.arange(N_FEATURES) / (1 + np.arange(N_FEATURES) % 5)
    index = differences((1_000_000, N_FEATURES), np.random.default_rng(20_251_217)) @ theta
    return theta * (INDEX_SD / index.std())


def draw(
    sample: str, link: ParametricLink, theta: np.ndarray, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences, labels and clusters of one sample."""
    X, uniform = differences((n, theta.size), rng), rng.random(n)
    groups = np.arange(n) // (n // N_CLUSTERS)
    if sample == "clusters":
        shared = differences((N_CLUSTERS, theta.size), rng)[groups]
        X = np.where(rng.random(X.shape) < np.sqrt(0.5), shared, X)
        common = rng.standard_normal(N_CLUSTERS)[groups]
        uniform = norm.cdf(np.sqrt(COPULA) * common + np.sqrt(1 - COPULA) * norm.ppf(uniform))
    return X, (uniform < link.probability(X @ theta)).astype(int), groups


def replicate(
    sample: str, link: str, theta: np.ndarray, n: int, seed: int, estimators: list[str]
) -> list[dict[str, Any]]:
    """The estimators, and all covariances that the sample calls for, on one draw."""
    rng = np.random.default_rng([seed, SAMPLES.index(sample), list(LINKS).index(link)])
    X, y, groups = draw(sample, LINKS[link], theta, n, rng)
    target = theta / np.sqrt(np.mean((X @ theta) ** 2))
    rows = []
    for estimator in estimators:
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # counted below
            model = clone(ESTIMATORS[estimator]).fit(X, y)
        middle = time.perf_counter()
        clusters = groups if sample == "clusters" else None
        results = {
            name: infer(model, X, y, groups=clusters, covariance=kind, level=LEVEL)
            for name, kind in COVARIANCES[sample].items()
        }
        if sample == "clusters":
            results["unclustered"] = infer(model, X, y, level=LEVEL)
        end = time.perf_counter()
        for covariance, result in results.items():
            lower, upper = result.intervals.T
            common = {"sample": sample, "link": link, "replication": seed, "estimator": estimator}
            common |= {"covariance": covariance, "converged": model.converged_}
            common |= {"fit_seconds": middle - start, "infer_seconds": (end - middle) / len(results)}
            rows += [
                common
                | {
                    "coefficient": f"x{j}",
                    "covered": bool(lower[j] <= target[j] <= upper[j]),
                    "error": result.coefficients[j] - target[j],
                    "standard_error": result.standard_errors[j],
                }
                for j in range(theta.size)
            ]
    return rows


def run(n: int, replications: int, jobs: int, estimators: list[str]) -> pd.DataFrame:
    """All cells; the same numbers for any number of jobs."""
    theta = truth()
    tasks = [
        delayed(replicate)(sample, link, theta, n, seed, estimators)
        for sample in SAMPLES
        for link in LINKS
        for seed in range(replications)
    ]
    return pd.DataFrame([row for rows in Parallel(jobs, batch_size=8)(tasks) for row in rows])


def table(results: pd.DataFrame) -> str:
    """Coverage in percent by coefficient, and mean standard error over standard deviation."""
    names = [f"x{j}" for j in range(N_FEATURES)]
    lines = [
        "| sample, covariance | link | estimator | " + " | ".join(names) + " | average | SE / SD |",
        "|---" * (len(names) + 5) + "|",
    ]
    cells = results.groupby(["sample", "covariance", "link", "estimator"], sort=False)
    for (sample, covariance, link, estimator), cell in cells:
        by_name = cell.groupby("coefficient")
        coverage = 100 * by_name.covered.mean()
        ratio = (by_name.standard_error.mean() / by_name.error.std()).mean()
        entries = [f"{coverage[name]:.1f}{_mark(coverage[name], EACH)}" for name in names]
        average = f"**{coverage.mean():.2f}**{_mark(coverage.mean(), AVERAGE)}"
        lines.append(
            f"| {sample}, {covariance} | {link} | {estimator} | "
            + " | ".join(entries)
            + f" | {average} | {ratio:.3f} |"
        )
    return "\n".join([*lines, "", _footer(results)])


def _mark(value: float, bounds: tuple[float, float]) -> str:
    """A star where the value is out of its bounds."""
    return "" if bounds[0] <= value <= bounds[1] else "*"


def _footer(results: pd.DataFrame) -> str:
    count = results.replication.nunique()
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / count)
    cost = results.groupby("estimator", sort=False)[["fit_seconds", "infer_seconds", "converged"]]
    facts = "; ".join(
        f"{name}: fit {1000 * row.fit_seconds:.0f} ms, infer {1000 * row.infer_seconds:.0f} ms, "
        f"{100 * row.converged:.1f}% converged"
        for name, row in cost.mean().iterrows()
    )
    return (
        f"{count} replications: Monte-Carlo standard error {error:.2f} of a coefficient's entry. "
        f"*: outside {EACH[0]}-{EACH[1]} (a coefficient) or {AVERAGE[0]}-{AVERAGE[1]} (the average). {facts}."
    )


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--replications", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--estimators", nargs="+", choices=list(ESTIMATORS), default=["spline", "isotonic"])
    parser.add_argument("--out", type=Path, help="folder for NAME.md and NAME.csv")
    parser.add_argument("--name", default="coverage")
    arguments = parser.parse_args()
    results = run(arguments.rows, arguments.replications, arguments.jobs, arguments.estimators)
    text = table(results)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / f"{arguments.name}.md").write_text(text + "\n")
        columns = [name for name in results if not name.endswith("_seconds")]
        results[columns].to_csv(arguments.out / "coverage.csv", index=False)


if __name__ == "__main__":
    main()
