"""Time of the ranking criteria and estimators, against scikit-learn's logistic regression.

Fits are timed in turn with each other, so that other work on the machine falls on all alike; the
fastest of `--repeats` counts, in wall time and in processor time. Growth is the exponent of the rows
between the smallest and the largest sample.

    python benchmarks/speed/ranking.py --rows 10000 100000 1000000 --features 50
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from large_sample import angle, make_data
from sklearn.linear_model import LogisticRegression

from semiindex import RankingPolicy
from semiindex.objective.pairwise_sums import Indicator, LogisticSurrogate, SigmoidSurrogate, SquaredHinge
from semiindex.objective.ranking import RankingObjective

SURROGATES = {
    "indicator": Indicator(),
    "sigmoid": SigmoidSurrogate(0.0075),
    "logistic": LogisticSurrogate(),
    "squared hinge": SquaredHinge(),
}


def estimators() -> dict[str, Callable[[], Any]]:
    """What is timed; the first is the yardstick."""
    return {
        "LogisticRegression": lambda: LogisticRegression(C=np.inf, fit_intercept=False),
        "RankingPolicy('sigmoid')": RankingPolicy,
        "RankingPolicy('sigmoid', antisymmetric=False)": lambda: RankingPolicy(antisymmetric=False),
        "RankingPolicy('logistic')": lambda: RankingPolicy("logistic"),
        "RankingPolicy('squared_hinge')": lambda: RankingPolicy("squared_hinge"),
    }


def seconds(action: Callable[[], Any]) -> tuple[float, float]:
    """Wall time and processor time of an action."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def time_evaluations(n: int, repeats: int) -> None:
    """Print a table of the time of one value with gradient."""
    rng = np.random.default_rng(0)
    t, z, weight = rng.standard_normal(n), rng.integers(0, 2, n).astype(float), np.ones(n)
    print(f"\nOne value with gradient, n = {n:,}\n\n| surrogate | doubled | bipartite |\n|---|---|---|")
    for name, surrogate in SURROGATES.items():
        best = []
        for antisymmetric in (True, False):
            objective = RankingObjective(surrogate, antisymmetric=antisymmetric)
            runs = [seconds(lambda o=objective: o.evaluate(t, z, weight)) for _ in range(repeats)]
            best.append(min(wall for wall, _ in runs))
        print(f"| {name} | {best[0]:.3f} s | {best[1]:.3f} s |")


def time_fits(n: int, n_features: int, repeats: int) -> dict[str, float]:
    """Print a table of fits; returns the wall times."""
    X, y, theta = make_data(n, n_features, seed=0)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in estimators()}
    fitted: dict[str, Any] = {}
    for _ in range(repeats):
        for name, make in estimators().items():
            fitted[name] = make()
            runs[name].append(seconds(lambda name=name: fitted[name].fit(X, y)))
    best = {name: np.min(times, axis=0) for name, times in runs.items()}
    yardstick = best["LogisticRegression"]
    print(f"\nFits, n = {n:,}, d = {n_features}\n")
    print("| estimator | seconds | ratio | ratio of processor time | steps | angle to truth |")
    print("|---|---|---|---|---|---|")
    for name, (wall, processor) in best.items():
        error = angle(fitted[name].coef_.ravel(), theta, X[:100_000])
        ratios = f"{wall / yardstick[0]:.2f} | {processor / yardstick[1]:.2f}"
        print(f"| {name} | {wall:.2f} | {ratios} | {int(np.max(fitted[name].n_iter_))} | {error:.3f} |")
    return {name: float(wall) for name, (wall, _) in best.items()}


def main() -> None:
    """Time evaluations and fits, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows = sorted(arguments.rows)
    time_evaluations(rows[-1], arguments.repeats)
    walls = [time_fits(n, arguments.features, arguments.repeats) for n in rows]
    if len(rows) > 1:
        print("\nGrowth exponents")
        for name in walls[0]:
            exponent = np.log(walls[-1][name] / walls[0][name]) / np.log(rows[-1] / rows[0])
            print(f"- {name}: {exponent:.2f}")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
