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

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 2.5
_SECOND = 0.3
"""How often a second fault begins while the first lasts."""


@dataclass(slots=True)
class Done:
    """`ended_at` in seconds since 1970, as in the oracle's log: when it and what was played beside it were over."""

    fault: Fault
    ended_at: float


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
        while (left := deadline - time.monotonic()) > 0:
            chosen = [self._choose()]
            if self.dice.random() < _SECOND:
                chosen.append(self._choose())
            async with asyncio.TaskGroup() as tasks:
                for fault in chosen:
                    tasks.create_task(self._play(fault, min(left, self.dice.uniform(fault.shortest, fault.longest))))
            self.done += [Done(fault, time.time()) for fault in chosen]
            await asyncio.sleep(self.dice.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE))

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
