"""Listing, searching and looking at invoices."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotFound
from gateway.domain.invoices import InvoiceFilter, Match
from gateway.domain.readings import InvoiceDetail, InvoiceSummary, Page
from gateway.invoices.ports import Invoices

_CRITERIA = tuple(field.name for field in fields(InvoiceFilter))


def bound_to(chosen: InvoiceFilter) -> dict[str, Any]:
    """What a cursor of the list is good for. Every request makes one: `asdict` would copy each value."""
    return {"list": "invoices", **{name: getattr(chosen, name) for name in _CRITERIA}}


@dataclass(frozen=True, slots=True)
class ReadInvoices:
    invoices: Invoices
    cursors: Cursors

    async def one(self, row_id: UUID) -> InvoiceDetail:
        """Raises NotFound."""
        if (invoice := await self.invoices.invoice(row_id)) is None:
            raise NotFound("invoice", str(row_id))
        return invoice

    async def page(self, chosen: InvoiceFilter, *, cursor: str | None, limit: int) -> Page[InvoiceSummary]:
        """Raises CursorInvalid."""
        bound = bound_to(chosen)
        if cursor is None:
            after, match = None, await self.match(chosen)
        else:
            after_id, how = self.cursors.open(cursor, bound_to=bound)
            after, match = UUID(after_id), Match(how)
        found = await self.invoices.stretch(chosen, match, after=after, limit=limit)
        place = self.cursors.seal((str(found.next), match.value), bound_to=bound) if found.next else None
        return Page(list(found.items), place)

    async def match(self, chosen: InvoiceFilter) -> Match:
        """A text that somebody's number or source id equals means that one: however old, an index finds it."""
        whole = chosen.q is not None and await self.invoices.known(chosen.q)
        return Match.WHOLE if whole else Match.PART
