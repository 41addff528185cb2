"""When people are left alone, and when a digest comes: by the clock on the wall, also where that clock is changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
WEEK = 7


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end`, on the clock of `zone`; over midnight where `end` is not later. Equal ones are none."""

    start: time
    end: time
    zone: ZoneInfo

    def over_at(self, now: datetime) -> datetime | None:
        """The end, in UTC, of the quiet hours in which `now` is; None outside them."""
        if self.start == self.end:
            return None
        today = now.astimezone(self.zone).date()
        overnight = timedelta(days=1 if self.end < self.start else 0)
        for day in (today - timedelta(days=1), today):
            end = moment_of(day + overnight, self.end, self.zone)
            if moment_of(day, self.start, self.zone) <= now < end:
                return end
        return None


def next_at(now: datetime, at: time, zone: ZoneInfo, weekday: int | None = None) -> datetime:
    """The next moment after `now`, in UTC, at which it is `at`; where a weekday is given (0: Monday), on such a one."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(2 * WEEK))
    moments = (moment_of(day, at, zone) for day in days if weekday is None or day.weekday() == weekday)
    return next(moment for moment in moments if moment > now)


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """In UTC. A time that comes twice is the first of the two; one that is skipped is the moment of the jump."""
    local = datetime.combine(day, at)
    while not _exists(local, zone):
        local += _MINUTE
    return local.replace(tzinfo=zone).astimezone(UTC)


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    there = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.replace(tzinfo=None) == local
