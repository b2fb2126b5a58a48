"""The bootstrap: seeds, jobs, alignment, agreement with the sandwich, bands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference import Bootstrap, bootstrap, infer, link_band
from semiindex.inference.bootstrap import percentile_intervals


def test_draws_do_not_depend_on_the_number_of_jobs(make_sample) -> None:
    X, y = make_sample(300)
    model = KnownLinkPolicy().fit(X, y)
    one, two = (infer(model, X, y, covariance=Bootstrap(20, n_jobs=jobs)).draws for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_seed_decides_and_the_first_draws_are_a_beginning(make_sample) -> None:
    X, y = make_sample(300)
    model = KnownLinkPolicy().fit(X, y)
    draws = {
        (n, seed): infer(model, X, y, covariance=Bootstrap(n, random_state=seed)).draws
        for n, seed in [(9, 0), (5, 0), (5, 1)]
    }
    np.testing.assert_array_equal(draws[9, 0][:5], draws[5, 0])
    assert not np.allclose(draws[5, 0], draws[5, 1])


@pytest.mark.parametrize(
    "estimator",
    [
        KnownLinkPolicy(antisymmetric=False),
        ProfiledLinkPolicy(),
        OrthogonalPolicy("efficient_score"),
        RankingPolicy(antisymmetric=False),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::semiindex.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("carried", [False, True])
def test_a_draw_is_a_fit_to_the_resample(estimator, carried: bool, make_sample, monkeypatch) -> None:
    """Data are read once for all draws; every draw is what `fit` makes of its weights."""
    X, y = make_sample(250)
    weight = np.random.default_rng(1).integers(0, 3, 250).astype(float)
    arguments = {"sample_weight": weight}
    if carried:
        X = PreferencePairs(
            X, np.zeros_like(X), y, weights=np.where(y == 1, 1.0, 2.0), groups=np.arange(250) // 3
        )
    model = clone(estimator).set_params(normalization="rms").fit(X, y, **arguments)
    multipliers = []
    monkeypatch.setattr(
        bootstrap,
        "_multiplier",
        lambda *a, of=bootstrap._multiplier: multipliers.append(of(*a)) or multipliers[-1],
    )
    draws = infer(model, X, y, covariance=Bootstrap(3), **arguments).draws
    for draw, multiplier in zip(draws, multipliers, strict=True):
        whole = weight.copy()
        whole[weight > 0] *= multiplier
        refit = clone(model).fit(X, y, sample_weight=whole)
        theta = draw[: refit.coef_.size]
        np.testing.assert_allclose(
            refit.coef_ / np.linalg.norm(refit.coef_), theta / np.linalg.norm(theta), rtol=1e-12
        )


@pytest.mark.parametrize(
    "estimator", [KnownLinkPolicy(), ProfiledLinkPolicy(), ProfiledLinkPolicy("isotonic")], ids=repr
)
def test_spread_of_draws_is_near_the_sandwich(estimator, rng, theta) -> None:
    X = rng.normal(size=(1500, 3))
    y = (rng.random(1500) < 0.15 + 0.7 * expit(3 * X @ theta)).astype(int)
    model = estimator.fit(X, y)
    sandwich = infer(model, X, y)
    refits = infer(model, X, y, covariance=Bootstrap(150))
    # The relative error of a standard deviation from 150 draws is 6%.
    np.testing.assert_allclose(refits.standard_errors, sandwich.standard_errors, rtol=0.25)
    assert refits.estimate.kind == "bootstrap"


def test_clusters_are_resampled_as_wholes(make_sample) -> None:
    """Every answer three times over: only the cluster bootstrap notices."""
    X, y = make_sample(300)
    X, y, groups = np.tile(X, (3, 1)), np.tile(y, 3), np.tile(np.arange(300), 3)
    model = KnownLinkPolicy().fit(X, y)
    naive = infer(model, X, y, covariance=Bootstrap(150))
    clustered = infer(model, X, y, groups=groups, covariance=Bootstrap(150))
    ratio = clustered.standard_errors / naive.standard_errors
    np.testing.assert_allclose(ratio, np.sqrt(3), rtol=0.25)
    assert clustered.estimate.n_clusters == (300,)


@pytest.mark.parametrize("rule", ["rms", "norm", "x0"])
def test_draws_are_under_the_normalisation_of_the_fit(rule: str, make_sample) -> None:
    X, y = make_sample(400)
    result = infer(ProfiledLinkPolicy(normalization=rule).fit(X, y), X, y, covariance=Bootstrap(20))
    size = {
        "rms": np.sqrt(np.mean((X @ result.draws.T) ** 2, axis=0)),  # of the sample, not of the resample
        "norm": np.linalg.norm(result.draws, axis=1),
        "x0": np.abs(result.draws[:, 0]),
    }[rule]
    np.testing.assert_allclose(size, 1)
    assert result.fixed.tolist() == [rule == "x0", False, False]


def test_weighted_observations_are_drawn_as_often_as_they_were_made(make_sample, rng) -> None:
    """The spread under weights is that under repeated rows."""
    X, y = make_sample(300)
    weight = rng.integers(1, 4, size=y.size)
    model = KnownLinkPolicy().fit(X, y, sample_weight=weight)
    weighted = infer(model, X, y, sample_weight=weight, covariance=Bootstrap(200))
    X, y = np.repeat(X, weight, axis=0), np.repeat(y, weight)
    repeated = infer(KnownLinkPolicy().fit(X, y), X, y, covariance=Bootstrap(200, random_state=1))
    np.testing.assert_allclose(weighted.standard_errors, repeated.standard_errors, rtol=0.25)


def test_intervals_from_draws() -> None:
    draws, theta = np.arange(1.0, 101.0)[:, None], np.array([40.0])
    np.testing.assert_allclose(percentile_intervals(theta, draws, 0.9, "percentile"), [[5.95, 95.05]])
    low, high = percentile_intervals(theta, draws, 0.9, "symmetric")[0]
    assert theta - low == pytest.approx(high - theta)
    assert np.mean(np.abs(draws - theta) <= high - theta) == pytest.approx(0.9, abs=0.01)
    assert percentile_intervals(theta, draws, 0.9, "normal") is None


def test_a_losing_normaliser_is_reported(make_sample) -> None:
    X, y = make_sample(200)
    X = np.column_stack([X, np.random.default_rng(1).normal(size=200)])
    model = ProfiledLinkPolicy(normalization="x3").fit(X, y)
    result = infer(model, X, y, covariance=Bootstrap(30))
    assert any("other sign" in note for note in result.notes)


def test_failed_refits_are_reported_and_too_many_refused() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(14, 2))
    y = (X @ [1.0, -1.0] + 0.6 * rng.normal(size=14) > 0).astype(int)
    y[np.argmax(X[:, 0])] = 0
    model = KnownLinkPolicy().fit(X, y)
    try:
        notes = infer(model, X, y, covariance=Bootstrap(60)).notes
        assert any("refits failed and are left out" in note for note in notes)
    except InvalidDataError as error:
        assert "bootstrap refits failed" in str(error)  # noqa: PT017


def test_estimators_without_a_sandwich_have_the_bootstrap(make_sample) -> None:
    X, y = make_sample(300)
    model = KnownLinkPolicy(loss="ipo").fit(X, y)
    with pytest.raises(InvalidParameterError, match="use covariance='bootstrap'"):
        infer(model, X, y)
    assert (infer(model, X, y, covariance=Bootstrap(20)).standard_errors > 0).all()


def test_shift_is_drawn_with_the_coefficients(make_sample) -> None:
    X, y = make_sample(400)
    model = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    result = infer(model, X, y, covariance=Bootstrap(100))
    assert result.draws.shape == (100, 4)
    np.testing.assert_allclose(result.standard_errors, infer(model, X, y).standard_errors, rtol=0.3)


def test_shifts_of_normalised_coefficients_are_divided_with_them(make_sample) -> None:
    X, y = make_sample(1000)
    model = KnownLinkPolicy(antisymmetric=False, normalization="rms").fit(X, y)
    np.testing.assert_allclose(
        infer(model, X, y, covariance=Bootstrap(150)).standard_errors,
        infer(model, X, y).standard_errors,
        rtol=0.25,
    )


def test_band_holds_the_link_and_is_pinned_at_zero(make_sample) -> None:
    X, y = make_sample(2000)
    model = ProfiledLinkPolicy().fit(X, y)
    band = link_band(model, X, y, bootstrap=Bootstrap(60))
    scale = np.sqrt(np.mean((X @ [1.0, -0.6, 0.4]) ** 2))
    true = 0.15 + 0.7 / (1 + np.exp(-3 * scale * band.t))
    assert np.mean((band.lower <= true) & (true <= band.upper)) > 0.7
    np.testing.assert_allclose([band.lower[10], band.probability[10], band.upper[10]], 0.5, atol=1e-12)
    np.testing.assert_allclose(band.lower, 1 - band.upper[::-1], atol=1e-9)
    assert (band.lower <= band.upper).all()
    assert band.to_frame().shape == (21, 3)
    assert "pointwise" in str(band)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ProfiledLinkPolicy("isotonic"), "inconsistent"),
        (ProfiledLinkPolicy(ShapeConstrainedLink(n_knots=20)), "inconsistent"),
        (KnownLinkPolicy(), "nothing to bound"),
    ],
    ids=repr,
)
def test_links_without_a_band_say_why(estimator, message, make_sample) -> None:
    X, y = make_sample(300)
    with pytest.raises(InvalidParameterError, match=message):
        link_band(estimator.fit(X, y), X, y)


def test_bands_of_single_features_and_known_links(make_sample) -> None:
    X, y = make_sample(500)
    one = ProfiledLinkPolicy(antisymmetric=False).fit(X[:, :1], y)
    band = link_band(one, X[:, :1], y, at=[0.0], bootstrap=Bootstrap(20))
    assert band.lower[0] < band.upper[0]
    scaled = KnownLinkPolicy(normalization="rms").fit(X, y)
    assert link_band(scaled, X, y, at=[1.0], bootstrap=Bootstrap(20)).lower[0] > 0.5
    classes = ProfiledLinkPolicy().fit(X, y, link_groups=np.arange(500) % 2)
    with pytest.raises(InvalidParameterError, match="link for every class"):
        link_band(classes, X, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_draws": 1}, "n_draws must be"),
        ({"n_draws": 2.5}, "n_draws"),
        ({"interval": "bca"}, "interval must be"),
    ],
)
def test_bad_settings_are_refused(arguments, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        Bootstrap(**arguments)


def test_pairs_are_resampled_by_comparison(make_sample) -> None:
    X, y = make_sample(200)
    pairs = PreferencePairs(
        np.zeros((400, 3)), np.tile(X, (2, 1)), np.tile(y, 2), units=np.tile(np.arange(200), 2)
    )
    draws = infer(KnownLinkPolicy().fit(pairs), pairs, covariance=Bootstrap(10)).draws
    once = infer(KnownLinkPolicy().fit(X, y), X, y, covariance=Bootstrap(10)).draws
    np.testing.assert_allclose(draws, once, rtol=1e-2)


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.ConvergenceWarning")
def test_refits_know_the_raters_of_an_array(make_sample) -> None:
    """They stay in one fold of the efficient score, as those that pairs carry do."""
    X, y = make_sample(240)
    raters = np.arange(240) // 4
    pairs = PreferencePairs(np.zeros_like(X), X, y, groups=raters)
    estimator = OrthogonalPolicy("efficient_score")
    given = infer(estimator.fit(X, y, groups=raters), X, y, groups=raters, covariance=Bootstrap(4))
    carried = infer(clone(estimator).fit(pairs), pairs, covariance=Bootstrap(4))
    np.testing.assert_allclose(given.draws, carried.draws, rtol=1e-9)
