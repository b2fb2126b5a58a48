"""Index classes: operators from parameters to the index of every comparison, and back."""

from semiindex.index.base import Design, IndexClass
from semiindex.index.kernel import KernelIndex
from semiindex.index.kernels import ProductKernel
from semiindex.index.linear import LinearDesign, LinearIndex
from semiindex.index.policy_index import PolicyIndex, index_of_policy

__all__ = [
    "Design",
    "IndexClass",
    "KernelIndex",
    "LinearDesign",
    "LinearIndex",
    "PolicyIndex",
    "ProductKernel",
    "index_of_policy",
]
