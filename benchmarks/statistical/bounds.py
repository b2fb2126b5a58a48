"""Finite-sample bounds: whether they hold, how loose they are, from which sample size they say something.

Three tables.

``bounds_hold``: share of samples of n = 1500 comparisons in which each bound at 90% holds, for four
learners and two classes of indices: linear in five features (normal, ternary, skewed), and quadratic in
two (five columns). The truth has flips: ``0.1 + 0.8 sig(2 t)``, t of unit root mean square.

``bounds_ratio``: bound over actual error at n = 500 to 32,000, with the slopes of both in n on logarithmic
scales: squared preference error in the sample, sine of the angle, total variation of the policy.

``bounds_formula``: the bounds by formula up to n = 1e8, and the n from which they beat no data at all.

    python benchmarks/statistical/bounds.py --replications 500 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import math
import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone

from semiindex import (
    Menu,
    OrthogonalPolicy,
    ProfiledLinkPolicy,
    RankingPolicy,
    policy_error_bound,
    policy_from_scores,
    preference_error_bound,
)
from semiindex.diagnostics import (
    in_sample_profile_bound,
    informative_from,
    lipschitz_link_bound,
    profile_bound,
    ranking_bound,
)
from semiindex.exceptions import SemiindexWarning
from semiindex.link import LapsedLink, LogisticLink
from semiindex.policy.policy_distance import policy_distance

CONFIDENCE, BUDGET, N_FRESH = 0.9, 0.2, 20_000
LINK = LapsedLink(LogisticLink(), lower=0.1, upper=0.1, scale=2.0)
LEARNERS: dict[str, Any] = {
    "profiled, isotonic": ProfiledLinkPolicy("isotonic"),
    "profiled, spline": ProfiledLinkPolicy(),
    "orthogonal": OrthogonalPolicy(),
    "ranking": RankingPolicy(),
}
CLASSES = ("linear", "quadratic")
THETA = np.array([1.0, -0.8, 0.6, -0.5, 0.4])
#: Samples of every cell in which the policy is bounded too: that costs as much as all the rest.
POLICY_SAMPLES = 50
SIZES = (500, 2000, 8000, 32_000)
FORMULA_SIZES = (500, 2000, 8000, 32_000, 1e6, 1e8)


def options(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Features of options, five columns."""
    if kind == "quadratic":
        a, b = rng.standard_normal((2, *shape))
        return np.stack([a, b, a**2 - 1, b**2 - 1, a * b], axis=-1)
    X = rng.standard_normal((*shape, 5))
    X[..., 1] = rng.integers(-1, 2, shape)
    X[..., 2] = rng.standard_exponential(shape)
    return X


