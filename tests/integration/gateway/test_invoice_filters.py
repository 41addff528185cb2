"""Every filter means in PostgreSQL what it means in a list."""

from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.db.pool import Database
from gateway.adapters.postgres_invoices import PostgresInvoices
from gateway.domain.cursors import Cursors
from gateway.domain.invoices import InvoiceFilter
from gateway.domain.readings import InvoiceDetail, InvoiceSummary
from gateway.invoices.reading import ReadInvoices
from tests.integration.gateway.world import insert_invoice, insert_job
from tests.unit.gateway.fakes_invoices import takes
from tests.unit.gateway.invoice_strategies import OPTIONS, filters, many_rows, rows
from tests.unit.gateway.test_invoice_pages import walk

pytestmark = pytest.mark.stack

COLUMNS = [each.name for each in fields(InvoiceSummary) if each.name not in {"error", "job_id", "updated_at"}]


async def store(database: Database, everything: list[InvoiceDetail]) -> None:
    await database.execute("DELETE FROM invoices")
    for row in everything:
        columns: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
        await insert_invoice(database, **columns)


@given(rows(most=12), st.lists(filters(), min_size=6, max_size=6), st.integers(1, 5), st.integers(1, 6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_all_pages_together_are_the_list(
    database: Database, everything: list[InvoiceDetail], asked: list[InvoiceFilter], limit: int, looked_at: int
) -> None:
    await store(database, everything)
    invoices = PostgresInvoices(database, looked_at=looked_at)
    read = ReadInvoices(invoices, Cursors(b"k" * 32))
    for chosen in asked:
        match = await read.match(chosen)
        expected = sorted((row.id for row in everything if takes(chosen, match, row)), reverse=True)
        assert [row.id for row in await walk(read, chosen, limit)] == expected, chosen
        assert await invoices.count(chosen, match, most=5) == min(5, len(expected))


async def test_each_filter_alone_means_what_it_means_in_a_list(database: Database) -> None:
    everything = many_rows(80, seed=7)
    await store(database, everything)
    read = ReadInvoices(PostgresInvoices(database), Cursors(b"k" * 32))
    for name, values in OPTIONS.items():
        for value in values:
            chosen = InvoiceFilter(**{name: value})
            match = await read.match(chosen)
            expected = sorted((row.id for row in everything if takes(chosen, match, row)), reverse=True)
            assert [row.id for row in await walk(read, chosen, 200)] == expected, chosen


async def test_a_job_is_a_filter_like_the_others(database: Database) -> None:
    job = await insert_job(database)
    inside = [await insert_invoice(database, job_id=job, number=str(number)) for number in range(5)]
    await insert_invoice(database, number="0")
    read = ReadInvoices(PostgresInvoices(database, looked_at=2), Cursors(b"k" * 32))
    assert [row.id for row in await walk(read, InvoiceFilter(job_id=job), 2)] == sorted(inside, reverse=True)
    assert [row.id for row in await walk(read, InvoiceFilter(job_id=job, q="0"), 2)] == inside[:1]


async def test_an_old_number_is_found_by_its_index_and_not_by_looking(database: Database) -> None:
    oldest: UUID = await insert_invoice(database, number="2026/1")
    for number in range(2, 8):
        await insert_invoice(database, number=f"2026/{number}")
    read = ReadInvoices(PostgresInvoices(database, looked_at=2), Cursors(b"k" * 32))
    page = await read.page(InvoiceFilter(q="2026/1"), cursor=None, limit=5)
    assert ([row.id for row in page.items], page.next_cursor) == ([oldest], None)
