"""The four ops of a run. Each waits for its own phase of the one job; none hands anything to the next.

Which job it is each finds out by itself, from the run's tags: so any of them can be run again alone, also elsewhere.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import dagster as dg

from common.clock import SYSTEM_CLOCK
from common.errors import PermanentError
from orchestration.domain.job import JobFailed, JobNotFinished, JobState, Phase, Waits
from orchestration.domain.judging import judge_balance
from orchestration.domain.trigger import (
    TRIGGER_TAG,
    Order,
    OrderRefused,
    is_daily,
    job_id_of,
    manual_trigger_key,
    request,
)
from orchestration.ports import Gateway
from orchestration.resources import SCHEDULE, Configuration
from orchestration.telling import Shown, of_job, of_run, of_verdict
from orchestration.use_cases import ProcessInvoices

BALANCE_PROOF = "balance_proof"
_AGAIN = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
"""For what nobody foresaw; what a job or the gateway says is final."""
_MAYBE = dg.Out(dg.Nothing, is_required=False)
_AFTER = {"before": dg.In(dg.Nothing)}


def trigger_of(run: dg.DagsterRun) -> str:
    return run.tags.get(TRIGGER_TAG) or manual_trigger_key(run.root_run_id or run.run_id)


@dg.op(out=_MAYBE, retry_policy=_AGAIN, description="Ask for the job, and wait until the source is listed.")
def retrieve_invoices(
    context: dg.OpExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
    configuration: Configuration,
) -> Iterator[dg.Output[None]]:
    trigger_key, order = trigger_of(context.run), _order(configuration, context.run)
    if order.dry_run:
        _rehearse(context, processing, gateway, order)
        return
    event = request(trigger_key, SYSTEM_CLOCK.now(), order)
    context.log.info("job %s for %s", event.job_id, trigger_key)
    with said_as_failure(context, event.job_id):
        state = processing.ask(event)
    yield _done(context, event.job_id, state)


@dg.op(ins=_AFTER, out=_MAYBE, retry_policy=_AGAIN, description="Wait until every listed invoice is judged.")
def validate_invoices(
    context: dg.OpExecutionContext, processing: dg.ResourceParam[ProcessInvoices]
) -> Iterator[dg.Output[None]]:
    job_id = job_id_of(trigger_of(context.run))
    with said_as_failure(context, job_id):
        found = processing.follow(job_id, Phase.VALIDATED)
    yield _done(context, job_id, found.state if isinstance(found, Waits) else found)


@dg.op(ins=_AFTER, out=_MAYBE, retry_policy=_AGAIN, description="Wait until all are sent, or wait for a retry.")
def send_to_clearfacts(
    context: dg.OpExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> Iterator[dg.Output[None]]:
    job_id = job_id_of(trigger_of(context.run))
    with said_as_failure(context, job_id):
        found = processing.follow(job_id, Phase.ENDED)
        whole = processing.answered(lambda: gateway.job(job_id))
    if isinstance(found, Waits):
        context.log.warning("%s invoices still wait for a retry; they go on by themselves", found.state.open)
        yield _done(context, job_id, found.state, {"still_open": dg.MetadataValue.int(found.state.open)})
    else:
        yield _done(context, job_id, whole or found)


@dg.op(ins=_AFTER, out=_MAYBE, retry_policy=_AGAIN, description="Wait for the notifier's message; it is not sent here.")
def send_notifications(
    context: dg.OpExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> Iterator[dg.Output[None]]:
    job_id = job_id_of(trigger_of(context.run))
    with said_as_failure(context, job_id):
        state = processing.answered(lambda: gateway.job(job_id))
        ended = state is not None and state.finished
        told = processing.told(job_id, ended=ended, patience=timedelta(seconds=SCHEDULE.told_within))
    if not any(one.reaches_somebody for one in told):
        context.log.warning("people were not told yet; the notifier goes on trying for three days")
    lines = [f"{one.kind} by {one.channel}: {one.status}{f' ({one.error})' if one.error else ''}" for one in told]
    told_at = max((one.sent_at for one in told if one.sent_at), default=None)
    yield _done(
        context,
        job_id,
        state,
        {
            "messages": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "none yet"),
            **({"told_at": dg.MetadataValue.text(told_at.isoformat())} if told_at else {}),
        },
    )


def _order(configuration: Configuration, run: dg.DagsterRun) -> Order:
    order = configuration.order()
    try:
        order.check()
    except OrderRefused as refused:
        raise dg.Failure(str(refused), allow_retries=False) from None
    if is_daily(trigger_of(run)) and order != Order():
        raise dg.Failure("a night's run takes no configuration; use manual_trigger", allow_retries=False)
    return order


def _rehearse(context: dg.OpExecutionContext, processing: ProcessInvoices, gateway: Gateway, order: Order) -> None:
    """A dry run makes nothing: it is observed, and the ops after it are skipped."""
    with said_as_failure(context, None):
        job_id = processing.answered(lambda: gateway.dry_run(order, trigger_of(context.run)))
    with said_as_failure(context, job_id):
        processing.follow(job_id, Phase.ENDED)
        state = processing.answered(lambda: gateway.job(job_id))
    preview = {name: dg.MetadataValue.int(count) for name, count in (state.preview if state else {}).items()}
    context.log_event(dg.AssetObservation("raw_invoices", metadata={**of_job(job_id, state), **preview}))


def _done(
    context: dg.OpExecutionContext,
    job_id: UUID,
    state: JobState | None,
    more: Shown | None = None,
) -> dg.Output[None]:
    return dg.Output(None, metadata={**of_job(job_id, state), **of_run(context.run), **(more or {})})


@contextmanager
def said_as_failure(context: dg.OpExecutionContext, job_id: UUID | None) -> Generator[None]:
    """A job that failed, or that nobody lets us see, ends the run, with what is known; trying again would not help."""
    try:
        yield
    except JobFailed as failed:
        _say_unbalanced(context, failed.state)
        shown = {**(of_job(job_id, failed.state) if job_id else {}), **of_run(context.run)}
        raise dg.Failure(str(failed), metadata=shown, allow_retries=False) from None
    except (JobNotFinished, PermanentError) as blind:
        shown = {**(of_job(job_id, None) if job_id else {}), **of_run(context.run)}
        raise dg.Failure(str(blind), metadata=shown, allow_retries=False) from None


def _say_unbalanced(context: dg.OpExecutionContext, state: JobState) -> None:
    """The check itself is skipped after a failure, and would stay green from the night before."""
    verdict = judge_balance(state)
    if not verdict.passed:
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("processed_invoices"),
            check_name=BALANCE_PROOF,
            passed=False,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata=of_verdict(verdict),
        )
        context.instance.report_runless_asset_event(evaluation)  # events of a step that raises are lost
