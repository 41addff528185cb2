"""Announcements: pipelined, each acknowledged, each its own CloudEvent."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.errors import KafkaConnectionError

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka.announcing import Announcer
from common.kafka.broker import make_broker
from common.observability.tracing import correlation_id


class FakeBroker:
    """Takes records; `fails` says which publish has an ack that never comes well."""

    def __init__(self, fails: int | None = None) -> None:
        self.records: list[tuple[bytes, str, dict[str, Any]]] = []
        self.fails = fails

    async def send(
        self, topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[None]":
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fails == len(self.records):
            ack.set_exception(KafkaConnectionError("gone"))
        else:
            ack.set_result(None)
        sent = {name: text.decode() for name, text in headers}
        self.records.append((value, topic, {"key": key, "headers": sent}))
        return ack


def announcer(broker: FakeBroker) -> Announcer:
    return Announcer(make_broker("nowhere:1", client_id="test"), source="test", send=broker.send)


async def test_every_record_of_an_announcement_is_an_event_of_its_own() -> None:
    broker = FakeBroker()
    events = [InvoiceFetched(id=uuid4(), version=1) for _ in range(3)]
    correlation_id.set("correlation-1")
    await announcer(broker).announce(Topic.INVOICES_FETCHED, events)
    assert [options["key"] for _, _, options in broker.records] == [event.key for event in events]
    headers = [options["headers"] for _, _, options in broker.records]
    assert len({UUID(one["ce_id"]) for one in headers}) == 3
    assert {one["ce_type"] for one in headers} == {"be.clearfacts.invoices.fetched.v1"}
    assert {one["ce_specversion"] for one in headers} == {"1.0"}
    assert {one["correlation_id"] for one in headers} == {"correlation-1"}
    assert all(one["ce_time"].endswith("Z") for one in headers)


async def test_one_missing_ack_fails_the_announcement() -> None:
    with pytest.raises(InfrastructureError, match=r"invoices\.fetched\.v1: KafkaConnectionError"):
        await announcer(FakeBroker(fails=1)).announce(
            Topic.INVOICES_FETCHED, [InvoiceFetched(id=uuid4(), version=1) for _ in range(3)]
        )
