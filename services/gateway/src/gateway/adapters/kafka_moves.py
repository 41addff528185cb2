"""Telling what the gateway moved; a caller does not wait for a dead broker."""

import asyncio
from collections.abc import Sequence

import structlog

from common.errors import ClearfactsError
from common.invoice.move import Moved
from common.outcomes import MoveAnnouncer

log = structlog.get_logger()

WITHIN_SECONDS = 3.0


class KafkaMoves:
    def __init__(self, announcer: MoveAnnouncer) -> None:
        self._announcer = announcer

    async def announce(self, moved: Sequence[Moved]) -> None:
        """Whatever was not acknowledged is told by the sweep of whoever owns the row: it keeps its timer."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                await self._announcer.announce(moved)
        except (ClearfactsError, TimeoutError) as error:
            log.warning("moves_not_announced", rows=len(moved), error=str(error) or type(error).__name__)
