"""When somebody is told that a night has brought no job, by which way, and that it is over."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from common.clock import Clock
from orchestration.domain.job import JobGlance, JobState
from orchestration.domain.night import Memory, Night, Run, trouble_of
from orchestration.watching import WatchTheNight
from tests.unit.orchestration.fakes import TWO_AM, FakeGateway, FakeRuns, FakeVoice, SleepingTime

NIGHT = Night("daily:2026-11-24", TWO_AM)
BEFORE = TWO_AM - timedelta(days=1)
RUNNING, KILLED = Run("r1", "running"), Run("r1", "failed", "it was killed")
LISTING, LISTED = JobState("running"), JobState("running", listed=True)
MINUTE = timedelta(minutes=1)


def why(runs: list[Run], job: JobState | None, minutes: int) -> str | None:
    found = trouble_of(NIGHT, runs, job, now=TWO_AM + minutes * MINUTE, late_after=60 * MINUTE)
    return f"{found.severity}: {found.why}" if found else None


@pytest.mark.parametrize(
    ("runs", "job", "minutes"),
    [
        ([], None, 59),
        ([RUNNING], None, 59),
        ([RUNNING], LISTING, 59),
        ([RUNNING], LISTED, 300),
        ([Run("r1", "succeeded")], LISTED, 400),
        ([KILLED], JobState("completed"), 5),
        ([KILLED], JobState("failed"), 5),
        ([replace(KILLED, retried=True)], None, 5),
        ([Run("r2", "running"), KILLED], None, 5),
    ],
)
def test_nobody_is_told_while_all_may_be_well_or_a_job_tells_for_itself(
    runs: list[Run], job: JobState | None, minutes: int
) -> None:
    assert why(runs, job, minutes) is None


@pytest.mark.parametrize(
    ("runs", "job", "minutes", "told"),
    [
        ([], None, 60, "critical: 60 min after its time no run was started"),
        ([RUNNING], None, 61, "critical: 61 min after its time the run waits and its job is nowhere"),
        ([RUNNING], LISTING, 90, "warning: 90 min after its time the source is not listed to its end"),
        ([KILLED], None, 1, "critical: the run r1 ended: it was killed; no job came of it"),
        ([KILLED], LISTED, 1, "warning: the run r1 ended: it was killed; its job goes on, unwatched"),
        ([Run("r1", "failed")], None, 1, "critical: the run r1 ended: it was killed; no job came of it"),
    ],
)
def test_somebody_is_told_where_no_job_can(runs: list[Run], job: JobState | None, minutes: int, told: str) -> None:
    assert why(runs, job, minutes) == told


@dataclass
class Watching:
    """A sensor that ticks each minute."""

    time: SleepingTime = field(default_factory=SleepingTime)
    runs: FakeRuns = field(default_factory=FakeRuns)
    voice: FakeVoice = field(default_factory=FakeVoice)
    job: JobState | None = None
    memory: Memory = field(default_factory=lambda: Memory(BEFORE))

    def __post_init__(self) -> None:
        self.gateway = FakeGateway(self.time, lambda _: self.job)

    def tick(self, minutes: int = 1, night: Night = NIGHT) -> None:
        for _ in range(minutes):
            self.time.seconds += 60
            now: datetime = TWO_AM + timedelta(seconds=self.time.seconds)
            watch = WatchTheNight(
                self.gateway, self.runs, self.voice,
                late_after=60 * MINUTE, patience=15 * MINUTE, clock=Clock(now=lambda now=now: now),
            )  # fmt: skip
            self.memory = watch(night, self.memory)

    @property
    def told(self) -> list[str]:
        return [f"{subject}: {text}" for (_, subject), (_, text) in self.gateway.alerts.items()]


def test_a_killed_run_is_an_alert_once_and_closed_when_a_job_has_finished() -> None:
    watching = Watching(runs=FakeRuns([KILLED]))
    watching.tick(5)
    (text,) = watching.told
    assert text.startswith("daily:2026-11-24: the run r1 ended: it was killed; no job came of it")
    watching.job = JobState("completed")
    watching.tick()
    assert (watching.told, watching.memory.opened) == ([], {})


def test_an_alert_that_a_person_closed_is_not_opened_again() -> None:
    watching = Watching(runs=FakeRuns([KILLED]))
    watching.tick()
    watching.gateway.alerts.clear()
    watching.tick(5)
    assert watching.told == []


def test_an_alert_that_nobody_took_is_stored_as_soon_as_somebody_does() -> None:
    watching = Watching(runs=FakeRuns([KILLED]))
    watching.gateway.down_until = 600
    watching.tick(9)
    assert watching.told == []
    watching.tick(2)
    assert len(watching.told) == 1


def test_the_alert_of_a_lost_night_is_closed_by_the_job_of_a_later_one() -> None:
    watching = Watching()
    watching.tick(61)
    assert "no run was started" in watching.told[0]
    watching.job = JobState("completed")
    watching.tick(night=Night("daily:2026-11-25", TWO_AM + timedelta(days=1)))
    assert watching.told == []


@pytest.mark.parametrize(
    ("minutes_after", "status", "everything", "over"),
    [(90, "completed", True, True), (90, "completed", False, False), (90, "failed", True, False),
     (-5, "completed", True, False)],
)  # fmt: skip
def test_a_job_of_somebodys_own_makes_the_night_up_where_it_is_over_all_that_is_new(
    minutes_after: int, status: str, *, everything: bool, over: bool
) -> None:
    watching, own = Watching(), uuid4()
    watching.tick(61)
    watching.gateway.others[own] = JobState(status, everything=everything)
    started = TWO_AM + minutes_after * MINUTE
    watching.gateway.listed = [JobGlance(own, "manual", status, started, started, {})]
    watching.tick()
    assert (watching.told == [], watching.memory.opened == {}) == (over, over)


def test_a_gateway_that_is_away_is_told_to_slack_once_and_that_it_is_back() -> None:
    watching = Watching()
    watching.gateway.down_until = 60 * 60
    watching.tick(15)
    assert watching.voice.said == []
    watching.tick(30)
    (said,) = watching.voice.said
    assert "no answer from the gateway since 2026-11-24 01:01 UTC" in said
    watching.tick(20)
    assert watching.voice.said[1:] == ["The gateway answers again; what has to be told comes the usual way."]
    assert watching.memory.silent_since is None


def test_what_slack_did_not_take_is_said_again() -> None:
    watching = Watching()
    watching.gateway.down_until, watching.voice.dumb = 60 * 60, True
    watching.tick(20)
    watching.voice.dumb = False
    watching.tick(5)
    assert len(watching.voice.said) == 1


def test_a_gateway_that_refuses_us_is_as_good_as_away() -> None:
    watching = Watching()
    watching.gateway.refuses = True
    watching.tick(17)
    assert "wrong password" in watching.voice.said[0]


def test_a_short_absence_is_nobodys_business() -> None:
    watching = Watching()
    watching.gateway.down_until = 10 * 60
    watching.tick(60)
    assert watching.voice.said == []


def test_a_night_from_before_the_installation_is_not_missed() -> None:
    watching = Watching(memory=Memory(TWO_AM + MINUTE))
    watching.tick(120)
    assert watching.told == []
    watching.gateway.down_until = float("inf")
    watching.tick(17)
    assert len(watching.voice.said) == 1
