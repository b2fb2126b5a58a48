"""Win probabilities of options: the double sum by hand, what cancels, what does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink, Menu, ProfiledLinkPolicy, policy_from_scores
from semiindex.exceptions import InvalidDataError
from semiindex.link import CloglogLink, ProbitLink
from semiindex.policy.win_probability import win_probabilities

LINKS = [LogisticLink(), ProbitLink(), CloglogLink(), LapsedLink(LogisticLink(), lower=0.05, upper=0.2)]


def _menu(rng: np.random.Generator, sizes: list[int]) -> Menu:
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    available = rng.random(offsets[-1]) < 0.8
    available[offsets[:-1]] = True
    return Menu(offsets=offsets, reference_logits=rng.normal(size=offsets[-1]), available=available)


def _by_hand(scores: np.ndarray, menu: Menu, link: LogisticLink) -> np.ndarray:
    wins = np.full(menu.n_options, np.nan)
    for start, end in zip(menu.offsets[:-1], menu.offsets[1:], strict=True):
        for a in range(start, end):
            if menu.reference[a] == 0:
                continue
            total = 0.0
            for b in range(start, end):
                if menu.reference[b] == 0:
                    continue
                t = scores[a] - scores[b]
                shown_second, shown_first = link.probability([t, -t])
                total += menu.reference[b] * (shown_second + 1 - shown_first) / 2
            wins[a] = total
    return wins


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    link=st.sampled_from(LINKS),
)
def test_the_double_sum(seed, sizes, link):
    rng = np.random.default_rng(seed)
    menu = _menu(rng, sizes)
    scores = 3 * rng.normal(size=menu.n_options)
    wins = win_probabilities(scores, menu, link)
    np.testing.assert_allclose(wins, _by_hand(scores, menu, link), rtol=0, atol=1e-13)
    reference = policy_from_scores(scores, menu, temperature=np.inf)
    np.testing.assert_allclose(reference.context_mean(wins), 0.5, rtol=0, atol=1e-13)


def test_menus_larger_than_a_block(rng):
    menu = Menu(offsets=[0, 300, 301, 900])
    scores = rng.normal(size=900)
    wins = win_probabilities(scores, menu, LogisticLink())
    big = scores[301:]
    direct = LogisticLink().probability(big[:, None] - big).mean(axis=1)
    np.testing.assert_allclose(wins[301:], direct, atol=1e-13)
    assert wins[300] == 0.5


def test_the_scale_of_the_index_does_not_matter(rng):
    menu, scores = _menu(rng, [4, 7, 2]), rng.normal(size=13)
    link = LapsedLink(LogisticLink(), lower=0.1, upper=0.1)
    wins = win_probabilities(scores, menu, link)
    np.testing.assert_allclose(win_probabilities(scores / 3, menu, link.rescaled(3.0)), wins, atol=1e-14)
    shifted = scores + np.repeat([5.0, -2.0, 1.0], menu.sizes)
    np.testing.assert_allclose(win_probabilities(shifted, menu, link), wins, atol=1e-13)


def test_normalisations_of_a_fit_agree(rng):
    X = rng.normal(size=(300, 2))
    y = rng.random(300) < LogisticLink().probability(2 * X @ [1.0, -0.5])
    menu = Menu.from_array(rng.normal(size=(20, 5, 2)))
    rates = [
        model.fit(X, y).win_probability(menu)
        for model in (ProfiledLinkPolicy(), ProfiledLinkPolicy(normalization="x1"))
    ]
    np.testing.assert_allclose(rates[1], rates[0], atol=1e-12)


def test_position_averages_out(rng):
    """A preference for one position is no preference for an option."""
    X = rng.normal(size=(300, 2))
    y = rng.random(300) < LogisticLink().probability(2 * X @ [1.0, -0.5] + 1.5)
    model = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    menu = Menu.from_array(rng.normal(size=(20, 5, 2)))
    wins = model.win_probability(menu)
    assert menu.reference.reshape(20, 5)[0] @ wins[:5] == pytest.approx(0.5, abs=1e-13)
    order = np.argsort(model.score_options(menu.features)[:5])
    assert (np.diff(wins[:5][order]) > 0).all()


def test_scores_of_another_menu_are_refused():
    with pytest.raises(InvalidDataError, match="one entry for each of the 3 options"):
        win_probabilities([1.0, 2.0], Menu(offsets=[0, 3]), LogisticLink())
