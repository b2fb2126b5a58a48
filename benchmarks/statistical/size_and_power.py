"""Size and power of the tests of link, position and index, and coverage of the band for the link.

Comparisons n = 1000 of the designs of `link_study`: d = 10 features, ``normal`` or ``mixed`` differences,
index standard deviation 2. ``clusters``: 100 or 50 groups; every feature of a row is the group's own value
with probability sqrt(1/2) and a fresh one otherwise, and labels come through a Gaussian copula of
correlation 1/2, which keeps the link exactly (as in `coverage`).

Every cell is a share of rejections at the level 5%, in percent, over replications. Score forms take 499
multiplier draws in every replication. Forms with refits are judged by the warp-speed bootstrap
(Giacomini, Politis & White 2013): one bootstrap sample per replication, all of them together being the
null distribution.

    python benchmarks/statistical/size_and_power.py --replications 4000 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from link_study import LINKS, differences, truth
from scipy.stats import norm

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink, ProfiledLinkPolicy
from semiindex.diagnostics import (
    Multipliers,
    antisymmetry_test,
    index_test,
    link_test,
    monotonicity_test,
)
from semiindex.diagnostics.null_models import read_tested_sample
from semiindex.diagnostics.parametric_bootstrap import departure, departures_under_null, distinct_comparisons
from semiindex.exceptions import SemiindexWarning
from semiindex.inference import Bootstrap

N_ROWS = 1000
COPULA = 0.5
LEVEL = 0.05
#: Band of sizes that the tests are meant to keep, in percent.
SIZE = (4.0, 6.1)
#: A link that is flat almost everywhere, the least favourable one for the test of monotonicity, and one
#: that falls.
FLAT = LapsedLink(LogisticLink(), lower=0.3, upper=0.3, scale=200.0)


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    Attributes
    ----------
    test : str
        Which test.
    link, design : str
        Which data.
    n_groups : int
        Number of groups, 0 for independent comparisons.
    null : bool
        Whether the null hypothesis holds.
    """

    test: str
    link: str
    design: str
    n_groups: int
    null: bool


SCORE_CELLS = [
    *(Cell("link (score)", "logistic", design, g, True) for design in ("mixed", "normal") for g in (0, 100, 50)),
    *(Cell("link (score)", link, "mixed", 0, False) for link in ("shifted mixture", "flips", "Cauchy", "probit")),
    *(Cell("link (score)", link, "mixed", 100, False) for link in ("shifted mixture", "flips")),
    *(Cell("antisymmetry", link, "mixed", g, True) for link in ("logistic", "flips") for g in (0, 100, 50)),
    Cell("antisymmetry", "Gumbel", "mixed", 0, False),
    Cell("antisymmetry", "Gumbel", "mixed", 100, False),
    *(Cell("index", link, "mixed", g, True) for link in ("logistic", "flips") for g in (0, 100, 50)),
    Cell("index", "logistic, squared feature", "mixed", 0, False),
    Cell("monotonicity", "flat", "mixed", 0, True),
    Cell("monotonicity", "logistic", "mixed", 0, True),
    Cell("monotonicity", "falling", "mixed", 0, False),
    *(Cell("band misses the link", link, "mixed", g, True) for link in ("logistic", "flips") for g in (0, 100)),
]
REFIT_CELLS = [
    *(Cell("link (likelihood ratio)", "logistic", design, 0, True) for design in ("mixed", "normal")),
    *(
        Cell("link (likelihood ratio)", link, "mixed", 0, False)
        for link in ("shifted mixture", "flips", "Cauchy", "probit")
    ),
]


