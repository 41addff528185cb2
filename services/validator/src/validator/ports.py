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
        """The rows that are still fetched at that version."""
        ...

    async def moved_before(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """The rows that stand where this service left them: one version further, not announced for certain."""
        ...

    async def apply(self, moves: Sequence[Move]) -> Sequence[Moved]:
        """Move rows in one transaction. Raises RowFault, DatabaseTimeout, Deadlock, InfrastructureError."""
        ...


class Validate(Protocol):
    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged]:
        """One answer per document, in order."""
        ...
