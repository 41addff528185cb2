"""Asking for a correction message: an invoice of a finished job goes from one bucket to another.

The notifier tells a job's new numbers once for all that moved in ten minutes: one row of `notifications` for each job
and such a window, written in the transaction of the move.
"""

from collections.abc import Sequence
from uuid import UUID

from common.db.pool import Connection

KIND = "job_corrected"

# Due when its window is over and no transaction that began in it can still be open (`transaction_timeout`).
_NOTE = f"""
INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
SELECT DISTINCT 'slack', '{KIND}', j.id::text, to_char(w.start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
    w.start + interval '10 minutes 30 seconds'
FROM invoices i JOIN jobs j ON j.id = i.job_id
CROSS JOIN date_bin('10 minutes', now(), timestamptz '2000-01-01 00:00+00') AS w(start)
WHERE i.id = ANY($1::uuid[]) AND j.status IN ('completed', 'failed')
ON CONFLICT DO NOTHING
"""


async def note_corrections(connection: Connection, row_ids: Sequence[UUID]) -> None:
    """These rows leave the bucket in which their job counted them; jobs that still run need no correction."""
    if row_ids:
        await connection.execute(_NOTE, list(row_ids))
