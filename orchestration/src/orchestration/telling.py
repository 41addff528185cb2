"""What Dagster's UI shows of a job: numbers, money, causes, and where to look further."""

from collections.abc import Mapping
from typing import TypeAlias
from uuid import UUID

import dagster as dg

from orchestration.domain.job import JobGlance, JobState, shares
from orchestration.domain.judging import Verdict
from orchestration.domain.trigger import trace_id_of
from orchestration.resources import run_settings

Shown: TypeAlias = dict[str, dg.MetadataValue]


def of_job(job_id: UUID, state: JobState | None) -> Shown:
    """With links to the job and, where there are any, to what failed or is held."""
    base = base_url()
    shown: Shown = {
        "job_id": dg.MetadataValue.text(str(job_id)),
        "url": dg.MetadataValue.url(f"{base}/jobs/{job_id}"),
    }
    if state is None:
        return shown
    shown["status"] = dg.MetadataValue.text(state.status)
    if state.counts.get("failed"):
        shown["failed_link"] = dg.MetadataValue.url(f"{base}/failed-messages?job_id={job_id}")
    if state.counts.get("held"):
        shown["held_link"] = dg.MetadataValue.url(f"{base}/held?job_id={job_id}")
    return {**shown, **{name: _value(value) for name, value in shares(state).items()}}


def of_run(run: dg.DagsterRun) -> Shown:
    """By which a run is found in traces and logs."""
    return {"trace_id": dg.MetadataValue.text(trace_id_of(run.root_run_id or run.run_id))}


def of_verdict(verdict: Verdict) -> Shown:
    return {"why": dg.MetadataValue.text(verdict.why), **{n: _value(value) for n, value in verdict.numbers.items()}}


def of_glance(job: JobGlance) -> Shown:
    """A job that was started elsewhere."""
    said = {"status": job.status, "job_type": job.job_type, "reason": job.reason, "error": job.error}
    return {
        "job_id": dg.MetadataValue.text(str(job.job_id)),
        "url": dg.MetadataValue.url(f"{base_url()}/jobs/{job.job_id}"),
        **{name: dg.MetadataValue.text(text) for name, text in said.items() if text},
        **{name: dg.MetadataValue.int(count) for name, count in job.counts.items()},
    }


def base_url() -> str:
    settings = run_settings()
    return (settings.public_url or settings.gateway_url).rstrip("/")


def _value(value: object) -> dg.MetadataValue:
    if isinstance(value, bool | str):
        return dg.MetadataValue.text(str(value))
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    return dg.MetadataValue.json(dict(value) if isinstance(value, Mapping) else [])
