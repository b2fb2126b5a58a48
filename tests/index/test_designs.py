"""Operators of the index classes: each is a matrix, whatever stands behind it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from semiindex import LinearIndex, PreferencePairs
from semiindex.index import linear
from semiindex.index.base import Design
from semiindex.index.centring import CentredDesign, centred
from semiindex.index.linear import LinearDesign
from semiindex.index.shift import ShiftedDesign
from semiindex.index.whitening import WhitenedDesign, whiten, without_constant

N, D = 23, 4


def matrix() -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(N, D)) * [1.0, 100.0, 0.01, 1.0]
    X[np.abs(X) < 0.3 * np.abs(X).mean(axis=0)] = 0.0
    return X


def weights() -> np.ndarray:
    return np.random.default_rng(1).integers(1, 4, N).astype(float)


def about_mean(design: WhitenedDesign, dense: np.ndarray, w: np.ndarray) -> tuple[Design, np.ndarray]:
    """A design about its mean and the dense matrix of it."""
    return CentredDesign.of(design, w), dense - w @ dense / w.sum()


def designs() -> list[tuple[str, Design, np.ndarray]]:
    """Name, operator and the dense matrix that it stands for."""
    X, w = matrix(), weights()
    single = X.astype(np.float32)
    basis, scale = np.random.default_rng(2).normal(size=(D, 3)), np.arange(1.0, 5.0)
    whitened, _ = whiten(LinearDesign(X), w)
    return [
        ("dense", LinearDesign(X), X),
        ("fortran", LinearDesign(np.asfortranarray(X)), X),
        ("float32", LinearDesign(single), single.astype(float)),
        ("csr", LinearDesign(sp.csr_array(X)), X),
        ("csc", LinearDesign(sp.csc_matrix(X)), X),
        ("whitened", WhitenedDesign(LinearDesign(X), basis), X @ basis),
        ("whitened sparse", WhitenedDesign(LinearDesign(sp.csr_array(X)), basis), X @ basis),
        ("scaled", WhitenedDesign(LinearDesign(X), scale), X * scale),
        ("centred", *about_mean(WhitenedDesign(LinearDesign(X), basis), X @ basis, w)),
        ("centred sparse", *about_mean(WhitenedDesign(LinearDesign(sp.csr_array(X)), basis), X @ basis, w)),
        ("centred, scaled", *about_mean(WhitenedDesign(LinearDesign(X), scale), X * scale, w)),
        ("shifted", ShiftedDesign(whitened), np.column_stack([X @ whitened.basis, np.ones(N)])),
    ]


@pytest.fixture(params=designs(), ids=lambda d: d[0])
def case(request):
    return request.param[1:]


def test_products(case) -> None:
    design, dense = case
    rng = np.random.default_rng(3)
    theta, g = rng.normal(size=dense.shape[1]), rng.normal(size=N)
    assert (design.n_rows, design.n_parameters) == dense.shape
    assert design.matvec(theta).dtype == np.float64
    np.testing.assert_allclose(design.matvec(theta), dense @ theta, rtol=1e-12)
    np.testing.assert_allclose(design.rmatvec(g), dense.T @ g, rtol=1e-12, atol=1e-12)


def test_weighted_squares(case) -> None:
    design, dense = case
    w = weights()
    gram = (dense.T * w) @ dense
    np.testing.assert_allclose(
        design.gram(w), gram, rtol=1e-5 if dense.dtype == np.float32 else 1e-10, atol=1e-7
    )
    np.testing.assert_allclose(design.column_mean_square(w), np.diag(gram) / w.sum(), rtol=1e-6)


def test_rows_and_subsamples(case) -> None:
    design, dense = case
    picked = np.array([3, 0, 7])
    np.testing.assert_allclose(design.rows(picked), dense[picked], rtol=1e-12)
    assert isinstance(design.rows(slice(None)), np.ndarray)
    assert design.rows(slice(2, 5)).dtype == np.float64
    part = design.take(picked)
    assert part.n_rows == 3
    theta = np.arange(1.0, dense.shape[1] + 1)
    np.testing.assert_allclose(part.matvec(theta), dense[picked] @ theta, rtol=1e-12)


def test_penalty_is_one_quadratic_form(case) -> None:
    design, _ = case
    if not isinstance(design, WhitenedDesign):
        np.testing.assert_array_equal(design.penalty_diagonal(), np.ones(D))
        return
    phi = np.random.default_rng(4).normal(size=design.n_parameters)
    theta = design.to_theta(phi)
    assert phi @ design.penalty_matvec(phi) == pytest.approx(theta @ theta, rel=1e-12)
    np.testing.assert_allclose(design.penalty_matrix() @ phi, design.penalty_matvec(phi), rtol=1e-10)
    np.testing.assert_allclose(np.diag(design.penalty_matrix()), design.penalty_diagonal(), rtol=1e-12)


def test_many_rows_are_handled_in_chunks(monkeypatch) -> None:
    X, w = matrix().astype(np.float32), weights()
    whole = LinearDesign(X)
    theta, g = np.arange(1.0, 5.0), np.arange(float(N))
    results = [whole.matvec(theta), whole.rmatvec(g), whole.gram(w), whole.column_mean_square(w)]
    monkeypatch.setattr(linear, "_CHUNK", 5)
    chunked = [whole.matvec(theta), whole.rmatvec(g), whole.gram(w), whole.column_mean_square(w)]
    for one, two in zip(results, chunked, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_design_of_pairs_is_that_of_their_differences() -> None:
    X = matrix()
    pairs = PreferencePairs(np.ones_like(X), X + 1, np.arange(N) % 2)
    np.testing.assert_array_equal(LinearIndex().fit_design(pairs).rows(slice(None)), pairs.differences)
    options = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(LinearIndex().score(options, np.ones(4)), options.sum(axis=1))
    assert repr(clone(LinearIndex())) == "LinearIndex()"


# Whitening -------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), n=st.integers(1, 20), d=st.integers(1, 12), rank=st.integers(1, 12))
def test_norm_of_the_parameters_is_the_root_mean_square(seed: int, n: int, d: int, rank: int) -> None:
    """Of any rank, at any units, more rows or more columns: ``T' Sigma T = I`` and every index is reached."""
    rng = np.random.default_rng(seed)
    rank = min(rank, n, d)
    units = 10.0 ** rng.integers(-4, 5, d)
    X = (rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))) * units
    w = rng.random(n) + 0.1
    for least_norm in ("spread", "penalty"):
        whitened, null = whiten(LinearDesign(X), w, least_norm=least_norm)
        assert whitened.n_parameters == rank
        phi = rng.normal(size=rank)
        t = whitened.matvec(phi)
        assert np.sqrt(w @ t**2 / w.sum()) == pytest.approx(np.linalg.norm(phi), rel=1e-4)
        wanted = X @ (rng.normal(size=d) / units)
        reached = whitened.matvec(whitened.rmatvec(w * wanted) / w.sum())
        np.testing.assert_allclose(reached, wanted, atol=1e-4 * np.abs(wanted).max())
        if null.size:
            spread = np.sqrt(w @ X**2 / w.sum())
            np.testing.assert_allclose(X @ (null / spread[:, None]), 0, atol=1e-4)
            np.testing.assert_allclose(null.T @ null, np.eye(null.shape[1]), atol=1e-10)
            assert null.shape[1] == d - rank


