"""Fit time and memory on many comparisons, against scikit-learn's logistic regression.

All estimators fit the same feature differences in one process; a fit is timed `--repeats` times in
turn with the others, so that other work on the machine falls on all alike, and the fastest counts.
Memory is the peak of the process during one fit above what it held before, in units of the input.
Growth is the exponent of the rows in the time between `--smaller` rows and all of them. The orthogonal
fits include their standard errors.

    python benchmarks/speed/large_sample.py --rows 1000000 --features 50 --out docs/tables
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

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy, infer


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


def with_errors(estimator: Any, X: np.ndarray, y: np.ndarray) -> Any:
    """The fit, and its standard errors."""
    model = estimator.fit(X, y)
    infer(model, X, y)
    return model


#: What is timed; the first is the yardstick.
FITS: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
    "LogisticRegression": lambda X, y: LogisticRegression(C=np.inf, fit_intercept=False).fit(X, y),
    "KnownLinkPolicy()": lambda X, y: KnownLinkPolicy().fit(X, y),
    "ProfiledLinkPolicy('spline')": lambda X, y: ProfiledLinkPolicy().fit(X, y),
    "ProfiledLinkPolicy('isotonic')": lambda X, y: ProfiledLinkPolicy("isotonic").fit(X, y),
    "OrthogonalPolicy(), with errors": lambda X, y: with_errors(OrthogonalPolicy(), X, y),
    "OrthogonalPolicy('efficient_score'), with errors": lambda X, y: with_errors(
        OrthogonalPolicy("efficient_score"), X, y
    ),
    "RankingPolicy()": lambda X, y: RankingPolicy().fit(X, y),
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


def fastest(X: np.ndarray, y: np.ndarray, repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Seconds of the fastest fit of each estimator, in turn, and the fits."""
    times: dict[str, list[float]] = {name: [] for name in FITS}
    fitted: dict[str, Any] = {}
    for _ in range(repeats):
        for name, fit in FITS.items():
            start = time.perf_counter()
            fitted[name] = fit(X, y)
            times[name].append(time.perf_counter() - start)
    return {name: min(values) for name, values in times.items()}, fitted


def main() -> None:
    """Time every estimator, print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--smaller", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for large_sample.md")
    arguments = parser.parse_args()
    X, y, theta = make_data(arguments.rows, arguments.features, seed=0)
    part = slice(0, arguments.smaller)
    seconds, fitted = fastest(X, y, arguments.repeats)
    fastest(X[part], y[part], 1)  # what is done once in a process is no growth
    small, _ = fastest(np.ascontiguousarray(X[part]), y[part], 3 * arguments.repeats)
    lines = [
        f"n = {arguments.rows:,}, d = {arguments.features}, input {X.nbytes / 1e6:.0f} MB",
        "",
        "| estimator | seconds | ratio | growth | steps | peak memory / input | angle to truth |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, fit in FITS.items():
        memory = peak_memory(lambda fit=fit: fit(X, y)) / X.nbytes
        steps = int(np.max(fitted[name].n_iter_))
        error = angle(fitted[name].coef_.ravel(), theta, X[:100_000])
        ratio = seconds[name] / seconds["LogisticRegression"]
        growth = np.log(seconds[name] / small[name]) / np.log(arguments.rows / arguments.smaller)
        lines.append(
            f"| {name} | {seconds[name]:.2f} | {ratio:.2f} | {growth:.2f} | {steps} "
            f"| {memory:.2f} | {error:.3f} |"
        )
    text = "\n".join(lines)
    print(text)
    if arguments.out is not None:
        (arguments.out / "large_sample.md").write_text(text + "\n")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
