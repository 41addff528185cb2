"""The stories of invoices that wait for a person."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol
from uuid import UUID

import structlog

from common.invoice.move import Moved
from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotFound
from gateway.domain.held import Decision, HeldDetail, HeldFilter, HeldSummary, Resolved
from gateway.domain.readings import Page
from gateway.paging import read_id, read_page

log = structlog.get_logger()


class HeldInvoices(Protocol):
    async def held(self, chosen: HeldFilter, *, after: UUID | None, limit: int) -> Sequence[HeldSummary]:
        """Those whose row is oldest first."""
        ...

    async def one(self, row_id: UUID) -> HeldDetail | None:
        """None where the row is not held."""
        ...

    async def resolve(self, row_id: UUID, decision: Decision) -> tuple[Resolved, Moved | None]:
        """Move the row, note who and why, in one transaction; nothing moved where the decision was taken before.

        Raises NotFound, NotAllowedNow (not held any more, or not to be decided so) or IdempotencyKeyReused.
        """
        ...


class Outcomes(Protocol):
    async def announce(self, moved: Sequence[Moved]) -> None:
        """Tell what moved. Never raises: a row that was not announced keeps its timer."""
        ...


@dataclass(frozen=True, slots=True)
class ReadHeld:
    held: HeldInvoices
    cursors: Cursors

    async def one(self, row_id: UUID) -> HeldDetail:
        """Raises NotFound."""
        if (found := await self.held.one(row_id)) is None:
            raise NotFound("held invoice", str(row_id))
        return found

    async def page(self, chosen: HeldFilter, *, cursor: str | None, limit: int) -> Page[HeldSummary]:
        """Raises CursorInvalid."""
        bound = {"list": "held", **asdict(chosen)}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.held.held(chosen, after=after, limit=most),
            place_of=lambda row: (str(row.id),), read_place=read_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResolveHeld:
    held: HeldInvoices
    outcomes: Outcomes

    async def __call__(self, row_id: UUID, decision: Decision) -> Resolved:
        """Decide once, however often it is asked with one key. Raises as `HeldInvoices.resolve`."""
        resolved, moved = await self.held.resolve(row_id, decision)
        if moved is not None:
            log.info("held_resolved", invoice=str(row_id), resolution=decision.resolution, by=str(decision.user.id))
            await self.outcomes.announce([moved])
        return resolved
