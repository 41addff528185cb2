"""Edits on the real PostgreSQL: judged before they are stored, the original kept, the row's key and columns anew."""

from uuid import UUID

import pytest

from common.db.pool import Database
from gateway.domain.access import Caller, User
from gateway.domain.editing import Edit, Edited
from gateway.domain.faults import DocumentInvalid, NotAllowedNow
from gateway.replaying import Replaying
from tests.integration.gateway.replays_world import Wire, insert_failed, insert_letter, replaying
from tests.integration.gateway.world import RealWorld
from tests.unit.ubl.documents import SAMPLE
from ubl.identity import identify, reference

pytestmark = pytest.mark.stack

CALLER = Caller("192.0.2.7", "test", "follow-me-1")
BROKEN = SAMPLE.replace(b'<cbc:PayableAmount currencyID="EUR">121', b"<cbc:PayableAmount>999")


async def broken_row(database: Database, **columns: object) -> UUID:
    usual = {"ubl_data": BROKEN.decode(), "invoice_id": "SRC-9", "number": "INV-2024-00"}
    return await insert_failed(database, **usual | columns)


async def edit(
    engine: Replaying, user: User, item: UUID, content: bytes, *, version: int = 2, replay: bool = True
) -> Edited:
    wish = Edit(content, "the amount is repaired", version, replay)
    return await engine.stories.edit(item, wish, user, CALLER)


async def test_an_edit_is_stored_beside_the_original_and_goes_again(database: Database) -> None:
    wire = Wire()
    engine, user = replaying(database, wire), await RealWorld(database).admin()
    row_id = await broken_row(database)
    edited = await edit(engine, user, row_id, SAMPLE)
    assert (edited.number, edited.moved_version) == (1, 3)
    assert "-        <cbc:PayableAmount>999.00</cbc:PayableAmount>" in edited.diff
    row = await database.fetchrow("SELECT * FROM invoices WHERE id = $1", row_id)
    assert row is not None
    identity = identify(SAMPLE)
    assert (row["stage"], row["ubl_data"].encode(), row["raw"]) == ("fetched", SAMPLE, None)
    assert (row["dossier"], row["number"], row["amount"]) == ("0123456749", "INV-2024-001", identity.payable_amount)
    assert row["content_sha256"] == identity.content_sha256
    assert row["reference"] == reference("0123456749", row["dedupe_key"], 0, identity.content_sha256)
    assert row["raw_sha256"] == b"\x01", "listed again by the source it is still known"
    versions = await database.fetch("SELECT * FROM document_versions WHERE item_id = $1 ORDER BY number", row_id)
    assert [(version["number"], version["content"]) for version in versions] == [(0, BROKEN), (1, SAMPLE)]
    assert (versions[1]["user_id"], versions[1]["reason"]) == (user.id, "the amount is repaired")
    assert [topic for topic, *_ in wire.records] == ["invoices.fetched.v1"]
    event = await database.fetchrow("SELECT * FROM invoice_events WHERE invoice_id = $1 AND version = 3", row_id)
    assert event is not None
    assert (event["actor"], event["details"]["edit"]) == (str(user.id), 1)
    assert await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'failed.edit'") == 1
    await engine.workers.close()


async def test_the_key_follows_what_the_document_says_now(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    row_id = await broken_row(database, dedupe_key="0123456749|SALE|X|Y|380|inv-2024-00|2024")
    await edit(engine, user, row_id, SAMPLE)
    keys = await database.fetch("SELECT dedupe_key, holder FROM invoice_keys")
    own = await database.fetchval("SELECT dedupe_key FROM invoices WHERE id = $1", row_id)
    assert [(key["dedupe_key"], key["holder"]) for key in keys] == [(own, row_id)], "the old one is free"
    await engine.workers.close()


async def test_an_edit_into_another_invoice_is_refused_and_changes_nothing(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    first = await broken_row(database)
    await edit(engine, user, first, SAMPLE)
    taken = await database.fetchval("SELECT dedupe_key FROM invoices WHERE id = $1", first)
    second = await broken_row(database, dedupe_key="another")
    with pytest.raises(NotAllowedNow, match=f"Row {first} is this invoice already"):
        await edit(engine, user, second, SAMPLE)
    assert await database.fetchval("SELECT holder FROM invoice_keys WHERE dedupe_key = $1", taken) == first
    assert await database.fetchval("SELECT count(*) FROM document_versions WHERE item_id = $1", second) == 0
    assert await database.fetchval("SELECT holder FROM invoice_keys WHERE dedupe_key = 'another'") == second
    await engine.workers.close()


async def test_what_would_fail_again_is_not_stored(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    row_id = await broken_row(database)
    for content in (BROKEN, b"no xml at all", b""):
        with pytest.raises(DocumentInvalid) as refused:
            await edit(engine, user, row_id, content)
        assert refused.value.details["findings"]
    assert await database.fetchval("SELECT count(*) FROM document_versions") == 0
    assert await database.fetchval("SELECT stage FROM invoices WHERE id = $1", row_id) == "failed"
    await engine.workers.close()


async def test_an_edit_of_what_moved_since_or_may_have_been_sent_is_refused(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    row_id = await broken_row(database)
    await edit(engine, user, row_id, SAMPLE)
    with pytest.raises(NotAllowedNow, match="it stands at fetched"):
        await edit(engine, user, row_id, SAMPLE)
    unclear = await broken_row(database, dedupe_key="b", maybe_sent=True)
    with pytest.raises(NotAllowedNow, match="may have been sent"):
        await edit(engine, user, unclear, SAMPLE)
    await engine.workers.close()


async def test_an_edit_may_wait_for_its_replay(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    row_id = await broken_row(database)
    assert (await edit(engine, user, row_id, SAMPLE, replay=False)).moved_version is None
    detail = await engine.stories.read_failures.one(row_id)
    assert (detail.status, detail.body, len(detail.versions)) == ("failed", SAMPLE.decode(), 2)
    await engine.workers.close()


async def test_a_records_new_value_must_be_its_event(database: Database) -> None:
    engine, user = replaying(database, Wire()), await RealWorld(database).admin()
    letter = await insert_letter(database)
    with pytest.raises(DocumentInvalid, match="would still not be a InvoiceFetched"):
        await edit(engine, user, letter, b'{"id": 1}', version=1)
    right = b'{"id": "01a20bdb-f2df-7799-8505-d7193d2f5503", "version": 1}'
    edited = await edit(engine, user, letter, right, version=1)
    assert edited.replay_id is not None
    versions = await database.fetch("SELECT content FROM document_versions WHERE item_id = $1 ORDER BY number", letter)
    assert [version["content"] for version in versions] == [b"not json", right]
    with pytest.raises(NotAllowedNow):
        await edit(engine, user, letter, right, version=1)
    await engine.workers.close()
