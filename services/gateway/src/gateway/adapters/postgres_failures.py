"""Failures in PostgreSQL: listed, grouped by cause, looked at."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from gateway.adapters.failure_selection import CAUSE, INVOICE, RECORD, newest
from gateway.domain.causes import cause
from gateway.domain.failures import (
    CauseGroup,
    DocumentVersion,
    FailedDetail,
    FailedSummary,
    Kind,
    ReplayedBy,
    Selection,
)
from gateway.domain.letters import replay_count

MOST_GROUPS = 500
COUNTED = 2_000
"""How far the failures of one cause are counted: each costs a look at its row. A rehearsal counts them all."""

# A loose index scan finds the causes, three short scans look at each; nothing reads all that failed. What is counted
# is counted in order: else a bitmap is made of all of a cause first (measured: 30 ms a cause at a million rows).
_GROUPS = """
WITH RECURSIVE causes AS (
    (SELECT {cause} AS cause FROM {table} WHERE {waiting} ORDER BY {cause} LIMIT 1)
    UNION ALL
    SELECT (SELECT {cause} FROM {table} WHERE {waiting} AND {cause} > causes.cause ORDER BY {cause} LIMIT 1)
    FROM causes WHERE causes.cause IS NOT NULL
)
SELECT c.cause, '{kind}' AS kind, n.count, newest.reason, newest.error, newest.id, newest.at AS last_at, oldest.first_at
FROM (SELECT cause FROM causes WHERE cause IS NOT NULL LIMIT {most}) c
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM {table} WHERE {waiting} AND {cause} = c.cause ORDER BY {at}, id LIMIT {counted}
    ) AS found
) AS n
CROSS JOIN LATERAL (
    SELECT id, {at} AS at, {reason} AS reason, {error} AS error FROM {table} WHERE {waiting} AND {cause} = c.cause
    ORDER BY {at} DESC, id DESC LIMIT 1
) AS newest
CROSS JOIN LATERAL (
    SELECT {at} AS first_at FROM {table} WHERE {waiting} AND {cause} = c.cause ORDER BY {at}, id LIMIT 1
) AS oldest
"""
_LIMITS = {"most": MOST_GROUPS, "counted": COUNTED + 1}
_INVOICE_GROUPS = _GROUPS.format(
    cause=CAUSE, table="invoices", waiting="status = 'failed' AND archived_at IS NULL", kind=Kind.INVOICE,
    at="processed_at", reason="reason", error="error_message", **_LIMITS,
)  # fmt: skip
_RECORD_GROUPS = _GROUPS.format(
    cause="fingerprint", table="dead_letters AS letters", waiting="status = 'dead'", kind=Kind.RECORD, at="created_at",
    reason="'unreadable'", error="topic || ': ' || cause", **_LIMITS,
)  # fmt: skip

_INVOICE = f"SELECT {INVOICE}, ubl_data, raw, findings FROM invoices WHERE id = $1"
_RECORD = f"SELECT {RECORD}, value, record_key, headers, resolution FROM dead_letters WHERE id = $1"
_VERSIONS = """
SELECT number, created_at AS at, user_id, reason, diff FROM document_versions WHERE item_id = $1 ORDER BY number
"""
_REPLAYS = """
SELECT replay_id, state, outcome, done_at AS at FROM replay_items WHERE item_id = $1
ORDER BY replay_id DESC LIMIT 50
"""


class PostgresFailures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chosen: Selection, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[FailedSummary]:
        """Newest first."""
        values: list[Any] = []
        sql = newest(chosen, values, after=after, limit=limit)
        async with self._database.transaction() as connection:
            # a plan for any value reads all by time to find that a rare one is nowhere: 1.1 s instead of 4 ms
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return [summary(row) for row in await connection.fetch(sql, *values)]

    async def groups(self) -> Sequence[CauseGroup]:
        """What was not archived, by cause; those that failed last first."""
        invoices, records = await asyncio.gather(
            self._database.fetch(_INVOICE_GROUPS), self._database.fetch(_RECORD_GROUPS)
        )
        return sorted(map(_group, [*invoices, *records]), key=lambda group: group.last_at, reverse=True)

    async def one(self, item_id: UUID) -> FailedDetail | None:
        """A row in any stage, or a record in any state."""
        if (row := await self._database.fetchrow(_INVOICE, item_id)) is not None:
            body = row["raw"] if row["raw"] is not None else row["ubl_data"].encode()
            return await self._detail(row, body, findings=row["findings"])
        if (row := await self._database.fetchrow(_RECORD, item_id)) is None:
            return None
        key, headers = row["record_key"], row["headers"] or {}
        return await self._detail(
            row,
            row["value"],
            key=key.decode("utf-8", "backslashreplace") if key is not None else None,
            headers=headers,
            resolution=row["resolution"],
            replay_count=replay_count(headers),
            replay_of=headers.get("x-replay-of"),
        )

    async def _detail(self, row: Row, body: bytes, **given: Any) -> FailedDetail:
        item_id: UUID = row["id"]
        versions = await self._database.fetch(_VERSIONS, item_id)
        replays = await self._database.fetch(_REPLAYS, item_id)
        text, is_base64 = _text(body)
        absent: dict[str, Any] = dict.fromkeys(("key", "headers", "findings", "resolution", "replay_of"))
        whole: dict[str, Any] = fields(row) | absent | {"replay_count": 0} | given
        return FailedDetail(
            body=text,
            body_is_base64=is_base64,
            versions=[DocumentVersion(**dict(version)) for version in versions],
            replays=[ReplayedBy(**dict(replay)) for replay in replays],
            **whole,
        )


def fields(row: Row) -> dict[str, Any]:
    """Those of a summary."""
    return {name: row[name] for name in FailedSummary.__slots__} | {"kind": Kind(row["kind"])}


def summary(row: Row) -> FailedSummary:
    return FailedSummary(**fields(row))


def _group(row: Row) -> CauseGroup:
    return CauseGroup(
        group=row["cause"],
        kind=Kind(row["kind"]),
        reason=row["reason"],
        cause=cause(row["error"]),
        count=min(row["count"], COUNTED),
        more=row["count"] > COUNTED,
        first_at=row["first_at"],
        last_at=row["last_at"],
        example=row["id"],
        example_error=row["error"],
    )


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True
