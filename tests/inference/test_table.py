"""The table: what it prints, what it refuses, and that its intervals cover."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from semiindex import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy
from semiindex.exceptions import ConvergenceWarning, InvalidDataError, InvalidParameterError
from semiindex.inference import Bootstrap, infer


def test_text_names_what_it_rests_on(sample) -> None:
    X, y = sample
    frame = pd.DataFrame(X, columns=["price", "quality", "range"])
    result = infer(ProfiledLinkPolicy(normalization="price").fit(frame, y), frame, y, level=0.9)
    text = str(result)
    for part in [
        "ProfiledLinkPolicy: coefficients of the index",
        "std err", "P>|z|", "[0.05", "0.95]",
        "fixed",
        "Normalisation: coefficient of price = +1 (sign estimated).",
        "90% intervals cover: the true coefficients in units of the one that is held fixed",
        "Comparisons:", "Log likelihood:", "AUC:", "Effective n:",
    ]:  # fmt: skip
        assert part in text
    assert max(map(len, text.splitlines())) <= 92
    assert result.summary() == text
    clustered = infer(ProfiledLinkPolicy().fit(X, y), X, y, groups=np.arange(600) // 10)
    assert "P>|t|" in str(clustered)
    assert "t(59)" in str(clustered)


def test_html_is_escaped(sample) -> None:
    X, y = sample
    frame = pd.DataFrame(X, columns=["<b>", "b & c", "d"])
    html = infer(KnownLinkPolicy().fit(frame, y), frame, y)._repr_html_()
    assert "<td>" in html
    assert "&lt;b&gt;" in html
    assert "b &amp; c" in html


def test_frame_and_attributes_agree(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    frame = result.to_frame()
    np.testing.assert_array_equal(frame.standard_error, np.sqrt(np.diag(result.covariance)))
    np.testing.assert_allclose(frame.z, frame.coefficient / frame.standard_error)
    np.testing.assert_allclose(frame.upper - frame.lower, 2 * 1.959964 * frame.standard_error, rtol=1e-6)
    assert list(frame.index) == ["x0", "x1", "x2"]
    assert "Inference(ProfiledLinkPolicy, 3 coefficients, sandwich" in repr(result)


def test_fixed_coefficient_has_no_error(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy(normalization=0).fit(X, y), X, y)
    assert result.fixed.tolist() == [True, False, False]
    assert result.standard_errors[0] == 0
    assert np.isnan([result.z[0], result.p_values[0]]).all()
    np.testing.assert_array_equal(result.intervals[0], [1.0, 1.0])


def test_results_pickle(sample) -> None:
    X, y = sample
    result = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    assert str(pickle.loads(pickle.dumps(result))) == str(result)


def test_model_is_not_changed(sample) -> None:
    X, y = sample
    model = ProfiledLinkPolicy().fit(X, y)
    before = vars(model) | {"coef_": model.coef_.copy(), "link_": model.link_.to_dict()}
    infer(model, pd.DataFrame(X, columns=list("abc")), y, covariance=Bootstrap(3))
    assert vars(model).keys() == before.keys()
    np.testing.assert_array_equal(model.coef_, before["coef_"])
    assert model.link_.to_dict() == before["link_"]


def test_log_likelihood_and_auc(sample) -> None:
    X, y = sample
    model = ProfiledLinkPolicy(antisymmetric=False).fit(X, y)
    result = infer(model, X, y)
    p = model.predict_proba(X)[:, 1]
    assert result.log_likelihood == pytest.approx(np.sum(np.where(y == 1, np.log(p), np.log1p(-p))))
    assert result.auc == pytest.approx(roc_auc_score(y, X @ model.coef_))


def test_chosen_and_rejected_options_have_an_auc(sample) -> None:
    X, y = sample
    chosen = np.where(y[:, None] == 1, X, -X)
    one = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    two = infer(ProfiledLinkPolicy().fit(chosen, np.ones(600, dtype=int)), chosen, np.ones(600, dtype=int))
    assert one.auc == pytest.approx(two.auc)
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-6)


def test_single_precision_data(sample) -> None:
    X, y = sample
    X32 = X.astype(np.float32)
    one = infer(ProfiledLinkPolicy().fit(X, y), X, y)
    two = infer(ProfiledLinkPolicy().fit(X32, y), X32, y)
    np.testing.assert_allclose(one.standard_errors, two.standard_errors, rtol=1e-2)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ProfiledLinkPolicy(ridge=0.1), "penalised fit is biased"),
        (KnownLinkPolicy(ridge=0.1), "penalised fit is biased"),
        (KnownLinkPolicy(loss="hinge"), "no sandwich"),
    ],
    ids=repr,
)
def test_fits_without_standard_errors_are_refused(estimator, message, sample) -> None:
    X, y = sample
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = estimator.fit(X, y)
    with pytest.raises(InvalidParameterError, match=message):
        infer(model, X, y)


def test_only_fitted_estimators_are_taken(sample) -> None:
    X, y = sample
    with pytest.raises(NotFittedError):
        infer(ProfiledLinkPolicy(), X, y)
    with pytest.raises(InvalidParameterError, match="of a pipeline pass the last step"):
        infer(make_pipeline(ProfiledLinkPolicy()).fit(X, y), X, y)
    with pytest.raises(InvalidParameterError, match="got LogisticRegression"):
        infer(LogisticRegression().fit(X, y), X, y)


def test_a_single_feature_is_refused_unless_the_link_has_a_scale(sample) -> None:
    X, y = sample
    X = X[:, :1]
    with pytest.raises(InvalidParameterError, match="has no standard error"):
        infer(ProfiledLinkPolicy().fit(X, y), X, y)
    assert infer(KnownLinkPolicy().fit(X, y), X, y).standard_errors[0] > 0


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@pytest.mark.parametrize("estimator", [KnownLinkPolicy(), ProfiledLinkPolicy()], ids=repr)
@pytest.mark.parametrize("kind", ["complete", "quasi"])
def test_separated_data_are_refused(estimator, kind: str, rng) -> None:
    X = rng.normal(size=(100, 2))
    y = (X @ [1.0, 2.0] > 0).astype(int)
    if kind == "quasi":  # the first feature always wins where it is there
        X[:, 0] = np.where(rng.random(100) < 0.3, np.where(y == 1, 1.0, -1.0), 0.0)
        y[X[:, 0] == 0] = rng.integers(0, 2, np.sum(X[:, 0] == 0))
    model = estimator.fit(X, y)
    with pytest.raises(InvalidDataError, match="separated"):
        infer(model, X, y)


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.IdentificationWarning")
@pytest.mark.parametrize("estimator", [KnownLinkPolicy(), ProfiledLinkPolicy()], ids=repr)
def test_undetermined_coefficients_are_refused_by_name(estimator, sample) -> None:
    X, y = sample
    collinear = np.column_stack([X, X[:, 0] - X[:, 1]])
    with pytest.raises(InvalidDataError, match="'x0', 'x1', 'x3'"):
        infer(estimator.fit(collinear, y), collinear, y)
    still = np.column_stack([X, np.zeros(600)])
    with pytest.raises(InvalidDataError, match="'x3'"):
        infer(estimator.fit(still, y), still, y)


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.IdentificationWarning")
@pytest.mark.parametrize(
    "estimator", [KnownLinkPolicy(antisymmetric=False), ProfiledLinkPolicy(antisymmetric=False)], ids=repr
)
def test_a_constant_beside_a_position_effect_is_refused(estimator, sample) -> None:
    X, y = sample
    X = np.column_stack([X, np.ones(600)])
    with pytest.raises(InvalidDataError, match="hold no information"):
        infer(estimator.fit(X, y), X, y)


@pytest.mark.parametrize(
    "estimator",
    [ProfiledLinkPolicy(), KnownLinkPolicy(antisymmetric=False), OrthogonalPolicy(normalization="norm")],
    ids=repr,
)
def test_other_labels_than_those_of_the_fit_are_refused(estimator, sample) -> None:
    """Those alone differ: weight and spread of the index are the same."""
    X, y = sample
    model = clone(estimator).fit(X, y)
    flipped = y.copy()
    flipped[np.argmax(np.abs(X @ model.coef_))] ^= 1
    for other in (flipped, 1 - y, np.roll(y, 1)):
        with pytest.raises(InvalidDataError, match="y is not what the model was fitted on"):
            infer(model, X, other)
    del model.index_label_moment_  # as in a model that was stored by an older version
    assert np.isfinite(infer(model, X, np.roll(y, 1)).log_likelihood)


def test_labels_are_those_of_the_fit_whichever_option_comes_first(sample) -> None:
    X, y = sample
    infer(ProfiledLinkPolicy().fit(X, y), -X, 1 - y)


def test_other_data_than_those_of_the_fit_are_refused(sample) -> None:
    X, y = sample
    model = ProfiledLinkPolicy().fit(X, y)
    for arguments in ((X[:500], y[:500]), (2 * X, y), (X, y, np.full(600, 2.0))):
        with pytest.raises(InvalidDataError, match="not what the model was fitted on"):
            infer(model, *arguments)
    with pytest.raises(InvalidDataError, match="pass the data of the fit"):
        infer(model, X, np.where(y == 1, "yes", "no"))
    with pytest.raises(InvalidDataError, match="with one common link"):
        infer(model, X, y, link_groups=np.arange(600) % 2)
    grouped = ProfiledLinkPolicy().fit(X, y, link_groups=np.arange(600) % 2)
    with pytest.raises(InvalidDataError, match="with several links"):
        infer(grouped, X, y)
    with pytest.raises(InvalidParameterError, match="level must lie"):
        infer(model, X, y, level=95)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", [ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")], ids=repr)
def test_intervals_cover(estimator, make_sample, theta) -> None:
    """Sample normalisation; four standard errors of 200 runs, and two points for a finite sample."""
    runs, covered = 200, []
    for seed in range(runs):
        X, y = make_sample(1500, seed)
        lower, upper = infer(estimator.fit(X, y), X, y).intervals.T
        target = theta / np.sqrt(np.mean((X @ theta) ** 2))
        covered.append((lower <= target) & (target <= upper))
    allowed = 4 * np.sqrt(0.95 * 0.05 / runs) + 0.02
    assert np.abs(np.mean(covered, axis=0) - 0.95).max() < allowed


def test_intervals_cover_under_a_known_link(theta) -> None:
    runs, covered = 150, []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(400, 3))
        y = (rng.random(400) < expit(X @ theta)).astype(int)
        lower, upper = infer(KnownLinkPolicy().fit(X, y), X, y).intervals.T
        covered.append((lower <= theta) & (theta <= upper))
    allowed = 4 * np.sqrt(0.95 * 0.05 / runs)
    assert np.abs(np.mean(covered, axis=0) - 0.95).max() < allowed


def test_fits_of_the_efficient_score_have_the_same_errors(sample) -> None:
    """The same information, at nearly the same index, whichever way the score was solved."""
    orthogonal = pytest.importorskip("semiindex.policy.orthogonal")
    X, y = sample
    model = orthogonal.OrthogonalPolicy().fit(X, y)
    one, two = infer(model, X, y), infer(ProfiledLinkPolicy().fit(X, y), X, y)
    np.testing.assert_allclose(one.standard_errors, two.standard_errors, rtol=0.1)
