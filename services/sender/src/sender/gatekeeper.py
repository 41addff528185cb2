"""The gatekeeper: carries between this process's gate and what all replicas share, once a second and when needed.

One replica at a time probes a destination that is left alone: by a read, never by an invoice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import ClearfactsError
from common.observability import metrics
from sender.domain.flow import Change, Standing, begin_probe, chunk, close_after, reopen, trip
from sender.domain.flow.breaker import PROBE_DEADLINE
from sender.gate import Gate
from sender.ports import Probed, Shared

log = structlog.get_logger()

LOOK_EVERY = 1.0
LEASE_EVERY = 0.5
"""Seconds between two leases of tokens at the least: many calls for one statement, also where the bucket is empty."""
_SHORTEST = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """`ceiling`: the most calls at once of one replica; `rate`: calls a second of all, None where it has no bound."""

    ceiling: int
    rate: float | None


class Gatekeeper:
    """`rate`: calls a second that all replicas may make together; None: as many as the destination bears.

    `limits`: what these and the most at once are now, where they may change.
    """

    def __init__(
        self,
        gate: Gate,
        shared: Shared,
        destination: Probed,
        paused: Callable[[], Awaitable[frozenset[str]]],
        *,
        rate: float | None = None,
        limits: Callable[[], Awaitable[Limits]] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._gate = gate
        self._shared = shared
        self._destination = destination
        self._paused = paused
        self._rate = rate
        self._limits = limits
        self._clock = clock
        self._lease_from = float("-inf")

    async def run(self) -> None:
        """Keep the gate until cancelled. Without a database it stands as it stood."""
        while True:
            try:
                pause = await self.look()
            except ClearfactsError as error:
                log.warning("gate_not_kept", error=str(error))
                pause = LOOK_EVERY
            await self._sleep(pause)

    async def look(self) -> float:
        """One round; how many seconds the next may take to come."""
        self._gate.needs_keeper.clear()
        if hold := self._gate.take_untold_hold():
            await self._shared.hold(hold)
        standing = await self._shared.read()
        self._gate.learn(standing, await self._paused())
        await self._regulate()
        if self._gate.tripped:
            await self._change(standing, trip(standing, self._gate.tripped))
            return _SHORTEST
        if standing.open:
            return await self._probe_when_due(standing)
        return await self._lease(self._rate) if self._rate and self._gate.thirsty else LOOK_EVERY

    async def _regulate(self) -> None:
        if self._limits is None:
            return
        limits = await self._limits()
        if (limits.ceiling, limits.rate) != (self._gate.ceiling, self._rate):
            self._rate = limits.rate
            self._gate.regulate(ceiling=limits.ceiling, rate=limits.rate)
            log.warning("limits_changed", most_at_once=limits.ceiling, rate=limits.rate)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._gate.needs_keeper.wait()
        except TimeoutError:
            pass

    async def _lease(self, rate: float) -> float:
        now = self._clock.monotonic()
        if now >= self._lease_from:
            self._lease_from = now + LEASE_EVERY
            self._gate.fill(await self._shared.lease(rate, chunk(rate)))
        return max(_SHORTEST, self._lease_from - now)

    async def _probe_when_due(self, standing: Standing) -> float:
        wait = max(standing.until_probe, standing.held_for).total_seconds()
        if wait > 0 or self._gate.stopped:
            return min(LOOK_EVERY, max(_SHORTEST, wait))
        taken = await self._change(standing, begin_probe(standing))
        if taken is not None:
            await self._probe(taken)
        return _SHORTEST

    async def _probe(self, taken: Standing) -> None:
        why = await self._ask()
        metrics.PROBES.labels("well" if why is None else "unwell").inc()
        log.info("destination_probed", failed_before=taken.level, why=why)
        if why is None:
            await self._change(taken, close_after(taken))
        else:
            await self._change(taken, reopen(taken, why))

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(PROBE_DEADLINE.total_seconds()):
                return await self._destination.probe()
        except TimeoutError:
            return f"a probe had no answer within {PROBE_DEADLINE.total_seconds():g} s"

    async def _change(self, seen: Standing, to: Change) -> Standing | None:
        """Write it for all; None where another replica was first: what it wrote is seen in the next round."""
        standing = await self._shared.change(seen, to)
        if standing is not None:
            self._gate.learn(standing, self._gate.paused)
            if standing.open is not seen.open:
                log.warning("breaker_opened" if standing.open else "breaker_closed", why=to.why, level=to.level)
        return standing
