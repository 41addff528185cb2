"""Reading what dry runs say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotFound
from gateway.domain.previews import Outcome, PreviewItem
from gateway.domain.readings import Page
from gateway.paging import read_id, read_page


class DryRuns(Protocol):
    async def is_there(self, job_id: UUID) -> bool:
        """Whether it is a dry run that has not expired."""
        ...

    async def items(
        self, job_id: UUID, outcome: Outcome | None, *, after: UUID | None, limit: int
    ) -> Sequence[PreviewItem]:
        """In the order of the listing."""
        ...


@dataclass(frozen=True, slots=True)
class ReadDryRuns:
    dry_runs: DryRuns
    cursors: Cursors

    async def items(
        self, job_id: UUID, outcome: Outcome | None, *, cursor: str | None, limit: int
    ) -> Page[PreviewItem]:
        """Raises NotFound or CursorInvalid."""
        if not await self.dry_runs.is_there(job_id):
            raise NotFound("dry run", str(job_id))
        return await read_page(
            self.cursors, {"list": "preview", "job_id": str(job_id), "outcome": outcome}, cursor, limit,
            ask=lambda after, most: self.dry_runs.items(job_id, outcome, after=after, limit=most),
            place_of=lambda item: (str(item.id),), read_place=read_id,
        )  # fmt: skip
