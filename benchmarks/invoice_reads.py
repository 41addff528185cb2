"""How long lists, searches and single invoices take at a million rows, and whether a late page costs what page 1 does.

`python -m benchmarks.invoice_reads [--rows N] [--json]`: a PostgreSQL of its own, filled by SQL with bodies of 1 kB,
asked as the gateway asks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from benchmarks.asking import command, timed
from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.stage import Stage, Status
from gateway.adapters.postgres_invoices import PostgresInvoices
from gateway.domain.cursors import Cursors
from gateway.domain.invoices import InvoiceFilter, Match
from gateway.invoices.reading import ReadInvoices

JOBS, REPEATS, PAGE = 100, 200, 50
LATE_PAGE = 10_000

# One row in a hundred failed, one in two hundred is a duplicate: all of them older than the newest tenth, so that a
# walk from the newest row would have to pass a hundred thousand others first.
_INVOICES = """
INSERT INTO invoices (id, job_id, invoice_id, ubl_data, status, stage, reason, processed_at, created_at, raw_sha256,
    dossier, direction, kind, number, issue_date, supplier, supplier_name, customer, customer_name, currency, amount,
    dedupe_key, version)
SELECT uuidv7(make_interval(secs => -s.n * 0.5)), j.id, 'SRC-' || s.n, '<Invoice>' || repeat(md5(s.n::text), 32),
    e.stage, e.stage, CASE WHEN e.stage = 'failed' THEN 'invalid' END,
    now() - make_interval(secs => s.n * 0.5), now() - make_interval(secs => s.n * 0.5), decode(md5(s.n::text), 'hex'),
    lpad((s.n % 500)::text, 10, '0'), CASE WHEN s.n % 3 = 0 THEN 'PURCHASE' ELSE 'SALE' END,
    CASE WHEN s.n % 20 = 0 THEN 'credit_note' ELSE 'invoice' END, 'INV-' || s.n,
    current_date - (s.n / 200000), lpad((s.n % 1000)::text, 10, '0'), 'Supplier ' || s.n % 1000,
    lpad((s.n % 7919)::text, 10, '0'), 'Customer ' || s.n % 7919, 'EUR', (s.n % 1000000) / 100.0, 'key-' || s.n, 4
FROM generate_series($1::int, $2::int) AS s(n)
CROSS JOIN LATERAL (SELECT CASE
    WHEN s.n > $3 / 10 AND s.n % 100 = 0 THEN 'failed'
    WHEN s.n > $3 / 10 AND s.n % 200 = 1 THEN 'duplicate' ELSE 'sent' END AS stage) AS e
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM jobs) AS j ON j.place = s.n * 100 / ($3 + 1)
"""
_JOBS = """
INSERT INTO jobs (job_type, status, created_at, listed_at, completed_at)
SELECT 'manual', 'completed', now() - make_interval(secs => (n + 1) * $1 / 200.0),
    now() - make_interval(secs => n * $1 / 200.0), now() - make_interval(secs => n * $1 / 200.0)
FROM generate_series(0, $2::int - 1) AS s(n)
"""
_STEP = 50_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is to ask for."""

    job: UUID
    old: str
    rows: int


async def fill(database: Database, rows: int) -> None:
    await database.execute(_JOBS, rows, JOBS)
    for start in range(1, rows + 1, _STEP):
        await database.execute(_INVOICES, start, min(rows, start + _STEP - 1), rows)
    await database.execute("VACUUM (ANALYZE) invoices")


def questions(sample: Sample) -> dict[str, InvoiceFilter]:
    middle = SYSTEM_CLOCK.now() - timedelta(seconds=sample.rows * 0.25)
    return {
        "list": InvoiceFilter(),
        "list, status sent": InvoiceFilter(status=Status.SENT),
        "list, status failed": InvoiceFilter(status=Status.FAILED),
        "list, status duplicate": InvoiceFilter(status=Status.DUPLICATE),
        "list, status held (none)": InvoiceFilter(status=Status.HELD),
        "list, stage unknown (none)": InvoiceFilter(stage=Stage.UNKNOWN),
        "list, one job": InvoiceFilter(job_id=sample.job),
        "list, one job's failures": InvoiceFilter(job_id=sample.job, status=Status.FAILED),
        "list, one number": InvoiceFilter(number=sample.old),
        "list, one dossier": InvoiceFilter(dossier="0000000042"),
        "list, one supplier by number": InvoiceFilter(supplier="0000000042"),
        "list, one supplier by name": InvoiceFilter(supplier="supplier 421"),
        "list, an amount": InvoiceFilter(amount=Decimal("42.42")),
        "list, amounts that are nowhere": InvoiceFilter(amount_min=Decimal(10_000_000)),
        "list, a window of time": InvoiceFilter(created_until=middle, created_since=middle - timedelta(hours=2)),
        "list, old days of issue": InvoiceFilter(issued_until=(middle - timedelta(days=2)).date()),
        "search, an old number": InvoiceFilter(q=sample.old),
        "search, a part that is common": InvoiceFilter(q="Supplier 42"),
        "search, a part that is rare": InvoiceFilter(q="v-4242"),
        "search, nowhere": InvoiceFilter(q="nowhere"),
    }


async def measured(ask: Callable[[int], Awaitable[Any]]) -> dict[str, float]:
    """Milliseconds: median, 99th percentile and the longest of `REPEATS`."""
    took = await timed(ask, REPEATS)
    shown = {"p50_ms": took[len(took) // 2], "p99_ms": took[int(len(took) * 0.99) - 1], "most_ms": took[-1]}
    return {name: round(value, 1) for name, value in shown.items()}


async def measure(database: Database, rows: int) -> dict[str, Any]:
    invoices = PostgresInvoices(database)
    read = ReadInvoices(invoices, Cursors(b"k" * 32))
    job = await database.fetchval("SELECT job_id FROM invoices WHERE number = $1", f"INV-{rows // 2}")
    found: dict[str, Any] = {"rows": rows}
    for name, chosen in questions(Sample(job, f"INV-{rows - 7}", rows)).items():
        found[name] = await measured(lambda _, chosen=chosen: read.page(chosen, cursor=None, limit=PAGE))
    late = LATE_PAGE if rows > LATE_PAGE * PAGE else rows // PAGE // 2
    place = await database.fetchval("SELECT id FROM invoices ORDER BY id DESC OFFSET $1 LIMIT 1", (late - 1) * PAGE - 1)
    found[f"list, page {late}"] = await measured(
        lambda _: invoices.stretch(InvoiceFilter(), Match.PART, after=place, limit=PAGE)
    )
    some = await invoices.stretch(InvoiceFilter(), Match.PART, after=place, limit=PAGE)
    found["show"] = await measured(lambda turn: read.one(some.items[turn % PAGE].id))
    return found


if __name__ == "__main__":
    command(__doc__, fill, measure)
