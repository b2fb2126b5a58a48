"""Bad and unusual input to the constructor: every fault has its message."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError

GOOD = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
OTHER = GOOD[::-1].copy()
LABELS = np.array([1, 0, 1])


def with_value(value, dtype=float):
    array = GOOD.astype(dtype)
    array[1, 1] = value
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("wrap", [np.asarray, sp.csr_array, sp.coo_matrix])
def test_not_finite_features(value, wrap):
    expected = rf"features1 contains {value} in feature 'b', first in row 1"
    with pytest.raises(InvalidDataError, match=expected):
        PreferencePairs(wrap(GOOD), wrap(with_value(value)), LABELS, feature_names=["a", "b"])


def test_not_finite_without_names_says_the_column():
    with pytest.raises(InvalidDataError, match="features0 contains nan in column 1, first in row 1"):
        PreferencePairs(with_value(np.nan), GOOD, LABELS)


@pytest.mark.parametrize(
    ("features0", "message"),
    [
        (np.empty((0, 2)), "features0 is empty"),
        (np.empty((3, 0)), "features0 has no columns"),
        (np.arange(3.0), r"two-dimensional, but has 1 dimension\(s\): reshape it with x.reshape"),
        (np.zeros((3, 2, 1)), r"two-dimensional, but has 3 dimension\(s\): use a row per comparison"),
        (5.0, r"two-dimensional, but has 0 dimension\(s\)"),
        ([[1.0, 2.0], [3.0]], "features0 is not a rectangular array"),
        (GOOD.astype(complex), "features0 holds complex numbers"),
        (np.array([[1j, 2], [3, 4], [5, 6]], dtype=object), "column 0 of features0 holds complex numbers"),
        (np.array([["1", "2"]] * 3), "features0 has dtype <U1, but features are numbers"),
        (GOOD.astype("datetime64[D]"), "features0 has dtype datetime64"),
        (with_value("red", object), r"column 1 of features0 is not numeric \(could not convert .*'red'"),
        (pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}), "column 'b' of features0 is not numeric"),
        (sp.csr_array(GOOD.astype(complex)), "features0 holds complex numbers"),
    ],
)
def test_features_of_the_wrong_kind(features0, message):
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs(features0, GOOD, LABELS)


def test_mismatched_features():
    with pytest.raises(
        InvalidDataError, match=r"features0 has shape \(3, 2\) and features1 has shape \(2, 2\)"
    ):
        PreferencePairs(GOOD, GOOD[:2], LABELS)
    with pytest.raises(InvalidDataError, match="features0 is sparse and features1 is dense"):
        PreferencePairs(sp.csr_array(GOOD), GOOD, LABELS)
    frame = pd.DataFrame(GOOD, columns=["a", "b"])
    with pytest.raises(InvalidDataError, match="stand on one side only: b, c"):
        PreferencePairs(frame, frame.rename(columns={"b": "c"}), LABELS)
    with pytest.raises(InvalidDataError, match="their order differs"):
        PreferencePairs(frame, frame[["b", "a"]], LABELS)


def test_overflowing_differences():
    with pytest.raises(InvalidDataError, match="overflows float64 in feature 'x1', first in row 1: rescale"):
        PreferencePairs(with_value(1.5e308), with_value(-1.5e308), LABELS)
    big = np.array([[3e38, 1.0]], dtype=np.float32)
    with pytest.raises(InvalidDataError, match="overflows float32 in feature 'x0', first in row 0"):
        PreferencePairs(big, -big, [1])
    with pytest.raises(InvalidDataError, match="overflows float64 in feature 'x1'"):
        PreferencePairs(sp.csr_array(with_value(1.5e308)), sp.csr_array(with_value(-1.5e308)), LABELS)


@pytest.mark.parametrize("value", [1e300, 1e-300, -1e300, 1.5e308])
def test_huge_and_tiny_magnitudes_are_valid_if_their_differences_are(value):
    pairs = PreferencePairs(with_value(value), with_value(value), LABELS)
    assert pairs.differences[1, 1] == 0.0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], "holds 3 kinds of values: 0, 1, 2"),
        ([-1, 1, 1], "holds 2 kinds of values: -1, 1.*use labels > 0"),
        ([0, 0.5, 1], "for ties or soft labels a builder"),
        ([0, np.nan, 1], "labels contains nan, first in row 1"),
        ([0, None, 1], "labels contains nan, first in row 1"),
        (["A", "B", "A"], "has dtype <U1: recode it"),
        ([1, 0], "labels has 2 entries for 3 rows"),
        ([[1], [0], [1]], r"labels must be one-dimensional, but has shape \(3, 1\)"),
    ],
)
def test_labels_of_the_wrong_kind(labels, message):
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs(GOOD, OTHER, labels)


@pytest.mark.parametrize(
    "labels",
    [
        [True, False, True],
        [1.0, 0.0, 1.0],
        np.array([1, 0, 1], dtype=np.uint8),
        np.array([True, False, 1], dtype=object),
        pd.Series([1, 0, 1], index=[5, 6, 7]),
    ],
)
def test_labels_of_every_two_valued_kind(labels):
    np.testing.assert_array_equal(PreferencePairs(GOOD, OTHER, labels).labels, LABELS)


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_kind_are_valid(label):
    assert set(PreferencePairs(GOOD, OTHER, [label] * 3).labels) == {label}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -2.0, 1.0], r"is negative \(-2\) first in row 1"),
        ([1.0, np.nan, 1.0], "is not finite .nan. first in row 1"),
        ([1.0, np.inf, 1.0], "is not finite .inf. first in row 1"),
        ([0, 0, 0], "weights are all zero"),
        ([1.0, 2.0], "weights has 2 entries for 3 rows"),
        (["a", "b", "c"], "weights must be numbers"),
        ([[1.0], [1.0], [1.0]], "weights must be one-dimensional"),
    ],
)
def test_weights_of_the_wrong_kind(weights, message):
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs(GOOD, OTHER, LABELS, weights=weights)


def test_integer_weights_and_some_zeros_are_valid():
    weights = PreferencePairs(GOOD, OTHER, LABELS, weights=[2, 0, 1]).weights
    assert weights.dtype == np.float64


@pytest.mark.parametrize("name", ["groups", "link_groups", "units"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2], "has 2 entries for 3 rows"),
        (["a", None, "b"], r"is missing in 1 row\(s\), first in row 1"),
        ([1.0, np.nan, 2.0], r"is missing in 1 row\(s\), first in row 1"),
        (pd.array([1, pd.NA, 2]), r"is missing in 1 row\(s\), first in row 1"),
        (np.ones((3, 1)), "must be one-dimensional"),
    ],
)
def test_ids_of_the_wrong_kind(name, values, message):
    with pytest.raises(InvalidDataError, match=rf"{name} {message}"):
        PreferencePairs(GOOD, OTHER, LABELS, **{name: values})


def test_units_of_any_kind_become_integers():
    pairs = PreferencePairs(GOOD, OTHER, LABELS, units=["b", "a", "b"])
    np.testing.assert_array_equal(pairs.units, [1, 0, 1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a"], "feature_names holds duplicates: a"),
        (["a"], "feature_names has 1 names for 2 features"),
        ("ab", r"not one string: write \['ab'\]"),
    ],
)
def test_feature_names_of_the_wrong_kind(names, message):
    with pytest.raises(InvalidDataError, match=message):
        PreferencePairs(GOOD, OTHER, LABELS, feature_names=names)


def test_duplicate_columns_of_a_data_frame():
    frame = pd.DataFrame(GOOD, columns=["a", "a"])
    with pytest.raises(InvalidDataError, match="feature_names holds duplicates: a"):
        PreferencePairs(frame, frame, LABELS)


def test_assumptions_are_sentences():
    with pytest.raises(InvalidDataError, match="assumptions must be a sequence of sentences"):
        PreferencePairs(GOOD, OTHER, LABELS, assumptions="A.")


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(int),
        lambda x: x.astype(np.uint8),
        lambda x: x.astype(np.float16),
        lambda x: x.astype(np.longdouble),
        lambda x: x.astype(object),
        lambda x: np.asfortranarray(x),
        lambda x: np.array([[Decimal(int(v)) for v in row] for row in x]),
        lambda x: x.tolist(),
        lambda x: np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2],
        lambda x: pd.DataFrame(x).astype("Int64"),
        lambda x: pd.DataFrame(x).astype("category"),
    ],
)
def test_numbers_of_every_kind_become_float64(convert):
    pairs = PreferencePairs(convert(GOOD), convert(OTHER), LABELS)
    assert pairs.dtype == np.float64
    np.testing.assert_array_equal(pairs.differences, OTHER - GOOD)


def test_booleans_become_zero_and_one():
    truth = np.array([[True, False]])
    np.testing.assert_array_equal(PreferencePairs(truth, ~truth, [1]).differences, [[-1.0, 1.0]])


def test_read_only_arrays_are_accepted():
    frozen = GOOD.copy()
    frozen.flags.writeable = False
    assert PreferencePairs(frozen, frozen, LABELS).n_self_comparisons == 3


@pytest.mark.parametrize("wrap", [np.asarray, sp.csr_matrix, lambda x: pd.DataFrame(x)])
def test_float32_is_kept_if_both_options_are(wrap):
    single, other = GOOD.astype(np.float32), OTHER.astype(np.float32)
    pairs = PreferencePairs(wrap(single), wrap(other), LABELS)
    assert pairs.dtype == np.float32
    assert pairs.differences.dtype == np.float32


def test_float32_next_to_float64_becomes_float64():
    pairs = PreferencePairs(GOOD.astype(np.float32), OTHER, LABELS)
    assert pairs.features0.dtype == pairs.features1.dtype == np.float64


@pytest.mark.parametrize("wrap", [sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_matrix, sp.dok_array])
def test_every_sparse_format_becomes_csr(wrap):
    pairs = PreferencePairs(wrap(GOOD.astype(int)), wrap(OTHER.astype(int)), LABELS)
    assert isinstance(pairs.features0, sp.csr_array)
    np.testing.assert_array_equal(pairs.differences.toarray(), OTHER - GOOD)
