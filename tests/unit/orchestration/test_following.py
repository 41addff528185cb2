"""Ask, ask again until the row is there, follow to the end; on a clock that only sleeps move."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from common.contracts.events import JobRequested, JobType
from common.errors import PermanentError
from orchestration.domain.job import JobFailed, JobNotFinished, JobState, Phase, Waits
from orchestration.domain.trigger import daily_trigger_key, job_id_of, manual_trigger_key, request
from orchestration.use_cases import ProcessInvoices
from tests.unit.orchestration.fakes import (
    TWO_AM,
    FakeGateway,
    FakeTrigger,
    SleepingTime,
    done_after,
    message,
    waiting_from,
)

DONE = JobState("completed", {"total_invoices": 3, "processed": 3}, listed=True)
EVENT = request(daily_trigger_key(date(2026, 11, 24)), TWO_AM)


class Night:
    def __init__(self, answer: Callable[[float], JobState | None]) -> None:
        self.time = SleepingTime()
        self.trigger = FakeTrigger(self.time)
        self.gateway = FakeGateway(self.time, answer)

    def story(self, deadline: timedelta = timedelta(hours=6), report_at: datetime | None = None) -> ProcessInvoices:
        time = self.time
        return ProcessInvoices(
            self.trigger,
            self.gateway,
            deadline=deadline,
            report_at=report_at,
            clock=time.clock(),
            sleep=time.sleep,
        )

    def run(self, deadline: timedelta = timedelta(hours=6), report_at: datetime | None = None) -> JobState | Waits:
        """As the ops do, one after the other."""
        process = self.story(deadline, report_at)
        process.ask(EVENT)
        process.follow(EVENT.job_id, Phase.VALIDATED)
        return process.follow(EVENT.job_id, Phase.ENDED)

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


def running(**stages: int) -> JobState:
    total = sum(stages.values())
    counts = {"total_invoices": total, "open": total - stages.get("sent", 0), "processed": stages.get("sent", 0)}
    return JobState("running", counts, listed=True, stages=stages)


def test_each_phase_is_over_when_the_job_has_left_it() -> None:
    def answer(now: float) -> JobState:
        if now < 10:
            return JobState("running", {"total_invoices": 1, "open": 1}, stages={"fetched": 1})
        if now < 20:
            return running(fetched=1, validated=1)
        return running(validated=1, sent=1) if now < 30 else DONE

    night = Night(answer)
    process, ends = night.story(), list[float]()
    process.ask(EVENT)
    ends.append(night.time.seconds)
    for phase in (Phase.VALIDATED, Phase.ENDED):
        process.follow(EVENT.job_id, phase)
        ends.append(night.time.seconds)
    assert [int(end / 10) for end in ends] == [1, 2, 3]


def test_a_broken_balance_fails_where_the_end_is_waited_for_and_a_dead_source_where_the_listing_is() -> None:
    broken = JobState("failed", error="BALANCE: balance broken: 1 missing", listed=True)
    process = Night(lambda _: broken).story()
    assert process.ask(EVENT) == broken
    assert process.follow(EVENT.job_id, Phase.VALIDATED) == broken
    with pytest.raises(JobFailed, match="balance broken"):
        process.follow(EVENT.job_id, Phase.ENDED)
    with pytest.raises(JobFailed, match="503"):
        Night(lambda _: JobState("failed", error="the source answered 503")).story().ask(EVENT)


def test_an_op_that_was_started_alone_says_so_within_a_minute_and_a_gateway_that_is_away_is_no_missing_job() -> None:
    night = Night(lambda _: None)
    night.gateway.down_until = 300
    with pytest.raises(JobNotFinished, match="there is no job"):
        night.story().follow(EVENT.job_id, Phase.ENDED)
    assert 360 <= night.time.seconds <= 375


REPORT_AT = TWO_AM + timedelta(hours=1)


def test_a_job_that_only_waits_for_retries_is_left_when_people_are_told() -> None:
    night = Night(waiting_from(600, open_=2))
    found = night.run(report_at=REPORT_AT)
    assert isinstance(found, Waits)
    assert found.state.open == 2
    assert 3600 <= night.time.seconds <= 3605


def test_a_job_that_still_gets_on_is_not_left() -> None:
    night = Night(waiting_from(9_000, open_=2, total=1_000))
    assert isinstance(night.run(report_at=REPORT_AT), Waits)
    assert 9_300 <= night.time.seconds <= 9_330


def test_a_job_whose_listing_goes_on_is_not_left() -> None:
    night = Night(lambda _: JobState("running", {"total_invoices": 5, "open": 5}))
    with pytest.raises(JobNotFinished):
        night.run(timedelta(hours=2), REPORT_AT)


def test_counting_never_takes_more_than_a_twentieth_of_the_time() -> None:
    night, readings = Night(done_after(500, DONE)), list[float]()
    usual = night.gateway.answer

    def answer(now: float) -> JobState | None:
        readings.append(now)
        night.time.seconds += 2
        return usual(now)

    night.gateway.answer = answer
    night.story().ask(EVENT)
    assert all(later - earlier >= 40 for earlier, later in pairwise(readings))
    assert max(night.time.slices) == 5


def test_a_broker_that_takes_its_time_makes_no_reading_late() -> None:
    night = Night(done_after(60, DONE, row_after=15))
    publish = night.trigger.publish

    def slowly(event: JobRequested) -> None:
        night.time.seconds += 12
        publish(event)

    night.trigger.publish = slowly
    night.run()
    assert night.time.seconds <= 65


def test_the_message_is_waited_for_and_a_gateway_that_is_away_meanwhile_too() -> None:
    night = Night(done_after(0, DONE))
    night.gateway.messages, night.gateway.told_from, night.gateway.down_until = [message()], 60, 30
    told = night.story().told(EVENT.job_id, ended=True, patience=timedelta(minutes=15))
    assert told == [message()]
    assert 60 <= night.time.seconds <= 65


def test_another_message_is_not_the_one_and_patience_ends() -> None:
    night = Night(done_after(0, DONE))
    night.gateway.messages = [message("job_still_open"), message(status="waiting")]
    told = night.story().told(EVENT.job_id, ended=True, patience=timedelta(minutes=15))
    assert len(told) == 2
    assert 900 <= night.time.seconds <= 905
    assert night.story().told(EVENT.job_id, ended=False, patience=timedelta(minutes=15))
    assert night.time.seconds <= 905
