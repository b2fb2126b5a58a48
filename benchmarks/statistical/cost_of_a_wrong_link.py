"""What a wrong link costs in reward, at equal budget, however many comparisons there are.

Conjoint attributes (ordinal levels, prices, rare flags), menus of eight options, two of which are
compared; people who answer at random in 28 cases of 100 and rather "no" than "yes", and people whose
answers are flipped in 20 cases of 100. Every policy spends the same budget, KL = 0.2 from the uniform
one, on menus that no learner saw. Regret is given in percent of what the optimal policy of that budget
gains over the uniform one.

    python benchmarks/statistical/cost_of_a_wrong_link.py --replications 40 --cache CACHE --out docs/tables

All learners see the same samples, so that some of them can be fitted anew or added later:

    python benchmarks/statistical/cost_of_a_wrong_link.py --only "known link, ridge tuned" --out docs/tables

`docs/figures/regret.py` draws the picture from the table that this writes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.simulation import (
    AngleError,
    ComparisonDesign,
    ConjointFeatures,
    PolicyError,
    Sample,
    Study,
    Truth,
    TunedPolicy,
    severity_grid,
)

SIZES = tuple(250 * 2**k for k in range(9))
SCORE = (1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 2.0, 2.0, 2.0)
BUDGET = 0.2
LINKS = ("lapses", "flips")
METRIC = "lost"
#: For the known link. A link that saturates goes with scores of several times the logistic ones, which the
#: smallest ridge of the default grid still shrinks at 64,000 comparisons.
YARDSTICK_RIDGES = (0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class ShareLost:
    """Regret in percent of what the optimal policy gains over the reference, at one budget."""

    budget: float
    name: str = METRIC

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float:
        """Percent of the gain that the learner's policy misses."""
        share = PolicyError((self.budget,))(model, truth, sample)[f"gain_share[{self.budget:g}]"]
        return 100 * (1 - share)


def known_link(truth: Truth) -> KnownLinkPolicy:
    """Maximum likelihood with the true link, position effect included."""
    return KnownLinkPolicy(truth.marginal_link, antisymmetric=truth.antisymmetric, position_effect=False)


def estimators() -> dict[str, Any]:
    """Every learner; those that learn the link allow for a position effect where there is one."""
    return {
        "logistic": KnownLinkPolicy(),
        "logistic, free shift": KnownLinkPolicy(antisymmetric=False),
        "logistic, free shift, ridge tuned": TunedPolicy(KnownLinkPolicy(antisymmetric=False)),
        "spline": lambda truth: ProfiledLinkPolicy(antisymmetric=truth.antisymmetric),
        "isotonic": lambda truth: ProfiledLinkPolicy("isotonic", antisymmetric=truth.antisymmetric),
        "orthogonal": lambda truth: OrthogonalPolicy(antisymmetric=truth.antisymmetric),
        "ranking": lambda truth: RankingPolicy(antisymmetric=truth.antisymmetric),
        "known link": known_link,
        "known link, ridge tuned": lambda truth: TunedPolicy(known_link(truth), ridge=YARDSTICK_RIDGES),
    }


def study(replications: int, only: Sequence[str]) -> Study:
    """Both links at severity 1; at severity 0 they are logistic, and the logistic fit is right."""
    learners = {name: learner for name, learner in estimators().items() if name in only}
    return Study(
        truths=severity_grid(LINKS, [1.0], score=SCORE),
        designs={"conjoint": ComparisonDesign(ConjointFeatures(), menu_size=8)},
        n=SIZES,
        estimators=learners,
        metrics=[ShareLost(BUDGET), AngleError()],
        replications=replications,
    )


def updated(table: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """The table with other rows for the estimators of the summary, in the order of `estimators`."""
    kept = table[~table["estimator"].isin(summary["estimator"])]
    merged = pd.concat([kept, summary], ignore_index=True)[list(table.columns)]
    metrics = list(table["metric"].unique())
    places = {"link": list(LINKS), "metric": metrics, "estimator": list(estimators())}
    return merged.sort_values(
        ["link", "n", "metric", "estimator"],
        kind="stable",
        key=lambda column: column.map(places[column.name].index) if column.name in places else column,
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
    parser.add_argument(
        "--only", nargs="+", choices=list(estimators()), metavar="LEARNER", help="keep the rows of all others"
    )
    parser.add_argument("--cache", type=Path, help="folder for finished blocks: a killed run continues")
    parser.add_argument("--out", type=Path, default=Path("docs/tables"))
    arguments = parser.parse_args()
    fitted = study(arguments.replications, arguments.only or list(estimators()))
    result = fitted.run(n_jobs=arguments.jobs, cache=arguments.cache, progress=True)
    if len(result.failures):
        raise SystemExit(f"fits failed:\n{result.failures['error'].value_counts()}")
    path = arguments.out / "cost_of_a_wrong_link.csv"
    summary = result.summary()
    if arguments.only:
        summary = updated(pd.read_csv(path), summary)
    summary.to_csv(path, index=False, float_format="%.6g")
    table = markdown(summary[summary["metric"] == METRIC])
    (arguments.out / "cost_of_a_wrong_link.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
