"""The broker object, with the settings that keep records safe (each default that loses data is overridden here)."""

from dataclasses import replace
from typing import Any

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from common.contracts.topics import MAX_RECORD_BYTES
from common.kafka.closed_lines import heed_closed_lines

REQUEST_TIMEOUT_MS = 10_000


def make_broker(bootstrap_servers: str, *, client_id: str, graceful_timeout: float = 20.0) -> KafkaBroker:
    """A broker with acks=all and without the idempotent producer.

    Consumers bear duplicates (every handler is a compare-and-set); the idempotent producer's sequence gap after a
    failed batch wedges a partition until the process restarts, which is the worse trade (ADR 0003).
    """
    heed_closed_lines()
    return KafkaBroker(
        bootstrap_servers,
        client_id=client_id,
        acks="all",
        enable_idempotence=False,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        allow_auto_create_topics=False,
        apply_types=False,
        parser=tolerant_parser,
        decoder=raw_decoder,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=graceful_timeout,
        logger=None,
    )


async def tolerant_parser(message: Any, original: Any) -> Any:
    """Parse with headers that always decode: one header that is not UTF-8 would make the whole batch vanish."""
    cleaned = tuple(map(_clean, message)) if isinstance(message, tuple) else _clean(message)
    return await original(cleaned)


async def raw_decoder(message: Any) -> Any:
    """Leave the values as bytes: records are decoded one by one, so that a bad one does not fail its batch."""
    raw = message.raw_message
    return [record.value for record in raw] if isinstance(raw, tuple) else raw.value


def _clean(record: ConsumerRecord[Any, Any]) -> ConsumerRecord[Any, Any]:
    if all(_is_text(value) for _, value in record.headers or ()):
        return record
    headers = tuple((name, (value or b"").decode("utf-8", "replace").encode()) for name, value in record.headers)
    return replace(record, headers=headers)


def _is_text(value: bytes | None) -> bool:
    if value is None:
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
