"""Replays as they are looked at, and as they would be: dry runs, progress, items."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from gateway.adapters.conditions import Conditions
from gateway.adapters.failure_selection import everything
from gateway.adapters.postgres_failures import summary
from gateway.adapters.postgres_replays import refuse_size, terms_of
from gateway.adapters.replay_facts import letter_facts, row_facts
from gateway.domain.causes import cause
from gateway.domain.failures import FailedSummary, Kind, Selection
from gateway.domain.replays import (
    MOST_ITEMS,
    Cause,
    ItemRefusal,
    Outcome,
    Preview,
    ReplayItem,
    ReplayStatus,
    ReplaySummary,
    State,
)
from gateway.replay.judging import Judgement, judge_announcement, judge_letter, judge_row
from gateway.replay.ports import ReadRecord
from gateway.replay.topics import subject

SHOWN_REFUSALS, SHOWN_SAMPLE, SHOWN_CAUSES = 100, 10, 50

_SUMMARY = """
SELECT r.id, r.state, r.reason, r.user_id, r.selection, r.canary, r.canary_seconds, r.rate, r.abort_share, r.total,
    r.note, r.created_at, r.ended_at,
    (SELECT count(*) FROM replay_items i WHERE i.replay_id = r.id AND i.state <> 'done') AS waiting,
    (SELECT coalesce(jsonb_object_agg(o.outcome, o.number), '{}') FROM (
        SELECT i.outcome, count(*) AS number FROM replay_items i
        WHERE i.replay_id = r.id AND i.state = 'done' GROUP BY i.outcome) AS o) AS outcomes
FROM replays r
"""
_ENDS = """
SELECT i.status, count(*) AS number FROM replay_items t JOIN invoices i ON i.id = t.item_id
WHERE t.replay_id = $1 AND t.outcome = 'moved' GROUP BY i.status
"""
_ITEMS = """
SELECT t.position, t.kind, t.item_id, t.state, t.outcome, t.details->>'why' AS why, t.done_at,
    coalesce(i.stage || coalesce(' (' || i.reason || ')', ''), d.status) AS now
FROM replay_items t LEFT JOIN invoices i ON i.id = t.item_id LEFT JOIN dead_letters d ON d.id = t.item_id
"""


class PostgresReplayReadings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def preview(self, chosen: Selection, limit: int | None) -> Preview:
        """Judge all that the selection chooses, as a replay that began now would. Raises NotAllowedNow."""
        values: list[Any] = []
        sql = (
            f"SELECT * FROM ({everything(chosen, values)}) AS chosen ORDER BY at, id LIMIT {limit or MOST_ITEMS + 1:d}"
        )
        async with self._database.connection() as connection:
            found = [summary(row) for row in await connection.fetch(sql, *values)]
            ids = [item.id for item in found]
            rows, letters = await row_facts(connection, ids), await letter_facts(connection, ids)
        missing = [id_ for id_ in chosen.ids or () if id_ not in set(ids)]
        refuse_size(len(found) + len(missing))
        judged: list[Judgement] = [
            judge_row(item.id, item.version, rows.get(item.id))
            if item.kind is Kind.INVOICE
            else judge_letter(item.id, item.version, letters.get(item.id))
            for item in found
        ]
        return _preview(found, judged, [judge_row(id_, 0, None) for id_ in missing])

    async def preview_window(self, records: Sequence[ReadRecord]) -> Preview:
        """Judge records that were read from a topic."""
        subjects = [found for record in records if (found := subject(record)) is not None]
        refuse_size(len(subjects))
        async with self._database.connection() as connection:
            rows = await row_facts(connection, [item.id for item in subjects])
        judged = [judge_announcement(item.id, item.version, rows.get(item.id)) for item in subjects]
        return _preview([], judged, [])

    async def replay(self, replay_id: UUID) -> ReplayStatus | None:
        row = await self._database.fetchrow(f"{_SUMMARY} WHERE r.id = $1", replay_id)
        if row is None:
            return None
        ends = await self._database.fetch(_ENDS, replay_id)
        return ReplayStatus(**_fields(row), ends={end["status"]: end["number"] for end in ends})

    async def page(
        self, state: State | None, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReplaySummary]:
        """Newest first."""
        where = Conditions()
        where.equal("r.state", state)
        if after is not None:
            where.add("(r.created_at, r.id) < ({}, {})", *after)
        sql = f"{_SUMMARY} {where.sql} ORDER BY r.created_at DESC, r.id DESC LIMIT {limit:d}"
        return [ReplaySummary(**_fields(row)) for row in await self._database.fetch(sql, *where.values)]

    async def items(
        self, replay_id: UUID, outcome: str | None, *, after: int | None, limit: int
    ) -> Sequence[ReplayItem]:
        """In their order."""
        where = Conditions()
        where.equal("t.replay_id", replay_id)
        where.equal("t.outcome", outcome)
        if after is not None:
            where.add("t.position > {}", after)
        sql = f"{_ITEMS} {where.sql} ORDER BY t.position LIMIT {limit:d}"
        return [ReplayItem(**dict(row)) for row in await self._database.fetch(sql, *where.values)]


def _fields(row: Row) -> dict[str, Any]:
    plain = ("id", "state", "reason", "user_id", "selection", "total", "waiting", "outcomes", "note", "created_at",
             "ended_at")  # fmt: skip
    return {name: row[name] for name in plain} | {"terms": terms_of(row)}


def _preview(found: Sequence[FailedSummary], judged: Sequence[Judgement], missing: Sequence[Judgement]) -> Preview:
    refusals = [judgement for judgement in (*judged, *missing) if isinstance(judgement, ItemRefusal)]
    going = [item for item, judgement in zip(found, judged, strict=False) if not isinstance(judgement, ItemRefusal)]
    records = sum(item.kind is Kind.RECORD for item in going)
    outcomes = Counter[str](refusal.outcome.value for refusal in refusals)
    rows = len(judged) + len(missing) - len(refusals) - records
    outcomes.update({Outcome.MOVED.value: rows if found else 0, Outcome.REPUBLISHED.value: records if found else rows})
    groups = Counter(item.group for item in found)
    texts = {item.group: cause(item.error) for item in found}
    return Preview(
        total=len(judged) + len(missing),
        outcomes={name: number for name, number in outcomes.items() if number},
        causes=[Cause(group, texts[group], number) for group, number in groups.most_common(SHOWN_CAUSES)],
        sample=list(going[:SHOWN_SAMPLE]),
        refusals=refusals[:SHOWN_REFUSALS],
    )
