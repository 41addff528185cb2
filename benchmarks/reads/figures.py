"""What a machine reads of a measurement, and whether the goals were reached."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.reads.load import Turns
from benchmarks.reads.measuring import Found
from benchmarks.reads.questions import BUSY, IDLE, Group, Question

OF_BARE = 0.8
A_SECOND = 1.2
"""Statements of all who watch one job: one reading a second, and what counting them cannot tell from it."""
QUIET = 0.1


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    return {**{name: round(percentile(values, share), 1) for name, share in shares.items()}, "count": len(values)}


def by_group(took: Mapping[str, Sequence[float]], asked: Sequence[Question]) -> dict[Group, list[float]]:
    groups = {question.name: question.group for question in asked}
    found: defaultdict[Group, list[float]] = defaultdict(list)
    for name, values in took.items():
        found[groups[name]].extend(values)
    return dict(found)


def of_bare(turns: Turns) -> float:
    """Answers a second, over those of bare FastAPI."""
    return turns.gateway.per_second / turns.bare.per_second


def misses(found: Found) -> list[str]:
    """Each goal that was not reached, as a line."""
    missed = [f"{count} answers were not 200: {what}" for what, count in found.refused.items()]
    for when, took, goals in (("idle", found.idle, IDLE), ("beside a job", found.busy, BUSY)):
        for group, values in by_group(took, found.asked).items():
            if (p99 := percentile(values, 0.99)) > goals[group]:
                missed.append(f"{group}, {when}: 99th percentile {p99:.1f} ms, goal {goals[group]:g}")
    for name, turns in found.turns.items():
        if of_bare(turns) < OF_BARE:
            missed.append(f"{name}: {of_bare(turns):.0%} of bare FastAPI, goal {OF_BARE:.0%}")
    watched = found.watched
    if watched is not None and watched.statements - watched.without > A_SECOND:
        missed.append(
            f"{watched.browsers} browsers cost {watched.statements - watched.without:.2f} statements a second"
        )
    return missed


def figures(found: Found) -> dict[str, Any]:
    watched = found.watched
    return {
        "rows": found.plan.rows,
        "seed": found.plan.seed,
        "seconds": found.plan.seconds,
        "filled_s": found.filled,
        "idle_ms": {name: spread(values) for name, values in found.idle.items()},
        "busy_ms": {name: spread(values) for name, values in found.busy.items()},
        "idle_by_group_ms": {name: spread(v) for name, v in by_group(found.idle, found.asked).items()},
        "busy_by_group_ms": {name: spread(v) for name, v in by_group(found.busy, found.asked).items()},
        "of_bare": {name: round(of_bare(turns), 3) for name, turns in found.turns.items()},
        "turns": {name: _turns(turns) for name, turns in found.turns.items()},
        "job_per_second": round(found.job, 1),
        "browsers": watched.browsers if watched else 0,
        "statements_per_second": round(watched.statements - watched.without, 2) if watched else None,
        "events": watched.events if watched else 0,
        "others": round(found.others, 3),
        "quiet": found.others <= QUIET,
        "misses": misses(found),
    }


def _turns(turns: Turns) -> dict[str, float]:
    return {
        "gateway_per_second": round(turns.gateway.per_second, 1),
        "bare_per_second": round(turns.bare.per_second, 1),
        "gateway_cpu_ms": round(turns.gateway.cpu_ms, 3),
        "bare_cpu_ms": round(turns.bare.cpu_ms, 3),
    }
