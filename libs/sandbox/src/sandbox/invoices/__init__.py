"""Belgian Peppol BIS Billing 3.0 documents from a seed: realistic, and with right check digits and totals."""

from sandbox.invoices.corpus import LINES, Corpus
from sandbox.invoices.documents import BENCH_1, DEMO, Generated, Kind, LineShares, document
from sandbox.invoices.parties import ADMINISTRATIONS, COUNTERPARTIES, Party

__all__ = [
    "ADMINISTRATIONS",
    "BENCH_1",
    "COUNTERPARTIES",
    "DEMO",
    "LINES",
    "Corpus",
    "Generated",
    "Kind",
    "LineShares",
    "Party",
    "document",
]
