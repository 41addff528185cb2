"""The replay engine on the real PostgreSQL, without a broker; failures as the other services leave them."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from common.clock import SYSTEM_CLOCK
from common.db.moves import apply_moves
from common.db.pool import Database
from common.invoice.move import Move
from common.invoice.stage import Reason, Stage
from common.kafka import Announcer
from gateway.domain.cursors import Cursors
from gateway.replaying import Replaying, build_replaying
from tests.integration.gateway.world import insert_invoice

LEASE = timedelta(seconds=2)


@dataclass
class Wire:
    """Stands for the broker: what was sent, in order; `down` while nobody answers."""

    records: list[tuple[str, bytes | None, bytes, dict[str, str]]] = field(
        default_factory=list[tuple[str, bytes | None, bytes, dict[str, str]]]
    )
    down: bool = False

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        if self.down:
            raise OSError("nobody there")
        self.records.append((topic, key, value, {name: text.decode() for name, text in headers}))
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ack.set_result(None)
        return ack


def replaying(database: Database, wire: Wire, *, lease: timedelta = LEASE) -> Replaying:
    announcer = Announcer(cast("Any", None), source="gateway", send=wire.send)
    return build_replaying(
        database, announcer, Cursors(b"k" * 32), bootstrap="127.0.0.1:1", lease=lease, clock=SYSTEM_CLOCK
    )


async def insert_failed(database: Database, **columns: Any) -> UUID:
    """A row that was fetched, holds its key, and failed."""
    row_id = SYSTEM_CLOCK.new_id()
    usual: dict[str, Any] = {
        "id": row_id,
        "status": "failed",
        "stage": "failed",
        "reason": "invalid",
        "error_message": "BR-CO-15: the total 12.30 is not 12.31",
        "version": 2,
        "processed_at": SYSTEM_CLOCK.now(),
        "dossier": "0123456749",
        "dedupe_key": f"key-{row_id}",
        "content_sha256": b"\x01",
        "reference": row_id,
    }
    whole = usual | columns
    await insert_invoice(database, **whole)
    await database.execute(
        "INSERT INTO invoice_events (invoice_id, version, stage, actor) VALUES ($1, 1, 'fetched', 'fetcher'),"
        " ($1, 2, 'failed', 'validator')",
        row_id,
    )
    if whole["dossier"] is not None:
        await database.execute(
            "INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation) VALUES ($1, $2, $3, 0)"
            " ON CONFLICT DO NOTHING",
            whole["dossier"],
            whole["dedupe_key"],
            row_id,
        )
    return row_id


async def insert_letter(database: Database, **columns: Any) -> UUID:
    """A record that the validator could not read."""
    letter_id = SYSTEM_CLOCK.new_id()
    usual: dict[str, Any] = {
        "id": letter_id,
        "cluster": "test",
        "topic": "invoices.fetched.v1",
        "partition": 0,
        "record_offset": letter_id.int % 2**40,
        "consumer_group": "validator",
        "sha256": b"\x01",
        "record_key": b"key",
        "value": b"not json",
        "headers": {"ce_id": "1"},
        "cause": "json_invalid: : Invalid JSON: expected ident at line 1 column 2",
    }
    whole = usual | columns
    places = ", ".join(f"${number}" for number in range(1, len(whole) + 1))
    await database.execute(f"INSERT INTO dead_letters ({', '.join(whole)}) VALUES ({places})", *whole.values())
    return letter_id


async def end(database: Database, row_id: UUID, to: Stage, reason: Reason | None = None) -> None:
    """Let the pipeline bring a replayed row to its end."""
    row = await database.fetchrow("SELECT version, stage FROM invoices WHERE id = $1", row_id)
    assert row is not None
    version, stage = row["version"], Stage(row["stage"])
    way = [Stage.FAILED] if to is Stage.FAILED else [Stage.VALIDATED, Stage.SENDING, Stage.SENT]
    async with database.connection() as connection:
        for step in way[way.index(stage) + 1 :] if stage in way else way:
            why = (reason or Reason.INVALID) if step is Stage.FAILED else None
            await apply_moves(connection, [Move(row_id, version, stage, step, why)], actor="test")
            version, stage = version + 1, step


async def moves_of(database: Database) -> dict[UUID, int]:
    """How often each row was moved by a replay."""
    rows = await database.fetch(
        "SELECT invoice_id, count(*) AS number FROM invoice_events WHERE details ? 'replay' GROUP BY invoice_id"
    )
    return {row["invoice_id"]: row["number"] for row in rows}
