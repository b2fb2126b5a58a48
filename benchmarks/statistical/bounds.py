"""Finite-sample bounds: whether they hold, how loose they are, from which sample size they say something.

Three tables.

``bounds_hold``: share of samples in which each bound at 90% holds, for four learners and three classes of
indices: linear in five features (normal, ternary, skewed), linear in two with more comparisons (where
the bound on the angle says something), and a quadratic kernel in two columns with Nystroem features of
eight options of the sample (which span the quadratic functions). The truth is of the class, with flips:
``0.1 + 0.8 sig(2 t)``, t of unit root mean square.

``bounds_ratio``: bound over actual error by sample size, with the slopes of both in n on logarithmic
scales: squared preference error in the sample, sine of the angle, total variation of the policy.

``bounds_formula``: the bounds by formula up to n = 1e8, and the n from which they beat no data at all. What
the angle and the policy need beside n is that of a sample of 200,000 comparisons.

    python benchmarks/statistical/bounds.py --replications 500 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone

from semiindex import (
    KernelIndex,
    Menu,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    policy_error_bound,
    policy_from_scores,
    preference_error_bound,
)
from semiindex.diagnostics import (
    direction_noise,
    in_sample_profile_bound,
    informative_from,
    lipschitz_link_bound,
    profile_bound,
    ranking_bound,
)
from semiindex.diagnostics.determinacy import TangentSample, coordinates_of
from semiindex.exceptions import SemiindexWarning
from semiindex.link import LapsedLink, LogisticLink
from semiindex.policy.policy_distance import policy_distance

CONFIDENCE, BUDGET, N_FRESH = 0.9, 0.2, 5_000
#: The least slope of the true link is assumed to be known up to this index, in root mean squares.
LIMIT = 1.25
LINK = LapsedLink(LogisticLink(), lower=0.1, upper=0.1, scale=2.0)
LEARNERS: dict[str, Any] = {
    "profiled, isotonic": ProfiledLinkPolicy("isotonic"),
    "profiled, spline": ProfiledLinkPolicy(),
    "orthogonal": OrthogonalPolicy(),
    "ranking": RankingPolicy(),
}
THETA = np.array([1.0, -0.8, 0.6, -0.5, 0.4])
SIZES = (500, 2000, 8000, 32_000, 512_000)
#: Samples of the largest size, of the replications of the others.
LARGEST_SHARE = 0.2
FORMULA_SIZES = (500, 2000, 8000, 32_000, 1e6, 1e8)
N_POPULATION = 200_000


@dataclass(frozen=True)
class Design:
    """A class of indices with a truth in it.

    Attributes
    ----------
    n_columns : int
        Columns of an option: normal, but for the second and third of five.
    score : callable
        True score of options, but for its scale.
    rows : int
        Comparisons of a sample.
    index : KernelIndex or None
        Class of indices; None for the linear one.
    """

    n_columns: int
    score: Callable[[np.ndarray], np.ndarray]
    rows: int = 1500
    index: KernelIndex | None = None

    def options(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Options, shape (..., n_columns)."""
        X = rng.standard_normal((*shape, self.n_columns))
        if self.n_columns == 5:
            X[..., 1] = rng.integers(-1, 2, shape)
            X[..., 2] = rng.standard_exponential(shape)
        return X

    def comparisons(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both options of every comparison, and the index."""
        first, second = self.options((n,), rng), self.options((n,), rng)
        return first, second, (self.score(second) - self.score(first)) / self.scale

    @property
    def scale(self) -> float:
        """Root mean square of the unscaled index in the population."""
        if self not in _SCALES:
            rng = np.random.default_rng(7)
            first, second = self.options((1_000_000,), rng), self.options((1_000_000,), rng)
            _SCALES[self] = float(np.sqrt(np.mean((self.score(second) - self.score(first)) ** 2)))
        return _SCALES[self]


_SCALES: dict[Design, float] = {}


def linear(options: np.ndarray) -> np.ndarray:
    """Linear score."""
    return np.asarray(options @ THETA[: options.shape[1]])


def quadratic(options: np.ndarray) -> np.ndarray:
    """Quadratic score of two columns."""
    a, b = options.T
    return np.asarray(np.column_stack([a, b, a**2, b**2, a * b]) @ THETA)


def quadratic_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kernel of the quadratic functions without a constant."""
    return np.asarray((1 + first @ second.T) ** 2 - 1)


DESIGNS = {
    "linear, 5 features": Design(5, linear),
    "linear, 2 features": Design(2, linear, rows=8_000),
    "quadratic kernel": Design(2, quadratic, index=KernelIndex(quadratic_kernel, components=8)),
}


def replicate(kind: str, n: int, seed: int) -> list[dict[str, Any]]:
    """Bounds and errors of all learners in one sample."""
    design = DESIGNS[kind]
    rng = np.random.default_rng([seed, n, list(DESIGNS).index(kind)])
    first, second, t = design.comparisons(n, rng)
    *others, fresh_t = design.comparisons(N_FRESH, rng)
    pairs = PreferencePairs(first, second, (rng.random(n) < LINK.probability(t)).astype(int))
    fresh = PreferencePairs(*others, np.ones(N_FRESH, dtype=int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)
        models = [clone(learner).set_params(index=design.index).fit(pairs) for learner in LEARNERS.values()]
    rows = []
    for name, model in zip(LEARNERS, models, strict=True):
        bound = preference_error_bound(model, pairs, rivals=models, confidence=CONFIDENCE)
        row: dict[str, Any] = {
            "class": kind,
            "learner": name,
            "n": n,
            "in sample": np.mean((model.predict_proba(pairs)[:, 1] - LINK.probability(t)) ** 2),
            "in sample, bound": bound.statements[0].bound,
            "new": np.mean((model.predict_proba(fresh)[:, 1] - LINK.probability(fresh_t)) ** 2),
            "new, bound": bound.statements[1].bound,
            **policy_errors(model, design, pairs, t),
        }
        if len(bound.statements) == 3:
            row["ranking"] = _risk(model.decision_function(fresh), fresh_t) - _risk(fresh_t, fresh_t)
            row["ranking, bound"] = bound.statements[2].bound
        rows.append(row)
    return rows


def policy_errors(model: Any, design: Design, pairs: PreferencePairs, t: np.ndarray) -> dict[str, float]:
    """Angle and total variation with their bounds, the least slope of the link assumed at its true value."""
    cube = design.options((50, 5), np.random.default_rng(11))
    menu, scores = Menu.from_array(cube), design.score(cube.reshape(-1, design.n_columns))
    slope = _least_slope(float(np.sqrt(np.mean(t**2))))
    bound = policy_error_bound(model, pairs, menu, budget=BUDGET, slope=slope, confidence=CONFIDENCE)
    best = policy_from_scores(scores, menu, budget=BUDGET).probabilities
    learned = model.policy(menu, budget=BUDGET).probabilities
    return {
        "angle": _sine(model.decision_function(pairs), t),
        "angle, bound": bound.sine,
        "policy": policy_distance(learned, best, scores, menu).total_variation,
        "policy, bound": bound.total_variation,
        "policy, from": bound.informative_from,
    }


def _least_slope(rms: float) -> tuple[float, float]:
    """The true link's least slope up to the limit, in units of the root mean square of the sample."""
    grid = np.linspace(-LIMIT, LIMIT, 301)
    return float(np.min(LINK.slope(grid * rms)) * rms), LIMIT


def _sine(a: np.ndarray, b: np.ndarray) -> float:
    cosine = (a @ b) / np.sqrt((a @ a) * (b @ b))
    return float(np.sqrt(max(1 - cosine**2, 0.0)))


def _risk(index: np.ndarray, t: np.ndarray) -> float:
    """Probability that the index misorders two comparisons, over pairs of rows, labels integrated out."""
    half = t.size // 2
    p, q = LINK.probability(t[:half]), LINK.probability(t[half:])
    a, b = index[:half], index[half:]
    # The four signs of two answers, each comparison seen from the preferred option.
    cases = [(p * q, a + b), (p * (1 - q), a - b), ((1 - p) * q, b - a), ((1 - p) * (1 - q), -a - b)]
    return float(sum(np.mean(mass * (s < 0)) for mass, s in cases))


PAIRS = {
    "in sample": "squared error, these comparisons",
    "new": "squared error, new comparisons",
    "angle": "sine of the angle",
    "policy": "total variation of the policy",
    "ranking": "excess ranking risk",
}


def holds_table(results: pd.DataFrame, replications: int) -> str:
    """Share of samples in which every bound holds."""
    needed = CONFIDENCE - 2 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / replications)
    lines = ["| class | n | learner | error | mean error | mean bound | holds, % |", "|---" * 7 + "|"]
    for (kind, n, learner), cell in results.groupby(["class", "n", "learner"], sort=False):
        for key, name in PAIRS.items():
            if key not in cell or cell[key].isna().all():
                continue
            held = np.mean(cell[key] <= cell[f"{key}, bound"])
            mark = "" if held >= needed else "*"
            error, bound = cell[key].mean(), cell[f"{key}, bound"].mean()
            numbers = f"{error:.4f} | {bound:.3f} | {100 * held:.1f}{mark}"
            lines.append(f"| {kind} | {n:,} | {learner} | {name} | {numbers} |")
    enough = results.groupby("class", sort=False)["policy, from"].median()
    listed = ", ".join(f"{n:,.0f} ({kind})" for kind, n in enough.items())
    note = (
        f"{replications} samples, bounds at {CONFIDENCE:.0%}; *: below {100 * needed:.1f}. The slope of the "
        f"link is assumed, at its true value up to {LIMIT:g} root mean squares of the index. A bound of 1 "
        f"for the sine, or of {math.sqrt(2 * BUDGET):.3f} for the total variation, says nothing; the latter "
        f"says something from these numbers of comparisons on (medians): {listed}."
    )
    return "\n".join([*lines, "", note])


def ratio_table(results: pd.DataFrame, replications: int) -> str:
    """Errors, bounds, ratios and slopes by sample size."""
    sizes = sorted(results.n.unique())
    heads = " | ".join(f"n = {n:,}" for n in sizes)
    lines = [f"| learner | quantity | {heads} | slope |", "|---" * (len(sizes) + 3) + "|"]
    for learner, cell in results.groupby("learner", sort=False):
        means = cell.groupby("n")[
            [c for k in ("in sample", "angle", "policy") for c in (k, f"{k}, bound")]
        ].mean()
        for key in ("in sample", "angle", "policy"):
            error, bound = means[key], means[f"{key}, bound"]
            rows = {PAIRS[key]: error, "bound": bound, "bound / error": bound / error}
            for name, values in rows.items():
                slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
                entries = " | ".join(f"{v:.3g}" for v in values)
                lines.append(f"| {learner} | {name} | {entries} | {slope:+.2f} |")
    note = (
        f"Linear class, five features; means over {replications} samples ({_largest(replications)} of the "
        f"largest size). A sine of 1 and a total variation of {math.sqrt(2 * BUDGET):.3f} say nothing."
    )
    return "\n".join([*lines, "", note])


def _largest(replications: int) -> int:
    return max(round(LARGEST_SHARE * replications), 1)


def population_rules() -> list[tuple[str, str, Callable[[float], float], float]]:
    """Angle and policy at any n, what they need of the population from a large sample and the truth."""
    design = DESIGNS["linear, 5 features"]
    first, second, t = design.comparisons(N_POPULATION, np.random.default_rng(5))
    cube = design.options((50, 5), np.random.default_rng(11))
    menu = Menu.from_array(cube)
    z = LINK.probability(t)
    pairs = PreferencePairs(first, second, (np.random.default_rng(6).random(t.size) < z).astype(int))
    result = policy_error_bound(
        ProfiledLinkPolicy().fit(pairs), pairs, menu, budget=BUDGET, slope=_least_slope(1.0)
    )
    leverage = result.factors[-1].value
    differences = second - first
    weight, theta = np.ones(t.size), THETA
    rows = differences @ coordinates_of(differences, weight, theta).tangent
    sample = TangentSample(rows, t, z, weight)

    def sine(n: float) -> float:
        def noise(step: int) -> float:
            return direction_noise(n, 5, confidence=CONFIDENCE, step=step)

        return sample.angle(noise, *_least_slope(1.0), blocks=False).sine

    def variation(n: float) -> float:
        bound = sine(n)
        return (
            min(leverage * bound / math.sqrt(1 - bound**2), result.trivial) if bound < 1 else result.trivial
        )

    return [(PAIRS["angle"], "5", sine, 1.0), (PAIRS["policy"], "5", variation, result.trivial)]


def formula_table() -> str:
    """Bounds by formula."""
    heads = " | ".join(f"n = {n:,.0f}" for n in FORMULA_SIZES)
    lines = [
        f"| theorem | d | {heads} | slope at the end | informative from |",
        "|---" * (len(FORMULA_SIZES) + 4) + "|",
    ]
    rules: list[tuple[str, str, Any, float]] = []
    for d in (2, 5, 20):
        rules += [
            ("squared error, these comparisons", str(d), partial(in_sample_profile_bound, d=d), 0.25),
            ("squared error, new comparisons", str(d), partial(profile_bound, d=d), 0.25),
            ("excess ranking risk", str(d), partial(ranking_bound, d=d), 0.5),
        ]
    rules.append(
        ("slope-bounded link, indices up to 4", "any", partial(lipschitz_link_bound, index_range=4.0), 0.25)
    )
    rules.append(
        (
            "error (root mean square), these comparisons",
            "5",
            lambda n: in_sample_profile_bound(n, 5) ** 0.5,
            0.5,
        )
    )
    rules += population_rules()
    for name, d, rule, trivial in rules:
        values = [rule(n) for n in FORMULA_SIZES]
        slope = math.log(values[-1] / values[-2]) / math.log(FORMULA_SIZES[-1] / FORMULA_SIZES[-2])
        entries = " | ".join(f"{v:.3g}" for v in values)
        lines.append(f"| {name} | {d} | {entries} | {slope:+.2f} | {informative_from(rule, trivial):,.0f} |")
    note = (
        "At 90%, for a fit at the minimum of its criterion. Angle and policy: linear class of five features, "
        "the slope of the link, the spread of the features and the menu at their population values."
    )
    return "\n".join([*lines, "", note])


def main() -> None:
    """Run the studies, print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replications", type=int, default=500)
    parser.add_argument("--ratio-replications", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for the tables")
    arguments = parser.parse_args()
    few = arguments.ratio_replications
    hold = [
        (kind, design.rows, seed)
        for kind, design in DESIGNS.items()
        for seed in range(arguments.replications)
    ]
    ratio = [
        ("linear, 5 features", n, seed)
        for n in SIZES
        for seed in range(_largest(few) if n == max(SIZES) else few)
    ]
    run = Parallel(arguments.jobs)
    rows, ratio_rows = (
        pd.DataFrame(chain.from_iterable(run(delayed(replicate)(*cell) for cell in cells)))
        for cells in (hold, ratio)
    )
    tables = {
        "bounds_hold": holds_table(rows, arguments.replications),
        "bounds_ratio": ratio_table(ratio_rows, few),
        "bounds_formula": formula_table(),
    }
    for name, text in tables.items():
        print(f"\n{name}\n\n{text}")
        if arguments.out is not None:
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / f"{name}.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
