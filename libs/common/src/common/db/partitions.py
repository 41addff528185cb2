"""Next months' partitions, made ahead: a row without one lands in the default partition and stays there."""

import asyncio
from datetime import timedelta

import structlog

from common.db.pool import Database
from common.errors import ClearfactsError

log = structlog.get_logger()

MONTHS_AHEAD = 2
EVERY = timedelta(hours=12)


class Partitions:
    """One service looks after them; doing it twice is the same as once."""

    def __init__(self, database: Database, *, every: timedelta = EVERY) -> None:
        self._database = database
        self._every = every.total_seconds()

    async def run(self) -> None:
        """Make what is missing, now and every `every`, until cancelled."""
        while True:
            try:
                await self._database.execute("SELECT ensure_partitions($1)", MONTHS_AHEAD)
            except ClearfactsError as error:
                log.error("partitions_not_made", error=str(error))  # noqa: TRY400 - the line says it all
            await asyncio.sleep(self._every)
