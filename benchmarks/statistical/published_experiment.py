"""The published experiment of contextual preferences on fresh data: reward at exactly KL = 0.2 against s.

In distribution the design of `published_design.py`: a new random network, new contexts and new labels in
every replication, s the shift of the link's two halves. All learners see the same samples. Ridge and
kernel are tuned by one rule and one grid within an index class, for the learner that is told the link
too. "overtrained" stands for the published baseline, which follows its training data without a stop:
the logistic learner with a ridge of 1e-6. What the others gain over it splits into what tuning the logistic
learner gains (overfitting) and what learning the link adds to that (misspecification).

    python benchmarks/statistical/published_experiment.py --replications 200 --cache CACHE --out docs/tables
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from published_design import BUDGET, KERNELS
from sklearn.base import BaseEstimator, clone

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    tune,
)
from semiindex.index import KernelIndex
from semiindex.simulation import ContextualFeatures, PolicyError, Study, StudyResult, published_design

SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
N = 1000
COLUMNS = ContextualFeatures()
INTERACTIONS = ContextualFeatures(encoding="interactions")
REWARD = f"reward[{BUDGET:g}]"
OVERTRAINED, LOGISTIC = "kernel, overtrained logistic", "kernel, logistic"


class LinearLearner(BaseEstimator):
    """A linear index: columns of the context for every action. The ridge is tuned where there is one."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: PreferencePairs, y: Any = None) -> LinearLearner:
        """Encode, tune and fit."""
        encoded = PreferencePairs(_interactions(X.features0), _interactions(X.features1), X.labels)
        if isinstance(self.estimator, OrthogonalPolicy):
            self.model_ = clone(self.estimator).fit(encoded)
        else:
            self.model_ = tune(self.estimator, encoded).best_estimator
        return self

    def score_options(self, X: Any) -> np.ndarray:
        """Scores of options in the encoding of the design."""
        return self.model_.score_options(_interactions(np.asarray(X)))


class KernelLearner(BaseEstimator):
    """A kernel index with the kernels of wide networks; the ridge is tuned unless it is given."""

    def __init__(self, estimator: Any, ridge: float | None = None) -> None:
        self.estimator = estimator
        self.ridge = ridge

    def fit(self, X: PreferencePairs, y: Any = None) -> KernelLearner:
        """Tune and fit."""
        ridges = None if self.ridge is None else [self.ridge]
        self.model_ = tune(self.estimator, X, ridge=ridges, grid={"index__kernel": KERNELS}).best_estimator
        return self

    def score_options(self, X: Any) -> np.ndarray:
        """Scores of options."""
        return self.model_.score_options(X)


def _interactions(options: np.ndarray) -> np.ndarray:
    return INTERACTIONS.encode(*COLUMNS.decode(options))


def estimators() -> dict[str, Any]:
    """Rows of the table."""
    index = KernelIndex()
    return {
        "linear, logistic": LinearLearner(KnownLinkPolicy()),
        "linear, profiled spline": LinearLearner(ProfiledLinkPolicy()),
        "linear, orthogonal": LinearLearner(OrthogonalPolicy()),
        "linear, ranking": LinearLearner(RankingPolicy()),
        OVERTRAINED: KernelLearner(KnownLinkPolicy(index=index), ridge=1e-6),
        LOGISTIC: KernelLearner(KnownLinkPolicy(index=index)),
        "kernel, profiled spline": KernelLearner(ProfiledLinkPolicy(index=index)),
        "kernel, ranking": KernelLearner(RankingPolicy(index=index)),
        "kernel, told the link": lambda truth: KernelLearner(
            KnownLinkPolicy(truth.marginal_link, index=index)
        ),
    }


def study(replications: int, shifts: tuple[float, ...]) -> Study:
    """A truth per shift; samples of one replication share contexts, actions and uniform variables."""
    return Study(
        truths={f"s = {shift:g}": published_design(shift)[0] for shift in shifts},
        designs={"published": published_design(0.0)[1]},
        n=N,
        estimators=estimators(),
        metrics=[PolicyError((BUDGET,))],
        replications=replications,
        strength=None,
        common_random_numbers=True,
    )


def markdown(result: StudyResult) -> str:
    """Rewards of every learner, of the oracle, and the gains over the overtrained learner in two parts."""
    cells = [(common["truth"], wide) for common, wide in result.cells(REWARD)]
    regrets = [wide for _, wide in result.cells(f"regret[{BUDGET:g}]")]
    lines = ["| learner | " + " | ".join(name for name, _ in cells) + " |", "|---" * (len(cells) + 1) + "|"]
    for learner in estimators():
        lines.append(_line(learner, [wide[learner] for _, wide in cells]))
    best = [
        (wide + regret)[LOGISTIC] for (_, wide), regret in zip(cells, regrets, strict=True)
    ]  # the same by any learner
    lines.append(_line("oracle", best))
    tuning = [wide[LOGISTIC] - wide[OVERTRAINED] for _, wide in cells]
    lines.append(_line("gain by tuning (overfitting)", tuning))
    for learner in ("kernel, profiled spline", "kernel, told the link"):
        gains = [wide[learner] - wide[LOGISTIC] for _, wide in cells]
        lines.append(_line(f"further gain of {learner} (misspecification)", gains))
    return "\n".join(lines) + "\n"


def _line(name: str, columns: list[pd.Series]) -> str:
    cells = [f"{column.mean():.3f} ± {column.std() / np.sqrt(column.count()):.3f}" for column in columns]
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="The published experiment on fresh data.")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--shifts", type=float, nargs="+", default=SHIFTS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder for finished blocks: a killed run continues")
    parser.add_argument("--out", type=Path, default=Path("docs/tables"))
    arguments = parser.parse_args()
    task = study(arguments.replications, tuple(arguments.shifts))
    result = task.run(n_jobs=arguments.jobs, cache=arguments.cache, progress=True, block_size=1)
    if len(result.failures):
        raise SystemExit(f"fits failed:\n{result.failures['error'].value_counts()}")
    result.summary(LOGISTIC).to_csv(
        arguments.out / "published_experiment.csv", index=False, float_format="%.6g"
    )
    text = markdown(result)
    (arguments.out / "published_experiment.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
