"""Judging what dry runs have listed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest

from common.errors import InfrastructureError, RowFault
from common.invoice.dry_run import Prospect
from validator.domain import DryRunItem, DryRunVerdict, Judged
from validator.dry_runs import DEATHS, JudgeDryRuns

RUN = uuid4()


def item(content: bytes) -> DryRunItem:
    return DryRunItem(RUN, uuid4(), content, 0)


@dataclass
class FakeItems:
    """A verdict about a row in `refused` cannot be stored, unless it is parked."""

    waiting: list[DryRunItem]
    verdicts: dict[UUID, DryRunVerdict] = field(default_factory=dict[UUID, DryRunVerdict])
    refused: set[UUID] = field(default_factory=set[UUID])
    broken: list[Exception] = field(default_factory=list[Exception])

    async def lease(self, limit: int) -> Sequence[DryRunItem]:
        if self.broken:
            raise self.broken.pop()
        return [waiting for waiting in self.waiting if waiting.id not in self.verdicts][:limit]

    async def keep(self, verdicts: Sequence[DryRunVerdict]) -> None:
        if any(one.id in self.refused and one.reason != "parked" for one in verdicts):
            raise RowFault("22021: a NUL")
        self.verdicts |= {one.id: one for one in verdicts}

    async def give_back(self, items: Sequence[DryRunItem]) -> None:
        died = {one.id for one in items}
        self.waiting = [replace(one, deaths=one.deaths + 1) if one.id in died else one for one in self.waiting]


async def judge(documents: Sequence[bytes]) -> Sequence[Judged | None]:
    """Documents say themselves what they are."""
    answers = {
        b"good": Judged(valid=True, ruleset="r", findings=(), summary=None),
        b"bad": Judged(valid=False, ruleset="r", findings=(), summary="BR-01: no"),
        b"killer": None,
    }
    return [answers[document] for document in documents]


def outcomes(items: FakeItems) -> list[tuple[Prospect, str | None]]:
    return [(verdict.outcome, verdict.reason) for one in items.waiting if (verdict := items.verdicts.get(one.id))]


async def test_a_valid_document_would_go_and_another_would_fail_with_its_first_finding() -> None:
    items = FakeItems([item(b"good"), item(b"bad")])
    assert await JudgeDryRuns(items, judge).judge() == 2
    assert outcomes(items) == [(Prospect.WOULD_GO, None), (Prospect.WOULD_FAIL, "invalid")]
    assert items.verdicts[items.waiting[1].id].error == "BR-01: no"


async def test_a_document_that_ends_its_worker_three_times_would_be_parked_and_the_others_go_on() -> None:
    items = FakeItems([item(b"killer"), item(b"good")])
    story = JudgeDryRuns(items, judge)
    for _ in range(DEATHS - 1):
        await story.judge()
        assert outcomes(items) == [(Prospect.WOULD_GO, None)]
    await story.judge()
    assert outcomes(items) == [(Prospect.WOULD_FAIL, "parked"), (Prospect.WOULD_GO, None)]
    assert await story.judge() == 0


async def test_a_verdict_that_cannot_be_stored_parks_its_item_alone() -> None:
    items = FakeItems([item(b"good"), item(b"bad"), item(b"good")])
    items.refused = {items.waiting[1].id}
    await JudgeDryRuns(items, judge).judge()
    assert outcomes(items) == [
        (Prospect.WOULD_GO, None), (Prospect.WOULD_FAIL, "parked"), (Prospect.WOULD_GO, None),
    ]  # fmt: skip


async def test_it_goes_on_once_the_database_is_back() -> None:
    items = FakeItems([item(b"good")], broken=[InfrastructureError("away")])
    story = JudgeDryRuns(items, judge)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await story.run()
    assert outcomes(items) == [(Prospect.WOULD_GO, None)]
