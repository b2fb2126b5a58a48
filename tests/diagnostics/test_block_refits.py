"""Draws that repeat the fit, against draws that really do."""

from __future__ import annotations

import numpy as np
import pytest

from semiindex.diagnostics import Multipliers
from semiindex.diagnostics.block_refits import DensePull, RowPull, pull_of_blocks, worth_refitting
from semiindex.diagnostics.leave_out import inverse_root
from semiindex.diagnostics.score_process import NullModel, score_process
from semiindex.diagnostics.simultaneous_band import _refits, _StandardisedFit
from semiindex.inference.sample import Observations

N_BLOCKS = 7


def linear_null(rng, copies) -> NullModel:
    """A least-squares fit: what is true to first order elsewhere is exact here."""
    n = 60
    codes = np.concatenate([np.arange(N_BLOCKS), rng.integers(0, N_BLOCKS, n - N_BLOCKS)])
    share = rng.uniform(0.5, 1.5, n)
    nuisance, curvature = rng.normal(size=(n, 3)), rng.uniform(0.2, 1.0, n)
    weight = share * copies[codes]
    labels = rng.normal(size=n)
    gram = nuisance.T @ ((weight * curvature)[:, None] * nuisance)
    residual = labels - curvature * (nuisance @ np.linalg.solve(gram, nuisance.T @ (weight * labels)))
    ones = np.ones(n)
    blocks = Observations(codes, share, copies)
    return NullModel(ones, ones, residual, curvature, ones, nuisance, weight, blocks, clustered=True)


def really_drawn(null: NullModel, directions, signs_of_copies) -> np.ndarray:
    """Score of one draw: every copy gets its sign, the model is fitted, and fitted without each of them."""
    rows, copy_of, signs = [], [], []
    for g, signs_of_block in enumerate(signs_of_copies):
        for sign in signs_of_block:
            members = np.flatnonzero(null.blocks.codes == g)
            rows.append(members)
            copy_of.append(np.full(members.size, len(signs)))
            signs.append(sign)
    i, copy = np.concatenate(rows), np.concatenate(copy_of)
    w, h, N, b = null.blocks.share[i], null.curvature[i], null.nuisance[i], directions[i]
    labels = np.array(signs)[copy] * null.residual[i]
    whole = N.T @ ((w * h)[:, None] * N)
    left = b - N @ np.linalg.solve(whole, N.T @ ((w * h)[:, None] * b))
    sums = []
    for c in range(len(signs)):
        rest = copy != c
        gram = N[rest].T @ ((w * h)[rest, None] * N[rest])
        fit = np.linalg.solve(gram, N[rest].T @ (w * labels)[rest])
        residual = labels - h * (N @ fit)
        sums.append((w * residual)[~rest] @ left[~rest])
    return np.sum(sums, axis=0) / np.sqrt(np.sum(np.square(sums), axis=0))


@pytest.mark.parametrize("copies", [np.ones(N_BLOCKS), np.array([1.0, 3, 1, 2, 1, 1, 2])])
def test_a_draw_is_a_fit_to_labels_with_new_signs(copies) -> None:
    rng = np.random.default_rng(3)
    null = linear_null(rng, copies)
    directions = rng.normal(size=(60, 2))
    process = score_process(null, directions)
    assert process.refits is not None
    for _ in range(5):
        drawn = [rng.choice([-1.0, 1.0], size=int(count)) for count in copies]
        signs = np.array([[block.sum() for block in drawn]])
        actual = process.refits.standardised(signs, copies[None, :])
        np.testing.assert_allclose(actual[0], really_drawn(null, directions, drawn), rtol=1e-9)


def test_no_change_of_sign_gives_the_sample_back() -> None:
    rng = np.random.default_rng(4)
    null = linear_null(rng, np.ones(N_BLOCKS))
    process = score_process(null, rng.normal(size=(60, 2)))
    ones = np.ones((1, N_BLOCKS))
    np.testing.assert_allclose(process.refits.standardised(ones, ones)[0], process.values, rtol=1e-9)


def test_the_points_of_mammen_keep_their_squares() -> None:
    drawn = next(Multipliers(99, "mammen").chunks(np.ones(5)))
    np.testing.assert_array_equal(Multipliers(99, "mammen").squares(drawn, np.ones(5)), drawn**2)
    np.testing.assert_array_equal(Multipliers(99).squares(drawn, np.full(5, 2.0)), np.full((99, 5), 2.0))


def blocks_of(n_rows, n_blocks):
    return Observations(np.arange(n_rows) % n_blocks, np.ones(n_rows), np.ones(n_blocks))


def test_many_blocks_are_not_worth_it() -> None:
    assert worth_refitting(blocks_of(300, 100), 24, 20)
    assert not worth_refitting(blocks_of(3000, 1000), 24, 20)
    assert not worth_refitting(blocks_of(3000, 1000), 2000, 500)
    assert worth_refitting(blocks_of(1000, 1000), 24, 20)
    assert not worth_refitting(blocks_of(10_000, 10_000), 24, 20)


def test_blocks_of_one_row_are_blocks_of_several() -> None:
    """A row split into two halves of its weight is the same block."""
    rng = np.random.default_rng(6)
    n, codes = 20, np.random.default_rng(8).permutation(20)
    b, x, h = rng.normal(size=(n, 2)), 0.2 * rng.normal(size=(n, 3)), rng.uniform(size=n)
    frequency = rng.integers(1, 3, n).astype(float)
    whole = pull_of_blocks(b, x, h, Observations(codes, np.ones(n), frequency))
    twice = np.repeat(np.arange(n), 2)
    halves = Observations(codes[twice], np.full(2 * n, 0.5), frequency)
    split = pull_of_blocks(b[twice], x[twice], h[twice], halves)
    assert isinstance(whole, RowPull)
    assert isinstance(split, DensePull)
    np.testing.assert_allclose(whole.total(frequency), split.total(frequency), rtol=1e-9)
    signs, own, delta = rng.choice([-1.0, 1.0], (5, n)), rng.normal(size=(n, 2)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(
        whole.variance(signs, own, delta, frequency), split.variance(signs, own, delta, frequency), rtol=1e-9
    )


def test_a_band_repeats_the_penalised_fit_in_every_draw() -> None:
    rng = np.random.default_rng(7)
    null = linear_null(rng, np.ones(N_BLOCKS))
    N, w, h, codes = null.nuisance, null.weight, null.curvature, null.blocks.codes
    to_logit, penalty = rng.normal(size=(4, 3)), np.diag([0.0, 1.0, 5.0])
    information = N.T @ ((w * h)[:, None] * N) + penalty
    root = inverse_root(information)
    fit = _StandardisedFit(N @ root, to_logit @ root)
    signs = rng.choice([-1.0, 1.0], size=N_BLOCKS)
    labels = signs[codes] * null.residual
    whole = np.linalg.solve(information, N.T @ (w * labels))
    changes = []
    for g in range(N_BLOCKS):
        rest = codes != g
        without = N[rest].T @ ((w * h)[rest, None] * N[rest]) + penalty
        changes.append(to_logit @ (whole - np.linalg.solve(without, N[rest].T @ (w * labels)[rest])))
    expected = to_logit @ whole / np.sqrt(np.sum(np.square(changes), axis=0))
    refits = _refits(fit, null, fit.changes(null))
    np.testing.assert_allclose(
        refits.standardised(signs[None, :], np.ones((1, N_BLOCKS)))[0], expected, rtol=1e-9
    )
