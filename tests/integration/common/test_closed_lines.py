"""Lines to the broker that are closed in the very moment of a write, and a producer that has died of something."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from common.errors import InfrastructureError
from common.kafka import Announcer, closed_lines, make_broker
from tests.integration.common.kafka import TOPIC, events

pytestmark = pytest.mark.stack
Story = Callable[[str], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Producing:
    broker: Any

    async def announce(self) -> None:
        await Announcer(self.broker, source="test").announce(TOPIC, events(1))

    @property
    def producer(self) -> Any:
        """The one that is in place at the moment."""
        return self.broker.config.producer._producer.producer

    @property
    def alive(self) -> bool:
        return not self.producer._sender.sender_task.done()

    def close_lines_at_the_next_write(self) -> None:
        """As after a reset that nobody has read yet: that lasts one turn of the loop, so the error is played."""
        for connection in self.producer.client._conns.values():
            connection._writer.write = _closed


def _closed(_: bytes) -> None:
    raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncGenerator[Producing]:
    broker = make_broker(bootstrap, client_id="producer")
    await broker.connect()
    await broker.start()
    try:
        running = Producing(broker)
        await running.announce()
        yield running
    finally:
        await broker.stop()


async def goes_on_where_its_lines_are_closed(bootstrap: str) -> None:
    async with producing(bootstrap) as one:
        first = one.producer
        for _ in range(5):
            one.close_lines_at_the_next_write()
            await one.announce()
        assert one.alive
        assert one.producer is first


async def dies_without_the_translation(bootstrap: str) -> None:
    async with producing(bootstrap) as one:
        one.close_lines_at_the_next_write()
        with pytest.raises(InfrastructureError):
            await one.announce()
        assert not one.alive


async def is_replaced_when_it_has_died(bootstrap: str) -> None:
    async with producing(bootstrap) as one:
        first = one.producer
        first._sender.sender_task.cancel()
        await asyncio.wait({first._sender.sender_task})
        await asyncio.gather(*[one.announce() for _ in range(20)])
        assert one.alive
        assert one.producer is not first


@pytest.mark.parametrize("story", [goes_on_where_its_lines_are_closed, is_replaced_when_it_has_died])
def test_a_producer(kafka_bootstrap: str, story: Story) -> None:
    uvloop.run(story(kafka_bootstrap))


def test_control_a_producer(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_lines, "LOST", ())
    uvloop.run(dies_without_the_translation(kafka_bootstrap))
