"""What the validator's story needs."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from common.invoice.move import Move, Moved
from validator.domain import Document, DryRunItem, DryRunVerdict, Judged

Key = tuple[UUID, int]
"""(row id, version)"""


class Rows(Protocol):
    async def read(self, keys: Sequence[Key]) -> Sequence[Document]:
        """The rows that are still fetched at that version, and nobody else's meanwhile."""
        ...

    async def moved_before(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """The rows that stand where this service left them: one version further, not announced for certain."""
        ...

    async def apply(self, moves: Sequence[Move]) -> Sequence[Moved]:
        """Move rows in one transaction. Raises RowFault, DatabaseTimeout, Deadlock, InfrastructureError."""
        ...

    async def set_aside(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Count that each ended a worker alone and let the sweeper take it next; those that did so too often."""
        ...


class DryRunItems(Protocol):
    async def lease(self, limit: int) -> Sequence[DryRunItem]:
        """Open items that nobody has in hand; a minute later somebody else may take them."""
        ...

    async def keep(self, verdicts: Sequence[DryRunVerdict]) -> None:
        """Write the verdicts of items that are still open, and drop their documents. Raises RowFault."""
        ...

    async def give_back(self, items: Sequence[DryRunItem]) -> None:
        """Count that each ended a worker alone; it may be taken again at once."""
        ...


class Validate(Protocol):
    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged | None]:
        """One answer per document, in order; None for one that ended its worker, alone."""
        ...
