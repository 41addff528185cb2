"""What is said about invoices that are still on their way: an hour after their listing, and in the morning."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from notifier.domain.wording import Message, Tone

SAID_AFTER = timedelta(hours=1)
"""Since the listing ended."""

MORNING = time(7, 30)
"""Unless somebody wants it at another time."""

_WHY: Mapping[str, str] = {
    "fetched": "not validated yet",
    "validated": "not sent yet",
    "released": "not sent yet",
    "not_accepted": "not accepted by Clearfacts",
    "sending": "being sent",
    "unknown": "being looked up at Clearfacts, which may have it",
    "unknown_outcome": "being looked up at Clearfacts, which may have it",
}
"""By reason, and where that says nothing by stage."""


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
    waiting: Sequence[Waiting], job_id: UUID | None, public_url: str, *, now: datetime, zone: ZoneInfo
) -> Message:
    """The message about the open invoices of one job, or of all; there must be some."""
    total = sum(group.count for group in waiting)
    jobs = f"{public_url.rstrip('/')}/jobs"
    paragraphs = (
        f"{total} still open, because {_why(waiting)}; {_next_attempt(waiting, now, zone)}.",
        "Nothing is lost: what is open goes on by itself.",
    )
    if job_id is None:
        headline = f"Morning report: {total} still open"
        return Message(Tone.ATTENTION, headline, (), paragraphs, jobs, now, "Open the jobs")
    return Message(Tone.ATTENTION, f"Invoice run still open: {total} to go", (), paragraphs, f"{jobs}/{job_id}", now)


def _why(waiting: Sequence[Waiting]) -> str:
    counts = Counter[str]()
    for group in waiting:
        counts[_WHY.get(group.reason or "") or _WHY.get(group.stage, group.stage)] += group.count
    return ", ".join(f"{count} {why}" for why, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _next_attempt(waiting: Sequence[Waiting], now: datetime, zone: ZoneInfo) -> str:
    at = min((group.next_at for group in waiting if group.next_at), default=None)
    if at is None:
        return "no next attempt is set"
    return f"next attempt at {at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if at > now else "next attempt now"
