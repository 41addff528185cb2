"""What is measured: the whole system on real parts, with a source and two destinations as processes of their own.

The second destination takes what the other two loads post, so that the log of the first one stays the system's own.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from benchmarks.child import Work
from client import GatewayClient, Job
from local.infrastructure import Infrastructure
from local.part import Part
from local.probes import port_accepts
from local.processes import run_tool
from local.proof import Proof, listed_ids, prove
from local.service_settings import ADMIN
from local.supervisor import Say
from local.system import SERVICES, Options, System
from sandbox.oracle import Accepted, Oracle

SOURCE, DESTINATION, SECOND = "bench-source", "bench-destination", "bench-limit"
PRODUCT = (*SERVICES, "postgres", "kafka", "valkey")
"""The parts whose CPU is the price of an invoice."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Times in seconds. `sequential`: how many invoices the sequential design is given."""

    count: int
    warmup: int
    latency: float
    seed: int
    sequential: int


class Rig:
    def __init__(self, system: System, client: GatewayClient, sequential_url: str) -> None:
        self._system = system
        self._client = client
        self._sequential_url = sequential_url
        self.folder = system.infrastructure.data.folder("bench")

    def pids(self) -> dict[str, int]:
        """The main process of each part that runs now."""
        status = self._system.infrastructure.supervisor.status()
        return {part.name: part.pid for part in status if part.pid is not None}

    def url_of(self, part: str) -> str:
        return self._system.url_of(part)

    async def restart_services(self, env: Mapping[str, str]) -> None:
        """Stop the services, lay `env` over their settings, start them again; returns when they are ready."""
        keepers = [self._system.infrastructure.supervisor.keeper(name) for name in SERVICES]
        await asyncio.gather(*(keeper.hold() for keeper in keepers))
        for keeper in keepers:
            keeper.part = replace(keeper.part, env={**keeper.part.env, **env})
        await asyncio.gather(*(keeper.release() for keeper in keepers))

    def restarts(self) -> Mapping[str, int]:
        status = self._system.infrastructure.supervisor.status()
        return {part.name: part.restarts for part in status if part.restarts}

    def work(self, *, count: int, in_flight: int = 1) -> Work:
        """For a load of its own, on the second destination and a database of its own."""
        return Work(
            source_url=self._system.url_of(SOURCE),
            destination_url=self._system.url_of(SECOND),
            token=_token(self._system),
            count=count,
            in_flight=in_flight,
            database_url=self._sequential_url,
        )

    async def process_all(self) -> Job:
        """A job over all that is new, to its end."""
        started = await asyncio.to_thread(self._client.start)
        return await asyncio.to_thread(self._client.wait, started.job_id)

    async def grow(self, count: int) -> None:
        """Add documents to the source, and list all once so that it has made them."""
        async with httpx.AsyncClient(base_url=self._system.url_of(SOURCE), timeout=60.0) as source:
            (await source.post("/sandbox/documents", json={"count": count})).raise_for_status()
        await self._listed()

    def accepted(self) -> list[Accepted]:
        """What the system's destination accepted, oldest first."""
        return Oracle(self._oracle).accepted()

    async def prove(self) -> Proof:
        return await prove(self._system.infrastructure.database_url, self._oracle, await self._listed())

    @property
    def _oracle(self) -> Path:
        return self._system.infrastructure.data.folder(DESTINATION)

    async def _listed(self) -> frozenset[str]:
        return await listed_ids(self._system.url_of(SOURCE), _token(self._system))


@asynccontextmanager
async def rig(data: Path, workload: Workload, *, in_flight: int, say: Say) -> AsyncGenerator[Rig, None]:
    """Start everything, fresh, with a sender that has `in_flight` slots."""
    async with Infrastructure(data, fresh=True, say=say) as infrastructure:
        env = {
            "SEND_CONCURRENCY": str(in_flight),
            "SEND_ADAPTIVE": "false",
            "VALIDATION_PROFILE": "basic",
            **{
                name: f"http://127.0.0.1:{infrastructure.port(part)}"
                for name, part in (("SOURCE_URL", SOURCE), ("DESTINATION_URL", DESTINATION))
            },
        }
        # Its own sandbox only answers for Slack.
        system = System(infrastructure, Options(sandbox={"SANDBOX_COUNT": "0"}, env=env, dagster=False, traces=0.1))
        await infrastructure.supervisor.start(_sandboxes(system, workload))
        await system.start()
        sequential = await infrastructure.create_database("sequential")
        await run_tool([sys.executable, "-m", "common.db.migrate"], env={"DATABASE_URL": sequential})
        with GatewayClient(system.gateway_url, credentials=(ADMIN, system.admin_password)) as client:
            yield Rig(system, client, sequential)


def _sandboxes(system: System, workload: Workload) -> list[Part]:
    source = {
        "SANDBOX_CORPUS": "bench-1",
        "SANDBOX_WARM": "true",
        "SANDBOX_COUNT": str(workload.warmup),
        "SANDBOX_SEED": str(workload.seed),
    }
    destination = {"SANDBOX_LATENCY": str(workload.latency)}
    return [
        _sandbox(system, SOURCE, "source", source),
        _sandbox(system, DESTINATION, "destination", destination),
        _sandbox(system, SECOND, "destination", destination),
    ]


def _sandbox(system: System, name: str, face: str, env: Mapping[str, str]) -> Part:
    port = system.infrastructure.port(name)
    return Part(
        name=name,
        argv=[sys.executable, "-m", "sandbox", face],
        env={
            "SANDBOX_DATA_DIR": str(system.infrastructure.data.folder(name)),
            "SANDBOX_TOKEN": _token(system),
            f"SANDBOX_{face.upper()}_PORT": str(port),
            **env,
        },
        ready=partial(port_accepts, port),
        port=port,
    )


def _token(system: System) -> str:
    return system.infrastructure.data.secret("sandbox-token")
