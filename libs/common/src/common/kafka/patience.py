"""Waiting for infrastructure inside the handler: bounded, in slices, then the batch goes back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import InfrastructureError, RetryableError
from common.waits import declared

log = structlog.get_logger()

LIMIT = timedelta(seconds=120)
_FIRST_SLICE = 0.2
_LONGEST_SLICE = 5.0
_SLACK = 1.0


class Patience:
    """One budget of waiting for one batch: after `limit` the last error is raised."""

    def __init__(self, limit: timedelta = LIMIT, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + limit.total_seconds()

    async def insist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat `step` while it fails for infrastructure. Only for steps that may run twice."""
        pause = _FIRST_SLICE
        while True:
            try:
                return await step()
            except (InfrastructureError, RetryableError) as error:
                if self._clock.monotonic() + pause > self._deadline:
                    raise
                log.warning("waiting_for_infrastructure", seconds=pause, error=str(error))
                with declared(pause + _SLACK):
                    await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_SLICE)
