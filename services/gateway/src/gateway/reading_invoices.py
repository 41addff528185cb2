"""The stories of invoices, wired."""

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from gateway.adapters.invoice_versions import Versions
from gateway.adapters.postgres_documents import PostgresDocuments
from gateway.adapters.postgres_invoices import PostgresInvoices
from gateway.adapters.ubl_comparison import Comparing
from gateway.adapters.worker_documents import Run
from gateway.adapters.worker_readings import WorkerReadings
from gateway.domain.cursors import Cursors
from gateway.invoices.documents import ReadDocuments
from gateway.invoices.export import ExportInvoices, Standing
from gateway.invoices.reading import ReadInvoices
from gateway.invoices.stories import InvoiceStories


def build_invoices(
    database: Database, cursors: Cursors, *, compare: Comparing, run: Run, export_rows: int, standing: Standing
) -> InvoiceStories:
    """`run`: `Workers.run`, in which documents are read."""
    invoices = PostgresInvoices(database)
    read = ReadInvoices(invoices, cursors)
    return InvoiceStories(
        read=read,
        documents=ReadDocuments(PostgresDocuments(database, Versions(database, compare)), WorkerReadings(run)),
        export=ExportInvoices(invoices, read, export_rows, standing, SYSTEM_CLOCK),
    )
