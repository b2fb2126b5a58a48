"""Options as points, comparisons as lines between them: what hangs together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from semiindex._types import Matrix, is_sparse
from semiindex.data import PreferencePairs

__all__ = ["ComparisonGraph", "comparison_graph"]

#: Entries of both options' features above which equal options are not looked for.
_MOST_ENTRIES = 50_000_000


@dataclass(frozen=True)
class ComparisonGraph:
    """The parts into which the options fall if every comparison ties two of them together.

    Built by `comparison_graph`, which has an example.

    Attributes
    ----------
    n_options : int
        Options with different features.
    n_appearances : int
        Units (comparisons, choice sets, rankings) in which an option stands beside another one, summed
        over the options. Both rows of a soft label, and all pairs of a ranking, are one unit.
    n_parts : int
        Parts that no comparison connects.
    largest_share : float
        Share of the options in the largest part.
    """

    n_options: int
    n_appearances: int
    n_parts: int
    largest_share: float

    @property
    def repeats(self) -> float:
        """Units in which an option takes part on average."""
        return self.n_appearances / self.n_options

    @property
    def is_split(self) -> bool:
        """Whether options recur, and yet fall into several parts.

        Where every option is seen once each comparison is a part of its own, which says nothing.
        """
        return self.n_parts > 1 and self.repeats >= 2


def comparison_graph(pairs: PreferencePairs) -> ComparisonGraph | None:
    """Graph of the options of pairs, told apart by their features.

    Parameters
    ----------
    pairs : PreferencePairs
        Comparisons.

    Returns
    -------
    ComparisonGraph or None
        None where there are too many features to look for equal options.

    Examples
    --------
    Three items compared in a row, and two others with each other:

    >>> from semiindex import PreferencePairs
    >>> from semiindex.diagnostics.comparison_graph import comparison_graph
    >>> pairs = PreferencePairs([[0.0], [1.0], [5.0]], [[1.0], [2.0], [6.0]], [1, 0, 1])
    >>> comparison_graph(pairs)
    ComparisonGraph(n_options=5, n_appearances=6, n_parts=2, largest_share=0.6)
    """
    if 2 * pairs.n_pairs * pairs.n_features > _MOST_ENTRIES:
        return None
    both = np.vstack([_dense(pairs.features0), _dense(pairs.features1)]) + 0.0  # -0.0 is 0.0
    options = np.unique(both, axis=0, return_inverse=True)[1].ravel()
    first, second = options[: pairs.n_pairs], options[pairs.n_pairs :]
    count = int(options.max()) + 1
    graph = sp.csr_array((np.ones(first.size), (first, second)), shape=(count, count))
    n_parts, part = connected_components(graph, directed=False)
    apart = first != second
    places = np.column_stack([np.append(first[apart], second[apart]), np.tile(pairs.units[apart], 2)])
    return ComparisonGraph(
        n_options=count,
        n_appearances=len(np.unique(places, axis=0)),
        n_parts=int(n_parts),
        largest_share=float(np.bincount(part).max() / count),
    )


def _dense(matrix: Matrix) -> Matrix:
    return matrix.toarray() if is_sparse(matrix) else np.asarray(matrix)
