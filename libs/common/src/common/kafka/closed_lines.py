"""A known bug of aiokafka on uvloop (its issue 1038, open): a write to a line that the broker has closed.

asyncio drops such bytes with a warning, uvloop raises RuntimeError, and aiokafka expects OSError: the task of the
producer, the fetcher or the coordinator ends for good, and with it the work of the process. Here it becomes the lost
connection that it is, which all three retry. Found by the nemesis ("reset broker").
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

LOST: tuple[type[Exception], ...] = (RuntimeError,)
"""What uvloop raises for it."""

_send: Any = AIOKafkaConnection.send


def heed_closed_lines() -> None:
    """Put the translation into aiokafka's connections; once more changes nothing."""
    AIOKafkaConnection.send = _send_or_lose  # pyright: ignore[reportAttributeAccessIssue]


def _send_or_lose(connection: Any, *args: Any, **options: Any) -> Any:
    try:
        return _send(connection, *args, **options)
    except LOST as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"connection at {connection.host}:{connection.port} broken: {error}") from error
