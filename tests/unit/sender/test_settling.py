"""An answer is never forgotten: not for a missing database, not for a text that it will not hold."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.errors import DatabaseTimeout, Deadlock, InfrastructureError, RowFault
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Accepted, Outcome, OutcomeUnknown, Refused, Settlement
from sender.settling import Settler
from tests.unit.sender.fakes import FakeAnnounce, FakeClaims, make_claim, settle


@asynccontextmanager
async def running(settler: Settler) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(settler.run())
        try:
            async with asyncio.timeout(10):
                yield
        finally:
            loop.cancel()


async def test_outcomes_are_written_and_then_announced() -> None:
    claims, announce = FakeClaims(), FakeAnnounce()
    settler = Settler(claims, announce)
    rows = [make_claim() for _ in range(100)]
    async with running(settler):
        for row in rows:
            settler.add(settle(row, Accepted("u", {})))
        await settler.drain()
    assert {row.id for row in announce.told} == {row.id for row in rows}
    assert {row.stage for row in announce.told} == {Stage.SENT}


@pytest.mark.parametrize("error", [InfrastructureError("away"), DatabaseTimeout("57014"), Deadlock("40P01")])
async def test_a_database_that_is_away_is_waited_for(error: Exception) -> None:
    claims, announce = FakeClaims(settle_errors=[error, error]), FakeAnnounce()
    settler = Settler(claims, announce)
    async with running(settler):
        settler.add(settle(make_claim(), Accepted("u", {})))
        await settler.drain()
    assert len(announce.told) == 1


async def test_an_announcement_that_fails_is_left_to_the_sweep() -> None:
    announce = FakeAnnounce(fails=1)
    settler = Settler(FakeClaims(), announce)
    async with running(settler):
        settler.add(settle(make_claim(), Accepted("u", {})))
        await settler.drain()
    assert announce.told == []


@dataclass(slots=True)
class Picky(FakeClaims):
    """A database: no NUL in any text."""

    kept: list[Settlement] = field(default_factory=list[Settlement])

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        if any("\x00" in repr_of(settlement) for settlement in settlements):
            raise RowFault("22021: invalid byte sequence")
        self.kept += settlements
        return await FakeClaims.settle(self, settlements)


def repr_of(settlement: Settlement) -> str:
    texts: list[Any] = [settlement.error, settlement.uuid, *(settlement.response or {}).values()]
    return "".join(str(text) for text in texts)


async def test_a_text_that_cannot_be_stored_costs_the_text_and_not_the_verdict() -> None:
    claims = Picky()
    settler = Settler(claims, FakeAnnounce())
    bad, good = make_claim(), make_claim()
    async with running(settler):
        settler.add(settle(bad, Refused("X", "nul \x00", {"m": "\x00"})))
        settler.add(settle(good, Accepted("u", {})))
        await settler.drain()
    kept = {settlement.claim.id: settlement for settlement in claims.kept}
    assert kept[good.id].outcome is Outcome.ACCEPTED
    assert (kept[bad.id].outcome, kept[bad.id].to) == (Outcome.REFUSED, Stage.FAILED)
    assert (kept[bad.id].error, kept[bad.id].response) == ("the answer cannot be stored", None)


async def test_a_uuid_that_cannot_be_stored_does_not_keep_the_settler_for_ever() -> None:
    claims = Picky()
    settler = Settler(claims, FakeAnnounce())
    bad = make_claim()
    async with running(settler):
        settler.add(settle(bad, Accepted("u\x00", {"uuid": "u\x00"})))
        await settler.drain()
    assert [(one.outcome, one.to, one.uuid) for one in claims.kept] == [(Outcome.ACCEPTED, Stage.SENT, "u\ufffd")]


async def test_an_acceptance_whose_row_stood_elsewhere_for_a_moment_is_looked_at_again() -> None:
    claims, announce = FakeClaims(), FakeAnnounce()
    late, other = make_claim(), make_claim()
    claims.standing_elsewhere = {late.id: 2, other.id: 99}
    settler = Settler(claims, announce)
    async with running(settler):
        settler.add(settle(late, Accepted("u", {})))
        settler.add(settle(other, OutcomeUnknown("reset")))
        await settler.drain()
    assert [row.id for row in announce.told] == [late.id]
    assert [one.claim.id for one in claims.settled].count(other.id) == 1


async def test_an_acceptance_that_finds_no_row_is_left_to_the_sweep() -> None:
    claims, announce = FakeClaims(), FakeAnnounce()
    lost = make_claim()
    claims.standing_elsewhere = {lost.id: 99}
    settler = Settler(claims, announce)
    async with running(settler):
        settler.add(settle(lost, Accepted("u", {})))
        await settler.drain()
    assert announce.told == []
    assert len(claims.settled) == 6
