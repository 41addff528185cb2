"""Whether the broker answers and the consumers really consume. Reads FastStream's and aiokafka's insides: pinned."""

from typing import Any

from faststream.kafka import KafkaBroker


async def broker_answers(broker: KafkaBroker) -> bool:
    return await broker.ping(timeout=1.0)


def consumes(subscriber: Any) -> bool:
    """The subscriber runs, its loops are alive, and its consumer is a member of the group."""
    tasks = list(getattr(subscriber, "tasks", ()))
    consumer = subscriber.consumer
    return bool(subscriber.running and tasks and not any(task.done() for task in tasks) and consumer is not None)
