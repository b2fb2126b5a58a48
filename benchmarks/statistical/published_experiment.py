"""The published experiment of contextual preferences on fresh data: reward at exactly KL = 0.2 against s.

In distribution the design of `published_design.py`: a new random network, new contexts and new labels in
every replication, s the shift of the link's two halves. All learners see the same samples. Ridge, kernel
and number of components are chosen by one rule, that of the learner that is told the link too: five-fold
log loss chooses them in pilot samples under the first and the last shift, which are not those of the study;
the kernel chosen most often, and the median of what was chosen with it, are held for the study, and between
the two shifts interpolated. (To tune every learner in every sample would take ten times as long. What
holding earns more or less than tuning is measured in the pilot.)
"overtrained" stands for the published baseline, which follows its training data without a stop: logistic
with a ridge of 1e-6.

What is gained over it splits into what tuning the logistic learner gains (overfitting) and what another
treatment of the link adds to that (misspecification). On the published data sets the same split is made
with the published code's own figures.

    python benchmarks/statistical/published_experiment.py --cache CACHE --published FOLDER --out docs

FOLDER holds ``seed_00.npz``, ... and ``published_code_results.csv``; it is no part of the repository.
Without it the rows and the panel of the published code are left out. `published_gains.py` makes the tables
and the picture.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from published_design import BUDGET, KERNELS, reward_at_budget
from published_gains import (
    LOGISTIC,
    METHODS,
    ORACLE,
    ORTHOGONAL,
    OVERTRAINED,
    PROFILED,
    RANKING,
    TOLD,
    draw,
    markdown,
    summary,
)
from sklearn.base import BaseEstimator, clone

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    tune,
)
from semiindex.exceptions import SemiindexWarning
from semiindex.index import KernelIndex
from semiindex.index.base import IndexClass
from semiindex.index.feature_design import FeatureDesign
from semiindex.index.feature_map import gram_root
from semiindex.index.kernels import arc_cosine_kernel
from semiindex.link import ShiftedMixtureLink
from semiindex.simulation import (
    ContextualFeatures,
    PolicyError,
    PublishedData,
    Study,
    load_published_data,
    published_design,
)

SHIFTS = (0.0, 0.5, 1.0, 1.5)
N, N_PUBLISHED = 1000, 20
#: Replications that are computed for all shifts before the next ones, which share their features.
CHUNK = 25
COLUMNS = ContextualFeatures()
REWARD = f"reward[{BUDGET:g}]"
ROW = ["s", "seed", "learner", "reward"]
#: The ridge that follows the data as a network does that is trained without a stop.
UNSTOPPED = 1e-6
#: Numbers of components among which the orthogonal learner with a kernel index is tuned.
COMPONENTS = (10, 20, 30, 50)
#: Parts of the study, one after the other, with the layers of the candidate kernels (none: linear index).
#: The slowest learner is a part of its own, so that a run can be stopped before it.
PARTS = {"kernel": (1, 2), "linear": (0,), f"linear, {ORTHOGONAL}": (0,)}


class LinearFeatures:
    """The context and a constant in the columns of the action, as differences, in their principal axes.

    A rotation changes no ridge and no score. In principal axes no fit has to factorise a matrix.
    """

    def __init__(self, pairs: PreferencePairs) -> None:
        contexts, signs = _contexts_and_signs(pairs)
        columns = (signs[:, :, None] * _with_constant(contexts)[:, None, :]).reshape(len(signs), -1)
        _, extent, axes = np.linalg.svd(columns, full_matrices=False)
        self._axes = axes[extent > 1e-10 * extent[0]].T  # the constants of all actions cancel
        self.matrix = columns @ self._axes

    def scores(self, contexts: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Scores of all actions in contexts."""
        return _with_constant(contexts) @ (self._axes @ theta).reshape(COLUMNS.n_actions, -1).T


