"""The kernel index as an operator: its Gram matrix is the difference kernel, whatever makes the features."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import rbf_kernel

from semiindex import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index import KernelIndex, ProductKernel, feature_design, kernel
from semiindex.index.feature_design import FeatureDesign, LazyDesign
from semiindex.index.kernels import equality_kernel

N, D, GAMMA = 40, 3, 0.2


def pairs(n: int = N, seed: int = 0, n_items: int | None = None) -> PreferencePairs:
    """Comparisons of fresh options, or of the options of a list; the last one of an option with itself."""
    rng = np.random.default_rng(seed)
    if n_items is None:
        first, second = rng.normal(size=(2, n, D))
    else:
        items = rng.normal(size=(n_items, D))
        first, second = items[rng.integers(n_items, size=(2, n))]
    second[-1] = first[-1]
    return PreferencePairs(first, second, rng.integers(0, 2, n))


def difference_kernel(a: PreferencePairs, b: PreferencePairs, gamma: float = GAMMA) -> np.ndarray:
    def k(x, y):
        return rbf_kernel(x, y, gamma=gamma)

    return (
        k(a.features1, b.features1)
        - k(a.features1, b.features0)
        - k(a.features0, b.features1)
        + k(a.features0, b.features0)
    )


def odd_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (rbf_kernel(a, b, gamma=GAMMA) - rbf_kernel(a, -b, gamma=GAMMA)) / 2


@pytest.mark.parametrize("n_items", [None, 12])
def test_gram_matrix_is_the_difference_kernel(n_items: int | None) -> None:
    sample, new = pairs(n_items=n_items), pairs(15, seed=1)
    index = KernelIndex(gamma=GAMMA)
    Z = index.fit_design(sample).rows(slice(None))
    np.testing.assert_allclose(Z @ Z.T, difference_kernel(sample, sample), atol=1e-8)
    np.testing.assert_allclose(
        Z @ index.design(new).rows(slice(None)).T, difference_kernel(sample, new), atol=1e-8
    )
    assert index.n_components_ <= (N - 1 if n_items is None else n_items)


def test_plain_differences_have_the_odd_part_of_the_kernel() -> None:
    sample, new = np.random.default_rng(0).normal(size=(2, N, D))
    sample[0] = 0.0
    index = KernelIndex(gamma=GAMMA)
    Z = index.fit_design(sample).rows(slice(None))
    np.testing.assert_allclose(Z @ Z.T, odd_kernel(sample, sample), atol=1e-8)
    np.testing.assert_allclose(Z @ index.design(new).rows(slice(None)).T, odd_kernel(sample, new), atol=1e-8)
    theta = np.random.default_rng(1).normal(size=index.n_components_)
    np.testing.assert_allclose(
        index.design(-new).matvec(theta), -index.design(new).matvec(theta), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize("plain", [False, True])
def test_nystroem_at_all_options_is_exact(plain: bool) -> None:
    sample, new = pairs(), pairs(15, seed=1)
    data = (sample.differences, new.differences) if plain else (sample, new)
    wanted = odd_kernel(*data) if plain else difference_kernel(*data)
    index = KernelIndex(gamma=GAMMA, components=10 * N)
    Z = index.fit_design(data[0]).rows(slice(None))
    np.testing.assert_allclose(Z @ index.design(data[1]).rows(slice(None)).T, wanted, atol=1e-6)


def test_nystroem_error_falls_with_the_number_of_components() -> None:
    sample = pairs(300)
    wanted = difference_kernel(sample, sample)
    errors = []
    for components in (10, 40, 160):
        Z = KernelIndex(gamma=GAMMA, components=components).fit_design(sample).rows(slice(None))
        errors.append(np.abs(Z @ Z.T - wanted).mean())
    assert errors[0] > 2 * errors[1] > 8 * errors[2]


@pytest.mark.parametrize("plain", [False, True])
def test_random_features_approach_the_kernel(plain: bool) -> None:
    sample = pairs()
    data = sample.differences if plain else sample
    wanted = odd_kernel(data, data) if plain else difference_kernel(data, data)
    errors = []
    for components in (100, 10_000):
        index = KernelIndex(gamma=GAMMA, components=components, approximation="random_features")
        Z = index.fit_design(data).rows(slice(None))
        assert Z.shape == (N, components)
        errors.append(np.sqrt(np.mean((Z @ Z.T - wanted) ** 2)))
    assert errors[1] < 0.02
    assert 4 < errors[0] / errors[1] < 25  # ten, up to Monte-Carlo error


@pytest.mark.parametrize(
    "index",
    [
        KernelIndex(gamma=GAMMA),
        KernelIndex(gamma=GAMMA, components=20),
        KernelIndex(gamma=GAMMA, components=30, approximation="random_features"),
        KernelIndex("poly", degree=2, coef0=1.0, gamma=1.0),
        KernelIndex("arc_cosine", kernel_params={"layers": 2}),
        KernelIndex(rbf_kernel, kernel_params={"gamma": 0.1}),
        KernelIndex(ProductKernel(([0, 1], "rbf"), (2, "arc_cosine", {"bias": 0.5}))),
    ],
    ids=lambda index: re.sub(" at 0x[0-9a-f]+", "", repr(index)),
)
def test_score_differences_are_the_index(index: KernelIndex) -> None:
    index, new = clone(index), pairs(15, seed=1)
    design = index.fit_design(pairs())
    theta = np.random.default_rng(2).normal(size=design.n_parameters)
    scores = [index.score(side, theta) for side in (new.features1, new.features0)]
    np.testing.assert_allclose(scores[0] - scores[1], index.design(new).matvec(theta), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(index.design(new.swapped()).matvec(theta), scores[1] - scores[0], atol=1e-6)
    assert len(index.parameter_names(("a", "b", "c"))) == design.n_parameters


@pytest.mark.parametrize(
    "index", [KernelIndex(gamma=GAMMA), KernelIndex(gamma=GAMMA, components=20)], ids=repr
)
def test_designs_are_one_matrix(index: KernelIndex, monkeypatch) -> None:
    """Stored or lazy, each operation agrees with the dense rows."""
    sample = pairs(n_items=12)
    stored = clone(index).fit_design(sample)
    index = clone(index)
    index.fit_design(sample)
    monkeypatch.setattr(kernel, "_STORED_ENTRIES", 0)
    monkeypatch.setattr(feature_design, "_PIECE", 100)
    lazy = index.design(sample)
    assert isinstance(stored, FeatureDesign)
    assert isinstance(lazy, LazyDesign)
    Z = stored.rows(slice(None))
    rng = np.random.default_rng(3)
    theta, g, w = rng.normal(size=Z.shape[1]), rng.normal(size=N), rng.random(N)
    rows = np.array([3, 1])
    for design in (stored, lazy, stored.ridge_coordinates(0.1)):
        dense = Z if design.n_parameters == Z.shape[1] and design is not None else None
        if not isinstance(design, (FeatureDesign, LazyDesign)):
            dense = Z * design.basis
        np.testing.assert_allclose(design.rows(slice(None)), dense, atol=1e-8)
        np.testing.assert_allclose(design.matvec(theta), dense @ theta, atol=1e-8)
        np.testing.assert_allclose(design.rmatvec(g), dense.T @ g, atol=1e-8)
        np.testing.assert_allclose(design.gram(w), (dense.T * w) @ dense, atol=1e-8)
        np.testing.assert_allclose(design.column_mean_square(w), w @ dense**2 / w.sum(), atol=1e-8)
        np.testing.assert_allclose(design.take(rows).matvec(theta), dense[rows] @ theta, atol=1e-8)


def test_coordinates_of_a_ridge_have_bounded_curvature() -> None:
    design = KernelIndex(gamma=GAMMA).fit_design(pairs())
    for ridge in (1e-6, 1e-2, 1.0):
        phi = design.ridge_coordinates(ridge)
        hessian = phi.gram(np.full(N, 0.25 / N)) + ridge * phi.penalty_matrix()
        eigenvalues = np.linalg.eigvalsh(hessian)
        assert eigenvalues[0] > 0.15
        assert eigenvalues[-1] < 0.3


def test_order_and_repetition_of_comparisons_do_not_matter() -> None:
    sample = pairs()
    rows = np.random.default_rng(4).permutation(np.r_[np.arange(N), np.arange(20), np.arange(5)])
    for index in (KernelIndex(), KernelIndex(components=30), KernelIndex(components=30, random_state=5)):
        once, twice = clone(index), clone(index)
        once.fit_design(sample)
        twice.fit_design(sample[rows])
        assert twice.gamma_ == once.gamma_
        Z, Y = (one.design(sample).rows(slice(None)) for one in (once, twice))
        np.testing.assert_allclose(Y @ Y.T, Z @ Z.T, atol=1e-7)


def test_sparse_and_single_precision_features() -> None:
    sample, theta = pairs(), np.random.default_rng(0).normal(size=N - 1)
    wanted = KernelIndex(gamma=GAMMA).fit_design(sample)
    sparse = PreferencePairs(sp.csr_array(sample.features0), sp.csr_array(sample.features1), sample.labels)
    np.testing.assert_allclose(
        KernelIndex(gamma=GAMMA).fit_design(sparse).rows(slice(None)), wanted.rows(slice(None))
    )
    single = PreferencePairs(
        sample.features0.astype(np.float32), sample.features1.astype(np.float32), sample.labels
    )
    design = KernelIndex(gamma=GAMMA).fit_design(single)
    assert design.plain.matrix.dtype == np.float32
    assert design.matvec(theta[: design.n_parameters]).dtype == np.float64
    Z = design.rows(slice(None))
    np.testing.assert_allclose(Z @ Z.T, difference_kernel(sample, sample), atol=1e-5)


def test_context_and_action() -> None:
    """Only comparisons that share an action share anything."""
    rng = np.random.default_rng(0)
    context, actions = rng.normal(size=(N, 2)), rng.integers(0, 4, size=(2, N)).astype(float)
    sample = PreferencePairs(
        np.column_stack([context, actions[0]]), np.column_stack([context, actions[1]]), np.ones(N)
    )
    index = KernelIndex(ProductKernel(([0, 1], "rbf", {"gamma": 0.3}), (2, "equality")))
    Z = index.fit_design(sample).rows(slice(None))
    same = [[equality_kernel(i[:, None], j[:, None]) for j in actions] for i in actions]
    shared = same[1][1] - same[1][0] - same[0][1] + same[0][0]
    np.testing.assert_allclose(Z @ Z.T, rbf_kernel(context, gamma=0.3) * shared, atol=1e-8)


def test_too_many_options_for_an_exact_fit(monkeypatch) -> None:
    monkeypatch.setattr(kernel, "_EXACT_LIMIT", 30)
    with pytest.raises(InvalidParameterError, match=r"at most 30, .* set components"):
        KernelIndex().fit_design(pairs())
    monkeypatch.setattr("semiindex.index.distinct._FIRST_LOOK", 35)
    with pytest.raises(InvalidParameterError, match="set components"):
        KernelIndex().fit_design(pairs())
    Z = KernelIndex(gamma=GAMMA).fit_design(pairs(200, n_items=25)).rows(slice(None))
    wanted = difference_kernel(pairs(200, n_items=25), pairs(200, n_items=25))
    np.testing.assert_allclose(Z @ Z.T, wanted, atol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"approximation": "fourier"}, "approximation must be None or one of"),
        ({"approximation": "exact", "components": 5}, "leave one of them at None"),
        ({"approximation": "nystroem"}, "components must be an integer >= 1"),
        ({"components": 0}, "components must be an integer >= 1"),
        ({"components": 2.5}, "components must be an integer >= 1"),
        ({"gamma": -1.0}, "gamma must be positive"),
        (
            {"kernel": "poly", "approximation": "random_features", "components": 5},
            "exists for kernel='rbf' only",
        ),
    ],
)
def test_wrong_parameters_are_refused(parameters, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        KernelIndex(**parameters).fit_design(pairs())


def test_what_was_fitted_decides_what_can_be_asked() -> None:
    sample = pairs()
    with pytest.raises(NotFittedError, match="no features yet"):
        KernelIndex().design(sample)
    with pytest.raises(NotFittedError, match="no features yet"):
        KernelIndex().score(sample.features0, np.ones(3))
    both, plain = KernelIndex(), KernelIndex()
    both.fit_design(sample)
    plain.fit_design(sample.differences)
    with pytest.raises(InvalidDataError, match="fitted to PreferencePairs"):
        both.design(sample.differences)
    with pytest.raises(InvalidDataError, match="need not be a difference of two scores"):
        plain.score(sample.features0, np.ones(plain.n_components_))
    np.testing.assert_array_equal(
        plain.design(sample).rows(slice(None)), plain.design(sample.differences).rows(slice(None))
    )


def test_pickle_clone_and_parameters() -> None:
    index = KernelIndex(ProductKernel(([0, 1], "rbf"), (2, "equality")), gamma=0.3)
    index.fit_design(pairs())
    again = pickle.loads(pickle.dumps(index))
    np.testing.assert_array_equal(
        again.design(pairs(seed=1)).rows(slice(None)), index.design(pairs(seed=1)).rows(slice(None))
    )
    copy = clone(index)
    assert not hasattr(copy, "n_components_")
    assert copy.get_params() == index.get_params()
    assert copy.set_params(gamma=1.0).gamma == 1.0


def test_equal_features_do_not_depend_on_a_global_state() -> None:
    sample = pairs(100)
    for approximation in ("nystroem", "random_features"):
        index = KernelIndex(components=10, approximation=approximation)
        first = clone(index).fit_design(sample).rows(slice(None))
        np.testing.assert_array_equal(clone(index).fit_design(sample).rows(slice(None)), first)
        other = clone(index).set_params(random_state=1).fit_design(sample).rows(slice(None))
        assert np.abs(other - first).max() > 1e-3


@pytest.mark.parametrize(
    "data", [PreferencePairs(np.ones((3, 2)), np.ones((3, 2)), [0, 1, 1]), np.zeros((3, 2))]
)
def test_comparisons_of_options_with_themselves_only(data) -> None:
    with pytest.raises(InvalidDataError, match="every comparison is of an option with itself"):
        KernelIndex().fit_design(data)
