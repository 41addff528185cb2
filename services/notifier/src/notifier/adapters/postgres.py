"""The rows of `notifications`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.corrections import note_job
from common.db.pool import Database, Row
from notifier.adapters import recording
from notifier.adapters.postgres_alerts import record_alerts
from notifier.adapters.previews import RECORD_PREVIEWS
from notifier.domain.channels import SLACK
from notifier.domain.digests import Told
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Kind

MOST_HELD = 500
"""Of one digest; what is beyond it is in the next, which follows at once."""

_CLAIM = """
UPDATE notifications SET lease_token = $1, attempts = attempts + 1, wake_at = now() + $2::interval
WHERE id = (
    SELECT id FROM notifications
    WHERE channel = ANY($4) AND kind = ANY($3) AND status = 'waiting' AND wake_at <= now()
    ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, lease_token, kind, subject, window_key, attempts, created_at, channel
"""

# A digest is as old as its hour: its row may be made a week before. The attempt was none.
_HOLD = f"""
WITH held AS (
    UPDATE notifications SET wake_at = NULL, lease_token = NULL, held_for = $4, attempts = attempts - 1,
        error = 'held for a digest at ' || $4
    WHERE id = $1 AND lease_token = $2 RETURNING channel
)
INSERT INTO notifications (channel, kind, subject, window_key, wake_at, created_at)
SELECT channel, '{Kind.DIGEST}', $3, $4, $4::text::timestamptz, $4::text::timestamptz FROM held
ON CONFLICT DO NOTHING
"""
_HELD = """
SELECT id, lease_token, kind, subject, window_key, attempts, created_at, channel FROM notifications
WHERE channel = $1 AND held_for = $2 AND status = 'waiting' AND kind = ANY($3) ORDER BY created_at, id LIMIT $4
"""
_MARK_DIGEST = """
WITH told AS (
    UPDATE notifications n SET status = 'sent', sent_at = now(), error = NULL, body = t.body
    FROM unnest($3::uuid[], $4::jsonb[]) AS t(id, body) WHERE n.id = t.id AND n.status = 'waiting'
), dropped AS (
    UPDATE notifications n SET status = 'abandoned', error = t.error
    FROM unnest($5::uuid[], $6::text[]) AS t(id, error) WHERE n.id = t.id AND n.status = 'waiting'
)
UPDATE notifications SET status = CASE WHEN $7::jsonb IS NULL THEN 'abandoned' ELSE 'sent' END, wake_at = NULL,
    lease_token = NULL, body = $7, error = CASE WHEN $7::jsonb IS NULL THEN 'there is nothing to say any more' END,
    sent_at = CASE WHEN $7::jsonb IS NULL THEN NULL ELSE now() END
WHERE id = $1 AND lease_token = $2
"""
_ABANDON = """
WITH over AS (
    UPDATE notifications SET status = 'abandoned', wake_at = NULL, lease_token = NULL, error = $3
    WHERE id = $1 AND lease_token = $2 RETURNING channel, kind, window_key
)
UPDATE notifications n SET status = 'abandoned', error = $3 FROM over
WHERE over.kind = 'digest' AND n.channel = over.channel AND n.held_for = over.window_key AND n.status = 'waiting'
"""


class PostgresNotifications:
    """Rows of `channels`. Those of `owners` are also told of each cause of failures that they own."""

    def __init__(
        self,
        database: Database,
        channels: Sequence[str] = (SLACK,),
        *,
        owners: Sequence[str] = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._database = database
        self._channels = list(channels)
        self._owners = list(owners)
        self._clock = clock

    async def record(self, job_ids: Sequence[UUID]) -> None:
        await self._database.execute(recording.RECORD, self._channels, list(job_ids), self._owners)

    async def record_missing(self, within: timedelta) -> int:
        return await self._made(recording.RECORD_MISSING, within, self._owners)

    async def record_still_open(self, after: timedelta) -> int:
        return await self._made(recording.RECORD_STILL_OPEN, after)

    async def record_morning(self, day: date, since: datetime) -> int:
        return await self._made(recording.RECORD_MORNING, day.isoformat(), since)

    async def record_alerts(self, within: timedelta) -> int:
        return sum([await record_alerts(self._database, within, channel) for channel in self._channels])

    async def record_correction(self, job_id: UUID) -> None:
        async with self._database.connection() as connection:
            await note_job(connection, job_id)

    async def record_corrections(self, within: timedelta) -> int:
        return await self._made(recording.RECORD_CORRECTIONS, within) if self._channels != [SLACK] else 0

    async def record_previews(self, within: timedelta) -> int:
        return await self._made(RECORD_PREVIEWS, within)

    async def record_failures(self, claim: Claim, causes: Sequence[str]) -> None:
        await self._database.execute(recording.RECORD_FAILURES, claim.id, claim.token, list(causes))

    async def record_left_over(self) -> int:
        return await self._made(recording.RECORD_LEFT_OVER)

    async def _made(self, statement: str, *values: object) -> int:
        return int(await self._database.fetchval(statement, self._channels, *values))

    async def claim(self, lease: timedelta) -> Claim | None:
        row = await self._database.fetchrow(_CLAIM, self._clock.new_id(), lease, list(Kind), self._channels)
        return _claim(row) if row else None

    async def mark_sent(self, claim: Claim, message: Message) -> None:
        await self._database.execute(
            """UPDATE notifications SET status = 'sent', sent_at = now(), wake_at = NULL, lease_token = NULL,
                   error = NULL, body = $3 WHERE id = $1 AND lease_token = $2""",
            claim.id, claim.token, asdict(message),
        )  # fmt: skip

    async def mark_digest(self, claim: Claim, told: Told) -> None:
        bodies = [asdict(message) for _, message in told.told]
        await self._database.execute(
            _MARK_DIGEST,
            claim.id,
            claim.token,
            [row for row, _ in told.told],
            bodies,
            [row for row, _ in told.dropped],
            [why for _, why in told.dropped],
            asdict(told.message) if told.message else None,
        )

    async def hold(self, claim: Claim, why: str, until: datetime) -> None:
        await self._database.execute(_HOLD, claim.id, claim.token, why, until.isoformat())

    async def held(self, claim: Claim) -> Sequence[Claim]:
        rows = await self._database.fetch(_HELD, claim.channel, claim.window, list(Kind), MOST_HELD)
        return [_claim(row) for row in rows]

    async def postpone(self, claim: Claim, wait: timedelta, error: str) -> None:
        await self._database.execute(
            """UPDATE notifications SET wake_at = now() + $3::interval, lease_token = NULL, error = $4
               WHERE id = $1 AND lease_token = $2""",
            claim.id, claim.token, wait, error,
        )  # fmt: skip

    async def abandon(self, claim: Claim, error: str) -> None:
        await self._database.execute(_ABANDON, claim.id, claim.token, error)


def _claim(row: Row) -> Claim:
    return Claim(
        row["id"],
        row["lease_token"],
        Kind(row["kind"]),
        row["subject"],
        row["attempts"],
        row["created_at"],
        row["window_key"],
        row["channel"],
    )
