"""What is asked, how often, and how fast it has to be answered."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlencode
from uuid import UUID

from common.db.pool import Database
from gateway.domain.cursors import Cursors
from gateway.domain.invoices import InvoiceFilter, Match
from gateway.invoices.reading import bound_to

PAGE = 50
LATE_PAGE = 10_000
_MANY = 500
"""So many different ones of a kind are asked for."""
_INVOICES = "/api/v1/invoices"


class Group(StrEnum):
    """What has one goal."""

    JOB = "job"
    INVOICE = "invoice"
    LIST = "list"
    SEARCH = "search"


IDLE = {Group.JOB: 50.0, Group.INVOICE: 50.0, Group.LIST: 50.0, Group.SEARCH: 300.0}
BUSY = {Group.JOB: 150.0, Group.INVOICE: 150.0, Group.LIST: 150.0, Group.SEARCH: 300.0}
"""Milliseconds of the 99th percentile: with the system idle, and beside a job at 50 invoices a second."""


@dataclass(frozen=True, slots=True)
class Question:
    """`share`: how often it comes among fifty. `bare`: the same questions as the bare application takes them."""

    name: str
    group: Group
    share: int
    paths: Sequence[str]
    bare: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is: ids of jobs and invoices, numbers; and the row before page 10,000, or before a late one."""

    jobs: list[UUID]
    invoices: list[UUID]
    numbers: list[str]
    late_page: int
    late: UUID


async def sample(database: Database, rows: int, chance: random.Random) -> Sample:
    numbers = [f"INV-{chance.randint(1, rows)}" for _ in range(_MANY)]
    found = await database.fetch("SELECT id FROM invoices WHERE number = ANY($1)", numbers)
    jobs = await database.fetch("SELECT id FROM jobs ORDER BY created_at")
    page = LATE_PAGE if rows > LATE_PAGE * PAGE else max(2, rows // PAGE // 2)
    late = await database.fetchval("SELECT id FROM invoices ORDER BY id DESC OFFSET $1 LIMIT 1", (page - 1) * PAGE - 1)
    some = chance.sample([row["id"] for row in jobs], min(_MANY, len(jobs)))
    return Sample(some, [row["id"] for row in found], numbers, page, late)


def questions(sample: Sample, cursors: Cursors, chance: random.Random) -> list[Question]:
    return [
        _job(sample),
        Question("jobs, page 1", Group.LIST, 2, ["/api/v1/jobs"]),
        _invoice(sample),
        Question("list, page 1", Group.LIST, 8, [_INVOICES], bare=["/invoices"]),
        _late(sample, cursors),
        *(Question(f"list, {name}", Group.LIST, share, paths) for name, share, paths in _filters(sample, chance)),
        *_searches(sample, chance),
    ]


def _job(sample: Sample) -> Question:
    bare = [f"/jobs/{job}" for job in sample.jobs]
    return Question("job", Group.JOB, 10, [f"/api/v1{path}" for path in bare], bare)


def _invoice(sample: Sample) -> Question:
    bare = [f"/invoices/{invoice}" for invoice in sample.invoices]
    return Question("invoice", Group.INVOICE, 10, [f"/api/v1{path}" for path in bare], bare)


def _late(sample: Sample, cursors: Cursors) -> Question:
    """The cursor that walking there would have given; the walk itself is 10,000 requests."""
    cursor = cursors.seal((str(sample.late), Match.PART.value), bound_to=bound_to(InvoiceFilter()))
    name = f"list, page {sample.late_page:,}"
    return Question(name, Group.LIST, 5, [_asking(cursor=cursor)], bare=[f"/invoices?after={sample.late}"])


def _filters(sample: Sample, chance: random.Random) -> list[tuple[str, int, list[str]]]:
    dossiers = [f"{chance.randrange(500):010}" for _ in range(_MANY)]
    return [
        ("failed", 2, [_asking(status="failed")]),
        ("held", 1, [_asking(status="held")]),
        ("one job", 2, [_asking(job_id=str(job)) for job in sample.jobs]),
        ("one dossier", 1, [_asking(dossier=dossier) for dossier in dossiers]),
        ("purchases", 1, [_asking(direction="PURCHASE")]),
    ]


def _searches(sample: Sample, chance: random.Random) -> list[Question]:
    parties = [chance.randrange(1000) for _ in range(_MANY)]
    amounts = [f"{chance.randrange(1_000_000) / 100:.2f}" for _ in range(_MANY)]
    parts = [f"Supplier {party}" for party in parties]
    asked = {
        "number": (3, [_asking(number=number) for number in sample.numbers]),
        "a whole number": (1, [_asking(q=number) for number in sample.numbers]),
        "a part": (1, [_asking(q=part) for part in parts]),
        "supplier": (1, [_asking(supplier=f"{party:010}") for party in parties]),
        "customer": (1, [_asking(customer=f"Customer {party}") for party in parties]),
        "amount": (1, [_asking(amount=amount) for amount in amounts]),
    }
    bare = {"a part": [f"/invoices?q={quote(part)}" for part in parts]}
    return [Question(f"search, {n}", Group.SEARCH, share, p, bare.get(n, ())) for n, (share, p) in asked.items()]


def _asking(**criteria: str) -> str:
    return f"{_INVOICES}?{urlencode(criteria)}"
