"""A consumer that hangs, again and again: how long until another process has done its work."""

import asyncio
import json
import time
from collections.abc import Callable

from tests.chaos.stage import Stage, until_heard

WITHIN = 30.0
_GIVE_UP = 60.0


async def hang(on: Stage, times: int, say: Callable[[str], None]) -> list[float]:
    """Seconds from each hang to the end of the work that it held up; `_GIVE_UP` where nobody took it."""
    mark = on.world.injected / "hung"
    (on.world.injected / "controls.json").write_text(json.dumps({"fetcher": ["hang-once"]}), encoding="utf-8")
    took: list[float] = []
    for number in range(times):
        mark.touch()
        await on.restart("fetcher")
        mark.unlink()
        await on.announce(3)
        while not mark.exists():
            await asyncio.sleep(0.02)
        began = time.monotonic()
        await until_heard(on, _GIVE_UP)
        took.append(round(time.monotonic() - began, 1))
        say(f"hang {number + 1} of {times}: its work was done after {took[-1]} s")
    return took
