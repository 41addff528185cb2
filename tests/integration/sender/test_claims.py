"""Claims on the real database: one row to one pump, only with its key, fairly over dossiers."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from common.clock import SYSTEM_CLOCK
from common.invoice.stage import Stage
from sender.domain import Claim, NotAccepted, OutcomeUnknown, release
from tests.integration.sender.rows import LEASE, Desk, ready_row
from tests.unit.sender.fakes import settle

pytestmark = pytest.mark.stack


async def test_a_claim_commits_an_attempt_and_a_lease_before_anything_leaves(desk: Desk) -> None:
    row = await ready_row(desk.database, raw=b"<raw/>")
    (pair,) = await desk.claims.claim(["0123456749"], 5, LEASE)
    claim, moved = pair
    assert (claim.id, claim.version, claim.content, claim.failures, claim.found) == (row, 2, b"<raw/>", 0, None)
    assert (moved.stage, moved.version, moved.attempt) == (Stage.SENDING, 2, claim.attempt)
    assert await desk.stage(row) == ("sending", None, False)
    assert timedelta(seconds=80) < (await desk.row(row))["wait"] <= LEASE
    assert await desk.attempts(row) == [(None, None)]
    events = await desk.database.fetch("SELECT version, stage, actor FROM invoice_events WHERE invoice_id = $1", row)
    assert [tuple(event) for event in events] == [(2, "sending", "sender")]


async def test_pumps_side_by_side_never_claim_one_row_twice(desk: Desk) -> None:
    rows = {await ready_row(desk.database, dossier=f"d{number % 3}") for number in range(90)}
    claimed: list[object] = []

    async def pump() -> None:
        while pairs := await desk.claims.claim(["d0", "d1", "d2"], 7, LEASE):
            claimed.extend(claim.id for claim, _ in pairs)

    await asyncio.gather(pump(), pump(), pump(), pump())
    left = await desk.claims.claim(["d0", "d1", "d2"], 100, LEASE)  # a pump may have seen only locked rows
    claimed.extend(claim.id for claim, _ in left)
    assert len(claimed) == 90
    assert set(claimed) == rows


async def test_only_the_holder_of_the_key_is_claimed(desk: Desk) -> None:
    holder = await ready_row(desk.database, dedupe_key="same")
    other = await ready_row(desk.database, dedupe_key="same", due=60.0)
    assert [claim.id for claim in await desk.claim()] == [holder]
    assert (await desk.stage(other))[0] == "validated"


async def test_a_row_that_is_not_due_or_not_validated_is_left_alone(desk: Desk) -> None:
    await ready_row(desk.database, due=-60.0)
    await ready_row(desk.database, stage="fetched")
    await ready_row(desk.database, stage="held", status="held")
    assert await desk.claim() == []


async def test_dossiers_share_the_slots_and_the_oldest_row_is_first(desk: Desk) -> None:
    for dossier, count in (("a", 30), ("b", 30), ("c", 1)):
        for number in range(count):
            await ready_row(desk.database, dossier=dossier, due=float(number))
    assert sorted(await desk.claims.dossiers_due()) == ["a", "b", "c"]
    claims = await desk.claim(12, dossiers=("a", "b", "c"))
    assert [sum(claim.dossier == dossier for claim in claims) for dossier in "abc"] == [4, 4, 1]
    left = await desk.database.fetchval(
        "SELECT max(now() - wake_at) FROM invoices WHERE dossier = 'a' AND stage = 'validated'"
    )
    assert left < timedelta(seconds=27)


async def test_only_dossiers_with_due_rows_are_named(desk: Desk) -> None:
    assert await desk.claims.dossiers_due() == []
    await ready_row(desk.database, dossier="later", due=-60.0)
    await ready_row(desk.database, dossier="now")
    assert await desk.claims.dossiers_due() == ["now"]


async def test_a_credit_note_carries_the_journal_of_its_administration(desk: Desk) -> None:
    await desk.database.execute(
        "INSERT INTO administrations (enterprise_number, credit_note_journal) VALUES ('d', 'VKN')"
    )
    note = await ready_row(desk.database, dossier="d", kind="credit_note")
    invoice = await ready_row(desk.database, dossier="d")
    journals = {claim.id: claim.journal for claim in await desk.claim(dossiers=("d",))}
    assert journals == {note: "VKN", invoice: None}


async def again(desk: Desk, claim: Claim) -> Claim:
    """The next claim of a row, as soon as it may be."""
    await desk.database.execute("UPDATE invoices SET wake_at = now() WHERE id = $1", claim.id)
    (next_,) = await desk.claim()
    return next_


async def test_only_own_failures_lengthen_the_pause_and_start_the_clock(desk: Desk) -> None:
    claim = await desk.one()
    for end in (release(claim), settle(claim, NotAccepted("429", everyone=True))):
        await desk.claims.settle([replace(end, claim=claim)])
        claim = await again(desk, claim)
        assert (claim.failures, (await desk.row(claim.id))["first_failed_at"]) == (0, None)
    await desk.claims.settle([settle(claim, NotAccepted("denied"))])
    claim = await again(desk, claim)
    assert claim.failures == 1
    assert claim.failing_for < timedelta(seconds=20)
    assert (await desk.row(claim.id))["first_failed_at"] is not None


async def test_what_others_make_a_row_wait_is_not_on_its_own_clock(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, NotAccepted("denied"))])
    await desk.pass_time(claim.id, timedelta(hours=5))  # nobody claimed it: a breaker, a pause, a dead sender
    claim = await again_late(desk)
    assert claim.failing_for < timedelta(seconds=20)
    await desk.claims.settle([settle(claim, NotAccepted("429", timedelta(minutes=30), everyone=True))])
    await desk.pass_time(claim.id, timedelta(hours=1))
    claim = await again_late(desk)
    assert claim.failing_for < timedelta(seconds=30)
    assert timedelta(hours=5.9) < timedelta(seconds=(await desk.row(claim.id))["paused_seconds"]) < timedelta(hours=6.1)


async def again_late(desk: Desk) -> Claim:
    (claim,) = await desk.claim()
    return claim


async def test_its_own_waits_are_on_its_own_clock_and_three_days_of_them_are_the_end(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, NotAccepted("denied"))])
    row = (await desk.row(claim.id))["wait"]
    await desk.pass_time(claim.id, row)
    claim = await again_late(desk)
    assert abs(claim.failing_for - row) < timedelta(seconds=2)
    await desk.database.execute("UPDATE invoices SET first_failed_at = now() - interval '73 h' WHERE id = $1", claim.id)
    await desk.claims.settle([settle(claim, NotAccepted("denied"))])
    claim = await again(desk, claim)
    assert claim.failing_for > timedelta(hours=72)
    (moved,) = await desk.claims.settle([settle(claim, NotAccepted("denied"))])
    assert (moved.stage, moved.reason) == (Stage.FAILED, "exhausted")
    row = await desk.row(claim.id)
    assert (row["status"], row["failures"], row["first_failed_at"], row["paused_seconds"]) == ("failed", 0, None, 0)


async def test_a_claim_of_what_an_older_attempt_turns_out_to_have_sent_says_so_and_ends_as_sent(desk: Desk) -> None:
    older = await desk.one()
    await desk.claims.settle([settle(older, NotAccepted("denied"))])
    await desk.database.execute("UPDATE attempts SET outcome = 'accepted', uuid = 'u' WHERE invoice_id = $1", older.id)
    claim = await again(desk, older)
    assert claim.found == "u"
    (moved,) = await desk.claims.settle([release(claim)])
    assert (moved.stage, moved.uuid) == (Stage.SENT, "u")


async def resent(desk: Desk, passed: timedelta) -> Claim:
    """A claim of a row whose first attempt, `passed` ago, was unclear."""
    claim = await desk.one()
    await desk.claims.settle([settle(claim, OutcomeUnknown("reset"))])
    await desk.pass_time(claim.id, passed)
    await desk.database.execute(
        "UPDATE invoices SET stage = 'validated', wake_at = now() WHERE id = $1 AND stage = 'unknown'", claim.id
    )
    (claim,) = await desk.claim()
    return claim


async def test_a_row_that_may_have_been_sent_is_claimed_as_such_while_its_key_lives(desk: Desk) -> None:
    claim = await resent(desk, timedelta(hours=22))
    assert (claim.maybe_sent, claim.too_late) == (True, False)


@pytest.mark.parametrize("passed", [timedelta(hours=22, minutes=59, seconds=30), timedelta(hours=30)])
async def test_after_the_life_of_its_key_it_may_not_leave_and_is_unknown_again(desk: Desk, passed: timedelta) -> None:
    before = SYSTEM_CLOCK.monotonic()
    claim = await resent(desk, passed)
    assert (claim.maybe_sent, claim.too_late) == (True, True)
    assert claim.lease_ends <= before + 35
    (moved,) = await desk.claims.settle([release(claim)])
    assert moved.stage is Stage.UNKNOWN
    assert (await desk.row(claim.id))["wait"] <= timedelta(0)
    assert await desk.attempts(claim.id) == [("unknown", None), ("released", None)]


async def test_a_person_who_says_that_it_is_not_there_lifts_that(desk: Desk) -> None:
    claim = await desk.one()
    await desk.claims.settle([settle(claim, OutcomeUnknown("reset"))])
    await desk.pass_time(claim.id, timedelta(hours=30))
    await desk.database.execute(
        "UPDATE invoices SET stage = 'validated', maybe_sent = false WHERE id = $1 AND stage = 'unknown'", claim.id
    )
    (claim,) = await desk.claim()
    assert (claim.maybe_sent, claim.too_late) == (False, False)


async def test_one_row_that_cannot_be_claimed_does_not_stop_the_others(desk: Desk) -> None:
    await ready_row(desk.database, reference=None, due=60.0)
    good = await ready_row(desk.database)
    assert [claim.id for claim in await desk.claim()] == [good]
