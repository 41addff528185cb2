"""What these stories need from outside."""

from typing import Protocol
from uuid import UUID

from gateway.domain.invoices import InvoiceFilter, Match, Stretch
from gateway.domain.readings import InvoiceDetail


class Invoices(Protocol):
    async def invoice(self, row_id: UUID) -> InvoiceDetail | None: ...

    async def stretch(self, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int) -> Stretch:
        """The newest first; looks at no more rows than a caller may wait for."""
        ...

    async def known(self, text: str) -> bool:
        """Whether it is the whole number or source id of an invoice."""
        ...
