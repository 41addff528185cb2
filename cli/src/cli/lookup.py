"""Finding an invoice by whatever somebody has of it."""

from uuid import UUID

from cli.surroundings import fail
from client import ApiError, GatewayClient, InvoiceSummary

_ENOUGH = 20
_NOT_FOUND = 404


def find(client: GatewayClient, reference: str) -> list[InvoiceSummary]:
    """By row id, invoice number or source id, newest first; ends the program when there is none."""
    by_row = _by_row_id(client, reference)
    if by_row is not None:
        return [by_row]
    found = {
        invoice.id: invoice
        for page in (
            client.invoices(number=reference, limit=_ENOUGH),
            client.invoices(invoice_id=reference, limit=_ENOUGH),
        )
        for invoice in page.items
    }
    if not found:
        fail(f"no invoice has the number, source id or row id {reference!r}")
    return sorted(found.values(), key=lambda invoice: (invoice.created_at, invoice.id), reverse=True)


def _by_row_id(client: GatewayClient, reference: str) -> InvoiceSummary | None:
    try:
        return client.invoice(UUID(reference))
    except ValueError:
        return None
    except ApiError as error:
        if error.status == _NOT_FOUND:  # a source may use such ids too
            return None
        raise
