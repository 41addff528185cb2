"""Reading invoices."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query

from gateway.domain.access import Permission
from gateway.domain.readings import InvoiceDetail, InvoiceSummary, Page
from gateway.invoices.stories import InvoiceStories
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import Guard
from gateway.routes.invoice_schemas import InvoiceQuery
from gateway.use_cases import Authorize


def add_invoice_routes(api: FastAPI, *, stories: InvoiceStories, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.INVOICES_READ))
    read = stories.read

    @api.get("/api/v1/invoices", tags=["invoices"], name="list", dependencies=[reader])
    async def invoices(query: Annotated[InvoiceQuery, Query()]) -> Envelope[Page[InvoiceSummary]]:
        """Invoices, newest first, without their documents. A page may hold fewer than there are: `next_cursor` says."""
        return envelopes.success(await read.page(query.chosen(), cursor=query.cursor, limit=query.limit))

    @api.get("/api/v1/invoices/{row_id}", tags=["invoices"], name="get", dependencies=[reader])
    async def invoice(row_id: UUID) -> Envelope[InvoiceDetail]:
        """One invoice by our row id, with findings and its whole timeline."""
        return envelopes.success(await read.one(row_id))
