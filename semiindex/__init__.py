"""Preference learning without a link function.

A fit is an index class, a link and an objective: see `ProfiledLinkPolicy` for the estimator that
learns the link, `KnownLinkPolicy` for those that fix it, `PreferencePairs` for the data, `infer` for
standard errors.

The public names are imported when they are first used, so that ``import semiindex`` costs no more
than what is needed of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

__all__ = [
    "Bootstrap",
    "CalibrationDisplay",
    "CauchitLink",
    "CloglogLink",
    "CoefficientDisplay",
    "ComplexityDisplay",
    "EfficiencyDisplay",
    "Frontier",
    "FrontierDisplay",
    "IndexBinsDisplay",
    "Inference",
    "ItemTransformer",
    "KernelIndex",
    "KnownLinkPolicy",
    "LapsedLink",
    "LearningCurveDisplay",
    "LinearIndex",
    "Link",
    "LinkDisplay",
    "LinkTestDisplay",
    "LogLogLink",
    "LogisticLink",
    "Menu",
    "MonotoneSpline",
    "Multipliers",
    "OrthogonalPolicy",
    "PiecewiseLinearLink",
    "Policy",
    "PolicyErrorDisplay",
    "PolicyIndex",
    "PreferencePairs",
    "ProbitLink",
    "ProductKernel",
    "ProfiledLinkPolicy",
    "QuantitiesDisplay",
    "RankingPolicy",
    "RocDisplay",
    "ShapeConstrainedLink",
    "SplineLink",
    "StudyDisplay",
    "alpha_divergence",
    "antisymmetry_test",
    "auc_interval",
    "brier_decomposition",
    "calibration",
    "compare_estimators",
    "critical_radius",
    "custom_divergence",
    "datasets",
    "diagnose",
    "discrimination",
    "effective_dimension",
    "frontier_band",
    "frontier_from_scores",
    "identification",
    "index_complexity",
    "index_of_policy",
    "index_test",
    "infer",
    "learning_curve",
    "linear_supremum",
    "link_band",
    "link_test",
    "local_complexity",
    "logged_win_rate",
    "monotonicity_test",
    "plot_diagnostic",
    "policy_distance",
    "policy_error_bound",
    "policy_error_interval",
    "policy_from_scores",
    "preference_error_bound",
    "sign_complexity",
    "simulation",
    "tune",
    "win_rate_interval",
]

#: Where each public name lives. A module stands for itself.
_EXPORTS = {
    "Bootstrap": "semiindex.inference",
    "CalibrationDisplay": "semiindex.display",
    "CauchitLink": "semiindex.link",
    "CloglogLink": "semiindex.link",
    "CoefficientDisplay": "semiindex.display",
    "ComplexityDisplay": "semiindex.display",
    "EfficiencyDisplay": "semiindex.display",
    "Frontier": "semiindex.policy.frontier",
    "FrontierDisplay": "semiindex.display",
    "IndexBinsDisplay": "semiindex.display",
    "Inference": "semiindex.inference",
    "ItemTransformer": "semiindex.data",
    "KernelIndex": "semiindex.index",
    "KnownLinkPolicy": "semiindex.policy",
    "LapsedLink": "semiindex.link",
    "LearningCurveDisplay": "semiindex.display",
    "LinearIndex": "semiindex.index",
    "Link": "semiindex.link",
    "LinkDisplay": "semiindex.display",
    "LinkTestDisplay": "semiindex.display",
    "LogLogLink": "semiindex.link",
    "LogisticLink": "semiindex.link",
    "Menu": "semiindex.policy.menu",
    "MonotoneSpline": "semiindex.link",
    "Multipliers": "semiindex.diagnostics",
    "OrthogonalPolicy": "semiindex.policy",
    "PiecewiseLinearLink": "semiindex.link",
    "Policy": "semiindex.policy.menu_policy",
    "PolicyErrorDisplay": "semiindex.display",
    "PolicyIndex": "semiindex.index",
    "PreferencePairs": "semiindex.data",
    "ProbitLink": "semiindex.link",
    "ProductKernel": "semiindex.index",
    "ProfiledLinkPolicy": "semiindex.policy",
    "QuantitiesDisplay": "semiindex.display",
    "RankingPolicy": "semiindex.policy",
    "RocDisplay": "semiindex.display",
    "ShapeConstrainedLink": "semiindex.link",
    "SplineLink": "semiindex.link",
    "StudyDisplay": "semiindex.display",
    "alpha_divergence": "semiindex.divergence",
    "antisymmetry_test": "semiindex.diagnostics",
    "auc_interval": "semiindex.diagnostics",
    "brier_decomposition": "semiindex.diagnostics",
    "calibration": "semiindex.diagnostics",
    "compare_estimators": "semiindex.diagnostics",
    "critical_radius": "semiindex.diagnostics",
    "custom_divergence": "semiindex.divergence",
    "datasets": "semiindex.datasets",
    "diagnose": "semiindex.diagnostics",
    "discrimination": "semiindex.diagnostics",
    "effective_dimension": "semiindex.diagnostics",
    "identification": "semiindex.diagnostics",
    "frontier_band": "semiindex.inference",
    "frontier_from_scores": "semiindex.policy.frontier",
    "index_complexity": "semiindex.diagnostics",
    "index_of_policy": "semiindex.index",
    "index_test": "semiindex.diagnostics",
    "infer": "semiindex.inference",
    "learning_curve": "semiindex.diagnostics",
    "linear_supremum": "semiindex.diagnostics",
    "link_band": "semiindex.inference",
    "link_test": "semiindex.diagnostics",
    "local_complexity": "semiindex.diagnostics",
    "logged_win_rate": "semiindex.inference",
    "monotonicity_test": "semiindex.diagnostics",
    "plot_diagnostic": "semiindex.display",
    "policy_distance": "semiindex.policy.policy_distance",
    "policy_error_bound": "semiindex.diagnostics",
    "policy_error_interval": "semiindex.diagnostics",
    "policy_from_scores": "semiindex.policy.menu_policy",
    "preference_error_bound": "semiindex.diagnostics",
    "sign_complexity": "semiindex.diagnostics",
    "simulation": "semiindex.simulation",
    "tune": "semiindex.policy.tuning",
    "win_rate_interval": "semiindex.inference",
}

if TYPE_CHECKING:
    from semiindex import datasets, simulation
    from semiindex.data import ItemTransformer, PreferencePairs
    from semiindex.diagnostics import (
        Multipliers,
        antisymmetry_test,
        auc_interval,
        brier_decomposition,
        calibration,
        compare_estimators,
        critical_radius,
        diagnose,
        discrimination,
        effective_dimension,
        identification,
        index_complexity,
        index_test,
        learning_curve,
        linear_supremum,
        link_test,
        local_complexity,
        monotonicity_test,
        policy_error_bound,
        policy_error_interval,
        preference_error_bound,
        sign_complexity,
    )
    from semiindex.display import (
        CalibrationDisplay,
        CoefficientDisplay,
        ComplexityDisplay,
        EfficiencyDisplay,
        FrontierDisplay,
        IndexBinsDisplay,
        LearningCurveDisplay,
        LinkDisplay,
        LinkTestDisplay,
        PolicyErrorDisplay,
        QuantitiesDisplay,
        RocDisplay,
        StudyDisplay,
        plot_diagnostic,
    )
    from semiindex.divergence import alpha_divergence, custom_divergence
    from semiindex.index import KernelIndex, LinearIndex, PolicyIndex, ProductKernel, index_of_policy
    from semiindex.inference import (
        Bootstrap,
        Inference,
        frontier_band,
        infer,
        link_band,
        logged_win_rate,
        win_rate_interval,
    )
    from semiindex.link import (
        CauchitLink,
        CloglogLink,
        LapsedLink,
        Link,
        LogisticLink,
        LogLogLink,
        MonotoneSpline,
        PiecewiseLinearLink,
        ProbitLink,
        ShapeConstrainedLink,
        SplineLink,
    )
    from semiindex.policy import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
    from semiindex.policy.frontier import Frontier, frontier_from_scores
    from semiindex.policy.menu import Menu
    from semiindex.policy.menu_policy import Policy, policy_from_scores
    from semiindex.policy.policy_distance import policy_distance
    from semiindex.policy.tuning import tune


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    home = _EXPORTS.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(home)
    value = module if home == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
