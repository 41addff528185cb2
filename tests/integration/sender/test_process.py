"""A real sender process: how it says no at its start, and how it stops in the middle of work."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from common.db.pool import Database
from local.infrastructure import Infrastructure
from sandbox.destination import Destination
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.invoices import document
from sandbox.ledger import Ledger
from sandbox.web import listening
from tests.integration.sender.rows import ready_row

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TOKEN = "s3cr3t-token"
SHORT: dict[str, str | None] = {"SEND_DEADLINE": "2", "SEND_LEASE": "4", "SEND_SETTLE": "5"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def environment(**settings: str | None) -> dict[str, str]:
    usual = {
        "HTTP_PORT": str(free_port()),
        "DESTINATION_URL": "http://127.0.0.1:9/",
        "DESTINATION_TOKEN": TOKEN,
        "STARTUP_TIMEOUT": "1",
        "PATH": os.environ["PATH"],  # noqa: TID251
    }
    return {name: value for name, value in (usual | settings).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Ended:
    code: int | None
    error: str
    output: str


async def ended(env: dict[str, str], *, module: str = "sender") -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(40):
            output, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode, error.decode(), output.decode())


def refused(end: Ended, *words: str) -> None:
    assert end.code not in {0, None}
    assert end.error.count("\n") == 1, end.error
    assert "Traceback" not in end.error + end.output
    for word in words:
        assert word in end.error
    assert TOKEN not in end.error + end.output


@pytest.fixture
def parts(database_url: str, kafka_bootstrap: str) -> dict[str, str | None]:
    return {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}


async def test_a_missing_setting_is_one_line() -> None:
    end = await ended(environment(DESTINATION_URL=None, DATABASE_URL="postgresql://u@h/d"))
    refused(end, "DESTINATION_URL is not set", "KAFKA_BOOTSTRAP_SERVERS is not set")


async def test_clocks_out_of_order_are_one_line(parts: dict[str, str | None]) -> None:
    refused(await ended(environment(**parts, SEND_LEASE="10")), "SEND_LEASE", "SEND_DEADLINE")


async def test_a_port_in_use_is_one_line(parts: dict[str, str | None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(await ended(environment(**parts, HTTP_PORT=port)), f"port {port}", "HTTP_PORT")


async def test_a_database_that_is_not_there_is_one_line(parts: dict[str, str | None]) -> None:
    nowhere = parts | {"DATABASE_URL": f"postgresql://u:{TOKEN}@127.0.0.1:{free_port()}/d"}
    refused(await ended(environment(**nowhere)), "start PostgreSQL or check DATABASE_URL")


async def test_a_wrong_password_is_one_line(parts: dict[str, str | None]) -> None:
    wrong = parts | {"DATABASE_URL": str(parts["DATABASE_URL"]).replace("@", f"{TOKEN}@")}
    refused(await ended(environment(**wrong)), "DATABASE_URL", "password")


async def test_a_broker_that_is_not_there_is_one_line(parts: dict[str, str | None]) -> None:
    nowhere = parts | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    refused(await ended(environment(**nowhere)), "start Kafka or check KAFKA_BOOTSTRAP_SERVERS")


@pytest.mark.parametrize("module", ["common.db.migrate", "common.prepare"])
@pytest.mark.parametrize(
    "url",
    [
        lambda url: url.replace("@", f"{TOKEN}@"),
        lambda url: url.rsplit("/", 1)[0] + "/no_such_database",
        lambda _: f"postgresql://u:{TOKEN}@127.0.0.1:1/d",
        lambda _: f"mysql://u:{TOKEN}@127.0.0.1/d",
    ],
    ids=["password", "database", "nowhere", "scheme"],
)
async def test_preparing_a_database_that_does_not_work_is_one_line(
    parts: dict[str, str | None], module: str, url: object
) -> None:
    assert callable(url)
    wrong = parts | {"DATABASE_URL": str(url(str(parts["DATABASE_URL"])))}
    refused(await ended(environment(**wrong), module=module), "DATABASE_URL")


async def test_stopping_a_process_that_waits_for_its_parts_does_not_take_until_it_gives_up(
    parts: dict[str, str | None],
) -> None:
    nowhere = parts | {"DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d", "STARTUP_TIMEOUT": "60"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sender", env=environment(**nowhere), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"waiting" not in await process.stdout.readline():
            pass
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(5):
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0


@dataclass(frozen=True, slots=True)
class Sender:
    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    log: Path

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def sender(folder: Path, env: dict[str, str]) -> AsyncGenerator[Sender]:
    log = folder / "sender.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sender", env=env, stdout=output, stderr=output
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{env['HTTP_PORT']}") as http:
            running = Sender(process, http, log)
            async with asyncio.timeout(40):
                while not await running.ready():
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def clearfacts(folder: Path, behaviour: Behaviour) -> AsyncGenerator[tuple[str, Ledger]]:
    ledger = Ledger(folder / "oracle.jsonl")
    destination = Destination(ledger, token=TOKEN, behaviour=behaviour)
    try:
        async with listening(destination.routes()) as url:
            yield url, ledger
    finally:
        ledger.close()


async def fill(database: Database, count: int, *, after: int = 0) -> None:
    for number in range(after, after + count):
        text = document(1, number + 1).ubl.decode()
        await ready_row(database, dossier=f"012345674{number % 3}", ubl_data=text)


async def buckets(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT stage, count(*) AS n FROM invoices GROUP BY stage")
    return {row["stage"]: row["n"] for row in rows}


@pytest.mark.timeout(120)
async def test_sigterm_in_the_middle_of_work_ends_in_time_and_leaves_nothing_unknown(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    await fill(database, 200)
    async with clearfacts(tmp_path, Behaviour(latency=0.3)) as (url, ledger):
        env = environment(**parts, DESTINATION_URL=url, SEND_CONCURRENCY="8", STARTUP_TIMEOUT="30")
        async with sender(tmp_path, env) as running:
            async with asyncio.timeout(30):
                while ledger.summary()["accepted"] < 20:
                    await asyncio.sleep(0.05)
            running.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await running.process.wait() == 0
        stages = await buckets(database)
        assert set(stages) == {"sent", "validated"}
        assert stages["sent"] == ledger.summary()["accepted"]
        assert ledger.summary()["duplicates"] == 0
        outcomes = await database.fetch("SELECT DISTINCT outcome FROM attempts")
        assert {row["outcome"] for row in outcomes} <= {"accepted", "released"}
        async with sender(
            tmp_path, environment(**parts, DESTINATION_URL=url, SEND_CONCURRENCY="64", STARTUP_TIMEOUT="30")
        ):
            async with asyncio.timeout(30):
                while (await buckets(database)) != {"sent": 200}:
                    await asyncio.sleep(0.1)
        assert ledger.summary()["accepted"] == 200


@pytest.mark.timeout(120)
async def test_a_working_sender_says_what_it_does(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    rules = (Rule(effect=Effect.REFUSE, next=2), Rule(effect=Effect.RESET_AFTER, next=1))
    await fill(database, 20)
    async with clearfacts(tmp_path, Behaviour(rules=rules)) as (url, ledger):
        env = environment(**parts, DESTINATION_URL=url, STARTUP_TIMEOUT="30")
        async with sender(tmp_path, env) as running:
            async with asyncio.timeout(30):
                while (await buckets(database)) != {"sent": 17, "failed": 2, "unknown": 1}:
                    await asyncio.sleep(0.1)
            metrics = (await running.http.get("/metrics")).text
            ready = (await running.http.get("/health/ready")).json()
            live = await running.http.get("/health/live")
    assert ledger.summary()["accepted"] == 18
    assert ready == {"status": "ok", "parts": {"postgres": "up", "kafka": "up", "consumers": "up", "memory": "up"}}
    assert live.status_code == 200
    for name in (
        "http_requests_total",
        "http_request_duration_seconds",
        "invoice_processing_total",
        "invoice_processing_duration_seconds",
        "external_api_calls_total",
        "external_api_call_duration_seconds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ):
        assert f"# TYPE {name} " in metrics
    assert 'invoice_processing_total{reason="",service="sender",stage="sent"} 17.0' in metrics
    assert 'external_api_calls_total{api="clearfacts",method="POST",outcome="201"} 17.0' in metrics
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert {line["service.name"] for line in lines} == {"sender"}
    assert TOKEN not in running.log.read_text()


@pytest.mark.timeout(180)
async def test_a_sender_outlives_its_parts_and_is_not_ready_meanwhile(
    parts: dict[str, str | None], database: Database, tmp_path: Path, infrastructure: Infrastructure
) -> None:
    async with clearfacts(tmp_path, Behaviour(latency=0.02)) as (url, ledger):
        env = environment(**parts, **SHORT, DESTINATION_URL=url, STARTUP_TIMEOUT="30", SEND_CONCURRENCY="2")
        async with sender(tmp_path, env) as running:
            for done, part in ((0, "postgres"), (60, "kafka")):
                await fill(database, 60, after=done)
                async with asyncio.timeout(30):
                    while ledger.summary()["accepted"] < done + 10:
                        await asyncio.sleep(0.02)
                await infrastructure.hold(part)
                try:
                    async with asyncio.timeout(10):
                        while await running.ready():
                            await asyncio.sleep(0.1)
                    assert (await running.http.get("/health/live")).status_code == 200
                finally:
                    await infrastructure.release(part)
                async with asyncio.timeout(60):
                    while not await running.ready():
                        await asyncio.sleep(0.1)
                    while {"validated", "sending", "unknown"} & set(await buckets(database)):
                        await asyncio.sleep(0.1)
        # A claim whose commit was not answered belongs to nobody: it runs out, and a lookup says what became of it.
        assert await buckets(database) == {"sent": 120}
        assert ledger.summary()["accepted"] == 120
        assert ledger.summary()["duplicates"] == 0


@pytest.mark.timeout(120)
async def test_kill_9_in_the_middle_of_work_needs_no_person_and_sends_nothing_twice(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    await fill(database, 150)
    rules = (Rule(effect=Effect.RESET_BEFORE, every=20), Rule(effect=Effect.RESET_AFTER, every=20))
    async with clearfacts(tmp_path, Behaviour(latency=0.1, rules=rules)) as (url, ledger):
        env = environment(**parts, **SHORT, DESTINATION_URL=url, STARTUP_TIMEOUT="30", SEND_CONCURRENCY="8")
        for after in (30, 80):
            async with sender(tmp_path, env) as running:
                async with asyncio.timeout(30):
                    while ledger.summary()["accepted"] < after:
                        await asyncio.sleep(0.02)
                running.process.kill()
        async with sender(tmp_path, env), asyncio.timeout(60):
            while (await buckets(database)) != {"sent": 150}:
                await asyncio.sleep(0.1)
    assert ledger.summary() == {"accepted": 150, "distinct_references": 150, "duplicates": 0}
    assert await database.fetch("SELECT FROM alerts") == []
    unknown = await database.fetchval("SELECT count(*) FROM invoice_events WHERE stage = 'unknown'")
    resent = await database.fetchval("SELECT count(*) FROM invoices WHERE failures > 0")
    assert unknown > resent > 0
