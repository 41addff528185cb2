"""Ends the process whose consumer stands still, so that its supervisor starts another.

aiokafka may stop consuming without a word (its issues 847, 1037, 1154), a handler may wait for what never comes:
neither is seen by a health check of connections. Judged by what is acknowledged against what is there, nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import ClearfactsError
from common.kafka.gaps import Gaps
from common.kafka.observing import ANSWER_TIMEOUT, Observer
from common.kafka.stillness import Look, Stillness
from common.waits import Waits

log = structlog.get_logger()

LIMIT = 12.0
"""Seconds of no movement. With the session of a vanished member (6 s) and a start, a new one works within 30 s."""

TICK = 1.5
STALLED_EVERY = 5.0

Stalled = Callable[[], Awaitable[str | None]]
"""Why the service's own work stands still at this moment; None while it does not, or while nothing can be said."""


class Watched(Protocol):
    """A subscription as the watchdog needs it."""

    @property
    def group_id(self) -> str: ...

    @property
    def consumer(self) -> Any: ...

    @property
    def waits(self) -> Waits: ...

    @property
    def gaps(self) -> Gaps: ...


class Watchdog:
    """Looks at each subscription every `tick`; calls `end` with the reason once one stood still for `limit` seconds."""

    def __init__(
        self,
        subscriptions: Sequence[Watched],
        observer: Observer,
        end: Callable[[str], None],
        *,
        stalled: Stalled | None = None,
        limit: float = LIMIT,
        tick: float = TICK,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._subscriptions = [(subscription, Stillness()) for subscription in subscriptions]
        self._observer = observer
        self._end = end
        self._stalled = stalled
        self._limit = limit
        self._tick = tick
        self._clock = clock

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_consumers())
                if self._stalled is not None:
                    tasks.create_task(self._watch_work(self._stalled))
        finally:
            await self._observer.close()

    async def _watch_consumers(self) -> None:
        while True:
            late = await self._sleep(self._tick)
            for subscription, stillness in self._subscriptions:
                if subscription.consumer is None:  # not started yet, or stopped already
                    continue
                look = await self._observer.look(subscription.consumer, subscription.group_id, subscription.waits)
                await _tell(subscription.gaps, look)
                seconds = stillness.judge(replace(look, late=look.late or late))
                if seconds >= self._limit:
                    self._end(f"no record was acknowledged for {seconds:.1f} s although there are some: {_where(look)}")

    async def _watch_work(self, stalled: Stalled) -> None:
        """Ends the process when the service says twice in a row that its work stands still."""
        before = None
        while True:
            late = await self._sleep(STALLED_EVERY)
            reason = None if late else await _ask(stalled)
            if reason and before:
                self._end(reason)
            before = reason

    async def _sleep(self, seconds: float) -> bool:
        """Whether it took so much longer that the whole process must have been stopped."""
        began = self._clock.monotonic()
        await asyncio.sleep(seconds)
        return self._clock.monotonic() - began > 3 * seconds


async def _tell(gaps: Gaps, look: Look) -> None:
    for partition, (stood, first) in look.gaps.items():
        await gaps.found(partition, stood, first)
    if not look.gaps:
        await gaps.none()


async def _ask(stalled: Stalled) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            return await stalled()
    except (ClearfactsError, TimeoutError):
        return None


def _where(look: Look) -> str:
    if look.expelled:
        return "the group has no member"
    answers = "" if look.committed is not None else ", the consumer gets no answer"
    return f"{len(look.assigned)} partitions{answers}"
