"""Bins: weighted means against a slow twin, weights as repetitions, ties together."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex.diagnostics.binning import bin_shares, fold


def test_equal_bins_are_means_of_sorted_blocks(rng):
    x, z = rng.normal(size=60), rng.integers(0, 2, 60).astype(float)
    bins = bin_shares(x, z, np.ones(60), 6)
    order = np.argsort(x).reshape(6, 10)
    np.testing.assert_allclose(bins.position, x[order].mean(axis=1))
    np.testing.assert_allclose(bins.share, z[order].mean(axis=1))
    np.testing.assert_allclose(bins.error, np.sqrt(bins.share * (1 - bins.share) / 10))


def test_weights_are_repetitions(rng):
    x, z, w = rng.normal(size=40), rng.integers(0, 2, 40) * 1.0, rng.integers(0, 4, 40)
    weighted = bin_shares(x, z, w.astype(float), 5)
    repeated = bin_shares(np.repeat(x, w), np.repeat(z, w), np.ones(w.sum()), 5)
    for name in ("position", "share", "error", "weight"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), atol=1e-12)


def test_ties_stay_together():
    bins = bin_shares(np.array([0.0] * 9 + [1.0]), np.arange(10) % 2 * 1.0, np.ones(10), 5)
    np.testing.assert_array_equal(bins.weight, [9, 1])


def test_folding_sees_every_comparison_from_the_larger_index():
    size, favoured = fold(np.array([-2.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(size, [2, 1, 0])
    np.testing.assert_array_equal(favoured, [1, 0, 0.5])


def test_mirror_images():
    bins = bin_shares(np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.ones(2), 2).mirrored()
    np.testing.assert_array_equal(bins.position, [-2, -1, 1, 2])
    np.testing.assert_array_equal(bins.share, [0, 1, 0, 1])
    assert pytest.approx(bins.weight) == [1, 1, 1, 1]
