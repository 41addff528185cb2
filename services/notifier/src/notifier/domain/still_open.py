"""What is said about invoices that are still on their way: an hour after their listing, and in the morning."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from notifier.domain.message import Message, Tone
from notifier.domain.words import ENGLISH, Words

SAID_AFTER = timedelta(hours=1)
"""Since the listing ended."""

MORNING = time(7, 30)
"""Unless somebody wants it at another time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open invoices stand at `stage` for one reason, and when the first of them is worked again."""

    stage: str
    reason: str | None
    count: int
    next_at: datetime | None


def morning_of(now: datetime, zone: ZoneInfo, at: time = MORNING) -> datetime:
    """That time of the day that it is in `zone`."""
    return datetime.combine(now.astimezone(zone).date(), at, zone)


def write_open(
    waiting: Sequence[Waiting],
    job_id: UUID | None,
    public_url: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    words: Words = ENGLISH,
) -> Message:
    """The message about the open invoices of one job, or of all; there must be some."""
    total = sum(group.count for group in waiting)
    jobs = f"{public_url.rstrip('/')}/jobs"
    paragraphs = (
        words.say("open.why", n=total, causes=_why(waiting, words), next=_next_attempt(waiting, now, zone, words)),
        words.say("open.not_lost"),
    )
    if job_id is None:
        headline, link = words.say("open.morning", n=total), words.say("link.jobs")
        return Message(Tone.ATTENTION, headline, (), paragraphs, jobs, now, link)
    headline, link = words.say("open.job", n=total), words.say("link.job")
    return Message(Tone.ATTENTION, headline, (), paragraphs, f"{jobs}/{job_id}", now, link)


def _why(waiting: Sequence[Waiting], words: Words) -> str:
    """By reason, and where that says nothing by stage."""
    counts = Counter[str]()
    for group in waiting:
        name = group.reason if group.reason and words.has("waits", group.reason) else group.stage
        counts[words.name("waits", name)] += group.count
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(words.say("cause.plain", n=count, what=why) for why, count in ordered)


def _next_attempt(waiting: Sequence[Waiting], now: datetime, zone: ZoneInfo, words: Words) -> str:
    at = min((group.next_at for group in waiting if group.next_at), default=None)
    if at is None:
        return words.say("open.never")
    return words.say("open.next", at=words.moment(at, zone)) if at > now else words.say("open.now")
