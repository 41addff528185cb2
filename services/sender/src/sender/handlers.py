"""Inbound records of the sender."""

from collections.abc import Awaitable, Callable

from common.contracts.events import InvoiceValidated
from common.kafka.consumer import Batch


def on_invoices_validated(ring: Callable[[], None]) -> Callable[[Batch[InvoiceValidated]], Awaitable[None]]:
    """A doorbell: the pump claims from the rows, so the record may be acknowledged at once."""

    async def handle(batch: Batch[InvoiceValidated]) -> None:
        ring()
        await batch.acknowledge()

    return handle
