"""The estimators: index class, link and objective composed as scikit-learn classifiers."""

from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.orthogonal import OrthogonalPolicy
from semiindex.policy.profiled_link import ProfiledLinkPolicy
from semiindex.policy.ranking import RankingPolicy
from semiindex.policy.summary import FitSummary

__all__ = ["FitSummary", "KnownLinkPolicy", "OrthogonalPolicy", "ProfiledLinkPolicy", "RankingPolicy"]