def probability(link: str, X: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Probability of a win of option 1 in every row."""
    t = X @ theta
    if link == "flat":
        return FLAT.probability(t)
    if link == "falling":
        return 0.5 + 0.4 * np.sin(t)
    if link == "logistic, squared feature":
        return LogisticLink().probability(t + 0.5 * X[:, 0] * np.abs(X[:, 0]))
    return LINKS[link].probability(t)


def draw(cell: Cell, theta: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Any]:
    """Differences, labels and groups of one sample."""
    X, uniform, groups = differences(cell.design, N_ROWS, rng), rng.random(N_ROWS), None
    if cell.n_groups:
        groups = np.arange(N_ROWS) // (N_ROWS // cell.n_groups)
        shared = differences(cell.design, cell.n_groups, rng)[groups]
        X = np.where(rng.random(X.shape) < np.sqrt(0.5), shared, X)
        common = rng.standard_normal(cell.n_groups)[groups]
        uniform = norm.cdf(np.sqrt(COPULA) * common + np.sqrt(1 - COPULA) * norm.ppf(uniform))
    return X, (uniform < probability(cell.link, X, theta)).astype(int), groups


def band_misses(result: Any, link: str, X: np.ndarray, theta: np.ndarray) -> bool:
    """Whether the band leaves out the true link somewhere, at the scale of the sample."""
    band = result.band
    truth_on_grid = LINKS[link].probability(band.t * np.sqrt(np.mean((X @ theta) ** 2)))
    # An antisymmetric band has no width at 0.
    outside = (truth_on_grid < band.lower - 1e-9) | (truth_on_grid > band.upper + 1e-9)
    return bool(np.any(outside))


def rejects(cell: Cell, theta: np.ndarray, seed: int) -> bool:
    """One replication of a test without refits."""
    rng = np.random.default_rng([seed, SCORE_CELLS.index(cell)])
    X, y, groups = draw(cell, theta, rng)
    options: dict[str, Any] = {"groups": groups, "multipliers": Multipliers(499, random_state=seed)}
    model = ProfiledLinkPolicy().fit(X, y)
    if cell.test == "band misses the link":
        return band_misses(link_test(model, X, y, method="score", **options), cell.link, X, theta)
    tests: dict[str, Callable[[], Any]] = {
        "link (score)": lambda: link_test(model, X, y, method="score", **options),
        "antisymmetry": lambda: antisymmetry_test(model, X, y, **options),
        "index": lambda: index_test(model, X, y, **options),
        "monotonicity": lambda: monotonicity_test(model, X, y, **options),
    }
    return bool(tests[cell.test]().p_value <= LEVEL)


def refit(cell: Cell, theta: np.ndarray, seed: int) -> tuple[float, float, float, float]:
    """Likelihood ratio and distance of a sample, and of one bootstrap sample."""
    rng = np.random.default_rng([seed, 1000 + REFIT_CELLS.index(cell)])
    X, y, _ = draw(cell, theta, rng)
    sample = read_tested_sample(KnownLinkPolicy().fit(X, y), X, y, None, None)
    distinct = distinct_comparisons(sample, antisymmetric=True)
    observed = departure(distinct, LogisticLink(), antisymmetric=True)
    if observed is None:
        return (np.nan,) * 4
    spec = Bootstrap(n_draws=2, random_state=seed)
    drawn = departures_under_null(distinct, observed, LogisticLink(), spec, antisymmetric=True)[0]
    return observed.likelihood_ratio, observed.distance, float(drawn[0]), float(drawn[1])


def quietly(function: Callable[..., Any], *arguments: Any) -> Any:
    """A replication without the warnings of its fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)
        return function(*arguments)


def run(replications: int, jobs: int) -> pd.DataFrame:
    """All cells; the same numbers for any number of jobs."""
    truths = {design: truth(design) for design in ("mixed", "normal")}
    rows = []
    with Parallel(jobs, batch_size=16) as pool:
        for cell in SCORE_CELLS:
            tasks = (delayed(quietly)(rejects, cell, truths[cell.design], s) for s in range(replications))
            rows.append({**vars(cell), "rejected": 100 * float(np.mean(pool(tasks)))})
        for cell in REFIT_CELLS:
            tasks = (delayed(quietly)(refit, cell, truths[cell.design], s) for s in range(replications))
            values = np.array(pool(tasks))
            values = values[np.isfinite(values).all(axis=1)]
            for column, name in enumerate(("link (likelihood ratio)", "link (distance)")):
                critical = np.quantile(values[:, 2 + column], 1 - LEVEL)
                share = float(np.mean(values[:, column] > critical))
                rows.append({**vars(cell), "test": name, "rejected": 100 * share})
    return pd.DataFrame(rows)


def table(results: pd.DataFrame, replications: int) -> str:
    """Sizes, marked where they leave their band, then powers."""
    lines = ["| test | data | groups | null hypothesis | rejected, % |", "|---|---|---|---|---|"]
    for row in results.sort_values("null", ascending=False, kind="stable").itertuples():
        mark = ""
        if row.null and not SIZE[0] <= row.rejected <= SIZE[1]:
            mark = " (!)"
        state = "true" if row.null else "false"
        groups = row.n_groups or "none"
        lines.append(f"| {row.test} | {row.link}, {row.design} | {groups} | {state} | {row.rejected:.1f}{mark} |")
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / replications)
    return "\n".join(
        [
            *lines,
            "",
            f"{replications} replications, n = {N_ROWS}; standard error of a size of 5%: {error:.1f}. "
            f"(!): outside {SIZE[0]:g} to {SIZE[1]:g}.",
        ]
    )


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for size_and_power.md")
    arguments = parser.parse_args()
    text = table(run(arguments.replications, arguments.jobs), arguments.replications)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "size_and_power.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
