"""Times of the day, and whether a start is too late."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def next_at(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next instant that it is `at` in `zone`, after `now`."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), at, zone)
    return today if today > now else datetime.combine(local.date() + timedelta(days=1), at, zone)


def too_late(due: datetime, now: datetime, within: timedelta) -> str | None:
    """Why a tick is not to start any more, else None."""
    if (late := now - due) <= within:
        return None
    return f"{late} after its time, at most {within} are allowed: the next night lists what this one would have"
