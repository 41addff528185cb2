"""The trigger on a real broker."""

import subprocess
import sys
from datetime import UTC, date, datetime
from threading import Thread

import pytest
from aiokafka import AIOKafkaConsumer

from common.contracts.events import JobRequested
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from orchestration.adapters.kafka import KafkaTrigger
from orchestration.domain.trigger import daily_trigger_key, request, trace_id_of

pytestmark = pytest.mark.stack

EVENT = request(daily_trigger_key(date(2026, 11, 24)), datetime(2026, 11, 24, 1, tzinfo=UTC))

TRACE = trace_id_of("0197b0d2-7e21-7000-8000-000000000001")


def in_a_run(trigger: KafkaTrigger) -> list[str]:
    """Publish as a run of Dagster does: where no event loop runs. What was raised."""
    raised: list[str] = []

    def work() -> None:
        try:
            trigger.publish(EVENT)
        except InfrastructureError as error:
            raised.append(str(error))

    thread = Thread(target=work)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return raised


async def test_a_trigger_is_a_record_that_the_fetcher_can_read(kafka_bootstrap: str) -> None:
    consumer = AIOKafkaConsumer(
        Topic.JOBS_REQUESTED.value, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        assert in_a_run(KafkaTrigger(kafka_bootstrap, trace=TRACE)) == []
        record = await consumer.getone()
        while record.key != EVENT.key:
            record = await consumer.getone()
    finally:
        await consumer.stop()
    assert JobRequested.model_validate_json(record.value or b"") == EVENT
    headers = dict(record.headers)
    assert headers["ce_source"] == b"/clearfacts/orchestration"
    assert headers["traceparent"].startswith(f"00-{TRACE}-".encode())
    assert headers["correlation_id"] == str(EVENT.job_id).encode()


def test_a_broker_that_is_not_there_is_infrastructure() -> None:
    code = """
from tests.integration.orchestration.test_trigger import EVENT, in_a_run
from orchestration.adapters.kafka import KafkaTrigger
print(in_a_run(KafkaTrigger("127.0.0.1:1")))
"""
    # In a process of its own: FastStream drops its producer unclosed when it cannot connect, and that warns.
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert "kafka: KafkaConnectionError" in run.stdout
