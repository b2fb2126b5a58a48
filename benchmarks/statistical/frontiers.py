"""Frontiers of the four estimators, drawn: on the published synthetic design, and on choices of train trips.

The first picture is on the data sets of the published design (see published_design.py): kernel indices, tuned
alike, at s = 0, where the link is steep logistic, and at s = 1.5, where it is a mixture that no logistic
function resembles. Drawn is what the policies gain in mean reward over the uniform reference, as a share of
what an oracle that knows the rewards gains at the same divergence: the mean over data sets plus and minus one
standard error.

The second picture has no truth. Left, the estimators learn from the answers of one half of the people,
and a profiled link that has seen the other half only says how often an option of their policies is
preferred to a random one. Right, the profiled link learns from everybody, and a bootstrap over people
gives a band. A menu holds all trips that a person was offered.

    python benchmarks/statistical/frontiers.py train --out docs/_static
    python benchmarks/statistical/frontiers.py published --data DATA --seeds 6 --out docs/_static
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from published_design import COLUMNS, KERNELS, Learner, learners

from semiindex import (
    Bootstrap,
    FrontierDisplay,
    KnownLinkPolicy,
    Menu,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    frontier_band,
    frontier_from_scores,
)
from semiindex.datasets import load_train
from semiindex.display.frontier import FrontierCurve
from semiindex.exceptions import SemiindexWarning
from semiindex.index import KernelIndex
from semiindex.simulation import load_published_data

mpl.use("Agg")
import matplotlib.pyplot as plt

SHIFTS = (0.0, 1.5)
#: The orthogonal estimator has no penalty: its kernel index has few components instead.
ORTHOGONAL = Learner(OrthogonalPolicy(index=KernelIndex(KERNELS[0], components=30)), COLUMNS, {})
LEARNERS = ("kernel, logistic", "kernel, profiled spline", "orthogonal, 30 components", "kernel, ranking")
#: What is gained grows as the root of a small budget, hence the squares.
PUBLISHED_BUDGETS = 0.8 * np.linspace(0, 1, 17) ** 2
TRAIN_BUDGETS = 1.5 * np.linspace(0, 1, 21) ** 2
#: Estimators by the names of the legend.
ESTIMATORS = {
    "logistic": KnownLinkPolicy(),
    "profiled spline": ProfiledLinkPolicy(),
    "orthogonal": OrthogonalPolicy(),
    "ranking": RankingPolicy(),
}


def published_rewards(folder: Path, seed: int) -> pd.DataFrame:
    """Rewards along the frontiers of one data set: a row per shift, learner and budget."""
    data = load_published_data(folder, seed)
    reward = data.evaluation_rewards
    menu = Menu(offsets=np.arange(len(reward) + 1) * reward.shape[1])
    parts = []
    for shift in SHIFTS:
        for name in ("oracle", *LEARNERS):
            scores = reward.ravel()
            if name != "oracle":
                scores = (learners(shift) | {LEARNERS[2]: ORTHOGONAL})[name].scores(data, shift)[0]
            frontier = frontier_from_scores(scores, menu, PUBLISHED_BUDGETS, reward=reward.ravel())
            rows = {"seed": seed, "s": shift, "learner": name, "budget": frontier.budget}
            parts.append(pd.DataFrame(rows | {"reward": frontier.reward}))
    return pd.concat(parts)


def shares_of_the_gain(results: pd.DataFrame) -> pd.DataFrame:
    """What a learner gains over the reference, as a share of what the oracle gains at that divergence.

    Rewards differ more between data sets than between learners; shares do not. A row per shift, budget
    above 0 and data set, a column per learner.
    """
    rewards = results.pivot(index=["s", "budget", "seed"], columns="learner", values="reward")
    reference = rewards.xs(0.0, level="budget").oracle.rename("reference")
    gains = rewards.sub(rewards.join(reference, on=["s", "seed"]).reference, axis=0)
    return gains.div(gains.oracle, axis=0).drop(index=0.0, level="budget")


def draw_published(shares: pd.DataFrame, path: Path) -> None:
    """Two panels, one for each link."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    for ax, shift in zip(axes, SHIFTS, strict=True):
        curves = []
        for name in LEARNERS:
            by_budget = shares.loc[shift][name].groupby("budget")
            mean, error = by_budget.mean(), by_budget.sem().fillna(0.0)
            band = (np.asarray(mean - error), np.asarray(mean + error))
            label = name.removeprefix("kernel, ")
            curves.append(FrontierCurve(label, mean.index.to_numpy(), mean.to_numpy(), *band))
        FrontierDisplay(curves, value_name="reward").plot(ax)
        ax.set_title(f"s = {shift:g}: {'steep logistic link' if shift == 0 else 'link with a plateau'}")
    axes[0].set_ylabel("Share of the oracle's gain in reward")
    axes[1].set_ylabel("")
    axes[1].get_legend().remove()
    figure.savefig(path, dpi=150)


def trips_by_person(pairs: PreferencePairs) -> Menu:
    """All different trips that a person was offered, as that person's menu."""
    names = list(pairs.feature_names)
    offered = [
        pd.DataFrame(side, columns=names).assign(person=pairs.groups)
        for side in (pairs.features0, pairs.features1)
    ]
    return Menu.from_frame(pd.concat(offered).drop_duplicates(), context="person", features=names)


def draw_train(path: Path, n_draws: int) -> None:
    """Judged by the other half of the people; and with a band over people."""
    pairs = load_train().pairs
    people = np.unique(pairs.groups)
    half = np.isin(pairs.groups, np.random.default_rng(0).permutation(people)[: people.size // 2])
    judge = ProfiledLinkPolicy().fit(pairs[~half])
    models = {name: estimator.fit(pairs[half]) for name, estimator in ESTIMATORS.items()}
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    menu = trips_by_person(pairs[~half])
    display = FrontierDisplay.from_estimators(models, menu, TRAIN_BUDGETS, judge=judge).plot(axes[0])
    display.ax_.set(title="Judged by the other half of the people", ylabel="Win rate against a random trip")
    for curve in display.curves:
        print(f"{curve.name:16s} win rate at {TRAIN_BUDGETS[-1]:g}: {curve.value[-1]:.4f}")
    everybody, menu = ProfiledLinkPolicy().fit(pairs), trips_by_person(pairs)
    spec = Bootstrap(n_draws=n_draws)
    band = frontier_band(everybody, pairs, menu, TRAIN_BUDGETS, bootstrap=spec)
    FrontierDisplay.from_frontiers(band).plot(axes[1])
    axes[1].set(title=f"Profiled spline, 95% band ({n_draws} resamples of people)", ylabel="")
    print(band)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Draw the picture that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["published", "train"])
    parser.add_argument("--data", type=Path, help="folder of seed_00.npz, ..., for the published design")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--draws", type=int, default=399)
    parser.add_argument("--out", type=Path, default=Path("docs/_static"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", SemiindexWarning)
    if arguments.what == "train":
        draw_train(arguments.out / "frontiers_train.png", arguments.draws)
        return
    if arguments.data is None:
        parser.error("the data of the published design are not part of the repository: pass --data FOLDER")
    parts = []
    for seed in range(arguments.seeds):
        start = time.perf_counter()
        try:
            parts.append(published_rewards(arguments.data, seed))
        except FileNotFoundError as error:
            parser.error(str(error))
        print(f"data set {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    shares = shares_of_the_gain(pd.concat(parts, ignore_index=True))
    print(shares.groupby(["s", "budget"]).mean().iloc[3::4].round(3).to_string())
    draw_published(shares, arguments.out / "frontiers_published.png")


if __name__ == "__main__":
    main()
