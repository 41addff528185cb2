"""FastStream, used the only safe way: batches, manual acks with explicit offsets, bytes in, nothing implicit."""

from common.kafka.announcing import Announcer
from common.kafka.broker import make_broker
from common.kafka.consumer import Batch, Consumers

__all__ = ["Announcer", "Batch", "Consumers", "make_broker"]
