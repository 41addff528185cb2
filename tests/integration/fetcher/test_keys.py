"""`invoice_keys`: one holder for one invoice, whatever route it came by."""

import pytest

from common.errors import InfrastructureError
from common.invoice.move import Moved
from common.invoice.stage import Reason, Stage
from fetcher.adapters.postgres_sweeps import FetcherSweeps
from tests.integration.fetcher.world import World, after, document, item
from ubl.identity import reference

pytestmark = pytest.mark.stack

FIRST = document("INV-7")
CHANGED = document("INV-7", inclusive="242.00", payable="242.00")


async def first_and_changed(world: World, stage: Stage, reason: Reason | None = None, *, maybe_sent: bool = False
                            ) -> tuple[Moved, Moved]:  # fmt: skip
    """The first version brought to `stage`, then another version of the same invoice."""
    (first,) = await world.listing(item("s-1", FIRST))
    await world.put(first.id, stage, reason, maybe_sent=maybe_sent)
    (second,) = await world.listing(item("s-2", CHANGED))
    return first, second


async def test_the_same_invoice_under_another_source_id_is_a_duplicate_of_its_holder(world: World) -> None:
    (first,) = await world.listing(item("s-1", FIRST))
    (second,) = await world.listing(item("s-2", FIRST))
    assert (second.stage, (await world.row(second.id))["duplicate_of"]) == (Stage.DUPLICATE, first.id)
    assert await world.holder(second.id) == (first.id, 0)


async def test_of_the_same_invoice_twice_on_one_page_the_first_is_the_holder(world: World) -> None:
    first, second = await world.listing(item("s-2", FIRST), item("s-1", FIRST))
    assert (first.stage, second.stage) == (Stage.FETCHED, Stage.DUPLICATE)
    assert await world.holder(second.id) == (first.id, 0)


async def test_another_version_after_the_first_was_sent_waits_for_a_person(world: World) -> None:
    first, second = await first_and_changed(world, Stage.SENT)
    assert (second.stage, second.reason) == (Stage.HELD, Reason.CHANGED_AFTER_SENT)
    row = await world.row(second.id)
    assert (row["duplicate_of"], row["error_message"]) == (first.id, "another version of this invoice was already sent")
    assert await world.holder(second.id) == (first.id, 0)


@pytest.mark.parametrize("stage", [Stage.FETCHED, Stage.VALIDATED, Stage.SENDING, Stage.UNKNOWN, Stage.HELD])
async def test_another_version_while_the_first_is_on_its_way_conflicts(world: World, stage: Stage) -> None:
    first, second = await first_and_changed(world, stage)
    assert (second.stage, second.reason) == (Stage.HELD, Reason.CONFLICTING_VERSION)
    assert await world.holder(second.id) == (first.id, 0)
    assert await world.look_again(second.id) == []
    assert (await world.row(second.id))["wake_at"] is not None


async def test_another_version_after_the_first_failed_takes_the_key(world: World) -> None:
    _, second = await first_and_changed(world, Stage.FAILED, Reason.INVALID)
    assert second.stage is Stage.FETCHED
    assert await world.holder(second.id) == (second.id, 0)


async def test_a_failed_first_that_may_have_been_sent_keeps_the_key(world: World) -> None:
    first, second = await first_and_changed(world, Stage.FAILED, Reason.REFUSED, maybe_sent=True)
    assert second.reason == Reason.CONFLICTING_VERSION
    assert await world.holder(second.id) == (first.id, 0)


