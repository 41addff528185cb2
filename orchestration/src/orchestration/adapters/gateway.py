"""The gateway, through its client."""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from http import HTTPStatus
from typing import TypeVar, cast
from uuid import UUID

from client import (
    ApiError,
    GatewayClient,
    GatewayUnreachable,
    Job,
    JobNotification,
    JobProgress,
    JobSummary,
    Results,
    SystemStatus,
)
from common.errors import InfrastructureError, PermanentError
from orchestration.domain.job import JobGlance, JobState, Told
from orchestration.domain.night import Severity
from orchestration.domain.preflight import Outside, Standing
from orchestration.domain.trigger import Order

Answer = TypeVar("Answer")

_SILENCE = 15.0
"""Seconds: a tick of a sensor has one minute, also where nobody answers."""
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_STOP_THE_NIGHT = frozenset({"amnesia", "storm"})
"""Kinds of alerts under which nothing is listed or sent; breakers and pauses are told by themselves."""


class ClientGateway:
    """`client` has credentials, so that a token that expires in a long job is replaced."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    def progress(self, job_id: UUID) -> JobState | None:
        """The first event of the job's stream: counted at this moment, which the row of a running job is not."""

        def first() -> JobProgress:
            events = cast("Generator[tuple[int, JobProgress]]", self._client.job_events(job_id, silence=_SILENCE))
            with closing(events):
                for _, progress in events:
                    return progress
            raise InfrastructureError("the gateway ended the stream before it began")

        found = _asked(first, missing=None)
        return _progress(found) if found else None

    def job(self, job_id: UUID) -> JobState | None:
        found = _asked(lambda: self._client.job(job_id), missing=None)
        return _state(found) if found else None

    def told(self, job_id: UUID) -> Sequence[Told]:
        found = _asked(lambda: self._client.notifications(job_id), missing=None) or []
        return [_told(one) for one in found]

    def jobs(self, *, scheduled: bool, limit: int) -> Sequence[JobGlance]:
        kind = "scheduled" if scheduled else None
        page = _asked(lambda: self._client.jobs(job_type=kind, limit=limit), missing=None)
        return [_glance(one) for one in page.items] if page else []

    def dry_run(self, order: Order, key: str) -> UUID:
        started = _asked(
            lambda: self._client.start(
                invoice_ids=order.invoice_ids or None,
                force_processing=order.force_processing,
                reason=order.reason,
                dry_run=True,
                idempotency_key=key,
            )
        )
        return started.job_id

    def open_alert(self, kind: str, subject: str, *, severity: Severity, why: str, do: str) -> None:
        _asked(lambda: self._client.report(kind, subject, severity=severity, why=_line(why), do=_line(do) or None))

    def close_alerts(self, kind: str, subjects: Sequence[str], *, reason: str) -> None:
        for alert in _asked(lambda: self._client.alerts(limit=200)).items:
            if alert.kind == kind and alert.subject in subjects:
                _asked(lambda alert=alert: self._client.close_alert(alert.id, reason=reason))

    def standing(self) -> Standing:
        status = _asked(self._client.system_status)
        alerts = _asked(lambda: self._client.alerts(limit=200)).items
        return _standing(status, [alert.kind for alert in alerts if alert.kind in _STOP_THE_NIGHT])


_NO_DEFAULT = object()


def _asked(call: Callable[[], Answer], missing: object = _NO_DEFAULT) -> Answer:
    """The answer; `missing` where what it is about is not there. Everything else in the words of our errors."""
    try:
        return call()
    except GatewayUnreachable as error:
        raise InfrastructureError(str(error)) from error
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND and error.code != "NOT_AN_ENVELOPE" and missing is not _NO_DEFAULT:
            return cast("Answer", missing)
        if error.status in _REFUSED:
            raise PermanentError(f"{error}; check GATEWAY_USERNAME and GATEWAY_PASSWORD") from error
        raise InfrastructureError(str(error)) from error


def _counts(results: Results) -> dict[str, int]:
    return results.model_dump(exclude={"amounts"})


def _progress(found: JobProgress) -> JobState:
    return JobState(
        found.status,
        _counts(found.results),
        f"{found.error.code}: {found.error.message}" if found.error else None,
        listed=found.listed_at is not None,
        stages=found.stages,
    )


def _state(job: Job) -> JobState:
    return JobState(
        job.status,
        _counts(job.results),
        f"{job.error.code}: {job.error.message}" if job.error else None,
        listed=job.listed_at is not None,
        amounts=job.results.amounts,
        causes=dict(Counter(trouble.reason or trouble.status for trouble in job.errors)),
        preview=job.preview.model_dump(exclude={"expires_at"}) if job.preview else {},
        everything=not job.invoice_ids,
    )


def _told(one: JobNotification) -> Told:
    """One that waits for no time waits for a digest: the end of quiet hours, or a channel that has nothing else."""
    status = "held" if one.status == "waiting" and one.next_at is None else one.status
    return Told(one.channel, one.kind, status, one.attempts, one.sent_at, one.error)


def _glance(job: JobSummary) -> JobGlance:
    return JobGlance(
        job.job_id,
        job.job_type,
        job.status,
        job.created_at,
        job.completed_at,
        _counts(job.results),
        job.duration_seconds,
        job.reason,
        f"{job.error.code}: {job.error.message}" if job.error else None,
    )


def _standing(status: SystemStatus, alerts: Sequence[str]) -> Standing:
    broken = {one.name: "does not answer" for one in status.dependencies if one.state == "down"}
    broken |= {one.service: "no process is connected" for one in status.services if one.state == "down"}
    broken |= {one.destination: f"left alone: {one.why}" for one in status.breakers if one.open}
    lag = dict[str, int]()
    for one in status.lag:
        lag[one.group] = lag.get(one.group, 0) + (one.records or 0)
    paused = [f"{one.service}{f' for {one.administration}' if one.administration else ''}" for one in status.paused]
    outside = [Outside(one.name, one.ok, one.why, one.checked_at) for one in status.outside]
    return Standing(broken, paused, lag, outside, alerts)


def _line(text: str) -> str:
    """As the gateway takes it: one line, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:500]
