"""Kernels by name, as functions and as products."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import laplacian_kernel, rbf_kernel

from semiindex import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index import KernelIndex, ProductKernel
from semiindex.index.kernels import arc_cosine_kernel, bind_kernel, equality_kernel

A = np.random.default_rng(0).normal(size=(7, 3))
B = np.random.default_rng(1).normal(size=(5, 3))


def test_equality_compares_whole_rows() -> None:
    first = np.array([[1.0, 2.0], [1.0, 3.0], [-0.0, 0.0]])
    second = np.array([[1.0, 3.0], [0.0, 0.0]])
    wanted = (first[:, None, :] == second[None, :, :]).all(axis=2)
    np.testing.assert_array_equal(equality_kernel(first, second), wanted)
    np.testing.assert_array_equal(equality_kernel(first[:, :1], second[:, :1]), [[1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_arc_cosine_is_the_covariance_of_random_rectified_units(bias: float) -> None:
    """``2 E[max(w'x, 0) max(w'y, 0)]`` over normal w, by Monte Carlo."""
    w = np.random.default_rng(2).normal(size=(4, 400_000))
    padded = [np.column_stack([side, np.full(len(side), bias)]) for side in (A, B)]
    units = [np.maximum(side @ w, 0) for side in padded]
    sampled = 2 * units[0] @ units[1].T / w.shape[1]
    np.testing.assert_allclose(arc_cosine_kernel(A, B, bias=bias), sampled, atol=0.06)


def test_arc_cosine_layers() -> None:
    np.testing.assert_allclose(arc_cosine_kernel(A, B, layers=0, bias=0.0), A @ B.T, rtol=1e-12)
    deep = arc_cosine_kernel(A, A, layers=3, bias=1.0)
    np.testing.assert_allclose(np.diag(deep), (A**2).sum(axis=1) + 1, rtol=1e-6)
    assert np.linalg.eigvalsh(deep)[0] > 0
    assert (arc_cosine_kernel(np.zeros((1, 3)), B, bias=0.0) == 0).all()


def test_product_over_columns_by_name_and_by_number() -> None:
    kernel = ProductKernel((["b", "a"], "rbf", {"gamma": 0.3}), ("c", laplacian_kernel))
    wanted = rbf_kernel(A[:, :2], B[:, :2], gamma=0.3) * laplacian_kernel(A[:, 2:], B[:, 2:])
    np.testing.assert_allclose(bind_kernel(kernel, A, ["a", "b", "c"], {})(A, B), wanted)
    numbered = ProductKernel((range(2), "rbf", {"gamma": 0.3}), (2, laplacian_kernel))
    np.testing.assert_allclose(bind_kernel(numbered, A, None, {})(A, B), wanted)


def test_width_of_the_index_goes_to_factors_that_set_none() -> None:
    kernel = ProductKernel(([0], "rbf"), ([1], "rbf", {"gamma": 2.0}), ([2], "equality"))
    bound = bind_kernel(kernel, A, None, {"gamma": 0.5})
    assert [params.get("gamma") for _, _, params in bound.factors] == [0.5, 2.0, None]


def test_default_width_is_one_over_the_mean_squared_distance() -> None:
    bound = bind_kernel("rbf", A, None, {"gamma": None})
    distances = ((A[:, None] - A[None]) ** 2).sum(axis=2)
    assert bound.gamma == pytest.approx(1 / distances.mean(), rel=1e-12)
    assert bind_kernel("rbf", A[:1], None, {}).gamma == 1.0


def test_scale_of_the_features_does_not_matter_under_the_default_width() -> None:
    small, large = KernelIndex(), KernelIndex()
    y = np.array([0, 1, 1, 0, 1])
    small.fit_design(PreferencePairs(A[:5], B, y))
    large.fit_design(PreferencePairs(1000 * A[:5], 1000 * B, y))
    assert large.gamma_ == pytest.approx(small.gamma_ / 1e6, rel=1e-9)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("gaussian", "kernel must be a function of two matrices, a ProductKernel or one of"),
        (3, "kernel must be a function of two matrices"),
        (lambda a, b: np.ones(3), "must turn matrices of shapes"),
        (lambda a, b: a[:, :1] * b[:, 1], "differ, or are not finite"),
        (lambda a, b: -(a @ b.T), "not positive definite"),
        (ProductKernel((["price"], "rbf")), "there is no column 'price'"),
        (ProductKernel(([9], "rbf")), "there is no column 9"),
    ],
)
def test_wrong_kernels_are_refused(kernel, message) -> None:
    pairs = PreferencePairs(A[:5], B, [0, 1, 1, 0, 1])
    error = InvalidDataError if "column" in message else InvalidParameterError
    with pytest.raises(error, match=message):
        KernelIndex(kernel).fit_design(pairs)


def test_names_of_columns_need_pairs() -> None:
    with pytest.raises(InvalidDataError, match="plain matrices of differences carry no names"):
        KernelIndex(ProductKernel((["price"], "rbf"))).fit_design(A)


@pytest.mark.parametrize("factors", [(), ("rbf",), (([0],),), (([0], "rbf", {}, 1),)])
def test_wrong_factors_are_refused(factors) -> None:
    with pytest.raises(InvalidParameterError, match="ProductKernel"):
        ProductKernel(*factors)


def test_product_kernels_are_values() -> None:
    one, two = ProductKernel(([0], "rbf")), ProductKernel(([0], "rbf"))
    assert one == two
    assert hash(one) == hash(two)
    assert one != ProductKernel(([1], "rbf"))
    assert repr(one) == "ProductKernel(([0], 'rbf'))"
