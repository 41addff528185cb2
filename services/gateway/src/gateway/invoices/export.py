"""Invoices of a filter as a file, page by page: no long transaction, no more than a page in memory."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from common.clock import Clock
from gateway.domain.access import Caller, Permission, User
from gateway.domain.exports import Extent, Format, Rendering, rendering
from gateway.domain.invoices import InvoiceFilter, Match, Stretch
from gateway.invoices.reading import ReadInvoices

PAGE = 200
"""So few that writing them keeps nobody else waiting for long (milliseconds)."""
ASKED_AGAIN = 5.0
"""Seconds after which somebody who takes a file must still be allowed to: a slow reader takes minutes."""


class Exported(Protocol):
    async def count(self, chosen: InvoiceFilter, match: Match, *, most: int) -> int:
        """How many there are, `most` at most."""
        ...

    async def stretch(self, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int) -> Stretch: ...

    async def note(self, chosen: InvoiceFilter, format_: Format, extent: Extent, user: User, caller: Caller) -> None:
        """Audit it."""
        ...


class Standing(Protocol):
    async def again(self, user: User, permission: Permission) -> None:
        """Raises NotSignedIn or NotPermitted where `user` may not do it any more."""
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """`extent` is as it was when the export began; JSON and XML end with what they hold in fact."""

    extent: Extent
    media_type: str
    parts: AsyncGenerator[str, None]


@dataclass(frozen=True, slots=True)
class ExportInvoices:
    """`most`: rows of one export."""

    invoices: Exported
    read: ReadInvoices
    most: int
    standing: Standing
    clock: Clock

    async def __call__(self, chosen: InvoiceFilter, format_: Format, user: User, caller: Caller) -> Export:
        """Counted and audited before the first byte leaves."""
        match = await self.read.match(chosen)
        there = await self.invoices.count(chosen, match, most=self.most + 1)
        extent = Extent(min(there, self.most), there > self.most)
        await self.invoices.note(chosen, format_, extent, user, caller)
        form = rendering(format_)
        return Export(extent, form.media_type, self._parts(chosen, match, form, user))

    async def _parts(
        self, chosen: InvoiceFilter, match: Match, form: Rendering, user: User
    ) -> AsyncGenerator[str, None]:
        """Raises NotSignedIn or NotPermitted from within, once `user` may not take it any more."""
        rows, after, asked_at = 0, None, self.clock.monotonic()
        yield form.start()
        while True:
            if self.clock.monotonic() - asked_at >= ASKED_AGAIN:
                await self.standing.again(user, Permission.INVOICES_EXPORT)
                asked_at = self.clock.monotonic()
            limit = min(PAGE, self.most - rows)
            found = await self.invoices.stretch(chosen, match, after=after, limit=limit)
            rows, after = rows + len(found.items), found.next
            yield form.rows(found.items)
            if after is None or rows == self.most:
                break
        yield form.end(Extent(rows, await self._is_cut(chosen, match, after)))

    async def _is_cut(self, chosen: InvoiceFilter, match: Match, after: UUID | None) -> bool:
        """Whether any is left after the last one."""
        while after is not None:
            rest = await self.invoices.stretch(chosen, match, after=after, limit=1)
            if rest.items:
                return True
            after = rest.next
        return False
