"""What each answer of the gateway means for a run that follows a job."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from client import GatewayClient
from common.errors import InfrastructureError, PermanentError
from gateway.routes.examples import RESPONSES
from orchestration.adapters.gateway import ClientGateway
from orchestration.domain import JobState

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
    assert state == JobState("failed", counts, "EXTERNAL_API_ERROR: the source answered 503")


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
