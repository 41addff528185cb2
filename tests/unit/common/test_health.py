"""Readiness asks what a request needs, liveness only this process's own loop."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from common.clock import Clock
from common.health import LATE_AFTER, Check, Health


async def up() -> bool:
    return True


async def down() -> bool:
    return False


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


class Desk:
    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.seconds = 0.0
        self.health = Health(checks, clock=Clock(monotonic=lambda: self.seconds))

    @asynccontextmanager
    async def http(self) -> AsyncGenerator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(Starlette(routes=list(self.health.routes())))
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
            yield client


async def test_it_is_ready_when_every_part_is_up() -> None:
    async with Desk({"postgres": up, "kafka": up}).http() as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "parts": {"postgres": "up", "kafka": "up"}},
    )


async def test_one_part_that_is_down_makes_it_not_ready_and_is_named() -> None:
    async with Desk({"postgres": down, "kafka": up}).http() as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "unavailable", "parts": {"postgres": "down", "kafka": "up"}},
    )


async def test_a_part_that_does_not_answer_is_down() -> None:
    assert await Desk({"kafka": hangs, "postgres": up}).health.readiness() == {"kafka": "down", "postgres": "up"}


async def test_a_process_that_is_stopping_takes_no_more_requests_but_is_alive() -> None:
    desk = Desk({"postgres": up})
    desk.health.draining = True
    async with desk.http() as http:
        assert (await http.get("/health/ready")).status_code == 503
        assert (await http.get("/health/live")).status_code == 200


async def test_liveness_does_not_depend_on_others() -> None:
    async with Desk({"postgres": down, "kafka": hangs}).http() as http:
        assert (await http.get("/health/live")).status_code == 200


async def test_a_loop_that_no_longer_beats_is_not_alive() -> None:
    desk = Desk({})
    async with asyncio.TaskGroup() as tasks:
        beat = tasks.create_task(desk.health.beat())
        await asyncio.sleep(0)
        desk.seconds = LATE_AFTER - 0.01
        assert desk.health.alive()
        desk.seconds = LATE_AFTER
        assert not desk.health.alive()
        beat.cancel()


async def test_the_metrics_of_the_contract_are_served() -> None:
    async with Desk({}).http() as http:
        text = (await http.get("/metrics")).text
    for name in ("http_requests_total", "invoice_processing_total", "external_api_calls_total"):
        assert f"# TYPE {name} counter" in text
    for name in (
        "http_request_duration_seconds",
        "invoice_processing_duration_seconds",
        "external_api_call_duration_seconds",
    ):
        assert f"# TYPE {name} histogram" in text
