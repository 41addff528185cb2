"""Reads the meters before and after a piece of work."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.procfs import Memory, busy_now, cpu_of, memory_of, processes_now, tree


@dataclass(frozen=True, slots=True)
class Reading:
    """`ours` and `busy` are CPU seconds: of this harness with all that it started, and of the whole machine."""

    at: float
    cpu: Mapping[str, float]
    ours: float
    busy: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two readings. `others`: the share of all cores that processes which are not ours took."""

    seconds: float
    cpu: Mapping[str, float]
    others: float


def read(pids: Mapping[str, int]) -> Reading:
    """`pids`: the main process of each part."""
    processes = processes_now()
    return Reading(
        at=time.monotonic(),
        cpu={name: cpu_of(pid, processes) for name, pid in pids.items()},
        ours=cpu_of(os.getpid(), processes),
        busy=busy_now(),
    )


def spent(before: Reading, after: Reading, *, cores: int) -> Spent:
    seconds = after.at - before.at
    others = (after.busy - before.busy) - (after.ours - before.ours)
    return Spent(
        seconds=seconds,
        cpu={name: after.cpu[name] - before.cpu[name] for name in after.cpu},
        others=max(0.0, others) / (seconds * cores),
    )


def memory(pids: Mapping[str, int]) -> dict[str, Memory]:
    """Of each part with its worker processes."""
    processes = processes_now()
    return {name: memory_of(tree(pid, processes)) for name, pid in pids.items()}


async def sample_memory(pids: Callable[[], Mapping[str, int]], file: Path) -> None:
    """Write `seconds,part,rss,pss` (bytes) once a second, until cancelled."""
    began = time.monotonic()
    with file.open("w", encoding="ascii") as lines:
        lines.write("seconds,part,rss,pss\n")
        while True:
            for name, found in memory(pids()).items():
                lines.write(f"{time.monotonic() - began:.1f},{name},{found.rss},{found.pss}\n")
            lines.flush()
            await asyncio.sleep(1.0)
