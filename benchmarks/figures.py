"""What was measured, and what it says: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.procfs import Memory

MOST_OTHERS = 0.10
"""A run in which other processes took more of the machine than this says nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """All loads side by side with one number of calls in flight. Rates are a second, CPU in seconds.

    `cpu`: by part, for `count` invoices. `limits`: the bare loop before and after, and its CPU for one call: how fast
    the machine is now. `others`: the largest share of the
    machine that processes which are not ours took during one of the measurements. `memory`: at the end of the warm-up
    and at the end.
    """

    in_flight: int
    count: int
    per_second: float
    limits: tuple[float, float]
    limit_cpu_ms: float
    sequential: float
    cpu: Mapping[str, float]
    memory: Mapping[str, tuple[Memory, Memory]]
    others: float
    lost: int
    twice: int
    contradictions: tuple[str, ...]

    @property
    def limit(self) -> float:
        return sum(self.limits) / len(self.limits)

    @property
    def ratio_to_limit(self) -> float:
        return self.per_second / self.limit

    @property
    def ratio_to_sequential(self) -> float:
        return self.per_second / self.sequential

    def cpu_ms(self, parts: Sequence[str]) -> dict[str, float]:
        """Of each of `parts`, for one invoice."""
        return {part: self.cpu[part] * 1000 / self.count for part in parts if part in self.cpu}


def is_quiet(runs: Sequence[Run]) -> bool:
    return all(run.others <= MOST_OTHERS for run in runs)


def memory_ratios(runs: Sequence[Run], parts: Sequence[str]) -> dict[str, float]:
    """How much each part has grown after the warm-up: the worst of resident and proportional size of all runs."""
    ratios: dict[str, float] = {}
    for run in runs:
        for part in parts:
            first, last = run.memory[part]
            ratios[part] = max(ratios.get(part, 0.0), last.rss / first.rss, last.pss / first.pss)
    return ratios


def figures(runs: Sequence[Run], *, services: Sequence[str], product: Sequence[str]) -> dict[str, Any]:
    """The last line of `--json`. Single numbers are those of the most calls in flight."""
    most = max(runs, key=lambda run: run.in_flight)
    by_run = {str(run.in_flight): run for run in runs}
    return {
        "ratio_to_sequential": round(most.ratio_to_sequential, 2),
        **{f"ratio_to_limit_{n}": round(run.ratio_to_limit, 3) for n, run in by_run.items()},
        "cpu_ms_per_invoice": round(sum(most.cpu_ms(product).values()), 3),
        "cpu_ms": {n: round(sum(run.cpu_ms(product).values()), 3) for n, run in by_run.items()},
        "cpu_ms_by_part": {n: _rounded(run.cpu_ms(list(run.cpu)), 3) for n, run in by_run.items()},
        "per_second": {n: round(run.per_second, 1) for n, run in by_run.items()},
        "limit_per_second": {n: round(run.limit, 1) for n, run in by_run.items()},
        "limit_before_and_after": {n: [round(rate, 1) for rate in run.limits] for n, run in by_run.items()},
        "limit_cpu_ms": {n: round(run.limit_cpu_ms, 3) for n, run in by_run.items()},
        "sequential_per_second": round(most.sequential, 1),
        "memory_ratio": _rounded(memory_ratios(runs, services), 3),
        "memory_mb": {n: _memory(run, services) for n, run in by_run.items()},
        "others": {n: round(run.others, 3) for n, run in by_run.items()},
        "quiet": is_quiet(runs),
        "lost": sum(run.lost for run in runs),
        "twice": sum(run.twice for run in runs),
        "contradictions": [line for run in runs for line in run.contradictions],
        "count": most.count,
    }


def exit_code(runs: Sequence[Run], *, noisy: bool) -> int:
    """1: something was lost, sent twice or does not add up. 3: the machine was not quiet, and `noisy` not given."""
    if any(run.contradictions for run in runs):
        return 1
    return 0 if noisy or is_quiet(runs) else 3


def _rounded(numbers: Mapping[str, float], digits: int) -> dict[str, float]:
    return {name: round(number, digits) for name, number in numbers.items()}


def _memory(run: Run, parts: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    return {
        part: {
            "rss": [round(memory.rss / 1e6, 1) for memory in run.memory[part]],
            "pss": [round(memory.pss / 1e6, 1) for memory in run.memory[part]],
        }
        for part in parts
    }
