"""Alerts: told once when they open and once when they are over."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from notifier.domain.alerts import Alert, AlertDigest, write_closed, write_opened
from notifier.domain.notification import Kind
from notifier.domain.wording import Tone
from notifier.use_cases import RecordAlerts
from tests.unit.notifier.fakes import BRUSSELS, NOON, Row
from tests.unit.notifier.test_telling import Desk

ALERT = Alert(uuid4(), "amnesia", "postgres", "critical", {"why": "the sequence is behind"}, NOON, None)
OVER = replace(ALERT, closed_at=NOON + timedelta(minutes=12))


def test_the_severity_is_in_the_first_words() -> None:
    severities = {"critical": "Act now: ", "warning": "Attention: ", "info": "For your information: "}
    for severity, words in severities.items():
        message = write_opened(replace(ALERT, severity=severity), "http://gateway", BRUSSELS)
        assert message.headline.startswith(words)
        assert (message.tone is Tone.BAD) == (severity == "critical")


def test_an_opening_says_what_about_whom_why_and_since_when() -> None:
    message = write_opened(ALERT, "http://gateway/", BRUSSELS)
    assert message.paragraphs == ("About postgres.", "the sequence is behind", "Since 2026-11-24 13:00:00 CET.")
    assert message.url == "http://gateway/alerts"
    assert "forgotten" in message.headline


def test_an_opening_says_what_to_do_where_somebody_knows() -> None:
    known = replace(ALERT, kind="night_missing", details={"why": "no tick", "do": "clearfacts jobs start."})
    message = write_opened(known, "http://gateway", BRUSSELS)
    assert message.headline == "Act now: the night brought no job"
    assert message.paragraphs[-1] == "What to do: clearfacts jobs start."


def test_an_end_says_how_long_it_lasted() -> None:
    message = write_closed(OVER, "http://gateway", BRUSSELS)
    assert (message.tone, message.headline.startswith("Over: ")) == (Tone.GOOD, True)
    assert message.paragraphs[-1].endswith("12 min 0 s.")


def test_a_kind_of_a_newer_version_is_said_by_its_name() -> None:
    assert "disk almost full" in write_opened(replace(ALERT, kind="disk_almost_full"), "x", BRUSSELS).headline


async def test_an_alert_is_told_once_however_often_it_is_looked_for() -> None:
    desk = Desk()
    desk.alerts.alerts[ALERT.id] = ALERT
    desk.notifications.alerts = [ALERT.id]
    record = RecordAlerts(desk.notifications)
    assert [await record(), await record()] == [True, False]
    assert [await desk.at(seconds) for seconds in (0, 5)] == [1, 1]


async def test_an_alert_that_is_over_before_it_is_told_is_one_message_in_the_tone_that_says_so() -> None:
    desk = Desk()
    desk.alerts.alerts[ALERT.id] = OVER
    desk.notifications.alerts = [ALERT.id]
    await RecordAlerts(desk.notifications)()
    assert await desk.at(0) == 1
    assert desk.slack.posted[0].tone is Tone.GOOD


@pytest.mark.parametrize("subject", ["0193e3a4-5b6c-7d8e-9f01-23456789abcd", "no id"])
async def test_an_alert_that_is_not_there_is_not_told(subject: str) -> None:
    desk = Desk()
    desk.notifications.rows.append(Row(subject, Kind.ALERT_CLOSED))
    assert await desk.at(0) == 0
    assert desk.notifications.rows[0].status == "abandoned"


async def test_many_of_a_kind_are_one_message_with_what_is_still_open() -> None:
    desk = Desk()
    subjects = [f"row-{number}" for number in range(5)]
    desk.alerts.digests["duplicate_suspected"] = AlertDigest("duplicate_suspected", "critical", 40, 39, subjects)
    desk.notifications.rows.append(Row("duplicate_suspected", Kind.ALERT_DIGEST))
    assert await desk.at(0) == 1
    said = desk.slack.posted[0]
    assert said.headline == "40 more alerts: Clearfacts may have the same invoice twice"
    assert said.figures == (("Still open", "39"),)
    assert said.paragraphs[0] == "About row-0, row-1, row-2, row-3, row-4 and 35 more."
