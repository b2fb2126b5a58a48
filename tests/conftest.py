"""What every test may rely on: a seeded generator, one thread per worker, pictures without a screen."""

from __future__ import annotations

import os

# Before numpy is imported: the workers of pytest-xdist share the cores, and so must not each start a
# thread per core inside the linear algebra.
if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"

import numpy as np
import pytest
from hypothesis import settings

# The same examples in every run: a failure in continuous integration is a failure on any machine.
settings.register_profile("semiindex", deadline=None, derandomize=True)
settings.load_profile("semiindex")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts at the same state in every test."""
    return np.random.default_rng(20250131)
