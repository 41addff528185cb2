"""Pre-flight: what is wrong is told in the afternoon, and what the night would do."""

import shutil
from pathlib import Path

import dagster as dg

from common.clock import SYSTEM_CLOCK
from common.errors import InfrastructureError, PermanentError
from orchestration.domain.job import Phase
from orchestration.domain.preflight import Finding, look_ahead
from orchestration.domain.trigger import Order, preview_key
from orchestration.ops import said_as_failure
from orchestration.ports import Gateway
from orchestration.resources import SCHEDULE
from orchestration.telling import of_job, of_run
from orchestration.ticks import next_tick
from orchestration.use_cases import ProcessInvoices

KIND = "preflight"
_MARK = {True: "well", False: "wrong", None: "not known"}


@dg.op(out=dg.Out(dg.Nothing), description="Token and scope, administrations, source, lag, disk, pauses, alerts.")
def look_at_tonight(context: dg.OpExecutionContext, gateway: dg.ResourceParam[Gateway]) -> None:
    """What is wrong is an alert until a later check finds it well; the run itself only fails where nobody answers."""
    try:
        findings = look_ahead(gateway.standing(), free_disk=_free_disk(context.instance), now=SYSTEM_CLOCK.now())
        for one in (one for one in findings if one.ok is False):
            gateway.open_alert(KIND, one.subject, severity="warning", why=one.why, do=one.do)
        gateway.close_alerts(KIND, [one.subject for one in findings if one.ok], reason="a later check found it well")
    except (InfrastructureError, PermanentError) as error:
        raise dg.Failure(f"the gateway does not answer: {error}", allow_retries=False) from None
    wrong = [one for one in findings if one.ok is False]
    for one in wrong:
        context.log.warning("%s: %s; %s", one.subject, one.why, one.do)
    shown = {"findings": dg.MetadataValue.md(_table(findings)), "wrong": dg.MetadataValue.int(len(wrong))}
    context.add_output_metadata({**shown, **of_run(context.run)})


@dg.op(
    ins={"before": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="A dry run of tonight, once a night; the notifier tells what it found.",
)
def preview_tonight(
    context: dg.OpExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> None:
    if not SCHEDULE.preview:
        context.log.info("PREVIEW is off")
        return
    key = preview_key(next_tick(SYSTEM_CLOCK.now()).date())
    with said_as_failure(context, None):
        job_id = processing.answered(lambda: gateway.dry_run(Order(reason=key, dry_run=True), key))
    with said_as_failure(context, job_id):
        processing.follow(job_id, Phase.ENDED)
        state = processing.answered(lambda: gateway.job(job_id))
    preview = {name: dg.MetadataValue.int(count) for name, count in (state.preview if state else {}).items()}
    context.add_output_metadata({"night": dg.MetadataValue.text(key), **of_job(job_id, state), **preview})


def _free_disk(instance: dg.DagsterInstance) -> float:
    """Of the disk that Dagster's home is on; the volumes of PostgreSQL and Kafka have alert rules of their own."""
    usage = shutil.disk_usage(instance.root_directory if instance.is_persistent else Path.cwd())
    return usage.free / usage.total


def _table(findings: list[Finding]) -> str:
    rows = [f"| {one.subject} | {_MARK[one.ok]} | {one.why} | {one.do} |" for one in findings]
    return "\n".join(["| what | how | why | what to do |", "|---|---|---|---|", *rows])
