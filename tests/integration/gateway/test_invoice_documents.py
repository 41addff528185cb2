"""Documents and files of invoices, from the real PostgreSQL."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from tests.integration.gateway.world import RealWorld, insert_invoice
from tests.unit.ubl.documents import SAMPLE

pytestmark = pytest.mark.stack

PATH = "/api/v1/invoices"
ROOT = SAMPLE[SAMPLE.index(b"<Invoice") :]
LATIN = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + ROOT.replace(b"Product", "Café".encode("latin-1"))


async def get(world: RealWorld, path: str, **query: Any) -> Any:
    return await (await world.signed_in()).get(f"{PATH}{path}", params=query)


async def audited(database: Database, action: str) -> list[dict[str, Any]]:
    rows = await database.fetch("SELECT resource_id, details FROM audit_logs WHERE action = $1", action)
    return [{"resource_id": row["resource_id"], **row["details"]} for row in rows]


async def test_the_original_bytes_leave_and_who_took_them_is_noted(database: Database) -> None:
    world = RealWorld(database)
    plain = await insert_invoice(database, ubl_data=SAMPLE.decode(), number="2026/1")
    latin = await insert_invoice(database, ubl_data=LATIN.decode("latin-1"), raw=LATIN)
    assert (await get(world, f"/{plain}/ubl")).content == SAMPLE
    assert (await get(world, f"/{latin}/ubl")).content == LATIN
    assert (await get(world, f"/{latin}/reading")).json()["data"]["lines"][0]["description"].startswith("Café")
    assert [entry["resource_id"] for entry in await audited(database, "invoices.download")] == [plain, latin]


async def test_two_versions_of_one_invoice_are_compared(database: Database) -> None:
    world = RealWorld(database)
    place: dict[str, Any] = {"dossier": "0123456749", "dedupe_key": "one"}
    sent = await insert_invoice(database, ubl_data=SAMPLE.decode(), number="2026/1", **place)
    changed = SAMPLE.replace(b"INV-2024-001", b"INV-2024-002").decode()
    held = {"status": "held", "stage": "held", "reason": "changed_after_sent"}
    other = await insert_invoice(database, ubl_data=changed, **place, **held)
    await database.execute("INSERT INTO invoice_keys VALUES ($1, $2, $3, 0)", "0123456749", "one", sent)
    data = (await get(world, f"/{other}/differences")).json()["data"]
    assert data["other"]["id"] == str(sent)
    assert [(change["old"], change["new"]) for change in data["difference"]["changes"]] == [
        ("INV-2024-001", "INV-2024-002")
    ]
    alone = (await get(world, f"/{sent}/differences")).json()["data"]
    assert (alone["other"], alone["difference"]) == (None, None)


async def test_a_file_is_streamed_in_pages_up_to_the_cap_and_noted(database: Database) -> None:
    world = RealWorld(database, export_rows=2500)
    ids = sorted([SYSTEM_CLOCK.new_id() for _ in range(2600)], reverse=True)
    await database.execute(
        "INSERT INTO invoices (id, invoice_id, ubl_data, status, stage, raw_sha256, number, amount)"
        " SELECT id, 'SRC-' || id, '<Invoice/>', 'sent', 'sent', '\\x01', '=1+1', -12.30 FROM unnest($1::uuid[]) id",
        ids,
    )
    answer = await get(world, "/export", format="csv", amount_max="-1")
    found = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [UUID(row["id"]) for row in found] == ids[:2500]
    assert (found[0]["number"], found[0]["amount"]) == ("'=1+1", "-12.30")
    assert (answer.headers["x-export-rows"], answer.headers["x-export-cut"]) == ("2500", "true")
    [entry] = await audited(database, "invoices.export")
    assert (entry["rows"], entry["cut"], entry["format"]) == (2500, True, "csv")
    assert entry["filter"] == {"amount_max": "-1"}


async def test_a_file_of_few_is_whole(database: Database) -> None:
    world = RealWorld(database)
    await insert_invoice(database, number="A")
    await insert_invoice(database, number="B", status="failed", stage="failed")
    found = json.loads((await get(world, "/export", format="json", status="failed")).text)
    assert ([item["number"] for item in found["items"]], found["rows"], found["cut"]) == (["B"], 1, False)


async def test_an_invoice_shows_its_attempts_with_their_evidence_and_its_validation(database: Database) -> None:
    world = RealWorld(database)
    finding = {"rule": "LOCAL-DATE-03", "severity": "warning", "layer": "local", "message": "late", "location": None}
    row = await insert_invoice(database, findings=[finding])
    await database.execute(
        "INSERT INTO attempts (invoice_id, number, version, reference, lease_until, outcome, absent, looked_up_at)"
        " VALUES ($1, 7, 3, gen_random_uuid(), now(), 'unknown', 2, now())",
        row,
    )
    await database.execute(
        "INSERT INTO invoice_events (invoice_id, version, stage, actor, details)"
        " VALUES ($1, 2, 'validated', 'validator', '{\"ruleset\": \"basic-1\"}')",
        row,
    )
    data = (await get(world, f"/{row}")).json()["data"]
    [attempt] = data["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["absent"]) == (7, "unknown", 2)
    assert attempt["looked_up_at"] is not None
    assert (data["validation"]["ruleset"], data["validation"]["valid"]) == ("basic-1", True)
    assert data["validation"]["findings"][0]["rule"] == "LOCAL-DATE-03"
