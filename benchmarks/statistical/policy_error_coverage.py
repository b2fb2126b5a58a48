"""Coverage of the bootstrap's upper limits for the realised error of a policy.

Comparisons n = 1000 of d = 4 features; menus of 200 contexts with 5 options; the best policy of the class is
the true one, since the truth is linear. Both policies spend the same divergence. The one-sided upper
limit at 90% of `policy_error_interval` should hold the realised total variation, divergence and regret in
90% of the samples; the two-sided interval too.

    python benchmarks/statistical/policy_error_coverage.py --replications 1000 --jobs 2 --out docs/tables
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

from semiindex import (
    Bootstrap,
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    Menu,
    ProfiledLinkPolicy,
    policy_error_interval,
    policy_from_scores,
)
from semiindex.exceptions import SemiindexWarning
from semiindex.link import ParametricLink, ShiftedMixtureLink
from semiindex.policy.policy_distance import policy_distance

N_ROWS, N_CONTEXTS, N_OPTIONS, BUDGET, LEVEL = 1000, 200, 5, 0.2, 0.9
THETA = np.array([1.0, -0.8, 0.5, 0.3])
LINKS: dict[str, ParametricLink] = {
    "logistic": LogisticLink(),
    "shifted mixture": ShiftedMixtureLink(1.5, 0.25),
    "flips": LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0),
}
ESTIMATORS: dict[str, Any] = {
    "logistic, known": KnownLinkPolicy(),
    "spline": ProfiledLinkPolicy(),
    "isotonic": ProfiledLinkPolicy("isotonic"),
}
#: The logistic fit knows the link in the first cell only; elsewhere its limit is another policy.
CELLS = [("logistic", "logistic, known"), ("shifted mixture", "spline"), ("flips", "isotonic")]
MEASURES = ("total variation", "KL", "regret")
TARGET = (88.0, 96.0)


def features(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Options: two normal features, a flag, and a skewed one."""
    X = rng.standard_normal(shape)
    X[..., 2] = rng.random(shape[:-1]) < 0.3
    X[..., 3] = rng.standard_exponential(shape[:-1])
    return X


def replicate(link: str, estimator: str, seed: int, n_draws: int) -> list[dict[str, Any]]:
    """Realised errors of one sample, and whether the limits hold them."""
    rng = np.random.default_rng([seed, list(LINKS).index(link)])
    X = features((N_ROWS, len(THETA)), rng) - features((N_ROWS, len(THETA)), rng)
    y = (rng.random(N_ROWS) < LINKS[link].probability(X @ THETA)).astype(int)
    options = features((N_CONTEXTS, N_OPTIONS, len(THETA)), np.random.default_rng(20_251_217))
    menu = Menu.from_array(options)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)
        model = ESTIMATORS[estimator].fit(X, y)
        bootstrap = Bootstrap(n_draws=n_draws, random_state=seed)
        result = policy_error_interval(model, X, menu, y, budget=BUDGET, bootstrap=bootstrap)
    seconds = time.perf_counter() - start
    flat = options.reshape(-1, len(THETA))
    truth = flat @ THETA / np.sqrt(np.mean((X @ THETA) ** 2))
    best = policy_from_scores(truth, menu, budget=BUDGET).probabilities
    learned = policy_from_scores(flat @ model.coef_, menu, budget=BUDGET).probabilities
    gap = policy_distance(learned, best, truth, menu)
    rows = []
    for name, value in zip(MEASURES, (gap.total_variation, gap.kl, gap.regret), strict=True):
        _, upper, low, high = result.to_frame().loc[name]
        rows.append(
            {
                "link": link,
                "estimator": estimator,
                "measure": name,
                "error": value,
                "upper": upper,
                "below": value <= upper,
                "inside": low <= value <= high,
                "seconds": seconds,
            }
        )
    return rows


def table(results: pd.DataFrame, replications: int, n_draws: int) -> str:
    """Coverage in percent."""
    lines = [
        "| link | estimator | error | mean error | mean upper limit | below the limit | in the interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for (link, estimator, measure), cell in results.groupby(["link", "estimator", "measure"], sort=False):
        below = 100 * cell.below.mean()
        mark = "" if TARGET[0] <= below <= TARGET[1] else "*"
        lines.append(
            f"| {link} | {estimator} | {measure} | {cell.error.mean():.4f} | {cell.upper.mean():.4f} | "
            f"{below:.1f}{mark} | {100 * cell.inside.mean():.1f} |"
        )
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / replications)
    note = (
        f"{replications} samples of {N_ROWS} comparisons, {n_draws} bootstrap draws each; percent at nominal "
        f"{100 * LEVEL:.0f}, Monte-Carlo standard error {error:.1f}. *: the one-sided limit is outside "
        f"{TARGET[0]:.0f} to {TARGET[1]:.0f}. {results.seconds.mean():.1f} s per sample."
    )
    return "\n".join([*lines, "", note])


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for policy_error_coverage.md and .csv")
    arguments = parser.parse_args()
    tasks = [
        delayed(replicate)(link, estimator, seed, arguments.draws)
        for link, estimator in CELLS
        for seed in range(arguments.replications)
    ]
    rows = [row for rows in Parallel(arguments.jobs)(tasks) for row in rows]
    results = pd.DataFrame(rows)
    text = table(results, arguments.replications, arguments.draws)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "policy_error_coverage.md").write_text(text + "\n")
        results.drop(columns="seconds").to_csv(arguments.out / "policy_error_coverage.csv", index=False)


if __name__ == "__main__":
    main()
