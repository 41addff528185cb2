"""Deliveries to endpoints: one door for the notifier, which makes them, and the gateway, which wants them again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from common.contracts.webhooks import PING
from common.db.pool import Connection
from common.invoice.stage import OUTCOMES

GIVE_UP_AFTER = timedelta(days=3)
"""How long a delivery is tried."""
LOOK_BACK = timedelta(days=30)
"""Outcomes that are older are not delivered any more."""
MOST_AGAIN = 10_000
"""Deliveries that one replay may bring."""

STOPPED = "(h.stopped_at IS NOT NULL AND h.stopped_at > w.enabled_at)"
"""Whether the machine stopped an endpoint, over `webhook_endpoints w LEFT JOIN webhook_health h`."""
COLLECTS = f"""(w.removed_at IS NULL AND w.disabled_at IS NULL
    AND ({STOPPED} AND h.why = 'gone') IS NOT TRUE)"""
"""Whether outcomes are collected for an endpoint; also while it is paused for its failures."""
HEALTH = "webhook_endpoints w LEFT JOIN webhook_health h ON h.endpoint_id = w.id"

_GIVE_UP = f"interval '{GIVE_UP_AFTER.total_seconds():.0f} seconds'"
_LOOK_BACK = f"interval '{LOOK_BACK.total_seconds():.0f} seconds'"
_ENDED = ", ".join(f"'{stage}'" for stage in sorted(OUTCOMES))
_TIME = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""

# The text of a body is made once and kept: a retry sends the same bytes.
_INVOICE_BODY = f"""jsonb_build_object('type', 'invoice.' || v.stage, 'timestamp', to_char(v.at, {_TIME}),
    'data', jsonb_build_object('id', i.id, 'version', v.version, 'invoice_id', i.invoice_id, 'status', v.stage,
        'reason', v.reason, 'job_id', i.job_id, 'administration', i.dossier, 'number', i.number,
        'reference', i.reference, 'duplicate_of', i.duplicate_of,
        'clearfacts_uuid', CASE WHEN v.stage = 'sent' THEN i.clearfacts_response->>'uuid' END))::text"""
_JOB_BODY = f"""jsonb_build_object('type', 'job.' || j.status, 'timestamp', to_char(j.completed_at, {_TIME}),
    'data', jsonb_build_object('job_id', j.id, 'job_type', j.job_type, 'status', j.status,
        'started_at', to_char(j.started_at, {_TIME}), 'completed_at', to_char(j.completed_at, {_TIME}),
        'results', j.results - 'amounts', 'error_code', j.error->>'code'))::text"""

_INTO = """INSERT INTO webhook_deliveries
    (endpoint_id, event_id, type, invoice_id, job_id, body, occurred_at, wake_at, give_up_at)"""
_INVOICE_EVENT = "'evt_' || replace(i.id::text, '-', '') || '_' || v.version"
_JOB_EVENT = "'evt_' || replace(j.id::text, '-', '') || '_' || j.status"

_INVOICES = f"""
{_INTO}
SELECT w.id, {_INVOICE_EVENT}, 'invoice.' || v.stage, i.id, i.job_id, {_INVOICE_BODY}, v.at, now(), now() + {_GIVE_UP}
FROM invoices i
JOIN invoice_events v ON v.invoice_id = i.id AND v.stage IN ({_ENDED})
JOIN {HEALTH} ON 'invoice.' || v.stage = ANY(w.events)
WHERE {{which}} AND v.at > now() - {_LOOK_BACK} AND NOT EXISTS (
    SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.event_id = {_INVOICE_EVENT})
{{order}} ON CONFLICT DO NOTHING RETURNING id
"""
_JOBS = f"""
{_INTO}
SELECT w.id, {_JOB_EVENT}, 'job.' || j.status, NULL, j.id, {_JOB_BODY}, j.completed_at, now(), now() + {_GIVE_UP}
FROM jobs j JOIN {HEALTH} ON 'job.' || j.status = ANY(w.events)
WHERE {{which}} AND j.completed_at > now() - {_LOOK_BACK} AND NOT EXISTS (
    SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.event_id = {_JOB_EVENT})
{{order}} ON CONFLICT DO NOTHING RETURNING id
"""
_NEW_INVOICES = _INVOICES.format(which=f"i.id = ANY($1::uuid[]) AND v.at >= w.since AND {COLLECTS}", order="")
_NEW_JOBS = _JOBS.format(which=f"j.completed_at >= $1 AND j.completed_at >= w.since AND {COLLECTS}", order="")
_WINDOW = "w.id = $1 AND {at} >= $2 AND {at} < $3"
_LATE_INVOICES = _INVOICES.format(
    which=f"{_WINDOW.format(at='i.processed_at')} AND {_WINDOW.format(at='v.at')}", order="ORDER BY v.at LIMIT $4"
)
_LATE_JOBS = _JOBS.format(which=_WINDOW.format(at="j.completed_at"), order="ORDER BY j.completed_at LIMIT $4")

_AGAIN = f"""
UPDATE webhook_deliveries SET status = 'waiting', attempts = 0, wake_at = now(), give_up_at = now() + {_GIVE_UP},
    lease_token = NULL, finished_at = NULL
WHERE id = ANY(ARRAY(
    SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND {{which}} AND status = ANY($2::text[])
    ORDER BY occurred_at FOR UPDATE SKIP LOCKED {{limit}})) RETURNING id
"""
_ONE_AGAIN = _AGAIN.format(which="id = $3", limit="")
_WINDOW_AGAIN = _AGAIN.format(which="occurred_at >= $3 AND occurred_at < $4", limit="LIMIT $5")
_PING = f"""
{_INTO}
SELECT id, 'evt_ping_' || replace($2::uuid::text, '-', ''), '{PING}', NULL, NULL, jsonb_build_object('type', '{PING}',
    'timestamp', to_char(now(), {_TIME}), 'data', jsonb_build_object('endpoint_id', id))::text, now(), now(),
    now() + interval '10 minutes'
FROM webhook_endpoints WHERE id = $1 RETURNING id
"""


async def deliver_invoices(connection: Connection, ids: Sequence[UUID]) -> int:
    """A delivery for each outcome of these rows and each endpoint that wants it and has none; how many are new."""
    return len(await connection.fetch(_NEW_INVOICES, list(ids)))


async def deliver_jobs(connection: Connection, since: datetime) -> int:
    """Likewise for the jobs that ended since then."""
    return len(await connection.fetch(_NEW_JOBS, since))


async def deliver_again(
    connection: Connection, endpoint: UUID, window: tuple[datetime, datetime], *, also_delivered: bool
) -> int:
    """What of a window did not arrive is delivered, with `also_delivered` all of it; how many, `MOST_AGAIN` at most."""
    states = ["failed", "delivered"] if also_delivered else ["failed"]
    found = len(await connection.fetch(_WINDOW_AGAIN, endpoint, states, *window, MOST_AGAIN))
    for late in (_LATE_INVOICES, _LATE_JOBS):
        found += len(await connection.fetch(late, endpoint, *window, MOST_AGAIN - found))
    return found


async def deliver_one_again(connection: Connection, endpoint: UUID, delivery: UUID) -> bool:
    """Whether it had ended and waits again."""
    return bool(await connection.fetch(_ONE_AGAIN, endpoint, ["failed", "delivered"], delivery))


async def deliver_ping(connection: Connection, endpoint: UUID, ping_id: UUID) -> UUID:
    """A test delivery; its id."""
    return await connection.fetchval(_PING, endpoint, ping_id)
