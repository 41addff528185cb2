"""Taking items of a replay: judged under the locks of their rows, moved and marked in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from common.db.moves import apply_moves
from common.db.pool import Connection, Database
from common.invoice.move import Move, Moved
from common.invoice.stage import Stage
from gateway.adapters.postgres_filing import file, take_key
from gateway.adapters.replay_facts import letter_facts, lock_rows, row_facts
from gateway.adapters.replay_records import to_letter
from gateway.domain.replays import ItemRefusal, Outcome
from gateway.replay.judging import Go, RowFacts, judge_announcement, judge_letter, judge_row
from gateway.replay.ports import Leased, Letter
from ubl.identity import Identity
from ubl.placing import Ours, Unplaced, place
from ubl.safe import MalformedDocument

_ITEMS = """
SELECT position, kind, item_id, version, record FROM replay_items
WHERE replay_id = $1 AND state = 'waiting' ORDER BY position LIMIT $2
"""
_MARK = """
UPDATE replay_items i SET state = t.state, outcome = t.outcome, details = t.details::jsonb,
    moved_version = t.moved_version, done_at = CASE WHEN t.state = 'done' THEN now() END
FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::int[])
    AS t(position, state, outcome, details, moved_version)
WHERE i.replay_id = $1 AND i.position = t.position AND i.state = 'waiting'
"""
# It gets the time of a new row until it is exhausted.
_FRESH_CLOCKS = """
UPDATE invoices SET failures = 0, first_failed_at = NULL, paused_seconds = 0
WHERE id = ANY($1::uuid[]) AND (failures > 0 OR first_failed_at IS NOT NULL OR paused_seconds > 0)
"""
TAKE_LETTERS = """
UPDATE dead_letters d SET status = 'replaying', version = d.version + 1, replay_id = $3, updated_at = now()
FROM (SELECT d.id FROM dead_letters d JOIN unnest($1::uuid[], $2::int[]) AS t(id, version)
      ON d.id = t.id AND d.version = t.version AND d.status = 'dead' ORDER BY d.id FOR UPDATE OF d) AS mine
