"""Questions to a PostgreSQL of their own, filled by SQL, and how long they take."""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from common.clock import SYSTEM_CLOCK
from common.db.migrate import migrate
from common.db.pool import Database, connect
from local.infrastructure import Infrastructure

Fill: TypeAlias = Callable[[Database, int], Awaitable[None]]
Measure: TypeAlias = Callable[[Database, int], Awaitable[dict[str, Any]]]


async def timed(ask: Callable[[int], Awaitable[Any]], repeats: int) -> list[float]:
    """Milliseconds of `repeats`, the first one included; the shortest comes first."""
    took: list[float] = []
    for turn in range(repeats):
        began = time.perf_counter()
        await ask(turn)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def command(description: str | None, fill: Fill, measure: Measure) -> None:
    """`[--rows N] [--json]`: migrate, fill, measure, print."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    found = asyncio.run(_run(given.rows, fill, measure))
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(f"{name:<32} {figures}")


async def _run(rows: int, fill: Fill, measure: Measure) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with Infrastructure(Path(folder), parts=frozenset({"postgres"}), say=lambda _: None) as parts:
            await asyncio.to_thread(migrate, parts.database_url)
            database = await connect(parts.database_url, application="benchmark", connections=2)
            try:
                began = SYSTEM_CLOCK.monotonic()
                await fill(database, rows)
                filled = round(SYSTEM_CLOCK.monotonic() - began, 1)
                return {"filled_s": filled, **await measure(database, rows)}
            finally:
                await database.close()
