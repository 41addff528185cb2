"""A recovery on the real PostgreSQL and the real broker: rows, attempts, keys, sequence, and doing it again."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from faststream.kafka import KafkaBroker

from common.amnesia import last_claims_in, look
from common.contracts.events import InvoiceOutcome
from common.contracts.topics import Topic
from common.db.pool import Database, Row
from common.kafka import Announcer
from common.kafka.broker import make_broker
from gateway.adapters.kafka_outcomes import KafkaOutcomes
from gateway.adapters.postgres_recovery import PostgresRecovery
from gateway.domain.access import Caller
from gateway.domain.faults import NotAllowedNow
from gateway.recovery.story import Recover, RecoveryOrder, RecoveryReport
from tests.integration.gateway.world import RealWorld, insert_invoice

CALLER = Caller(None, None, "")
CONTENT = "00" * 32


@pytest.fixture
async def broker(kafka_bootstrap: str) -> AsyncGenerator[KafkaBroker, None]:
    broker = make_broker(kafka_bootstrap, client_id="test")
    await broker.connect()
    yield broker
    await broker.stop()


class Scene:
    """What was told, and the recovery over it."""

    def __init__(self, database: Database, broker: KafkaBroker, bootstrap: str) -> None:
        self.database = database
        self.announcer = Announcer(broker, source="test")
        self.last_claims = last_claims_in(bootstrap)
        self.recover = Recover(KafkaOutcomes(bootstrap), PostgresRecovery(database, self.last_claims))

    async def tell(self, *events: InvoiceOutcome) -> None:
        await self.announcer.announce(Topic.INVOICES_OUTCOMES, list(events))

    async def run(self, *, dry_run: bool = False, force: bool = False) -> RecoveryReport:
        admin = await RealWorld(self.database).admin()
        return await self.recover(RecoveryOrder(dry_run, force, "restored"), admin, CALLER)

    async def row(self, row_id: UUID) -> Row:
        row = await self.database.fetchrow("SELECT * FROM invoices WHERE id = $1", row_id)
        assert row is not None
        return row

    async def holder(self, key: str) -> UUID | None:
        return await self.database.fetchval("SELECT holder FROM invoice_keys WHERE dedupe_key = $1", key)

    async def remembers(self) -> bool:
        return (await look(self.database, self.last_claims)).everything


@pytest.fixture
def scene(database: Database, broker: KafkaBroker, kafka_bootstrap: str) -> Scene:
    return Scene(database, broker, kafka_bootstrap)


def told(stage: str, version: int, attempt: int | None, row: UUID, key: str, **given: Any) -> InvoiceOutcome:
    fields: dict[str, Any] = {
        "source_id": f"source-{key}",
        "dossier": "0123456749",
        "dedupe_key": key,
        "content_sha256": CONTENT,
        "reference": row,
        "uuid": f"uuid-{key}" if stage == "sent" else None,
    }
    event = {"id": row, "version": version, "stage": stage, "attempt": attempt}
    return InvoiceOutcome.model_validate(event | fields | given)


async def test_forgotten_rows_come_back_and_a_second_run_has_nothing_to_do(scene: Scene) -> None:
    sent, claimed, refused, listed = uuid4(), uuid4(), uuid4(), uuid4()
    await scene.tell(told("claimed", 3, 41, sent, "a"), told("sent", 4, 41, sent, "a"))
    await scene.tell(told("claimed", 3, 42, claimed, "b"))
    await scene.tell(told("claimed", 3, 43, refused, "c"), told("failed", 4, 43, refused, "c", reason="refused"))
    await scene.tell(told("failed", 2, None, listed, "d", reason="invalid"))
    assert not await scene.remembers()
    dry = await scene.run(dry_run=True)
    report = await scene.run()
    assert report == replace(dry, dry_run=False, remembers=True, last_attempt=43)
    assert (report.inserted_sent, report.inserted_unknown, report.attempts, report.records) == (1, 1, 3, 6)
    row = await scene.row(sent)
    assert (row["stage"], row["status"], row["version"], row["maybe_sent"]) == ("sent", "sent", 5, False)
    assert (row["invoice_id"], row["ubl_data"], row["clearfacts_response"]) == ("source-a", "", {"uuid": "uuid-a"})
    unknown = await scene.row(claimed)
    assert (unknown["stage"], unknown["maybe_sent"], unknown["wake_at"] is not None) == ("unknown", True, True)
    assert (await scene.holder("a"), await scene.holder("b"), await scene.holder("c")) == (sent, claimed, None)
    assert await scene.database.fetchval("SELECT nextval('attempt_number')") == 44
    assert await scene.remembers()
    with pytest.raises(NotAllowedNow):
        await scene.run()
    again = await scene.run(force=True)
    assert (again.inserted_sent, again.inserted_unknown, again.moved_to_unknown, again.attempts) == (0, 0, 0, 0)
    entries = await scene.database.fetch("SELECT action FROM audit_logs WHERE action ~ '^recovery' ORDER BY created_at")
    assert [entry["action"] for entry in entries] == ["recovery.started", "recovery.ended"] * 2


async def test_rows_of_an_older_state_are_corrected_past_every_version_that_was_told(scene: Scene) -> None:
    sent = await insert_invoice(scene.database, stage="validated", status="pending", version=2, ubl_data="<a/>")
    claimed = await insert_invoice(scene.database, stage="fetched", status="pending", version=1, ubl_data="<b/>")
    await scene.tell(told("claimed", 3, 7, sent, "a"), told("sent", 4, 7, sent, "a"))
    await scene.tell(told("claimed", 9, 8, claimed, "b"))
    report = await scene.run()
    assert (report.moved_to_sent, report.moved_to_unknown, report.remembers) == (1, 1, True)
    row = await scene.row(sent)
    assert (row["stage"], row["version"], row["ubl_data"]) == ("sent", 5, "<a/>")
    assert [(await scene.row(claimed))[name] for name in ("stage", "version", "maybe_sent")] == ["unknown", 10, True]
    events = await scene.database.fetch("SELECT version, actor FROM invoice_events WHERE invoice_id = $1", sent)
    assert [(event["version"], event["actor"][:5]) for event in events] == [(5, "user:")]


async def test_what_was_listed_again_before_the_recovery_gives_its_key_back(scene: Scene) -> None:
    old = uuid4()
    common: dict[str, Any] = {"dossier": "0123456749", "status": "pending", "ubl_data": "<a/>"}
    same = await insert_invoice(
        scene.database, stage="validated", dedupe_key="a", content_sha256=bytes.fromhex(CONTENT), **common
    )
    other = await insert_invoice(scene.database, stage="fetched", dedupe_key="b", content_sha256=b"other", **common)
    for key, holder in (("a", same), ("b", other)):
        await scene.database.execute("INSERT INTO invoice_keys VALUES ('0123456749', $1, $2, 0)", key, holder)
    changed = uuid4()
    await scene.tell(told("claimed", 3, 1, old, "a"), told("sent", 4, 1, old, "a"))
    await scene.tell(told("claimed", 3, 2, changed, "b"), told("sent", 4, 2, changed, "b"))
    assert (await scene.run()).keys_taken_over == 2
    assert (await scene.holder("a"), await scene.holder("b")) == (old, changed)
    duplicate, held = await scene.row(same), await scene.row(other)
    assert (duplicate["stage"], duplicate["duplicate_of"]) == ("duplicate", old)
    assert (held["stage"], held["reason"], held["duplicate_of"]) == ("held", "changed_after_sent", changed)


async def test_a_key_of_what_was_sent_since_is_left_to_it(scene: Scene) -> None:
    holder = await insert_invoice(scene.database, stage="sent", status="sent", dossier="0123456749", dedupe_key="a")
    await scene.database.execute("INSERT INTO invoice_keys VALUES ('0123456749', 'a', $1, 0)", holder)
    old = uuid4()
    await scene.tell(told("claimed", 3, 1, old, "a"), told("sent", 4, 1, old, "a"))
    assert (await scene.run()).keys_taken_over == 0
    assert await scene.holder("a") == holder


async def test_records_that_nobody_can_read_stop_nothing(scene: Scene, broker: KafkaBroker) -> None:
    await broker.publish(b"\xff{", topic=Topic.INVOICES_OUTCOMES)
    row = uuid4()
    await scene.tell(told("claimed", 3, 1, row, "a"))
    assert (await scene.run()).inserted_unknown == 1


async def test_thousands_of_rows_are_given_back_in_portions(scene: Scene) -> None:
    rows = [uuid4() for _ in range(1_234)]
    await scene.tell(*[told("claimed", 3, place + 1, row, str(place)) for place, row in enumerate(rows)])
    await scene.tell(*[told("sent", 4, place + 1, row, str(place)) for place, row in enumerate(rows)])
    assert (await scene.run()).inserted_sent == 1_234
    assert await scene.database.fetchval("SELECT count(*) FROM invoice_keys") == 1_234
