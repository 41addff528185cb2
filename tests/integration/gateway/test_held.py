"""Held invoices on the real PostgreSQL: what is shown, what a decision moves, who is first."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database, Row
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job
from tests.unit.gateway.fakes_held import SETTLE

pytestmark = pytest.mark.stack

DOSSIER = "0123456749"
DOCUMENT = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>2026/1</cbc:ID><cbc:Note>{note}</cbc:Note></Invoice>"""


async def unknown(database: Database, *, lease_ended: timedelta = timedelta(hours=1), **columns: Any) -> UUID:
    """A held row with an attempt that nobody heard of again; it holds its key."""
    key = f"key-{uuid4()}"
    usual = {
        "status": "held",
        "stage": "held",
        "reason": "unknown_outcome",
        "maybe_sent": True,
        "dossier": DOSSIER,
        "dedupe_key": key,
        "reference": uuid4(),
        "version": 5,
        "processed_at": SYSTEM_CLOCK.now() - timedelta(minutes=2),
    }
    row = await insert_invoice(database, **usual | columns)
    await database.execute("INSERT INTO invoice_keys VALUES ($1, $2, $3, 0)", DOSSIER, key, row)
    await database.execute(
        """INSERT INTO attempts (invoice_id, number, version, reference, lease_until, outcome)
           VALUES ($1, nextval('attempt_number'), 3, $2, now() - $3::interval, 'unknown')""",
        row,
        uuid4(),
        lease_ended,
    )
    return row


async def changed(database: Database) -> tuple[UUID, UUID]:
    """A version that was sent, and another one that is held for it."""
    sent = await insert_invoice(
        database, ubl_data=DOCUMENT.format(note="first"), dossier=DOSSIER, dedupe_key="changed",
        clearfacts_response={"uuid": "cf-1"},
    )  # fmt: skip
    await database.execute("INSERT INTO invoice_keys VALUES ($1, $2, $3, 0)", DOSSIER, "changed", sent)
    held = await insert_invoice(
        database, ubl_data=DOCUMENT.format(note="second"), dossier=DOSSIER, dedupe_key="changed", status="held",
        stage="held", reason="changed_after_sent", duplicate_of=sent,
    )  # fmt: skip
    return sent, held


async def decide(world: RealWorld, row: UUID, resolution: str, **more: str) -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    body = {"resolution": resolution, "reason": "I looked", **more}
    answer = await (await world.signed_in()).post(f"/api/v1/held/{row}/resolve", json=body, headers=headers)
    whole: dict[str, Any] = answer.json()
    return answer.status_code, whole.get("data") or whole["error"]


async def row_of(database: Database, row_id: UUID) -> Row:
    row = await database.fetchrow("SELECT *, wake_at - now() AS waits FROM invoices WHERE id = $1", row_id)
    assert row is not None
    return row


