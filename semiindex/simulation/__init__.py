"""Simulation studies of link misspecification: truths, designs, estimators, and one tidy table.

A `Truth` says how preferences come about, a `ComparisonDesign` which options are compared, a `Study`
replicates estimators over both. Everything random is a function of one seed and of names.
"""

from semiindex.simulation.active import ActivePairs
from semiindex.simulation.contextual import ContextualFeatures
from semiindex.simulation.description import StudyDescription, read_study, ready_studies
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.features import (
    BinaryFeatures,
    ConjointFeatures,
    FeatureDistribution,
    MixedFeatures,
    NormalFeatures,
    SkewedFeatures,
    StudentFeatures,
)
from semiindex.simulation.intervals import CoefficientIntervals, NormalizedCoefficients
from semiindex.simulation.link_families import LINK_FAMILIES, LinkFamily, link_at_severity
from semiindex.simulation.metrics import (
    AngleError,
    Coverage,
    IndexCorrelation,
    LinkError,
    LogLoss,
    Metric,
    PolicyError,
    rms_coefficients,
)
from semiindex.simulation.mixture_link import MixtureLink
from semiindex.simulation.precision import convergence_rates, efficiency_ratios
from semiindex.simulation.published import (
    PublishedData,
    PublishedTruth,
    load_published_data,
    published_design,
)
from semiindex.simulation.raters import Raters
from semiindex.simulation.result import StudyResult
from semiindex.simulation.sample import Evaluation, Sample
from semiindex.simulation.sampling import (
    AsOffered,
    BestOfPairs,
    NearestPairs,
    PairSampling,
    ReferencePairs,
    UniformPairs,
)
from semiindex.simulation.scores import AlternatingScore, LinearScore
from semiindex.simulation.severity_grid import severity_grid
from semiindex.simulation.strength import scaled_to_strength, signal_strength
from semiindex.simulation.study import Study
from semiindex.simulation.teacher import TeacherScore, random_teacher
from semiindex.simulation.truth import Truth, TruthSource
from semiindex.simulation.tuned import TunedPolicy

__all__ = [
    "LINK_FAMILIES",
    "ActivePairs",
    "AlternatingScore",
    "AngleError",
    "AsOffered",
    "BestOfPairs",
    "BinaryFeatures",
    "CoefficientIntervals",
    "ComparisonDesign",
    "ConjointFeatures",
    "ContextualFeatures",
    "Coverage",
    "Evaluation",
    "FeatureDistribution",
    "IndexCorrelation",
    "LinearScore",
    "LinkError",
    "LinkFamily",
    "LogLoss",
    "Metric",
    "MixedFeatures",
    "MixtureLink",
    "NearestPairs",
    "NormalFeatures",
    "NormalizedCoefficients",
    "PairSampling",
    "PolicyError",
    "PublishedData",
    "PublishedTruth",
    "Raters",
    "ReferencePairs",
    "Sample",
    "SkewedFeatures",
    "StudentFeatures",
    "Study",
    "StudyDescription",
    "StudyResult",
    "TeacherScore",
    "Truth",
    "TruthSource",
    "TunedPolicy",
    "UniformPairs",
    "convergence_rates",
    "efficiency_ratios",
    "link_at_severity",
    "load_published_data",
    "published_design",
    "random_teacher",
    "read_study",
    "ready_studies",
    "rms_coefficients",
    "scaled_to_strength",
    "severity_grid",
    "signal_strength",
]
