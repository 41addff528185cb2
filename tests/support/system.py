"""The whole system under test: real processes, a sandbox around it, and the outside proof."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from client import GatewayClient, Job
from local.infrastructure import Infrastructure
from local.proof import Proof, listed_ids, prove
from local.service_settings import ADMIN
from local.system import SERVICES, Options, System

SHORT_CLOCKS = {
    "SEND_DEADLINE": "2",
    "SEND_LEASE": "4",
    "SEND_SETTLE": "6",
    "JOB_LEASE": "2",
    "STARTUP_TIMEOUT": "30",
}
"""Leases of seconds, so that a test sees their end."""


class Running:
    """A system with a signed-in client."""

    def __init__(self, system: System, client: GatewayClient) -> None:
        self.system = system
        self.infrastructure = system.infrastructure
        self.client = client

    async def start_job(self) -> str:
        started = await asyncio.to_thread(self.client.start)
        return str(started.job_id)

    async def finish(self, job_id: str) -> Job:
        """Follow the job to its end."""
        return await asyncio.to_thread(self.client.wait, job_id)

    async def until_sent(self, job_id: str, count: int) -> None:
        """Wait until the destination has accepted `count` documents, so that the job is in its middle."""
        log = self.system.oracle / "oracle.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < count:
            await asyncio.sleep(0.02)

    async def prove(self) -> Proof:
        token = self.infrastructure.data.secret("sandbox-token")
        listed = await listed_ids(self.system.url_of("sandbox-source"), token)
        return await prove(self.infrastructure.database_url, self.system.oracle / "oracle.jsonl", listed)


@asynccontextmanager
async def running_system(
    data: Path,
    *,
    sandbox: Mapping[str, str],
    env: Mapping[str, str] = SHORT_CLOCKS,
    services: Sequence[str] = SERVICES,
    traces: float | None = None,
) -> AsyncGenerator[Running, None]:
    """Start everything but Dagster on a data directory of its own."""
    async with Infrastructure(data, say=lambda _: None) as infrastructure:
        system = System(
            infrastructure, Options(sandbox=sandbox, env=env, services=services, dagster=False, traces=traces)
        )
        await system.start()
        with GatewayClient(system.gateway_url, credentials=(ADMIN, system.admin_password)) as client:
            yield Running(system, client)
