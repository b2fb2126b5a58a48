"""PreferencePairs as a value: rows, derived quantities, views, pickling, scikit-learn."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.utils import _safe_indexing, indexable, resample

from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError


def make_pairs(n=24, d=3, *, sparse=False, seed=0):
    rng = np.random.default_rng(seed)
    f0, f1 = rng.integers(0, 3, size=(2, n, d)).astype(float)
    wrap = sp.csr_array if sparse else np.asarray
    return PreferencePairs(
        wrap(f0),
        wrap(f1),
        rng.integers(0, 2, n),
        weights=rng.uniform(0.5, 2.0, n),
        groups=[f"p{i // 4}" for i in range(n)],
        link_groups=np.arange(n) % 2,
        units=np.arange(n) // 2,
        feature_names=[f"f{j}" for j in range(d)],
        assumptions=["Something is assumed."],
    )


def dense(matrix):
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


def assert_same(left, right):
    for name in ("features0", "features1"):
        np.testing.assert_array_equal(dense(getattr(left, name)), dense(getattr(right, name)))
    for name in ("labels", "weights", "groups", "link_groups", "units"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
    assert left.feature_names == right.feature_names
    assert left.assumptions == right.assumptions


@st.composite
def row_keys(draw, n=24):
    kind = draw(st.sampled_from(["int", "ints", "mask", "slice"]))
    if kind == "int":
        return draw(st.integers(-n, n - 1))
    if kind == "ints":
        return draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=40))
    if kind == "mask":
        return draw(hnp.arrays(bool, n).filter(lambda mask: mask.any()))
    return draw(st.slices(n).filter(lambda key: len(range(n)[key]) > 0))


@pytest.mark.parametrize("sparse", [False, True])
@given(key=row_keys())
def test_differences_of_rows_are_rows_of_differences(sparse, key):
    pairs = make_pairs(sparse=sparse)
    expected = np.atleast_2d(dense(pairs.differences)[key])
    for part in (pairs[key], pairs[key, ...], pairs[key, :]):
        np.testing.assert_array_equal(dense(part.differences), expected)
        np.testing.assert_array_equal(part.units, np.atleast_1d(pairs.units[key]))
        np.testing.assert_array_equal(part.groups, np.atleast_1d(pairs.groups[key]))
        assert part.feature_names == pairs.feature_names
        assert part.assumptions == pairs.assumptions


@pytest.mark.parametrize("sparse", [False, True])
@given(mask=hnp.arrays(bool, 24))
def test_swapping_flips_differences_and_labels_and_is_its_own_inverse(sparse, mask):
    pairs = make_pairs(sparse=sparse)
    swapped = pairs.swapped(mask)
    sign = np.where(mask, -1.0, 1.0)
    np.testing.assert_array_equal(dense(swapped.differences), sign[:, None] * dense(pairs.differences))
    np.testing.assert_array_equal(swapped.labels, np.where(mask, 1 - pairs.labels, pairs.labels))
    assert_same(swapped.swapped(mask), pairs)


def test_swapping_nothing_named_swaps_all():
    pairs = make_pairs()
    assert_same(pairs.swapped(), pairs.swapped(np.ones(24, dtype=bool)))


@pytest.mark.parametrize("mask", [[0, 1], np.ones(3, dtype=bool), np.ones(24)])
def test_swapping_needs_a_mask_of_all_rows(mask):
    with pytest.raises(InvalidParameterError, match="mask must be a boolean array of shape"):
        make_pairs().swapped(mask)


@pytest.mark.parametrize("key", [[], slice(0, 0), np.zeros(24, dtype=bool)])
def test_an_empty_selection_is_an_error(key):
    with pytest.raises(InvalidDataError, match="selection of rows is empty"):
        make_pairs()[key]


@pytest.mark.parametrize("key", [24, -25, [0.5], np.ones(3, dtype=bool), (0, 1), (0, ..., 1), [[0, 1]]])
def test_impossible_row_keys_are_index_errors(key):
    with pytest.raises(IndexError):
        make_pairs()[key]


def test_iterating_gives_rows_of_one():
    rows = list(make_pairs(n=3))
    assert [row.shape for row in rows] == [(1, 3)] * 3


def test_basic_quantities():
    pairs = PreferencePairs([[1, 2], [3, 4], [5, 6]], [[1, 2], [0, 4], [5, 7]], [1, 0, 1], units=[7, 7, 9])
    assert (len(pairs), pairs.shape, pairs.ndim) == (3, (3, 2), 2)
    assert (pairs.n_pairs, pairs.n_features, pairs.n_units) == (3, 2, 2)
    assert pairs.n_self_comparisons == 1
    assert pairs.feature_names == ("x0", "x1")
    assert pairs.dtype == np.float64
    assert pairs.labels.dtype == np.int8
    assert pairs.weights is None
    assert pairs.differences is pairs.differences


def test_self_comparisons_of_sparse_pairs():
    both = sp.csr_array(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]]))
    other = sp.csr_array(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]))
    pairs = PreferencePairs(both, other, [1, 1, 0])
    assert pairs.n_self_comparisons == 2
    assert sp.issparse(pairs.differences)


def test_arrays_are_read_only_and_the_users_arrays_stay_as_they_were():
    f0, f1, labels, weights = np.ones((3, 2)), np.zeros((3, 2)), np.array([1, 0, 1]), np.ones(3)
    pairs = PreferencePairs(f0, f1, labels, weights=weights)
    for array in (pairs.features0, pairs.labels, pairs.weights, pairs.units, pairs.differences):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    for array in (f0, f1, labels, weights):
        assert array.flags.writeable
    with pytest.raises(AttributeError, match="cannot assign"):
        pairs.labels = labels


def test_a_sparse_matrix_with_duplicate_entries_is_summed_in_a_copy():
    raw = sp.csr_array((np.array([1.0, 2.0]), np.array([0, 0]), np.array([0, 2])), shape=(1, 2))
    pairs = PreferencePairs(raw, sp.csr_array((1, 2)), [1])
    np.testing.assert_array_equal(pairs.features0.toarray(), [[3.0, 0.0]])
    assert raw.nnz == 2
    assert raw.data.flags.writeable


@pytest.mark.parametrize("sparse", [False, True])
def test_pickling_round_trip(sparse):
    pairs = make_pairs(sparse=sparse)
    assert pairs.differences.shape == pairs.shape
    again = pickle.loads(pickle.dumps(pairs))
    assert_same(again, pairs)
    assert not again.labels.flags.writeable
    assert "differences" not in again.__dict__


def test_with_labels_and_replace():
    pairs = make_pairs()
    np.testing.assert_array_equal(pairs.with_labels(1 - pairs.labels).labels, 1 - pairs.labels)
    assert_same(pairs.with_labels(pairs.labels), pairs)
    assert pairs.replace(weights=None).weights is None
    assert pairs.replace(feature_names=["u", "v", "w"]).feature_names == ("u", "v", "w")
    with pytest.raises(InvalidParameterError, match=r"no fields \['label'\]"):
        pairs.replace(label=[1])
    with pytest.raises(InvalidDataError, match="labels has 2 entries for 24 rows"):
        pairs.with_labels([0, 1])


def test_text_view_names_the_facts():
    text = repr(make_pairs())
    for fact in (
        "12 comparisons in 24 rows, 3 features",
        "f0, f1, f2",
        "raters",
        "6",
        "Something is assumed.",
    ):
        assert fact in text
    assert "weights             one each" in repr(PreferencePairs([[1.0]], [[2.0]], [1]))
    wide = PreferencePairs(np.zeros((1, 20)), np.ones((1, 20)), [1])
    assert "x7, ... (12 more)" in repr(wide)


def test_html_view_escapes_names():
    html = PreferencePairs([[1.0]], [[2.0]], [1], feature_names=["<b>"])._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_view_of_rows_whose_weights_are_all_zero():
    pairs = PreferencePairs([[1.0], [2.0]], [[2.0], [1.0]], [1, 0], weights=[0.0, 1.0])
    assert "option 1 preferred  100.0 %" in repr(pairs[:1])


def test_as_an_array_it_is_its_differences():
    pairs = make_pairs()
    np.testing.assert_array_equal(np.asarray(pairs), pairs.differences)
    assert np.asarray(pairs, dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="not made dense silently"):
        np.asarray(make_pairs(sparse=True))


@pytest.mark.parametrize("sparse", [False, True])
def test_table_and_back(sparse):
    pairs = make_pairs(sparse=sparse).replace(assumptions=())
    frame = pairs.to_frame()
    assert list(frame.columns[:2]) == ["f0_0", "f0_1"]
    assert list(frame.columns[-5:]) == ["label", "weight", "group", "link_group", "unit"]
    again = PreferencePairs.from_wide(
        frame,
        option0="_0",
        option1="_1",
        affix="suffix",
        choice="label",
        weight="weight",
        group="group",
        link_group="link_group",
        unit="unit",
    )
    assert_same(again, pairs)


def test_table_of_bare_pairs_has_no_optional_columns():
    frame = PreferencePairs([[1.0]], [[2.0]], [1]).to_frame()
    assert list(frame.columns) == ["x0_0", "x0_1", "label", "unit"]


# With scikit-learn ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sparse", [False, True])
def test_scikit_learn_indexes_and_splits_pairs(sparse):
    pairs = make_pairs(sparse=sparse)
    assert indexable(pairs, pairs.labels)[0] is pairs
    assert_same(_safe_indexing(pairs, [3, 1]), pairs[[3, 1]])
    assert_same(_safe_indexing(pairs, np.arange(24) < 5), pairs[:5])
    train, test = train_test_split(pairs, test_size=0.25, random_state=0)
    assert (len(train), len(test)) == (18, 6)
    assert len(resample(pairs, n_samples=30, random_state=0)) == 30
    for rows_train, rows_test in GroupKFold(3).split(pairs, pairs.labels, pairs.groups):
        assert not set(pairs[rows_train].groups) & set(pairs[rows_test].groups)


def test_scikit_learn_cross_validates_on_the_differences():
    pairs = make_pairs(n=80)
    model = LogisticRegression(fit_intercept=False)
    scores = cross_val_score(model, pairs, pairs.labels, groups=pairs.groups, cv=GroupKFold(4))
    plain = cross_val_score(model, pairs.differences, pairs.labels, groups=pairs.groups, cv=GroupKFold(4))
    np.testing.assert_array_equal(scores, plain)
    assert cross_val_predict(model, pairs, pairs.labels).shape == (80,)


# Concatenation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparse", [False, True])
def test_concatenating_parts_gives_back_the_rows(sparse):
    pairs = make_pairs(sparse=sparse)
    whole = PreferencePairs.concatenate([pairs[:10], pairs[10:]])
    assert_same(whole, pairs)


def test_concatenation_keeps_units_apart_and_merges_weights_and_assumptions():
    one = PreferencePairs([[1.0]], [[2.0]], [1], assumptions=["A."])
    two = one.replace(weights=[3.0], assumptions=["B.", "A."])
    whole = PreferencePairs.concatenate([one, two])
    np.testing.assert_array_equal(whole.weights, [1.0, 3.0])
    np.testing.assert_array_equal(whole.units, [0, 1])
    assert whole.assumptions == ("A.", "B.")


def test_concatenation_refuses_parts_that_do_not_match():
    pairs = make_pairs()
    with pytest.raises(InvalidDataError, match="parts is empty"):
        PreferencePairs.concatenate([])
    with pytest.raises(InvalidDataError, match=r"parts\[1\] has the features a, b, c"):
        PreferencePairs.concatenate([pairs, pairs.replace(feature_names=list("abc"))])
    with pytest.raises(InvalidDataError, match="not both sparse or both dense"):
        PreferencePairs.concatenate([pairs, make_pairs(sparse=True)])
    with pytest.raises(InvalidDataError, match="link_groups are given in some parts only"):
        PreferencePairs.concatenate([pairs, pairs.replace(link_groups=None)])


def test_a_data_frame_names_its_features():
    frame = pd.DataFrame({"price": [1, 2], "new": [True, False]})
    pairs = PreferencePairs(frame, frame[::-1], [1, 0])
    assert pairs.feature_names == ("price", "new")
    assert pairs.dtype == np.float64
