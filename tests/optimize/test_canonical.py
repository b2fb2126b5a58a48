"""Canonical form of a sample: one form for every way of writing the same comparisons."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semiindex.optimize.canonical import CanonicalSample, canonicalize, is_small


def draw(seed: int, n: int, d: int, *, classes: bool):
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, (n, d)) * np.where(rng.random((n, d)) < 0.2, -0.0, 1.5)
    z = rng.integers(0, 5, n) / 4
    w = rng.random(n) + 0.1
    return X, z, w, rng.integers(0, 2, n) if classes else None, rng


def assert_equal(one: CanonicalSample, two: CanonicalSample) -> None:
    for name in ("differences", "z", "weight", "classes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


samples = given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 25),
    d=st.integers(1, 4),
    antisymmetric=st.booleans(),
    classes=st.booleans(),
)


@samples
def test_order_of_rows_is_forgotten(seed, n, d, antisymmetric, classes) -> None:
    X, z, w, c, rng = draw(seed, n, d, classes=classes)
    order = rng.permutation(n)
    one = canonicalize(X, z, w, c, antisymmetric=antisymmetric)
    two = canonicalize(
        X[order], z[order], w[order], None if c is None else c[order], antisymmetric=antisymmetric
    )
    assert_equal(one, two)


@samples
def test_repetition_is_weight(seed, n, d, antisymmetric, classes) -> None:
    X, z, _, c, rng = draw(seed, n, d, classes=classes)
    w = rng.integers(1, 4, n)
    rows = np.repeat(np.arange(n), w)
    one = canonicalize(X, z, w.astype(float), c, antisymmetric=antisymmetric)
    two = canonicalize(
        X[rows], z[rows], np.ones(rows.size), None if c is None else c[rows], antisymmetric=antisymmetric
    )
    assert_equal(one, two)


@samples
def test_canonical_form_is_its_own(seed, n, d, antisymmetric, classes) -> None:
    one = canonicalize(*draw(seed, n, d, classes=classes)[:4], antisymmetric=antisymmetric)
    two = canonicalize(one.differences, one.z, one.weight, one.classes, antisymmetric=antisymmetric)
    np.testing.assert_array_equal(one.differences, two.differences)
    np.testing.assert_allclose(one.z, two.z, rtol=1e-15)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 25), d=st.integers(1, 4), classes=st.booleans())
def test_exchanged_options_are_the_same_comparison(seed, n, d, classes) -> None:
    X, z, w, c, rng = draw(seed, n, d, classes=classes)
    turned = rng.random(n) < 0.5
    one = canonicalize(X, z, w, c, antisymmetric=True)
    two = canonicalize(np.where(turned[:, None], -X, X), np.where(turned, 1 - z, z), w, c, antisymmetric=True)
    assert_equal(one, two)


@samples
def test_nothing_is_lost(seed, n, d, antisymmetric, classes) -> None:
    """Weight, wins per comparison and every linear statistic of the signed sample are kept."""
    X, z, w, c, rng = draw(seed, n, d, classes=classes)
    merged = canonicalize(X, z, w, c, antisymmetric=antisymmetric)
    assert np.isclose(merged.weight.sum(), w.sum(), rtol=1e-13)
    theta = rng.normal(size=d)

    def loss(X, z, w):
        t = X @ theta if antisymmetric else 1 + X @ theta
        return w @ (z * np.logaddexp(0, -t) + (1 - z) * np.logaddexp(0, t))

    np.testing.assert_allclose(loss(merged.differences, merged.z, merged.weight), loss(X, z, w), rtol=1e-12)
    keys = merged.differences if c is None else np.column_stack([merged.differences, merged.classes])
    assert np.unique(keys, axis=0).shape[0] == merged.weight.size
    assert not np.signbit(merged.differences[merged.differences == 0]).any()


def test_comparison_with_itself_is_half_won() -> None:
    merged = canonicalize(np.zeros((3, 2)), np.ones(3), np.ones(3), None, antisymmetric=True)
    assert merged.z.tolist() == [0.5]
    one_sided = canonicalize(np.zeros((3, 2)), np.ones(3), np.ones(3), None, antisymmetric=False)
    assert one_sided.z.tolist() == [1.0]


def test_input_is_not_written_to() -> None:
    X, z, w, _, _ = draw(1, 10, 3, classes=False)
    for array in (X, z, w):
        array.flags.writeable = False
    before = X.copy()
    canonicalize(X, z, w, None, antisymmetric=True)
    np.testing.assert_array_equal(X, before)


def test_size_limit_is_in_entries() -> None:
    assert is_small(10_000, 50)
    assert not is_small(10_000, 51)
