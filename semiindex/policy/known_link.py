"""`KnownLinkPolicy`: the baselines, which assume how reward becomes probability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.link.base import Link
from semiindex.link.lapsed import LapsedLink
from semiindex.link.parametric import LogisticLink, ParametricLink, get_link
from semiindex.objective.base import Objective
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.objective.margin import HingeObjective, IPOObjective, RobustObjective
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.penalty import NO_PENALTY, Penalty, TieBreaker
from semiindex.optimize.quasi_newton import Minimum
from semiindex.optimize.separable import SeparableFit, fit_separable
from semiindex.optimize.separation import separates
from semiindex.policy._pilot import fit_with_shift
from semiindex.policy._sample import PreparedSample
from semiindex.policy._separation import warn_of_separation
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.estimate import Estimate

__all__ = ["KnownLinkPolicy"]

_LOSSES = ("log", "sigmoid", "ipo", "hinge", "robust")
#: Rounding widths of the hinge, each fit starting from the last; the loss of the last one differs
#: from that of the hinge by at most a quarter of its width.
_HINGE_WIDTHS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


class KnownLinkPolicy(PreferencePolicy):
    """Index learned under a known link: Bradley-Terry and DPO, Thurstone, IPO, SLiC, robust DPO.

    The baselines. If the link is wrong the direction of the index is wrong too, however many
    comparisons there are, except on designs that hide it (centred elliptical differences).

    Parameters
    ----------
    link : {"logistic", "probit", "cauchit", "loglog", "cloglog"} or ParametricLink, \
            default="logistic"
        The link of the log loss. Logistic on a log-linear class is DPO and Bradley-Terry, normal
        ("probit") is Thurstone.
    loss : {"log", "sigmoid", "ipo", "hinge", "robust"}, default="log"
        ``"log"`` is the Bernoulli log loss under `link`; ``"sigmoid"`` is the same with the
        logistic link, under TRL's name for it. ``"ipo"`` is ``(s - 1/(2 tau))^2``, ``"hinge"``
        ``max(0, 1 - s)`` (SLiC), ``"robust"`` the logistic loss corrected for a known rate of
        flipped labels, s the index signed by the label.
    tau : float, default=0.1
        Of the IPO loss; without a ridge it changes only the scale of the index.
    flip_rate : float, default=0.1
        Of the robust loss: known share of flipped labels, in [0, 1/2).
    antisymmetric : bool, default=True
        Whether position has no effect, ``Psi(-t) = 1 - Psi(t)``. With False the log loss gets a
        free shift of the link (a position effect), unless `position_effect` says otherwise. An
        asymmetric link needs False.
    position_effect : bool, default=True
        With ``antisymmetric=False``: whether the shift is estimated. False takes the link as it is,
        for one that is known to the last constant, such as a log-log link of a simulation.
    ridge : float, default=0.0
        ``ridge / 2 * theta' theta`` is added to the mean loss, in the units of the features.
    normalization : {None, "rms", "norm"}, feature name or column number, default=None
        None keeps the scale that the link fixes, as the users of logistic regression expect. The
        others as in `ProfiledLinkPolicy`; predictions are the same under each.
    index : IndexClass, optional
        Class of indices; `LinearIndex` by default.
    pooling : {"auto"}, float or None, default="auto"
        With `link_groups`: how far the links of the classes are shrunk towards the common link, as the
        number of comparisons that the common link counts as in every class. ``"auto"`` finds it by
        the log loss of held-out comparisons, so that classes may be many and small; None or 0 leaves
        every class by itself (for a few large classes); infinity is the common link. Of
        meaning to the losses "ipo" and "hinge" only.
    tol : float, default=1e-3
        Numerical error of the parameters, in standard errors.
    max_iter : int, default=200
        Largest number of steps.

    Attributes
    ----------
    coef_ : array of shape (d,)
        Coefficients under the normalisation.
    link_ : Link
        Map from the index to the probability that option 1 is preferred. The losses "ipo" and
        "hinge" state none: theirs is the isotonic fit on the index.
    links_ : dict or None
        Link of every class of raters, where `link_groups` was given. A known link, with its shift,
        is common to all classes; only the isotonic links of "ipo" and "hinge" differ.
    pooling_ : float or None
        Number of comparisons that the common link counts as in every class, where links were pooled.
    criterion_links_ : {"common", "classes", "strata"} or None
        Whose links the criterion of the index had, where links were pooled: one link, one of every class,
        or (where not all classes have 200 comparisons or more) one of every large class and of every
        stratum of the rest, which classes enter by how decisive they are in their other comparisons.
    index_ : IndexClass
        Class of indices.
    classes_ : array of shape (2,)
        Labels; the second means that option 1 was preferred.
    normalization_ : str
        Normalisation in words.
    n_iter_, converged_, loss_curve_
        Steps, whether the tolerance was reached, and the objective after every step.
    notes_ : tuple of str
        What was noticed in the data.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Raises
    ------
    UnboundedObjectiveError
        In `fit`, where the robust loss has no minimiser.

    See Also
    --------
    ProfiledLinkPolicy : The same index without a known link.

    References
    ----------
    Bradley & Terry 1952; Rafailov et al. 2023 (DPO); Azar et al. 2023 (IPO); Zhao et al. 2023
    (SLiC-HF); Chowdhury, Kini & Natarajan 2024 (robust DPO).

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -2.0]))
    >>> KnownLinkPolicy().fit(X, y).coef_.round(2)
    array([ 0.89, -2.04])
    """

    def __init__(
        self,
        link: str | ParametricLink = "logistic",
        *,
        loss: str = "log",
        tau: float = 0.1,
        flip_rate: float = 0.1,
        antisymmetric: bool = True,
        position_effect: bool = True,
        ridge: float = 0.0,
        normalization: str | int | None = None,
        index: IndexClass | None = None,
        pooling: str | float | None = "auto",
        tol: float = 1e-3,
        max_iter: int = 200,
    ) -> None:
        super().__init__(
            antisymmetric=antisymmetric,
            normalization=normalization,
            index=index,
            pooling=pooling,
            tol=tol,
            max_iter=max_iter,
        )
        self.link = link
        self.loss = loss
        self.tau = tau
        self.flip_rate = flip_rate
        self.position_effect = position_effect
        self.ridge = ridge

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.loss not in _LOSSES:
            raise InvalidParameterError(f"loss must be one of {_LOSSES}, got {self.loss!r}")
        link = get_link(self.link)
        if not isinstance(link, ParametricLink):
            raise InvalidParameterError(
                f"link must be a known link with a log likelihood, got {link!r}; for a link to be "
                "estimated use ProfiledLinkPolicy"
            )
        if self.loss != "log" and not isinstance(link, LogisticLink):
            raise InvalidParameterError(
                f"loss={self.loss!r} knows no link={self.link!r}; leave link at 'logistic', or use loss='log'"
            )
        if self.loss != "log" and not self.antisymmetric and self.loss != "sigmoid":
            raise InvalidParameterError(
                f"loss={self.loss!r} is a function of the signed index alone, antisymmetric by construction; "
                "use loss='log' for antisymmetric=False"
            )
        if self.antisymmetric and not link.antisymmetric:
            raise InvalidParameterError(
                f"link={self.link!r} is not antisymmetric, so that exchanging the two options would change "
                "the answer; set antisymmetric=False if the position of an option matters, or choose a "
                "symmetric link"
            )
        if not self.tau > 0:
            raise InvalidParameterError(f"tau must be positive, got {self.tau!r}")
        if not 0 <= self.flip_rate < 0.5:
            raise InvalidParameterError(f"flip_rate must be in [0, 0.5), got {self.flip_rate!r}")

    @property
    def _free_location(self) -> bool:
        return super()._free_location and self.position_effect

    @property
    def _pools(self) -> bool:
        return super()._pools and self.loss in ("ipo", "hinge")

    def _estimate(self, prepared: PreparedSample) -> Estimate:
        if self.loss in ("log", "sigmoid"):
            fit, links = self._fit_likelihood(prepared, self._penalty)
        else:
            fit, links = self._fit_margin(prepared, self._penalty)
        return Estimate(fit.minimum, links, warn_of_separation(fit.separation, finite=False))

    def _fit_likelihood(
        self, prepared: PreparedSample, penalty: Penalty
    ) -> tuple[SeparableFit, tuple[Link, ...]]:
        """Log loss; the known link is that of every class of raters."""
        link: Any = get_link(self.link)
        sample, tol, max_iter = prepared.sample, self.tol, self.max_iter
        if self.antisymmetric or not self.position_effect:
            objective = KnownLinkObjective(link)
            fit = fit_separable(sample, objective, penalty=penalty, tol=tol, max_iter=max_iter)
        else:
            fit, shift = fit_with_shift(sample, link, penalty=penalty, tol=tol, max_iter=max_iter)
            link = LapsedLink(link, shift=shift)
        n_classes = 1 if prepared.group_levels is None else len(prepared.group_levels)
        return fit, (link,) * n_classes

    def _fit_margin(
        self, prepared: PreparedSample, penalty: Penalty
    ) -> tuple[SeparableFit, tuple[Link, ...]]:
        """A loss of the signed index."""
        sample, tol, max_iter = prepared.sample, self.tol, self.max_iter
        objective = prepared.objective(self._margin_objective)
        if self.loss == "ipo":  # quadratic: a finite minimiser always exists
            start = np.zeros(sample.design.n_parameters)
            minimum = self._minimize(sample, objective, start, penalty)
            fit = SeparableFit(minimum, "none")
        elif self.loss == "hinge":
            minimum = self._fit_hinge(sample, penalty)
            separated = penalty is NO_PENALTY and separates(sample, sample.design.matvec(minimum.x))
            fit = SeparableFit(minimum, "complete" if separated else "none")
        else:
            fit = fit_separable(sample, objective, penalty=penalty, tol=tol, max_iter=max_iter)
        t = sample.design.matvec(fit.minimum.x)
        return fit, tuple(objective.fit_links(t, sample.z, sample.weight))

    def _margin_objective(self) -> Objective:
        if self.loss == "ipo":
            return IPOObjective(self.tau)
        return HingeObjective() if self.loss == "hinge" else RobustObjective(self.flip_rate)

    def _fit_hinge(self, sample: IndexSample, penalty: Penalty) -> Minimum:
        """Follow the minimiser of the rounded hinge to a small width.

        The hinge has flat stretches and often many minimisers; the vanishing `TieBreaker` picks
        one (on separated data, that of the largest margin).
        """
        penalty = TieBreaker() if penalty is NO_PENALTY else penalty
        x: FloatArray = np.zeros(sample.design.n_parameters)
        values: tuple[float, ...] = ()
        steps = 0
        for width in _HINGE_WIDTHS:
            minimum = self._minimize(sample, HingeObjective(width), x, penalty)
            x, values, steps = minimum.x, values + minimum.values, steps + minimum.n_iter
        return replace(minimum, values=values, n_iter=steps)
