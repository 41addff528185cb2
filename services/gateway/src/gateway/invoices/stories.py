"""All stories of invoices, as the routes get them."""

from dataclasses import dataclass

from gateway.invoices.documents import ReadDocuments
from gateway.invoices.export import ExportInvoices
from gateway.invoices.reading import ReadInvoices


@dataclass(frozen=True, slots=True)
class InvoiceStories:
    read: ReadInvoices
    documents: ReadDocuments
    export: ExportInvoices
