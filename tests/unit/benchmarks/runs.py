"""A run to start from."""

from dataclasses import replace
from typing import Any

from benchmarks.figures import Run
from benchmarks.procfs import Memory

MB = 1_000_000
SERVICES = ("fetcher", "sender")
PRODUCT = (*SERVICES, "postgres")

_USUAL = Run(
    in_flight=64,
    count=20_000,
    per_second=900.0,
    limits=(1100.0, 900.0),
    limit_cpu_ms=0.3,
    sequential=18.0,
    cpu={"fetcher": 4.0, "sender": 10.0, "postgres": 6.0, "bench-source": 1.0},
    memory={
        "fetcher": (Memory(150 * MB, 100 * MB), Memory(165 * MB, 105 * MB)),
        "sender": (Memory(80 * MB, 60 * MB), Memory(80 * MB, 60 * MB)),
        "postgres": (Memory(90 * MB, 30 * MB), Memory(190 * MB, 30 * MB)),
    },
    others=0.02,
    lost=0,
    twice=0,
    contradictions=(),
)


def run(**changes: Any) -> Run:
    return replace(_USUAL, **changes)
