"""Separate, common and pooled links of classes of raters: log loss on new comparisons, and the index.

Raters share the index and differ (or not) in how they answer. Every sample is fitted with separate links
(``pooling=None``), the common link (``pooling=np.inf``) and pooled ones (``pooling="auto"``), and judged by
the expected log loss of new comparisons of the same raters, above that of the true probabilities, and by the
angle between the learned and the true direction.

    python benchmarks/statistical/pooling.py --replications 5 --out docs/tables
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import clone

from semiindex import ProfiledLinkPolicy, RankingPolicy
from semiindex.policy.base import PreferencePolicy

THETA = np.array([1.0, -0.5, 0.5, 0.25]) / np.linalg.norm([1.0, -0.5, 0.5, 0.25])
#: Number of raters and comparisons of each.
SIZES = ((100, 12), (40, 60), (8, 400))
POOLINGS = {"separate": None, "common": np.inf, "pooled": "auto"}
LEARNERS: dict[str, PreferencePolicy] = {"spline": ProfiledLinkPolicy(), "ranking": RankingPolicy()}
#: New comparisons of every rater.
N_NEW = 40
#: Probabilities are held this far from 0 and 1 in the log loss: separate links of few rows reach both.
BOUND = 1e-3

#: Flip rates and slopes of raters.
Raters = tuple[np.ndarray, np.ndarray]
POPULATIONS: dict[str, Callable[[int, np.random.Generator], Raters]] = {
    "alike": lambda k, rng: (np.full(k, 0.1), np.full(k, 3.0)),
    "flip rates 2%, 10%, 40%": lambda k, rng: (rng.choice([0.02, 0.1, 0.4], k), np.full(k, 3.0)),
    "half answer at random": lambda k, rng: (np.arange(k) % 2 / 2, np.full(k, 3.0)),
    "log-normal slopes": lambda k, rng: (np.zeros(k), np.exp(rng.normal(0.5, 1.0, k))),
}


def probability(X: np.ndarray, who: np.ndarray, raters: Raters) -> np.ndarray:
    """Probability that option 1 is preferred."""
    rate, slope = raters
    return rate[who] + (1 - 2 * rate[who]) * expit(slope[who] * (X @ THETA))


def replicate(population: str, size: tuple[int, int], learner: str, seed: int) -> list[dict[str, object]]:
    """One sample under every pooling."""
    n_raters, n_each = size
    rng = np.random.default_rng([seed, n_raters, list(POPULATIONS).index(population)])
    raters = POPULATIONS[population](n_raters, rng)
    who, new_who = (np.repeat(np.arange(n_raters), n) for n in (n_each, N_NEW))
    X, new_X = rng.normal(size=(who.size, THETA.size)), rng.normal(size=(new_who.size, THETA.size))
    y = (rng.random(who.size) < probability(X, who, raters)).astype(int)
    truth = np.clip(probability(new_X, new_who, raters), 1e-12, 1 - 1e-12)
    rows = []
    for name, pooling in POOLINGS.items():
        model = clone(LEARNERS[learner]).set_params(pooling=pooling)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y, link_groups=who)
        p = np.clip(model.predict_proba(new_X, link_groups=new_who)[:, 1], BOUND, 1 - BOUND)
        excess = truth * np.log(truth / p) + (1 - truth) * np.log((1 - truth) / (1 - p))
        cosine = model.coef_ @ THETA / np.linalg.norm(model.coef_)
        rows.append(
            {
                "population": population,
                "size": f"{n_raters} x {n_each}",
                "learner": learner,
                "pooling": name,
                "excess": 1000 * float(np.mean(excess)),
                "angle": float(np.degrees(np.arccos(min(1.0, cosine)))),
                "weight": model.pooling_,
            }
        )
    return rows


def run(replications: int) -> pd.DataFrame:
    """All cells."""
    return pd.DataFrame(
        [
            row
            for population in POPULATIONS
            for size in SIZES
            for learner in LEARNERS
            for seed in range(replications)
            for row in replicate(population, size, learner, seed)
        ]
    )


def table(results: pd.DataFrame, replications: int) -> str:
    """Means of every cell, the least log loss in bold."""
    lines = [
        "| raters | raters x comparisons | learner | separate | common | pooled | separate | common | pooled "
        "| prior weight |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (population, size, learner), cell in results.groupby(["population", "size", "learner"], sort=False):
        by = cell.groupby("pooling")
        excess, angle = by["excess"].mean(), by["angle"].mean()
        losses = [
            f"**{excess[k]:.1f}**" if excess[k] == excess.min() else f"{excess[k]:.1f}" for k in POOLINGS
        ]
        angles = [f"{angle[k]:.2f}" for k in POOLINGS]
        weight = float(np.median(cell.loc[cell["pooling"] == "pooled", "weight"].astype(float)))
        shown = "infinite" if np.isinf(weight) else f"{weight:g}"
        lines.append(f"| {' | '.join([population, size, learner, *losses, *angles, shown])} |")
    return "\n".join(
        [
            *lines,
            "",
            f"Columns 4 to 6: expected log loss on new comparisons above that of the truth, times 1000; "
            f"columns 7 to 9: mean angle in degrees. Means of {replications} samples; the prior weight is "
            "the median.",
        ]
    )


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder for pooling.md")
    arguments = parser.parse_args()
    text = table(run(arguments.replications), arguments.replications)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        unfinished = arguments.out / "pooling.md.part"
        unfinished.write_text(text + "\n")
        os.replace(unfinished, arguments.out / "pooling.md")


if __name__ == "__main__":
    main()
