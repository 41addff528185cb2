"""Deliveries in PostgreSQL: collected from what exists, claimed by lease, settled together."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.alerts import open_alert
from common.db.pool import Connection, Database
from common.db.webhooks import COLLECTS, HEALTH, STOPPED, deliver_invoices, deliver_jobs
from common.observability import metrics
from notifier.webhooks.rules import PAUSED_AFTER, PAUSED_FAILURES, Answered, Claim, Endpoint, Mood, Settled

PAGE = 500
NOT_SHOWN_YET = timedelta(seconds=3)
"""How long a transaction that has begun may take to be seen in `pg_stat_activity`: far more than it does."""
LOGGED = 20
"""Attempts that a delivery remembers."""
_FIRST = UUID(int=0)

_BEGIN = f"SELECT min(w.since) FROM {HEALTH} WHERE {COLLECTS}"
# The start of the oldest transaction that may still commit a row; docs/architecture/webhooks.md says why.
_HORIZON = """
SELECT least(clock_timestamp(), min(CASE WHEN query = '<insufficient privilege>'
    THEN clock_timestamp() - interval '1 minute' ELSE xact_start END)) - $1::interval
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query = '<insufficient privilege>'
    OR backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '1 minute')
"""
_MARK = "SELECT mark FROM webhook_reader FOR UPDATE SKIP LOCKED"
_PAGE = """
SELECT id, processed_at FROM invoices WHERE (processed_at, id) > ($1, $2::uuid) ORDER BY processed_at, id LIMIT $3
"""
_ADVANCE = "UPDATE webhook_reader SET mark = greatest(mark, $1)"

_OPEN = f"(w.disabled_at IS NULL AND ({STOPPED}) IS NOT TRUE)"
_DUE = f"""
SELECT w.id, w.url, w.key_id, w.secret_number, w.previous_until, coalesce(h.failures, 0) AS failures, {_OPEN} AS open
FROM {HEALTH} WHERE w.removed_at IS NULL AND EXISTS (
    SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.wake_at <= now()
    AND (d.type = 'webhook.ping' OR ({_OPEN} AND (h.quiet_until <= now()) IS NOT FALSE)))
"""
_CLAIM = """
UPDATE webhook_deliveries SET lease_token = $2, attempts = attempts + 1, wake_at = now() + $3::interval
WHERE id = ANY(ARRAY(
    SELECT id FROM webhook_deliveries
    WHERE endpoint_id = $1 AND wake_at <= now() AND status = 'waiting' AND ($4 OR type = 'webhook.ping')
    ORDER BY wake_at LIMIT $5 FOR UPDATE SKIP LOCKED))
RETURNING id, lease_token, event_id, body, attempts, give_up_at
"""
_SETTLE = f"""
UPDATE webhook_deliveries d SET status = t.status, wake_at = now() + make_interval(secs => t.wait), lease_token = NULL,
    finished_at = CASE WHEN t.status <> 'waiting' THEN now() END,
    log = (SELECT jsonb_agg(e ORDER BY n) FROM (
        SELECT e, n FROM jsonb_array_elements(d.log || t.entry::jsonb) WITH ORDINALITY AS x(e, n)
        ORDER BY n DESC LIMIT {LOGGED}) latest)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::text[]) AS t(id, token, status, wait, entry)
WHERE d.id = t.id AND d.lease_token = t.token
"""
_WELL = """
INSERT INTO webhook_health (endpoint_id, delivered_at, quiet_until) VALUES ($1, now(), now() + $2::interval)
ON CONFLICT (endpoint_id) DO UPDATE SET failures = 0, failing_since = NULL, delivered_at = now(),
    quiet_until = excluded.quiet_until
"""
_FAILING = """
INSERT INTO webhook_health AS h (endpoint_id, failures, failing_since, quiet_until)
VALUES ($1, $3, now(), now() + $2::interval)
ON CONFLICT (endpoint_id) DO UPDATE SET failures = h.failures + excluded.failures,
    failing_since = coalesce(h.failing_since, now()), quiet_until = excluded.quiet_until
"""
_STOP = """
UPDATE webhook_health SET stopped_at = now(), why = CASE WHEN $2 THEN 'gone' ELSE 'failing' END, failures = 0,
    failing_since = NULL, quiet_until = NULL
