"""What only the database and the broker know, as gauges: read every `EVERY` seconds, or more seldom where it costs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from common.amnesia import ALERT as AMNESIA_ALERT
from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.topics import Group, Topic
from common.db.pool import Database, Row
from common.db.readings import standings
from common.db.switches import EVERYTHING, paused
from common.errors import ClearfactsError
from common.invoice.stage import STATUS, Stage, Status
from common.observability import metrics
from common.observability.series import Series

log = structlog.get_logger()

EVERY = 15.0
SHARE = 20
"""A reading never takes more than this part of the time: counting must not be what the database does."""
OTHER = "other"
OPEN = tuple(stage.value for stage in Stage if STATUS[stage] is Status.PENDING)

# The newest of few: jobs by time, alerts and messages by their partial indexes.
_SCHEDULED = """
SELECT
    (SELECT extract(epoch FROM started_at)::float8 FROM jobs
     WHERE job_type = 'scheduled' AND started_at IS NOT NULL ORDER BY created_at DESC LIMIT 1) AS started,
    (SELECT extract(epoch FROM completed_at)::float8 FROM jobs
     WHERE job_type = 'scheduled' AND status = 'completed' AND completed_at IS NOT NULL
     ORDER BY completed_at DESC LIMIT 1) AS completed,
    EXISTS (SELECT FROM alerts WHERE kind = $1 AND closed_at IS NULL) AS amnesia
"""
# A cause begins with its code where it has one; what follows may name anything.
_LETTERS = """
SELECT coalesce(substring(cause from '^([a-z_]{1,40}):'), $1) AS label, count(*)::float8 AS value
FROM (SELECT cause FROM dead_letters WHERE status = 'dead' LIMIT 10000) waiting GROUP BY 1
"""
# Due and not told, or tried in vain: what is to be told later, a digest or after the night, does not wait. A channel is
# called after its recipient, who is nobody's business here.
_NOTIFICATIONS = """
SELECT split_part(channel, ':', 1) AS label,
    max(extract(epoch FROM now() - CASE WHEN tried THEN created_at ELSE wake_at END))::float8 AS value
FROM (SELECT channel, wake_at, created_at, attempts > 0 AND kind <> 'digest' AS tried FROM notifications
      WHERE wake_at IS NOT NULL AND status = 'waiting') AS due
WHERE tried OR wake_at <= now() GROUP BY 1
"""

Lags = Callable[[], Awaitable[Mapping[tuple[Group, Topic], int]]]


class Gauges:
    """Sets them until cancelled; what cannot be read keeps its last value, and the time of the reading says so."""

    def __init__(self, database: Database, lags: Lags, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._lags = lags
        self._clock = clock
        self._open = Series(metrics.OPEN_INVOICES, OPEN)
        self._open_oldest = Series(metrics.OPEN_OLDEST_SECONDS, OPEN)
        self._held = Series(metrics.HELD_INVOICES)
        self._held_oldest = Series(metrics.HELD_OLDEST_SECONDS)
        self._letters = Series(metrics.DEAD_LETTERS_OPEN, (OTHER,))
        self._untold = Series(metrics.NOTIFICATIONS_OLDEST_SECONDS)

    async def run(self) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                await self.read()
            except ClearfactsError as error:
                log.warning("gauges_not_read", error=str(error))
            await asyncio.sleep(max(EVERY, SHARE * (self._clock.monotonic() - began)))

    async def read(self) -> None:
        """One reading of everything. Raises what the database or the broker raises."""
        await self._read_rows()
        off = await paused(self._database, "sender")
        metrics.SENDING_PAUSED.set(EVERYTHING in off)
        metrics.ADMINISTRATIONS_PAUSED.set(len(off - {EVERYTHING}))
        await self._read_night()
        metrics.ROWS_READ_AT.set(self._clock.now().timestamp())
        for (group, topic), records in (await self._lags()).items():
            metrics.LAG_RECORDS.labels(group, topic).set(records)

    async def _read_rows(self) -> None:
        found = await standings(self._database)
        held = [one for one in found if one.stage == Stage.HELD]
        self._held.set({one.reason or "": one.count for one in held})
        self._held_oldest.set({one.reason or "": one.oldest_seconds for one in held})
        counts, ages = dict[str, int](), dict[str, int]()
        for one in found:
            if one.stage != Stage.HELD:
                counts[one.stage] = counts.get(one.stage, 0) + one.count
                ages[one.stage] = max(ages.get(one.stage, 0), one.oldest_seconds)
        self._open.set(counts)
        self._open_oldest.set(ages)
        self._letters.set(_values(await self._database.fetch(_LETTERS, OTHER)))
        self._untold.set(_values(await self._database.fetch(_NOTIFICATIONS)))

    async def _read_night(self) -> None:
        row = await self._database.fetchrow(_SCHEDULED, AMNESIA_ALERT)
        if row is not None:
            metrics.LAST_SCHEDULED_STARTED.set(row["started"] or 0)
            metrics.LAST_SCHEDULED_COMPLETED.set(row["completed"] or 0)
            metrics.AMNESIA.set(row["amnesia"])


def _values(rows: list[Row]) -> dict[str, float]:
    return {row["label"]: row["value"] for row in rows}
