"""Size and power of the tests of link, position and index, and coverage of the band for the link.

Comparisons n = 1000 of the designs of `link_study`: d = 10 features, ``normal`` or ``mixed`` differences,
index standard deviation 2. ``clusters``: 100 or 50 groups; every feature of a row is the group's own value
with probability sqrt(1/2) and a fresh one otherwise, and labels come through a Gaussian copula of
correlation 1/2, which keeps the link exactly (as in `coverage`).

Every cell is a share of rejections at the level 5%, in percent, over replications. Score forms take 199
multiplier draws in every replication: 5% of 199 + 1 is whole, so that so few draws do not change the
size. Forms with refits are judged by the warp-speed bootstrap (Giacomini, Politis & White 2013): one
bootstrap sample per replication, all of them together being the null distribution.

    python benchmarks/statistical/size_and_power.py --replications 4000 --jobs 2 --out docs/tables

``--tests index --groups 0`` runs the tests of that name on data without groups only and puts their rows into
the table that is there, which must have been made with as many replications.
"""

from __future__ import annotations

import argparse
import os
import sys
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
#: Powers are judged by one in so many of the replications.
POWER_PART = 4
#: A link that is flat almost everywhere, the least favourable one for the test of monotonicity, and one
#: that falls.
FLAT = LapsedLink(LogisticLink(), lower=0.3, upper=0.3, scale=200.0)


@dataclass(frozen=True)
class Sample:
    """Data, and the tests that are done on them.

    Attributes
    ----------
    link, design : str
        Which data.
    n_groups : int
        Number of groups, 0 for independent comparisons.
    true : tuple of str
        Tests whose null hypothesis holds.
    false : tuple of str
        Tests whose null hypothesis does not.
    """

    link: str
    design: str
    n_groups: int
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


LINK, BAND, REFITS = "link (score)", "band misses the link", "link (likelihood ratio), link (distance)"
SAMPLES = [
    *(Sample("logistic", "mixed", g, (LINK, "antisymmetry", "index", BAND)) for g in (0, 100, 50)),
    *(Sample("logistic", "normal", g, (LINK, "antisymmetry", "index", BAND)) for g in (0, 100)),
    *(Sample("flips", "mixed", g, ("antisymmetry", "index", BAND), (LINK,)) for g in (0, 100)),
    Sample("flips", "mixed", 50, (), (LINK,)),
    Sample("flat", "mixed", 0, ("monotonicity",)),
    Sample("logistic", "mixed", 0, ("monotonicity",)),
    *(Sample("shifted mixture", "mixed", g, (), (LINK,)) for g in (0, 100)),
    *(Sample(link, "mixed", 0, (), (LINK,)) for link in ("Cauchy", "probit")),
    *(Sample("Gumbel", "mixed", g, (), ("antisymmetry",)) for g in (0, 100)),
    Sample("logistic, squared feature", "mixed", 0, (), ("index",)),
    Sample("falling", "mixed", 0, (), ("monotonicity",)),
    Sample("flips, squared feature", "mixed", 0, (), ("index",)),
    Sample("flat", "mixed", 100, ("monotonicity",)),
]
REFIT_SAMPLES = [
    *(Sample("logistic", design, 0, (REFITS,)) for design in ("mixed", "normal")),
    *(Sample(link, "mixed", 0, (), (REFITS,)) for link in ("shifted mixture", "flips", "Cauchy", "probit")),
]