WHERE endpoint_id = $1 AND ($2 OR (failures >= $3 AND failing_since < now() - $4::interval)) RETURNING why
"""
STOPPED_BECAUSE = {
    "gone": "it answered 410 Gone; nothing is collected for it until it is enabled",
    "failing": "nothing arrived for a day; outcomes are collected and go when it is enabled",
}
_GIVE_UP = """
UPDATE webhook_deliveries SET status = 'failed', wake_at = NULL, lease_token = NULL, finished_at = now()
WHERE id = ANY(ARRAY(SELECT id FROM webhook_deliveries WHERE wake_at < now() - interval '1 minute'
    AND give_up_at < now() - interval '1 hour' LIMIT 5000))
"""
_FORGET = """
DELETE FROM webhook_deliveries WHERE id = ANY(ARRAY(SELECT id FROM webhook_deliveries
    WHERE id < uuidv7_floor(now() - interval '31 days') AND status <> 'waiting' LIMIT 5000))
"""


class PostgresOutcomes:
    def __init__(self, database: Database, *, page: int = PAGE, margin: timedelta = NOT_SHOWN_YET) -> None:
        self._database = database
        self._page = page
        self._margin = margin

    async def collect(self) -> int:
        if (begin := await self._database.fetchval(_BEGIN)) is None:
            return 0
        horizon = await self._database.fetchval(_HORIZON, self._margin)  # before any row is read
        made, place, more = 0, None, True
        while more:
            async with self._database.transaction() as connection:
                if (mark := await connection.fetchval(_MARK)) is None:  # another replica reads
                    return made
                if place is None:
                    place = (max(begin, mark), _FIRST)
                    made += await deliver_jobs(connection, place[0])
                page = await connection.fetch(_PAGE, *place, self._page)
                made += await deliver_invoices(connection, [row["id"] for row in page]) if page else 0
                if more := len(page) == self._page:
                    place = (page[-1]["processed_at"], page[-1]["id"])
                await connection.execute(_ADVANCE, min(horizon, place[0]) if more else horizon)
        return made


class PostgresOutbox:
    def __init__(
        self, database: Database, *, paused_after: timedelta = PAUSED_AFTER, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._database = database
        self._paused_after = paused_after
        self._clock = clock

    async def due(self) -> Sequence[Endpoint]:
        return [Endpoint(**dict(row)) for row in await self._database.fetch(_DUE)]

    async def claim(self, endpoint: Endpoint, most: int, lease: timedelta) -> Sequence[Claim]:
        rows = await self._database.fetch(_CLAIM, endpoint.id, self._clock.new_id(), lease, endpoint.open, most)
        return [Claim(*row.values()) for row in rows]

    async def settle(self, endpoint_id: UUID, results: Sequence[Settled], mood: Mood) -> str | None:
        ordered = sorted(results, key=lambda result: result.claim.id)
        for result in ordered:
            metrics.WEBHOOKS.labels(result.status).inc()
        async with self._database.transaction() as connection:
            await connection.execute(
                _SETTLE,
                [result.claim.id for result in ordered],
                [result.claim.token for result in ordered],
                [result.status for result in ordered],
                [result.wait.total_seconds() if result.wait is not None else None for result in ordered],
                [json.dumps(_entry(result)) for result in ordered],
            )
            return await self._note(connection, endpoint_id, mood)

    async def _note(self, connection: Connection, endpoint_id: UUID, mood: Mood) -> str | None:
        if mood.delivered:
            await connection.execute(_WELL, endpoint_id, mood.quiet)
        else:
            await connection.execute(_FAILING, endpoint_id, mood.quiet, mood.failed)
        if mood.delivered and not mood.gone:
            return None
        why = await connection.fetchval(_STOP, endpoint_id, mood.gone, PAUSED_FAILURES, self._paused_after)
        if why is not None:
            details = {"why": STOPPED_BECAUSE[why]}
            await open_alert(connection, "webhook_stopped", str(endpoint_id), "warning", details)
        return why

    async def tidy(self) -> None:
        await self._database.execute(_GIVE_UP)
        await self._database.execute(_FORGET)


def _entry(result: Settled) -> dict[str, Any]:
    """One attempt as the log shows it."""
    answer = result.answer
    answered = answer if isinstance(answer, Answered) else None
    return {
        "at": result.at.isoformat().replace("+00:00", "Z"),
        "latency_ms": round(answer.latency.total_seconds() * 1000),
        "response_code": answered.status if answered else None,
        "error": result.error,
        "excerpt": answered.text if answered else None,
    }
