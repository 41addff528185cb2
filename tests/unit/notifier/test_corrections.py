"""Corrections: the new numbers of a finished job, after its invoices moved between buckets."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

from common.db import corrections
from notifier.domain.corrections import Correction, write_correction
from notifier.domain.notification import Kind, NotDelivered
from notifier.domain.report import Counts
from notifier.domain.wording import Tone
from tests.unit.notifier.fakes import NOON
from tests.unit.notifier.test_telling import Desk
from tests.unit.notifier.test_wording import CLEAN

BEFORE = Counts(total=10, sent=6, failed=2, duplicates=1, held=1)
AFTER = Counts(total=10, sent=8, failed=1, duplicates=1)


def correction(now: Counts, *, job_id: UUID | None = None) -> Correction:
    amounts = {"sent": {"EUR": Decimal(800)}}
    return Correction(replace(CLEAN, counts=now, amounts=amounts, job_id=job_id or uuid4()), BEFORE)


def test_a_correction_says_what_is_and_what_was() -> None:
    message = write_correction(correction(AFTER), "http://gateway", NOON)
    assert message.headline == "Invoice run corrected: now 8 sent, 1 failed"
    assert dict(message.figures) == {
        "Listed": "10",
        "Sent": "8 (EUR 800.00), was 6",
        "Duplicates": "1",
        "Failed": "1, was 2",
        "Held": "0, was 1",
    }
    assert message.paragraphs[0] == "The total has not changed: all 10 listed invoices are accounted for."


def test_a_job_in_which_all_came_right_is_good() -> None:
    assert write_correction(correction(Counts(total=10, sent=9, duplicates=1)), "x", NOON).tone is Tone.GOOD


def test_the_kind_is_spelt_as_those_write_it_who_ask_for_it() -> None:
    assert Kind.JOB_CORRECTED.value == corrections.KIND


async def asked(desk: Desk, now: Counts) -> UUID:
    job = uuid4()
    desk.reports.corrections[job] = correction(now, job_id=job)
    await desk.notifications.record_correction(job)
    return job


async def test_numbers_that_did_not_change_are_not_told() -> None:
    desk = Desk()
    await asked(desk, BEFORE)
    assert await desk.at(0) == 0
    assert desk.notifications.rows[0].status == "abandoned"


async def test_a_correction_waits_for_what_is_on_its_way_again() -> None:
    desk = Desk()
    job = await asked(desk, replace(AFTER, failed=0, open=1))
    assert await desk.at(0) == 0
    desk.reports.corrections[job] = correction(replace(AFTER, sent=9, failed=0), job_id=job)
    assert await desk.at(61) == 1
    assert len(desk.notifications.rows) == 1


async def test_after_an_hour_it_is_told_with_what_is_on_its_way_and_the_rest_follows() -> None:
    desk = Desk()
    job = await asked(desk, replace(AFTER, failed=0, open=1))
    for minute in range(130):
        await desk.at(minute * 60)
        if desk.slack.posted:
            break
    assert [said.headline for said in desk.slack.posted] == ["Invoice run corrected: now 8 sent, 1 on their way"]
    assert "1 are on their way again" in desk.slack.posted[0].paragraphs[1]
    assert [row.status for row in desk.notifications.rows] == ["sent", "waiting"]
    desk.reports.corrections[job] = correction(replace(AFTER, sent=9, failed=0), job_id=job)
    assert await desk.at(5 * 3600) == 2


async def test_a_correction_that_slack_did_not_take_is_tried_again() -> None:
    desk = Desk(NotDelivered("503"))
    await asked(desk, AFTER)
    assert [await desk.at(seconds) for seconds in (0, 1)] == [1, 2]
    assert desk.notifications.rows[0].status == "sent"
