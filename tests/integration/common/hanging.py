"""A service's consuming side as a process of its own, which hangs in a way that its argument names.

`python -m tests.integration.common.hanging <how> <bootstrap> [<the watchdog's bootstrap>]`; what it does is on its
standard output.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from common.contracts.dead_letters import Unreadable
from common.contracts.events import InvoiceFetched
from common.contracts.topics import Group
from common.ending import LoopGuard, end_standstill
from common.errors import InfrastructureError
from common.kafka import Announcer, Batch, Consumers, make_broker
from common.kafka.dead_letters import DeadLetters
from common.kafka.observing import Observer
from common.kafka.watchdog import Watchdog
from tests.integration.common.kafka import GROUP, TOPIC, NoStore

LIMIT = 3.0
POISON = 666
TICK = 0.4

Handle = Callable[[Batch[InvoiceFetched]], Awaitable[None]]


def say(word: str) -> None:
    print(word, flush=True)


class Parked:
    """Says what is parked, and why."""

    async def keep(self, group: Group, records: Sequence[Unreadable]) -> None:
        for record in records:
            say(f"parked by {group}: {record.value.decode()}: {record.cause}")


async def works(batch: Batch[InvoiceFetched]) -> None:
    say(f"worked {len(batch.events)}")
    await batch.acknowledge()


async def waits_for_ever(_: Batch[InvoiceFetched]) -> None:
    say("hangs")
    await asyncio.Event().wait()


async def blocks(_: Batch[InvoiceFetched]) -> None:
    say("hangs")
    time.sleep(60)  # noqa: ASYNC251 - that is the fault


async def has_no_database(_: Batch[InvoiceFetched]) -> None:
    say("waits")
    raise InfrastructureError("away")


async def is_slow(batch: Batch[InvoiceFetched]) -> None:
    await asyncio.sleep(LIMIT / 2)
    await works(batch)


async def dies_of_poison(batch: Batch[InvoiceFetched]) -> None:
    if any(event.version == POISON for event in batch.events):
        os._exit(9)
    for event in batch.events:
        say(f"worked {event.id}")
    await batch.acknowledge()


HANDLERS: dict[str, Handle] = {
    "dies": dies_of_poison,
    "handler": waits_for_ever,
    "loop": blocks,
    "declared": has_no_database,
    "slow": is_slow,
}


async def main(how: str, bootstrap: str, observed_by: str) -> None:
    broker = make_broker(bootstrap, client_id="hanging")
    store = Parked() if how == "dies" else NoStore()
    letters = DeadLetters(GROUP, store, Announcer(broker, source="test"))
    consumers = Consumers(broker, GROUP, letters, instance_id="one")  # whoever comes next need not wait for the session
    consumers.on(TOPIC, InvoiceFetched, HANDLERS.get(how, works))
    (subscription,) = consumers.subscribers
    await broker.connect()
    await broker.start()
    watchdog = Watchdog([subscription], Observer(observed_by), end_standstill, limit=LIMIT, tick=TICK)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watchdog.run())
        tasks.create_task(LoopGuard(limit=LIMIT).run())
        say("ready")
        if how == "fetching":
            await asyncio.sleep(3.0)
            await _stop_fetching(subscription.consumer)
        if how == "polling":
            await asyncio.sleep(3.0)
            for task in subscription.tasks:
                task.cancel()
            say("hangs")


async def _stop_fetching(consumer: Any) -> None:
    """As aiokafka's issue 1154 leaves it: everything seems to be there, nothing is asked for any more."""
    consumer._fetcher._fetch_task.cancel()
    say("hangs")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[-1]))
