"""Stored, claimed, posted, tried again."""

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.contracts.events import JobEvent, JobEventKind
from common.errors import PermanentError
from notifier.composing import Compose
from notifier.domain.notification import Delivery, NotConfigured, NotDelivered, wait_before
from notifier.telling import TellPeople
from notifier.use_cases import RecordFinishedJobs
from tests.unit.notifier.fakes import (
    BRUSSELS,
    NOON,
    FakeAlerts,
    FakeMessenger,
    FakeNotifications,
    FakeReports,
    OwnedTime,
)
from tests.unit.notifier.test_wording import CLEAN

LEASE = timedelta(seconds=30)


class Desk:
    """The stories on fakes."""

    def __init__(self, *endings: Delivery) -> None:
        self.time = OwnedTime()
        self.notifications = FakeNotifications(self.time)
        self.reports = FakeReports()
        self.slack = FakeMessenger(list(endings))
        self.record = RecordFinishedJobs(self.notifications)
        self.alerts = FakeAlerts()
        self.tell = self.teller(self.reports)

    def teller(self, reports: FakeReports) -> TellPeople:
        clock = self.time.clock()
        return TellPeople(
            self.notifications,
            Compose(reports, self.alerts, public_url="http://gateway", zone=BRUSSELS, clock=clock),
            self.slack,
            lease=LEASE,
            post_timeout=timedelta(seconds=10),
            clock=clock,
        )

    async def finished(self, kind: JobEventKind = JobEventKind.COMPLETED) -> UUID:
        job = uuid4()
        self.reports.reports[job] = replace(CLEAN, job_id=job)
        await self.record([JobEvent(job_id=job, version=3, kind=kind, at=NOON)])
        return job

    async def at(self, seconds: float) -> int:
        self.time.seconds = seconds
        await self.tell()
        return len(self.slack.posted)


def test_the_waits_grow_from_a_second_to_half_an_hour_and_stay_there() -> None:
    waits = [wait_before(attempt).total_seconds() for attempt in range(1, 9)]
    assert waits == [1, 5, 30, 120, 600, 1800, 1800, 1800]


def test_retry_after_is_a_floor_and_never_a_ceiling() -> None:
    assert wait_before(1, timedelta(seconds=42)) == timedelta(seconds=42)
    assert wait_before(4, timedelta(seconds=42)) == timedelta(seconds=120)


async def test_only_completed_and_failed_lead_to_a_message() -> None:
    desk = Desk()
    for kind in JobEventKind:
        await desk.finished(kind)
    assert await desk.at(0) == 2


async def test_a_job_that_is_announced_thrice_is_told_once() -> None:
    desk = Desk()
    job = await desk.finished()
    await desk.at(0)
    for _ in range(2):
        await desk.record([JobEvent(job_id=job, version=3, kind=JobEventKind.COMPLETED, at=NOON)])
    assert await desk.at(100) == 1


async def test_a_job_that_no_event_told_about_is_found_by_the_sweep_once() -> None:
    desk = Desk()
    job = uuid4()
    desk.reports.reports[job] = replace(CLEAN, job_id=job)
    desk.notifications.missing = [job]
    assert [await desk.record.sweep(), await desk.record.sweep()] == [True, False]
    assert await desk.at(0) == 1


async def test_a_post_that_failed_is_tried_again_after_each_wait_and_not_before() -> None:
    desk = Desk(NotDelivered("503"), NotDelivered("503"))
    await desk.finished()
    assert [await desk.at(seconds) for seconds in (0, 0.9, 1, 5.9, 6, 5000)] == [1, 1, 2, 2, 3, 3]
    assert desk.notifications.rows[0].status == "sent"


async def test_a_429_silences_all_messages_for_as_long_as_it_asks() -> None:
    desk = Desk(NotDelivered("429", timedelta(seconds=20)))
    await desk.finished()
    await desk.finished()
    assert [await desk.at(seconds) for seconds in (0, 19, 20)] == [1, 1, 3]


async def test_a_failing_message_does_not_keep_the_next_one_waiting() -> None:
    desk = Desk(NotDelivered("400 invalid_blocks"))
    await desk.finished()
    await desk.finished()
    await desk.at(0)
    assert [row.status for row in desk.notifications.rows] == ["waiting", "sent"]


async def test_numbers_are_those_of_the_moment_of_sending() -> None:
    desk = Desk(NotDelivered("no answer"))
    job = await desk.finished()
    await desk.at(0)
    desk.reports.reports[job] = replace(CLEAN, job_id=job, status="failed", error_message="balance broken: 1 missing")
    await desk.at(1)
    assert desk.slack.posted[1].headline == "Invoice run failed: the balance is broken"


async def test_a_job_that_is_not_finished_yet_is_not_told() -> None:
    desk = Desk()
    job = await desk.finished()
    desk.reports.reports[job] = replace(CLEAN, job_id=job, status="running")
    assert await desk.at(0) == 0
    desk.reports.reports[job] = replace(CLEAN, job_id=job)
    assert await desk.at(1) == 1


async def test_after_three_days_a_message_is_given_up_and_its_row_keeps_the_error() -> None:
    desk = Desk(NotDelivered("404 no_service"), NotDelivered("404 no_service"))
    await desk.finished()
    await desk.at(0)
    await desk.at(timedelta(days=3).total_seconds() + 1)
    row = desk.notifications.rows[0]
    assert (row.status, row.error) == ("abandoned", "404 no_service")


async def test_without_a_webhook_the_row_is_marked_and_nothing_is_tried_again() -> None:
    desk = Desk(NotConfigured())
    await desk.finished()
    await desk.at(0)
    assert await desk.at(5000) == 1
    row = desk.notifications.rows[0]
    assert (row.status, row.error) == ("abandoned", "not configured: SLACK_WEBHOOK_URL is not set")


async def test_a_job_whose_row_makes_no_sense_does_not_stop_the_others() -> None:
    desk = Desk()
    bad = await desk.finished()
    await desk.finished()
    desk.reports.reports[bad] = PermanentError("the job's results make no sense")
    await desk.at(0)
    assert [row.status for row in desk.notifications.rows] == ["abandoned", "sent"]


async def test_a_job_without_a_row_is_looked_for_again_and_does_not_stop_the_others() -> None:
    desk = Desk()
    lost = await desk.finished()
    await desk.finished()
    found = desk.reports.reports.pop(lost)
    await desk.at(0)
    assert [row.status for row in desk.notifications.rows] == ["waiting", "sent"]
    desk.reports.reports[lost] = found
    assert await desk.at(1) == 2


async def test_a_claim_whose_lease_is_nearly_over_is_given_back_unposted() -> None:
    desk = Desk()
    job = await desk.finished()

    class SlowReports(FakeReports):
        async def read(self, job_id: UUID) -> None:
            desk.time.seconds = 21
            return await super().read(job_id)  # type: ignore[return-value]

    slow = SlowReports({job: replace(CLEAN, job_id=job)})
    tell = desk.teller(slow)
    await tell()
    assert not desk.slack.posted
    assert desk.notifications.rows[0].error == "the lease was nearly over"


def test_the_client_of_slack_keeps_its_address_out_of_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    from notifier.adapters.slack import SlackMessenger  # noqa: PLC0415 - its logger is the subject

    with caplog.at_level(logging.DEBUG):
        SlackMessenger("https://hooks.slack.invalid/services/secret", timeout=timedelta(seconds=1))
        logging.getLogger("notifier.slack").debug(
            "Sending a request - url: https://hooks.slack.invalid/services/secret"
        )
    assert "secret" not in caplog.text
