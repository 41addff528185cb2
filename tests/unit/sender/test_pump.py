"""The pump, with fakes and a clock of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from common.errors import InfrastructureError
from sender.domain import Accepted, NotAccepted, Outcome, OutcomeUnknown
from sender.domain.flow import Aimd, Standing
from sender.gate import EVERYTHING, Gate
from sender.pump import CLAIM_PAUSE, Pump
from sender.settling import Settler
from tests.unit.sender.fakes import DEADLINE, LEASE, FakeAnnounce, FakeClaims, FakeDestination, Time, make_claim


class Desk:
    """A pump on fakes; `running` runs it, and its settler, while the block lasts."""

    def __init__(self, destination: FakeDestination | None = None, *, rows: int = 0, concurrency: int = 4,
                 prefetch: int = 4) -> None:  # fmt: skip
        self.time = Time()
        self.claims = FakeClaims(due=[make_claim() for _ in range(rows)])
        self.destination = destination or FakeDestination()
        self.announce, self.outcomes = FakeAnnounce(), FakeAnnounce()
        self.settler = Settler(self.claims, self.outcomes)
        aimd = Aimd(start=concurrency, ceiling=concurrency, adaptive=False)
        self.gate = Gate(aimd, ceiling=concurrency, prefetch=prefetch, clock=self.time.clock())
        self.gate.learn(Standing(version=1), frozenset())
        self.pump = Pump(
            self.claims,
            self.destination,
            self.settler,
            self.gate,
            announce=self.announce,
            deadline=DEADLINE,
            lease=LEASE,
            clock=self.time.clock(),
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with asyncio.TaskGroup() as tasks:
            loops = [tasks.create_task(self.pump.run()), tasks.create_task(self.settler.run())]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()

    def outcome_counts(self) -> dict[Outcome, int]:
        outcomes = [settlement.outcome for settlement in self.claims.settled]
        return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


async def test_rows_that_are_due_while_nothing_keeps_it_from_claiming_are_a_standstill() -> None:
    desk = Desk(rows=1)
    assert await desk.pump.stalled() is None, "only just begun"
    desk.time.seconds += 16.0
    assert "1 administrations" in (await desk.pump.stalled() or "")
    desk.claims.due.clear()
    assert await desk.pump.stalled() is None, "nothing is due"


@pytest.mark.parametrize("paused", [EVERYTHING, "0123456749"])
async def test_a_pause_is_no_standstill(paused: str) -> None:
    desk = Desk(rows=1)
    desk.gate.learn(Standing(version=1), frozenset({paused}))
    desk.time.seconds += 16.0
    assert await desk.pump.stalled() is None


async def test_a_retry_after_that_just_ended_is_no_standstill() -> None:
    desk = Desk(rows=1)
    async with desk.running():
        desk.gate.halt(timedelta(seconds=60))
        desk.time.seconds += 59.9
        desk.pump.ring()
        await asyncio.sleep(0.05)
        desk.time.seconds += 0.1
        assert not desk.gate.closed
        assert await desk.pump.stalled() is None


async def test_a_pump_that_claims_and_sends_does_not_stand_still() -> None:
    desk = Desk(rows=3)
    desk.time.seconds += 16.0
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 3)
    desk.claims.due.append(make_claim())
    assert await desk.pump.stalled() is None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.002)


async def test_a_higher_ceiling_is_used_although_nothing_ends_and_a_lower_one_lets_nothing_new_begin() -> None:
    stuck = asyncio.Event()
    desk = Desk(FakeDestination(gate=stuck), rows=60, concurrency=2, prefetch=2)
    async with desk.running():
        await until(lambda: desk.destination.most_at_once == 2)
        await asyncio.sleep(4 * CLAIM_PAUSE)  # from then on it waits for something to end, and nothing does
        desk.gate.regulate(ceiling=6, rate=None)
        await until(lambda: desk.destination.most_at_once == 6)
        desk.gate.regulate(ceiling=1, rate=None)
        desk.destination.most_at_once = 0
        desk.destination.gate = None
        stuck.set()
        await until(lambda: len(desk.claims.settled) == 60)
    assert desk.destination.most_at_once <= 6
    assert desk.outcome_counts() == {Outcome.ACCEPTED: 60}
    assert len({claim.id for claim in desk.destination.got}) == len(desk.destination.got) == 60


async def test_every_due_row_is_claimed_announced_sent_once_and_settled() -> None:
    desk = Desk(rows=50)
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 50)
    assert desk.outcome_counts() == {Outcome.ACCEPTED: 50}
    sent = [claim.id for claim in desk.destination.got]
    assert len(set(sent)) == len(sent) == 50
    assert {row.id for row in desk.announce.told} == set(sent)
    assert desk.destination.most_at_once <= 4


async def test_no_more_rows_are_claimed_than_there_are_slots() -> None:
    desk = Desk(FakeDestination(gate=asyncio.Event()), rows=50, concurrency=4, prefetch=3)
    async with desk.running():
        await until(lambda: len(desk.destination.got) == 4)
        await asyncio.sleep(0.05)
        assert 50 - len(desk.claims.due) == 7
        assert all(limit <= 7 for _, limit in desk.claims.asked)


async def test_a_claim_whose_lease_is_too_short_for_a_call_never_leaves() -> None:
    desk = Desk()
    desk.time.seconds = 10.0
    desk.claims.due = [make_claim(lease_ends=39.999), make_claim(lease_ends=40.0)]
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 2)
    assert [claim.lease_ends for claim in desk.destination.got] == [40.0]
    assert desk.outcome_counts() == {Outcome.RELEASED: 1, Outcome.ACCEPTED: 1}


async def test_a_claim_that_an_older_attempt_already_proved_sent_never_leaves() -> None:
    desk = Desk()
    desk.claims.due = [make_claim(found="u-0")]
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 1)
    assert desk.destination.got == []
    assert desk.outcome_counts() == {Outcome.RELEASED: 1}


async def test_a_claim_whose_key_may_be_forgotten_never_leaves() -> None:
    desk = Desk()
    desk.claims.due = [make_claim(maybe_sent=True, too_late=True)]
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 1)
    assert desk.destination.got == []


async def test_retry_after_stops_everybody_until_its_end() -> None:
    desk = Desk(FakeDestination(answer=lambda _: NotAccepted("429", timedelta(seconds=20), everyone=True)), rows=30,
                concurrency=1, prefetch=4)  # fmt: skip
    async with desk.running():
        await until(lambda: len(desk.claims.settled) >= 5)
        claimed = len(desk.claims.asked)
        assert desk.outcome_counts() == {Outcome.NOT_ACCEPTED: 1, Outcome.RELEASED: 4}
        desk.destination.answer = lambda _: Accepted("u", {})
        desk.time.seconds = 19.99
        desk.pump.ring()
        await asyncio.sleep(0.05)
        assert len(desk.claims.asked) == claimed
        desk.time.seconds = 20.0
        desk.pump.ring()
        await until(lambda: len(desk.destination.got) == 26)


async def test_a_later_shorter_wait_does_not_shorten_an_earlier_longer_one() -> None:
    waits = iter([timedelta(seconds=20), timedelta(seconds=1)])
    gate = asyncio.Event()
    desk = Desk(FakeDestination(lambda _: NotAccepted("429", next(waits), everyone=True), gate=gate), rows=2)
    async with desk.running():
        await until(lambda: len(desk.destination.got) == 2)
        gate.set()
        await until(lambda: len(desk.claims.settled) == 2)
        desk.claims.due = [make_claim()]
        desk.time.seconds = 5.0
        desk.pump.ring()
        await asyncio.sleep(0.05)
        assert len(desk.destination.got) == 2


async def test_a_non_acceptance_of_one_document_stops_nobody() -> None:
    desk = Desk(FakeDestination(answer=lambda _: NotAccepted("busy", timedelta(seconds=20))), rows=12)
    async with desk.running():
        await until(lambda: len(desk.destination.got) == 12)


async def test_a_closing_gate_gives_back_at_once_what_waits_although_no_call_ends() -> None:
    desk = Desk(FakeDestination(gate=asyncio.Event()), rows=20, concurrency=2, prefetch=5)
    async with desk.running():
        await until(lambda: len(desk.destination.got) == 2)
        desk.gate.learn(Standing(version=1), frozenset({EVERYTHING}))
        await until(lambda: desk.outcome_counts() == {Outcome.RELEASED: 5})
        await asyncio.sleep(0.05)
        assert len(desk.claims.due) == 13
        desk.gate.learn(Standing(version=1), frozenset())
        await until(lambda: len(desk.claims.due) == 8)


async def test_a_paused_administration_waits_alone() -> None:
    desk = Desk(rows=0)
    desk.claims.dossiers = ("0123456749", "0987654394")
    desk.gate.learn(Standing(version=1), frozenset({"0987654394"}))
    desk.claims.due = [make_claim(), make_claim(dossier="0987654394"), make_claim()]
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 3)
    assert desk.outcome_counts() == {Outcome.ACCEPTED: 2, Outcome.RELEASED: 1}
    assert {tuple(dossiers) for dossiers, _ in desk.claims.asked} == {("0123456749",)}


async def test_five_failures_in_a_row_leave_the_destination_alone() -> None:
    desk = Desk(FakeDestination(answer=lambda _: NotAccepted("could not connect", everyone=True)), rows=50)
    async with desk.running():
        await until(lambda: desk.gate.closed)
        await until(lambda: len(desk.claims.settled) == len(desk.announce.told))
        await asyncio.sleep(0.05)
        assert len(desk.destination.got) <= 8


async def test_claims_that_cannot_be_announced_go_back_unsent() -> None:
    desk = Desk(rows=8)
    desk.announce.fails = 1
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 8)
        assert desk.outcome_counts() == {Outcome.RELEASED: 8}
        assert desk.destination.got == []
        desk.claims.due = [make_claim()]
        desk.pump.ring()
        await asyncio.sleep(0.05)
        assert desk.destination.got == []
        desk.time.seconds = 1.0
        desk.pump.ring()
        await until(lambda: len(desk.destination.got) == 1)


async def test_a_missing_database_is_waited_for() -> None:
    desk = Desk(rows=3)
    desk.claims.claim_errors = [InfrastructureError("away"), InfrastructureError("away")]
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 3)


async def test_draining_gives_back_what_has_not_left_and_waits_for_what_has() -> None:
    gate = asyncio.Event()
    desk = Desk(FakeDestination(gate=gate), rows=20, concurrency=2, prefetch=5)
    async with desk.running():
        await until(lambda: len(desk.destination.got) == 2)
        async with asyncio.TaskGroup() as tasks:
            drained = tasks.create_task(desk.pump.drain())
            await until(lambda: desk.outcome_counts() == {Outcome.RELEASED: 5})
            assert not drained.done()
            gate.set()
        assert desk.outcome_counts() == {Outcome.RELEASED: 5, Outcome.ACCEPTED: 2}
        assert len(desk.destination.got) == 2
        assert len(desk.claims.due) == 13


async def test_draining_waits_for_a_claim_that_is_being_made_and_gives_it_back() -> None:
    desk = Desk(rows=6)
    desk.claims.claim_gate = asyncio.Event()
    async with desk.running():
        await until(lambda: len(desk.claims.due) == 0)
        async with asyncio.TaskGroup() as tasks:
            drained = tasks.create_task(desk.pump.drain())
            await asyncio.sleep(0.03)
            assert not drained.done(), "claimed rows would be left to run out and be held"
            desk.claims.claim_gate.set()
    assert desk.outcome_counts() == {Outcome.RELEASED: 6}
    assert desk.destination.got == []


async def test_nothing_is_claimed_after_draining() -> None:
    desk = Desk(rows=0)
    async with desk.running():
        await desk.pump.drain()
        desk.claims.due = [make_claim()]
        desk.pump.ring()
        await asyncio.sleep(0.05)
        assert desk.claims.asked == []


async def test_dossiers_take_turns_to_be_first() -> None:
    desk = Desk(concurrency=1, prefetch=0, rows=4)
    desk.claims.dossiers = ("a", "b", "c")
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 4)
    assert [dossiers[0] for dossiers, _ in desk.claims.asked] == ["b", "c", "a", "b"]
    assert all(sorted(dossiers) == ["a", "b", "c"] for dossiers, _ in desk.claims.asked)


async def test_a_backlog_is_not_slept_on_when_a_claim_brought_less_than_was_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sender.pump.LOOK_EVERY", 60.0)
    desk = Desk(rows=20)
    desk.claims.most = 3  # a fair share of the slots, because other dossiers have little
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 20)


async def test_an_unknown_outcome_stops_nobody_and_is_settled_as_such() -> None:
    desk = Desk(FakeDestination(answer=lambda _: OutcomeUnknown("reset")), rows=5)
    async with desk.running():
        await until(lambda: len(desk.claims.settled) == 5)
    assert desk.outcome_counts() == {Outcome.UNKNOWN: 5}
