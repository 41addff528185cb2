"""Dry runs of a night to come, read only: nothing here writes what a dry run is."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from notifier.domain.notification import Kind
from notifier.domain.previews import Preview
from notifier.domain.report import Cause

# The schedule's own dry runs are told from those of people by their reason.
RECORD_PREVIEWS = rf"""
WITH made AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT c.channel, '{Kind.PREVIEW}', d.id::text, 'end', now() FROM unnest($1::text[]) AS c(channel), dry_runs d
    WHERE d.created_at > now() - $2::interval AND d.status IN ('completed', 'failed') AND d.expires_at > now()
        AND d.reason ~ '^preview:\d{{4}}-\d{{2}}-\d{{2}}$' AND NOT EXISTS (
            SELECT FROM notifications n WHERE n.channel = c.channel AND n.kind = '{Kind.PREVIEW}'
                AND n.subject = d.id::text AND n.window_key = 'end')
    ORDER BY 1, 3 ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM made
"""

_RUN = """
SELECT id, status, completed_at, error, coalesce(counts, dry_run_counts(id)) AS counts FROM dry_runs
WHERE id = $1 AND expires_at > now()
"""
_CAUSES = """
SELECT outcome AS status, coalesce(reason, 'unknown') AS reason, count(*) AS count,
    CASE WHEN reason = 'invalid' THEN substring(error from '^([A-Z][A-Z0-9_-]{1,39}): ') END AS code
FROM dry_run_items WHERE dry_run_id = $1 AND outcome IN ('would_fail', 'would_wait') GROUP BY 1, 2, 4
"""


async def read_preview(database: Database, run_id: UUID) -> Preview | None:
    run = await database.fetchrow(_RUN, run_id)
    if run is None:
        return None
    counts: Mapping[str, Mapping[str, Any]] = run["counts"]
    found = {outcome: int(counted["invoices"]) for outcome, counted in counts.items()}
    going = counts.get("would_go", {}).get("amounts", {})
    return Preview(
        run_id,
        run["completed_at"],
        _error(run),
        would_go=found.get("would_go", 0),
        would_fail=found.get("would_fail", 0),
        would_wait=found.get("would_wait", 0),
        duplicates=found.get("duplicate", 0),
        known=found.get("known", 0),
        open=found.get("open", 0),
        amounts={currency: Decimal(amount) for currency, amount in going.items()},
        causes=[Cause(**dict(row)) for row in await database.fetch(_CAUSES, run_id)],
    )


def _error(run: Row) -> str | None:
    if run["status"] != "failed":
        return None
    error: Mapping[str, Any] = run["error"] or {}
    return ": ".join(str(error[part]) for part in ("code", "message") if error.get(part)) or "FAILED"
