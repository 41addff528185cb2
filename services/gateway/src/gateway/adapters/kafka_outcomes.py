"""Everything that is on `invoices.outcomes.v1` now."""

from collections.abc import AsyncGenerator, AsyncIterable
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from common.contracts.events import InvoiceOutcome
from common.contracts.topics import Topic
from common.kafka.tail import Spans, read_span, spans
from gateway.recovery.story import Heard

log = structlog.get_logger()


class KafkaOutcomes:
    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers

    async def partitions(self) -> AsyncGenerator[AsyncIterable[Heard], None]:
        """Partition by partition, up to where each ended at the start. Raises InfrastructureError."""
        for partition, span in (await spans(self._bootstrap_servers, Topic.INVOICES_OUTCOMES)).items():
            yield _records(self._bootstrap_servers, {partition: span})


async def _records(bootstrap_servers: str, wanted: Spans) -> AsyncGenerator[Heard, None]:
    async for record in read_span(bootstrap_servers, wanted):
        try:
            event = InvoiceOutcome.model_validate_json(record.value or b"")
        except ValidationError:
            log.warning("outcome_not_readable", partition=record.partition, offset=record.offset)
            continue
        yield event, datetime.fromtimestamp(record.timestamp / 1000, UTC)
