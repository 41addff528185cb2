"""Who is told what, and when: severity, owners, quiet hours and digests, from the rule to the message."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.clock import Clock
from notifier.composing import Compose
from notifier.domain.alerts import Alert
from notifier.domain.channels import (
    QUIET,
    AtOnce,
    Channel,
    Decision,
    Hold,
    Hours,
    Rhythm,
    Unwanted,
    What,
    decide,
)
from notifier.domain.corrections import Correction
from notifier.domain.failures import OTHERS, Failures
from notifier.domain.message import Message, Severity, Tone
from notifier.domain.notification import Claim, Delivery, Kind, NotDelivered, Refused
from notifier.domain.owners import NOBODY, Owner, Owners
from notifier.domain.previews import Preview
from notifier.domain.quiet_hours import QuietHours
from notifier.domain.report import Cause, Counts
from notifier.domain.words import Language, Words
from notifier.telling import REFUSED, UNWANTED, TellPeople, by_the_hours
from notifier.use_cases import RecordTheRest
from tests.unit.notifier.fakes import (
    BRUSSELS,
    NOON,
    FakeAlerts,
    FakeMessenger,
    FakeNotifications,
    FakeReports,
    OwnedTime,
    Row,
)
from tests.unit.notifier.test_alerts import ALERT
from tests.unit.notifier.test_wording import CLEAN, MIXED

QUIET_HOURS = QuietHours(time(12), time(14), BRUSSELS)  # 11:00 to 13:00 in UTC: it is NOON
QUIET_UNTIL = datetime(2026, 11, 24, 13, tzinfo=UTC)
HOURS = Hours(BRUSSELS, QUIET_HOURS)
LOUD = Hours(BRUSSELS)
SAID = {tone: Message(tone, "said", (), (), "http://x", None) for tone in Tone}
ACCOUNTS = Owner("Accounting", ("LOCAL-", "refused"), ("email:accounts",))


@pytest.mark.parametrize(
    ("channel", "tone", "hours", "decision"),
    [
        (Channel("slack"), Tone.GOOD, LOUD, AtOnce()),
        (Channel("slack"), Tone.GOOD, HOURS, Hold(QUIET, QUIET_UNTIL)),
        (Channel("slack"), Tone.ATTENTION, HOURS, Hold(QUIET, QUIET_UNTIL)),
        (Channel("slack"), Tone.BAD, HOURS, AtOnce()),
        (Channel("slack", Severity.WARNING), Tone.GOOD, LOUD, Unwanted()),
        (Channel("slack", Severity.WARNING), Tone.ATTENTION, LOUD, AtOnce()),
        (Channel("slack", Severity.CRITICAL), Tone.ATTENTION, LOUD, Unwanted()),
        (Channel("slack", what=What.OWNED), Tone.BAD, LOUD, Unwanted()),
        (Channel("slack", rhythm=Rhythm.DAILY), Tone.BAD, HOURS, Hold("daily", datetime(2026, 11, 25, 7, tzinfo=UTC))),
        (Channel("x", rhythm=Rhythm.WEEKLY), Tone.GOOD, LOUD, Hold("weekly", datetime(2026, 11, 30, 7, tzinfo=UTC))),
    ],
)
def test_a_channel_is_told_by_severity_and_hours(
    channel: Channel, tone: Tone, hours: Hours, decision: Decision
) -> None:
    assert decide(channel, SAID[tone], hours, NOON) == decision


def test_a_digest_whose_hour_is_quiet_comes_when_the_quiet_is_over() -> None:
    hours = Hours(BRUSSELS, QUIET_HOURS, digest_at=time(13, 30))
    assert decide(Channel("x", rhythm=Rhythm.DAILY), SAID[Tone.GOOD], hours, NOON) == Hold("daily", QUIET_UNTIL)


def test_what_a_channel_owns_reaches_it_whatever_its_severity() -> None:
    owned = replace(SAID[Tone.GOOD], channels=("email:accounts",))
    quiet = Channel("email:accounts", Severity.CRITICAL, what=What.OWNED)
    assert decide(quiet, owned, LOUD, NOON) == AtOnce()


def test_the_owner_with_the_longest_prefix_answers() -> None:
    owners = Owners([Owner("all", ("L",)), Owner("totals", ("LOCAL-TOTAL", "breaker")), Owner("local", ("LOCAL-",))])
    found = [owners.of(*names) for names in (("invalid", "LOCAL-TOTAL-01"), ("LOCAL-ADMIN-01",), ("X",), ())]
    assert [owner and owner.name for owner in found] == ["totals", "local", None, None]


@dataclass
class FakeAlerting:
    open_now: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    async def open(self, kind: str, subject: str, details: Any) -> None:
        self.open_now.add((kind, subject))

    async def close(self, kind: str, subject: str) -> None:
        self.open_now.discard((kind, subject))


class Office:
    """The story of one channel, whose hours are as a test wants them."""

    def __init__(
        self, channel: Channel, *endings: Delivery, hours: Hours = HOURS, owners: Owners = NOBODY, start: float = 0
    ) -> None:
        self.time = OwnedTime(start)
        self.notifications = FakeNotifications(self.time)
        self.reports, self.alerts, self.alerting = FakeReports(), FakeAlerts(), FakeAlerting()
        self.messenger = FakeMessenger(list(endings))
        self.hours, self.name = hours, channel.name
        clock = self.time.clock()
        self.tell = TellPeople(
            self.notifications,
            self._compose(clock, channel, owners),
            self.messenger,
            lease=timedelta(seconds=30),
            post_timeout=timedelta(seconds=10),
            decide=by_the_hours({channel.name: channel}, self._hours, clock),
            alerts=self.alerting,
            clock=clock,
        )

    def _compose(self, clock: Clock, channel: Channel, owners: Owners) -> Compose:
        async def voice(_: str) -> Words:
            return Words(channel.language or Language.EN)

        return Compose(
            self.reports, self.alerts, public_url="http://g", zone=BRUSSELS, owners=owners, voice=voice,
            held=self.notifications.held, clock=clock,
        )  # fmt: skip

    async def _hours(self) -> Hours:
        return self.hours

    def finished(self, report: Any = CLEAN) -> UUID:
        job = uuid4()
        self.reports.reports[job] = replace(report, job_id=job)
        self.row(job, Kind.JOB_FINISHED)
        return job

    def alert(self, alert: Alert) -> None:
        alert = replace(alert, id=uuid4())
        self.alerts.alerts[alert.id] = alert
        self.row(alert.id, Kind.ALERT_OPENED)

    def row(self, about: UUID | str, kind: Kind, window: str = "") -> None:
        self.notifications.rows.append(Row(about, kind, window, due=self.time.seconds, channel=self.name))

    async def at(self, seconds: float) -> Sequence[str]:
        """What was said by then."""
        self.time.seconds = seconds
        await self.tell()
        return [message.headline for message in self.messenger.posted]

    def statuses(self, kind: Kind) -> list[str]:
        return [row.status for row in self.notifications.rows if row.kind is kind]


async def test_in_quiet_hours_only_what_is_critical_is_said_and_the_rest_at_their_end_as_one() -> None:
    office = Office(Channel("slack"))
    office.finished(CLEAN)
    office.finished(MIXED)
    office.alert(ALERT)
    assert [said.split(":")[0] for said in await office.at(0)] == ["Act now"]
    assert len(await office.at(3599)) == 1
    said = await office.at(3600)
    assert said[1:] == ["2 messages from the quiet hours"]
    digest = office.messenger.posted[1]
    assert digest.figures == (("Attention", "1"), ("For your information", "1"))
    assert digest.paragraphs[0].startswith("Invoice run done: 212 sent, 8 failed, 2 waiting for a person. Nothing is")
    assert office.statuses(Kind.JOB_FINISHED) == ["sent", "sent"]
    assert len(await office.at(9999)) == 2


async def test_a_digest_shows_fifteen_and_says_how_many_more_there_are() -> None:
    office = Office(Channel("slack"))
    for _ in range(17):
        office.finished(CLEAN)
    await office.at(0)
    assert await office.at(3600) == ["17 messages from the quiet hours"]
    assert len(office.messenger.posted[0].paragraphs) == 16
    assert office.messenger.posted[0].paragraphs[-1] == "2 more, not shown."


async def test_a_correction_that_is_not_whole_yet_is_followed_by_another_also_out_of_a_digest() -> None:
    office = Office(Channel("slack"), start=-4000)
    job = uuid4()
    moving = replace(CLEAN, job_id=job, counts=Counts(total=215, sent=211, duplicates=3, open=1))
    office.reports.corrections[job] = Correction(moving, CLEAN.counts)
    office.notifications.rows.append(Row(job, Kind.JOB_CORRECTED, "w", due=-4000, made=-4000))
    await office.at(0)
    assert await office.at(3600) == ["Invoice run corrected: now 211 sent, 1 on their way"]
    assert office.statuses(Kind.JOB_CORRECTED) == ["sent", "waiting"]


async def test_what_cannot_be_said_yet_stays_out_of_the_digest_and_is_told_later() -> None:
    office = Office(Channel("slack"))
    job = office.finished()
    office.finished()
    await office.at(0)
    office.reports.reports[job] = replace(CLEAN, job_id=job, status="running")
    assert len(await office.at(3600)) == 1
    assert office.statuses(Kind.JOB_FINISHED) == ["waiting", "sent"]
    office.reports.reports[job] = replace(CLEAN, job_id=job)
    assert await RecordTheRest(office.notifications)()
    assert len(await office.at(3601)) == 2


async def test_one_that_was_held_alone_is_said_as_it_is() -> None:
    office = Office(Channel("slack"))
    office.finished(CLEAN)
    await office.at(0)
    assert await office.at(3600) == ["Invoice run done: 212 sent, nothing to look at"]


async def test_what_is_over_at_the_end_of_the_quiet_hours_is_told_as_it_stands_then() -> None:
    office = Office(Channel("slack"))
    office.alert(replace(ALERT, severity="warning"))
    office.row("jobs", Kind.MORNING_REPORT)
    await office.at(0)
    (alert_id,) = office.alerts.alerts
    office.alerts.alerts[alert_id] = replace(office.alerts.alerts[alert_id], closed_at=NOON + timedelta(minutes=5))
    assert [said.split(":")[0] for said in await office.at(3600)] == ["Over"]


async def test_a_digest_that_nobody_needs_any_more_is_not_sent() -> None:
    office = Office(Channel("slack"))
    office.finished()
    await office.at(0)
    office.notifications.rows[0].about = "no id"
    assert await office.at(3600) == []
    assert (office.statuses(Kind.DIGEST), office.statuses(Kind.JOB_FINISHED)) == (["abandoned"], ["abandoned"])


async def test_a_digest_that_fails_is_tried_again_and_not_in_the_next_quiet_hours() -> None:
    office = Office(Channel("slack"), NotDelivered("503"))
    office.finished()
    await office.at(0)
    await office.at(3600)
    office.hours = Hours(BRUSSELS, QuietHours(time(14), time(15), BRUSSELS))
    assert len(await office.at(3602)) == 1, "posted once, in vain"
    assert len(await office.at(7199)) == 1
    assert len(await office.at(7200)) == 2


async def test_a_digest_that_was_given_up_takes_what_it_held_with_it() -> None:
    office = Office(Channel("slack"), Refused("550"))
    office.finished()
    await office.at(0)
    await office.at(3600)
    assert office.statuses(Kind.JOB_FINISHED) == ["abandoned"]
    assert not await RecordTheRest(office.notifications)()


async def test_what_is_held_when_its_digest_was_on_its_way_is_told_after_it() -> None:
    office = Office(Channel("slack"))
    office.finished()
    await office.at(0)
    await office.at(3600)
    late = office.finished()
    row = next(row for row in office.notifications.rows if row.about == late)
    row.held_for = QUIET_UNTIL.isoformat()
    assert await RecordTheRest(office.notifications)()
    assert len(await office.at(3601)) == 2
    assert office.statuses(Kind.JOB_FINISHED) == ["sent", "sent"]


async def test_a_channel_with_digests_only_is_told_once_a_day_also_of_what_is_critical() -> None:
    office = Office(Channel("email:boss", rhythm=Rhythm.DAILY, language=Language.FR), hours=LOUD)
    office.finished(CLEAN)
    office.alert(ALERT)
    tomorrow = timedelta(hours=19).total_seconds()  # eight o'clock
    assert await office.at(tomorrow - 1) == []
    assert await office.at(tomorrow) == ["Aperçu du jour : 2 messages"]


async def test_what_a_channel_does_not_want_is_put_aside_with_the_reason() -> None:
    office = Office(Channel("slack", Severity.CRITICAL), hours=LOUD)
    office.finished(CLEAN)
    assert await office.at(0) == []
    assert office.notifications.rows[0].error == UNWANTED


async def test_a_refused_recipient_is_given_up_asks_for_a_person_and_is_over_with_the_next_mail() -> None:
    office = Office(Channel("email:ann"), Refused("the recipient was refused: 550 5.1.1"), hours=LOUD)
    office.finished()
    await office.at(0)
    assert office.statuses(Kind.JOB_FINISHED) == ["abandoned"]
    assert office.alerting.open_now == {(REFUSED, "email:ann")}
    office.finished()
    await office.at(1)
    assert office.alerting.open_now == set()


async def test_a_connection_that_fails_costs_one_attempt_of_one_message() -> None:
    office = Office(Channel("email:ann"), NotDelivered("no connection", timedelta(seconds=30)), hours=LOUD)
    office.finished()
    office.finished()
    assert [len(await office.at(seconds)) for seconds in (0, 29, 30)] == [1, 1, 3]
    assert [row.attempts for row in office.notifications.rows] == [2, 1]


def failures(count: int, code: str, waiting: int = 9) -> Failures:
    return Failures(f"{code:0<16}", Cause("failed", "invalid", code, count), waiting)


async def test_an_owner_is_told_of_each_of_its_causes_once_with_their_number() -> None:
    office = Office(Channel("email:accounts", what=What.OWNED), hours=LOUD, owners=Owners([ACCOUNTS]))
    job = office.finished(MIXED)
    office.reports.failures[job] = [failures(4, "LOCAL-TOTAL-01"), failures(1, "BR-CO-15"), failures(7, "LOCAL-X")]
    office.row(job, Kind.JOB_CAUSES)
    said = await office.at(0)
    assert said == ["7 invoices failed: not valid (LOCAL-X)", "4 invoices failed: not valid (LOCAL-TOTAL-01)"]
    first = office.messenger.posted[0]
    assert first.paragraphs == (
        "7 of them in the last run, 9 of this cause wait for a decision.",
        "For Accounting.",
    )
    assert first.url == "http://g/failures?group=LOCAL-X000000000"
    assert office.statuses(Kind.JOB_FINISHED) == ["abandoned"], "the run itself is not what it owns"


async def test_beyond_five_causes_the_others_are_one_message() -> None:
    office = Office(Channel("email:accounts"), hours=LOUD, owners=Owners([ACCOUNTS]))
    job = uuid4()
    office.reports.failures[job] = [failures(10 - number, f"LOCAL-{number}") for number in range(8)]
    office.row(job, Kind.JOB_CAUSES)
    said = await office.at(0)
    assert len(said) == 6
    assert said[5] == "3 more causes of failures in the last run"
    assert OTHERS in [row.about for row in office.notifications.rows]


async def test_a_cause_that_was_replayed_meanwhile_is_not_told() -> None:
    office = Office(Channel("email:accounts"), hours=LOUD, owners=Owners([ACCOUNTS]))
    job = uuid4()
    office.row("feedfeedfeedfeed", Kind.FAILURES, str(job))
    assert await office.at(0) == []
    assert office.statuses(Kind.FAILURES) == ["abandoned"]


async def test_messages_name_the_owner_of_a_cause_and_of_an_alert() -> None:
    owners = Owners([ACCOUNTS, Owner("Platform", ("amnesia",), ())])
    office = Office(Channel("slack"), hours=LOUD, owners=owners)
    office.finished(MIXED)
    office.alert(ALERT)
    await office.at(0)
    job, alert = office.messenger.posted
    assert "4 not valid (LOCAL-TOTAL-01, Accounting), 2 refused by Clearfacts (Accounting)" in job.paragraphs[2]
    assert alert.paragraphs[-1] == "For Platform."


PREVIEW = Preview(
    uuid4(), NOON, None, would_go=212, would_fail=9, would_wait=1, duplicates=3, known=40,
    causes=(
        Cause("would_fail", "invalid", "LOCAL-TOTAL-01", 5),
        Cause("would_fail", "parked", None, 4),
        Cause("would_wait", "changed_after_sent", None, 1),
    ),
)  # fmt: skip


async def previewed(preview: Preview, language: Language = Language.EN) -> Message:
    office = Office(Channel("slack", language=language), hours=LOUD)
    office.notifications.previews = [preview.run_id]
    office.reports.previews[preview.run_id] = preview
    assert await RecordTheRest(office.notifications)()
    await office.at(0)
    assert not await RecordTheRest(office.notifications)()
    (message,) = office.messenger.posted
    return message


async def test_tonight_is_told_with_what_would_go_and_why_the_rest_would_not() -> None:
    message = await previewed(PREVIEW)
    assert (message.tone, message.headline) == (
        Tone.ATTENTION, "Tonight: 212 would go, 9 would fail, 3 look like duplicates",
    )  # fmt: skip
    assert message.paragraphs == (
        "9 would fail: 5 not valid (LOCAL-TOTAL-01), 4 could not be worked.",
        "1 would wait for a person: 1 changed after it was sent.",
        "40 were listed before and would not go again.",
        "Nothing was sent: this is what the run would do with what is there now.",
    )
    assert message.url == f"http://g/jobs/{PREVIEW.run_id}"
    french = await previewed(PREVIEW, Language.FR)
    assert french.headline == "Cette nuit : 212 partiraient, 9 échoueraient, 3 semblent des doublons"


async def test_a_preview_of_nothing_and_one_that_failed_say_so() -> None:
    nothing = await previewed(Preview(uuid4(), NOON, None))
    assert (nothing.tone, nothing.headline) == (Tone.GOOD, "Tonight: nothing to send")
    cut = await previewed(Preview(uuid4(), NOON, "DRY_RUN_TIMED_OUT", would_go=1, open=2))
    assert "2 were not judged." in cut.paragraphs
    failed = await previewed(Preview(uuid4(), NOON, "EXTERNAL_API_ERROR: the source answered 503"))
    assert (failed.headline, failed.severity) == ("The preview of tonight failed", Severity.WARNING)
    assert failed.paragraphs[0] == "Reason: EXTERNAL_API_ERROR: the source answered 503"


async def test_the_end_of_a_critical_alert_passes_quiet_hours_as_its_beginning_did() -> None:
    office = Office(Channel("slack"))
    office.alert(replace(ALERT, closed_at=NOON))
    assert [said.split(":")[0] for said in await office.at(0)] == ["Over"]


def test_severities_are_ordered() -> None:
    reaches = {(mine, least) for mine in Severity for least in Severity if mine.reaches(least)}
    assert len(reaches) == 6
    assert (Severity.CRITICAL, Severity.INFO) in reaches


def test_a_claim_knows_its_channel() -> None:
    assert Claim(uuid4(), uuid4(), Kind.DIGEST, "quiet", 1, NOON).channel == "slack"
