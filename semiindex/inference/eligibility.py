"""Which fits have standard errors, and why the others have none."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.index.linear import LinearDesign, LinearIndex
from semiindex.index.policy_index import PolicyIndex
from semiindex.index.whitening import whiten
from semiindex.inference.sample import InferenceSample
from semiindex.link.shape import ShapeConstrainedLink
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.orthogonal import OrthogonalPolicy
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["Criterion", "assumes_monotone_link", "criterion_of", "require_eligible", "require_full_rank"]

#: What a fit minimises or solves, as far as its influence function depends on it.
Criterion = Literal["known", "log", "squared", "isotonic"]


def require_eligible(
    model: Any,
    *,
    single_feature: bool = False,
    penalised: bool = False,
    classes: tuple[type[IndexClass], ...] = (LinearIndex,),
) -> None:
    """Refuse fits whose coefficients have no standard errors, whatever the method.

    Parameters
    ----------
    model : fitted estimator
        A policy.
    single_feature : bool, default=False
        Whether a single feature without a scale will do, since only the link is asked for.
    penalised : bool, default=False
        Whether a ridge will do, as it does for bounds that hold for any index of the class.
    classes : tuple of types, default=(LinearIndex,)
        Classes of indices that will do.

    Raises
    ------
    InvalidParameterError
        For anything but an estimator of the library, a ridge, an index that is not linear, or a single
        feature without a scale.
    InvalidDataError
        For separated data.
    """
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(
            f"model must be a fitted estimator of semiindex, got {type(model).__name__}; of a pipeline pass "
            "the last step, and the data that it was given"
        )
    check_is_fitted(model)
    if isinstance(model.index_, PolicyIndex):
        raise InvalidParameterError(
            "index=PolicyIndex: its one parameter is a sign, as the link absorbs the scale, and the policy "
            "is taken as given: nothing of it varies from sample to sample. For intervals of its link or "
            "win rates fit a LinearIndex to its index (index_of_policy) as the only feature"
        )
    if not isinstance(model.index_, classes):
        raise InvalidParameterError(
            f"index={model.index_!r}: standard errors are those of a linear index. A rich class is "
            "regularised, so that its bias is of the order of its error and its coefficients mean nothing "
            "one by one"
        )
    if model.ridge > 0 and not penalised:
        raise InvalidParameterError(
            f"ridge={model.ridge!r}: a penalised fit is biased by as much as it varies, and an interval "
            "around it covers nothing in particular; fit with ridge=0"
        )
    if model.n_features_in_ == 1 and model.normalization is not None and not single_feature:
        raise InvalidParameterError(
            "There is one feature: its coefficient is +1 or -1 under any normalisation and has no standard "
            "error. What is estimated is the link; see link_band"
        )
    reason = next((note for note in model.notes_ if "separated" in note or "no finite maximum" in note), None)
    if reason is not None:
        raise InvalidDataError(f"No standard errors: {reason}")


def require_full_rank(sample: InferenceSample) -> None:
    """Refuse features that the comparisons do not tell apart.

    Raises
    ------
    InvalidDataError
        With the names of the features.
    """
    _, null = whiten(LinearDesign(sample.differences), sample.weight)
    n_rows, d = sample.differences.shape
    if d > n_rows:
        raise InvalidDataError(
            f"There are more features ({d}) than comparisons ({n_rows}): no standard errors"
        )
    if null.shape[1] == 0:
        return
    loading = np.abs(null).max(axis=1)
    involved = [sample.feature_names[j] for j in np.flatnonzero(loading > 1e-6)]
    raise InvalidDataError(
        f"The comparisons do not determine the coefficients of {', '.join(map(repr, involved[:6]))} (no "
        "variation, or collinear), so that they have no standard errors; drop one of them and fit again"
    )


def criterion_of(model: Any) -> Criterion:
    """What the fit minimises or solves.

    Raises
    ------
    InvalidParameterError
        For estimators without an influence function here.
    """
    if model.criterion_links_ == "strata":
        raise InvalidParameterError(
            f"pooling={model.pooling!r}: the criterion of this fit has links of strata of raters that were "
            "found on the way, which a sandwich does not know; use covariance='bootstrap', or fit with "
            "pooling=np.inf (one link) or pooling=None (one for every class)"
        )
    if isinstance(model, KnownLinkPolicy) and model.loss in ("log", "sigmoid"):
        return "known"
    if isinstance(model, ProfiledLinkPolicy):
        if model.link == "isotonic":
            return "isotonic"
        squared = isinstance(model.link, ShapeConstrainedLink) and model.link.loss == "squared"
        return "squared" if squared else "log"
    if not assumes_monotone_link(model):  # solves the efficient score, as the profiled log loss does
        return "log"
    what = f"{type(model).__name__}(loss={model.loss!r})" if hasattr(model, "loss") else type(model).__name__
    raise InvalidParameterError(
        f"{what} has no sandwich: its criterion is no likelihood and no profile of one; use "
        "covariance='bootstrap'"
    )


def assumes_monotone_link(model: Any) -> bool:
    """Whether the criterion of the fit has a link that rises; orthogonal scores leave it free."""
    return not isinstance(model, OrthogonalPolicy)
