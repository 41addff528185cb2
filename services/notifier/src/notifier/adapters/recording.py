"""Which notifications there are to be: statements that make rows, for each channel of `$1`, and never a second time."""

from notifier.domain.channels import SLACK
from notifier.domain.notification import Kind

WINDOW = "end"
"""A job ends once; its corrections are other kinds and windows."""

_CHANNELS = "unnest($1::text[]) AS c(channel)"

# Those who own causes ($3) get a second row, which becomes a message for each of them.
_ENDED = f"""(
    SELECT channel, '{Kind.JOB_FINISHED}' AS kind FROM {_CHANNELS}
    UNION ALL SELECT channel, '{Kind.JOB_CAUSES}' FROM unnest($3::text[]) AS o(channel)
) AS c"""

RECORD = f"""
INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
SELECT c.channel, c.kind, job_id::text, '{WINDOW}', now() FROM unnest($2::uuid[]) AS t(job_id), {_ENDED}
ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""


def _counted(insert: str) -> str:
    """One order for all: else two that record the same could wait for each other."""
    return f"WITH made AS ({insert} ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING RETURNING id) SELECT count(*) FROM made"


RECORD_MISSING = _counted(
    f"""
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT c.channel, c.kind, j.id::text, '{WINDOW}', now() FROM jobs j, {_ENDED}
    WHERE j.status IN ('completed', 'failed') AND j.completed_at > now() - $2::interval AND NOT EXISTS (
        SELECT FROM notifications n WHERE n.channel = c.channel AND n.kind = c.kind
            AND n.subject = j.id::text AND n.window_key = '{WINDOW}')"""
)

# As the closer asks: through the index of open rows.
_OPEN = "EXISTS (SELECT FROM invoices i WHERE i.job_id = j.id AND i.status = 'pending')"

RECORD_STILL_OPEN = _counted(
    f"""
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT c.channel, '{Kind.JOB_STILL_OPEN}', late.id::text, 'late', now() FROM {_CHANNELS}, (
        SELECT j.id FROM jobs j WHERE j.status = 'running' AND j.listed_at < now() - $2::interval AND {_OPEN}) late"""
)

RECORD_MORNING = _counted(
    f"""
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT c.channel, '{Kind.MORNING_REPORT}', 'jobs', $2, now() FROM {_CHANNELS}
    WHERE EXISTS (SELECT FROM jobs j WHERE j.status = 'running' AND j.started_at < $3 AND {_OPEN})"""
)

# Whoever moves an invoice of a finished job makes the row of Slack, in the transaction of the move.
RECORD_CORRECTIONS = _counted(
    f"""
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT c.channel, n.kind, n.subject, n.window_key, greatest(now(), n.window_key::timestamptz + interval '630 s')
    FROM {_CHANNELS}, notifications n
    WHERE c.channel <> '{SLACK}' AND n.channel = '{SLACK}' AND n.kind = '{Kind.JOB_CORRECTED}'
        AND n.created_at > now() - $2::interval AND NOT EXISTS (
            SELECT FROM notifications m WHERE m.channel = c.channel AND m.kind = n.kind AND m.subject = n.subject
                AND m.window_key = n.window_key)"""
)

# One cause is told once a day; `$2` and `$3` are the claim of the job's row, which is over with this.
RECORD_FAILURES = f"""
WITH claimed AS (
    UPDATE notifications SET status = 'sent', sent_at = now(), wake_at = NULL, lease_token = NULL, error = NULL
    WHERE id = $1 AND lease_token = $2 RETURNING channel, subject
)
INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
SELECT k.channel, '{Kind.FAILURES}', cause, k.subject, now() FROM claimed k, unnest($3::text[]) AS t(cause)
WHERE NOT EXISTS (
    SELECT FROM notifications n WHERE n.channel = k.channel AND n.kind = '{Kind.FAILURES}' AND n.subject = cause
        AND n.created_at > now() - interval '20 hours')
ORDER BY 3 ON CONFLICT DO NOTHING
"""

# A row was held for a digest that was on its way already.
RECORD_LEFT_OVER = f"""
WITH again AS (
    UPDATE notifications d SET status = 'waiting', wake_at = now()
    FROM (SELECT DISTINCT channel, held_for FROM notifications
          WHERE held_for IS NOT NULL AND status = 'waiting' AND channel = ANY($1)) h
    WHERE d.channel = h.channel AND d.kind = '{Kind.DIGEST}' AND d.window_key = h.held_for AND d.status <> 'waiting'
    RETURNING d.id
)
SELECT count(*) FROM again
"""
