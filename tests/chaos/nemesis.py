"""The seeded nemesis: breaks a running system in random ways for a while, and remembers when each fault ended."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.chaos.faults import Fault
from tests.chaos.world import World

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 2.5
_SECOND = 0.3
"""How often a second fault begins while the first lasts."""
_WATCHED = 0.75
"""How often the next one waits until an invoice is sent again: a recovery is timed where nothing else is in its way."""
_LONGEST_RECOVERY = 120.0


@dataclass(slots=True)
class Done:
    """`recovered_in`: seconds from its end to the next accepted document, where that was watched."""

    fault: Fault
    recovered_in: float | None = None


@dataclass(slots=True)
class Nemesis:
    """`run` until the time is over. Equal seeds choose equal faults in equal order; the instants are the machine's."""

    world: World
    faults: Sequence[Fault]
    dice: random.Random
    say: Callable[[str], None]
    done: list[Done] = field(default_factory=list[Done])

    async def run(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        calm = True
        while (left := deadline - time.monotonic()) > 0:
            chosen = [self._choose()]
            if self.dice.random() < _SECOND:
                chosen.append(self._choose())
            async with asyncio.TaskGroup() as tasks:
                for fault in chosen:
                    tasks.create_task(self._play(fault, min(left, self.dice.uniform(fault.shortest, fault.longest))))
            watched = self.dice.random() < _WATCHED
            took = await self._recovery() if watched else None
            alone = calm and len(chosen) == 1
            self.done += [Done(fault, took if alone else None) for fault in chosen]
            stood = self.world.accepted()
            await asyncio.sleep(self.dice.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE))
            calm = watched and self.world.accepted() > stood  # what was in flight may end long before the rest goes on

    async def _recovery(self) -> float:
        """Seconds until the destination accepts another document."""
        began, stood = time.monotonic(), self.world.accepted()
        while self.world.accepted() == stood and time.monotonic() - began < _LONGEST_RECOVERY:
            await asyncio.sleep(0.02)
        return round(time.monotonic() - began, 2)

    def counted(self) -> Counter[str]:
        return Counter(done.fault.kind for done in self.done)

    def _choose(self) -> Fault:
        """Every kind alike, whatever the number of its variants."""
        kind = self.dice.choice(sorted({fault.kind for fault in self.faults}))
        return self.dice.choice([fault for fault in self.faults if fault.kind == kind])

    async def _play(self, fault: Fault, seconds: float) -> None:
        self.say(f"{fault.name}{f' for {seconds:.1f} s' if seconds else ''}")
        try:
            with suppress(httpx.HTTPError):
                await fault.begin(self.world, self.dice)
            await asyncio.sleep(seconds)
        finally:
            await fault.end(self.world, self.dice)
