"""When the nights are, by Dagster's own reading of the cron line."""

from datetime import datetime

from dagster._utils.schedules import get_latest_completed_cron_tick, get_next_cron_tick  # private: Dagster is locked

from orchestration.domain.night import Night
from orchestration.domain.trigger import daily_trigger_key
from orchestration.resources import SCHEDULE


def next_tick(now: datetime) -> datetime:
    """The next night's time."""
    return get_next_cron_tick(SCHEDULE.schedule_cron, now, SCHEDULE.schedule_timezone)


def last_night(now: datetime) -> Night:
    """The newest night whose time has come."""
    due = get_latest_completed_cron_tick(SCHEDULE.schedule_cron, now, SCHEDULE.schedule_timezone)
    return Night(daily_trigger_key(due.date()), due)
