"""Comparisons of options: the `PreferencePairs` value, its builders, and transforms of the options."""

from semiindex.data.item_transformer import ItemTransformer
from semiindex.data.pairs import PreferencePairs

__all__ = ["ItemTransformer", "PreferencePairs"]
