"""Dry runs in the fetcher: the listing of jobs, heard by nobody; their end, and that they are forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from common.errors import InfrastructureError
from fetcher.dry_runs import CloseDryRuns


@dataclass
class FakeEnds:
    done: list[UUID] = field(default_factory=list[UUID])
    broken: set[UUID] = field(default_factory=set[UUID])
    ended: list[UUID] = field(default_factory=list[UUID])
    forgotten: int = 0

    async def finished(self) -> Sequence[UUID]:
        return self.done

    async def end(self, run_id: UUID) -> str | None:
        if run_id in self.broken:
            raise InfrastructureError("away")
        self.ended.append(run_id)
        return "completed"

    async def forget(self) -> None:
        self.forgotten += 1


async def test_one_that_cannot_be_ended_keeps_back_neither_the_others_nor_the_forgetting() -> None:
    first, second = uuid4(), uuid4()
    ends = FakeEnds([first, second], broken={first})
    await CloseDryRuns(ends).close()
    assert (ends.ended, ends.forgotten) == ([second], 1)
