"""Invoices: listed, searched, looked at, explained, taken away."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response

from gateway.domain.access import Permission, User
from gateway.domain.documents import Differences
from gateway.domain.readings import InvoiceDetail, InvoiceSummary, Page
from gateway.domain.why import Why, sentence
from gateway.invoices.documents import ReadDocuments
from gateway.invoices.reading import ReadInvoices
from gateway.invoices.stories import InvoiceStories
from gateway.routes.attachments import SANDBOX, attachment
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.exports import add_export_route
from gateway.routes.guard import FromCaller, Guard
from gateway.routes.invoice_schemas import InvoiceQuery
from gateway.use_cases import Authorize
from ubl.reading import Reading

_PATH = "/api/v1/invoices"
_ONE = f"{_PATH}/{{row_id}}"
_XML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/xml": {}}, "description": "the original bytes"}}


def add_invoice_routes(api: FastAPI, *, stories: InvoiceStories, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.INVOICES_READ))
    add_export_route(api, export=stories.export, authorize=authorize, envelopes=envelopes)  # before {row_id} takes it
    _add_readings(api, stories.read, reader, envelopes)
    _add_documents(api, stories.documents, reader, envelopes)
    taker = Guard(authorize, Permission.DOCUMENTS_READ)

    @api.get(f"{_ONE}/ubl", tags=["invoices"], name="ubl", response_class=Response, responses=_XML)
    async def ubl(row_id: UUID, user: Annotated[User, Depends(taker)], caller: FromCaller) -> Response:
        """The document as it came, byte for byte, to be saved; who took it is in the audit log."""
        document = await stories.documents.take(row_id, user, caller)
        named = {"Content-Disposition": attachment(document.title, "xml")}
        return Response(document.content, media_type="application/xml", headers={**SANDBOX, **named})


def _add_readings(api: FastAPI, read: ReadInvoices, reader: Any, envelopes: Envelopes) -> None:
    needed = [reader]

    @api.get(_PATH, tags=["invoices"], name="list", dependencies=needed)
    async def invoices(query: Annotated[InvoiceQuery, Query()]) -> Envelope[Page[InvoiceSummary]]:
        """Invoices, newest first, without their documents. A page may hold fewer than `limit`: see `next_cursor`."""
        return envelopes.success(await read.page(query.chosen(), cursor=query.cursor, limit=query.limit))

    @api.get(_ONE, tags=["invoices"], name="get", dependencies=needed)
    async def invoice(row_id: UUID) -> Envelope[InvoiceDetail]:
        """One invoice by our row id: its validation, every attempt with its evidence, its whole timeline."""
        return envelopes.success(await read.one(row_id))

    @api.get(f"{_ONE}/why", tags=["invoices"], name="why", dependencies=needed)
    async def why(row_id: UUID) -> Envelope[Why]:
        """In one sentence, why it stands where it stands."""
        return envelopes.success(Why(row_id, sentence(await read.one(row_id))))


def _add_documents(api: FastAPI, documents: ReadDocuments, reader: Any, envelopes: Envelopes) -> None:
    needed = [reader]

    @api.get(f"{_ONE}/reading", tags=["invoices"], name="reading", dependencies=needed)
    async def reading(row_id: UUID) -> Envelope[Reading]:
        """The invoice as an accountant reads it. 422 `DOCUMENT_INVALID` where nobody can read it."""
        return envelopes.success(await documents.reading(row_id))

    @api.get(f"{_ONE}/differences", tags=["invoices"], name="differences", dependencies=needed)
    async def differences(row_id: UUID) -> Envelope[Differences]:
        """The version that holds this one's place, and the fields that differ."""
        return envelopes.success(await documents.differences(row_id))
