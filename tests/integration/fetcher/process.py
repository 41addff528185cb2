"""A real service process, and what the broker has heard."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from common.contracts.events import Event
from common.contracts.topics import Topic
from common.kafka import Announcer, make_broker


@asynccontextmanager
async def service(name: str, log: Path, **settings: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`python -m name`, killed at the end where it still runs; its log is shown where the test fails."""
    env = {**os.environ, "STARTUP_TIMEOUT": "20", **settings}  # noqa: TID251 - a child's environment
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", name, env=env, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
        try:
            yield process
        except BaseException:
            print(_tail(log))
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-6000:]


async def announce(kafka: str, topic: Topic, *events: Event) -> None:
    async with make_broker(kafka, client_id="test") as broker:
        await Announcer(broker, source="test").announce(topic, events)


async def publish(kafka: str, topic: Topic, value: bytes) -> None:
    async with make_broker(kafka, client_id="test") as broker:
        await Announcer(broker, source="test").publish_raw(topic, None, value, {})


async def heard(kafka: str, topic: Topic) -> list[bytes]:
    """The values of every record on the topic, from its beginning to its end of now."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = list(consumer.assignment())  # without a group: all of them, at once
        assert partitions, topic
        ends = await consumer.end_offsets(partitions)
        values: list[bytes] = []
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                values += [record.value for record in records if record.value is not None]
        return values
    finally:
        with suppress(asyncio.CancelledError):  # its own task, where that had no time to begin
            await consumer.stop()


def children(pid: int) -> list[int]:
    """The worker processes of a service: its children, but for the one that keeps track of shared resources."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
