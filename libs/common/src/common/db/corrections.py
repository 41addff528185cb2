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
SELECT DISTINCT 'slack', '{KIND}', j.id::text, w.start::text, w.start + interval '10 minutes 30 seconds'
FROM jobs j CROSS JOIN date_bin('10 minutes', now(), timestamptz '2000-01-01 00:00+00') AS w(start)
WHERE j.id {{jobs}} AND j.status IN ('completed', 'failed')
ORDER BY 3 -- one order for all: else two of these could wait for each other
ON CONFLICT DO NOTHING
"""
_NOTE_ROWS = _NOTE.format(jobs="IN (SELECT job_id FROM invoices WHERE id = ANY($1::uuid[]))")
_NOTE_JOB = _NOTE.format(jobs="= $1")


async def note_corrections(connection: Connection, row_ids: Sequence[UUID]) -> None:
    """These rows leave the bucket in which their job counted them; jobs that still run need no correction."""
    if row_ids:
        await connection.execute(_NOTE_ROWS, list(row_ids))


async def note_job(connection: Connection, job_id: UUID) -> None:
    """More is to be told of this finished job."""
    await connection.execute(_NOTE_JOB, job_id)
