"""What the judgement of an item needs to know, read for many items at once."""

from collections.abc import Sequence
from uuid import UUID

from common.db.pool import Connection, Row
from gateway.domain.letters import replay_count
from gateway.replay.judging import LetterFacts, RowFacts

_ROWS = """
SELECT i.id, i.version, coalesce(latest.version, 0) AS told, i.stage, i.reason, i.maybe_sent,
    i.archived_at IS NOT NULL AS archived, i.dossier IS NOT NULL AND i.dedupe_key IS NOT NULL AS placed, k.holder,
    coalesce(accepted.uuid, CASE WHEN i.stage = 'sent' THEN i.clearfacts_response->>'uuid' END) AS uuid,
    replayed.by AS replayed_by, coalesce(replayed.version, 0) AS replayed_version
FROM invoices i
LEFT JOIN invoice_keys k ON k.dossier = i.dossier AND k.dedupe_key = i.dedupe_key
LEFT JOIN LATERAL (
    SELECT e.version FROM invoice_events e WHERE e.invoice_id = i.id ORDER BY e.version DESC LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT e.version, e.details->>'replay' AS by FROM invoice_events e
    WHERE e.invoice_id = i.id AND e.details ? 'replay' ORDER BY e.version DESC LIMIT 1
) AS replayed ON true
LEFT JOIN LATERAL (
    SELECT a.uuid FROM attempts a WHERE a.invoice_id = i.id AND a.outcome = 'accepted' ORDER BY a.number LIMIT 1
) AS accepted ON true
WHERE i.id = ANY($1::uuid[])
"""

_LOCK = "SELECT id FROM invoices WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_LETTERS = "SELECT id, version, status, replay_id, headers FROM dead_letters WHERE id = ANY($1::uuid[])"


async def lock_rows(connection: Connection, ids: Sequence[UUID]) -> None:
    """From here to the commit nobody moves these rows, or takes their keys: who takes one locks its holder first."""
    await connection.execute(_LOCK, ids)


async def row_facts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, RowFacts]:
    """Those of the rows that there are."""
    return {row["id"]: _row(row) for row in await connection.fetch(_ROWS, ids)} if ids else {}


async def letter_facts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, LetterFacts]:
    return {row["id"]: _letter(row) for row in await connection.fetch(_LETTERS, ids)} if ids else {}


def _row(row: Row) -> RowFacts:
    return RowFacts(**dict(row))


def _letter(row: Row) -> LetterFacts:
    count = replay_count(row["headers"] or {})
    return LetterFacts(row["id"], row["version"], row["status"], row["replay_id"], count)
