"""Scores from a random network, for truths that no learner's index class contains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import log_softmax

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.contextual import ContextualFeatures

__all__ = ["TeacherScore", "random_teacher"]


@dataclass(frozen=True, eq=False)
class TeacherScore:
    """``nu log(pi_teacher(action | context) k)``, pi_teacher the softmax of a ReLU network.

    The score is a reward of which the teacher is the optimal policy: under the reverse KL divergence
    from the uniform policy, at temperature nu.

    Parameters
    ----------
    features : ContextualFeatures
        Encoding of contexts and actions in the options.
    layers : sequence of (array of shape (n_in, n_out), array of shape (n_out,))
        Weights and biases; the first layer reads the context, the last has one output per action.
    nu : float, default=10.0
        Factor of the log-ratio.

    Raises
    ------
    InvalidParameterError
        If the layers do not fit each other, the contexts or the actions.
    """

    features: ContextualFeatures
    layers: tuple[tuple[FloatArray, FloatArray], ...]
    nu: float = 10.0

    def __post_init__(self) -> None:
        widths = [self.features.contexts.n_features]
        for weight, bias in self.layers:
            if weight.ndim != 2 or weight.shape[0] != widths[-1] or bias.shape != weight.shape[1:]:
                raise InvalidParameterError(
                    f"layers must be weights of shape (n_in, n_out) and biases of shape (n_out,); after "
                    f"{widths} came {weight.shape} and {bias.shape}"
                )
            widths.append(weight.shape[1])
        if len(widths) < 2 or widths[-1] != self.features.n_actions:
            raise InvalidParameterError(
                f"the last layer must have one output for each of the {self.features.n_actions} actions, got "
                f"widths {widths}"
            )

    def __call__(self, options: FloatArray) -> FloatArray:
        """Scores of shape ``options.shape[:-1]``."""
        contexts, actions = self.features.decode(options)
        if _is_whole_menu(actions):  # the network once per context, not once per option
            return self._log_ratios(contexts[..., 0, :])
        table = self._log_ratios(contexts)
        return np.asarray(np.take_along_axis(table, actions[..., None], axis=-1)[..., 0])

    def _log_ratios(self, contexts: FloatArray) -> FloatArray:
        """Scores of all actions, shape (..., k)."""
        hidden = contexts
        for weight, bias in self.layers[:-1]:
            hidden = np.maximum(hidden @ weight + bias, 0.0)
        weight, bias = self.layers[-1]
        log_policy = log_softmax(hidden @ weight + bias, axis=-1)
        return np.asarray(self.nu * (log_policy + math.log(self.features.n_actions)))


def random_teacher(
    features: ContextualFeatures,
    rng: np.random.Generator,
    hidden: Sequence[int] = (32, 32),
    nu: float = 10.0,
) -> TeacherScore:
    """Draw a teacher: weights and biases of a layer uniform on ``±1 / sqrt(n_in)``.

    That is the default initialisation of a linear layer in PyTorch (He et al. 2015 with a = sqrt 5),
    written out.

    Parameters
    ----------
    features : ContextualFeatures
        Contexts and actions.
    rng : numpy.random.Generator
        Source of randomness.
    hidden : sequence of int, default=(32, 32)
        Widths of the hidden layers.
    nu : float, default=10.0
        Factor of the log-ratio.

    Returns
    -------
    TeacherScore

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import ContextualFeatures, random_teacher
    >>> features = ContextualFeatures()
    >>> teacher = random_teacher(features, np.random.default_rng(0))
    >>> teacher(features.draw(7, 10, np.random.default_rng(1))).shape
    (7, 10)
    """
    widths = [features.contexts.n_features, *hidden, features.n_actions]
    layers = []
    for n_in, n_out in pairwise(widths):
        bound = 1 / math.sqrt(n_in)
        layers.append((rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)))
    return TeacherScore(features, tuple(layers), nu)


def _is_whole_menu(actions: IntArray) -> bool:
    """Whether the last axis of actions runs through all of them in order, in every menu."""
    return actions.ndim >= 2 and bool((actions == np.arange(actions.shape[-1])).all())