async def test_a_conflict_whose_holder_failed_goes_on_under_the_key_with_its_own_reference(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.put(first.id, Stage.FAILED, Reason.REFUSED)
    (moved,) = await world.look_again(second.id)
    row = await world.row(second.id)
    assert (moved.stage, row["status"], row["reason"], row["duplicate_of"]) == (Stage.FETCHED, "pending", None, None)
    assert row["reference"] == reference(row["dossier"], row["dedupe_key"], 0, row["content_sha256"]) == moved.reference
    assert row["reference"] != (await world.row(first.id))["reference"]
    assert await world.holder(second.id) == (second.id, 0)


async def test_a_conflict_that_goes_on_after_its_job_was_told_asks_for_a_correction(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.database.execute("UPDATE jobs SET status = 'completed' WHERE id = $1", second.job_id)
    assert await world.look_again(second.id) == []
    assert await world.database.fetchval("SELECT count(*) FROM notifications") == 0
    await world.put(first.id, Stage.FAILED, Reason.REFUSED)
    await world.look_again(second.id)
    rows = await world.database.fetch("SELECT kind, subject FROM notifications")
    assert [tuple(row) for row in rows] == [("job_corrected", str(second.job_id))]


async def test_a_conflict_of_a_later_generation_keeps_that_generation_when_it_goes_on(world: World) -> None:
    (sent,) = await world.listing(item("s-1", FIRST))
    await world.put(sent.id, Stage.SENT)
    (again,) = await world.record(await world.forced("s-1"), item("s-1", FIRST))
    (second,) = await world.listing(item("s-2", CHANGED))
    await world.put(again.id, Stage.FAILED, Reason.REFUSED)
    (moved,) = await world.look_again(second.id)
    row = await world.row(second.id)
    assert (row["generation"], moved.generation) == (1, 1)
    assert row["reference"] == reference(row["dossier"], row["dedupe_key"], 1, row["content_sha256"])
    assert await world.holder(second.id) == (second.id, 1)


async def test_a_conflict_whose_holder_was_sent_waits_for_a_person(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.put(first.id, Stage.SENT)
    (moved,) = await world.look_again(second.id)
    assert (moved.stage, moved.reason) == (Stage.HELD, Reason.CHANGED_AFTER_SENT)
    assert await world.holder(second.id) == (first.id, 0)


async def test_of_two_conflicts_with_the_same_content_one_goes_on_and_the_other_is_its_duplicate(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    (third,) = await world.listing(item("s-3", CHANGED))
    await world.put(first.id, Stage.FAILED, Reason.INVALID)
    (goes_on,) = await world.look_again(second.id)
    (duplicate,) = await world.look_again(third.id)
    assert (goes_on.stage, duplicate.stage) == (Stage.FETCHED, Stage.DUPLICATE)
    assert (await world.row(third.id))["duplicate_of"] == second.id


async def test_a_conflict_of_a_cancelled_job_does_not_go_on(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.put(first.id, Stage.FAILED, Reason.REFUSED)
    await world.database.execute("UPDATE jobs SET cancelled_at = now() WHERE id = $1", second.job_id)
    (moved,) = await world.look_again(second.id)
    assert (moved.stage, moved.reason) == (Stage.FAILED, Reason.CANCELLED)
    assert await world.holder(second.id) == (first.id, 0)


async def test_a_conflict_that_a_person_settled_meanwhile_takes_no_key(world: World) -> None:
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.put(first.id, Stage.FAILED, Reason.REFUSED)
    await world.sweeps.look_again([(second.id, second.version + 7)])
    assert world.announced == []
    assert await world.holder(second.id) == (first.id, 0)


async def test_one_conflict_that_cannot_be_judged_does_not_stop_the_others(world: World) -> None:
    """The judgement of the first runs into a lock that is not given in time."""
    first, second = await first_and_changed(world, Stage.VALIDATED)
    await world.put(first.id, Stage.FAILED, Reason.REFUSED)
    (other,) = await world.listing(item("o-1", document("OTHER")))
    (changed,) = await world.listing(item("o-2", document("OTHER", inclusive="9.00", payable="9.00")))
    await world.put(other.id, Stage.FAILED, Reason.REFUSED)
    async with world.database.transaction() as connection:
        await connection.execute("SELECT FROM invoices WHERE id = $1 FOR UPDATE", second.id)
        await world.sweeps.look_again([(second.id, 1), (changed.id, 1)])
    assert [m.id for m in world.announced] == [changed.id]


async def test_ends_are_announced_again_at_their_version_only(world: World) -> None:
    (failed,) = await world.listing(item("s-1", "<"))
    await world.sweeps.announce_again([(failed.id, 1), (failed.id, 2)])
    assert [(m.id, m.version, m.reason) for m in world.announced] == [(failed.id, 1, "invalid")]


@pytest.mark.parametrize(
    ("stage", "reason", "swept"),
    [
        (Stage.FAILED, Reason.INVALID, True),
        (Stage.FAILED, None, True),
        (Stage.FAILED, Reason.REFUSED, False),  # the sender's
        (Stage.DUPLICATE, None, True),
        (Stage.HELD, Reason.CHANGED_AFTER_SENT, True),
        (Stage.HELD, Reason.CONFLICTING_VERSION, True),
        (Stage.HELD, None, True),
        (Stage.SENT, None, False),
    ],
)
async def test_every_end_of_ours_belongs_to_exactly_one_sweep(
    world: World, stage: Stage, reason: Reason | None, *, swept: bool
) -> None:
    (moved,) = await world.listing(item("s-1"))
    await world.put(moved.id, stage, reason)
    hits = 0
    for sweep in world.sweeps.all():
        hits += await world.database.fetchval(
            f"SELECT count(*) FROM invoices WHERE stage = '{sweep.stage}' AND ({sweep.condition})"
        )
    assert hits == swept


async def test_a_sweep_whose_announcement_fails_says_so(world: World) -> None:
    async def deaf(_: object) -> None:
        raise InfrastructureError("kafka")

    (failed,) = await world.listing(item("s-1", "<"))
    with pytest.raises(InfrastructureError):
        await FetcherSweeps(world.database, deaf).announce_again([(failed.id, 1)])


async def test_force_over_a_sent_holder_is_the_next_generation(world: World) -> None:
    (first,) = await world.listing(item("s-1", FIRST))
    await world.put(first.id, Stage.SENT)
    job = await world.forced("s-1")
    (second,) = await world.record(job, item("s-1", FIRST))
    assert (second.stage, second.generation) == (Stage.FETCHED, 1)
    assert second.reference not in {None, first.reference}
    assert await world.holder(first.id) == (second.id, 1)
    assert await world.fates(job) == [["new"]]


async def test_force_against_an_open_holder_is_a_duplicate(world: World) -> None:
    (first,) = await world.listing(item("s-1", FIRST))
    (second,) = await world.record(await world.forced("s-1"), item("s-1", FIRST))
    assert (second.stage, (await world.row(second.id))["duplicate_of"]) == (Stage.DUPLICATE, first.id)


@pytest.mark.parametrize(("stage", "maybe_sent"), [(Stage.HELD, False), (Stage.FAILED, True), (Stage.UNKNOWN, True)])
async def test_force_against_held_or_maybe_sent_is_refused_with_the_reason_in_the_row(
    world: World, stage: Stage, *, maybe_sent: bool
) -> None:
    (first,) = await world.listing(item("s-1", FIRST))
    await world.put(first.id, stage, Reason.UNKNOWN_OUTCOME, maybe_sent=maybe_sent)
    (second,) = await world.record(await world.forced("s-1"), item("s-1", FIRST))
    row = await world.row(second.id)
    assert (row["status"], row["reason"]) == ("failed", "force_refused")
    assert row["error_message"] == f"row {first.id} may have been sent or waits for a person; resolve it first"
    assert await world.holder(first.id) == (first.id, 0)


async def test_one_order_to_force_sends_an_invoice_once_however_often_the_source_lists_it(world: World) -> None:
    """A page shift shows the item again after its first row was sent: that is no second order."""
    (first,) = await world.listing(item("s-1", FIRST))
    await world.put(first.id, Stage.SENT)
    job = await world.forced("s-1")
    (second,) = await world.record(job, item("s-1", FIRST), more="c")
    await world.put(second.id, Stage.SENT)
    assert await world.record(after(job, "c"), item("s-1", FIRST)) == []
    assert await world.fates(job) == [["new"], ["repeated"]]
    assert await world.count() == 2


async def test_what_was_cancelled_goes_again_with_the_next_listing(world: World) -> None:
    (first,) = await world.listing(item("s-1", FIRST))
    await world.put(first.id, Stage.FAILED, Reason.CANCELLED)
    (second,) = await world.listing(item("s-1", FIRST))
    assert second.stage is Stage.FETCHED
    assert await world.holder(first.id) == (second.id, 0)
    assert await world.listing(item("s-1", FIRST)) == []
