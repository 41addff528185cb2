"""Pages of invoices: nothing twice, nothing left out, whatever the filter and however short a look is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cursors import Cursors
from gateway.domain.faults import CursorInvalid
from gateway.domain.invoices import InvoiceFilter, Match
from gateway.domain.readings import InvoiceDetail, InvoiceSummary
from gateway.invoices.reading import ReadInvoices
from tests.unit.gateway.fakes import World, invoice, user
from tests.unit.gateway.fakes_invoices import FakeInvoices, takes
from tests.unit.gateway.invoice_strategies import filters, rows

CURSORS = Cursors(b"k" * 32)


async def walk(read: ReadInvoices, chosen: InvoiceFilter, limit: int) -> list[InvoiceSummary]:
    """Every page, one after the other."""
    found: list[InvoiceSummary] = []
    cursor = None
    while True:
        page = await read.page(chosen, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


@given(rows(), filters(), st.integers(1, 7), st.integers(1, 9))
async def test_all_pages_together_are_the_list(
    everything: list[InvoiceDetail], chosen: InvoiceFilter, limit: int, looked_at: int
) -> None:
    read = ReadInvoices(FakeInvoices(everything, looked_at), CURSORS)
    match = await read.match(chosen)
    expected = sorted((row for row in everything if takes(chosen, match, row)), key=lambda row: row.id, reverse=True)
    assert await walk(read, chosen, limit) == expected


@given(rows(), filters(), filters())
async def test_a_cursor_belongs_to_its_filter(
    everything: list[InvoiceDetail], one: InvoiceFilter, two: InvoiceFilter
) -> None:
    read = ReadInvoices(FakeInvoices(everything, 2), CURSORS)
    cursor = (await read.page(one, cursor=None, limit=1)).next_cursor
    if cursor is not None and one != two:
        with pytest.raises(CursorInvalid):
            await read.page(two, cursor=cursor, limit=1)


async def test_a_text_that_is_somebodys_number_finds_that_one_alone() -> None:
    invoices = FakeInvoices([invoice(number="2026/1"), invoice(number="2026/10"), invoice(number="2026/11")])
    read = ReadInvoices(invoices, CURSORS)
    assert [row.number for row in await walk(read, InvoiceFilter(q="2026/1"), 5)] == ["2026/1"]
    assert len(await walk(read, InvoiceFilter(q="2026/"), 5)) == 3


async def test_a_search_means_the_same_on_all_its_pages() -> None:
    invoices = FakeInvoices([invoice(number=f"2026/1{digit}") for digit in range(4)])
    read = ReadInvoices(invoices, CURSORS)
    first = await read.page(InvoiceFilter(q="2026/1"), cursor=None, limit=2)
    invoices.rows.append(invoice(number="2026/1"))
    assert await invoices.known("2026/1"), "what arrives meanwhile is somebody's number"
    second = await read.page(InvoiceFilter(q="2026/1"), cursor=first.next_cursor, limit=5)
    assert len(first.items) == 2
    assert len(second.items) >= 2
    assert await read.match(InvoiceFilter(q="2026/1")) is Match.WHOLE


@pytest.mark.parametrize(
    "query",
    [
        {"amount": "NaN"},
        {"amount": "1e999"},
        {"currency": "eur"},
        {"amount_min": "2", "amount_max": "1"},
        {"issued_since": "2026-02-02", "issued_until": "2026-02-01"},
        {"created_since": "2026-02-02T00:00:00"},
        {"direction": "sale"},
        {"q": "a\x00b"},
        {"q": ""},
        {"supplier": "x" * 256},
        {"misspelt": "1"},
    ],
)
async def test_a_filter_that_cannot_be_meant_is_refused(query: dict[str, str]) -> None:
    world = World()
    answer = await world.signed_in(world.users.add(user())).get("/api/v1/invoices", params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


async def test_every_filter_reaches_the_list() -> None:
    world = World()
    world.invoices.rows = [invoice(number="A", supplier="0123456749", amount=None), invoice(number="B")]
    http = world.signed_in(world.users.add(user()))
    answer = await http.get("/api/v1/invoices", params={"supplier": "BE 0123.456.749", "stage": "sent"})
    assert [item["number"] for item in answer.json()["data"]["items"]] == ["A"]
