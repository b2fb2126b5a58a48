"""The index of a given policy: from log-probabilities of options to the index of their comparison.

The inverse of making a policy from scores: a policy that is optimal for some reward under a divergence
has the index ``f'(rho(option 1)) - f'(rho(option 0))``, :eq:`index`, whatever the link. Where a policy gives
an option no probability there is only an inequality, and such comparisons are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, Matrix, is_sparse
from semiindex.divergence import Divergence, get_divergence
from semiindex.exceptions import InvalidDataError
from semiindex.index.base import IndexClass
from semiindex.index.linear import LinearDesign

__all__ = ["PolicyIndex", "index_of_policy"]


def index_of_policy(
    log_ratio1: ArrayLike, log_ratio0: ArrayLike, divergence: str | Divergence = "reverse_kl"
) -> FloatArray:
    """Index of comparisons from the log-ratios of a policy to its reference, :eq:`index`.

    Parameters
    ----------
    log_ratio1, log_ratio0 : array-like of shape (n,)
        ``log(policy / reference)`` of option 1 and of option 0, as in `Policy.log_ratio`.
    divergence : str or Divergence, default="reverse_kl"
        Under which the policy is optimal. The default is that of RLHF and DPO.

    Returns
    -------
    array of shape (n,)
        ``f'(rho1) - f'(rho0)``: differences of rewards in units of the temperature.

    Raises
    ------
    InvalidDataError
        Where a log-ratio is not finite. An option without probability has no index, only a bound: its
        reward lies somewhere below ``f'(0+)``.

    Examples
    --------
    >>> from semiindex import Menu, index_of_policy, policy_from_scores
    >>> policy = policy_from_scores([1.0, 2.0, 4.0], Menu(offsets=[0, 3]), temperature=2.0)
    >>> index_of_policy(policy.log_ratio[1:], policy.log_ratio[:-1])
    array([0.5, 1. ])
    """
    kind = get_divergence(divergence)
    sides = [np.asarray(values, dtype=np.float64) for values in (log_ratio1, log_ratio0)]
    if sides[0].shape != sides[1].shape:
        raise InvalidDataError(
            f"log_ratio1 has shape {sides[0].shape} and log_ratio0 {sides[1].shape}: give one of each per "
            "comparison"
        )
    for name, side in zip(("log_ratio1", "log_ratio0"), sides, strict=True):
        _require_positive(name, side)
    return _derivative(sides[0], kind) - _derivative(sides[1], kind)


def _derivative(log_ratio: FloatArray, kind: Divergence) -> FloatArray:
    """``f'(rho)``, refused where it leaves the range of floating-point numbers."""
    value = kind.derivative_at_log(log_ratio)
    bad = ~np.isfinite(value)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidDataError(
            f"the derivative of {kind.name} overflows at the log-ratio {log_ratio.flat[row]:.6g}, first in "
            f"row {row}; use reverse_kl, whose derivative is the log-ratio itself, or look for an error in "
            "the log-probabilities"
        )
    return value


def _require_positive(name: str, log_ratio: FloatArray) -> None:
    bad = ~np.isfinite(log_ratio)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidDataError(
            f"{name} is {log_ratio.flat[row]} in {np.count_nonzero(bad)} comparison(s), first in {row}: an "
            "option to which policy or reference give no probability has no index, only a bound. Leave such "
            "comparisons out"
        )


class PolicyIndex(IndexClass):
    """Index of a given policy, :eq:`index`, to ask how well it explains preferences, whatever the link.

    One parameter: the sign and scale of the index, which the link absorbs. Fitted with
    `ProfiledLinkPolicy`, the held-out log loss measures a policy by the order and spacing that it gives
    to options, free of a link and of the temperature at which it was made. Comparisons have to be
    `PreferencePairs` with the log-probabilities among their features.

    Parameters
    ----------
    log_probability : str, default="logp"
        Feature that holds the log-probability of an option under the policy.
    reference_log_probability : str, default="ref_logp"
        Feature that holds that under the reference. Both must be finite: an option to which one of them gives
        no probability has no index, only a bound, so that comparisons with -inf are to be left out.
    divergence : str or Divergence, default="reverse_kl"
        Under which the policy was made. The default is that of RLHF and DPO, where the index is the
        difference of the log-ratios.

    See Also
    --------
    index_of_policy : The index as a function of arrays.
    policy_from_scores : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import PolicyIndex, PreferencePairs, ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 400, 2))  # log-probabilities under a policy and under its reference
    >>> t = (b[:, 0] - b[:, 1]) - (a[:, 0] - a[:, 1])
    >>> y = rng.random(400) < 1 / (1 + np.exp(-2 * t))
    >>> pairs = PreferencePairs(a, b, y, feature_names=["logp", "ref_logp"])
    >>> model = ProfiledLinkPolicy(index=PolicyIndex(), normalization="norm").fit(pairs)
    >>> model.coef_
    array([1.])
    """

    def __init__(
        self,
        log_probability: str = "logp",
        reference_log_probability: str = "ref_logp",
        divergence: str | Divergence = "reverse_kl",
    ) -> None:
        self.log_probability = log_probability
        self.reference_log_probability = reference_log_probability
        self.divergence = divergence

    def fit_design(self, pairs: Any) -> LinearDesign:
        """Operator of one column, the index; see `IndexClass.fit_design`."""
        names = getattr(pairs, "feature_names", None)
        if names is None or not hasattr(pairs, "features0"):
            raise InvalidDataError(
                "X holds plain differences, but the index of a policy needs the log-probabilities of both "
                "options; pass PreferencePairs"
            )
        wanted = (self.log_probability, self.reference_log_probability)
        missing = [name for name in wanted if name not in names]
        if missing:
            raise InvalidDataError(
                f"X has no feature {missing[0]!r}, which PolicyIndex names; the features are "
                f"{list(names)[:8]}"
            )
        self.columns_ = tuple(list(names).index(name) for name in wanted)
        sides = (self._log_ratio(pairs.features1), self._log_ratio(pairs.features0))
        return LinearDesign(index_of_policy(*sides, divergence=self.divergence)[:, None])

    def score(self, options: Matrix, theta: FloatArray) -> FloatArray:
        """``theta f'(rho)`` of single options, shape (n_options,)."""
        return np.asarray(theta[0] * _derivative(self._log_ratio(options), get_divergence(self.divergence)))

    def parameter_names(self, feature_names: tuple[str, ...]) -> tuple[str, ...]:
        """One name: the parameter belongs to the index, not to a feature."""
        return ("policy index",)

    def remarks(self, theta: FloatArray) -> tuple[str, ...]:
        """What a negative sign means."""
        if theta[0] >= 0:
            return ()
        return (
            "The index of the policy has a negative coefficient: the options that the policy favours over "
            "its reference are those that were not preferred. Check that the columns are not exchanged, and "
            "that the labels say which option was preferred",
        )

    def _log_ratio(self, features: Matrix) -> FloatArray:
        numerator, denominator = (_column(features, j) for j in self.columns_)
        return numerator - denominator


def _column(features: Matrix, j: int) -> FloatArray:
    column: AnyArray = features[:, [j]].toarray()[:, 0] if is_sparse(features) else features[:, j]
    return np.asarray(column, dtype=np.float64)
