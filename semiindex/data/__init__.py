"""Comparisons of options: the `PreferencePairs` value and its builders."""

from semiindex.data.pairs import PreferencePairs

__all__ = ["PreferencePairs"]
