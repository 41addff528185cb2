"""A real validator process on the real Kafka and PostgreSQL."""

import os
import signal
from asyncio import subprocess
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from common.contracts.events import InvoiceFetched, InvoiceOutcome, InvoiceValidated
from common.contracts.topics import Topic
from common.db.pool import Database
from tests.integration.fetcher.process import announce, children, heard, publish, service
from tests.integration.fetcher.world import until
from tests.integration.validator.world import insert_fetched
from tests.unit.ubl.documents import SAMPLE, Document

pytestmark = pytest.mark.stack


@dataclass
class World:
    database: Database
    url: str
    kafka: str
    log: Path

    def validator(self) -> AbstractAsyncContextManager[subprocess.Process]:
        return service("validator", self.log, DATABASE_URL=self.url, KAFKA_BOOTSTRAP_SERVERS=self.kafka)

    async def stages(self) -> dict[UUID, str]:
        return {row["id"]: row["stage"] for row in await self.database.fetch("SELECT id, stage FROM invoices")}

    async def none_fetched(self) -> bool:
        return "fetched" not in (await self.stages()).values()

    async def announced(self) -> set[UUID]:
        validated = await heard(self.kafka, Topic.INVOICES_VALIDATED)
        outcomes = await heard(self.kafka, Topic.INVOICES_OUTCOMES)
        return {InvoiceValidated.model_validate_json(value).id for value in validated} | {
            InvoiceOutcome.model_validate_json(value).id for value in outcomes
        }

    async def moves(self) -> int:
        return await self.database.fetchval("SELECT count(*) FROM invoice_events")


@pytest.fixture
def world(database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path) -> World:
    return World(database, database_url, kafka_bootstrap, tmp_path / "validator.log")


async def test_the_customers_own_sample_is_valid_and_a_bad_record_and_bad_documents_stop_nobody(world: World) -> None:
    await publish(world.kafka, Topic.INVOICES_FETCHED, b"\xff no event")
    sample = await insert_fetched(world.database, SAMPLE)
    broken = await insert_fetched(world.database, b"<Invoice")
    no_sum = await insert_fetched(world.database, Document(payable="1.00").xml())
    events = [InvoiceFetched(id=row_id, version=1) for row_id in (sample, broken, no_sum)]
    await announce(world.kafka, Topic.INVOICES_FETCHED, *events)

    async def all_announced() -> bool:
        return await world.announced() == {sample, broken, no_sum}

    async with world.validator():
        await until(world.none_fetched)
        await until(all_announced)
    assert await world.stages() == {sample: "validated", broken: "failed", no_sum: "failed"}
    assert await world.database.fetchval("SELECT reason FROM invoices WHERE id = $1", broken) == "invalid"
    letters = await world.database.fetch("SELECT value, consumer_group FROM dead_letters")
    assert [tuple(letter) for letter in letters] == [(b"\xff no event", "validator")]


async def test_a_row_whose_announcement_was_lost_is_picked_up_when_it_is_due(world: World) -> None:
    lost = await insert_fetched(world.database, SAMPLE, wake="0 s")
    later = await insert_fetched(world.database, SAMPLE)

    async def picked_up() -> bool:
        return (await world.stages())[lost] == "validated"

    async with world.validator():
        await until(picked_up)
    assert (await world.stages())[later] == "fetched"


@pytest.mark.parametrize("victim", ["worker", "service"])
async def test_killed_in_the_middle_nothing_is_lost_and_nothing_moves_twice(world: World, victim: str) -> None:
    lines = "".join(f"<cbc:Note>{n}</cbc:Note>" for n in range(20_000))  # tens of milliseconds each
    heavy = Document(head=lines).xml()
    ids = {await insert_fetched(world.database, heavy) for _ in range(40)}
    await announce(world.kafka, Topic.INVOICES_FETCHED, *(InvoiceFetched(id=row_id, version=1) for row_id in ids))

    async def started() -> bool:
        return '"event.action":"started"' in world.log.read_text()

    async def busy() -> bool:
        return any(cpu_seconds(child) > used[child] + 0.3 for child in children(process.pid))

    async def all_announced() -> bool:
        return await world.announced() == ids

    async with world.validator() as process:
        await until(started)
        used = {child: cpu_seconds(child) for child in children(process.pid)}
        await until(busy)
        assert not await world.none_fetched()
        if victim == "service":
            process.kill()
            await process.wait()
        else:
            for child in children(process.pid):
                os.kill(child, signal.SIGKILL)
            await until(world.none_fetched, seconds=60)
    async with world.validator():
        await until(world.none_fetched, seconds=60)
        await until(all_announced)
    assert set((await world.stages()).values()) == {"validated"}
    assert await world.moves() == len(ids)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