class KernelFeatures:
    """What a `KernelIndex` of `arc_cosine` on the context times equality of the action computes.

    It serves all learners of a sample, and takes a kernel of contexts, not of options: the difference
    kernel of two comparisons is that of their contexts times ``signs signs'``, where a row of signs is 1
    at option 1's action and -1 at option 0's. Fits and scores are those of `KernelIndex`.
    """

    def __init__(self, pairs: PreferencePairs, layers: int) -> None:
        self.layers = layers
        self.contexts, self.signs = _contexts_and_signs(pairs)
        gram = arc_cosine_kernel(self.contexts, self.contexts, layers=layers) * (self.signs @ self.signs.T)
        self.matrix, self._inverse = gram_root(gram)
        self._judged_on = np.empty((0, self.contexts.shape[1]))
        self._kernel = np.empty((0, len(self.contexts)))

    def scores(self, contexts: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Scores of all actions in contexts; their kernel is kept for the next learner."""
        if not np.array_equal(contexts, self._judged_on):
            self._judged_on = contexts
            self._kernel = arc_cosine_kernel(contexts, self.contexts, layers=self.layers)
        return self._kernel @ (self.signs * (self._inverse @ theta)[:, None])


class PrincipalAxes(IndexClass):
    """A linear index in uncorrelated features, which need no matrix to be factorised again."""

    def fit_design(self, pairs: Any) -> FeatureDesign:
        """The features, with their mean squares."""
        features = np.asarray(getattr(pairs, "differences", pairs), dtype=np.float64)
        return FeatureDesign(features, None, np.mean(features**2, axis=0))

    def score(self, options: Any, theta: np.ndarray) -> np.ndarray:
        """Scores of options that are given by their features."""
        return np.asarray(options @ theta)


def _contexts_and_signs(pairs: PreferencePairs) -> tuple[np.ndarray, np.ndarray]:
    (contexts, second), (_, first) = (
        COLUMNS.decode(np.asarray(side)) for side in (pairs.features1, pairs.features0)
    )
    indicator = np.eye(COLUMNS.n_actions)
    return contexts, indicator[second] - indicator[first]


def _with_constant(contexts: np.ndarray) -> np.ndarray:
    return np.hstack([contexts, np.ones((len(contexts), 1))])


@dataclass(frozen=True, eq=False)
class Options:
    """The options of a sample without the answers, which are the same for all shifts of the link."""

    pairs: PreferencePairs

    def __hash__(self) -> int:
        return hash((self.pairs.features0.tobytes(), self.pairs.features1.tobytes()))

    def __eq__(self, other: object) -> bool:
        sides = ("features0", "features1")
        return isinstance(other, Options) and all(
            np.array_equal(getattr(self.pairs, side), getattr(other.pairs, side)) for side in sides
        )


@lru_cache(maxsize=3 * CHUNK)
def features(options: Options, layers: int) -> LinearFeatures | KernelFeatures:
    """Features of a sample, common to its learners and to all shifts; no layers are the linear index."""
    return KernelFeatures(options.pairs, layers) if layers else LinearFeatures(options.pairs)


class Learner(BaseEstimator):
    """An estimator on features of the sample; its ridge and the layers of its kernel are tuned if not given.

    Of several `layers` those are taken whose best ridge has the smallest held-out log loss.
    """

    def __init__(self, estimator: Any, layers: tuple[int, ...], ridge: float | None = None) -> None:
        self.estimator, self.layers, self.ridge = estimator, layers, ridge

    def fit(self, X: PreferencePairs, y: Any = None) -> Learner:
        """Tune (where there is something to choose) and fit."""
        options = Options(X)
        fits = [(*self._fit(features(options, layers), X.labels), layers) for layers in self.layers]
        _, self.model_, chosen = min(fits, key=lambda fit: fit[0])
        self.features_ = features(options, chosen)
        self.chosen_ = {"layers": chosen, "ridge": self.model_.ridge}
        return self

    def _fit(self, encoded: Any, labels: np.ndarray) -> tuple[float, Any]:
        """Held-out log loss (0 where nothing is chosen), and the fitted estimator."""
        model = clone(self.estimator).set_params(index=PrincipalAxes())
        if self.ridge is not None:
            model.set_params(ridge=self.ridge)
        if self.ridge is not None or "ridge" not in model.get_params():
            return 0.0, model.fit(encoded.matrix, labels)
        result = tune(model, encoded.matrix, labels)
        return result.scores["log_loss"][0], result.best_estimator

    def score_options(self, X: Any) -> np.ndarray:
        """Scores of menus of all actions, one below the other."""
        contexts, actions = COLUMNS.decode(np.asarray(X))
        if not (actions.reshape(-1, COLUMNS.n_actions) == np.arange(COLUMNS.n_actions)).all():
            raise ValueError("X must hold all actions of a context one below the other, in their order")
        return self.features_.scores(contexts[:: COLUMNS.n_actions], self.model_.coef_).ravel()


class ComponentLearner(BaseEstimator):
    """The orthogonal learner with a kernel index: it has no ridge, but few components, which are tuned."""

    def __init__(self, layers: tuple[int, ...], components: tuple[int, ...]) -> None:
        self.layers, self.components = layers, components

    def fit(self, X: PreferencePairs, y: Any = None) -> ComponentLearner:
        """Tune (where there is something to choose) and fit."""
        kernels = [KERNELS[layers - 1] for layers in self.layers]
        model = OrthogonalPolicy(index=KernelIndex(kernels[0], components=self.components[0]))
        if len(self.components) * len(kernels) == 1:
            self.model_ = model.fit(X)
            return self
        grid = {"index__kernel": kernels, "index__components": self.components}
        result = tune(model, X, grid=grid)
        chosen = result.best_params
        self.model_ = result.best_estimator
        self.chosen_ = {
            "layers": self.layers[kernels.index(chosen["index__kernel"])],
            "components": chosen["index__components"],
        }
        return self

    def score_options(self, X: Any) -> np.ndarray:
        """Scores of options."""
        return self.model_.score_options(X)


@dataclass(frozen=True)
class Chosen:
    """What tuning chose, as a metric of a study."""

    name: str = "chosen"

    def __call__(self, model: Any, truth: Any, sample: Any, /) -> dict[str, float]:
        """Parameters by name."""
        return {name: float(value) for name, value in model.chosen_.items()}


def learners(part: str, shift: float) -> dict[str, Any]:
    """Learners of a part of the study, rows of the table; everything that may be tuned is."""
    layers = PARTS[part]
    if part == f"linear, {ORTHOGONAL}":
        return {part: Learner(OrthogonalPolicy(), layers)}
    rows: dict[str, Any] = {
        OVERTRAINED: Learner(KnownLinkPolicy(), layers[:1], UNSTOPPED),
        LOGISTIC: Learner(KnownLinkPolicy(), layers),
        PROFILED: Learner(ProfiledLinkPolicy(), layers),
    }
    if part == "kernel":
        rows[ORTHOGONAL] = ComponentLearner(layers, COMPONENTS)
    rows[RANKING] = Learner(RankingPolicy(), layers)
    if part == "kernel":
        rows[TOLD] = Learner(KnownLinkPolicy(ShiftedMixtureLink(shift, 0.25)), layers)
    return {f"{part}, {name}": learner for name, learner in rows.items()}


def is_tuned(learner: Any) -> bool:
    """Whether anything of a learner is chosen by its held-out log loss."""
    if isinstance(learner, ComponentLearner):
        return True
    return learner.ridge is None and not isinstance(learner.estimator, OrthogonalPolicy)


def study(shift: float, estimators: Mapping[str, Any], replications: int, *, pilot: bool = False) -> Study:
    """Samples of one replication share network, contexts, actions and uniform variables over the shifts."""
    truths, design = published_design(shift)
    return Study(
        truths={f"s = {shift:g}": truths},
        designs={"published": design},
        n=N,
        estimators=estimators,
        metrics=[PolicyError((BUDGET,))],
        replications=replications,
        strength=None,
        random_state=int(pilot),
        common_random_numbers=True,
    )


def run(task: Study, name: str, arguments: argparse.Namespace) -> pd.DataFrame:
    """The table of a study; a failing fit ends the run."""
    cache = None if arguments.cache is None else arguments.cache / name
    result = task.run(n_jobs=arguments.jobs, cache=cache, block_size=1)
    print(f"{name}: {task.replications} samples, {time.strftime('%X')}", flush=True)
    if len(result.failures):
        raise SystemExit(f"fits failed:\n{result.failures['error'].value_counts()}")
    return result.to_frame().rename(columns={"replication": "seed", "estimator": "learner"})


def held_parameters(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By learner: the layers chosen most often, the median of the ridges or components chosen with them."""
    held: dict[str, dict[str, Any]] = {}
    for name, rows in table.groupby("learner", sort=False):
        layers = int(rows["layers"].mode().iloc[0])
        agreeing = rows[rows["layers"] == layers]
        held[name] = {"layers": (layers,)}
        if agreeing["ridge"].notna().all():
            held[name]["ridge"] = float(f"{10 ** np.log10(agreeing['ridge']).median():.3g}")
        else:
            held[name]["components"] = (round(agreeing["components"].median()),)
    return held


def between(low: dict[str, Any], high: dict[str, Any], share: float) -> dict[str, Any]:
    """Parameters of a learner at a share of the way between two; of the nearer if their layers differ."""
    if low["layers"] != high["layers"]:
        return low if share < 0.5 else high
    if "ridge" in low:
        return low | {"ridge": float(f"{low['ridge'] ** (1 - share) * high['ridge'] ** share:.3g}")}
    (first,), (last,) = low["components"], high["components"]
    return low | {"components": (round((1 - share) * first + share * last),)}


def with_held(part: str, shift: float, held: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The learners of a part of the study, nothing of which is tuned any more."""
    rows = learners(part, shift)
    for name in rows.keys() & held.keys():
        rows[name].set_params(**held[name])
    return rows


def pilot_study(
    part: str, shift: float, arguments: argparse.Namespace
) -> tuple[dict[str, dict[str, Any]], pd.DataFrame]:
    """What to hold, and what holding it earns more than tuning, sample by sample."""
    tuned = {name: learner for name, learner in learners(part, shift).items() if is_tuned(learner)}
    if not tuned:
        return {}, pd.DataFrame(columns=ROW)
    place = f"{part}, s = {shift:g}, pilot"
    task = study(shift, tuned, arguments.pilot, pilot=True)
    choices = run(replace(task, metrics=[*task.metrics, Chosen()]), place, arguments)
    held = held_parameters(choices)
    estimators = with_held(part, shift, held)
    task = replace(task, estimators={name: estimators[name] for name in tuned})
    rewards = run(task, f"{place} with what is held", arguments)
    keys = ["seed", "learner"]
    difference = rewards.set_index(keys)[REWARD] - choices.set_index(keys)[REWARD]
    return held, difference.rename("reward").reset_index().assign(s=shift)[ROW]


def on_fresh_samples(
    part: str, held: Mapping[float, Mapping[str, dict[str, Any]]], arguments: argparse.Namespace
) -> pd.DataFrame:
    """Rewards of the study and of the oracle, under all shifts."""
    stops = [*range(CHUNK, arguments.replications, CHUNK), arguments.replications]
    for stop in stops if arguments.cache else stops[-1:]:
        tables = []
        for shift, parameters in held.items():
            task = study(shift, with_held(part, shift, parameters), stop)
            tables.append(run(task, f"{part}, s = {shift:g}", arguments).assign(s=shift))
    rewards = pd.concat(tables)
    best = rewards.drop_duplicates(["s", "seed"]).assign(learner=ORACLE)
    best[REWARD] += best[f"regret[{BUDGET:g}]"]
    return pd.concat([best, rewards]).rename(columns={REWARD: "reward"})[ROW]


def on_published_sample(
    folder: Path, seed: int, parts: Iterable[str], held: Mapping[float, Mapping[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Rewards of all learners, with what was held, on one published data set; of the shifts it records."""
    data: PublishedData = load_published_data(folder, seed)
    options, reward = data.evaluation_options(), data.evaluation_rewards
    rows = []
    for shift in held.keys() & data.labels.keys():
        pairs = data.pairs(shift)
        rows.append({"s": shift, "learner": ORACLE, "reward": reward_at_budget(reward, reward)})
        for name, learner in [row for part in parts for row in with_held(part, shift, held[shift]).items()]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SemiindexWarning)
                scores = learner.fit(pairs).score_options(options.reshape(-1, options.shape[2]))
            rows.append({"s": shift, "learner": name, "reward": reward_at_budget(scores, reward)})
    return [{"seed": seed, **row} for row in rows]


def on_published_samples(
    arguments: argparse.Namespace, held: Mapping[float, Mapping[str, dict[str, Any]]]
) -> pd.DataFrame | None:
    """Rewards on the published data sets, of all learners and of the published code."""
    if arguments.published is None:
        print("no folder was given as --published: there are no figures of the published code")
        return None
    tasks = [
        delayed(on_published_sample)(arguments.published, seed, arguments.parts, held)
        for seed in range(N_PUBLISHED)
    ]
    ours = pd.DataFrame([row for rows in Parallel(arguments.jobs)(tasks) for row in rows])
    return pd.concat([ours, published_figures(arguments.published, ours["s"].unique())])


def published_figures(folder: Path, shifts: Iterable[float]) -> pd.DataFrame:
    """Rewards that the published code reaches, from its own results."""
    table = pd.read_csv(folder / "published_code_results.csv")
    chosen = table[(table.kl == BUDGET) & (table.n == N) & table.s.isin(list(shifts))]
    chosen = chosen[chosen.method.isin(list(METHODS)) & (chosen.seed < N_PUBLISHED)]
    return chosen.assign(learner=[f"published {method}" for method in chosen.method])[ROW]


def main() -> None:
    """Run what the cache does not have; write tables and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--pilot", type=int, default=10, help="samples in which the learners are tuned")
    parser.add_argument("--shifts", type=float, nargs="+", default=SHIFTS)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder for finished blocks: a killed run continues")
    parser.add_argument("--published", type=Path, help="folder of the published data sets and results")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    shifts = sorted(arguments.shifts)
    held: dict[float, dict[str, dict[str, Any]]] = {shift: {} for shift in shifts}
    pilots, rewards = [], []
    for part in arguments.parts:
        ends = {shift: pilot_study(part, shift, arguments) for shift in (shifts[0], shifts[-1])}
        pilots += [differences for _, differences in ends.values() if len(differences)]
        low, high = ends[shifts[0]][0], ends[shifts[-1]][0]
        for shift in shifts:
            share = (shift - shifts[0]) / max(shifts[-1] - shifts[0], 1e-12)
            held[shift] |= {name: between(low[name], high[name], share) for name in low}
        rewards.append(on_fresh_samples(part, held, arguments))
    fresh = pd.concat(rewards).drop_duplicates(["s", "seed", "learner"])  # every part has the oracle
    published = on_published_samples(arguments, held)
    text = markdown(fresh, published, pd.concat(pilots), held)
    tables = arguments.out / "tables"
    (tables / "published_experiment.md").write_text(text, encoding="utf-8")
    samples = {"fresh": fresh} if published is None else {"fresh": fresh, "published": published}
    summary(samples).to_csv(tables / "published_experiment.csv", index=False, float_format="%.6g")
    draw(fresh, published, arguments.out / "_static" / "published_experiment.png")
    print(text)


if __name__ == "__main__":
    main()
