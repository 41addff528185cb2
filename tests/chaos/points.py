"""Killing a service at a chosen point of its code, and knowing that it happened."""

import asyncio
import itertools
import json
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.chaos.world import World

QUICK = {
    "CHAOS_MEMBERSHIP": "static",
    "CHAOS_WAKE": "4",
    "SEND_DEADLINE": "1",
    "SEND_LEASE": "1.6",
    "SEND_SETTLE": "2",
    "JOB_LEASE": "1.5",
}
"""A killed consumer gets its partitions back at once, and every timer of a killed service is a matter of seconds."""


@dataclass(frozen=True, order=True, slots=True)
class Point:
    """Where a step of `service` begins (`resume`) or ends (`suspend`): file:line of our frames, innermost last."""

    service: str
    where: str
    phase: str

    def __str__(self) -> str:
        return f"{self.service} {self.phase} {self.where}"


@dataclass(frozen=True, slots=True)
class Strike:
    point: Point
    visit: int

    def __str__(self) -> str:
        return f"{self.point} (visit {self.visit})"


class Marksman:
    """Arms services; `struck` says whether a process has reached its point."""

    def __init__(self, world: World) -> None:
        self._folder = world.injected
        self._serials = itertools.count(1)

    async def arm(self, strike: Strike, number: int = signal.SIGKILL) -> int:
        """From now on the visits are counted; at `strike` the process gets the signal. The number of this shot."""
        point = strike.point
        return await self._tell(
            point.service, {"point": [point.where, point.phase], "visit": strike.visit, "signal": int(number)}
        )

    async def record(self, service: str) -> None:
        """Only count, from now on."""
        await self._tell(service, {"point": None, "visit": 0, "signal": 0})

    def seen(self, service: str) -> Mapping[Point, int]:
        """The points that the service has visited since, and how often."""
        path = self._folder / f"seen-{service}.json"
        points = json.loads(path.read_text(encoding="utf-8"))["points"] if path.exists() else []
        return {Point(service, *point): count for *point, count in points}

    def struck(self, shot: int) -> bool:
        return any(line["serial"] == shot for line in self.trace())

    def trace(self) -> list[dict[str, Any]]:
        """Every strike so far: service, file, line, phase, visit."""
        log = self._folder / "struck.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    async def until_struck(self, shot: int, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not self.struck(shot):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    async def _tell(self, service: str, word: Mapping[str, Any]) -> int:
        serial = next(self._serials)
        path = self._folder / f"arm-{service}.json"
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"serial": serial, **word}), encoding="utf-8")
        partial.replace(path)
        async with asyncio.timeout(20):
            while self._heard(service) != serial:
                await asyncio.sleep(0.02)
        return serial

    def _heard(self, service: str) -> int:
        path = self._folder / f"armed-{service}"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return int(text) if text else 0


Feed: TypeAlias = Callable[[], Awaitable[None]]
"""Puts new documents at the source and asks for a job."""


async def survey(world: World, marksman: Marksman, feed: Feed) -> dict[Point, int]:
    """Every point that a job, another one, a graceful end in its middle and a start visit; and how often each."""
    services = world.system.options.services
    for service in services:
        await marksman.record(service)
    await feed()
    await world.rest(120)
    await asyncio.sleep(0.5)  # what was seen is written down five times a second
    found = _seen(marksman, services)
    await feed()
    before = {service: world.pid(service) for service in services}
    for service in services:
        world.infrastructure.signal(service, signal.SIGTERM)
    for service in services:
        await world.replaced(service, before[service])
    await world.rest(120)
    for point, count in _seen(marksman, services).items():
        found.setdefault(point, count)
    return found


def _seen(marksman: Marksman, services: Sequence[str]) -> dict[Point, int]:
    return {point: count for service in services for point, count in marksman.seen(service).items()}


async def shoot(world: World, marksman: Marksman, strikes: Sequence[Strike], feed: Feed) -> list[bool]:
    """Kill there in the middle of a job; where the job does not pass there, while the service ends and starts.

    Each strike is at another service. Returns which points were reached. The system has come to rest then.
    """
    pids = {strike.point.service: world.pid(strike.point.service) for strike in strikes}
    if len(pids) < len(strikes):
        raise ValueError("one strike for each service at a time")
    shots = [await marksman.arm(strike) for strike in strikes]
    asking = asyncio.ensure_future(feed())
    await asyncio.gather(
        *[_one(world, marksman, service, shot, asking) for service, shot in zip(pids, shots, strict=True)]
    )
    for service, pid in pids.items():
        await world.replaced(service, pid)
    if not await world.rest(90):
        raise AssertionError(f"still open after {', '.join(map(str, strikes))}")
    return [marksman.struck(shot) for shot in shots]


async def _one(world: World, marksman: Marksman, service: str, shot: int, asking: asyncio.Future[None]) -> None:
    if await marksman.until_struck(shot, 1.0):
        return
    await asyncio.wait({asking})  # it may take a while where the gateway is killed
    if not await _struck_or_rest(world, marksman, shot):
        world.infrastructure.signal(service, signal.SIGTERM)
        await marksman.until_struck(shot, 4.0)


async def _struck_or_rest(world: World, marksman: Marksman, shot: int) -> bool:
    while await world.open():
        if await marksman.until_struck(shot, 0.2):
            return True
    return marksman.struck(shot)
