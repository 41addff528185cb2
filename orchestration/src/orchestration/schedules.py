"""When runs start: every night once a local date, and the pre-flight on the afternoons before."""

from datetime import UTC, timedelta

import dagster as dg

from common.clock import SYSTEM_CLOCK
from orchestration.domain.schedule import too_late
from orchestration.domain.trigger import TRIGGER_TAG, daily_trigger_key
from orchestration.jobs import daily_processing, health_monitoring
from orchestration.resources import SCHEDULE


@dg.schedule(
    job=daily_processing,
    cron_schedule=SCHEDULE.schedule_cron,
    execution_timezone=SCHEDULE.schedule_timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    at = context.scheduled_execution_time
    if why := too_late(at, SYSTEM_CLOCK.now(), timedelta(seconds=SCHEDULE.start_within)):
        return dg.SkipReason(why)
    tags = {TRIGGER_TAG: daily_trigger_key(at.date()), "scheduled_for": at.astimezone(UTC).isoformat()}
    return dg.RunRequest(run_key=at.isoformat(), tags=tags)


@dg.schedule(
    job=health_monitoring,
    cron_schedule=list(SCHEDULE.preflight_cron),
    execution_timezone=SCHEDULE.schedule_timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def preflight_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    at = context.scheduled_execution_time
    if SYSTEM_CLOCK.now() - at > timedelta(hours=2):
        return dg.SkipReason("the afternoon is over")
    return dg.RunRequest(run_key=at.isoformat())


SCHEDULES = [daily_schedule, preflight_schedule]
