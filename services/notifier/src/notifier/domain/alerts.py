"""How an alert is said: what it means, since when, and that it is over. Ids, numbers and causes only, nobody's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from notifier.domain.message import Message, Severity, Tone
from notifier.domain.owners import NOBODY, Owners
from notifier.domain.wording import shorten
from notifier.domain.words import ENGLISH, Words

AT_ONCE = 3
"""Alerts of one kind that are told one by one within `WINDOW`; what comes beyond them is told in one digest."""
WINDOW = timedelta(minutes=10)
"""Also how long an alert that opens and closes again and again stays quiet between two messages."""

_CAUSES = ("why", "reason", "cause", "error")


@dataclass(frozen=True, slots=True)
class Alert:
    id: UUID
    kind: str
    subject: str
    severity: str
    details: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertDigest:
    """The alerts of one kind that were not told one by one."""

    kind: str
    severity: str
    opened: int
    still_open: int
    subjects: Sequence[str]


def write_opened(
    alert: Alert, public_url: str, zone: ZoneInfo, words: Words = ENGLISH, owners: Owners = NOBODY
) -> Message:
    """Its opening; where it is over already, all of it: then its end is not told again, which the tone GOOD says."""
    if alert.closed_at is not None:
        return write_closed(alert, public_url, zone, words, owners)
    severity = severity_of(alert.severity)
    headline = words.say(f"alert.{severity}", what=words.name("kind", alert.kind))
    to_do = str(alert.details.get("do") or "")
    advice = (words.say("alert.do", what=shorten(to_do).rstrip(".")),) if to_do else ()
    since = words.say("alert.since", at=words.moment(alert.opened_at, zone, seconds=True))
    message = Message(
        Tone.BAD if severity is Severity.CRITICAL else Tone.ATTENTION,
        headline,
        (),
        (*_about(alert, words, since), *advice),
        f"{public_url.rstrip('/')}/alerts",
        alert.opened_at,
        words.say("link.alerts"),
        severity,
    )
    return _owned(message, alert, words, owners)


def write_closed(
    alert: Alert, public_url: str, zone: ZoneInfo, words: Words = ENGLISH, owners: Owners = NOBODY
) -> Message:
    """Its end; it must have one. As urgent as its opening was: who was woken wants to know."""
    ended = alert.closed_at or alert.opened_at
    start, end = (words.moment(at, zone, seconds=True) for at in (alert.opened_at, ended))
    span = words.say("alert.span", start=start, end=end, time=words.duration(ended - alert.opened_at))
    message = Message(
        Tone.GOOD,
        words.say("alert.over", what=words.name("kind", alert.kind)),
        (),
        _about(alert, words, span),
        f"{public_url.rstrip('/')}/alerts",
        ended,
        words.say("link.alerts"),
        severity_of(alert.severity),
    )
    return _owned(message, alert, words, owners)


def write_digest(
    digest: AlertDigest, public_url: str, at: datetime, words: Words = ENGLISH, owners: Owners = NOBODY
) -> Message:
    tone = Tone.BAD if digest.severity == "critical" else Tone.ATTENTION
    shown, more = shorten(", ".join(digest.subjects)), digest.opened - len(digest.subjects)
    about = (
        words.say("alert.about_more", subject=shown, n=more) if more > 0 else words.say("alert.about", subject=shown)
    )
    message = Message(
        tone,
        words.say("alert.digest", n=digest.opened, what=words.name("kind", digest.kind)),
        ((words.say("label.open"), words.number(digest.still_open)),),
        (about, words.say("alert.together")),
        f"{public_url.rstrip('/')}/alerts",
        at,
        words.say("link.alerts"),
        severity_of(digest.severity),
    )
    return _owned(message, digest, words, owners)


def severity_of(text: str) -> Severity:
    """What a newer version calls otherwise is for information."""
    return Severity(text) if text in set(Severity) else Severity.INFO


def _owned(message: Message, alert: Alert | AlertDigest, words: Words, owners: Owners) -> Message:
    subjects = [alert.subject] if isinstance(alert, Alert) else alert.subjects
    owner = owners.of(alert.kind, *(f"{alert.kind}/{subject}" for subject in subjects))
    if owner is None:
        return message
    paragraphs = (*message.paragraphs, words.say("owner", owner=owner.name))
    return replace(message, paragraphs=paragraphs, channels=owner.channels)


def _about(alert: Alert, words: Words, span: str) -> Sequence[str]:
    causes = [str(alert.details[name]) for name in _CAUSES if alert.details.get(name)]
    return (words.say("alert.about", subject=shorten(alert.subject)), *(shorten(cause) for cause in causes[:1]), span)
