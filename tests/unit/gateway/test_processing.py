"""Ordering a job."""

import hashlib
import json
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from gateway.domain.orders import Order
from gateway.domain.pace import Pace
from tests.unit.gateway.contract import check_jobs
from tests.unit.gateway.fakes import NOON, FakeJobs, World, user

URL = "/api/v1/invoices/process"


async def test_an_order_is_placed_announced_and_points_at_its_job() -> None:
    world = World()
    answer = await world.signed_in().post(URL, json={"force_processing": False})
    data = answer.json()["data"]
    placed, announced = world.jobs.placed[0], world.requests.announced[0]
    assert answer.status_code == 202
    assert UUID(data["job_id"]) == placed.job_id == announced.job_id
    assert answer.headers["Location"] == f"/api/v1/jobs/{placed.job_id}"
    assert (data["status"], data["message"]) == ("pending", "Invoice processing job started")
    assert "Idempotency-Replayed" not in answer.headers


async def test_the_event_holds_all_that_the_jobs_row_needs() -> None:
    world = World()
    someone = world.users.add(user())
    body = {"force_processing": True, "invoice_ids": ["B", "A", "B"], "reason": "asked by the customer"}
    await world.signed_in(someone).post(URL, json=body, headers={"X-Correlation-ID": "follow-me-1"})
    event = world.requests.announced[0]
    assert (event.job_type, event.triggered_by, event.requested_at) == ("manual", someone.id, NOON)
    assert (event.invoice_ids, event.force_processing, event.reason) == (("B", "A"), True, "asked by the customer")
    assert event.correlation_id == "follow-me-1"


async def test_the_estimate_follows_what_jobs_took_lately() -> None:
    world = World()
    world.jobs.measured = Pace(per_second=10, typical=900, shortest=timedelta(seconds=20))
    for body, expected in (
        ({}, "2026-11-24T12:01:30Z"),
        ({"invoice_ids": [f"SRC-{number}" for number in range(300)]}, "2026-11-24T12:00:30Z"),
        ({"invoice_ids": ["SRC-1"]}, "2026-11-24T12:00:20Z"),
    ):
        data = (await world.signed_in().post(URL, json=body)).json()["data"]
        assert data["estimated_completion"] == expected


async def test_without_anything_measured_the_estimate_is_five_minutes() -> None:
    data = (await World().signed_in().post(URL, json={})).json()["data"]
    assert data["estimated_completion"] == "2026-11-24T12:05:00Z"


async def test_a_dead_broker_costs_no_order() -> None:
    world = World()
    world.requests.dead = True
    assert (await world.signed_in().post(URL, json={})).status_code == 202
    assert len(world.jobs.placed) == 1


async def repeat(http: httpx.AsyncClient, *bodies: dict[str, object], key: str = "once") -> list[httpx.Response]:
    return [await http.post(URL, json=body, headers={"Idempotency-Key": key}) for body in bodies]


async def test_the_same_key_and_body_give_the_same_answer_and_one_job() -> None:
    world = World()
    first, second = await repeat(world.signed_in(), {}, {"force_processing": False})
    assert first.json()["data"] == second.json()["data"]
    assert (second.status_code, second.headers["Idempotency-Replayed"]) == (202, "true")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(world.jobs.placed) == len(world.requests.announced) == 1


async def test_the_same_key_with_another_body_is_refused() -> None:
    _, second = await repeat(World().signed_in(), {}, {"invoice_ids": ["A"]})
    assert (second.status_code, second.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_belongs_to_its_user() -> None:
    world = World()
    for _ in range(2):
        await repeat(world.signed_in(world.users.add(user())), {})
    assert len(world.jobs.placed) == 2


async def test_a_key_that_cannot_be_printed_is_refused() -> None:
    for key in ("", "x" * 256, "caf\u00e9", "tab\there"):
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        answer = await World().signed_in().post(URL, json={}, headers=headers)
        assert answer.status_code == 422, key


async def test_the_fake_keeps_the_contract_of_jobs() -> None:
    await check_jobs(FakeJobs(), user(), user())


async def test_a_dry_run_is_placed_and_announced_to_nobody() -> None:
    world = World()
    answer = await world.signed_in().post(URL, json={"dry_run": True})
    data = answer.json()["data"]
    (placed,) = world.jobs.placed
    assert (answer.status_code, data["dry_run"], data["message"]) == (
        202,
        True,
        "Dry run started: nothing will be sent",
    )
    assert answer.headers["Location"] == f"/api/v1/jobs/{placed.job_id}"
    assert world.requests.announced == []
    with pytest.raises(AssertionError, match="never announced"):
        placed.event()


def test_the_fingerprint_of_a_real_order_is_the_one_from_before_there_were_dry_runs() -> None:
    """Else a key that was used before an upgrade would be refused after it."""
    asked = {"force_processing": False, "invoice_ids": ["A"], "reason": None}
    before = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    assert Order(invoice_ids=("A",)).fingerprint == before
    assert Order(invoice_ids=("A",), dry_run=True).fingerprint != before
