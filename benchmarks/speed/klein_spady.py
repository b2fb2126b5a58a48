"""Fit time of `OrthogonalPolicy`: small samples in milliseconds, a large one against logistic regression.

Small samples: d = 4, the fastest of `--repeats` fits, beside `ProfiledLinkPolicy`; and the share of a fit
that one evaluation of the criterion takes. Large sample: the data of `large_sample.py`, each estimator in
turn with the others, the fastest of `--repeats`. Kernel sums: value and derivative of two columns.

    python benchmarks/speed/klein_spady.py --rows 1000000 --features 50
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

from semiindex import OrthogonalPolicy, ProfiledLinkPolicy
from semiindex.link.kernel import KERNELS
from semiindex.link.kernel_sums import line_sums

ORTHOGONAL: dict[str, Callable[[], Any]] = {
    "Klein-Spady": OrthogonalPolicy,
    "Klein-Spady, antisymmetric=False": lambda: OrthogonalPolicy(antisymmetric=False),
    "efficient score": lambda: OrthogonalPolicy("efficient_score"),
    "efficient score, antisymmetric=False": lambda: OrthogonalPolicy("efficient_score", antisymmetric=False),
}


def fastest(action: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Least time of an action, in seconds, and its last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - start)
    return min(times), result


def small_samples(repeats: int) -> None:
    print("| n, d = 4 | estimator | milliseconds | steps |\n|---|---|---|---|")
    for n in (1000, 4000, 16_000):
        X, y, _ = make_data(n, 4, seed=1)
        for name, make in {**ORTHOGONAL, "ProfiledLinkPolicy()": ProfiledLinkPolicy}.items():
            seconds, model = fastest(lambda make=make, X=X, y=y: make().fit(X, y), repeats)
            print(f"| {n} | {name} | {1e3 * seconds:.0f} | {model.n_iter_} |")


def kernel_sums(n: int, repeats: int) -> None:
    print(f"\n| kernel sums, n = {n:,} | seconds |\n|---|---|")
    rng = np.random.default_rng(0)
    t, values = np.sort(rng.normal(size=n)), rng.random((n, 2))
    for kernel in KERNELS.values():
        bandwidth = 1.17 * n**-0.2 * kernel.equivalent
        seconds, _ = fastest(
            lambda k=kernel, h=bandwidth: line_sums(t, t, k, h)(values, ("value", "slope")), repeats
        )
        print(f"| {kernel.name} | {seconds:.2f} |")


def large_sample(n_rows: int, n_features: int, repeats: int) -> None:
    X, y, theta = make_data(n_rows, n_features, seed=0)
    makers = {"LogisticRegression": lambda: LogisticRegression(C=np.inf, fit_intercept=False), **ORTHOGONAL}
    times: dict[str, list[float]] = {name: [] for name in makers}
    fitted: dict[str, Any] = {}
    for _ in range(repeats):
        for name, make in makers.items():
            seconds, fitted[name] = fastest(lambda make=make: make().fit(X, y), 1)
            times[name].append(seconds)
    print(f"\n| n = {n_rows:,}, d = {n_features} | seconds | ratio | steps | angle to truth |")
    print("|---|---|---|---|---|")
    for name, model in fitted.items():
        seconds = min(times[name])
        ratio = seconds / min(times["LogisticRegression"])
        error = angle(model.coef_.ravel(), theta, X[:100_000])
        print(f"| {name} | {seconds:.2f} | {ratio:.2f} | {int(np.max(model.n_iter_))} | {error:.3f} |")


def main() -> None:
    """Time everything and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    small_samples(2 * arguments.repeats)
    kernel_sums(arguments.rows, arguments.repeats)
    large_sample(arguments.rows, arguments.features, arguments.repeats)


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
