"""The table of names and conventions in the theory of policies: TRL's derivatives, and the policies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_expit

from semiindex import Menu, policy_from_scores
from semiindex.divergence import alpha_divergence, get_divergence

LOG_RATIO = np.linspace(-4, 4, 33)

#: f' as a function of the log-ratio, as in version 1.16.0; constants do not matter to differences.
SCORES = {
    "reverse_kl": lambda x: x,
    "forward_kl": lambda x: 1 - np.exp(-x),
    "js_divergence": lambda x: np.log(2) + log_expit(x),
}


@pytest.mark.parametrize("name", SCORES)
def test_same_name_same_derivative(name):
    np.testing.assert_allclose(
        get_divergence(name).derivative(np.exp(LOG_RATIO)), SCORES[name](LOG_RATIO), atol=1e-12
    )


@pytest.mark.parametrize("a", [-1.0, 0.5, 2.0])
def test_alpha_from_0_29_on(a):
    theirs = (np.exp((a - 1) * LOG_RATIO) - 1) / (a - 1)
    np.testing.assert_allclose(alpha_divergence(a).derivative(np.exp(LOG_RATIO)), theirs, rtol=1e-10)


@pytest.mark.parametrize("c", [0.5, 1.0, 2.0])
def test_alpha_up_to_0_28(c):
    theirs = (1 - np.exp(-c * LOG_RATIO)) / c
    np.testing.assert_allclose(
        alpha_divergence(1 - c).derivative(np.exp(LOG_RATIO)), theirs, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize(
    ("divergence", "ratio"),
    [
        ("reverse_kl", lambda u: np.exp(u)),
        ("forward_kl", lambda u: 1 / (1 - u)),
        ("js_divergence", lambda u: 1 / (2 * np.exp(-u) - 1)),
        ("chi_squared", lambda u: np.maximum(1 + u, 0)),
        ("hellinger", lambda u: (1 - u / 2) ** -2),
        (alpha_divergence(3.0), lambda u: np.sqrt(np.maximum(1 + 2 * u, 0))),
    ],
    ids=["reverse_kl", "forward_kl", "js_divergence", "chi_squared", "hellinger", "alpha 3"],
)
def test_policies_of_the_table(divergence, ratio, rng):
    menu = Menu(offsets=[0, 6], reference_logits=rng.normal(size=6))
    policy = policy_from_scores(2 * rng.normal(size=6), menu, temperature=0.8, divergence=divergence)
    u = (policy.scores - policy.normalizer[0]) / 0.8
    np.testing.assert_allclose(policy.probabilities, menu.reference * ratio(u), atol=1e-10)
