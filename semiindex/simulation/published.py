"""The published synthetic design of contextual preferences, in distribution and as recorded data sets.

Contexts are normal, ten actions, the reference policy is uniform, rewards come from a random network
(`random_teacher`), two actions are drawn uniformly with replacement per context, and the link is
``.5 G((u - s) / .25) + .5 G((u + s) / .25)`` of the difference u of rewards, G logistic
(Kallus 2025). The link is taken as it is, not brought to a signal strength.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link import ShiftedMixtureLink
from semiindex.simulation.contextual import ContextualFeatures
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.features import NormalFeatures
from semiindex.simulation.sampling import UniformPairs
from semiindex.simulation.study_checks import checked_count
from semiindex.simulation.teacher import random_teacher
from semiindex.simulation.truth import Truth

__all__ = ["PublishedData", "PublishedTruth", "load_published_data", "published_design"]

_SCALE = 0.25
_NU = 10.0
_Encoding = Literal["columns", "interactions"]


@dataclass(frozen=True)
class PublishedTruth:
    """The distribution of truths of the published design: every replication draws a teacher of its own.

    Studies take its links as they are, whatever their signal strength: at another scale they would not be
    the published ones.

    Parameters
    ----------
    shift : float
        s of the link, at least 0; 0 is a steep logistic link.
    features : ContextualFeatures, default=ContextualFeatures()
        Contexts, actions and their encoding.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import PublishedTruth
    >>> PublishedTruth(1.5).draw(np.random.default_rng(0)).link
    ShiftedMixtureLink(shift=1.5, scale=0.25)
    """

    shift: float
    features: ContextualFeatures = field(default_factory=ContextualFeatures)

    @property
    def keeps_strength(self) -> bool:
        """True: the scale of the links is part of the design."""
        return True

    @property
    def factors(self) -> Mapping[str, Any]:
        """The shift."""
        return MappingProxyType({"shift": float(self.shift)})

    def draw(self, rng: np.random.Generator) -> Truth:
        """A truth with a new teacher."""
        teacher = random_teacher(self.features, rng, nu=_NU)
        return Truth(teacher, ShiftedMixtureLink(self.shift, _SCALE), factors=self.factors)


def published_design(
    shift: float, *, n_features: int = 20, n_actions: int = 10, encoding: _Encoding = "columns"
) -> tuple[PublishedTruth, ComparisonDesign]:
    """Truth and design of the published experiment, in distribution.

    Parameters
    ----------
    shift : float
        s of the link; the experiment has 0, .25, ..., 1.5.
    n_features : int, default=20
        Dimension of the contexts.
    n_actions : int, default=10
        Number of actions.
    encoding : {"columns", "interactions"}, default="columns"
        Features of options for kernels and networks, or for linear indices; see `ContextualFeatures`.

    Returns
    -------
    PublishedTruth
        To be drawn anew in every replication.
    ComparisonDesign
        Uniform pairs of actions with replacement: a tenth compare an action with itself.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import published_design
    >>> truths, design = published_design(1.5)
    >>> rng = np.random.default_rng(0)
    >>> design.sample(truths.draw(rng), 1000, rng).pairs.shape
    (1000, 21)
    """
    features = ContextualFeatures(NormalFeatures(n_features), n_actions, encoding)
    return PublishedTruth(shift, features), ComparisonDesign(features, sampling=UniformPairs(replace=True))


@dataclass(frozen=True, eq=False)
class PublishedData:
    """One recorded data set of the published design.

    Parameters
    ----------
    contexts, evaluation_contexts : array of shape (n, d) and (m, d)
        Contexts of the comparisons, and those on which policies are judged.
    actions0, actions1 : array of int, shape (n,)
        Actions compared.
    labels : mapping from float to array of shape (n,)
        Labels under every recorded shift: 1 where `actions1` was preferred.
    rewards, evaluation_rewards : array of shape (n, k) and (m, k)
        True rewards of all actions; the first are no business of a learner.
    """

    contexts: FloatArray
    evaluation_contexts: FloatArray
    actions0: IntArray
    actions1: IntArray
    labels: Mapping[float, IntArray]
    rewards: FloatArray
    evaluation_rewards: FloatArray

    def features(self, encoding: _Encoding = "columns") -> ContextualFeatures:
        """The encoding of options for contexts and actions of this size."""
        n_features, n_actions = self.contexts.shape[1], self.rewards.shape[1]
        return ContextualFeatures(NormalFeatures(n_features), n_actions, encoding)

    def pairs(self, shift: float, encoding: _Encoding = "columns") -> PreferencePairs:
        """Comparisons with their labels under a recorded shift.

        Parameters
        ----------
        shift : float
            s of the link; one of `labels`.
        encoding : {"columns", "interactions"}, default="columns"
            Features of options, see `ContextualFeatures`.

        Returns
        -------
        PreferencePairs
        """
        if shift not in self.labels:
            raise InvalidParameterError(
                f"labels are recorded for shift in {sorted(self.labels)}, got {shift}"
            )
        features = self.features(encoding)
        first, second = (
            features.encode(self.contexts, actions) for actions in (self.actions0, self.actions1)
        )
        return PreferencePairs(first, second, self.labels[shift], feature_names=features.feature_names)

    def evaluation_options(self, encoding: _Encoding = "columns") -> FloatArray:
        """All actions in the evaluation contexts as menus, shape (m, k, columns)."""
        features = self.features(encoding)
        m, k = self.evaluation_rewards.shape
        contexts = np.repeat(self.evaluation_contexts[:, None, :], k, axis=1)
        return features.encode(contexts, np.broadcast_to(np.arange(k), (m, k)))


def load_published_data(folder: str | Path, seed: int) -> PublishedData:
    """Read one recorded data set.

    Parameters
    ----------
    folder : str or Path
        Folder of ``seed_00.npz``, ``seed_01.npz``, ...: arrays ``x``, ``x_eval``, ``y0``, ``y1``,
        ``z_s0.0`` and other shifts, ``teacher_logp_train``, ``teacher_logp_eval``. The files are no
        part of the package.
    seed : int
        Number of the data set, at least 0.

    Returns
    -------
    PublishedData
        Rewards are ``10 log(k pi_teacher)``.

    Raises
    ------
    FileNotFoundError
        If the folder has no such file; the message says what was looked for.
    InvalidParameterError
        If the seed is no such number.
    InvalidDataError
        If the file lacks an array.
    """
    path = Path(folder) / f"seed_{checked_count(seed, 'seed', 0):02d}.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: folder must hold the recorded data sets of the published design, one file "
            "seed_00.npz, seed_01.npz, ... each. They are not distributed with semiindex; published_design() "
            "draws new data of the same distribution"
        )
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    needed = ("x", "x_eval", "y0", "y1", "teacher_logp_train", "teacher_logp_eval")
    missing = [name for name in needed if name not in arrays]
    labels = {float(name[3:]): z.astype(np.int8) for name, z in arrays.items() if name.startswith("z_s")}
    if missing or not labels:
        lacking = ", ".join(missing or ["z_s<shift>"])
        raise InvalidDataError(f"{path} is not a data set of the published design: it lacks {lacking}")
    log_policies = [arrays[f"teacher_logp_{part}"].astype(np.float64) for part in ("train", "eval")]
    train, evaluation = (_NU * (log_policy + np.log(log_policy.shape[1])) for log_policy in log_policies)
    return PublishedData(
        contexts=arrays["x"].astype(np.float64),
        evaluation_contexts=arrays["x_eval"].astype(np.float64),
        actions0=arrays["y0"].astype(np.intp),
        actions1=arrays["y1"].astype(np.intp),
        labels=labels,
        rewards=train,
        evaluation_rewards=evaluation,
    )
