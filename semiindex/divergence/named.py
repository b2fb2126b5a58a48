"""Divergences by name."""

from __future__ import annotations

from semiindex.divergence.base import Divergence
from semiindex.divergence.standard import chi_squared, forward_kl, hellinger, js_divergence, reverse_kl
from semiindex.exceptions import InvalidParameterError

__all__ = ["get_divergence"]

_NAMED: dict[str, Divergence] = {
    one.name: one for one in (reverse_kl, forward_kl, js_divergence, chi_squared, hellinger)
}


def get_divergence(divergence: str | Divergence) -> Divergence:
    """Return the divergence of a name, or the value itself.

    Parameters
    ----------
    divergence : str or Divergence
        "reverse_kl", "forward_kl", "js_divergence", "chi_squared" or "hellinger"; or a value such as
        ``alpha_divergence(0.7)``.

    Returns
    -------
    Divergence

    Raises
    ------
    InvalidParameterError
        For anything else.

    Examples
    --------
    >>> from semiindex.divergence import get_divergence
    >>> get_divergence("chi_squared")
    ChiSquared()
    """
    if isinstance(divergence, Divergence):
        return divergence
    found = _NAMED.get(divergence) if isinstance(divergence, str) else None  # type: ignore[redundant-expr]
    if found is not None:
        return found
    raise InvalidParameterError(
        f"divergence must be one of {', '.join(map(repr, _NAMED))}, or a value such as alpha_divergence(0.7) "
        f"or custom_divergence(...), got {divergence!r}"
    )