@pytest.mark.parametrize(("n", "d"), [(40, 6), (8, 30)])
@pytest.mark.parametrize("least_norm", ["spread", "penalty"])
def test_least_norm_in_the_units_asked_for(n: int, d: int, least_norm: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) * np.exp(rng.normal(size=d))
    X[:, -1] = X[:, 0] + 2 * X[:, 1]
    w = rng.random(n) + 0.5
    whitened, _ = whiten(LinearDesign(X), w, least_norm=least_norm)
    theta = whitened.to_theta(rng.normal(size=whitened.n_parameters))
    units = np.sqrt(w @ X**2 / w.sum()) if least_norm == "spread" else np.ones(d)
    smallest = np.linalg.lstsq(X / units, X @ theta)[0] / units
    np.testing.assert_allclose(theta, smallest, rtol=1e-6, atol=1e-9)


def test_column_without_variation_gets_no_parameter() -> None:
    X = matrix()
    X[:, 2] = 0.0
    whitened, null = whiten(LinearDesign(X), weights())
    assert whitened.n_parameters == 3
    assert (whitened.basis[2] == 0).all()
    np.testing.assert_allclose(np.abs(null[:, 0]), [0, 0, 1, 0], atol=1e-12)


def test_too_many_parameters_for_a_matrix_are_scaled_one_by_one(monkeypatch) -> None:
    monkeypatch.setattr("semiindex.index.whitening._DENSE_LIMIT", 3)
    X, w = matrix(), weights()
    X[:, 1] = 0.0
    whitened, null = whiten(LinearDesign(X), w)
    assert whitened.basis.ndim == 1
    assert whitened.basis[1] == 0
    assert null.shape == (4, 0)
    np.testing.assert_allclose(whitened.column_mean_square(w), [1, 0, 1, 1], rtol=1e-12)


