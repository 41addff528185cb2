"""A whole system to be broken: real processes, a proxy on every line, injections by sitecustomize, the proof."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from client import GatewayClient
from client.errors import ApiError, GatewayUnreachable
from local.infrastructure import Infrastructure
from local.probes import HOST
from local.proof import listed_ids
from local.service_settings import ADMIN
from local.system import SERVICES, Options, System
from sandbox.oracle import FILE
from tests.chaos.checker import Scope, Verdict, check
from tests.chaos.proxy import Proxy

INJECT = Path(__file__).parent / "inject"
LINES = ("broker", "database", "source", "destination", "slack")
SHORT_CLOCKS = {
    "SEND_DEADLINE": "2",
    "SEND_LEASE": "4",
    "SEND_SETTLE": "6",
    "JOB_LEASE": "3",
    "STARTUP_TIMEOUT": "60",
    "WATERMARK_OVERLAP": "5",
    "SLACK_TIMEOUT": "3",
}
"""Leases of seconds, so that a run sees their end."""
_LOOK = 0.1


class World:
    """A running system behind proxies. Everything here goes past the proxies, except what the services do."""

    def __init__(
        self, system: System, client: GatewayClient, lines: Mapping[str, Proxy], injected: Path, dice: random.Random
    ) -> None:
        self.system = system
        self.infrastructure = system.infrastructure
        self.client = client
        self.lines = lines
        self.injected = injected
        self.asked: list[str] = []
        self.replicas: list[str] = []
        self._numbers = itertools.count(2)
        self.dice = dice
        self.latency = 0.0
        """Of the destination, in seconds: how fast the run is."""

    @property
    def log(self) -> Path:
        """The oracle's."""
        return self.system.oracle / FILE

    def accepted(self) -> int:
        """How many documents the destination has accepted so far."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    async def add(self, count: int) -> list[str]:
        """New documents at the source; their ids."""
        answer = await self._call("POST", "source", "/sandbox/documents", {"count": count})
        return list(answer["ids"])

    async def script(self, face: str, *rules: Mapping[str, Any], latency: float = 0.0) -> None:
        """What `source`, `destination` or `slack` does from now on."""
        await self._call("PUT", face, "/sandbox/faults", {"latency": latency, "rules": list(rules)})

    async def ask(self, ids: Sequence[str] | None = None) -> str:
        """Ask for a job until the gateway has heard it; always the same job."""
        key = f"chaos-{len(self.asked)}-{random.randrange(10**9)}"
        while True:
            try:
                started = await asyncio.to_thread(self.client.start, invoice_ids=ids, idempotency_key=key)
            except (GatewayUnreachable, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in {409, 429, 500, 502, 503, 504}:
                    raise
                await asyncio.sleep(0.5)
                continue
            self.asked.append(str(started.job_id))
            return self.asked[-1]

    async def query(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Read the database, waiting for it where it is away."""
        while True:
            try:
                connection = await asyncpg.connect(self.infrastructure.database_url, timeout=5)
                try:
                    return await connection.fetch(sql, *args, timeout=20)
                finally:
                    connection.terminate()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.3)

    async def open(self) -> int:
        """Rows and jobs that are not ended."""
        (row,) = await self.query(
            """SELECT (SELECT count(*) FROM invoices WHERE status = 'pending')
                    + (SELECT count(*) FROM jobs WHERE status IN ('pending', 'running')) AS open"""
        )
        return int(row["open"])

    async def until_accepted(self, count: int, seconds: float = 60.0) -> None:
        """Wait until the destination has accepted `count` documents."""
        async with asyncio.timeout(seconds):
            while self.accepted() < count:
                await asyncio.sleep(0.02)

    async def rest(self, seconds: float) -> bool:
        """Wait until nothing is open; False where something still is."""
        try:
            async with asyncio.timeout(seconds):
                while await self.open():
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            return False
        return True

    def pid(self, name: str) -> int | None:
        """Of a part's process now."""
        return self.infrastructure.supervisor.keeper(name).pid

    async def replaced(self, name: str, pid: int | None) -> None:
        """Wait until another process than `pid` serves as `name`."""
        while self.pid(name) in {pid, None}:
            await asyncio.sleep(0.05)
        await self.infrastructure.wait_ready(name)

    @asynccontextmanager
    async def replica(self, service: str) -> AsyncGenerator[str, None]:
        """A second process of a service; the name of its part."""
        name = f"{service}-{next(self._numbers)}"
        part = self.system.replica(service, name)
        # two members of a group with one name would throw each other out
        await self.infrastructure.supervisor.start([replace(part, env={**part.env, "CHAOS_MEMBERSHIP": ""})])
        self.replicas.append(name)
        try:
            yield name
        finally:
            self.replicas.remove(name)
            await self.infrastructure.hold(name)

    async def heal(self) -> None:
        """All lines clear, all scripts empty, everything runs, the destination as fast as it can."""
        self.latency = 0.0
        for line in self.lines.values():
            line.clear()
        for face in ("source", "destination", "slack"):
            await self.script(face)
        for name in (*self.infrastructure.names, *self.system.options.services, *self.replicas):
            await self.infrastructure.wait_ready(name)

    async def listed(self) -> frozenset[str]:
        """Everything that the source lists now."""
        return await listed_ids(self.system.url_of("sandbox-source"), self._token)

    async def judge(self, scope: Scope | None = None) -> Verdict:
        """The verdict on all that is listed, or on what is told."""
        return await check(self.infrastructure.database_url, self.log, scope or Scope(await self.listed()))

    @property
    def _token(self) -> str:
        return self.infrastructure.data.secret("sandbox-token")

    async def _call(self, method: str, face: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.system.url_of(f"sandbox-{face}"), trust_env=False) as client:
            answer = await client.request(method, path, json=body)
            return dict(answer.raise_for_status().json())


