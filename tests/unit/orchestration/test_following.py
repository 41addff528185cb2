"""Ask, ask again until the row is there, follow to the end; on a clock that only sleeps move."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from common.contracts.events import JobType
from common.errors import PermanentError
from orchestration.domain import (
    JobFailed,
    JobNotFinished,
    JobState,
    daily_trigger_key,
    job_id_of,
    manual_trigger_key,
    request,
)
from orchestration.use_cases import ProcessInvoices
from tests.unit.orchestration.fakes import TWO_AM, FakeGateway, FakeTrigger, SleepingTime, done_after

DONE = JobState("completed", {"total_invoices": 3, "processed": 3})
EVENT = request(daily_trigger_key(date(2026, 11, 24)), TWO_AM)


class Night:
    def __init__(self, answer: Callable[[float], JobState | None]) -> None:
        self.time = SleepingTime()
        self.trigger = FakeTrigger(self.time)
        self.gateway = FakeGateway(self.time, answer)

    def run(self, deadline: timedelta = timedelta(hours=6)) -> JobState:
        process = ProcessInvoices(
            self.trigger, self.gateway, deadline=deadline, clock=self.time.clock(), sleep=self.time.sleep
        )
        return process(EVENT)

    @property
    def published_at(self) -> list[float]:
        return [at for at, _ in self.trigger.published]


def test_the_job_of_a_day_is_the_same_for_ever() -> None:
    assert daily_trigger_key(date(2026, 11, 24)) == "daily:2026-11-24"
    assert str(job_id_of("daily:2026-11-24")) == "b3e0423e-9141-5da4-b368-291ab1d8a2f8"
    assert job_id_of("daily:2026-11-24") != job_id_of("daily:2026-11-25")


def test_the_event_has_all_that_the_row_needs() -> None:
    assert EVENT.job_id == job_id_of("daily:2026-11-24")
    assert (EVENT.job_type, EVENT.requested_at, EVENT.reason) == (JobType.SCHEDULED, TWO_AM, "daily:2026-11-24")
    assert EVENT.correlation_id == str(EVENT.job_id)


def test_a_run_that_somebody_started_by_hand_is_a_manual_job_of_its_own() -> None:
    by_hand = request(manual_trigger_key("run-1"), TWO_AM)
    assert by_hand.job_type is JobType.MANUAL
    assert by_hand.job_id != EVENT.job_id


def test_one_event_is_enough_when_the_row_is_there() -> None:
    night = Night(done_after(300, DONE, row_after=2))
    assert night.run() == DONE
    assert night.published_at == [0]


def test_the_same_event_is_published_each_thirty_seconds_until_the_row_is_there() -> None:
    night = Night(done_after(300, DONE, row_after=100))
    assert night.run() == DONE
    gaps = [later - earlier for earlier, later in zip(night.published_at, night.published_at[1:], strict=False)]
    assert len(night.published_at) == 4
    assert all(30 <= gap <= 35 for gap in gaps)
    assert all(event == EVENT for _, event in night.trigger.published)


def test_a_broker_that_is_down_is_asked_again_at_the_next_look() -> None:
    night = Night(done_after(60, DONE, row_after=20))
    night.trigger.down_until = 15
    assert night.run() == DONE
    assert 15 <= night.published_at[0] <= 20


def test_a_gateway_that_is_down_fails_nothing() -> None:
    night = Night(done_after(60, DONE))
    night.gateway.down_until = 45
    assert night.run() == DONE


def test_a_gateway_that_refuses_us_ends_the_run_only_after_the_job_was_asked_for() -> None:
    night = Night(done_after(60, DONE))
    night.gateway.refuses = True
    night.trigger.down_until = 40
    with pytest.raises(PermanentError, match="wrong password"):
        night.run()
    assert len(night.published_at) == 1


def test_no_slice_of_waiting_is_longer_than_five_seconds() -> None:
    night = Night(done_after(600, DONE))
    night.run()
    assert night.time.slices[0] == 1
    assert max(night.time.slices) == 5


def test_a_failed_job_fails_the_run_with_its_error_and_its_counts() -> None:
    night = Night(done_after(10, JobState("failed", {"total_invoices": 3}, "EXTERNAL_API_ERROR: the source is down")))
    with pytest.raises(JobFailed, match="the source is down") as failed:
        night.run()
    assert failed.value.state.counts == {"total_invoices": 3}


def test_a_job_that_is_not_finished_at_the_deadline_ends_the_run_within_a_slice() -> None:
    night = Night(done_after(9_999, DONE))
    with pytest.raises(JobNotFinished, match="goes on without us"):
        night.run(timedelta(minutes=10))
    assert 600 <= night.time.seconds <= 605


def test_a_run_that_takes_over_from_a_killed_one_finds_the_row() -> None:
    night = Night(done_after(0, DONE))
    assert night.run() == DONE
    assert night.published_at == [0]
