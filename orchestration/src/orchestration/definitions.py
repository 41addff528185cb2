"""The code location that Dagster loads: one job, one schedule. Nothing is connected at import.

Run as three processes, see `orchestration.home`.
"""

from datetime import UTC, timedelta

import dagster as dg

from client import GatewayClient
from common.clock import SYSTEM_CLOCK
from common.errors import ConfigurationError, PermanentError
from common.settings import load_settings
from orchestration.adapters.gateway import ClientGateway
from orchestration.adapters.kafka import KafkaTrigger
from orchestration.domain import (
    TRIGGER_TAG,
    JobFailed,
    JobNotFinished,
    JobState,
    daily_trigger_key,
    job_id_of,
    manual_trigger_key,
    request,
)
from orchestration.settings import RunSettings, ScheduleSettings
from orchestration.use_cases import ProcessInvoices

SCHEDULE = load_settings(ScheduleSettings)
MARGIN = 600
"""Dagster ends a run this many seconds after the run should have ended itself."""


@dg.resource(description="The story, wired when a run begins: secrets stay out of what Dagster stores and shows.")
def processing(context: dg.InitResourceContext) -> ProcessInvoices:  # noqa: ARG001 - Dagster's signature
    settings = _run_settings()
    credentials = (settings.gateway_username, settings.gateway_password.get_secret_value())
    return ProcessInvoices(
        KafkaTrigger(settings.kafka_bootstrap_servers),
        ClientGateway(GatewayClient(settings.gateway_url, credentials=credentials)),
        deadline=timedelta(seconds=SCHEDULE.follow_deadline),
    )


def _run_settings() -> RunSettings:
    try:
        return load_settings(RunSettings)
    except ConfigurationError as error:
        raise dg.Failure(f"cannot start: {error}", allow_retries=False) from None


@dg.op(out=dg.Out(dg.Nothing), description="Ask for the job of this run's trigger and follow it to its end.")
def process_invoices(context: dg.OpExecutionContext, processing: dg.ResourceParam[ProcessInvoices]) -> None:
    run = context.run
    trigger_key = run.tags.get(TRIGGER_TAG) or manual_trigger_key(run.root_run_id or run.run_id)
    event = request(trigger_key, SYSTEM_CLOCK.now())
    context.log.info("job %s for %s", event.job_id, trigger_key)
    try:
        state = processing(event)
    except JobFailed as failed:
        raise dg.Failure(str(failed), metadata=_metadata(trigger_key, failed.state), allow_retries=False) from None
    except (JobNotFinished, PermanentError) as blind:
        raise dg.Failure(str(blind), metadata=_metadata(trigger_key, None), allow_retries=False) from None
    context.add_output_metadata(_metadata(trigger_key, state))


def _metadata(trigger_key: str, state: JobState | None) -> dict[str, dg.MetadataValue]:
    settings = _run_settings()
    job_id = job_id_of(trigger_key)
    base = (settings.public_url or settings.gateway_url).rstrip("/")
    return {
        "job_id": dg.MetadataValue.text(str(job_id)),
        "url": dg.MetadataValue.url(f"{base}/jobs/{job_id}"),
        **({name: dg.MetadataValue.int(count) for name, count in state.counts.items()} if state else {}),
    }


@dg.job(
    executor_def=dg.in_process_executor,
    description="Process what is new at the source.",
    tags={
        # Only a run whose process died is run again; it finds its job and follows it.
        "dagster/max_retries": "2",
        "dagster/max_runtime": str(SCHEDULE.follow_deadline + MARGIN),
    },
)
def daily_processing() -> None:
    process_invoices()


@dg.schedule(
    job=daily_processing,
    cron_schedule=SCHEDULE.schedule_cron,
    execution_timezone=SCHEDULE.schedule_timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    at = context.scheduled_execution_time
    tags = {TRIGGER_TAG: daily_trigger_key(at.date()), "scheduled_for": at.astimezone(UTC).isoformat()}
    return dg.RunRequest(run_key=at.isoformat(), tags=tags)


defs = dg.Definitions(jobs=[daily_processing], schedules=[daily_schedule], resources={"processing": processing})
