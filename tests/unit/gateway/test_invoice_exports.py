"""Invoices as files: complete, in order, and harmless in a spreadsheet."""

import asyncio
import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.domain.access import Role
from gateway.domain.cursors import Cursors
from gateway.domain.exports import COLUMNS, Extent, Format, cell, rendering
from gateway.domain.faults import NotPermitted, NotSignedIn
from gateway.domain.invoices import InvoiceFilter
from gateway.domain.readings import InvoiceDetail
from gateway.invoices.export import ASKED_AGAIN, PAGE
from gateway.routes.envelopes import Envelopes
from gateway.routes.middleware import Edge
from gateway.use_cases import Authorize
from tests.unit.gateway.contract import CALLER
from tests.unit.gateway.fakes import NOON, OwnedTime, World, invoice, user
from tests.unit.gateway.fakes_invoices import FakeInvoices, takes
from tests.unit.gateway.invoice_strategies import filters, rows

PATH = "/api/v1/invoices/export"
ADMIN = user(Role.ADMIN)


async def exported(invoices: FakeInvoices, chosen: InvoiceFilter, format_: Format) -> tuple[Extent, str]:
    made = await invoices.stories(Cursors(b"k" * 32)).export(chosen, format_, ADMIN, CALLER)
    return made.extent, "".join([part async for part in made.parts])


def rows_of(text: str, format_: Format) -> list[str]:
    """Their ids."""
    match format_:
        case Format.CSV:
            return [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
        case Format.JSON:
            return [item["id"] for item in json.loads(text)["items"]]
        case Format.XML:
            return [element.text or "" for element in ET.fromstring(text).findall("invoice/id")]


@given(rows(), filters(), st.sampled_from(Format), st.integers(1, 9), st.integers(1, 12))
async def test_a_file_has_what_the_list_has_up_to_the_cap(
    everything: list[InvoiceDetail], chosen: InvoiceFilter, format_: Format, looked_at: int, most: int
) -> None:
    invoices = FakeInvoices(everything, looked_at, most=most)
    match = await invoices.stories(Cursors(b"k" * 32)).read.match(chosen)
    expected = sorted((row.id for row in everything if takes(chosen, match, row)), reverse=True)
    extent, text = await exported(invoices, chosen, format_)
    assert rows_of(text, format_) == [str(row_id) for row_id in expected[:most]]
    assert extent == Extent(min(most, len(expected)), len(expected) > most)
    if format_ is Format.JSON:
        assert (json.loads(text)["rows"], json.loads(text)["cut"]) == (extent.rows, extent.cut)
    if format_ is Format.XML:
        last = ET.fromstring(text).find("extent")
        assert last is not None
        assert last.attrib == {"rows": str(extent.rows), "cut": json.dumps(extent.cut)}


@pytest.mark.parametrize("text", ["=1+1", "+32 9", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_calculate_is_kept_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "written"),
    [(Decimal("-12.30"), "-12.30"), (Decimal("1E+3"), "1000"), (None, ""), ("plain", "plain"), ("a=b", "a=b")],
)
def test_numbers_stay_numbers(value: Any, written: str) -> None:
    assert cell(value) == written


@pytest.mark.parametrize("begin", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
def test_no_text_begins_a_formula(begin: str) -> None:
    assert cell(f"{begin}1+1") == f"'{begin}1+1"


@given(st.text(), st.text())
def test_any_text_survives_in_each_format(number: str, name: str) -> None:
    item = invoice(number=number, supplier_name=name)
    for format_ in Format:
        form = rendering(format_)
        text = form.start() + form.rows([item]) + form.end(Extent(1, cut=False))
        assert rows_of(text, format_) == [str(item.id)]
    form = rendering(Format.CSV)
    [row] = csv.DictReader(io.StringIO(form.start() + form.rows([item]), newline=""))
    assert row["number"] in {number, f"'{number}"}
    assert not row["supplier_name"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


async def ask(world: World, role: Role = Role.OPERATOR, **query: Any) -> httpx.Response:
    return await world.signed_in(world.users.add(user(role))).get(PATH, params=query)


async def test_a_file_is_an_attachment_that_says_how_much_it_is() -> None:
    world = World()
    world.invoices.rows = [invoice(created_at=NOON - timedelta(days=day), amount=Decimal("1.50")) for day in range(3)]
    world.invoices.most = 2
    answer = await ask(world, format="csv", status="sent")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices-20261124T120000Z.csv"'
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert (answer.headers["x-export-rows"], answer.headers["x-export-cut"]) == ("2", "true")
    assert answer.text.splitlines()[0] == ",".join(COLUMNS)
    [noted] = world.invoices.noted
    assert noted[1:3] == (Format.CSV, Extent(2, cut=True))


async def test_exporting_has_a_permission_of_its_own() -> None:
    world = World()
    assert (await ask(world, Role.USER, format="csv")).status_code == 403
    assert world.invoices.noted == []


@pytest.mark.parametrize("query", [{}, {"format": "xls"}, {"format": "csv", "limit": "5"}])
async def test_a_file_that_cannot_be_meant_is_refused(query: dict[str, str]) -> None:
    assert (await ask(World(), Role.OPERATOR, **query)).status_code == 422


def stream(pause: float) -> ASGIApp:
    async def slow_file(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
        await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": b"whole"})

    return slow_file


async def through_faults(app: ASGIApp, **limits: float) -> httpx.Response:
    edge = Edge(app, envelopes=Envelopes(OwnedTime().clock()), behind_tls=False, **limits)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://gateway.test") as http:
        return await http.get("/")


async def test_a_file_may_take_longer_than_an_answer() -> None:
    assert (await through_faults(stream(0.1), longest=0.01)).text == "whole"


async def test_a_reader_that_stops_reading_is_let_go() -> None:
    with pytest.raises(TimeoutError):
        await through_faults(stream(60), longest_stream=0.01)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"role": Role.USER}, NotPermitted),
        ({"is_active": False}, NotSignedIn),
        ({"token_generation": 1}, NotSignedIn),
    ],
)
async def test_a_file_breaks_off_within_seconds_for_who_may_not_take_it_any_more(
    change: dict[str, Any], error: type[Exception]
) -> None:
    world, time = World(), OwnedTime()
    world.users.add(ADMIN)
    invoices = FakeInvoices([invoice() for _ in range(2 * PAGE + 1)], clock=time.clock())
    invoices.standing = Authorize(world.users, world.tokens())
    parts = (await invoices.stories(Cursors(b"k" * 32)).export(InvoiceFilter(), Format.CSV, ADMIN, CALLER)).parts
    await anext(parts)
    world.users.add(replace(ADMIN, **change))
    time.seconds = ASKED_AGAIN - 0.1
    assert await anext(parts)
    time.seconds = ASKED_AGAIN
    with pytest.raises(error):
        await anext(parts)
