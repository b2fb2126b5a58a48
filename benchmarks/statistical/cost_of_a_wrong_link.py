"""What a wrong link costs in reward, at equal budget, however many comparisons there are.

Conjoint attributes (ordinal levels, prices, rare flags), menus of eight options, two of which are
compared; people who answer at random in 28 cases of 100 and rather "no" than "yes", and people whose
answers are flipped in 20 cases of 100. Every policy spends the same budget, KL = 0.2 from the uniform
one, on menus that no learner saw. Regret is given in percent of what the optimal policy of that budget
gains over the uniform one.

    python benchmarks/statistical/cost_of_a_wrong_link.py --replications 40 --cache CACHE --out docs/tables

`docs/figures/regret.py` draws the picture from the table that this writes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy, tune
from semiindex.simulation import (
    AngleError,
    ComparisonDesign,
    ConjointFeatures,
    PolicyError,
    Sample,
    Study,
    Truth,
    severity_grid,
)

SIZES = tuple(250 * 2**k for k in range(9))
SCORE = (1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 2.0, 2.0, 2.0)
BUDGET = 0.2
METRIC = "lost"


class TunedLogistic(BaseEstimator):
    """The usual fit at its best: position may matter, and the ridge is chosen by cross-validation."""

    def fit(self, X: Any, y: Any = None) -> TunedLogistic:
        """Tune and fit."""
        self.model_ = tune(KnownLinkPolicy(antisymmetric=False), X, y).best_estimator
        self.coef_ = self.model_.coef_
        return self

    def score_options(self, X: Any) -> np.ndarray:
        """Scores of options, as metrics of policies ask for."""
        return self.model_.score_options(X)


@dataclass(frozen=True)
class ShareLost:
    """Regret in percent of what the optimal policy gains over the reference, at one budget."""

    budget: float
    name: str = METRIC

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float:
        """Percent of the gain that the learner's policy misses."""
        regret = PolicyError((self.budget,))(model, truth, sample)[f"regret[{self.budget:g}]"]
        evaluation = sample.evaluation
        best = evaluation.optimal_policy(self.budget).probabilities
        moved = best - evaluation.reference.ravel()
        return 100 * regret / float(moved @ evaluation.scores.ravel() / len(evaluation.scores))


def estimators() -> dict[str, Any]:
    """Every learner; those that learn the link allow for a position effect where there is one."""
    return {
        "logistic": KnownLinkPolicy(),
        "logistic, free shift": KnownLinkPolicy(antisymmetric=False),
        "logistic, free shift, ridge tuned": TunedLogistic(),
        "spline": lambda truth: ProfiledLinkPolicy(antisymmetric=truth.antisymmetric),
        "isotonic": lambda truth: ProfiledLinkPolicy("isotonic", antisymmetric=truth.antisymmetric),
        "orthogonal": lambda truth: OrthogonalPolicy(antisymmetric=truth.antisymmetric),
        "ranking": lambda truth: RankingPolicy(antisymmetric=truth.antisymmetric),
        "known link": lambda truth: KnownLinkPolicy(
            truth.marginal_link, antisymmetric=truth.antisymmetric, position_effect=False
        ),
    }


def study(replications: int) -> Study:
    """Both links at severity 1; at severity 0 they are logistic, and the logistic fit is right."""
    return Study(
        truths=severity_grid(["lapses", "flips"], [1.0], score=SCORE),
        designs={"conjoint": ComparisonDesign(ConjointFeatures(), menu_size=8)},
        n=SIZES,
        estimators=estimators(),
        metrics=[ShareLost(BUDGET), AngleError()],
        replications=replications,
    )


def markdown(summary: pd.DataFrame) -> str:
    """A block of rows per link: regret of every learner by the number of comparisons."""
    sizes = sorted(summary["n"].unique())
    lines = ["| answers, learner | " + " | ".join(f"n = {n:,}" for n in sizes) + " |"]
    lines.append("|---" * (len(sizes) + 1) + "|")
    for (link, estimator), rows in summary.groupby(["link", "estimator"], sort=False):
        by_size = rows.set_index("n")
        cells = [f"{by_size.loc[n, 'mean']:.2f} ± {by_size.loc[n, 'standard_error']:.2f}" for n in sizes]
        lines.append(f"| {link}, {estimator} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder for finished blocks: a killed run continues")
    parser.add_argument("--out", type=Path, default=Path("docs/tables"))
    arguments = parser.parse_args()
    result = study(arguments.replications).run(n_jobs=arguments.jobs, cache=arguments.cache, progress=True)
    if len(result.failures):
        raise SystemExit(f"fits failed:\n{result.failures['error'].value_counts()}")
    summary = result.summary()
    summary.to_csv(arguments.out / "cost_of_a_wrong_link.csv", index=False, float_format="%.6g")
    table = markdown(summary[summary["metric"] == METRIC])
    (arguments.out / "cost_of_a_wrong_link.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
