"""Diagnostics: how wrong a fitted policy may be, and whether its assumptions hold."""

from semiindex.diagnostics.antisymmetry import AntisymmetryTest, antisymmetry_test
from semiindex.diagnostics.base import Diagnostic
from semiindex.diagnostics.bound_factors import Factor, PolicyErrorBound
from semiindex.diagnostics.complexity import (
    critical_radius,
    effective_dimension,
    linear_supremum,
    local_complexity,
    sign_complexity,
)
from semiindex.diagnostics.diagnosis import Diagnosis, Section, Skipped
from semiindex.diagnostics.direction_theorem import direction_bound, direction_noise
from semiindex.diagnostics.estimator_comparison import EstimatorComparison, compare_estimators
from semiindex.diagnostics.examination import diagnose
from semiindex.diagnostics.identifiability import Identification, identification
from semiindex.diagnostics.index_hypothesis import IndexTest, index_test
from semiindex.diagnostics.link_hypothesis import LinkTest, link_test
from semiindex.diagnostics.monotonicity import MonotonicityTest, monotonicity_test
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.nested_subsamples import LearningCurve, learning_curve
from semiindex.diagnostics.pattern_counts import log_half_space_patterns, log_orderings
from semiindex.diagnostics.policy_bound import policy_error_bound
from semiindex.diagnostics.policy_interval import PolicyErrorInterval, policy_error_interval
from semiindex.diagnostics.preference_bound import PreferenceErrorBound, Statement, preference_error_bound
from semiindex.diagnostics.reliability import (
    BrierDecomposition,
    Calibration,
    brier_decomposition,
    calibration,
)
from semiindex.diagnostics.richness import IndexComplexity, index_complexity
from semiindex.diagnostics.roc_area import Discrimination, auc_interval, discrimination
from semiindex.diagnostics.theorems import (
    in_sample_profile_bound,
    informative_from,
    lipschitz_link_bound,
    profile_bound,
    ranking_bound,
)
from semiindex.diagnostics.verdicts import Answer

__all__ = [
    "Answer",
    "AntisymmetryTest",
    "BrierDecomposition",
    "Calibration",
    "Diagnosis",
    "Diagnostic",
    "Discrimination",
    "EstimatorComparison",
    "Factor",
    "Identification",
    "IndexComplexity",
    "IndexTest",
    "LearningCurve",
    "LinkTest",
    "MonotonicityTest",
    "Multipliers",
    "PolicyErrorBound",
    "PolicyErrorInterval",
    "PreferenceErrorBound",
    "Section",
    "Skipped",
    "Statement",
    "antisymmetry_test",
    "auc_interval",
    "brier_decomposition",
    "calibration",
    "compare_estimators",
    "critical_radius",
    "diagnose",
    "direction_bound",
    "direction_noise",
    "discrimination",
    "effective_dimension",
    "identification",
    "in_sample_profile_bound",
    "index_complexity",
    "index_test",
    "informative_from",
    "learning_curve",
    "linear_supremum",
    "link_test",
    "lipschitz_link_bound",
    "local_complexity",
    "log_half_space_patterns",
    "log_orderings",
    "monotonicity_test",
    "policy_error_bound",
    "policy_error_interval",
    "preference_error_bound",
    "profile_bound",
    "ranking_bound",
    "sign_complexity",
]
