"""Index classes: operators from parameters to the index of every comparison, and back."""

from semiindex.index.base import Design, IndexClass
from semiindex.index.kernel import KernelIndex
from semiindex.index.kernels import ProductKernel
from semiindex.index.linear import LinearDesign, LinearIndex

__all__ = ["Design", "IndexClass", "KernelIndex", "LinearDesign", "LinearIndex", "ProductKernel"]
