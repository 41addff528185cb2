"""What is still open: said once an hour after the listing, and on every morning at 07:30 local."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from common.clock import Clock
from common.configuration import Value
from common.settings import load_settings
from notifier.adapters.slack import as_text
from notifier.app import live_rhythm
from notifier.composing import NOTHING_OPEN
from notifier.domain.notification import Kind, NotDelivered
from notifier.domain.still_open import Waiting, morning_of, write_open
from notifier.settings import NotifierSettings
from notifier.use_cases import RecordOpenJobs, Rhythm, usual_rhythm
from tests.unit.notifier.fakes import BRUSSELS, NOON, FakeNotifications, OwnedTime
from tests.unit.notifier.test_telling import Desk

JOB = UUID("0197b0d2-7e21-7000-8000-000000000001")
SENT_LATER = Waiting("validated", None, 8, NOON + timedelta(minutes=5))
REFUSED_NOW = Waiting("validated", "not_accepted", 3, NOON + timedelta(hours=1))
FORGOTTEN = Waiting("fetched", None, 1, None)
WHY = "8 not sent yet, 3 not accepted by Clearfacts, 1 not validated yet"


class Watch:
    """The sweep on a fake, at whatever time it is."""

    def __init__(
        self,
        *,
        open_since: datetime | None = None,
        zone: ZoneInfo = BRUSSELS,
        rhythm: Callable[[], Awaitable[Rhythm]] = usual_rhythm,
    ) -> None:
        self.notifications = FakeNotifications(OwnedTime(), open_since=open_since)
        self._now = NOON
        self._record = RecordOpenJobs(self.notifications, zone=zone, rhythm=rhythm, clock=Clock(now=lambda: self._now))

    async def at(self, now: datetime) -> bool:
        self._now = now
        return await self._record()

    @property
    def windows(self) -> list[str]:
        return [row.window for row in self.notifications.rows]


def utc(day: str, at: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{at}:00+00:00")


def said(*waiting: Waiting, job_id: UUID | None = JOB) -> list[str]:
    message = write_open(waiting, job_id, "http://gateway/", now=NOON, zone=BRUSSELS)
    return as_text(message).splitlines()


@pytest.mark.parametrize(
    ("day", "at"),
    [
        ("2026-01-15", "06:30"),
        ("2026-07-15", "05:30"),
        ("2026-03-29", "05:30"),  # the night had 23 hours
        ("2026-10-25", "06:30"),  # the night had 25
    ],
)
async def test_the_morning_report_is_at_half_past_seven_on_the_local_clock(day: str, at: str) -> None:
    watch = Watch(open_since=utc(day, "00:10"))
    due = utc(day, at)
    assert [await watch.at(due + timedelta(seconds=seconds)) for seconds in (-1, 0, 10, 3600)] == [
        False, True, False, False,
    ]  # fmt: skip
    assert watch.windows == [day]


async def test_the_report_comes_at_another_time_once_somebody_wants_it_so_and_once_a_day() -> None:
    wanted = Rhythm(time(9, 15), timedelta(minutes=5))

    async def rhythm() -> Rhythm:
        return wanted

    watch = Watch(open_since=utc("2026-11-23", "00:10"), rhythm=rhythm)
    assert [await watch.at(utc("2026-11-24", at)) for at in ("06:30", "08:14", "08:15")] == [False, False, True]
    wanted = Rhythm(time(10, 0))
    assert not await watch.at(utc("2026-11-24", "09:00")), "the day has its report"


async def test_the_table_overrides_the_rhythm_and_the_environment_is_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in {
        "DATABASE_URL": "postgresql://h/d",
        "KAFKA_BOOTSTRAP_SERVERS": "h:1",
        "REPORT_AT": "06:00",
    }.items():
        monkeypatch.setenv(name, text)
    settings = load_settings(NotifierSettings)

    async def nothing() -> dict[str, Value]:
        return {}

    async def something() -> dict[str, Value]:
        return {"report_at": "09:15", "job_late_after": 300}

    assert await live_rhythm(settings, nothing)() == Rhythm(time(6, 0), timedelta(hours=1))
    assert await live_rhythm(settings, something)() == Rhythm(time(9, 15), timedelta(minutes=5))


async def test_over_each_change_of_the_clock_every_local_day_has_one_report() -> None:
    for first in (datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 10, 23, 12, tzinfo=UTC)):
        watch = Watch(open_since=first - timedelta(days=1))
        for minutes in range(0, 4 * 24 * 60, 10):
            await watch.at(first + timedelta(minutes=minutes))
        assert watch.windows == [f"{first + timedelta(days=day):%Y-%m-%d}" for day in range(5)]


def test_the_day_of_the_report_is_the_local_one() -> None:
    late_in_utc = datetime(2026, 11, 24, 20, tzinfo=UTC)
    assert morning_of(late_in_utc, ZoneInfo("Asia/Tokyo")) == datetime(2026, 11, 24, 22, 30, tzinfo=UTC)


async def test_a_morning_without_open_invoices_has_no_report() -> None:
    watch = Watch()
    assert not await watch.at(utc("2026-11-24", "06:30"))


async def test_a_job_that_started_after_half_past_seven_is_nothing_for_this_morning() -> None:
    watch = Watch(open_since=utc("2026-11-24", "06:31"))
    assert [await watch.at(utc(day, "06:40")) for day in ("2026-11-24", "2026-11-25")] == [False, True]


async def test_a_job_that_is_open_for_too_long_is_recorded_once() -> None:
    watch = Watch()
    watch.notifications.late = [JOB]
    assert [await watch.at(NOON), await watch.at(NOON + timedelta(days=1))] == [True, False]
    assert [(row.kind, row.about) for row in watch.notifications.rows] == [(Kind.JOB_STILL_OPEN, JOB)]


def test_a_late_job_says_how_many_why_and_when_it_goes_on() -> None:
    assert said(SENT_LATER, REFUSED_NOW, FORGOTTEN) == [
        "⚠️ Invoice run still open: 12 to go",
        f"12 still open, because {WHY}; next attempt at 2026-11-24 13:05 CET.",
        "Nothing is lost: what is open goes on by itself.",
        f"http://gateway/jobs/{JOB}",
    ]


def test_the_morning_report_is_about_all_jobs() -> None:
    lines = said(Waiting("unknown", "unknown_outcome", 2, NOON), job_id=None)
    assert lines[0] == "⚠️ Morning report: 2 still open"
    assert lines[1].endswith("2 being looked up at Clearfacts, which may have it; next attempt now.")
    assert lines[-1] == "http://gateway/jobs"


def test_one_cause_is_named_once_and_a_stage_of_a_newer_version_by_its_name() -> None:
    lines = said(SENT_LATER, Waiting("validated", "released", 2, NOON), Waiting("checked", "later", 1, NOON))
    assert "because 10 not sent yet, 1 checked;" in lines[1]


def test_invoices_that_nobody_will_look_at_are_said_to_be_so() -> None:
    assert "no next attempt is set" in said(FORGOTTEN)[1]


async def test_numbers_of_open_invoices_are_those_of_the_moment_of_sending() -> None:
    desk = Desk(NotDelivered("503"))
    desk.notifications.late = [JOB]
    await desk.notifications.record_still_open(timedelta(hours=1))
    desk.reports.waiting = [SENT_LATER]
    await desk.at(0)
    desk.reports.waiting = [FORGOTTEN]
    await desk.at(1)
    assert desk.slack.posted[1].headline == "Invoice run still open: 1 to go"


async def test_what_is_done_when_the_message_would_be_sent_is_not_said() -> None:
    desk = Desk()
    desk.notifications.late = [JOB]
    await desk.notifications.record_still_open(timedelta(hours=1))
    await desk.at(0)
    assert (desk.notifications.rows[0].status, desk.notifications.rows[0].error) == ("abandoned", NOTHING_OPEN)
    assert not desk.slack.posted


async def test_a_morning_report_is_given_up_before_the_next_one() -> None:
    desk = Desk(NotDelivered("503"), NotDelivered("503"))
    desk.notifications.open_since = NOON - timedelta(hours=9)
    await desk.notifications.record_morning(NOON.date(), NOON)
    desk.reports.waiting = [SENT_LATER]
    await desk.at(0)
    await desk.at(timedelta(hours=12).total_seconds() + 1)
    assert desk.notifications.rows[0].status == "abandoned"


def test_a_time_zone_that_does_not_exist_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="'Mars/North' is no time zone"):
        NotifierSettings(
            database_url="postgresql://x",  # pyright: ignore[reportArgumentType]
            kafka_bootstrap_servers="x:1",
            schedule_timezone="Mars/North",
        )
