"""What the validator's story needs."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from common.invoice.move import Move, Moved
from validator.domain import Document, Judged

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


class Validate(Protocol):
    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged | None]:
        """One answer per document, in order; None for one that ended its worker, alone."""
        ...
