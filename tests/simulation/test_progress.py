"""Remaining time: exact where the cost of fits is known, and in proportion to sample sizes before."""

from __future__ import annotations

import math

import pytest

from semiindex.simulation.cells import Block, Cell
from semiindex.simulation.progress import StudyProgress

SIZES = (250, 4000, 64_000)
CELLS = {n: Cell("t", "d", n) for n in SIZES}


def part(n: int, replications: int, estimators: tuple[str, ...] = ("a", "b")) -> Block:
    return Block(CELLS[n], tuple(range(replications)), estimators)


def test_time_left_is_proportional_to_the_sizes_at_first() -> None:
    progress = StudyProgress([part(n, 10) for n in SIZES], shown=False)
    assert math.isnan(progress.remaining(1.0))
    progress.advance(part(250, 5), 1.0)
    assert progress.remaining(1.0) == pytest.approx(1 + 2 * 16 + 2 * 256)
    # Two workers: half of the time of their seconds.
    assert progress.remaining(0.5) == pytest.approx((1 + 2 * 16 + 2 * 256) / 2)


def test_time_left_is_that_of_the_cells_once_they_are_known() -> None:
    """Fits whose cost is not proportional to n, in any order: at the end of a cell the rest is exact."""
    cost = {250: 0.5, 4000: 1.0, 64_000: 40.0}
    progress = StudyProgress([part(n, 10) for n in SIZES], shown=False)
    elapsed = 0.0
    for n in SIZES:
        progress.advance(part(n, 2), 2 * cost[n])
        elapsed += 2 * cost[n]
    assert progress.remaining(elapsed) == pytest.approx(8 * sum(cost.values()))
    progress.advance(part(64_000, 8), 8 * cost[64_000])
    assert progress.remaining(elapsed + 320) == pytest.approx(8 * 1.5)


def test_another_design_takes_what_the_nearest_size_took() -> None:
    other = Block(Cell("t", "other", 3000), (0, 1), ("a", "b"))
    progress = StudyProgress([part(250, 1), part(4000, 1), other], shown=False)
    progress.advance(part(250, 1), 0.5)
    progress.advance(part(4000, 1), 8.0)
    assert progress.remaining(8.5) == pytest.approx(2 * 8.0 * 3000 / 4000)


def test_crashed_and_partial_blocks_count_by_fits() -> None:
    progress = StudyProgress([part(250, 10), part(250, 4, ("c",))], shown=False)
    progress.advance(part(250, 1))
    assert math.isnan(progress.remaining(1.0))
    progress.advance(part(250, 4, ("c",)), 4.0)
    assert progress.remaining(4.0) == pytest.approx(18.0)


def test_the_bar_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress([part(250, 4)], shown=True) as progress:
        progress.advance(part(250, 2), 1.0)
        progress.advance(part(250, 2), 1.0)
    said = capsys.readouterr().err
    assert "8/8" in said
    assert "about 00:00 left" in said
