"""What is claimed of each night. A check that warns fails no run: its mark in the UI is what it is for."""

from collections.abc import Sequence

import dagster as dg

from orchestration.assets import job_metrics, processed_invoices, raw_invoices
from orchestration.domain.job import JobState
from orchestration.domain.judging import Verdict, judge_balance, judge_failures, judge_open, judge_volume
from orchestration.domain.trigger import is_daily, job_id_of
from orchestration.ops import BALANCE_PROOF, trigger_of
from orchestration.ports import Gateway
from orchestration.resources import SCHEDULE
from orchestration.telling import of_verdict
from orchestration.use_cases import ProcessInvoices

NIGHTS = 30
_WARN, _ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@dg.asset_check(asset=raw_invoices, description="As many as on earlier nights.")
def volume_is_usual(
    context: dg.AssetCheckExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> dg.AssetCheckResult:
    if not is_daily(trigger_of(context.run)):
        return _result(Verdict(passed=True, why="only nights are compared", numbers={}), _WARN)
    state, job_id = _state(context, processing, gateway), job_id_of(trigger_of(context.run))
    listed = processing.answered(lambda: gateway.jobs(scheduled=True, limit=NIGHTS))
    earlier = [one for one in listed if one.status == "completed" and one.job_id != job_id]
    counts = [one.counts.get("total_invoices", 0) for one in earlier]
    return _result(judge_volume(state.counts.get("total_invoices", 0), counts), _WARN)


@dg.asset_check(asset=processed_invoices, name=BALANCE_PROOF, description="Nothing that was listed is missing.")
def balance_proof(
    context: dg.AssetCheckExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> dg.AssetCheckResult:
    return _result(judge_balance(_state(context, processing, gateway)), _ERROR)


@dg.asset_check(asset=processed_invoices, description="Not more failed than usual.")
def failed_share(
    context: dg.AssetCheckExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> dg.AssetCheckResult:
    return _result(judge_failures(_state(context, processing, gateway), SCHEDULE.failed_share_limit), _WARN)


@dg.asset_check(asset=processed_invoices, description="Nothing waits for a retry.")
def all_ended(
    context: dg.AssetCheckExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> dg.AssetCheckResult:
    return _result(judge_open(_state(context, processing, gateway)), _WARN)


@dg.asset_check(asset=job_metrics, description="The notifier's message about the job has arrived.")
def people_were_told(
    context: dg.AssetCheckExecutionContext,
    processing: dg.ResourceParam[ProcessInvoices],
    gateway: dg.ResourceParam[Gateway],
) -> dg.AssetCheckResult:
    told = processing.answered(lambda: gateway.told(job_id_of(trigger_of(context.run))))
    sent, held = sum(one.status == "sent" for one in told), sum(one.status == "held" for one in told)
    why = f"{sent} of {len(told)} messages arrived, {held} are told later" if told else "nobody was told yet"
    numbers = {"sent": sent, "held": held, "messages": len(told)}
    return _result(Verdict(passed=any(one.reaches_somebody for one in told), why=why, numbers=numbers), _WARN)


def _state(context: dg.AssetCheckExecutionContext, processing: ProcessInvoices, gateway: Gateway) -> JobState:
    """Counted at this moment: the row of a running job lags behind."""
    job_id = job_id_of(trigger_of(context.run))
    if (state := processing.answered(lambda: gateway.progress(job_id))) is None:
        raise dg.Failure(f"there is no job {job_id}")
    return state


def _result(verdict: Verdict, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=verdict.passed, severity=severity, metadata=of_verdict(verdict))


CHECKS: Sequence[dg.AssetChecksDefinition] = (volume_is_usual, balance_proof, failed_share, all_ended, people_were_told)
