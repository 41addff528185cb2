"""Who is told what, and when: at once, after the quiet hours, or in a digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from notifier.domain.message import Message, Severity
from notifier.domain.quiet_hours import QuietHours, next_at
from notifier.domain.words import Language

SLACK = "slack"
EMAIL = "email"
"""A recipient of e-mail is a channel of its own, `email:NAME`: each has its rows, and is retried by itself."""


class Rhythm(StrEnum):
    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


class What(StrEnum):
    ALL = "all"
    OWNED = "owned"
    """Only what the channel owns."""


@dataclass(frozen=True, slots=True)
class Channel:
    """`at_least` is the lowest severity that is told; a language of None is that of the configuration."""

    name: str
    at_least: Severity = Severity.INFO
    rhythm: Rhythm = Rhythm.AT_ONCE
    what: What = What.ALL
    language: Language | None = None

    def wants(self, message: Message) -> bool:
        if self.name in message.channels:
            return True
        return self.what is What.ALL and message.severity.reaches(self.at_least)


@dataclass(frozen=True, slots=True)
class Hours:
    """The clock that decides. The day of weekly digests is counted from Monday, 0."""

    zone: ZoneInfo
    quiet: QuietHours | None = None
    digest_at: time = time(8)
    digest_day: int = 0
    language: Language = Language.EN


@dataclass(frozen=True, slots=True)
class Unwanted:
    """This channel is not told."""


@dataclass(frozen=True, slots=True)
class Hold:
    """It is told in a digest at `until`; `why` is quiet, daily or weekly."""

    why: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AtOnce:
    pass


Decision: TypeAlias = AtOnce | Hold | Unwanted
QUIET = "quiet"


def decide(channel: Channel, message: Message, hours: Hours, now: datetime) -> Decision:
    """A digest never comes in quiet hours; what is critical does, except where a channel has digests only."""
    if not channel.wants(message):
        return Unwanted()
    if channel.rhythm is not Rhythm.AT_ONCE:
        weekday = hours.digest_day if channel.rhythm is Rhythm.WEEKLY else None
        until = next_at(now, hours.digest_at, hours.zone, weekday)
        return Hold(channel.rhythm, quiet_until(hours, until) or until)
    until = None if message.severity is Severity.CRITICAL else quiet_until(hours, now)
    return Hold(QUIET, until) if until else AtOnce()


def quiet_until(hours: Hours, now: datetime) -> datetime | None:
    return hours.quiet.over_at(now.astimezone(UTC)) if hours.quiet else None


Channels: TypeAlias = Mapping[str, Channel]
