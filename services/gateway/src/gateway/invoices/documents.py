"""The document of one invoice: read, compared, taken away."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from gateway.domain.access import Caller, User
from gateway.domain.documents import Differences, Document
from gateway.domain.faults import NotFound
from ubl.reading import Reading

Reader: TypeAlias = Callable[[bytes], Awaitable[Reading]]
"""Raises DocumentInvalid where nobody can read it."""


class Documents(Protocol):
    async def document(self, row_id: UUID) -> Document | None: ...

    async def taken(self, row_id: UUID, user: User, caller: Caller) -> Document | None:
        """As `document`, for somebody who takes it away: audited."""
        ...

    async def differences(self, row_id: UUID) -> Differences | None: ...


@dataclass(frozen=True, slots=True)
class ReadDocuments:
    """Every story raises NotFound where there is no such invoice."""

    documents: Documents
    read: Reader

    async def reading(self, row_id: UUID) -> Reading:
        """Raises DocumentInvalid too."""
        if (document := await self.documents.document(row_id)) is None:
            raise NotFound("invoice", str(row_id))
        return await self.read(document.content)

    async def take(self, row_id: UUID, user: User, caller: Caller) -> Document:
        if (document := await self.documents.taken(row_id, user, caller)) is None:
            raise NotFound("invoice", str(row_id))
        return document

    async def differences(self, row_id: UUID) -> Differences:
        if (found := await self.documents.differences(row_id)) is None:
            raise NotFound("invoice", str(row_id))
        return found
