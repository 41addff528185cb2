"""What each answer of the gateway means for a run that follows a job."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from client import GatewayClient
from common.errors import InfrastructureError, PermanentError
from gateway.routes.examples import RESPONSES
from orchestration.adapters.gateway import ClientGateway
from orchestration.domain.job import JobState
from orchestration.domain.preflight import Outside
from orchestration.domain.trigger import Order

JOB = UUID("0197b0d2-7e21-7000-8000-000000000001")


def gateway(*answers: httpx.Response) -> ClientGateway:
    left = list(answers)
    return ClientGateway(GatewayClient("http://gateway", transport=httpx.MockTransport(lambda _: left.pop(0))))


def job(status: str, **more: Any) -> httpx.Response:
    data = {**RESPONSES["jobs_get"], "job_id": str(JOB), "status": status, **more}
    return httpx.Response(200, json={"success": True, "data": data, "correlation_id": "c"})


def error(status: int, code: str) -> httpx.Response:
    envelope = {
        "success": False,
        "error": {"code": code, "message": "no", "details": {}},
        "correlation_id": "c",
    }
    return httpx.Response(status, json=envelope)


def test_a_finished_job_has_its_counts_and_a_failed_one_its_error() -> None:
    counts = {"total_invoices": 3, "processed": 2, "failed": 0, "duplicates": 1, "held": 0, "open": 0}
    results = {**counts, "amounts": {"sent": {"EUR": "1.00"}}}
    fault = {"code": "EXTERNAL_API_ERROR", "message": "the source answered 503", "details": {}}
    state = gateway(job("failed", results=results, error=fault)).job(JOB)
    assert state
    assert (state.status, state.counts, state.error) == (
        "failed",
        counts,
        "EXTERNAL_API_ERROR: the source answered 503",
    )
    assert (state.listed, state.amounts, state.causes) == (True, {"sent": {"EUR": "1.00"}}, {"invalid": 1})


def test_the_first_event_of_the_stream_says_how_far_a_job_is() -> None:
    event = {
        "job_id": str(JOB), "status": "running", "stages": {"fetched": 2, "sent": 1}, "dry_run": False, "error": None,
        "results": {"total_invoices": 3, "processed": 1, "open": 2, "amounts": {}}, "started_at": None,
        "listed_at": "2026-11-24T01:00:20Z", "cancelled_at": None, "completed_at": None,
    }  # fmt: skip
    stream = f"id: 7\ndata: {json.dumps(event)}\n\n"
    answer = httpx.Response(200, text=stream, headers={"Content-Type": "text/event-stream"})
    counts = {"total_invoices": 3, "processed": 1, "failed": 0, "duplicates": 0, "held": 0, "open": 2}
    assert gateway(answer).progress(JOB) == JobState("running", counts, listed=True, stages={"fetched": 2, "sent": 1})
    assert gateway(error(404, "NOT_FOUND")).progress(JOB) is None


def test_a_stream_that_ends_before_it_began_passes() -> None:
    with pytest.raises(InfrastructureError):
        gateway(httpx.Response(200, text="", headers={"Content-Type": "text/event-stream"})).progress(JOB)
    with pytest.raises(InfrastructureError):
        gateway(error(429, "TOO_MANY_STREAMS")).progress(JOB)


def answered(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": data, "correlation_id": "c"})


ALERT = {
    "id": str(JOB), "kind": "night_missing", "subject": "daily:2026-11-24", "severity": "critical", "details": {},
    "opened_at": "2026-11-24T03:00:00Z", "closed_at": None, "closed_by_people": True,
}  # fmt: skip


def test_only_the_alerts_that_are_meant_are_closed() -> None:
    asked: list[str] = []
    other = {**ALERT, "id": str(uuid4()), "subject": "daily:2026-11-23"}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return answered(ALERT) if request.method == "POST" else answered({"items": [ALERT, other], "next_cursor": None})

    made = ClientGateway(GatewayClient("http://gateway", transport=httpx.MockTransport(answer)))
    made.close_alerts("night_missing", ["daily:2026-11-24"], reason="a job has finished")
    assert asked == ["GET /api/v1/alerts", f"POST /api/v1/alerts/{JOB}/close"]


def test_a_message_without_a_next_time_is_held_for_a_digest() -> None:
    row = {
        "id": str(JOB), "channel": "email:operations", "kind": "job_finished", "attempts": 0, "error": None,
        "created_at": "2026-11-24T01:05:00Z", "sent_at": None,
    }  # fmt: skip
    later = {**row, "status": "waiting", "next_at": None}
    soon = {**row, "status": "waiting", "next_at": "2026-11-24T01:05:01Z"}
    told = gateway(answered({"items": [later, soon]})).told(JOB)
    assert [(one.status, one.over, one.reaches_somebody) for one in told] == [
        ("held", True, True),
        ("waiting", False, False),
    ]


def test_a_reason_of_many_lines_is_told_in_one() -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return answered(ALERT)

    made = ClientGateway(GatewayClient("http://gateway", transport=httpx.MockTransport(answer)))
    made.open_alert(
        "night_missing", "daily:2026-11-24", severity="critical", why="it\nwas\x00 killed" + "!" * 600, do=""
    )
    (body,) = sent
    assert body["details"]["why"].startswith("it was killed!!!")
    assert len(body["details"]["why"]) == 500
    assert "do" not in body["details"]


def test_a_dry_run_is_asked_for_by_its_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answered({**RESPONSES["jobs_process"], "job_id": str(JOB), "dry_run": True})

    made = ClientGateway(GatewayClient("http://gateway", transport=httpx.MockTransport(answer)))
    order = Order(reason="preview:2026-11-25", dry_run=True)
    assert made.dry_run(order, "preview:2026-11-25") == JOB
    (request,) = seen
    assert request.headers["Idempotency-Key"] == "preview:2026-11-25"
    assert json.loads(request.content) == {"force_processing": False, "dry_run": True, "reason": "preview:2026-11-25"}


def test_what_is_broken_paused_and_outside_is_read_from_the_status() -> None:
    at = "2026-11-24T14:55:00Z"
    breaker = {
        "destination": "clearfacts",
        "open": True,
        "why": "401",
        "opened_at": at,
        "next_probe_at": None,
        "held_until": None,
    }
    status = {
        "state": "degraded", "checked_at": at, "last_night": "", "stages": [],
        "dependencies": [{"name": n, "state": s, "milliseconds": 2} for n, s in (("kafka", "down"), ("valkey", "up"))],
        "services": [{"service": "sender", "state": "up", "connections": 1, "last_seen_at": None}],
        "lag": [{"group": "sender", "topic": "a", "records": 3}, {"group": "sender", "topic": "b", "records": None}],
        "breakers": [{**breaker, "next_probe_at": None}],
        "paused": [{"service": "sender", "administration": "0123456749", "reason": "r", "actor": "a", "at": at}],
        "outside": [{"name": "source", "service": "fetcher", "ok": True, "why": None, "checked_at": at}],
    }  # fmt: skip
    alerts = {"items": [{**ALERT, "kind": "amnesia"}, ALERT], "next_cursor": None}
    found = gateway(answered(status), answered(alerts)).standing()
    assert found.broken == {"kafka": "does not answer", "clearfacts": "left alone: 401"}
    assert (found.paused, found.lag, found.alerts) == (["sender for 0123456749"], {"sender": 3}, ["amnesia"])
    assert found.outside == [
        Outside("source", ok=True, why=None, checked_at=datetime(2026, 11, 24, 14, 55, tzinfo=UTC))
    ]


def test_a_job_that_runs_is_not_finished() -> None:
    state = gateway(job("running")).job(JOB)
    assert state
    assert not state.finished


def test_a_404_of_the_gateway_means_no_such_row_and_one_of_a_proxy_means_nothing() -> None:
    assert gateway(error(404, "NOT_FOUND")).job(JOB) is None
    with pytest.raises(InfrastructureError):
        gateway(httpx.Response(404, text="<h1>nginx</h1>")).job(JOB)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_which_settings_to_check(status: int) -> None:
    with pytest.raises(PermanentError, match="GATEWAY_PASSWORD"):
        gateway(error(status, "UNAUTHORIZED")).job(JOB)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_other_errors_pass(status: int) -> None:
    with pytest.raises(InfrastructureError):
        gateway(error(status, "LATER")).job(JOB)


def test_a_gateway_that_is_not_there_passes() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(InfrastructureError):
        ClientGateway(GatewayClient("http://gateway", transport=httpx.MockTransport(nobody))).job(JOB)
