"""A real gateway process on the real parts, spoken to by the real client and command line."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from client import ApiError, GatewayClient, GatewayUnreachable, SystemStatus
from common.contracts.events import JobRequested
from common.contracts.topics import Topic
from common.db.pool import Database
from common.observability.tracing import parse_traceparent
from local.infrastructure import Infrastructure
from sandbox.web import Hang, listen
from tests.integration.gateway.streams import finish

pytestmark = pytest.mark.stack

PASSWORD = "the admin's password"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def environment(folder: Path, port: int, **settings: str) -> dict[str, str]:
    usual = {
        "HTTP_PORT": str(port),
        "JWT_KEYS_DIR": str(folder / "keys"),
        "BOOTSTRAP_ADMIN_USERNAME": "admin",
        "BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        "STARTUP_TIMEOUT": "5",
    }
    return {**os.environ, **usual, **settings}  # noqa: TID251


@asynccontextmanager
async def gateway(folder: Path, **settings: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, GatewayClient]]:
    """A process that is ready, and a client with the admin's credentials; killed at the end where it still runs."""
    port = free_port()
    with (folder / "log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", env=environment(folder, port, **settings), stdout=output
        )
    client = GatewayClient(f"http://127.0.0.1:{port}", credentials=("admin", PASSWORD))
    try:
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(is_ready, client):
                assert process.returncode is None, "it did not start"
                await asyncio.sleep(0.05)
        yield process, client
    finally:
        client.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


def is_ready(client: GatewayClient) -> bool:
    try:
        return bool(client.health()["status"] == "ok")
    except GatewayUnreachable:
        return False


