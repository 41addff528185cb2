"""How an alert is said: what it means, since when, and that it is over. Ids, numbers and causes only, nobody's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from notifier.domain.wording import Message, Tone, duration, shorten

AT_ONCE = 3
"""Alerts of one kind that are told one by one within `WINDOW`; what comes beyond them is told in one digest."""
WINDOW = timedelta(minutes=10)
"""Also how long an alert that opens and closes again and again stays quiet between two messages."""

_MEANS: Mapping[str, str] = {
    "duplicate_suspected": "Clearfacts may have the same invoice twice",
    "amnesia": "the database has forgotten invoices that were sent; nothing is sent until it is recovered",
    "paused": "sending is paused by a person",
    "breaker_open": "Clearfacts does not answer as it should; sending waits for it",
    "retention_gap": "records were deleted before they were read; their rows are worked by the sweeps",
    "webhook_stopped": "an integrator's endpoint gets no deliveries any more",
    "storm": "one unexpected error fails row after row; rows are tried one at a time until one passes",
}
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


def write_opened(alert: Alert, public_url: str, zone: ZoneInfo) -> Message:
    """Its opening; where it is over already, all of it: then its end is not told again, which the tone GOOD says."""
    if alert.closed_at is not None:
        return write_closed(alert, public_url, zone)
    urgency = {"critical": "Act now", "warning": "Attention"}.get(alert.severity, "For your information")
    tone = Tone.BAD if alert.severity == "critical" else Tone.ATTENTION
    headline = f"{urgency}: {_meaning(alert.kind)}"
    return _message(alert, tone, headline, f"Since {_clock(alert.opened_at, zone)}.", public_url, alert.opened_at)


def write_closed(alert: Alert, public_url: str, zone: ZoneInfo) -> Message:
    """Its end; it must have one."""
    ended = alert.closed_at or alert.opened_at
    lasted = duration(ended - alert.opened_at)
    span = f"From {_clock(alert.opened_at, zone)} to {_clock(ended, zone)}, {lasted}."
    return _message(alert, Tone.GOOD, f"Over: {_meaning(alert.kind)}", span, public_url, ended)


def write_digest(digest: AlertDigest, public_url: str, at: datetime) -> Message:
    tone = Tone.BAD if digest.severity == "critical" else Tone.ATTENTION
    shown = ", ".join(digest.subjects)
    more = f" and {digest.opened - len(digest.subjects)} more" if digest.opened > len(digest.subjects) else ""
    return Message(
        tone,
        f"{digest.opened} more alerts: {_meaning(digest.kind)}",
        (("Still open", str(digest.still_open)),),
        (f"About {shorten(shown)}{more}.", "They came within ten minutes, so they are told together."),
        f"{public_url.rstrip('/')}/alerts",
        at,
        "Open the alerts",
    )


def _message(alert: Alert, tone: Tone, headline: str, span: str, public_url: str, at: datetime) -> Message:
    causes = [str(alert.details[name]) for name in _CAUSES if alert.details.get(name)]
    paragraphs = (f"About {shorten(alert.subject)}.", *(shorten(cause) for cause in causes[:1]), span)
    return Message(tone, headline, (), paragraphs, f"{public_url.rstrip('/')}/alerts", at, "Open the alerts")


def _meaning(kind: str) -> str:
    return _MEANS.get(kind, kind.replace("_", " "))


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
