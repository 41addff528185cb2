"""Unknown rows with their attempts, and what was concluded about them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, assert_never
from uuid import UUID

import orjson

from common.db.alerts import ON_OPEN_ALERT
from common.db.moves import MOVED, move_core, to_moved
from common.db.pool import Database, Row
from common.db.sweeper import Key
from common.invoice.move import Moved
from common.invoice.stage import Reason, Stage
from sender.adapters.postgres import OWN_CLOCK
from sender.domain import Outcome
from sender.domain.evidence import Case, Finding, Hold, LookAgain, Proven, SendAgain, Trial

_CASES = """
SELECT i.id, i.version, i.reference, i.failures, now() AS at, i.raw IS NOT NULL OR i.ubl_data <> '' AS document,
    extract(epoch FROM now() - i.first_failed_at)::float8 - i.paused_seconds AS failing_seconds,
    coalesce((
        SELECT jsonb_agg(jsonb_build_array(a.number, a.started_at, a.lease_until, a.outcome, a.uuid, a.absent,
            a.looked_up_at) ORDER BY a.number)
        FROM attempts a WHERE a.invoice_id = i.id AND (a.reference = i.reference OR a.outcome = 'accepted')
    ), '[]') AS trials
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
JOIN invoices i ON i.id = t.id AND i.version = t.version AND i.stage = 'unknown'
"""

# Where a lookup found the document its last unclear attempt is the one that is written down. An acceptance that came
# in meanwhile wins over every verdict.
_CONCLUDE = f"""
WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::float8[],
        $8::bool[], $9::bool[], $10::bool[], $11::text[])
        AS t(id, version, attempt, stage, reason, error, wake_seconds, absent, own_failure, maybe_sent, uuids)
),
standing AS (
    SELECT n.id, n.version, n.attempt, n.reason, n.error, n.wake_seconds, n.absent, n.own_failure, n.maybe_sent,
        CASE WHEN known.uuids IS NULL THEN n.stage ELSE 'sent' END AS stage,
        known.uuids
    FROM input n JOIN invoices i ON i.id = n.id AND i.version = n.version AND i.stage = 'unknown'
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(uuid ORDER BY uuid) AS uuids FROM (
            SELECT a.uuid FROM attempts a WHERE a.invoice_id = n.id AND a.outcome = 'accepted'
            UNION SELECT jsonb_array_elements_text(n.uuids::jsonb)
        ) AS every
    ) AS known
),
evidence AS (
    UPDATE attempts a SET
        absent = a.absent + s.absent::int,
        looked_up_at = CASE WHEN s.absent THEN now() ELSE a.looked_up_at END,
        outcome = CASE WHEN s.stage = 'sent' THEN 'accepted' ELSE a.outcome END,
        uuid = CASE WHEN s.stage = 'sent' THEN s.uuids->>0 ELSE a.uuid END
    FROM standing s
    WHERE a.invoice_id = s.id AND a.number = s.attempt AND a.outcome IS DISTINCT FROM 'accepted'
),
suspected AS (
    INSERT INTO alerts (kind, subject, severity, details)
    SELECT 'duplicate_suspected', id::text, 'critical', jsonb_build_object('uuids', uuids)
    FROM standing WHERE jsonb_array_length(uuids) > 1
    {ON_OPEN_ALERT}
),
waiting AS (
    UPDATE invoices i SET wake_at = now() + make_interval(secs => s.wake_seconds) FROM standing s
    WHERE i.id = s.id AND i.version = s.version AND s.stage = 'unknown'
),
move_input AS (
    SELECT id, version, stage, CASE WHEN stage <> 'sent' THEN reason END AS reason,
        CASE WHEN stage <> 'sent' THEN error END AS error,
        CASE WHEN stage = 'validated' THEN wake_seconds END AS wake_seconds,
        CASE WHEN stage = 'sent' THEN false ELSE maybe_sent END AS maybe_sent,
        CASE WHEN stage = 'sent' THEN jsonb_build_object('uuid', uuids->>0) END AS response, NULL::jsonb AS findings,
        attempt, CASE WHEN stage = 'sent' THEN uuids->>0 END AS uuid, 'sender'::text AS actor,
        jsonb_strip_nulls(jsonb_build_object('attempt', attempt, 'uuids', uuids, 'error', error)) AS details,
        own_failure AND stage <> 'sent' AS own_failure, NULL::float8 AS paused, stage = 'held' AS over
    FROM standing WHERE stage <> 'unknown'
),
{move_core(*OWN_CLOCK)}
{MOVED}
"""


class PostgresUnknowns:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cases(self, keys: Sequence[Key]) -> Sequence[Case]:
        """The rows that are still unknown at that version."""
        rows = await self._database.fetch(_CASES, [id_ for id_, _ in keys], [version for _, version in keys])
        return [_case(row) for row in rows]

    async def conclude(self, findings: Sequence[Finding]) -> Sequence[Moved]:
        """Write what lookups found, move the rows that it decides, and let the others wait."""
        ordered = sorted(findings, key=lambda finding: finding.case.id)
        columns = list(zip(*map(_conclusion, ordered), strict=True))
        rows = await self._database.fetch(_CONCLUDE, *map(list, columns)) if columns else []
        return [to_moved(row) for row in rows]


class _Conclusion(NamedTuple):
    """A row of `_CONCLUDE`'s input."""

    id: UUID
    version: int
    attempt: int | None
    stage: Stage
    reason: Reason | None = None
    error: str | None = None
    wake_seconds: float | None = None
    absent: bool = False
    own_failure: bool = False
    maybe_sent: bool | None = None
    uuids: str | None = None


def _conclusion(finding: Finding) -> _Conclusion:
    case, last = finding.case, finding.case.unclear[-1].number if finding.case.unclear else None
    row = _Conclusion(case.id, case.version, last, Stage.UNKNOWN)
    match finding.verdict:
        case Proven(uuids=uuids):
            return row._replace(stage=Stage.SENT, uuids=orjson.dumps(list(uuids)).decode())
        case LookAgain(wait=wait, absent=absent):
            return row._replace(wake_seconds=wait.total_seconds(), absent=absent)
        case SendAgain(wait=wait, cleared=cleared):
            return row._replace(
                stage=Stage.VALIDATED,
                reason=Reason.NOT_ACCEPTED,
                wake_seconds=wait.total_seconds(),
                absent=not cleared,
                own_failure=not cleared,
                maybe_sent=False if cleared else None,
            )
        case Hold(why=why, absent=absent):
            return row._replace(stage=Stage.HELD, reason=Reason.UNKNOWN_OUTCOME, error=why, absent=absent)
        case _:
            assert_never(finding.verdict)


def _case(row: Row) -> Case:
    return Case(
        id=row["id"],
        version=row["version"],
        reference=row["reference"],
        at=row["at"],
        trials=[_trial(*trial) for trial in row["trials"]],
        failures=row["failures"],
        failing_for=timedelta(seconds=max(0.0, row["failing_seconds"] or 0.0)),
        document=row["document"],
    )


def _trial(
    number: int,
    started_at: str,
    lease_until: str,
    outcome: str | None,
    uuid: str | None,
    absent: int,
    looked_up_at: str | None,
) -> Trial:
    return Trial(
        number=number,
        started_at=datetime.fromisoformat(started_at),
        lease_until=datetime.fromisoformat(lease_until),
        outcome=Outcome(outcome) if outcome else None,
        uuid=uuid,
        absent=absent,
        looked_up_at=datetime.fromisoformat(looked_up_at) if looked_up_at else None,
    )