async def first_request(bootstrap: str) -> ConsumerRecord[bytes | None, bytes | None]:
    consumer: Any = AIOKafkaConsumer(
        Topic.JOBS_REQUESTED.value, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            return await consumer.getone()
    finally:
        await consumer.stop()


async def test_an_order_reaches_kafka_under_the_callers_correlation_id_and_trace_though_nobody_takes_its_spans(
    database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    silent = await listen(lambda _: Hang())
    receiver = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.port}"}
    settings = {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, **receiver}
    async with gateway(tmp_path, **settings) as (process, client):
        started = await asyncio.to_thread(client.start, invoice_ids=["A"], reason="for the test")
        job = await asyncio.to_thread(client.job, started.job_id)
        record = await first_request(kafka_bootstrap)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    silent.stop()
    assert record.value is not None
    event = JobRequested.model_validate_json(record.value)
    assert (record.key, event.job_id, event.invoice_ids) == (str(started.job_id).encode(), started.job_id, ("A",))
    assert dict(record.headers)["correlation_id"].decode() == event.correlation_id == job.correlation_id
    assert parse_traceparent(dict(record.headers)["traceparent"].decode()) == job.trace_id is not None
    assert (job.status, job.job_type, job.results.total_invoices) == ("pending", "manual", 0)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert PASSWORD not in log
    assert str(event.correlation_id) in log


async def test_a_gateway_that_stops_lets_those_go_who_watch_and_the_next_one_goes_on(
    database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    async with gateway(tmp_path, **settings) as (process, client):
        started = await asyncio.to_thread(client.start)
        stream = client.job_events(started.job_id)
        number, progress = await asyncio.to_thread(next, stream)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(list, stream) == []
        assert await asyncio.wait_for(process.wait(), 10) == 0
    await finish(database, started.job_id)
    async with gateway(tmp_path, **settings) as (_, client):
        rest = await asyncio.to_thread(lambda: list(client.job_events(started.job_id, seen=number)))
        job = await asyncio.to_thread(client.watch, started.job_id)
    assert (progress.status, [event.status for _, event in rest]) == ("pending", ["completed"])
    assert (job.status, rest[0][0] > number) == ("completed", True)


async def test_without_kafka_and_valkey_orders_and_sign_ins_still_go_through(
    infrastructure: Infrastructure, database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "REDIS_URL": infrastructure.redis_url,
    }
    async with gateway(tmp_path, **settings) as (_, client):
        await infrastructure.hold("kafka")
        await infrastructure.hold("valkey")
        try:
            started = await asyncio.to_thread(client.start)
            health = await asyncio.to_thread(client.health)
        finally:
            await infrastructure.release("valkey")
            await infrastructure.release("kafka")
            await infrastructure.wait_ready("valkey")
            await infrastructure.wait_ready("kafka")
    assert await database.fetchval("SELECT wake_at IS NOT NULL FROM jobs WHERE id = $1", started.job_id)
    assert health["parts"]["kafka"] == "down"


async def test_the_status_knows_the_real_parts_and_which_of_them_is_away(
    infrastructure: Infrastructure, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "REDIS_URL": infrastructure.redis_url,
    }
    async with gateway(tmp_path, **settings) as (_, client):
        # a new broker has no coordinators yet
        found = await status_where(client, lambda one: all(lag.records is not None for lag in one.lag))
        assert [(one.name, one.state) for one in found.dependencies] == [
            ("postgres", "up"), ("kafka", "up"), ("valkey", "up"),
        ]  # fmt: skip
        assert {one.service for one in found.services if one.state == "up"} == {"gateway"}
        await infrastructure.hold("valkey")
        try:
            await status_where(client, lambda one: [part.state for part in one.dependencies] == ["up", "up", "down"])
        finally:
            await infrastructure.release("valkey")
            await infrastructure.wait_ready("valkey")


async def status_where(client: GatewayClient, true: Callable[[SystemStatus], bool]) -> SystemStatus:
    async with asyncio.timeout(30):
        while not true(found := await asyncio.to_thread(client.system_status)):
            await asyncio.sleep(0.5)  # an answer is kept for two seconds
    return found


async def test_two_replicas_accept_each_others_tokens(database_url: str, kafka_bootstrap: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    async with gateway(tmp_path, **settings) as (_, one), gateway(tmp_path, **settings) as (_, two):
        token = await asyncio.to_thread(one.login, "admin", PASSWORD)
        two._token, two._credentials = token.access_token, None  # pyright: ignore[reportPrivateUsage]
        assert (await asyncio.to_thread(two.me)).role == "admin"


async def test_a_wrong_password_is_an_error_of_the_api(database_url: str, kafka_bootstrap: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    async with gateway(tmp_path, **settings) as (_, client):
        with pytest.raises(ApiError) as refused:
            await asyncio.to_thread(client.login, "admin", "wrong")
    assert (refused.value.status, refused.value.code, refused.value.details) == (401, "INVALID_CREDENTIALS", {})
    assert refused.value.correlation_id


@pytest.mark.parametrize(
    ("settings", "code", "line"),
    [
        ({"DATABASE_URL": ""}, 2, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "postgresql://app:x@127.0.0.1:1/x"}, 1, "start PostgreSQL or check DATABASE_URL"),
        ({"BOOTSTRAP_ADMIN_PASSWORD": ""}, 2, "set both BOOTSTRAP_ADMIN_USERNAME and BOOTSTRAP_ADMIN_PASSWORD"),
        ({"ENVIRONMENT": "production", "BOOTSTRAP_ADMIN_PASSWORD": "short"}, 2, "needs 12 characters or more"),
        ({"JWT_KEYS_DIR": "/proc/nothing"}, 2, "JWT_KEYS_DIR: cannot use"),
    ],
)
async def test_a_gateway_that_cannot_start_says_why_in_one_line(
    database_url: str, kafka_bootstrap: str, tmp_path: Path, settings: dict[str, str], code: int, line: str
) -> None:
    usual = {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "STARTUP_TIMEOUT": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=environment(tmp_path, free_port(), **usual | settings),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == code
    assert line in stderr.decode()
    assert stderr.count(b"\n") == 1, stderr.decode()
