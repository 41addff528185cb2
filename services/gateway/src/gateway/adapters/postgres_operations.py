"""Alerts and counts in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from common.db.alerts import close_alert, open_alert
from common.db.pool import Database, Row
from common.db.readings import standings
from gateway.adapters.conditions import Conditions
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.operations import (
    CLOSED_BY_PEOPLE,
    AlertReading,
    AlertState,
    Closing,
    JobNotification,
    Report,
    StageCount,
)

MOST_FAILED = 10_000

_ALERTS = "SELECT id, kind, subject, severity, details, opened_at, closed_at FROM alerts"
_OPEN = f"{_ALERTS} WHERE kind = $1 AND subject = $2 AND closed_at IS NULL"
_NOTIFICATIONS = """
SELECT id, channel, kind, status, attempts, created_at, sent_at, wake_at AS next_at, error
FROM notifications WHERE subject = $1 ORDER BY created_at, id
"""

_FAILED = """
SELECT count(*) AS count, min(processed_at) AS oldest_at,
    extract(epoch FROM now() - min(processed_at))::bigint AS oldest_seconds
FROM (
    SELECT processed_at FROM invoices WHERE status = 'failed' AND archived_at IS NULL ORDER BY processed_at LIMIT $1
) failed
"""
_VERSIONS = """
SELECT current_setting('server_version') AS postgresql, (SELECT max(version_num) FROM alembic_version) AS schema
"""


class PostgresOperations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def alerts(self, state: AlertState, *, before: UUID | None, limit: int) -> Sequence[AlertReading]:
        where = Conditions()
        if state != "all":
            where.add(f"closed_at IS {'' if state == 'open' else 'NOT '}NULL")
        if before is not None:
            where.add("id < {}", before)
        rows = await self._database.fetch(f"{_ALERTS} {where.sql} ORDER BY id DESC LIMIT {limit:d}", *where.values)
        return [_alert(row) for row in rows]

    async def report(self, report: Report) -> AlertReading:
        async with self._database.transaction() as connection:
            named = (report.kind, report.subject)
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "/".join(named))
            if (known := await connection.fetchrow(_OPEN, *named)) is not None:
                return _alert(known)
            await open_alert(connection, *named, report.severity, report.details)
            row = await connection.fetchrow(_OPEN, *named)
            if row is None:
                raise AssertionError("what was inserted a moment ago is not there")
            await write_audit(
                connection,
                action="alerts.open",
                user_id=report.user.id,
                caller=report.caller,
                resource=("alert", row["id"]),
                details={"kind": report.kind, "subject": report.subject},
            )
        return _alert(row)

    async def notifications(self, job_id: UUID) -> Sequence[JobNotification]:
        rows = await self._database.fetch(_NOTIFICATIONS, str(job_id))
        return [JobNotification(**dict(row)) for row in rows]

    async def close_alert(self, alert_id: UUID, closing: Closing) -> AlertReading:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{_ALERTS} WHERE id = $1 FOR UPDATE", alert_id)
            if row is None:
                raise NotFound("alert", str(alert_id))
            if row["closed_at"] is not None:
                raise NotAllowedNow("It is closed already", {"closed_at": row["closed_at"]})
            if row["kind"] not in CLOSED_BY_PEOPLE:
                raise NotAllowedNow("It closes by itself when its cause is over", {"kind": row["kind"]})
            await close_alert(connection, row["kind"], row["subject"])
            await write_audit(
                connection,
                action="alerts.close",
                user_id=closing.user.id,
                caller=closing.caller,
                resource=("alert", alert_id),
                details={"kind": row["kind"], "subject": row["subject"], "reason": closing.reason},
            )
            closed = await connection.fetchrow(f"{_ALERTS} WHERE id = $1", alert_id)
        return _alert(closed or row)

    async def stages(self) -> Sequence[StageCount]:
        counts = [
            StageCount(one.stage, one.reason, one.count, False, one.oldest_at, one.oldest_seconds)
            for one in await standings(self._database)
        ]
        failed = await self._database.fetchrow(_FAILED, MOST_FAILED)
        if failed and failed["count"]:
            full = failed["count"] == MOST_FAILED
            oldest = (failed["oldest_at"], failed["oldest_seconds"])
            counts.append(StageCount("failed", None, failed["count"], full, *oldest))
        return counts

    async def versions(self) -> Mapping[str, str]:
        row = await self._database.fetchrow(_VERSIONS)
        return dict(row) if row else {}


def _alert(row: Row) -> AlertReading:
    values: dict[str, Any] = dict(row)
    return AlertReading(**values, closed_by_people=row["kind"] in CLOSED_BY_PEOPLE)