def test_constant_beside_a_free_shift() -> None:
    X, w = np.random.default_rng(0).normal(size=(N, 2)), weights()
    plain, _ = whiten(LinearDesign(X), w)
    assert without_constant(plain, w)[1] is None
    levels = np.eye(3)[np.arange(N) % 3]
    for extra, share in ((np.full((N, 1), 7.0), [0, 0, 1]), (levels, [0, 0, 1, 1, 1])):
        design = LinearDesign(np.column_stack([X, extra]))
        whitened, _ = whiten(design, w)
        reduced, direction = without_constant(whitened, w)
        assert reduced.n_parameters == whitened.n_parameters - 1
        scaled = direction / direction.max()
        assert ((scaled > 1e-6) == np.array(share, dtype=bool)).all()
        # What is left reaches every index up to a constant, and still has unit mean square.
        t = design.matvec(np.arange(1.0, design.n_parameters + 1))
        rows = np.column_stack([reduced.rows(slice(None)), np.ones(N)])
        np.testing.assert_allclose(rows @ np.linalg.lstsq(rows, t)[0], t, rtol=1e-8)
        np.testing.assert_allclose(reduced.gram(w) / w.sum(), np.eye(reduced.n_parameters), atol=1e-10)
    assert (
        np.abs(
            without_constant(*[whiten(LinearDesign(np.column_stack([X, np.ones(N)])), w)[0], w])[0].basis[2]
        ).max()
        < 1e-12
    )


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e4])
def test_centred_coordinates_do_not_depend_on_location(offset: float) -> None:
    """The index has mean 0 and unit mean square for every unit vector, and spans what the features span."""
    X, w = matrix(), weights()
    X = X + offset * X.std(axis=0) * [1.0, -1.0, 0.5, 0.0]
    whitened = centred(whiten(LinearDesign(X), w)[0], w)
    rows = whitened.rows(slice(None))
    np.testing.assert_allclose(w @ rows / w.sum(), 0, atol=1e-9)
    np.testing.assert_allclose((rows.T * w) @ rows / w.sum(), np.eye(D), atol=1e-6)
    phi = np.arange(1.0, 5.0)
    t = X @ whitened.to_theta(phi)
    np.testing.assert_allclose(whitened.matvec(phi) + whitened.location(phi), t, rtol=1e-9, atol=1e-9)
    assert whitened.location(phi) == pytest.approx(w @ t / w.sum(), rel=1e-9, abs=1e-12)


def test_centred_columns_are_scaled_one_by_one(monkeypatch) -> None:
    """Above the size of a matrix; a constant column keeps its length, its index does not vary."""
    monkeypatch.setattr("semiindex.index.whitening._DENSE_LIMIT", 3)
    X, w = matrix(), weights()
    X[:, 0], X[:, 1] = 7.0, X[:, 1] + 500.0
    whitened = centred(whiten(LinearDesign(X), w)[0], w)
    assert whitened.basis.ndim == 1
    np.testing.assert_allclose(whitened.column_mean_square(w), [0, 1, 1, 1], atol=1e-12)
    assert whitened.basis[0] == pytest.approx(1 / 7)
