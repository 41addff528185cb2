"""Invoices in a list: what PostgreSQL is compared with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.invoice.stage import STATUS
from gateway.adapters.worker_readings import WorkerReadings
from gateway.domain.access import Caller, Permission, User
from gateway.domain.cursors import Cursors
from gateway.domain.documents import Differences, Document
from gateway.domain.exports import Extent, Format
from gateway.domain.invoices import InvoiceFilter, Match, Stretch, party_number
from gateway.domain.readings import InvoiceDetail, InvoiceSummary
from gateway.invoices.documents import ReadDocuments
from gateway.invoices.export import ExportInvoices, Standing
from gateway.invoices.reading import ReadInvoices
from gateway.invoices.stories import InvoiceStories
from tests.unit.ubl.documents import SAMPLE

_EQUAL = ("status", "stage", "reason", "job_id", "number", "invoice_id", "dossier", "direction", "kind", "currency",
          "amount")  # fmt: skip
_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "amount_min": ("amount", lambda found, bound: found >= bound),
    "amount_max": ("amount", lambda found, bound: found <= bound),
    "issued_since": ("issue_date", lambda found, bound: found >= bound),
    "issued_until": ("issue_date", lambda found, bound: found <= bound),
    "created_since": ("created_at", lambda found, bound: found >= bound),
    "created_until": ("created_at", lambda found, bound: found < bound),
}


def takes(chosen: InvoiceFilter, match: Match, row: InvoiceSummary) -> bool:
    """Whether a row is one of the chosen ones."""
    if any((wanted := getattr(chosen, name)) is not None and getattr(row, name) != wanted for name in _EQUAL):
        return False
    if chosen.stage is not None and row.status != STATUS[chosen.stage]:
        return False
    for name, (column, holds) in _BOUNDS.items():
        bound, found = getattr(chosen, name), getattr(row, column)
        if bound is not None and (found is None or not holds(found, bound)):
            return False
    return _parties(chosen, row) and _text(chosen, match, row)


def _parties(chosen: InvoiceFilter, row: InvoiceSummary) -> bool:
    for role in ("supplier", "customer"):
        text: str | None = getattr(chosen, role)
        if text is None or getattr(row, role) == (party_number(text) or text):
            continue
        if not _contains(getattr(row, f"{role}_name"), text):
            return False
    return True


def _text(chosen: InvoiceFilter, match: Match, row: InvoiceSummary) -> bool:
    if chosen.q is None:
        return True
    if match is Match.WHOLE:
        return chosen.q in {row.number, row.invoice_id}
    texts = (row.number, row.invoice_id, row.supplier, row.supplier_name, row.customer, row.customer_name)
    return any(_contains(text, chosen.q) for text in texts)


def _contains(whole: str | None, part: str) -> bool:
    return whole is not None and part.lower() in whole.lower()


def _by_index(chosen: InvoiceFilter, match: Match) -> InvoiceFilter:
    """The criteria that no look has to check."""
    whole = chosen.q if match is Match.WHOLE else None
    return InvoiceFilter(number=chosen.number, invoice_id=chosen.invoice_id, job_id=chosen.job_id, q=whole)


class Everybody:
    """May for ever."""

    async def again(self, user: User, permission: Permission) -> None: ...


@dataclass
class FakeInvoices:
    """`looked_at`: how many rows one look takes; `contents`: their documents; `noted`: what the audit log was told."""

    rows: list[InvoiceDetail] = field(default_factory=list[InvoiceDetail])
    looked_at: int = 10_000
    contents: dict[UUID, bytes] = field(default_factory=dict[UUID, bytes])
    compared: dict[UUID, Differences] = field(default_factory=dict[UUID, Differences])
    noted: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    most: int = 100_000
    standing: Standing = field(default_factory=Everybody)
    clock: Clock = SYSTEM_CLOCK

    def stories(self, cursors: Cursors) -> InvoiceStories:
        read = ReadInvoices(self, cursors)
        documents = ReadDocuments(self, WorkerReadings(in_this_process))
        return InvoiceStories(read, documents, ExportInvoices(self, read, self.most, self.standing, self.clock))

    async def invoice(self, row_id: UUID) -> InvoiceDetail | None:
        return next((row for row in self.rows if row.id == row_id), None)

    async def stretch(self, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int) -> Stretch:
        newest = sorted((row for row in self.rows if after is None or row.id < after), key=lambda row: row.id)[::-1]
        looked = [row for row in newest if takes(_by_index(chosen, match), match, row)][: self.looked_at]
        found = [row for row in looked if takes(chosen, match, row)]
        if len(found) > limit:
            return Stretch(found[:limit], found[limit - 1].id)
        return Stretch(found, looked[-1].id if len(looked) == self.looked_at else None)

    async def known(self, text: str) -> bool:
        return any(text in {row.number, row.invoice_id} for row in self.rows)

    async def count(self, chosen: InvoiceFilter, match: Match, *, most: int) -> int:
        return min(most, sum(takes(chosen, match, row) for row in self.rows))

    async def note(self, chosen: InvoiceFilter, format_: Format, extent: Extent, user: User, caller: Caller) -> None:
        self.noted.append((chosen, format_, extent, user.id))

    async def document(self, row_id: UUID) -> Document | None:
        row = await self.invoice(row_id)
        return row and Document(row_id, row.number or row.invoice_id, self.contents.get(row_id, SAMPLE))

    async def taken(self, row_id: UUID, user: User, caller: Caller) -> Document | None:
        self.noted.append((row_id, user.id))
        return await self.document(row_id)

    async def differences(self, row_id: UUID) -> Differences | None:
        none = Differences(row_id, None, None)
        return self.compared.get(row_id, none) if await self.invoice(row_id) else None


async def in_this_process(function: Any, *given: Any) -> Any:
    """Instead of a worker."""
    return function(*given)
