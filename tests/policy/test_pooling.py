"""Links of many small classes of raters: shrunk towards the common link as far as the data say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
    infer,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SeparationWarning
from semiindex.link import LogisticLink
from semiindex.policy._pooling import _folds, _Rows, _strata

LEARNERS = [
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy("isotonic"),
    ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=1.0, n_knots=20)),
    OrthogonalPolicy(),
    OrthogonalPolicy("efficient_score"),
    RankingPolicy(),
    KnownLinkPolicy(loss="ipo"),
    KnownLinkPolicy(loss="hinge"),
]
THETA = np.array([1.0, -0.5, 0.5, 0.25]) / np.linalg.norm([1.0, -0.5, 0.5, 0.25])


class Panel:
    """Raters who flip their answers at rates of their own, and new comparisons of the same raters."""

    def __init__(self, rates: np.ndarray, n_each: int, rng: np.random.Generator) -> None:
        self.rates = rates
        self.who = np.repeat(np.arange(rates.size), n_each)
        self.X = rng.normal(size=(self.who.size, 4))
        self.y = (rng.random(self.who.size) < self.truth(self.X, self.who)).astype(int)
        self.new_who = np.repeat(np.arange(rates.size), 20)
        self.new_X = rng.normal(size=(self.new_who.size, 4))

    def truth(self, X: np.ndarray, who: np.ndarray) -> np.ndarray:
        return self.rates[who] + (1 - 2 * self.rates[who]) * expit(3 * X @ THETA)

    def fit(self, estimator, pooling):
        return clone(estimator).set_params(pooling=pooling).fit(self.X, self.y, link_groups=self.who)

    def excess(self, model) -> float:
        """Expected log loss of new comparisons above that of the true probabilities (bounded)."""
        p = np.clip(model.predict_proba(self.new_X, link_groups=self.new_who)[:, 1], 1e-3, 1 - 1e-3)
        q = self.truth(self.new_X, self.new_who)
        return float(np.mean(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))))


def angle(model) -> float:
    return float(np.degrees(np.arccos(min(1.0, model.coef_ @ THETA / np.linalg.norm(model.coef_)))))


def different(seed: int, n_classes: int = 100, n_each: int = 12) -> Panel:
    rng = np.random.default_rng(seed)
    return Panel(rng.choice([0.02, 0.1, 0.4], n_classes), n_each, rng)


def alike(seed: int, n_classes: int = 100, n_each: int = 12) -> Panel:
    return Panel(np.full(n_classes, 0.1), n_each, np.random.default_rng(seed))


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
@pytest.mark.parametrize("antisymmetric", [True, False])
def test_one_class_is_no_class(estimator, antisymmetric: bool) -> None:
    if not antisymmetric and isinstance(estimator, KnownLinkPolicy):
        pytest.skip("a loss of the signed index")
    panel = alike(0, n_classes=1, n_each=300)
    estimator = clone(estimator).set_params(antisymmetric=antisymmetric)
    one, none = panel.fit(estimator, "auto"), clone(estimator).fit(panel.X, panel.y)
    np.testing.assert_allclose(one.coef_, none.coef_, rtol=1e-9)
    np.testing.assert_allclose(
        one.predict_proba(panel.new_X, link_groups=np.zeros(20, dtype=int)),
        none.predict_proba(panel.new_X),
        atol=1e-9,
    )
    assert one.pooling_ == np.inf
    assert none.pooling_ is None


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_infinite_pooling_is_the_common_link(estimator) -> None:
    panel = different(1)
    pooled, plain = panel.fit(estimator, np.inf), clone(estimator).fit(panel.X, panel.y)
    np.testing.assert_allclose(pooled.coef_, plain.coef_, rtol=1e-6)
    np.testing.assert_allclose(
        pooled.predict_proba(panel.new_X, link_groups=panel.new_who),
        plain.predict_proba(panel.new_X),
        atol=1e-6,
    )
    assert pooled.criterion_links_ == "common"


@pytest.mark.parametrize("estimator", LEARNERS[:-1], ids=repr)
def test_large_classes_that_differ_keep_their_own_links(estimator) -> None:
    """The index is that of separate links; the links differ by the weight of the prior at most."""
    rng = np.random.default_rng(2)
    panel = Panel(np.array([0.02, 0.4]), 1000, rng)
    pooled, separate = panel.fit(estimator, "auto"), panel.fit(estimator, None)
    np.testing.assert_array_equal(pooled.coef_, separate.coef_)
    assert pooled.criterion_links_ == "classes"
    share = pooled.pooling_ / (1000 + pooled.pooling_)
    assert share < 0.25
    assert separate.pooling_ is None
    t = np.linspace(-2, 2, 41)
    for k in (0, 1):
        own, link = separate.links_[k].probability(t), pooled.links_[k].probability(t)
        assert np.max(np.abs(link - own)) < share * 0.2  # what is mixed in is near the truth as well
    assert pooled.links_[0].probability([2.0])[0] > pooled.links_[1].probability([2.0])[0] + 0.3


@pytest.mark.parametrize("estimator", LEARNERS[:-1], ids=repr)
def test_small_classes_with_a_common_link_have_it(estimator) -> None:
    """At most a thousandth of log loss is lost."""
    panel = alike(3)
    pooled, common = panel.fit(estimator, "auto"), panel.fit(estimator, np.inf)
    assert panel.excess(pooled) < panel.excess(common) + 1e-3
    assert angle(pooled) < angle(common) + 0.5


@pytest.mark.parametrize("estimator", LEARNERS[:-1], ids=repr)
def test_small_classes_that_differ_gain(estimator) -> None:
    panel = different(4)
    pooled, common = panel.fit(estimator, "auto"), panel.fit(estimator, np.inf)
    assert 2 <= pooled.pooling_ <= 64
    assert pooled.criterion_links_ == "strata"
    assert panel.excess(pooled) < 0.75 * panel.excess(common)
    assert "shrunk towards the common one, which counts as" in pooled.notes_[-1]


def test_pooled_links_are_better_than_either_extreme() -> None:
    """Paired over samples, three standard errors apart."""
    losses = []
    for seed in range(6):
        panel = different(10 + seed, n_classes=60, n_each=20)
        models = [panel.fit(ProfiledLinkPolicy("isotonic"), pooling) for pooling in ("auto", np.inf, None)]
        losses.append([panel.excess(model) for model in models])
    gain = np.array(losses)[:, 1:] - np.array(losses)[:, :1]
    assert (gain.mean(axis=0) > 3 * gain.std(axis=0, ddof=1) / np.sqrt(len(gain))).all()


@pytest.mark.slow
def test_the_index_gains_where_raters_differ() -> None:
    """Half of the raters answer at random: the other half should count for more than they."""
    angles = []
    for seed in range(40):
        panel = Panel(np.tile([0.0, 0.5], 40), 25, np.random.default_rng(30 + seed))
        angles.append([angle(panel.fit(ProfiledLinkPolicy(), pooling)) for pooling in ("auto", np.inf)])
    gain = np.diff(np.log(angles), axis=1)[:, 0]
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(gain.size)


@pytest.mark.parametrize("rates", [[0.1], [0.02, 0.4]], ids=["alike", "different"])
def test_without_antisymmetry_raters_may_lean_to_one_option(rates) -> None:
    rng = np.random.default_rng(6)
    panel = Panel(np.repeat(rates, 80 // len(rates)), 20, rng)
    leaning = panel.who % 2 == 0
    panel.y[leaning & (rng.random(panel.y.size) < 0.4)] = 1  # half of the raters press the right button
    model = panel.fit(ProfiledLinkPolicy(antisymmetric=False), "auto")
    assert np.isfinite(model.pooling_)
    at_zero = np.array([link.probability([0.0])[0] for link in model.links_.values()])
    assert at_zero[::2].mean() > at_zero[1::2].mean() + 0.1


def test_no_label_chooses_its_own_stratum() -> None:
    panel = different(7, n_classes=150)
    t = panel.X @ THETA
    rows = _Rows(t, panel.y.astype(float), np.ones(t.size), panel.who, LogisticLink(), True)
    everything = np.arange(t.size)
    before = _strata(rows, 8.0, everything)
    assert set(before) == {0, 1, 2, 3}
    changed = 0
    for i in range(0, 1800, 150):
        z = rows.z.copy()
        z[i] = 1 - z[i]
        after = _strata(_Rows(t, z, rows.weight, panel.who, LogisticLink(), True), 8.0, everything)
        assert after[i] == before[i]
        changed += int(np.sum(after != before))
    assert changed > 0  # the other rows of the class do move


def test_folds_divide_every_class() -> None:
    panel = alike(8, n_classes=7)
    t = panel.X @ THETA
    fold = _folds(_Rows(t, panel.y.astype(float), np.ones(t.size), panel.who, LogisticLink(), True))
    for k in range(7):
        assert sorted(np.bincount(fold[panel.who == k], minlength=5)) == [2, 2, 2, 3, 3]


def test_separated_data_are_said_once_and_where_fit_was_called() -> None:
    panel = different(9)
    panel.y = (panel.X @ THETA > 0).astype(int)
    for pooling in (4.0, None):
        with pytest.warns(SeparationWarning, match="completely separated") as caught:
            ProfiledLinkPolicy(pooling=pooling).fit(panel.X, panel.y, link_groups=panel.who)
        assert [warning.filename for warning in caught] == [__file__]


def test_prior_weight_may_be_given() -> None:
    panel = different(9)
    models = [panel.fit(ProfiledLinkPolicy(), m) for m in (2.0, 20.0, 2000.0)]
    spread = [np.std([link.probability([1.0])[0] for link in model.links_.values()]) for model in models]
    assert spread == sorted(spread, reverse=True)
    assert [model.pooling_ for model in models] == [2.0, 20.0, 2000.0]


def test_a_known_link_is_not_pooled() -> None:
    panel = different(9)
    model = panel.fit(KnownLinkPolicy(), "auto")
    assert model.pooling_ is None
    assert set(model.links_.values()) == {LogisticLink()}


def test_a_new_rater_has_the_common_link_if_no_class_is_named() -> None:
    panel = different(9)
    model = panel.fit(ProfiledLinkPolicy(), "auto")
    t = panel.new_X @ model.coef_
    np.testing.assert_allclose(model.predict_proba(panel.new_X)[:, 1], model.link_.probability(t), atol=1e-12)
    with pytest.raises(InvalidDataError, match="link_groups contains 999, which did not occur in the fit"):
        model.predict(panel.new_X[:1], link_groups=[999])


def test_standard_errors_of_pooled_fits() -> None:
    panel = different(9)
    plain = ProfiledLinkPolicy().fit(panel.X, panel.y)
    pooled = panel.fit(ProfiledLinkPolicy(), np.inf)
    np.testing.assert_allclose(
        infer(pooled, panel.X, panel.y, link_groups=panel.who).standard_errors,
        infer(plain, panel.X, panel.y).standard_errors,
        rtol=1e-5,
    )
    with pytest.raises(InvalidParameterError, match="strata of raters that were found on the way"):
        infer(panel.fit(ProfiledLinkPolicy(), 8.0), panel.X, panel.y, link_groups=panel.who)


@pytest.mark.parametrize("pooling", ["Auto", -1.0, np.nan, True])
def test_values_without_a_meaning(pooling) -> None:
    panel = alike(0, n_classes=2)
    with pytest.raises(InvalidParameterError, match="pooling must be 'auto', None or a number"):
        panel.fit(ProfiledLinkPolicy(), pooling)


@pytest.mark.slow
def test_three_thousand_raters_take_seconds() -> None:
    panel = different(11, n_classes=3000)
    model = panel.fit(ProfiledLinkPolicy(), "auto")
    assert len(model.links_) == 3000
    assert panel.excess(model) < 0.03
