"""The `reachability` table: whether what is outside answers, asked now and then, long before the night needs it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.db.pool import Database
from common.errors import ClearfactsError

log = structlog.get_logger()

_WRITE = """
INSERT INTO reachability (name, service, ok, why)
SELECT t.name, $1, t.ok, t.why FROM unnest($2::text[], $3::boolean[], $4::text[]) AS t(name, ok, why)
ON CONFLICT (name) DO UPDATE SET service = excluded.service, ok = excluded.ok, why = excluded.why, checked_at = now()
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one question found; `ok` is None where that peer cannot be asked it, `why` says more."""

    name: str
    ok: bool | None
    why: str | None = None


class ReachabilityWatch:
    """Asks every `every`, the first time after that long, and writes down what it found. Replicas overwrite each other.

    `look` must change nothing outside and raises ClearfactsError at most.
    """

    def __init__(
        self, database: Database, service: str, look: Callable[[], Awaitable[Sequence[Reached]]], *, every: timedelta
    ) -> None:
        self._database = database
        self._service = service
        self._look = look
        self._every = every.total_seconds()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.once()
            except ClearfactsError as error:
                log.warning("reachability_not_written", error=str(error))

    async def once(self) -> None:
        found = await self._look()
        names, oks, whys = [one.name for one in found], [one.ok for one in found], [one.why for one in found]
        await self._database.execute(_WRITE, self._service, names, oks, whys)
