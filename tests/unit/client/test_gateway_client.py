"""The client: envelopes in, typed answers or typed errors out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from client import ApiError, GatewayClient, GatewayUnreachable, Job, JobNotFinished, JobProgress
from gateway.routes.examples import RESPONSES

JOB = str(uuid4())


def success(data: Any, status: int = 200) -> httpx.Response:
    envelope = {"success": True, "data": data, "timestamp": "2026-11-24T12:00:00Z", "correlation_id": "cid-12345"}
    return httpx.Response(status, json=envelope)


def failure(status: int, code: str) -> httpx.Response:
    error = {"code": code, "message": "No", "details": {"why": 1}}
    envelope = {"success": False, "error": error, "timestamp": "2026-11-24T12:00:00Z", "correlation_id": "cid-12345"}
    return httpx.Response(status, json=envelope)


def job(status: str = "running", **more: Any) -> httpx.Response:
    return success({**RESPONSES["jobs_get"], "job_id": JOB, "status": status, **more})


class Script:
    """Plays answers one after the other and notes what was asked; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept = 0.0

    def client(self, **options: Any) -> GatewayClient:
        return GatewayClient(
            "http://gateway.test/",
            transport=httpx.MockTransport(self._answer),
            sleep=self._sleep,
            monotonic=lambda: self.slept,
            **options,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


TOKEN = {"access_token": "abc", "token_type": "bearer", "expires_in": 60}


def test_after_signing_in_every_call_carries_the_token() -> None:
    script = Script(success(TOKEN), job())
    with script.client() as client:
        client.login("ann", "pw")
        client.job(JOB)
    assert "Authorization" not in script.asked[0].headers
    assert script.asked[1].headers["Authorization"] == "Bearer abc"


def test_with_credentials_an_expired_token_is_replaced_once() -> None:
    script = Script(failure(401, "UNAUTHENTICATED"), success(TOKEN), job())
    assert str(script.client(token="old", credentials=("ann", "pw")).job(JOB).job_id) == JOB
    assert [request.url.path for request in script.asked] == [
        f"/api/v1/jobs/{JOB}",
        "/auth/login",
        f"/api/v1/jobs/{JOB}",
    ]
    again = Script(failure(401, "UNAUTHENTICATED"), success(TOKEN), failure(401, "UNAUTHENTICATED"))
    with pytest.raises(ApiError):
        again.client(credentials=("ann", "pw")).job(JOB)


def test_an_error_envelope_is_an_api_error_with_all_it_says() -> None:
    with pytest.raises(ApiError) as caught:
        Script(failure(422, "VALIDATION_ERROR")).client().start()
    error = caught.value
    assert (error.status, error.code, error.message) == (422, "VALIDATION_ERROR", "No")
    assert (error.details, error.correlation_id) == ({"why": 1}, "cid-12345")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"success": True}),
        httpx.Response(200, json={"success": True, "data": {"job_id": "x"}}),
        httpx.Response(302, headers={"Location": "http://elsewhere.test"}),
    ],
)
def test_an_answer_of_somebody_else_is_told_apart(answer: httpx.Response) -> None:
    with pytest.raises(ApiError) as caught:
        Script(answer).client().job(JOB)
    assert caught.value.code == "NOT_AN_ENVELOPE"


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.RemoteProtocolError("x")]
)
def test_no_answer_is_unreachable(error: Exception) -> None:
    with pytest.raises(GatewayUnreachable, match=r"no answer from http://gateway\.test"):
        Script(error).client().job(JOB)


def test_only_given_filters_are_sent() -> None:
    script = Script(success({"items": [], "next_cursor": None}))
    script.client().invoices(status="held", job_id=JOB)
    assert dict(script.asked[0].url.params) == {"status": "held", "job_id": JOB, "limit": "50"}


def test_a_start_sends_its_idempotency_key() -> None:
    started = {"job_id": JOB, "status": "pending", "estimated_completion": "2026-11-24T12:05:00Z", "message": "m"}
    script = Script(success(started, 202))
    script.client().start(invoice_ids=["A"], force_processing=True, reason="r", idempotency_key="k")
    assert script.asked[0].headers["Idempotency-Key"] == "k"
    assert script.asked[0].read() == b'{"force_processing":true,"invoice_ids":["A"],"reason":"r"}'


def wait(*answers: httpx.Response | Exception, minutes: float = 10) -> tuple[Job, list[str]]:
    seen: list[str] = []
    note: Callable[[Job | JobProgress], None] = lambda found: seen.append(found.status)  # noqa: E731
    return Script(*answers).client().wait(JOB, timeout=timedelta(minutes=minutes), on_progress=note), seen


def test_wait_follows_a_job_to_its_end_through_outages() -> None:
    job_, seen = wait(
        job("pending"), httpx.ConnectError("away"), failure(503, "SERVICE_UNAVAILABLE"), job(), job("completed")
    )
    assert (job_.status, seen) == ("completed", ["pending", "running", "completed"])


def test_wait_ends_in_time() -> None:
    with pytest.raises(JobNotFinished):
        wait(*[job() for _ in range(100)], minutes=1)


def test_wait_does_not_hide_an_error_that_stays() -> None:
    with pytest.raises(ApiError):
        wait(failure(404, "NOT_FOUND"))


def test_fields_of_a_newer_gateway_are_ignored() -> None:
    results = {**RESPONSES["jobs_get"]["results"], "total_invoices": 3, "novelty": 2}
    found = Script(job(novelty=1, results=results)).client().job(JOB)
    assert found.results.total_invoices == 3