WHERE d.id = mine.id
RETURNING d.id, d.topic, d.record_key, d.value, d.headers
"""


@dataclass(frozen=True, slots=True)
class Item:
    position: int
    kind: str
    item_id: UUID
    version: int
    record: Mapping[str, object] | None


@dataclass(slots=True)
class Taken:
    """What became of a batch, by the positions of its items."""

    moved: list[Moved] = field(default_factory=list[Moved])
    letters: list[Letter] = field(default_factory=list[Letter])
    refused: dict[int, ItemRefusal] = field(default_factory=dict[int, ItemRefusal])
    positions: dict[UUID, int] = field(default_factory=dict[UUID, int])


async def read_items(database: Database, replay_id: UUID, most: int) -> list[Item]:
    """The next ones that wait."""
    return [Item(**dict(row)) for row in await database.fetch(_ITEMS, replay_id, most)]


async def take(
    connection: Connection,
    leased: Leased,
    items: Sequence[Item],
    places: Mapping[UUID, Identity | MalformedDocument],
    ours: Ours,
) -> Taken:
    """Move what may move; the rest has its refusal."""
    taken = Taken()
    by_kind = {kind: [item for item in items if item.kind == kind] for kind in ("invoice", "record", "announcement")}
    await _take_rows(connection, leased, by_kind["invoice"], taken, places, ours)
    await _take_letters(connection, leased, by_kind["record"], taken)
    await _take_announcements(connection, by_kind["announcement"], taken)
    return taken


async def _take_rows(
    connection: Connection,
    leased: Leased,
    items: Sequence[Item],
    taken: Taken,
    places: Mapping[UUID, Identity | MalformedDocument],
    ours: Ours,
) -> None:
    ids = [item.item_id for item in items]
    await lock_rows(connection, ids)
    facts = await row_facts(connection, ids)
    moves: list[Move] = []
    for item in items:
        row = facts.get(item.item_id)
        verdict = judge_row(item.item_id, item.version, row)
        if isinstance(verdict, Go) and row is not None:
            verdict = await _give_key(connection, row, places.get(row.id), ours) or verdict
        if isinstance(verdict, ItemRefusal) or row is None:
            taken.refused[item.position] = _refusal(verdict, item)
            continue
        taken.positions[row.id] = item.position
        details = {"replay": str(leased.id), "reason": leased.reason}
        moves.append(Move(row.id, row.version, Stage.FAILED, verdict.to, details=details))
    taken.moved = await apply_moves(connection, moves, actor=str(leased.user_id))
    await connection.execute(_FRESH_CLOCKS, [moved.id for moved in taken.moved])


def _refusal(verdict: Go | ItemRefusal, item: Item) -> ItemRefusal:
    return verdict if isinstance(verdict, ItemRefusal) else ItemRefusal(item.item_id, Outcome.GONE, "it is gone")


async def _give_key(
    connection: Connection, row: RowFacts, answer: Identity | MalformedDocument | None, ours: Ours
) -> ItemRefusal | None:
    """Make sure that the row holds its key; a row without a place is placed now."""
    if row.placed:
        if row.holder == row.id:
            return None
        holder = await _retake(connection, row.id)
    elif answer is None:
        return ItemRefusal(row.id, Outcome.NOT_FAILED_ANY_MORE, "it was changed just now")
    else:
        placed = place(answer, ours, await _source_id(connection, row.id))
        if isinstance(placed, Unplaced):
            why = f"it would fail again: {placed.finding.rule}: {placed.finding.message}"
            return ItemRefusal(row.id, Outcome.REFUSED, why[:500])
        holder = await file(connection, row.id, placed)
    return None if holder == row.id else ItemRefusal(row.id, Outcome.SUPERSEDED, f"row {holder} has its key now")


async def _retake(connection: Connection, row_id: UUID) -> UUID:
    own = await connection.fetchrow("SELECT dossier, dedupe_key, generation FROM invoices WHERE id = $1", row_id)
    assert own is not None  # noqa: S101 - its row is locked
    return await take_key(connection, row_id, own["dossier"], own["dedupe_key"], own["generation"])


async def _source_id(connection: Connection, row_id: UUID) -> str:
    source_id: str = await connection.fetchval("SELECT invoice_id FROM invoices WHERE id = $1", row_id)
    return source_id


async def _take_letters(connection: Connection, leased: Leased, items: Sequence[Item], taken: Taken) -> None:
    facts = await letter_facts(connection, [item.item_id for item in items])
    going: dict[UUID, Item] = {}
    for item in items:
        verdict = judge_letter(item.item_id, item.version, facts.get(item.item_id))
        if isinstance(verdict, ItemRefusal):
            taken.refused[item.position] = verdict
        else:
            going[item.item_id] = item
    mine = await connection.fetch(TAKE_LETTERS, list(going), [item.version for item in going.values()], leased.id)
    for row in mine:
        item = going.pop(row["id"])
        letter = Letter(item.position, row["id"], row["topic"], row["record_key"], row["value"], row["headers"] or {})
        taken.letters.append(letter)
    for item in going.values():  # somebody was faster between the look and the take
        why = "another replay took it"
        taken.refused[item.position] = ItemRefusal(item.item_id, Outcome.ALREADY_REPLAYING, why)


async def _take_announcements(connection: Connection, items: Sequence[Item], taken: Taken) -> None:
    facts = await row_facts(connection, [item.item_id for item in items])
    for item in items:
        verdict = judge_announcement(item.item_id, item.version, facts.get(item.item_id))
        if isinstance(verdict, ItemRefusal) or item.record is None:
            taken.refused[item.position] = _refusal(verdict, item)
        else:
            taken.letters.append(to_letter(item.position, item.item_id, item.record))


async def mark(connection: Connection, replay_id: UUID, taken: Taken) -> None:
    """Write the outcomes: records are `started` until they are published."""
    rows: list[tuple[int, str, str | None, str | None, int | None]] = [
        (taken.positions[moved.id], "done", Outcome.MOVED.value, None, moved.version) for moved in taken.moved
    ]
    rows += [(letter.position, "started", None, None, None) for letter in taken.letters]
    rows += [
        (position, "done", refusal.outcome.value, orjson.dumps({"why": refusal.why}).decode(), None)
        for position, refusal in taken.refused.items()
    ]
    if rows:
        await connection.execute(_MARK, replay_id, *(list(column) for column in zip(*rows, strict=True)))
