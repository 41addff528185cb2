"""Invoices as a file."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from starlette.responses import StreamingResponse

from gateway.domain.access import Permission, User
from gateway.domain.exports import CsvRendering, JsonRendering, XmlRendering
from gateway.invoices.export import ExportInvoices
from gateway.routes.attachments import SANDBOX, attachment
from gateway.routes.envelopes import Envelopes
from gateway.routes.guard import FromCaller, Guard
from gateway.routes.invoice_schemas import ExportQuery
from gateway.use_cases import Authorize

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the file, streamed; `X-Export-Rows` and `X-Export-Cut` say how many rows, and whether more are",
        "content": {form.media_type.partition(";")[0]: {} for form in (CsvRendering, JsonRendering, XmlRendering)},
    }
}


def add_export_route(api: FastAPI, *, export: ExportInvoices, authorize: Authorize, envelopes: Envelopes) -> None:
    exporter = Guard(authorize, Permission.INVOICES_EXPORT)

    @api.get(
        "/api/v1/invoices/export",
        tags=["invoices"],
        name="export",
        response_class=StreamingResponse,
        responses=_FILES,
    )
    async def file(
        user: Annotated[User, Depends(exporter)], caller: FromCaller, query: Annotated[ExportQuery, Query()]
    ) -> StreamingResponse:
        """All invoices of a filter as a file, newest first. Who took which is in the audit log."""
        made = await export(query.chosen(), query.format, user, caller)
        headers = {
            **SANDBOX,
            "Content-Disposition": attachment(f"invoices-{envelopes.clock.now():%Y%m%dT%H%M%SZ}", query.format.value),
            "X-Export-Rows": str(made.extent.rows),
            "X-Export-Cut": "true" if made.extent.cut else "false",
        }
        return StreamingResponse(made.parts, media_type=made.media_type, headers=headers)
