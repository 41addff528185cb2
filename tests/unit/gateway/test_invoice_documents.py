"""One invoice: why it stands where it stands, its document as bytes and as a reading."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.access import Role
from gateway.domain.documents import report
from gateway.domain.readings import FindingReading, Moved, ValidationReport
from gateway.routes.attachments import attachment
from tests.unit.gateway.fakes import NOON, World, invoice, user
from tests.unit.ubl.documents import SAMPLE

PATH = "/api/v1/invoices"


def world(**given: Any) -> World:
    made = World()
    made.invoices.rows = [invoice(number="2026/1", processed_at=NOON, **given)]
    return made


async def ask(made: World, what: str, role: Role = Role.OPERATOR) -> Any:
    return await made.signed_in(made.users.add(user(role))).get(f"{PATH}/{made.invoices.rows[0].id}/{what}")


async def test_why_is_one_sentence() -> None:
    answer = await ask(world(), "why", Role.USER)
    assert answer.json()["data"]["why"] == "2026/1 was sent to Clearfacts at 2026-11-24 12:00:00Z."


async def test_a_document_leaves_byte_for_byte_as_a_file_in_which_nothing_runs() -> None:
    made = world()
    answer = await ask(made, "ubl")
    assert answer.content == SAMPLE
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"] == 'attachment; filename="2026_1.xml"'
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [entry[0] for entry in made.invoices.noted] == [made.invoices.rows[0].id]


async def test_only_who_may_read_documents_takes_one() -> None:
    made = world()
    assert (await ask(made, "ubl", Role.USER)).status_code == 403
    assert made.invoices.noted == []


async def test_an_accountant_reads_the_invoice() -> None:
    data = (await ask(world(), "reading", Role.USER)).json()["data"]
    assert (data["number"], data["kind"], data["issued"]) == ("INV-2024-001", "invoice", "2024-01-15")
    assert data["totals"]["payable"] == "121.00"
    assert data["lines"][0]["description"] == "Product Description"
    assert {"supplier", "customer", "vat", "payment", "corrects"} <= data.keys()


async def test_a_document_that_nobody_can_read_is_said_to_be_so() -> None:
    made = world()
    made.invoices.contents[made.invoices.rows[0].id] = b"<Invoice"
    answer = await ask(made, "reading")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "DOCUMENT_INVALID")


@pytest.mark.parametrize("what", ["why", "reading", "ubl", "differences", ""])
async def test_an_invoice_that_is_not_there_has_nothing_to_show(what: str) -> None:
    made = World()
    http = made.signed_in(made.users.add(user()))
    answer = await http.get(f"{PATH}/{uuid4()}{f'/{what}' if what else ''}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


FINDING = {"rule": "LOCAL-DATE-03", "severity": "warning", "layer": "local", "message": "late", "location": "/a",
           "line": 3}  # fmt: skip


def moved(stage: str, version: int, **details: Any) -> Moved:
    return Moved(NOON, version, stage, None, "validator", details or None)


def test_the_report_is_the_verdict_that_stands() -> None:
    moves = [moved("fetched", 1), moved("failed", 2, ruleset="old"), moved("validated", 3, ruleset="new"),
             moved("sending", 4, attempt=1)]  # fmt: skip
    found = FindingReading("LOCAL-DATE-03", "warning", "local", "late", "/a", 3)
    assert report([FINDING], moves) == ValidationReport("new", valid=True, findings=[found])
    assert report(None, moves[:2]) == ValidationReport("old", valid=False, findings=[])
    assert report(None, moves[:1]) == ValidationReport(None, None, [])


@pytest.mark.parametrize(
    ("title", "header"),
    [
        ("INV-7", 'attachment; filename="INV-7.xml"'),
        ("../../etc/passwd", 'attachment; filename="etc_passwd.xml"'),
        ('a"; filename="b', 'attachment; filename="a_filename_b.xml"'),
        ("café", "attachment; filename=\"caf.xml\"; filename*=UTF-8''caf%C3%A9.xml"),
        ("...", 'attachment; filename="invoice.xml"'),
    ],
)
def test_a_file_is_saved_under_a_harmless_name(title: str, header: str) -> None:
    assert attachment(title, "xml") == header


@given(st.text(max_size=300))
def test_no_title_breaks_the_header(title: str) -> None:
    header = attachment(title, "xml")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert not set(header) & {"/", "\\"}
    assert len(header) < 1500
