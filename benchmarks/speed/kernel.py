"""Kernel indices: time of fits to many comparisons, and of a penalty path against a grid of cold fits.

A large fit is timed end to end: choice of the features, kernel matrix, fit, link, for comparisons of
20 features under a score that is not linear. The path is `tune` over ridges and kernel widths at
n = 1000 against scikit-learn's `GridSearchCV` over the same candidates and folds in the same process.
Set OMP_NUM_THREADS=1 on a machine that does other work at the same time: threads that wait for each
other then take longer than one alone.

    python benchmarks/speed/kernel.py --rows 100000 --components 1000
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from semiindex import KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy
from semiindex.exceptions import SemiindexWarning
from semiindex.index import KernelIndex
from semiindex.policy.tuning import tune

N_FEATURES = 20
RIDGES = [float(f"{r:.3g}") for r in np.logspace(-1, -4, 13)]
GAMMAS = [0.003, 0.01, 0.03]


def make_pairs(n_rows: int, seed: int, dtype: Any = np.float64) -> PreferencePairs:
    """Two options of normal features; a score with a kink; labels by a link with flips."""
    rng = np.random.default_rng(seed)
    options = rng.standard_normal((2, n_rows, N_FEATURES)).astype(dtype)
    weight = np.random.default_rng(0).standard_normal((N_FEATURES, 5)) / np.sqrt(N_FEATURES)
    score = 2 * np.abs(options @ weight).sum(axis=2)
    labels = rng.random(n_rows) < 0.1 + 0.8 / (1 + np.exp(-3 * (score[1] - score[0])))
    return PreferencePairs(options[0], options[1], labels)


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def large_fits(n_rows: int, components: int) -> None:
    """Time fits with Nystroem and with random features."""
    test = make_pairs(20_000, seed=2)
    print(f"n = {n_rows:,}, {N_FEATURES} features, {components} components, ridge 1e-5\n")
    print(
        "| estimator | features | seconds | steps | held-out accuracy | scoring a comparison, microseconds |"
    )
    print("|---|---|---|---|---|---|")
    for approximation, dtype in (
        ("nystroem", np.float64),
        ("nystroem", np.float32),
        ("random_features", np.float64),
    ):
        pairs = make_pairs(n_rows, seed=1, dtype=dtype)
        index = KernelIndex(components=components, approximation=approximation)
        for estimator in (
            KnownLinkPolicy(index=index, ridge=1e-5),
            ProfiledLinkPolicy(index=index, ridge=1e-5),
        ):
            model, seconds = timed(lambda estimator=estimator, pairs=pairs: estimator.fit(pairs))
            accuracy, scoring = timed(lambda model=model: model.score(test))
            name = f"{type(estimator).__name__} | {approximation}, {np.dtype(dtype).name}"
            cost = scoring / 20_000 * 1e6
            print(f"| {name} | {seconds:.1f} | {model.n_iter_} | {accuracy:.4f} | {cost:.0f} |", flush=True)


def paths(n_rows: int) -> None:
    """Time `tune` against a grid search of cold fits over the same candidates."""
    pairs = make_pairs(n_rows, seed=3)
    folds = list(KFold(5, shuffle=True, random_state=0).split(np.arange(n_rows)))
    print(f"\nn = {n_rows}, {len(RIDGES)} ridges x {len(GAMMAS)} widths x 5 folds, exact kernel\n")
    print("| estimator | tune, seconds | GridSearchCV, seconds | ratio | largest difference of log losses |")
    print("|---|---|---|---|---|")
    for estimator in (KnownLinkPolicy(index=KernelIndex()), ProfiledLinkPolicy(index=KernelIndex())):
        path, warm = timed(
            lambda estimator=estimator: tune(estimator, pairs, ridge=RIDGES, gamma=GAMMAS, cv=folds)
        )
        search = GridSearchCV(
            estimator, {"index__gamma": GAMMAS, "ridge": RIDGES}, scoring="neg_log_loss", cv=folds
        )
        search, cold = timed(lambda search=search: search.fit(pairs, pairs.labels))
        scores = path.scores.set_index(["index__gamma", "ridge"]).log_loss
        results = search.cv_results_
        same = zip(results["params"], -results["mean_test_score"], strict=True)
        gap = max(abs(scores[p["index__gamma"], p["ridge"]] - value) for p, value in same)
        print(f"| {type(estimator).__name__} | {warm:.1f} | {cold:.1f} | {warm / cold:.3f} | {gap:.1e} |")


def main() -> None:
    """Time and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--components", type=int, default=1000)
    parser.add_argument("--path-rows", type=int, default=1000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SemiindexWarning)
    large_fits(arguments.rows, arguments.components)
    paths(arguments.path_rows)


if __name__ == "__main__":
    main()
