"""What is measured: the whole local system over a filled database, and bare FastAPI beside its gateway."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.reads.filling import fill
from benchmarks.reads.load import Orders, Told
from benchmarks.reads.watching import BROWSERS
from client import GatewayClient
from common.clock import SYSTEM_CLOCK
from common.db.migrate import migrate
from common.db.pool import Database, connect
from gateway.adapters.key_files import cursor_key, load_keys
from gateway.domain.cursors import Cursors
from local.infrastructure import Infrastructure
from local.part import Part
from local.probes import port_accepts
from local.processes import run_tool
from local.service_settings import ADMIN
from local.supervisor import Say
from local.system import SERVICES, Options, System

BARE = "bench-bare"
RATE = 50
"""Invoices a second of the job beside which is measured."""
OTHERS = tuple(service for service in SERVICES if service != "gateway")


@dataclass(frozen=True, slots=True)
class Stage:
    system: System
    database: Database
    client: GatewayClient
    token: str
    filled: float

    @property
    def ports(self) -> tuple[int, int]:
        """Of the gateway and of bare FastAPI."""
        return self.system.infrastructure.port("gateway"), self.system.infrastructure.port(BARE)

    @property
    def pids(self) -> tuple[int, int]:
        running = self.running
        return running["gateway"], running[BARE]

    @property
    def running(self) -> Mapping[str, int]:
        status = self.system.infrastructure.supervisor.status()
        return {part.name: part.pid for part in status if part.pid is not None}

    def cursors(self) -> Cursors:
        """As the gateway makes them."""
        return Cursors(cursor_key(load_keys(self.system.infrastructure.data.folder("jwt-keys"))))

    async def load(self, orders: Orders) -> Told:
        """By a process of its own."""
        folder = self.system.infrastructure.data.folder("bench")
        asked, answered = folder / "asked.json", folder / "answered.json"
        await asyncio.to_thread(_write_private, asked, orders.model_dump_json())
        argv = [sys.executable, "-m", "benchmarks.reads.load", str(asked), str(answered)]
        await run_tool(argv, env={"PYTHONPATH": str(ROOT)})
        return Told.model_validate_json(await asyncio.to_thread(answered.read_text, "utf-8"))

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None, None]:
        """Nothing but the gateway uses the database inside."""
        held = [*OTHERS, BARE]
        await asyncio.gather(*(self.system.infrastructure.hold(part) for part in held))
        yield
        await asyncio.gather(*(self.system.infrastructure.release(part) for part in held))


@asynccontextmanager
async def stage(data: Path, *, rows: int, seed: int, documents: int, say: Say) -> AsyncGenerator[Stage, None]:
    """`documents` wait at the source."""
    async with Infrastructure(data, fresh=True, say=say) as infrastructure:
        url = infrastructure.database_url
        await asyncio.to_thread(migrate, url)
        database = await connect(url, application="benchmark", connections=2)
        try:
            say(f"making {rows:,} invoices from seed {seed}")
            began = SYSTEM_CLOCK.monotonic()
            await fill(database, rows, seed)
            filled = round(SYSTEM_CLOCK.monotonic() - began, 1)
            system = System(infrastructure, _options(documents, seed))
            await system.start()
            await infrastructure.supervisor.start([_bare(infrastructure, url)])
            credentials = (ADMIN, system.admin_password)
            with GatewayClient(system.gateway_url, credentials=credentials) as client:
                token = await asyncio.to_thread(client.login, *credentials)
                yield Stage(system, database, client, token.access_token, filled)
        finally:
            await database.close()


def _options(documents: int, seed: int) -> Options:
    sandbox = {
        "SANDBOX_CORPUS": "bench-1",
        "SANDBOX_WARM": "true",
        "SANDBOX_COUNT": str(documents),
        "SANDBOX_SEED": str(seed),
    }
    env = {"SEND_RATE": str(RATE), "VALIDATION_PROFILE": "basic", "EVENT_STREAMS_PER_USER": str(BROWSERS)}
    return Options(sandbox=sandbox, env=env, dagster=False)


def _bare(infrastructure: Infrastructure, url: str) -> Part:
    port = infrastructure.port(BARE)
    return Part(
        name=BARE,
        argv=[sys.executable, "-m", "benchmarks.reads.bare"],
        env={"PYTHONPATH": str(ROOT), "DATABASE_URL": url, "HTTP_PORT": str(port)},
        ready=partial(port_accepts, port),
        port=port,
        after=infrastructure.names,
    )


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
