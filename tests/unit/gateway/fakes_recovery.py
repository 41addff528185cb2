"""A log of outcomes in memory, and a database that has forgotten."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from common.contracts.events import InvoiceOutcome
from gateway.domain.access import Caller, User
from gateway.recovery.hearing import Told
from gateway.recovery.remedies import Standing, treat
from gateway.recovery.story import Compared, Heard, Treated

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)


@dataclass
class FakeOutcomeLog:
    records: list[list[InvoiceOutcome]] = field(default_factory=list[list[InvoiceOutcome]])

    async def partitions(self) -> AsyncGenerator[AsyncIterable[Heard], None]:
        for partition in self.records:
            yield _read(partition)


async def _read(partition: Sequence[InvoiceOutcome]) -> AsyncGenerator[Heard, None]:
    for event in partition:
        yield event, AT


@dataclass
class FakeRestoring:
    """An empty database: every row that was sent, or claimed, is to be inserted."""

    forgotten: int = 0
    heals: bool = False
    last: int = 0
    treated: list[Told] = field(default_factory=list[Told])
    notes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list[tuple[str, Mapping[str, Any]]])
    known: dict[Any, Standing] = field(default_factory=dict[Any, Standing])

    async def compare(self) -> Compared:
        return Compared(self.last, self.last, self.forgotten)

    async def treat(self, told: Sequence[Told], *, actor: str) -> Treated:
        assert actor.startswith("user:")
        self.treated += told
        self.forgotten = 0
        return await self.diagnose(told)

    async def diagnose(self, told: Sequence[Told]) -> Treated:
        treatments = [treat(row, self.known.get(row.latest.id), {}) for row in told]
        return Treated(Counter(t.remedy for t in treatments), sum(len(t.attempts) for t in treatments))

    async def count_on(self, number: int) -> None:
        self.forgotten = 0 if self.heals else self.forgotten
        self.last = max(self.last, number)

    async def note(self, action: str, user: User, caller: Caller, details: Mapping[str, Any]) -> None:
        assert user
        assert caller
        self.notes.append((action, details))
