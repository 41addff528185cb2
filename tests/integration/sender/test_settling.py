"""Settling on the real database: evidence wins, late or early, whatever became of the row meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.pool import Database
from common.db.sweeper import Sweeper
from common.invoice.move import Moved
from common.invoice.stage import Stage
from local.infrastructure import Infrastructure
from sender.domain import Accepted, Claim, NotAccepted, Outcome, OutcomeUnknown, Refused, release
from sender.resolving import Resolver
from sender.settling import Settler
from sender.sweeps import SenderSweeps
from tests.integration.sender.rows import LEASE, RULES, SETTLE, Desk, ready_row
from tests.unit.sender.fakes import FakeDestination, settle

pytestmark = pytest.mark.stack


async def sweep_all(desk: Desk, destination: FakeDestination | None = None) -> list[Moved]:
    """One round of every sweep of the sender; what it announced."""
    told: list[Moved] = []

    async def announce(moved: Sequence[Moved]) -> None:
        told.extend(moved)

    resolver = Resolver(desk.unknowns, destination or FakeDestination(), RULES, announce=announce)
    sweeps = SenderSweeps(desk.claims, resolver, announce)
    for sweep in (*sweeps.quick(), *sweeps.slow()):
        await Sweeper(desk.database, (), service="sender").once(sweep)
    return told


async def run_out(desk: Desk, row: UUID) -> None:
    await desk.database.execute("UPDATE invoices SET wake_at = now() - interval '1 ms' WHERE id = $1", row)


async def test_an_acceptance_ends_its_row_with_the_uuid(desk: Desk) -> None:
    claim = await desk.one()
    (moved,) = await desk.claims.settle([settle(claim, Accepted("u-1", {"uuid": "u-1"}))])
    assert (moved.stage, moved.uuid, moved.attempt) == (Stage.SENT, "u-1", claim.attempt)
    row = await desk.row(claim.id)
    assert (row["stage"], row["status"], row["clearfacts_response"]) == ("sent", "sent", {"uuid": "u-1"})
    assert row["processed_at"] is not None
    assert await desk.attempts(claim.id) == [("accepted", "u-1")]


async def test_a_refusal_fails_its_row_with_the_answer(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, Refused("BAD", "no total", {"error": {"code": "BAD"}}))])
    row = await desk.row(claim.id)
    assert (row["stage"], row["reason"], row["error_message"]) == ("failed", "refused", "BAD: no total")
    assert row["clearfacts_response"] == {"error": {"code": "BAD"}}
    assert row["maybe_sent"] is False


async def test_a_non_acceptance_waits_as_long_as_it_was_told(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, NotAccepted("answered 429", timedelta(seconds=40)))])
    assert await desk.stage(claim.id) == ("validated", "not_accepted", False)
    assert timedelta(seconds=38) < (await desk.row(claim.id))["wait"] <= timedelta(seconds=50)
    assert await desk.claim() == []


async def test_what_never_left_is_free_at_once(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([release(claim)])
    (again,) = await desk.claim()
    assert (again.id, again.version) == (claim.id, claim.version + 2)
    assert again.attempt > claim.attempt


async def test_an_unclear_outcome_is_marked_and_waits_for_lease_and_settle(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, OutcomeUnknown("reset"))])
    assert await desk.stage(claim.id) == ("unknown", "unknown_outcome", True)
    assert LEASE + SETTLE - timedelta(seconds=5) < (await desk.row(claim.id))["wait"] <= LEASE + SETTLE
    assert await sweep_all(desk) == []


async def test_a_lease_that_ran_out_becomes_unknown_and_waits_for_what_is_left_of_settle(desk: Desk) -> None:
    claim = await desk.one()
    assert await sweep_all(desk) == []
    await desk.pass_time(claim.id, LEASE + timedelta(seconds=30))
    told = await sweep_all(desk)
    assert [(moved.stage, moved.id) for moved in told] == [(Stage.UNKNOWN, claim.id)]
    assert await desk.stage(claim.id) == ("unknown", "unknown_outcome", True)
    assert SETTLE - timedelta(seconds=35) < (await desk.row(claim.id))["wait"] < SETTLE - timedelta(seconds=25)
    assert await desk.attempts(claim.id) == [("expired", None)]


@pytest.mark.parametrize("sweeps", [1, 2])
async def test_an_acceptance_that_comes_after_the_row_was_given_up_still_ends_it(desk: Desk, sweeps: int) -> None:
    claim = await desk.one()
    key = (claim.id, claim.version)
    await desk.claims.give_up([key], Stage.UNKNOWN, "ran out")
    if sweeps == 2:
        await desk.claims.give_up([(claim.id, await desk.version(claim.id))], Stage.HELD, "held")
    (moved,) = await desk.claims.settle([settle(claim, Accepted("u-1", {}))])
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u-1")
    assert await desk.stage(claim.id) == ("sent", None, False)
    assert await desk.attempts(claim.id) == [("accepted", "u-1")]


@pytest.mark.parametrize("delivery", [OutcomeUnknown("reset"), NotAccepted("429"), Refused("X", "y", {})])
async def test_no_other_late_answer_moves_a_row_that_was_given_up(
    desk: Desk, delivery: OutcomeUnknown | NotAccepted | Refused
) -> None:
    claim = await desk.one()
    await desk.claims.give_up([(claim.id, claim.version)], Stage.UNKNOWN, "ran out")
    assert await desk.claims.settle([settle(claim, delivery)]) == []
    assert await desk.stage(claim.id) == ("unknown", "unknown_outcome", True)


async def test_an_acceptance_that_the_lease_of_a_sweep_overtook_is_found_when_the_sweep_gives_up(desk: Desk) -> None:
    claim = await desk.one()
    await desk.database.execute("UPDATE invoices SET version = version + 1 WHERE id = $1", claim.id)
    assert await desk.claims.settle([settle(claim, Accepted("u-1", {}))]) == []
    (moved,) = await desk.claims.give_up([(claim.id, claim.version + 1)], Stage.UNKNOWN, "ran out")
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u-1")
    assert await desk.stage(claim.id) == ("sent", None, False)
    assert await desk.attempts(claim.id) == [("accepted", "u-1")]


async def second_attempt(desk: Desk) -> tuple[Claim, Claim]:
    """Two attempts for one row, the second in flight."""
    older = await desk.one()
    await desk.claims.settle([release(older)])
    (newer,) = await desk.claim()
    return older, newer


@pytest.mark.parametrize("delivery", [NotAccepted("429"), OutcomeUnknown("reset"), Refused("X", "exists", {})])
async def test_an_older_acceptance_wins_when_the_newer_attempt_ends(
    desk: Desk, delivery: NotAccepted | OutcomeUnknown | Refused
) -> None:
    older, newer = await second_attempt(desk)
    assert await desk.claims.settle([settle(older, Accepted("u-old", {}))]) == []
    assert (await desk.stage(newer.id))[0] == "sending", "an attempt in flight is not moved by another's answer"
    (moved,) = await desk.claims.settle([settle(newer, delivery)])
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u-old")
    assert await desk.stage(newer.id) == ("sent", None, False)


async def test_an_older_acceptance_wins_when_the_newer_attempt_is_given_up(desk: Desk) -> None:
    older, newer = await second_attempt(desk)
    await desk.claims.settle([settle(older, Accepted("u-old", {}))])
    (moved,) = await desk.claims.give_up([(newer.id, newer.version)], Stage.UNKNOWN, "ran out")
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u-old")


async def test_both_attempts_of_a_row_in_one_batch_move_it_once(desk: Desk) -> None:
    older, newer = await second_attempt(desk)
    moved = await desk.claims.settle([settle(older, Accepted("u-old", {})), settle(newer, Accepted("u-new", {}))])
    assert [one.stage for one in moved] == [Stage.SENT]
    assert await desk.attempts(newer.id) == [("accepted", "u-old"), ("accepted", "u-new")]


async def test_an_outcome_that_is_written_twice_moves_its_row_once(desk: Desk) -> None:
    claim = await desk.one()
    end = settle(claim, Accepted("u-1", {}))
    assert len(await desk.claims.settle([end])) == 1
    assert await desk.claims.settle([end]) == []


async def test_an_end_that_nobody_heard_is_announced_again(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, Accepted("u-1", {"uuid": "u-1"}))])
    await run_out(desk, claim.id)
    (told,) = await sweep_all(desk)
    assert (told.id, told.stage, told.uuid) == (claim.id, Stage.SENT, "u-1")


NUL = {"error": {"code": "X", "message": "nul \x00"}}


async def test_a_nul_in_an_answer_blocks_neither_its_own_nor_the_others_settling(desk: Desk) -> None:
    for _ in range(5):
        await ready_row(desk.database)
    claims = await desk.claim()
    settler = Settler(desk.claims, quiet)
    for claim in claims[:2]:
        settler.add(settle(claim, Refused("X", "nul \x00", NUL)))
    settler.add(settle(claims[2], Accepted("u\x00", {"uuid": "u\x00"})))
    for claim in claims[3:]:
        settler.add(settle(claim, Accepted("u", {})))
    await drained(settler)
    stages = [(await desk.stage(claim.id))[0] for claim in claims]
    assert stages == ["failed", "failed", "sent", "sent", "sent"]


async def quiet(_: Sequence[Moved]) -> None:
    pass


async def drained(settler: Settler) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(settler.run())
        await settler.drain()
        running.cancel()


async def test_outcomes_are_kept_while_the_database_is_away_and_written_after(
    desk: Desk, infrastructure: Infrastructure
) -> None:
    claims = [await desk.one() for _ in range(6)]
    settler = Settler(desk.claims, quiet)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(settler.run())
        await infrastructure.hold("postgres")
        for claim in claims:
            settler.add(settle(claim, Accepted(f"u-{claim.attempt}", {})))
        await asyncio.sleep(1.0)
        await infrastructure.release("postgres")
        await settler.drain()
        running.cancel()
    assert {(await desk.stage(claim.id))[0] for claim in claims} == {"sent"}
    assert [await desk.attempts(claim.id) for claim in claims] == [
        [(Outcome.ACCEPTED.value, f"u-{claim.attempt}")] for claim in claims
    ]


async def test_expiring_and_settling_at_the_same_moment_never_lose_an_acceptance(
    desk: Desk, database: Database
) -> None:
    for _ in range(30):
        claim = await desk.one()
        settler = Settler(desk.claims, quiet)
        settler.add(settle(claim, Accepted("u", {})))
        await run_out(desk, claim.id)
        await asyncio.gather(drained(settler), sweep_all(desk))
        await sweep_all(desk)
        assert await desk.stage(claim.id) == ("sent", None, False)
