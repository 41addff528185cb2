"""Jobs: the calls of those that are there, and how to follow one to its end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NewType, TypeAlias
from uuid import UUID

import httpx

from client.answers import Page
from client.connection import Connection, given
from client.errors import ApiError, GatewayUnreachable, JobNotFinished
from client.shapes import Job, JobCancelled, JobProgress, PreviewItem, ReplayStarted

EventId = NewType("EventId", int)
Seen: TypeAlias = Callable[[Job | JobProgress], None]

_UNAUTHENTICATED, _UNAVAILABLE = 401, 503
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
_SILENCE = 30.0
"""Seconds without a byte after which a stream is dead: the gateway says something every 15."""


class JobCalls(Connection):
    def job(self, job_id: UUID | str) -> Job:
        return self._call("GET", f"/api/v1/jobs/{job_id}", Job)

    def cancel_job(self, job_id: UUID | str, *, reason: str) -> JobCancelled:
        """What is open of it fails within seconds. Refused with CONFLICT for a job that has ended."""
        return self._call("POST", f"/api/v1/jobs/{job_id}/cancel", JobCancelled, json={"reason": reason})

    def preview(
        self, job_id: UUID | str, *, outcome: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[PreviewItem]:
        """The invoices of a dry run in the order of the listing, or those with one outcome."""
        query = {"outcome": outcome, "limit": limit, "cursor": cursor}
        return self._call("GET", f"/api/v1/jobs/{job_id}/preview", Page[PreviewItem], params=given(query))

    def retry_failed(self, job_id: UUID | str, *, reason: str, idempotency_key: str | None = None) -> ReplayStarted:
        """Replay what failed of it. Refused with CONFLICT where nothing did. With a key a repetition is safe."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        path = f"/api/v1/jobs/{job_id}/retry-failed"
        return self._call("POST", path, ReplayStarted, json={"reason": reason}, headers=headers)

    def job_events(
        self, job_id: UUID | str, *, seen: EventId | None = None, silence: float = _SILENCE
    ) -> Iterator[tuple[EventId, JobProgress]]:
        """One stream of what is newer than `seen`. It ends with the job, or earlier: then go on from where it was."""
        headers = {} if seen is None else {"Last-Event-ID": str(seen)}
        fields: dict[str, str] = {}
        for line in self._lines(f"/api/v1/jobs/{job_id}/events", headers, silence):
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                yield EventId(int(fields["id"])), JobProgress.model_validate_json(fields["data"])
                fields = {}

    def watch(
        self, job_id: UUID | str, *, timeout: timedelta = timedelta(hours=1), on_progress: Seen | None = None
    ) -> Job:
        """Follow a job to its end by its events; where there are none, by asking. Raises JobNotFinished.

        A gateway that is away for a while is waited for.
        """
        deadline, seen, pause = self._monotonic() + timeout.total_seconds(), None, _FIRST_PAUSE
        while (left := deadline - self._monotonic()) > 0:
            try:
                for number, progress in self.job_events(job_id, seen=seen, silence=min(left, _SILENCE)):
                    seen, pause = number, _FIRST_PAUSE
                    if on_progress is not None:
                        on_progress(progress)
                    if progress.finished:
                        return self.wait(job_id)
            except GatewayUnreachable:
                pass
            except ApiError as error:
                if error.status == _UNAUTHENTICATED:
                    raise
                if error.status != _UNAVAILABLE:  # an older gateway, or too many who watch
                    return self.wait(job_id, timeout=timedelta(seconds=left), on_progress=on_progress)
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        raise _not_finished(job_id, timeout)

    def wait(
        self, job_id: UUID | str, *, timeout: timedelta = timedelta(hours=1), on_progress: Seen | None = None
    ) -> Job:
        """Ask for a job until it has ended. A gateway that is away for a while is waited for; raises JobNotFinished."""
        deadline, pause = self._monotonic() + timeout.total_seconds(), _FIRST_PAUSE
        while True:
            job = self._job_or_silence(job_id)
            if job is not None and on_progress is not None:
                on_progress(job)
            if job is not None and job.finished:
                return job
            if self._monotonic() + pause > deadline:
                raise _not_finished(job_id, timeout)
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _job_or_silence(self, job_id: UUID | str) -> Job | None:
        try:
            return self.job(job_id)
        except GatewayUnreachable:
            return None
        except ApiError as error:
            if error.status == _UNAVAILABLE:
                return None
            raise

    def _lines(self, path: str, headers: dict[str, str], silence: float) -> Iterator[str]:
        timeout = httpx.Timeout(silence, connect=min(silence, 5.0))
        with self._events(path, headers, timeout) as answer:
            try:
                yield from answer.iter_lines()
            except httpx.TransportError as error:
                raise GatewayUnreachable(f"the stream broke: {error or type(error).__name__}") from error


def _not_finished(job_id: UUID | str, timeout: timedelta) -> JobNotFinished:
    return JobNotFinished(f"job {job_id} did not end within {timeout}; it goes on")
