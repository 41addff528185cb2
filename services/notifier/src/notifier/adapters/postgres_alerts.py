"""Alerts: which of them are to be told, and what one is about."""

from datetime import timedelta
from uuid import UUID

from common.db.pool import Database
from notifier.domain.alerts import AT_ONCE, WINDOW, Alert, AlertDigest
from notifier.domain.channels import SLACK
from notifier.domain.notification import Kind

_WINDOW = f"interval '{WINDOW.total_seconds():.0f} seconds'"
_SHOWN = 5
IN_A_DIGEST = "told in a digest"

# Told already: an alert has a row for its opening and, where its end was not in that message, one for its end.
# The first of a kind are told at once, each; one that was told a moment ago and opens again waits; the others of a
# kind are counted in one digest when the window is over. `good` is the tone of a message that says "over".
RECORD_ALERTS = f"""
WITH fresh AS (
    SELECT a.id, a.kind, a.subject, row_number() OVER (PARTITION BY a.kind ORDER BY a.opened_at, a.id) + (
        SELECT count(*) FROM alerts e JOIN notifications n ON n.channel = $2
            AND n.kind = '{Kind.ALERT_OPENED}' AND n.subject = e.id::text AND n.window_key = 'open'
        WHERE e.kind = a.kind AND e.opened_at > now() - {_WINDOW} AND n.error IS DISTINCT FROM '{IN_A_DIGEST}'
    ) AS place
    FROM alerts a
    WHERE (a.closed_at IS NULL OR a.opened_at > now() - $1::interval) AND NOT EXISTS (
        SELECT FROM notifications n WHERE n.channel = $2 AND n.kind = '{Kind.ALERT_OPENED}'
            AND n.subject = a.id::text AND n.window_key = 'open')
),
opened AS (
    INSERT INTO notifications (channel, kind, subject, window_key, status, error, wake_at)
    SELECT $2::text, '{Kind.ALERT_OPENED}', f.id::text, 'open',
        CASE WHEN f.place <= {AT_ONCE} THEN 'waiting' ELSE 'abandoned' END,
        CASE WHEN f.place > {AT_ONCE} THEN '{IN_A_DIGEST}' END,
        CASE WHEN f.place <= {AT_ONCE} THEN greatest(now(), (
            SELECT max(n.sent_at) + {_WINDOW} FROM alerts e JOIN notifications n ON n.channel = $2
                AND n.kind = '{Kind.ALERT_OPENED}' AND n.subject = e.id::text AND n.window_key = 'open'
            WHERE e.kind = f.kind AND e.subject = f.subject AND n.sent_at > now() - {_WINDOW})) END
    FROM fresh f
    ON CONFLICT DO NOTHING RETURNING id
),
digests AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT DISTINCT $2::text, '{Kind.ALERT_DIGEST}', f.kind, w.start::text, w.start + {_WINDOW}
    FROM fresh f CROSS JOIN date_bin({_WINDOW}, now(), timestamptz '2000-01-01 00:00+00') AS w(start)
    WHERE f.place > {AT_ONCE}
    ON CONFLICT DO NOTHING RETURNING id
),
closed AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT $2::text, '{Kind.ALERT_CLOSED}', a.id::text, 'close', now()
    FROM alerts a JOIN notifications n ON n.channel = $2 AND n.kind = '{Kind.ALERT_OPENED}'
        AND n.subject = a.id::text AND n.window_key = 'open'
    WHERE a.closed_at > now() - $1::interval AND n.status = 'sent' AND n.body->>'tone' <> 'good'
        AND NOT EXISTS (
            SELECT FROM notifications c WHERE c.channel = $2 AND c.kind = '{Kind.ALERT_CLOSED}'
                AND c.subject = a.id::text AND c.window_key = 'close')
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT (SELECT count(*) FROM opened) + (SELECT count(*) FROM digests) + (SELECT count(*) FROM closed)
"""

_ALERT = "SELECT id, kind, subject, severity, details, opened_at, closed_at FROM alerts WHERE id = $1"

_DIGEST = f"""
SELECT count(*) AS opened, count(*) FILTER (WHERE a.closed_at IS NULL) AS still_open,
    bool_or(a.severity = 'critical') AS critical,
    (array_agg(a.subject ORDER BY a.opened_at, a.id))[:{_SHOWN}] AS subjects
FROM notifications n JOIN alerts a ON a.id::text = n.subject
WHERE n.channel = $3 AND n.kind = '{Kind.ALERT_OPENED}' AND n.error = '{IN_A_DIGEST}' AND a.kind = $1
    AND n.created_at >= $2::text::timestamptz AND n.created_at < $2::text::timestamptz + {_WINDOW}
"""


class PostgresAlertReports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, alert_id: UUID) -> Alert | None:
        row = await self._database.fetchrow(_ALERT, alert_id)
        return Alert(**dict(row)) if row else None

    async def digest(self, kind: str, window: str, channel: str = SLACK) -> AlertDigest | None:
        row = await self._database.fetchrow(_DIGEST, kind, window, channel)
        if row is None or not row["opened"]:
            return None
        severity = "critical" if row["critical"] else "warning"
        return AlertDigest(kind, severity, row["opened"], row["still_open"], row["subjects"])


async def record_alerts(database: Database, within: timedelta, channel: str) -> int:
    """How many rows of the channel are new."""
    return int(await database.fetchval(RECORD_ALERTS, within, channel))
