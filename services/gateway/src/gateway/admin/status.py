"""How the whole system is: asked of every part, each within its time, and kept for a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.clock import Clock
from common.configuration import Value
from common.contracts.topics import TOPICS, Group, Topic
from common.errors import InfrastructureError
from gateway.domain.operations import StageCount
from gateway.domain.status import (
    Breaker,
    Dependency,
    GroupLag,
    NightJob,
    Reachability,
    ServiceSign,
    SystemStatus,
    UiConfig,
    sentence,
    state_of,
)
from gateway.domain.switches import Pause

Check = Callable[[], Awaitable[bool]]
Lags = Callable[[], Awaitable[Mapping[tuple[Group, Topic], int]]]

CHECK_TIMEOUT = 2.0
KEPT = 2.0
"""Seconds for which one answer serves all who ask."""


class StatusReadings(Protocol):
    async def services(self) -> Sequence[ServiceSign]: ...

    async def breakers(self) -> Sequence[Breaker]: ...

    async def night_job(self) -> NightJob | None:
        """The newest job that the schedule started."""
        ...

    async def stages(self) -> Sequence[StageCount]: ...

    async def outside(self) -> Sequence[Reachability]: ...

    async def pauses(self) -> Sequence[Pause]: ...


class ReadStatus:
    """`checks`: by name, whether a dependency answers; `lags`: of the consumer groups."""

    def __init__(self, readings: StatusReadings, checks: Mapping[str, Check], lags: Lags, clock: Clock) -> None:
        self._readings = readings
        self._checks = checks
        self._lags = lags
        self._clock = clock
        self._asking = asyncio.Lock()
        self._kept: SystemStatus | None = None
        self._kept_until = float("-inf")

    async def __call__(self) -> SystemStatus:
        async with self._asking:
            if self._kept is None or self._clock.monotonic() >= self._kept_until:
                self._kept = await self._ask()
                self._kept_until = self._clock.monotonic() + KEPT
            return self._kept

    async def _ask(self) -> SystemStatus:
        dependencies, lag = await asyncio.gather(
            asyncio.gather(*(self._dependency(name, check) for name, check in self._checks.items())), self._lag()
        )
        services, breakers = await self._readings.services(), await self._readings.breakers()
        return SystemStatus(
            state=state_of(dependencies, services, breakers),
            checked_at=self._clock.now(),
            last_night=sentence(await self._readings.night_job()),
            dependencies=dependencies,
            services=list(services),
            lag=lag,
            stages=list(await self._readings.stages()),
            breakers=list(breakers),
            paused=list(await self._readings.pauses()),
            outside=list(await self._readings.outside()),
        )

    async def _dependency(self, name: str, check: Check) -> Dependency:
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                answers = await check()
        except (TimeoutError, InfrastructureError):
            answers = False
        return Dependency(name, "up" if answers else "down", round(1000 * (self._clock.monotonic() - began)))

    async def _lag(self) -> list[GroupLag]:
        try:
            found = await self._lags()
        except InfrastructureError:
            found = {}
        read = [(group, topic) for group in Group for topic, spec in TOPICS.items() if group in spec.readers]
        return [GroupLag(group, topic, found.get((group, topic))) for group, topic in read]


@dataclass(frozen=True, slots=True)
class Presented:
    """What this gateway is called, where it runs, and what it allows at most."""

    environment: str
    version: str
    limits: Mapping[str, int]
    name: str = "Clearfacts invoice integration"
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, slots=True)
class ReadUiConfig:
    presented: Presented
    live: Callable[[], Awaitable[Mapping[str, Value]]]

    async def __call__(self, features: Sequence[str]) -> UiConfig:
        notice = (await self.live()).get("ui_notice")
        told = self.presented
        return UiConfig(
            told.name, told.environment, told.version, list(told.languages), list(features), dict(told.limits),
            str(notice) if notice else None,
        )  # fmt: skip