async def show(world: RealWorld, row: UUID) -> dict[str, Any]:
    answer = await (await world.signed_in()).get(f"/api/v1/held/{row}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_what_waits_is_listed_with_its_age_and_filtered(database: Database) -> None:
    world = RealWorld(database)
    job = await insert_job(database)
    rows = [await unknown(database), await unknown(database, job_id=job)]
    _, other = await changed(database)
    http = await world.signed_in()
    items = (await http.get("/api/v1/held")).json()["data"]["items"]
    assert [item["id"] for item in items] == [str(row) for row in (*rows, other)]
    assert 115 <= items[0]["age_seconds"] <= 180
    for query, found in (
        ({"reason": "changed_after_sent"}, [other]),
        ({"job_id": str(job)}, [rows[1]]),
        ({"dossier": "0999999922"}, []),
    ):
        items = (await http.get("/api/v1/held", params=query)).json()["data"]["items"]
        assert [item["id"] for item in items] == [str(row) for row in found]


async def test_a_changed_version_shows_the_one_that_was_sent_and_what_differs_and_no_document(
    database: Database,
) -> None:
    sent, held = await changed(database)
    data = await show(RealWorld(database), held)
    assert (data["other"]["id"], data["other"]["status"], data["other"]["uuid"]) == (str(sent), "sent", "cf-1")
    assert data["difference"] == {
        "changes": [{"path": "Invoice/cbc:Note", "old": "first", "new": "second"}],
        "more": 0,
        "note": None,
    }
    assert [(choice["resolution"], choice["allowed"]) for choice in data["choices"]] == [
        ("found", False),
        ("not_there", False),
        ("abandon", True),
    ]
    assert "<Invoice" not in str(data)


async def test_a_version_that_cannot_be_read_says_so_instead_of_a_difference(database: Database) -> None:
    sent, held = await changed(database)
    await database.execute("UPDATE invoices SET raw = $2 WHERE id = $1", sent, b"<Invoice>\xff")
    assert "cannot be read" in (await show(RealWorld(database), held))["difference"]["note"]


async def test_an_unknown_outcome_shows_its_attempts_and_nothing_else(database: Database) -> None:
    row = await unknown(database)
    data = await show(RealWorld(database), row)
    assert [attempt["outcome"] for attempt in data["attempts"]] == ["unknown"]
    assert (data["other"], data["difference"]) == (None, None)
    assert all(choice["allowed"] for choice in data["choices"])


async def test_a_stated_uuid_waits_for_the_sender_who_reads_it_back(database: Database) -> None:
    row = await unknown(database)
    world = RealWorld(database)
    status, data = await decide(world, row, "found", uuid="cf-7")
    assert (status, data["stage"], data["reason"], data["version"]) == (200, "held", "stated", 6)
    after = await row_of(database, row)
    assert (after["status"], after["reason"], after["maybe_sent"]) == ("held", "stated", True)
    assert after["clearfacts_response"]["stated"]["uuid"] == "cf-7"
    assert after["waits"] <= timedelta(0)


async def test_a_resend_goes_to_the_pump_at_once_with_a_fresh_clock_and_a_persons_name(database: Database) -> None:
    row = await unknown(database, failures=4, paused_seconds=30.0, first_failed_at=SYSTEM_CLOCK.now())
    world = RealWorld(database)
    status, data = await decide(world, row, "not_there")
    assert (status, data["stage"], data["status"]) == (200, "validated", "pending")
    after = await row_of(database, row)
    assert (after["stage"], after["maybe_sent"], after["version"]) == ("validated", False, 6)
    assert (after["failures"], after["first_failed_at"], after["paused_seconds"]) == (0, None, 0)
    assert after["waits"] <= timedelta(0)
    admin = await world.admin()
    event = await database.fetchrow("SELECT * FROM invoice_events WHERE invoice_id = $1", row)
    assert event is not None
    assert (event["actor"], event["stage"]) == (str(admin.id), "validated")
    assert event["details"] == {"resolution": "not_there", "reason": "I looked"}
    entry = await database.fetchrow("SELECT * FROM audit_logs WHERE action = 'held.resolve'")
    assert entry is not None
    assert (entry["user_id"], entry["resource_id"], entry["details"]["held_for"]) == (admin.id, row, "unknown_outcome")


async def test_a_resend_before_lease_and_settle_have_passed_is_refused_and_says_until_when(database: Database) -> None:
    row = await unknown(database, lease_ended=SETTLE - timedelta(seconds=30))
    status, error = await decide(RealWorld(database), row, "not_there")
    assert (status, error["code"], error["details"]["stage"]) == (409, "CONFLICT", "held")
    assert "not_before" in error["details"]
    assert (await row_of(database, row))["version"] == 5
    assert await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'held.resolve'") == 0


async def test_a_row_that_lost_its_key_is_not_sent_again(database: Database) -> None:
    row = await unknown(database)
    other = await insert_invoice(database)
    await database.execute("UPDATE invoice_keys SET holder = $1", other)
    status, error = await decide(RealWorld(database), row, "not_there")
    assert (status, error["details"]["holder"]) == (409, str(other))


async def test_an_abandoned_row_that_may_be_there_keeps_its_key(database: Database) -> None:
    row = await unknown(database)
    status, data = await decide(RealWorld(database), row, "abandon")
    after = await row_of(database, row)
    assert (status, data["reason"]) == (200, "abandoned")
    assert (after["status"], after["reason"], after["maybe_sent"]) == ("failed", "abandoned", True)


async def test_of_twenty_who_decide_at_once_one_is_first_and_the_others_hear_how_it_stands(database: Database) -> None:
    row = await unknown(database)
    world = RealWorld(database)
    await world.admin()
    answers = await asyncio.gather(
        *(decide(world, row, resolution) for resolution in ("abandon", "not_there") * 10), return_exceptions=False
    )
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    assert await database.fetchval("SELECT count(*) FROM invoice_events WHERE invoice_id = $1", row) == 1
    assert len(world.outcomes.announced) == 1
    stage = (await row_of(database, row))["stage"]
    assert {error["details"]["stage"] for status, error in answers if status == 409} == {stage}


async def test_ten_at_once_with_one_key_hear_the_same(database: Database) -> None:
    row = await unknown(database)
    world = RealWorld(database)
    await world.admin()
    answers = await asyncio.gather(*(decide(world, row, "not_there", key="once") for _ in range(10)))
    assert {(status, data["version"]) for status, data in answers} == {(200, 6)}
    assert sum(data["replayed"] for _, data in answers) == 9
    status, error = await decide(world, row, "abandon", key="once")
    assert (status, error["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_what_is_not_held_is_not_found_or_conflicts(database: Database) -> None:
    world = RealWorld(database)
    sent = await insert_invoice(database)
    assert (await (await world.signed_in()).get(f"/api/v1/held/{sent}")).status_code == 404
    assert (await decide(world, sent, "abandon"))[0] == 409
    assert (await decide(world, uuid4(), "abandon"))[0] == 404


async def test_a_decision_about_a_finished_job_asks_for_one_correction(database: Database) -> None:
    world = RealWorld(database)
    finished, running = await insert_job(database, status="completed"), await insert_job(database)
    for job in (finished, finished, running):
        assert (await decide(world, await unknown(database, job_id=job), "abandon"))[0] == 200
    rows = await database.fetch("SELECT kind, subject, wake_at - now() AS waits FROM notifications")
    assert {(row["kind"], row["subject"]) for row in rows} == {("job_corrected", str(finished))}
    assert len(rows) <= 2  # two where the ten minutes end in between
    assert all(timedelta(seconds=29) < row["waits"] <= timedelta(minutes=10, seconds=30) for row in rows)