def probability(link: str, X: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Probability of a win of option 1 in every row."""
    t = X @ theta
    if link == "flat":
        return FLAT.probability(t)
    if link == "falling":
        return 0.5 + 0.4 * np.sin(t)
    if link.endswith(", squared feature"):
        link, t = link.removesuffix(", squared feature"), t + 0.5 * X[:, 0] * np.abs(X[:, 0])
    return LINKS[link].probability(t)


def draw(cell: Sample, theta: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Any]:
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


def rejections(cell: Sample, wanted: tuple[str, ...], theta: np.ndarray, seed: int) -> dict[str, bool]:
    """One replication of those tests without refits that are wanted."""
    rng = np.random.default_rng([seed, SAMPLES.index(cell)])
    X, y, groups = draw(cell, theta, rng)
    options: dict[str, Any] = {"groups": groups, "multipliers": Multipliers(199, random_state=seed)}
    model = ProfiledLinkPolicy().fit(X, y)
    tests: dict[str, Callable[..., Any]] = {
        "antisymmetry": antisymmetry_test,
        "index": index_test,
        "monotonicity": monotonicity_test,
    }
    result = {
        name: bool(test(model, X, y, **options).p_value <= LEVEL)
        for name, test in tests.items()
        if name in wanted
    }
    if LINK in wanted or BAND in wanted:
        outcome = link_test(model, X, y, method="score", **options)
        result[LINK] = bool(outcome.p_value <= LEVEL)
        if BAND in wanted:
            result[BAND] = band_misses(outcome, cell.link, X, theta)
    return result


def refit(cell: Sample, theta: np.ndarray, seed: int) -> tuple[float, float, float, float]:
    """Likelihood ratio and distance of a sample, and of one bootstrap sample."""
    rng = np.random.default_rng([seed, 1000 + REFIT_SAMPLES.index(cell)])
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


def run(replications: int, jobs: int, only: list[str], groups: list[int]) -> pd.DataFrame:
    """All samples of the tests asked for; the same numbers for any number of jobs and any other tests."""
    truths = {design: truth(design) for design in ("mixed", "normal")}
    rows: list[dict[str, Any]] = []
    with Parallel(jobs, batch_size=16) as pool:
        for cell in SAMPLES:
            wanted = tuple(name for name in cell.true + cell.false if name in only)
            if not wanted or cell.n_groups not in groups:
                continue
            count = replications if cell.true else max(replications // POWER_PART, 1)
            tasks = (delayed(quietly)(rejections, cell, wanted, truths[cell.design], s) for s in range(count))
            shares = 100 * pd.DataFrame(pool(tasks)).mean()
            rows += [row(cell, name, name in cell.true, shares[name]) for name in wanted]
            print(cell, shares.round(1).to_dict(), file=sys.stderr, flush=True)
        for cell in REFIT_SAMPLES if REFITS in only and 0 in groups else []:
            count = replications if cell.true else max(replications // POWER_PART, 1)
            tasks = (delayed(quietly)(refit, cell, truths[cell.design], s) for s in range(count))
            values = np.array(pool(tasks))
            values = values[np.isfinite(values).all(axis=1)]
            for column, name in enumerate(REFITS.split(", ")):
                critical = np.quantile(values[:, 2 + column], 1 - LEVEL)
                rows.append(row(cell, name, bool(cell.true), 100 * np.mean(values[:, column] > critical)))
    return pd.DataFrame(rows)


def row(cell: Sample, test: str, null: bool, rejected: float) -> dict[str, Any]:
    """One row of the table."""
    data = {"link": cell.link, "design": cell.design, "n_groups": cell.n_groups}
    return {"test": test, "null": null, "rejected": float(rejected), **data}


def table(results: pd.DataFrame, replications: int) -> str:
    """Sizes, marked where they leave their band, then powers."""
    lines = ["| test | data | groups | null hypothesis | rejected, % |", "|---|---|---|---|---|"]
    order = ["null", "test", "link", "design", "n_groups"]
    for entry in results.sort_values(order, ascending=[False, True, True, True, True]).itertuples():
        mark = " (!)" if entry.null and not SIZE[0] <= entry.rejected <= SIZE[1] else ""
        cells = [entry.test, f"{entry.link}, {entry.design}", entry.n_groups or "none"]
        cells += ["true" if entry.null else "false", f"{entry.rejected:.1f}{mark}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", note(replications)])


def note(replications: int) -> str:
    """What the table rests on."""
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / replications)
    return (
        f"n = {N_ROWS}; {replications} replications where the null hypothesis is true, so that a size of "
        f"5% has a standard error of {error:.1f}, and a quarter of them for powers. (!): outside "
        f"{SIZE[0]:g} to {SIZE[1]:g}."
    )


def other_rows(text: str, results: pd.DataFrame, replications: int) -> pd.DataFrame:
    """Rows of a table that is there, but for those that were run again."""
    if note(replications) not in text:
        raise SystemExit("The table was made with another number of replications; run all tests")
    again = set(zip(results.test, results.link, results.design, results.n_groups, strict=True))
    rows: list[dict[str, Any]] = []
    for line in text.splitlines()[2:]:
        if line.startswith("|"):
            test, data, groups, null, rejected = (part.strip() for part in line.strip("|").split("|"))
            link, design = data.rsplit(", ", 1)
            cell = Sample(link, design, 0 if groups == "none" else int(groups))
            if (test, link, design, cell.n_groups) not in again:
                rows.append(row(cell, test, null == "true", float(rejected.removesuffix("(!)"))))
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for size_and_power.md")
    names = sorted({name for cell in SAMPLES + REFIT_SAMPLES for name in cell.true + cell.false})
    parser.add_argument("--tests", nargs="+", choices=names, default=names, help="default: all")
    sizes = sorted({cell.n_groups for cell in SAMPLES})
    parser.add_argument("--groups", nargs="+", type=int, choices=sizes, default=sizes, help="default: all")
    arguments = parser.parse_args()
    count = arguments.replications
    results = run(count, arguments.jobs, arguments.tests, arguments.groups)
    if arguments.out is not None and (arguments.tests, arguments.groups) != (names, sizes):
        old = (arguments.out / "size_and_power.md").read_text()
        results = pd.concat([results, other_rows(old, results, count)], ignore_index=True)
    text = table(results, count)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "size_and_power.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
