"""Recalibration of a common link to many classes: logistic regressions with a prior sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from semiindex.exceptions import InvalidParameterError
from semiindex.link import LogisticLink, RecalibratedLink
from semiindex.link.recalibration import fit_recalibrations

PRIOR = np.linspace(-2.0, 2.0, 5)


def sample(seed: int = 0, n_classes: int = 7):
    """Few rows in some classes, labels in [0, 1] and weights as after merging of equal rows."""
    rng = np.random.default_rng(seed)
    classes = np.sort(rng.integers(0, n_classes - 1, 60))  # the last class has no rows
    logit = rng.normal(size=60) * 1.5
    z = np.round(rng.random(60), 1)
    return logit, z, rng.integers(1, 4, 60).astype(float), classes, n_classes


def slow_twin(logit, z, weight, m: float, shifts: bool) -> np.ndarray:
    """The prior sample as rows of the data, and a general minimiser."""
    f = np.concatenate([logit, PRIOR])
    y = np.concatenate([z, expit(PRIOR)])
    w = np.concatenate([weight, np.full(PRIOR.size, m / PRIOR.size)])

    def loss(x):
        eta = x[0] + x[1] * f
        residual = w * (expit(eta) - y)
        return np.sum(w * (np.logaddexp(0, eta) - y * eta)), np.array([residual.sum(), residual @ f])

    bounds = [(None, None) if shifts else (0.0, 0.0), (0.0, None)]
    return minimize(loss, [0.0, 1.0], jac=True, bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-10}).x


@pytest.mark.parametrize("shifts", [False, True])
@pytest.mark.parametrize("m", [0.5, 4.0, 100.0])
@pytest.mark.parametrize("seed", range(3))
def test_every_class_is_a_penalised_logistic_regression(seed: int, m: float, shifts: bool) -> None:
    logit, z, weight, classes, n_classes = sample(seed)
    found = fit_recalibrations(
        logit, z, weight, classes, n_classes, prior_logit=PRIOR, prior_weight=m, shifts=shifts
    )
    for k in range(n_classes):
        rows = classes == k
        expected = slow_twin(logit[rows], z[rows], weight[rows], m, shifts)
        np.testing.assert_allclose([found.intercept[k], found.slope_factor[k]], expected, atol=2e-5)


def test_the_slope_never_falls_below_zero() -> None:
    """A class that answers against the index all the time is flat, at its own rate."""
    logit = np.linspace(-3, 3, 40)
    z = (logit < 0).astype(float)
    for shifts in (False, True):
        found = fit_recalibrations(
            logit,
            z,
            np.ones(40),
            np.zeros(40, dtype=int),
            1,
            prior_logit=PRIOR,
            prior_weight=1.0,
            shifts=shifts,
        )
        assert found.slope_factor[0] == 0.0
        assert found.intercept[0] == pytest.approx(0.0, abs=1e-6)


def test_the_prior_sample_is_the_common_link() -> None:
    """Nothing but the prior: no change; the heavier it is, the closer a class stays."""
    logit, z, weight, classes, n_classes = sample(3)
    distances = []
    for m in (1.0, 10.0, 1e3, 1e6):
        found = fit_recalibrations(
            logit, z, weight, classes, n_classes, prior_logit=PRIOR, prior_weight=m, shifts=True
        )
        assert (found.intercept[-1], found.slope_factor[-1]) == pytest.approx((0.0, 1.0), abs=1e-12)
        distances.append(np.hypot(found.intercept, found.slope_factor - 1)[:-1].mean())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-4


def test_a_start_changes_the_way_and_not_the_end() -> None:
    logit, z, weight, classes, n_classes = sample(5)
    arguments = {"prior_logit": PRIOR, "prior_weight": 2.0, "shifts": True}
    cold = fit_recalibrations(logit, z, weight, classes, n_classes, **arguments)
    near = fit_recalibrations(
        logit, z, weight, classes, n_classes, prior_logit=PRIOR, prior_weight=4.0, shifts=True
    )
    warm = fit_recalibrations(logit, z, weight, classes, n_classes, start=near, **arguments)
    np.testing.assert_allclose(warm.slope_factor, cold.slope_factor, atol=1e-5)
    np.testing.assert_allclose(warm.intercept, cold.intercept, atol=1e-5)


def test_recalibrated_logistic_link_is_a_rescaled_one() -> None:
    t = np.linspace(-4, 4, 17)
    link = RecalibratedLink(LogisticLink(), slope_factor=0.5, intercept=0.3)
    np.testing.assert_allclose(link.probability(t), expit(0.3 + 0.5 * t), rtol=1e-12)
    assert link.half_point == pytest.approx(-0.6)
    assert not link.antisymmetric


def test_a_recalibration_without_slope_is_constant() -> None:
    link = RecalibratedLink(LogisticLink(), slope_factor=0.0, intercept=1.0)
    np.testing.assert_allclose(link.probability([-5.0, 5.0]), expit(1.0))
    np.testing.assert_array_equal(link.index([0.2, 0.9]), [-np.inf, np.inf])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slope_factor": -0.1}, "slope_factor must be finite and >= 0, got -0.1"),
        ({"slope_factor": np.inf}, "slope_factor must be finite"),
        ({"intercept": np.nan}, "intercept must be finite, got nan"),
    ],
)
def test_numbers_out_of_range(arguments, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        RecalibratedLink(LogisticLink(), **arguments)
