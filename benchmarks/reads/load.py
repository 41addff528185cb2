"""The two loads, in a process of their own: requests that come by the clock, and as many as are answered.

`python -m benchmarks.reads.load ASKED ANSWERED`: two files of JSON.
"""

import asyncio
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import uvloop
from pydantic import BaseModel, ConfigDict

from benchmarks.procfs import cpu_of, processes_now
from benchmarks.reads.wire import Wire, Wires, get

OK = 200


class Asked(BaseModel):
    """Paths of one name; `share`: how often it comes in fifty requests by the clock."""

    model_config = ConfigDict(frozen=True)

    name: str
    share: int
    paths: Sequence[str]
    bare: Sequence[str]


class Orders(BaseModel):
    """`rate` requests a second for `seconds` by the clock; or, with `slices`, both servers in turns, so many each."""

    model_config = ConfigDict(frozen=True)

    questions: Sequence[Asked]
    token: str
    seed: int
    port: int
    rate: float = 0.0
    seconds: float = 0.0
    bare_port: int = 0
    pids: tuple[int, int] = (0, 0)
    slices: int = 0
    slice_seconds: float = 0.5
    connections: int = 32


class Turn(BaseModel):
    """Of one server: answers, the seconds they took, its CPU seconds."""

    answered: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one answer."""
        return self.cpu * 1000 / self.answered


class Turns(BaseModel):
    model_config = ConfigDict(frozen=True)

    gateway: Turn
    bare: Turn


class Told(BaseModel):
    """Milliseconds from the moment a request was due, by name; statuses that were not 200."""

    model_config = ConfigDict(frozen=True)

    took: dict[str, list[float]] = {}
    turns: dict[str, Turns] = {}
    refused: dict[str, int] = {}


async def by_the_clock(orders: Orders) -> Told:
    """A request that waits for a connection or a slow server has begun to wait when it was due."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    refused: Counter[str] = Counter()
    wires, chance = Wires(orders.port), random.Random(orders.seed)
    deck = [question for question in orders.questions for _ in range(question.share)]
    now = asyncio.get_running_loop().time

    async def ask(question: Asked, due: float, *, counted: bool) -> None:
        async with wires.one() as wire:
            status = await wire.ask(get(chance.choice(question.paths), orders.token))
        if counted:
            took[question.name].append((now() - due) * 1000)
        if status != OK:
            refused[f"{question.name}: {status}"] += 1

    for question in orders.questions:  # connections, plans of statements and caches are no part of it
        for _ in range(3):
            await ask(question, now(), counted=False)
    hand: list[Asked] = []
    began = now() + 0.1
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(orders.rate * orders.seconds)):
            hand = hand or chance.sample(deck, len(deck))
            due = began + number / orders.rate
            await asyncio.sleep(max(0.0, due - now()))
            tasks.create_task(ask(hand.pop(), due, counted=True))
    wires.close()
    return Told(took=took, refused=refused)


async def in_turns(orders: Orders) -> Told:
    """Each question to one server, then to the other, in short slices, so that a machine that drifts flatters none."""
    ports, chance = (orders.port, orders.bare_port), random.Random(orders.seed)
    turns: dict[str, Turns] = {}
    for question in orders.questions:
        sums = [Turn(), Turn()]
        wires = [[await Wire.open(port) for _ in range(orders.connections)] for port in ports]
        requests = [[get(path, orders.token) for path in paths] for paths in (question.paths, question.bare)]
        for turn in range(-2, orders.slices * 2):
            side = (turn + turn // 2) % 2  # one, other, other, one
            before, began = _cpu(orders.pids[side]), time.perf_counter()
            count = await _slice(wires[side], requests[side], orders.slice_seconds, chance)
            if turn >= 0:
                sums[side].answered += count
                sums[side].seconds += time.perf_counter() - began
                sums[side].cpu += _cpu(orders.pids[side]) - before
        for wire in [*wires[0], *wires[1]]:
            wire.close()
        turns[question.name] = Turns(gateway=sums[0], bare=sums[1])
    return Told(turns=turns)


async def _slice(wires: Sequence[Wire], requests: Sequence[bytes], seconds: float, chance: random.Random) -> int:
    until, answered = time.perf_counter() + seconds, 0

    async def keep_asking(wire: Wire) -> None:
        nonlocal answered
        while time.perf_counter() < until:
            status = await wire.ask(chance.choice(requests))
            if status != OK:
                raise RuntimeError(f"answered {status}")
            answered += 1

    async with asyncio.TaskGroup() as tasks:
        for wire in wires:
            tasks.create_task(keep_asking(wire))
    return answered


def _cpu(pid: int) -> float:
    return cpu_of(pid, processes_now())


def main(asked: Path, answered: Path) -> None:
    orders = Orders.model_validate_json(asked.read_text("utf-8"))
    told = uvloop.run(in_turns(orders) if orders.slices else by_the_clock(orders))
    answered.write_text(told.model_dump_json(), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
