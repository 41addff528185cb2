"""What the nemesis may do: each fault begins, lasts, and ends; what it leaves behind is the system's to mend."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any, TypeAlias

from tests.chaos.proxy import Way, Weather
from tests.chaos.world import World

Step: TypeAlias = Callable[[World, random.Random], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is what recovery times are told by. `shortest` and `longest` in seconds between `begin` and `end`."""

    name: str
    kind: str
    begin: Step
    end: Step
    shortest: float = 0.5
    longest: float = 4.0


async def _nothing(world: World, dice: random.Random) -> None:
    """A killed process is started again by its supervisor; reset connections are gone."""


def _signal(name: str, number: int) -> Step:
    async def step(world: World, dice: random.Random) -> None:
        world.infrastructure.signal(name, number)

    return step


def family(pid: int) -> list[int]:
    """The children of a process: each backend of PostgreSQL is a session of its own, which no group signal reaches."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []


async def freeze_database(world: World, dice: random.Random) -> None:
    """The postmaster first, so that it makes no further child, then its children."""
    pid = world.pid("postgres")
    if pid is not None:
        for number in (pid, *family(pid)):
            with suppress(ProcessLookupError):
                os.kill(number, SIGSTOP)


async def thaw_database(world: World, dice: random.Random) -> None:
    """The children first."""
    pid = world.pid("postgres")
    if pid is not None:
        for number in (*family(pid), pid):
            with suppress(ProcessLookupError):
                os.kill(number, SIGCONT)


async def flush_valkey(world: World, dice: random.Random) -> None:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.infrastructure.port("valkey"))
        writer.write(b"FLUSHALL\r\n")
        await reader.readline()
        writer.close()


def _weather(line: str, make: Callable[[random.Random], Weather]) -> Step:
    async def step(world: World, dice: random.Random) -> None:
        world.lines[line].set(make(dice))

    return step


def _act(line: str, verb: str) -> Step:
    async def step(world: World, dice: random.Random) -> None:
        getattr(world.lines[line], verb)()

    return step


def _script(face: str, *rules: Mapping[str, Any]) -> Step:
    async def step(world: World, dice: random.Random) -> None:
        await world.script(face, *rules, latency=world.latency if face == "destination" else 0.0)

    return step


def _processes(services: Sequence[str]) -> list[Fault]:
    return [
        fault
        for name in services
        for fault in (
            Fault(f"kill {name}", "kill service", _signal(name, SIGKILL), _nothing, 0.0, 0.0),
            Fault(f"term {name}", "term service", _signal(name, SIGTERM), _nothing, 0.0, 0.0),
            Fault(f"stop {name}", "stop service", _signal(name, SIGSTOP), _signal(name, SIGCONT), 1.0, 12.0),
        )
    ]


def _parts() -> list[Fault]:
    return [
        Fault("kill kafka", "kill broker", _signal("kafka", SIGKILL), _nothing, 0.0, 0.0),
        Fault("stop kafka", "stop broker", _signal("kafka", SIGSTOP), _signal("kafka", SIGCONT), 1.0, 8.0),
        Fault("kill postgres", "kill database", _signal("postgres", SIGKILL), _nothing, 0.0, 0.0),
        Fault("stop postgres", "stop database", freeze_database, thaw_database, 1.0, 8.0),
        Fault("kill valkey", "kill valkey", _signal("valkey", SIGKILL), _nothing, 0.0, 0.0),
        Fault("flush valkey", "flush valkey", flush_valkey, _nothing, 0.0, 0.0),
    ]


_WEATHERS: Mapping[str, Callable[[random.Random], Weather]] = {
    "latency": lambda dice: Weather(latency=dice.uniform(0.05, 0.8), jitter=0.04),
    "slow": lambda dice: Weather(rate=dice.choice((2_000.0, 20_000.0))),
    "half-open up": lambda dice: Weather(hole=Way.UP),
    "half-open down": lambda dice: Weather(hole=Way.DOWN),
    "refuse": lambda dice: Weather(closed=True),
}


def _line(line: str) -> list[Fault]:
    clear = _act(line, "clear")
    lasting = [
        Fault(f"{name} {line}", f"{name.split()[0]} {line}", _weather(line, make), clear)
        for name, make in _WEATHERS.items()
    ]
    at_once = [
        Fault(f"{verb} {line}", f"{verb} {line}", _act(line, verb), _nothing, 0.0, 0.0) for verb in ("reset", "cut")
    ]
    return [*lasting, *at_once, Fault(f"down {line}", f"down {line}", _act(line, "down"), clear)]


_DESTINATION: Mapping[str, Mapping[str, Any]] = {
    "reset_before": {"share": 0.5},
    "reset_after": {"share": 0.5},
    "hang_before": {"share": 0.3},
    "hang_after": {"share": 0.3},
    "late_accept": {"share": 0.3, "seconds": 2.6},
    "server_error": {"share": 0.5},
    "server_error_after": {"share": 0.5},
    "bad_gateway": {"share": 0.5},
    "garbage": {"share": 0.5},
    "cut": {"share": 0.5},
    "slow": {"share": 0.5, "seconds": 1.0},
    "too_many": {"share": 0.7},
    "unavailable": {"share": 0.7},
    "unauthorized": {"next": 1},
}
_SOURCE = ("server_error", "unavailable", "reset_before", "garbage", "cut", "too_many", "bad_gateway")
_SLACK = ("server_error", "reset_after", "hang_before", "too_many")


def _scripts() -> list[Fault]:
    return [
        *[
            Fault(
                f"destination {effect}",
                "destination lies",
                _script("destination", {"effect": effect, **more}),
                _script("destination"),
            )
            for effect, more in _DESTINATION.items()
        ],
        *[
            Fault(f"source {effect}", "source fails", _script("source", {"effect": effect, "every": 2}),
                  _script("source"), 1.0, 3.0)
            for effect in _SOURCE
        ],
        *[
            Fault(f"slack {effect}", "slack fails", _script("slack", {"effect": effect}), _script("slack"))
            for effect in _SLACK
        ],
    ]  # fmt: skip


def all_faults(services: Sequence[str], lines: Sequence[str]) -> Sequence[Fault]:
    """Everything that the nemesis chooses from, each alike."""
    return [*_processes(services), *_parts(), *(fault for line in lines for fault in _line(line)), *_scripts()]