def comparisons(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Feature differences, shape (n, 5)."""
    return options(kind, (n,), rng) - options(kind, (n,), rng)


def spread(kind: str) -> float:
    """Root mean square of the index in the population."""
    return float(np.sqrt(np.mean((comparisons(kind, 1_000_000, np.random.default_rng(7)) @ THETA) ** 2)))


def replicate(kind: str, learner: str, n: int, seed: int, scale: float) -> dict[str, Any]:
    """Bounds and errors of one sample."""
    rng = np.random.default_rng([seed, n, CLASSES.index(kind)])
    theta = THETA / scale
    X, fresh = comparisons(kind, n, rng), comparisons(kind, N_FRESH, rng)
    y = (rng.random(n) < LINK.probability(X @ theta)).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)
        model = clone(LEARNERS[learner]).fit(X, y)
        bound = preference_error_bound(model, X, y, confidence=CONFIDENCE)
    row: dict[str, Any] = {
        "class": kind,
        "learner": learner,
        "n": n,
        "in sample": np.mean((model.predict_proba(X)[:, 1] - LINK.probability(X @ theta)) ** 2),
        "in sample, bound": bound.statements[0].bound,
        "new": np.mean((model.predict_proba(fresh)[:, 1] - LINK.probability(fresh @ theta)) ** 2),
        "new, bound": bound.statements[1].bound,
    }
    if seed < POLICY_SAMPLES:
        row |= policy_errors(model, kind, X, y, theta)
    if learner == "ranking":
        row["ranking"] = _risk(model.coef_, fresh, theta) - _risk(theta, fresh, theta)
        row["ranking, bound"] = bound.statements[2].bound
    return row


def policy_errors(model: Any, kind: str, X: np.ndarray, y: np.ndarray, theta: np.ndarray) -> dict[str, float]:
    """Angle and total variation with their bounds, the least slope of the link assumed at its true value."""
    cube = options(kind, (50, 5), np.random.default_rng(11))
    menu, flat = Menu.from_array(cube), cube.reshape(-1, 5)
    slope = _least_slope(float(np.sqrt(np.mean((X @ theta) ** 2))))
    bound = policy_error_bound(model, X, menu, y, budget=BUDGET, slope=slope, confidence=CONFIDENCE)
    best = policy_from_scores(flat @ theta, menu, budget=BUDGET).probabilities
    learned = policy_from_scores(flat @ model.coef_, menu, budget=BUDGET).probabilities
    return {
        "angle": _sine(X, model.coef_, theta),
        "angle, bound": bound.sine,
        "policy": policy_distance(learned, best, flat @ theta, menu).total_variation,
        "policy, bound": bound.total_variation,
        "policy, from": bound.informative_from,
    }


def _least_slope(rms: float) -> tuple[float, float]:
    """The true link's least slope up to an index of 1.5 root mean squares of the sample, in that unit."""
    grid = np.linspace(-1.5, 1.5, 301)
    return float(np.min(LINK.slope(grid * rms)) * rms), 1.5


def _sine(X: np.ndarray, estimate: np.ndarray, theta: np.ndarray) -> float:
    a, b = X @ estimate, X @ theta
    cosine = (a @ b) / np.sqrt((a @ a) * (b @ b))
    return float(np.sqrt(max(1 - cosine**2, 0.0)))


def _risk(estimate: np.ndarray, X: np.ndarray, theta: np.ndarray) -> float:
    """Probability that the index misorders two comparisons, over pairs of rows, labels integrated out."""
    half = X.shape[0] // 2
    first, second = X[:half], X[half:]
    p, q = LINK.probability(first @ theta), LINK.probability(second @ theta)
    a, b = first @ estimate, second @ estimate
    # The four signs of two answers, each comparison seen from the preferred option.
    cases = [(p * q, a + b), (p * (1 - q), a - b), ((1 - p) * q, b - a), ((1 - p) * (1 - q), -a - b)]
    return float(sum(np.mean(mass * (s < 0)) for mass, s in cases))


PAIRS = {
    "in sample": "squared error, these comparisons",
    "new": "squared error, new comparisons",
    "angle": "sine of the angle",
    "policy": "total variation of the policy",
    "ranking": "excess ranking risk",
}


def holds_table(results: pd.DataFrame, replications: int) -> str:
    """Share of samples in which every bound holds."""
    needed = CONFIDENCE - 2 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / replications)
    lines = ["| class | learner | error | mean error | mean bound | holds, % |", "|---|---|---|---|---|---|"]
    for (kind, learner), cell in results.groupby(["class", "learner"], sort=False):
        for key, name in PAIRS.items():
            if key not in cell or cell[key].isna().all():
                continue
            held = np.mean((cell[key] <= cell[f"{key}, bound"])[cell[key].notna()])
            mark = "" if held >= needed else "*"
            bound, share = cell[f"{key}, bound"].mean(), f"{100 * held:.1f}{mark}"
            lines.append(f"| {kind} | {learner} | {name} | {cell[key].mean():.4f} | {bound:.3f} | {share} |")
    size, enough = int(results.n.iloc[0]), results["policy, from"].median()
    few = min(replications, POLICY_SAMPLES)
    note = (
        f"{replications} samples of {size} comparisons (sine and total variation: {few}), bounds at "
        f"{CONFIDENCE:.0%}; *: below {100 * needed:.1f}. The link's slope is assumed, at its true value. "
        "A bound of 1 for the sine, or of 0.632 for the total variation, says nothing; the latter says "
        f"something from about {enough:,.0f} comparisons on (median)."
    )
    return "\n".join([*lines, "", note])


