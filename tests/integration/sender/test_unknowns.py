"""Unknown rows on the real database: looked up after lease and settle, sent, sent again or held by what is found."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from common.db.sweeper import Sweeper
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Accepted, Claim, NotAccepted, OutcomeUnknown, Refused
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed, Rules
from sender.resolving import Resolver
from sender.sweeps import SenderSweeps
from tests.integration.sender.rows import LEASE, RULES, SETTLE, Desk
from tests.unit.sender.fakes import FakeDestination, settle

pytestmark = pytest.mark.stack

SETTLED = LEASE + SETTLE


async def sweep(desk: Desk, evidence: Evidence = Absent(), rules: Rules = RULES, **knows: Any) -> list[Moved]:  # noqa: B008 frozen
    """One round of the sweep for unknown rows; what it announced."""
    told: list[Moved] = []

    async def announce(moved: Sequence[Moved]) -> None:
        told.extend(moved)

    references = await desk.database.fetch("SELECT reference FROM invoices WHERE stage = 'unknown'")
    destination = FakeDestination(knows={row["reference"]: evidence for row in references}, **knows)
    resolve = Resolver(desk.unknowns, destination, rules, announce=announce)
    (unknown,) = SenderSweeps(desk.claims, resolve, announce).slow()
    await Sweeper(desk.database, (), service="sender").once(unknown)
    return told


async def unclear(desk: Desk, passed: timedelta = SETTLED, *, exists: bool = False, **changes: Any) -> Claim:
    claim = await desk.one(**changes)
    await desk.claims.settle([settle(claim, OutcomeUnknown("reset", exists=exists))])
    await desk.pass_time(claim.id, passed)
    return claim


async def looked_up(desk: Desk, claim: Claim) -> tuple[int, bool]:
    row = await desk.database.fetchrow(
        """SELECT sum(absent)::int AS absent, bool_or(looked_up_at IS NOT NULL) AS at FROM attempts
           WHERE invoice_id = $1""",
        claim.id,
    )
    assert row is not None
    return row["absent"], row["at"]


async def test_what_is_found_is_sent_with_its_uuid(desk: Desk) -> None:
    claim = await unclear(desk)
    (told,) = await sweep(desk, Found(("u-1",)))
    assert (told.stage, told.uuid, told.id) == (Stage.SENT, "u-1", claim.id)
    row = await desk.row(claim.id)
    assert (row["stage"], row["reason"], row["maybe_sent"], row["error_message"]) == ("sent", None, False, None)
    assert row["clearfacts_response"] == {"uuid": "u-1"}
    assert await desk.attempts(claim.id) == [("accepted", "u-1")]
    assert await desk.alerts() == []


async def test_nothing_is_asked_before_lease_and_settle_are_over(desk: Desk) -> None:
    claim = await unclear(desk, SETTLED - timedelta(seconds=5))
    assert await sweep(desk, Found(("u-1",))) == []
    assert (await desk.stage(claim.id))[0] == "unknown"


async def test_absent_twice_is_sent_again_as_one_own_failure_and_found_the_next_time(desk: Desk) -> None:
    claim = await unclear(desk)
    assert await sweep(desk) == []
    assert (await desk.stage(claim.id), await looked_up(desk, claim)) == (
        ("unknown", "unknown_outcome", True),
        (1, True),
    )
    assert SETTLE - timedelta(seconds=5) < (await desk.row(claim.id))["wait"] <= SETTLE
    await desk.pass_time(claim.id, SETTLE)
    (told,) = await sweep(desk)
    assert (told.stage, told.reason) == (Stage.VALIDATED, "not_accepted")
    row = await desk.row(claim.id)
    assert (row["maybe_sent"], row["failures"], await looked_up(desk, claim)) == (True, 1, (2, True))
    assert row["first_failed_at"] is not None
    assert row["wait"] <= timedelta(seconds=10)
    await desk.pass_time(claim.id, timedelta(seconds=10))
    (again,) = await desk.claim()
    assert (again.reference, again.maybe_sent, again.too_late, again.failures) == (claim.reference, True, False, 1)
    (moved,) = await desk.claims.settle([settle(again, Accepted("u-1", {}))])
    assert moved.stage is Stage.SENT
    assert await desk.stage(claim.id) == ("sent", None, False)


@pytest.mark.parametrize(
    ("passed", "rules", "exists"),
    [
        (timedelta(hours=23), RULES, False),
        (SETTLED, Rules(lookup=True, settle=SETTLE, key_life=None), False),
        (SETTLED, RULES, True),
    ],
    ids=["the key is forgotten", "there is no key", "it exists under another reference"],
)
async def test_absent_twice_is_held_where_a_second_sending_may_be_a_second_document(
    desk: Desk, *, passed: timedelta, rules: Rules, exists: bool
) -> None:
    claim = await unclear(desk, passed, exists=exists)
    assert await sweep(desk, rules=rules) == []
    await desk.pass_time(claim.id, SETTLE)
    (told,) = await sweep(desk, rules=rules)
    assert (told.stage, told.reason) == (Stage.HELD, "unknown_outcome")
    row = await desk.row(claim.id)
    assert (row["status"], row["maybe_sent"], await looked_up(desk, claim)) == ("held", True, (2, True))
    assert row["error_message"].startswith("the destination") or "key" in row["error_message"]


async def test_a_lookup_that_fails_changes_nothing_and_comes_again(desk: Desk) -> None:
    claim = await unclear(desk)
    before = await desk.row(claim.id)
    assert await sweep(desk, LookupFailed("503")) == []
    after = await desk.row(claim.id)
    assert {**after, "wake_at": 0, "wait": 0, "version": 0} == {**before, "wake_at": 0, "wait": 0, "version": 0}
    assert timedelta(seconds=10) < after["wait"] < timedelta(seconds=50)
    assert await looked_up(desk, claim) == (0, False)


async def test_a_destination_that_cannot_be_asked_holds_at_once(desk: Desk) -> None:
    claim = await unclear(desk)
    deaf = Rules(lookup=False, settle=timedelta(0), key_life=None)
    (told,) = await sweep(desk, rules=deaf)
    assert (told.stage, await looked_up(desk, claim)) == (Stage.HELD, (0, False))


async def test_a_refusal_of_a_second_sending_is_held_and_never_failed(desk: Desk) -> None:
    claim = await unclear(desk)
    await sweep(desk)
    await desk.pass_time(claim.id, SETTLE)
    await sweep(desk)
    await desk.pass_time(claim.id, timedelta(seconds=10))
    (again,) = await desk.claim()
    (moved,) = await desk.claims.settle([settle(again, Refused("X", "wrong", {}))])
    assert moved.stage is Stage.UNKNOWN
    await desk.pass_time(claim.id, SETTLED)
    (told,) = await sweep(desk)
    assert told.stage is Stage.HELD
    assert "refused" in (await desk.row(claim.id))["error_message"]


async def test_late_answers_that_prove_it_not_accepted_free_the_row_without_a_lookup(desk: Desk) -> None:
    claim = await desk.one()
    await desk.pass_time(claim.id, LEASE)
    await desk.claims.give_up([(claim.id, claim.version)], Stage.UNKNOWN, "ran out")
    assert await desk.claims.settle([settle(claim, NotAccepted("429", everyone=True))]) == []
    await desk.pass_time(claim.id, SETTLE)
    (told,) = await sweep(desk, LookupFailed("not asked"))
    assert told.stage is Stage.VALIDATED
    assert await desk.stage(claim.id) == ("validated", "not_accepted", False)
    assert (await desk.row(claim.id))["failures"] == 0


async def test_an_acceptance_of_the_moment_between_reading_and_concluding_wins(desk: Desk) -> None:
    claim = await unclear(desk, timedelta(hours=23))
    await desk.database.execute("UPDATE attempts SET absent = 1 WHERE invoice_id = $1", claim.id)

    class Late(FakeDestination):
        async def find(self, reference: Any) -> Evidence:
            await desk.database.execute(
                "UPDATE attempts SET outcome = 'accepted', uuid = 'u-late' WHERE invoice_id = $1", claim.id
            )
            return Absent()

    told: list[Moved] = []

    async def announce(moved: Sequence[Moved]) -> None:
        told.extend(moved)

    resolve = Resolver(desk.unknowns, Late(), RULES, announce=announce)
    await resolve([(claim.id, await desk.version(claim.id))])
    assert [(moved.stage, moved.uuid) for moved in told] == [(Stage.SENT, "u-late")]


@pytest.mark.parametrize("stage", ["unknown", "held", "validated", "failed"])
async def test_a_late_acceptance_ends_its_row_wherever_it_stands(desk: Desk, stage: str) -> None:
    claim = await unclear(desk)
    await desk.database.execute("UPDATE invoices SET stage = $2, version = version + 1 WHERE id = $1", claim.id, stage)
    (moved,) = await desk.claims.settle([settle(claim, Accepted("u-late", {}))])
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u-late")
    assert await desk.stage(claim.id) == ("sent", None, False)


async def both_accepted(desk: Desk) -> tuple[Claim, Claim]:
    """Two attempts of a row; the second was accepted as `u-2`."""
    older = await unclear(desk)
    await desk.database.execute("UPDATE invoices SET stage = 'validated', wake_at = now() WHERE id = $1", older.id)
    (newer,) = await desk.claim()
    await desk.claims.settle([settle(newer, Accepted("u-2", {}))])
    return older, newer


async def test_two_accepted_uuids_of_a_row_ask_for_a_person_once(desk: Desk) -> None:
    older, newer = await both_accepted(desk)
    assert await desk.alerts() == []
    for _ in range(3):
        assert await desk.claims.settle([settle(older, Accepted("u-1", {}))]) == []
    assert await desk.alerts() == [("duplicate_suspected", str(newer.id), "critical")]
    assert await desk.attempts(newer.id) == [("accepted", "u-1"), ("accepted", "u-2")]
    details = await desk.database.fetchval("SELECT details FROM alerts")
    assert details == {"uuids": ["u-2", "u-1"]}


async def test_the_same_uuid_twice_is_no_duplicate(desk: Desk) -> None:
    older, _ = await both_accepted(desk)
    await desk.claims.settle([settle(older, Accepted("u-2", {}))])
    assert await desk.alerts() == []


async def test_two_uuids_in_one_batch_ask_for_a_person_too(desk: Desk) -> None:
    older = await unclear(desk)
    await desk.database.execute("UPDATE invoices SET stage = 'validated', wake_at = now() WHERE id = $1", older.id)
    (newer,) = await desk.claim()
    ends = [settle(newer, Accepted("u-2", {})), settle(older, Accepted("u-1", {}))]
    assert [moved.stage for moved in await desk.claims.settle(ends)] == [Stage.SENT]
    assert [kind for kind, *_ in await desk.alerts()] == ["duplicate_suspected"]


async def test_a_lookup_that_finds_two_documents_asks_for_a_person_too(desk: Desk) -> None:
    claim = await unclear(desk)
    (told,) = await sweep(desk, Found(("u-2", "u-1")))
    assert told.stage is Stage.SENT
    assert await desk.alerts() == [("duplicate_suspected", str(claim.id), "critical")]


async def test_a_late_answer_never_writes_over_an_acceptance(desk: Desk) -> None:
    claim = await unclear(desk)
    await sweep(desk, Found(("u-1",)))
    assert await desk.claims.settle([settle(claim, OutcomeUnknown("reset"))]) == []
    assert await desk.attempts(claim.id) == [("accepted", "u-1")]


async def test_a_row_that_was_recovered_without_its_document_is_never_sent(desk: Desk) -> None:
    claim = await unclear(desk, ubl_data="")
    await sweep(desk)
    await desk.pass_time(claim.id, SETTLE)
    (told,) = await sweep(desk)
    assert told.stage is Stage.HELD


async def test_many_rows_are_concluded_together_and_by_several_sweepers_once(desk: Desk) -> None:
    rows = [await unclear(desk) for _ in range(40)]
    told = [moved for each in await asyncio.gather(*(sweep(desk, Found(("u",))) for _ in range(3))) for moved in each]
    assert sorted(moved.id for moved in told) == sorted(row.id for row in rows)
