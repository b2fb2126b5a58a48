"""Time and memory of policies for a budget over many menus, in units of one softmax of the same scores.

Scores are normal, the reference uniform; the budget is a mean divergence of 0.2. `policy_from_scores` finds
the temperature that spends it and the policy at that temperature. Times are the fastest of `--repeats`,
taken in turn with scipy's softmax of the scores as a matrix: seconds on the clock, and seconds of the
processor, from which the ratio is taken, as a machine does other work too. Memory is the peak during the
computation, the result included, in units of the scores.

    python benchmarks/speed/policies.py --contexts 1000000 --options 10 --out docs/tables
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from semiindex import Menu, policy_from_scores

BUDGET = 0.2
DIVERGENCES = ("reverse_kl", "chi_squared", "forward_kl", "hellinger", "js_divergence")


def make_menus(n_contexts: int, n_options: int) -> dict[str, tuple[Menu, np.ndarray]]:
    """Menus of one size, and of sizes from 2 to twice that; scores of their options."""
    rng = np.random.default_rng(0)
    menus = {
        f"{n_options} each": Menu(offsets=np.arange(n_contexts + 1) * n_options),
        f"2 to {2 * n_options - 2}": Menu(
            offsets=np.concatenate([[0], np.cumsum(rng.integers(2, 2 * n_options - 1, n_contexts))])
        ),
    }
    return {name: (menu, rng.standard_normal(menu.n_options)) for name, menu in menus.items()}


def timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of an action on the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_memory(action: Callable[[], Any]) -> int:
    """Largest memory that an action holds, in bytes."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def table(n_contexts: int, n_options: int, repeats: int) -> str:
    """The measurements as a markdown table."""
    lines = [
        f"{n_contexts:,} contexts, budget {BUDGET}",
        "",
        "| options | divergence | seconds | processor seconds | softmax passes | peak memory / scores |",
        "|---|---|---|---|---|---|",
    ]
    menus = make_menus(n_contexts, n_options)
    matrix = next(iter(menus.values()))[1].reshape(n_contexts, n_options)
    units, rows = [], []
    for size, (menu, scores) in menus.items():
        for name in DIVERGENCES if size.endswith("each") else DIVERGENCES[:2]:

            def solve(menu: Menu = menu, scores: np.ndarray = scores, name: str = name) -> None:
                policy_from_scores(scores, menu, budget=BUDGET, divergence=name)

            passes = [(timed(lambda: softmax(matrix, axis=1)), timed(solve)) for _ in range(repeats)]
            units += [one[1] for one, _ in passes]
            wall, cpu = (min(other[k] for _, other in passes) for k in (0, 1))
            memory = peak_memory(solve) / scores.nbytes
            rows.append((size, name, wall, cpu, cpu * matrix.size / scores.size, memory))
    unit = min(units)
    for size, name, wall, cpu, per_score, memory in rows:
        lines.append(f"| {size} | {name} | {wall:.2f} | {cpu:.2f} | {per_score / unit:.1f} | {memory:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contexts", type=int, default=1_000_000)
    parser.add_argument("--options", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for policies.md")
    arguments = parser.parse_args()
    text = table(arguments.contexts, arguments.options, arguments.repeats)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "policies.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
