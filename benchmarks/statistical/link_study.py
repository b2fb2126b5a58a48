"""What it costs not to know the link: error of the direction under six links and two designs.

Comparisons n = 4000 of d = 10 features; the error is the angle, in degrees, between the estimated
and the true direction in the metric of the sample's index. Index standard deviation 2,
``theta_j ~ (-1)^j / (1 + j mod 5)``. Designs: ``normal``, and ``mixed`` with a third of the feature
differences N(0, 1), a third Bern(.15) - Bern(.15), a third E^1.5 - E' with E, E' exponential.

    python benchmarks/statistical/link_study.py --replications 50 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from semiindex import (
    CauchitLink,
    KnownLinkPolicy,
    LapsedLink,
    LogisticLink,
    LogLogLink,
    ProbitLink,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import ConvergenceWarning
from semiindex.link import ParametricLink, ShiftedMixtureLink

N_FEATURES = 10
INDEX_SD = 2.0
LINKS: dict[str, ParametricLink] = {
    "logistic": LogisticLink(),
    "probit": ProbitLink(),
    "shifted mixture": ShiftedMixtureLink(1.5, 0.25),
    "Gumbel": LapsedLink(LogLogLink(), scale=1.5),
    "flips": LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0),
    "Cauchy": LapsedLink(CauchitLink(), scale=3.0),
}
DESIGNS = ("normal", "mixed")
#: Slope bound, per root mean square of the index, and knots of the shape-constrained link.
SHAPE = ShapeConstrainedLink(lipschitz=1.0)


def differences(design: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Feature differences of n comparisons."""
    X = rng.standard_normal((n, N_FEATURES))
    if design == "mixed":
        X[:, 1::3] = rng.binomial(1, 0.15, X[:, 1::3].shape) - rng.binomial(1, 0.15, X[:, 1::3].shape)
        shape = X[:, 2::3].shape
        X[:, 2::3] = rng.exponential(size=shape) ** 1.5 - rng.exponential(size=shape)
    return X


def truth(design: str) -> np.ndarray:
    """Coefficients, scaled to the index's standard deviation in a large sample."""
    theta = (-1.0) ** np.arange(N_FEATURES) / (1 + np.arange(N_FEATURES) % 5)
    index = differences(design, 1_000_000, np.random.default_rng(20_251_217)) @ theta
    return theta * (INDEX_SD / index.std())


def estimators(link_name: str) -> dict[str, Callable[[], Any]]:
    """Every estimator of the table; under the asymmetric link all but the first allow for asymmetry.

    The first is the usual fit (Bradley-Terry, DPO), which has no position effect; the second is what
    a careful user of a logistic regression would do.
    """
    symmetric = LINKS[link_name].antisymmetric
    return {
        "logistic": KnownLinkPolicy,
        "logistic with shift": lambda: KnownLinkPolicy(antisymmetric=False),
        "isotonic": lambda: ProfiledLinkPolicy("isotonic", antisymmetric=symmetric),
        "spline": lambda: ProfiledLinkPolicy("spline", antisymmetric=symmetric),
        "shape": lambda: ProfiledLinkPolicy(SHAPE, antisymmetric=symmetric),
        "known": lambda: KnownLinkPolicy(LINKS[link_name], antisymmetric=symmetric, position_effect=False),
    }


def angle(estimate: np.ndarray, theta: np.ndarray, gram: np.ndarray) -> float:
    """Angle in the metric of the index, in degrees."""
    cosine = estimate @ gram @ theta / np.sqrt((estimate @ gram @ estimate) * (theta @ gram @ theta))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def replicate(design: str, link_name: str, n: int, theta: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """All estimators on one sample."""
    rng = np.random.default_rng([seed, DESIGNS.index(design), list(LINKS).index(link_name)])
    X = differences(design, n, rng)
    y = (rng.random(n) < LINKS[link_name].probability(X @ theta)).astype(int)
    rows = []
    for name, make in estimators(link_name).items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # counted below
            model = make().fit(X, y)
        rows.append(
            {
                "link": link_name,
                "design": design,
                "replication": seed,
                "estimator": name,
                "angle": angle(model.coef_, theta, X.T @ X),
                "converged": model.converged_,
                "seconds": time.perf_counter() - start,
            }
        )
    return rows


def run(n: int, replications: int, jobs: int) -> pd.DataFrame:
    """All cells; the same numbers for any number of jobs."""
    tasks = [
        delayed(replicate)(design, link, n, theta, seed)
        for design in DESIGNS
        for theta in [truth(design)]
        for link in LINKS
        for seed in range(replications)
    ]
    return pd.DataFrame([row for rows in Parallel(jobs, batch_size=1)(tasks) for row in rows])


def table(results: pd.DataFrame) -> str:
    """Mean angles with Monte-Carlo standard errors, and the two ratios that the library promises."""
    names = list(estimators("logistic"))
    lines = [
        "| link, design | " + " | ".join(names) + " | spline / known | isotonic / logistic |",
        "|---" * (len(names) + 3) + "|",
    ]
    for design in DESIGNS:
        for link in LINKS:
            cell = results[(results.link == link) & (results.design == design)]
            angles = cell.pivot(index="replication", columns="estimator", values="angle")
            mean, error = angles.mean(), angles.std(ddof=1) / np.sqrt(len(angles))
            entries = [f"{mean[name]:.2f} ± {error[name]:.2f}" for name in names]
            ratios = [mean["spline"] / mean["known"], mean["isotonic"] / mean["logistic"]]
            lines.append(f"| {link}, {design} | " + " | ".join(entries + [f"{r:.2f}" for r in ratios]) + " |")
    cost = results.groupby("estimator", sort=False)
    seconds, converged = cost.seconds.median(), cost.converged.mean()
    lines += [
        "| *seconds a fit (median)* | " + " | ".join(f"{seconds[n]:.3f}" for n in names) + " | | |",
        "| *share converged* | " + " | ".join(f"{converged[n]:.3f}" for n in names) + " | | |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the study, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--replications", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for link_study.md and link_study.csv")
    arguments = parser.parse_args()
    results = run(arguments.rows, arguments.replications, arguments.jobs)
    text = table(results)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "link_study.md").write_text(text + "\n")
        results.drop(columns="seconds").to_csv(arguments.out / "link_study.csv", index=False)


if __name__ == "__main__":
    main()
