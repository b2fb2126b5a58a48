"""Truths that differ in link and severity only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from semiindex.simulation.link_families import LinkFamily, link_at_severity
from semiindex.simulation.truth import Truth

__all__ = ["severity_grid"]


def severity_grid(
    families: Iterable[str | LinkFamily],
    severities: Iterable[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
    **parts: Any,
) -> dict[str, Truth]:
    """Truths over families of links and severities, for `Study`.

    Asymmetric links call for estimators that allow for a position effect; a study gets them by a function
    of the truth, such as ``lambda truth: ProfiledLinkPolicy(antisymmetric=truth.antisymmetric)``.

    Parameters
    ----------
    families : iterable of str or LinkFamily
        See `link_at_severity`.
    severities : iterable of float, default=(0.0, 0.25, 0.5, 0.75, 1.0)
        Values in [0, 1].
    **parts
        Further arguments of `Truth`, the same for all, such as `score`.

    Returns
    -------
    dict
        Truths by the names ``"family severity"``, with the factors ``link`` and ``severity``: columns of
        the table of the study.

    Examples
    --------
    >>> from semiindex.simulation import severity_grid
    >>> grid = severity_grid(["flips", "cauchit"], [0.0, 1.0])
    >>> list(grid)
    ['flips 0', 'flips 1', 'cauchit 0', 'cauchit 1']
    >>> grid["flips 1"].factors
    {'link': 'flips', 'severity': 1.0}
    """
    severities = [float(severity) for severity in severities]
    named = [(family if isinstance(family, str) else family.name, family) for family in families]
    return {
        f"{name} {severity:g}": Truth(
            link=link_at_severity(family, severity), factors={"link": name, "severity": severity}, **parts
        )
        for name, family in named
        for severity in severities
    }
