"""Every answer is the seed's envelope, whatever goes wrong and wherever."""

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.errors import DatabaseTimeout, InfrastructureError
from gateway.domain.access import Role
from gateway.routes.middleware import LONGEST_BODY
from gateway.routes.schemas import ProcessRequest
from tests.unit.gateway.fakes import World, invoice, job, user

UUID_PATTERN = re.compile(r"^[0-9a-f-]{36}$")
LOGIN = {"username": "nobody", "password": "hunter2"}

Call = Callable[[World], Awaitable[httpx.Response]]


def assert_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code)
    assert body.keys() == {"success", "error", "timestamp", "correlation_id"}
    assert body["success"] is False
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["error"]["message"]
    assert isinstance(body["error"]["details"], dict)
    assert body["timestamp"].endswith("Z")
    assert body["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert answer.headers["Content-Type"] == "application/json"
    return body


async def chunks(size: int) -> AsyncGenerator[bytes]:
    for _ in range(size // 65_536 + 1):
        yield b"x" * 65_536


async def exhausted(world: World) -> httpx.Response:
    http = world.http()
    for _ in range(10):
        await http.post("/auth/login", json=LOGIN)
    return await http.post("/auth/login", json=LOGIN)


def broken_by(error: Exception) -> Call:
    async def call(world: World) -> httpx.Response:
        world.jobs.broken = error
        return await world.signed_in().get(f"/api/v1/jobs/{uuid4()}")

    return call


JSON = {"Content-Type": "application/json"}
ERRORS: dict[str, tuple[Call, int, str]] = {
    "no json": (lambda w: w.http().post("/auth/login", content=b"{", headers=JSON), 400, "BAD_REQUEST"),
    "no utf-8": (lambda w: w.http().post("/auth/login", content=b'{"\xff":1}', headers=JSON), 400, "BAD_REQUEST"),
    "nested": (lambda w: w.http().post("/auth/login", content=b"[" * 100_000, headers=JSON), 400, "BAD_REQUEST"),
    "cursor": (lambda w: w.signed_in().get("/api/v1/jobs?cursor=abc"), 400, "CURSOR_INVALID"),
    "wrong password": (lambda w: w.http().post("/auth/login", json=LOGIN), 401, "INVALID_CREDENTIALS"),
    "no token": (lambda w: w.http().get("/api/v1/jobs"), 401, "UNAUTHENTICATED"),
    "role": (
        lambda w: w.signed_in(w.users.add(user(Role.USER))).post("/api/v1/invoices/process", json={}),
        403,
        "FORBIDDEN",
    ),
    "no such path": (lambda w: w.signed_in().get("/api/v1/nothing"), 404, "NOT_FOUND"),
    "slash too many": (lambda w: w.signed_in().get("/api/v1/jobs/"), 404, "NOT_FOUND"),
    "no such job": (lambda w: w.signed_in().get(f"/api/v1/jobs/{uuid4()}"), 404, "NOT_FOUND"),
    "no such invoice": (lambda w: w.signed_in().get(f"/api/v1/invoices/{uuid4()}"), 404, "NOT_FOUND"),
    "method": (lambda w: w.signed_in().delete("/api/v1/jobs"), 405, "METHOD_NOT_ALLOWED"),
    "too large": (
        lambda w: w.http().post("/auth/login", content=b"x" * (LONGEST_BODY + 1), headers=JSON),
        413,
        "PAYLOAD_TOO_LARGE",
    ),
    "too large in pieces": (
        lambda w: w.http().post("/auth/login", content=chunks(LONGEST_BODY), headers=JSON),
        413,
        "PAYLOAD_TOO_LARGE",
    ),
    "media type": (
        lambda w: w.http().post("/auth/login", content=b"{}", headers={"Content-Type": "text/plain"}),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "no id": (lambda w: w.signed_in().get("/api/v1/jobs/x"), 422, "VALIDATION_ERROR"),
    "unknown filter": (lambda w: w.signed_in().get("/api/v1/jobs?stauts=failed"), 422, "VALIDATION_ERROR"),
    "throttled": (exhausted, 429, "TOO_MANY_REQUESTS"),
    "defect": (broken_by(ZeroDivisionError("secret detail")), 500, "INTERNAL_ERROR"),
    "no database": (broken_by(InfrastructureError("database: gone")), 503, "SERVICE_UNAVAILABLE"),
    "slow database": (broken_by(DatabaseTimeout("57014")), 503, "SERVICE_UNAVAILABLE"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_every_kind_of_error_is_an_error_envelope(name: str) -> None:
    call, status, code = ERRORS[name]
    assert_error(await call(World()), status, code)


async def test_a_defect_is_logged_and_tells_the_caller_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    answer = await ERRORS["defect"][0](World())
    assert "secret detail" not in answer.text
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_an_unavailable_part_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    answer = await ERRORS["no database"][0](World())
    written = capsys.readouterr().out
    assert answer.headers["Retry-After"].isdecimal()
    assert "unavailable" in written
    assert "Traceback" not in written


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = await ERRORS["method"][0](World())
    assert answer.headers["Allow"] == "GET"


async def test_a_throttled_caller_is_told_when_to_come_back() -> None:
    answer = await exhausted(World())
    assert 1 <= int(answer.headers["Retry-After"]) <= 900


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [(None, "Bearer"), ("Bearer nonsense", 'Bearer error="invalid_token"'), ("Basic YTpi", "Bearer")],
)
async def test_an_unauthenticated_caller_is_challenged(authorization: str | None, challenge: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = await World().http().get("/api/v1/auth/me", headers=headers)
    assert answer.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize("password", [9_876_543_210, ["hunter2"], "h" * 2000])
async def test_a_refused_body_is_never_repeated(password: Any) -> None:
    body = {"username": "somebody", "password": password, "hunter2": 1}
    answer = await World().http().post("/auth/login", json=body)
    body = assert_error(answer, 422, "VALIDATION_ERROR")
    assert all(error.keys() == {"field", "code", "message"} for error in body["error"]["details"]["errors"])
    assert str(password) not in answer.text


async def test_many_mistakes_make_a_short_answer() -> None:
    answer = await World().signed_in().post("/api/v1/invoices/process", json={f"{'x' * 500}{n}": 1 for n in range(500)})
    assert len(answer.text) < 20_000


async def test_success_is_the_seeds_envelope() -> None:
    world = World()
    world.jobs.rows.append(found := job())
    body = (await world.signed_in().get(f"/api/v1/jobs/{found.job_id}")).json()
    assert body.keys() == {"success", "data", "timestamp", "correlation_id"}
    assert body["success"] is True
    assert body["timestamp"] == "2026-11-24T12:00:00Z"
    assert UUID_PATTERN.match(body["correlation_id"])


async def test_a_callers_correlation_id_is_kept() -> None:
    answer = await World().http().get("/nothing", headers={"X-Correlation-ID": "trace-me_12345"})
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"] == "trace-me_12345"


@pytest.mark.parametrize("forged", ["short", "x" * 65, "two words here", 'quote"quote"', "semi;colon;semi"])
async def test_a_correlation_id_that_could_do_harm_is_replaced(forged: str) -> None:
    answer = await World().http().get("/nothing", headers={"X-Correlation-ID": forged})
    assert UUID_PATTERN.match(answer.headers["X-Correlation-ID"])


async def test_answers_of_the_api_are_not_stored_and_all_carry_security_headers() -> None:
    answer = await World().signed_in().get("/api/v1/jobs")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


async def test_a_gateway_behind_tls_says_so() -> None:
    answer = await World(behind_tls=True).http().get("/health/live")
    assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_a_job_has_exactly_the_seeds_fields_and_ours() -> None:
    world = World()
    world.jobs.rows.append(found := job())
    data = (await world.signed_in().get(f"/api/v1/jobs/{found.job_id}")).json()["data"]
    seed = {"job_id", "status", "started_at", "completed_at", "duration_seconds", "results", "errors"}
    assert seed <= data.keys()
    assert {"total_invoices", "processed", "failed", "duplicates"} <= data["results"].keys()
    assert (data["started_at"], data["duration_seconds"]) == ("2026-11-24T12:00:00Z", 300)


async def test_an_invoice_is_shown_without_its_document() -> None:
    world = World()
    world.invoices.rows.append(found := invoice())
    data = (await world.signed_in().get(f"/api/v1/invoices/{found.id}")).json()["data"]
    assert not {"ubl_data", "raw"} & data.keys()


async def test_pages_follow_each_other_without_gaps_or_repeats() -> None:
    world = World()
    world.jobs.rows = [job(created_at=job().created_at + timedelta(seconds=n // 2)) for n in range(7)]
    http, cursor, seen = world.signed_in(), None, []
    for _ in range(4):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        data = (await http.get("/api/v1/jobs", params=query)).json()["data"]
        seen += [item["job_id"] for item in data["items"]]
        cursor = data["next_cursor"]
    assert cursor is None
    assert len(seen) == len(set(seen)) == 7


async def test_a_cursor_is_bound_to_its_filters_and_its_list() -> None:
    world = World()
    world.jobs.rows = [job(), job()]
    http = world.signed_in()
    cursor = (await http.get("/api/v1/jobs?limit=1&status=completed")).json()["data"]["next_cursor"]
    for path in ("/api/v1/jobs?limit=1", "/api/v1/jobs?status=failed", "/api/v1/invoices?limit=1"):
        assert_error(await http.get(path, params={"cursor": cursor}), 400, "CURSOR_INVALID")


@pytest.mark.parametrize(
    "body",
    [
        {"force_processing": True},
        {"force_processing": True, "invoice_ids": ["A"]},
        {"force_processing": True, "reason": "because"},
        {"force_processing": "yes"},
        {"invoice_ids": []},
        {"invoice_ids": [""]},
        {"invoice_ids": ["x" * 256]},
        {"invoice_ids": ["a\nb"]},
        {"invoice_ids": ["a,b"]},
        {"invoice_ids": ["a\u0000b"]},
        {"invoice_ids": ["A"] * 1001},
        {"invoice_ids": "A"},
        {"reason": ""},
        {"forse": True},
        [],
        None,
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(body: Any) -> None:
    world = World()
    assert_error(await world.signed_in().post("/api/v1/invoices/process", json=body), 422, "VALIDATION_ERROR")
    assert world.jobs.placed == []


def test_the_largest_order_fits_into_the_largest_body() -> None:
    largest = ProcessRequest(invoice_ids=[f"{n:04}" + "\u20ac" * 251 for n in range(1000)])
    assert len(largest.model_dump_json().encode()) < LONGEST_BODY


async def test_a_lone_surrogate_is_a_mistake_and_no_defect(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    content = b'{"invoice_ids":["\\ud800"]}'
    answer = await World().signed_in().post("/api/v1/invoices/process", content=content, headers=JSON)
    assert_error(answer, 422, "VALIDATION_ERROR")


async def test_a_parameter_that_is_given_twice_is_refused_and_not_halved() -> None:
    world = World()
    http = world.signed_in(world.users.add(user()))
    answer = await http.get("/api/v1/jobs?status=failed&limit=5&status=running")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["errors"] == [
        {"field": "query.status", "code": "repeated", "message": "Give this parameter once"}
    ]
    assert (await http.get("/api/v1/jobs?status=failed&limit=5")).status_code == 200
    assert (await world.http().get("/api/v1/jobs?limit=1&limit=2")).status_code == 401
