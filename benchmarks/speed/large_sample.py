"""Fit time and memory on many comparisons, against scikit-learn's logistic regression.

All estimators fit the same feature differences in one process; a fit is timed `--repeats` times in
turn with the others, so that other work on the machine falls on all alike, and the fastest counts.
Memory is the peak of the process during one fit above what it held before, in units of the input.

    python benchmarks/speed/large_sample.py --rows 1000000 --features 50
"""

from __future__ import annotations

import argparse
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy


def make_data(n_rows: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal, sparse binary and skewed differences; labels by a link with flips."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_features))
    for j in range(1, n_features, 3):
        X[:, j] = rng.binomial(1, 0.15, n_rows) - rng.binomial(1, 0.15, n_rows)
    for j in range(2, n_features, 3):
        X[:, j] = rng.exponential(size=n_rows) ** 1.5 - rng.exponential(size=n_rows)
    theta = (-1.0) ** np.arange(n_features) / (1 + np.arange(n_features) % 5)
    t = X @ theta
    theta *= 2 / t.std()
    t *= 2 / t.std()
    y = rng.random(n_rows) < 0.2 + 0.6 / (1 + np.exp(-3 * t))
    return X, y.astype(int), theta


def estimators() -> dict[str, Callable[[], Any]]:
    """What is timed; the first is the yardstick."""
    return {
        "LogisticRegression": lambda: LogisticRegression(C=np.inf, fit_intercept=False),
        "KnownLinkPolicy()": KnownLinkPolicy,
        "ProfiledLinkPolicy('spline')": ProfiledLinkPolicy,
        "ProfiledLinkPolicy('isotonic')": lambda: ProfiledLinkPolicy("isotonic"),
    }


def peak_memory(action: Callable[[], Any]) -> int:
    """Largest resident memory during an action above that before it, in bytes."""
    statm = Path("/proc/self/statm")
    page = 4096

    def resident() -> int:
        return int(statm.read_text().split()[1]) * page

    before, peak, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            peak[0] = max(peak[0], resident() - before)
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        action()
    finally:
        done.set()
        thread.join()
    return peak[0]


def angle(first: np.ndarray, second: np.ndarray, X: np.ndarray) -> float:
    """Angle between two directions in the metric of the index, in degrees."""
    s, t = X @ first, X @ second
    return float(np.degrees(np.arccos(np.clip(s @ t / np.sqrt((s @ s) * (t @ t)), -1, 1))))


def main() -> None:
    """Time every estimator and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    X, y, theta = make_data(arguments.rows, arguments.features, seed=0)
    times: dict[str, list[float]] = {name: [] for name in estimators()}
    fitted: dict[str, Any] = {}
    for _ in range(arguments.repeats):
        for name, make in estimators().items():
            start = time.perf_counter()
            fitted[name] = make().fit(X, y)
            times[name].append(time.perf_counter() - start)
    yardstick = min(times["LogisticRegression"])
    print(f"n = {arguments.rows:,}, d = {arguments.features}, input {X.nbytes / 1e6:.0f} MB\n")
    print("| estimator | seconds | ratio | steps | peak memory / input | angle to truth |")
    print("|---|---|---|---|---|---|")
    for name, make in estimators().items():
        memory = peak_memory(lambda make=make: make().fit(X, y)) / X.nbytes
        steps = int(np.max(fitted[name].n_iter_))
        error = angle(fitted[name].coef_.ravel(), theta, X[:100_000])
        seconds = min(times[name])
        print(
            f"| {name} | {seconds:.2f} | {seconds / yardstick:.2f} | {steps} | {memory:.2f} | {error:.3f} |"
        )


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
