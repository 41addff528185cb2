"""The codes are one list: in the code, in openapi.json, on the page; and each refusal has one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from starlette.exceptions import HTTPException

from common.contracts.faults import ExternalCall, JobErrorCode
from gateway.domain.faults import ExternalApiFailed, NotAllowedNow, RequestRefused
from gateway.routes.codes import MEANINGS, OF_JOBS, ErrorCode, document
from gateway.routes.envelopes import Envelopes
from gateway.routes.faults import DEFECT, OF_REFUSAL, explain
from gateway.routes.middleware import Edge
from tests.unit.gateway.fakes import OwnedTime, World

ROOT = Path(__file__).parents[3]
ENDPOINT = "https://api.clearfacts.com/invoices"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def refusals(root: type[RequestRefused] = RequestRefused) -> Iterator[type[RequestRefused]]:
    for refusal in root.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def test_every_refusal_has_a_code() -> None:
    missing = {refusal.__name__ for refusal in refusals()} - {refusal.__name__ for refusal in OF_REFUSAL}
    assert not missing


def test_every_code_has_a_meaning_and_nothing_else_has() -> None:
    assert set(MEANINGS) == set(ErrorCode)
    assert set(OF_JOBS) == set(JobErrorCode)


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8") == document(), "run: just errors"


def test_the_description_lists_the_same_codes() -> None:
    described = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    assert set(described["components"]["schemas"]["ErrorCode"]["enum"]) == set(ErrorCode)


def test_the_page_has_a_row_for_each_code_and_no_other() -> None:
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted([*ErrorCode, *JobErrorCode])


def test_a_call_outward_that_failed_has_the_seeds_details() -> None:
    brussels = timezone(timedelta(hours=1))
    call = ExternalCall(ENDPOINT, 503, 3, datetime(2024, 1, 15, 11, 5, tzinfo=brussels))
    assert call.details == {
        "api_endpoint": ENDPOINT,
        "status_code": 503,
        "retry_count": 3,
        "next_retry_at": "2024-01-15T10:05:00Z",
    }


async def test_a_call_outward_that_failed_is_the_seeds_error() -> None:
    call = ExternalCall(ENDPOINT, 503, 3, datetime(2024, 1, 15, 10, 5, tzinfo=UTC))
    answer = await _answer(ExternalApiFailed("Failed to connect to Clearfacts API", call))
    assert answer.status_code == 502
    assert answer.headers["Retry-After"] == "Mon, 15 Jan 2024 10:05:00 GMT"
    assert answer.json()["error"] == {
        "code": "EXTERNAL_API_ERROR",
        "message": "Failed to connect to Clearfacts API",
        "details": call.details,
    }


async def test_a_call_that_nobody_repeats_names_no_time() -> None:
    answer = await _answer(ExternalApiFailed("nobody there", ExternalCall(ENDPOINT, None, 0)))
    assert "Retry-After" not in answer.headers
    assert answer.json()["error"]["details"]["next_retry_at"] is None


def test_what_no_table_knows_is_a_defect() -> None:
    assert explain(ZeroDivisionError()) is None
    assert explain(HTTPException(418)) is None
    assert (DEFECT.status, DEFECT.details) == (500, {})


def test_an_error_keeps_its_details() -> None:
    refusal = explain(NotAllowedNow("not so", {"stage": "sent"}))
    assert refusal is not None
    assert (refusal.status, refusal.details) == (409, {"stage": "sent"})


@pytest.mark.parametrize("accept", ["text/html", BROWSER, "image/png", "*/*", "application/json;q=0", "", "rubbish"])
@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/api/v1/jobs/x/y/z", "/auth", "/auth/logout/really"])
async def test_an_unknown_path_is_an_envelope_whatever_is_accepted(path: str, accept: str) -> None:
    answer = await World().http().get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "OPTIONS", "TRACE", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(method: str) -> None:
    answer = await World().http().request(method, "/auth/login", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


async def test_an_id_that_is_none_is_not_quoted() -> None:
    answer = await World().signed_in().get(f"/api/v1/jobs/{str(uuid4())[:-1]}z")
    assert answer.json()["error"]["details"]["errors"] == [
        {"field": "path.job_id", "code": "uuid_parsing", "message": "Input should be a valid UUID"}
    ]


async def _answer(error: Exception) -> httpx.Response:
    async def fail(*_: object) -> None:
        raise error

    edge = Edge(fail, envelopes=Envelopes(OwnedTime().clock()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://gateway.test") as http:
        return await http.get("/")