def ratio_table(results: pd.DataFrame, replications: int) -> str:
    """Errors, bounds, ratios and slopes by sample size."""
    sizes = sorted(results.n.unique())
    heads = " | ".join(f"n = {n:,}" for n in sizes)
    lines = [f"| learner | quantity | {heads} | slope |", "|---" * (len(sizes) + 3) + "|"]
    for learner, cell in results.groupby("learner", sort=False):
        means = cell.groupby("n")[
            [c for k in ("in sample", "angle", "policy") for c in (k, f"{k}, bound")]
        ].mean()
        for key in ("in sample", "angle", "policy"):
            error, bound = means[key], means[f"{key}, bound"]
            rows = {PAIRS[key]: error, "bound": bound, "bound / error": bound / error}
            for name, values in rows.items():
                slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
                entries = " | ".join(f"{v:.3g}" for v in values)
                lines.append(f"| {learner} | {name} | {entries} | {slope:+.2f} |")
    note = f"Linear class, five features; means over {replications} samples."
    return "\n".join([*lines, "", note])


def formula_table() -> str:
    """Bounds by formula."""
    heads = " | ".join(f"n = {n:,.0f}" for n in FORMULA_SIZES)
    lines = [
        f"| theorem | d | {heads} | slope at the end | informative from |",
        "|---" * (len(FORMULA_SIZES) + 4) + "|",
    ]
    rules: list[tuple[str, str, Any, float]] = []
    for d in (2, 5, 20):
        rules += [
            ("squared error, these comparisons", str(d), partial(in_sample_profile_bound, d=d), 0.25),
            ("squared error, new comparisons", str(d), partial(profile_bound, d=d), 0.25),
            ("excess ranking risk", str(d), partial(ranking_bound, d=d), 0.5),
        ]
    rules.append(
        ("slope-bounded link, indices up to 4", "any", partial(lipschitz_link_bound, index_range=4.0), 0.25)
    )
    for name, d, rule, trivial in rules:
        values = [rule(n) for n in FORMULA_SIZES]
        slope = math.log(values[-1] / values[-2]) / math.log(FORMULA_SIZES[-1] / FORMULA_SIZES[-2])
        entries = " | ".join(f"{v:.3g}" for v in values)
        lines.append(f"| {name} | {d} | {entries} | {slope:+.2f} | {informative_from(rule, trivial):,.0f} |")
    return "\n".join([*lines, "", "At 90%, for a fit at the minimum of its criterion."])


def main() -> None:
    """Run the studies, print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=500)
    parser.add_argument("--ratio-replications", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for the tables")
    arguments = parser.parse_args()
    scale = {kind: spread(kind) for kind in CLASSES}
    run = Parallel(arguments.jobs)
    hold = run(
        delayed(replicate)(kind, learner, arguments.rows, seed, scale[kind])
        for kind in CLASSES
        for learner in LEARNERS
        for seed in range(arguments.replications)
    )
    ratio = run(
        delayed(replicate)("linear", learner, n, seed, scale["linear"])
        for learner in LEARNERS
        for n in SIZES
        for seed in range(arguments.ratio_replications)
    )
    tables = {
        "bounds_hold": holds_table(pd.DataFrame(hold), arguments.replications),
        "bounds_ratio": ratio_table(pd.DataFrame(ratio), arguments.ratio_replications),
        "bounds_formula": formula_table(),
    }
    for name, text in tables.items():
        print(f"\n{name}\n\n{text}")
        if arguments.out is not None:
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / f"{name}.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
