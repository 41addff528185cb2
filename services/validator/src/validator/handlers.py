"""Inbound records of the validator."""

from collections.abc import Awaitable, Callable, Sequence

from common.contracts.events import InvoiceFetched
from common.invoice.move import Moved
from common.kafka.consumer import Batch
from validator.ports import Key

Announce = Callable[[Sequence[Moved]], Awaitable[None]]
Work = Callable[[Sequence[Key]], Awaitable[Sequence[Moved]]]
ParkRow = Callable[[Key, str], Awaitable[Sequence[Moved]]]


def on_invoices_fetched(validate: Work, announce: Announce) -> Callable[[Batch[InvoiceFetched]], Awaitable[None]]:
    """Move the rows, announce, acknowledge."""

    async def handle(batch: Batch[InvoiceFetched]) -> None:
        moved = await validate([(event.id, event.version) for event in batch.events])
        await announce(moved)
        await batch.acknowledge()

    return handle


def on_due(validate: Work, announce: Announce) -> Callable[[Sequence[Key]], Awaitable[None]]:
    """The sweeper's way into the same work."""

    async def work(keys: Sequence[Key]) -> None:
        await announce(await validate(keys))

    return work


def park_event(park: ParkRow, announce: Announce) -> Callable[[InvoiceFetched, str], Awaitable[None]]:
    """The consumer's way of ending a row that cannot be worked."""

    async def end(event: InvoiceFetched, cause: str) -> None:
        await announce(await park((event.id, event.version), cause))

    return end


def park_due(park: ParkRow, announce: Announce) -> Callable[[Key, str], Awaitable[None]]:
    """The sweeper's."""

    async def end(key: Key, cause: str) -> None:
        await announce(await park(key, cause))

    return end
