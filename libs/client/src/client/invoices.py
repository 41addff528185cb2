"""Invoices: the calls."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import Differences, Invoice, InvoiceSummary, Reading, Why

_PATH = "/api/v1/invoices"


class InvoiceCriteria(TypedDict, total=False):
    """All that are given hold; None is as good as nothing. `invoice_id` is the source's id.

    `supplier` and `customer` are a number or a part of the name; `q` is a whole number or source id, or a part of those
    and of the parties. Days are whole, `issued_until` included; of instants `created_until` is not.
    """

    status: str | None
    stage: str | None
    reason: str | None
    job_id: UUID | str | None
    number: str | None
    invoice_id: str | None
    dossier: str | None
    direction: str | None
    kind: str | None
    currency: str | None
    supplier: str | None
    customer: str | None
    amount: Decimal | str | None
    amount_min: Decimal | str | None
    amount_max: Decimal | str | None
    issued_since: date | str | None
    issued_until: date | str | None
    created_since: datetime | str | None
    created_until: datetime | str | None
    q: str | None


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """`rows` as many as there were when it began; `cut` where there were more than one file may have."""

    rows: int
    cut: bool
    chunks: Iterator[bytes]


class InvoiceCalls(Connection):
    def invoices(
        self, *, limit: int = 50, cursor: str | None = None, **criteria: Unpack[InvoiceCriteria]
    ) -> Page[InvoiceSummary]:
        """Newest first. A page may hold fewer than `limit`, even none, and go on with its `next_cursor`."""
        query = {**_written(criteria), "limit": limit, **given({"cursor": cursor})}
        return self._call("GET", _PATH, Page[InvoiceSummary], params=query)

    def all_invoices(self, **criteria: Unpack[InvoiceCriteria]) -> Generator[InvoiceSummary, None, None]:
        """Every page, one after the other, as far as somebody reads."""
        cursor: str | None = None
        while True:
            page = self.invoices(limit=200, cursor=cursor, **criteria)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def invoice(self, row_id: UUID | str) -> Invoice:
        return self._call("GET", f"{_PATH}/{row_id}", Invoice)

    def why(self, row_id: UUID | str) -> str:
        """One sentence."""
        return self._call("GET", f"{_PATH}/{row_id}/why", Why).why

    def reading(self, row_id: UUID | str) -> Reading:
        """The invoice as an accountant reads it."""
        return self._call("GET", f"{_PATH}/{row_id}/reading", Reading)

    def differences(self, row_id: UUID | str) -> Differences:
        """From the version that holds its place to this one."""
        return self._call("GET", f"{_PATH}/{row_id}/differences", Differences)

    def ubl(self, row_id: UUID | str) -> bytes:
        """The document as it came."""
        with self._file(f"{_PATH}/{row_id}/ubl") as answer:
            return answer.read()

    @contextmanager
    def export(
        self,
        file_format: str,
        **criteria: Unpack[InvoiceCriteria],
    ) -> Generator[ExportedFile, None, None]:
        """A file of all invoices that are chosen: `csv`, `json` or `xml`. Reading its chunks may raise as any call."""
        with self._file(f"{_PATH}/export", params={**_written(criteria), "format": file_format}) as answer:
            rows, cut = answer.headers["X-Export-Rows"], answer.headers["X-Export-Cut"]
            yield ExportedFile(int(rows), cut == "true", answer.iter_bytes())


def _written(criteria: InvoiceCriteria) -> dict[str, Any]:
    """As a query has them: RFC 3339 for times."""
    return {name: _text(value) for name, value in criteria.items() if value is not None}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