@asynccontextmanager
async def world(
    data: Path,
    *,
    sandbox: Mapping[str, str],
    env: Mapping[str, str] | None = None,
    services: Sequence[str] = SERVICES,
    dice: random.Random | None = None,
    fresh: bool = False,
) -> AsyncGenerator[World, None]:
    """Start everything but Dagster on a data directory of its own; every line of the services goes through a proxy."""
    async with AsyncExitStack() as stack:
        infrastructure = await stack.enter_async_context(
            Infrastructure(data, kafka_by_proxy=True, fresh=fresh, say=lambda _: None)
        )
        between = _between(infrastructure)
        lines = {
            name: await stack.enter_async_context(Proxy.between(port, target, dice))
            for name, (port, target) in between.items()
        }
        injected = infrastructure.data.folder("chaos")
        settings = {
            **SHORT_CLOCKS,
            **_addresses(infrastructure, {name: port for name, (port, _) in between.items()}),
            "PYTHONPATH": str(INJECT),
            "CHAOS_DIR": str(injected),
            **(env or {}),
        }
        system = System(infrastructure, Options(sandbox=sandbox, env=settings, services=services, dagster=False))
        await system.start()
        credentials = (ADMIN, system.admin_password)
        client = stack.enter_context(GatewayClient(system.gateway_url, credentials=credentials))
        yield World(system, client, lines, injected, dice or random.Random(0))


def _between(infrastructure: Infrastructure) -> dict[str, tuple[int, int]]:
    """For each line the port of its proxy and that of the real thing."""
    kafka = infrastructure.kafka_proxied
    faces = ("source", "destination", "slack")
    return {
        "broker": (kafka.advertised, kafka.listens),
        "database": (infrastructure.port("postgres-proxy"), infrastructure.port("postgres")),
        **{face: (infrastructure.port(f"{face}-proxy"), infrastructure.port(f"sandbox-{face}")) for face in faces},
    }


def _addresses(infrastructure: Infrastructure, port: Mapping[str, int]) -> dict[str, str]:
    """The services' settings, with the proxies in the places of the real things."""
    real = f":{infrastructure.port('postgres')}/"
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{port['broker']}",
        "DATABASE_URL": infrastructure.database_url.replace(real, f":{port['database']}/"),
        "SOURCE_URL": f"http://{HOST}:{port['source']}",
        "DESTINATION_URL": f"http://{HOST}:{port['destination']}",
        "SLACK_WEBHOOK_URL": f"http://{HOST}:{port['slack']}/services/sandbox",
    }
