"""Following a job: by its events, through breaks, and without them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from client import ApiError, JobNotFinished, JobProgress
from gateway.routes.examples import RESPONSES
from tests.unit.client.test_gateway_client import JOB, TOKEN, Script, failure, job, success

EVENTS = f"/api/v1/jobs/{JOB}/events"


def event(number: int, status: str = "running", **more: Any) -> bytes:
    known = {name: RESPONSES["jobs_get"][name] for name in JobProgress.model_fields if name in RESPONSES["jobs_get"]}
    data = orjson.dumps({**known, "stages": {}, "job_id": JOB, "status": status, **more}).decode()
    return f"event: {'progress' if status == 'running' else 'end'}\ndata: {data}\nid: {number}\n\n".encode()


class Broken(httpx.SyncByteStream):
    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        raise httpx.ReadError("connection reset")


def stream(*parts: bytes, broken: bool = False) -> httpx.Response:
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    if broken:
        return httpx.Response(200, headers=headers, stream=Broken(*parts))
    return httpx.Response(200, headers=headers, content=b"".join(parts))


def watch(*answers: httpx.Response | Exception, minutes: float = 10, **options: Any) -> tuple[Script, list[str]]:
    script, seen = Script(*answers), list[str]()
    found = script.client(**options).watch(
        JOB, timeout=timedelta(minutes=minutes), on_progress=lambda progress: seen.append(progress.status)
    )
    assert found.finished
    return script, seen


def paths(script: Script) -> list[str]:
    return [request.url.path for request in script.asked]


def test_a_job_is_followed_by_its_events_and_read_whole_at_the_end() -> None:
    whole = stream(b": ping\n\n", event(3), event(4), b": ping\n\n", event(9, "completed"))
    script, seen = watch(whole, job("completed"))
    assert seen == ["running", "running", "completed"]
    assert paths(script) == [EVENTS, f"/api/v1/jobs/{JOB}"]


def test_a_stream_that_breaks_goes_on_where_it_was() -> None:
    script, seen = watch(
        stream(event(3), broken=True),
        httpx.ConnectError("refused"),
        failure(503, "SERVICE_UNAVAILABLE"),
        stream(),
        stream(event(9, "failed")),
        job("failed"),
    )
    assert seen == ["running", "failed"]
    assert [request.headers.get("Last-Event-ID") for request in script.asked[:5]] == [None, "3", "3", "3", "3"]


@pytest.mark.parametrize("answer", [failure(404, "NOT_FOUND"), failure(429, "TOO_MANY_REQUESTS")])
def test_where_there_are_no_events_the_job_is_asked_for(answer: httpx.Response) -> None:
    script, seen = watch(answer, job(), job("completed"))
    assert seen == ["running", "completed"]
    assert paths(script)[1:] == [f"/api/v1/jobs/{JOB}"] * 2


def test_a_page_of_somebody_else_is_no_stream() -> None:
    with pytest.raises(ApiError, match="NOT_AN_ENVELOPE"):
        watch(httpx.Response(200, text="<html>"), httpx.Response(200, text="<html>"))


def test_who_is_not_signed_in_is_told_so_and_credentials_sign_in_again() -> None:
    with pytest.raises(ApiError, match="UNAUTHENTICATED"):
        watch(failure(401, "UNAUTHENTICATED"))
    refused = failure(401, "UNAUTHENTICATED")
    script, _ = watch(
        refused, success(TOKEN), stream(event(9, "completed")), job("completed"), credentials=("ann", "pw")
    )
    assert paths(script)[:3] == [EVENTS, "/auth/login", EVENTS]


def test_watching_ends_in_time() -> None:
    with pytest.raises(JobNotFinished):
        watch(*[stream(event(3)) for _ in range(100)], minutes=0.1)


def test_a_job_is_cancelled_and_retried_with_a_reason() -> None:
    cancelled = {"job_id": JOB, "status": "running", "cancelled_at": None, "repeated": False, "message": "m"}
    started = {"replay_id": JOB, "total": 3, "state": "running"}
    script = Script(success(cancelled, 202), success(started, 202))
    client = script.client()
    assert not client.cancel_job(JOB, reason="r").repeated
    assert client.retry_failed(JOB, reason="r", idempotency_key="k").total == 3
    assert [request.read() for request in script.asked] == [b'{"reason":"r"}'] * 2
    assert script.asked[1].headers["Idempotency-Key"] == "k"
