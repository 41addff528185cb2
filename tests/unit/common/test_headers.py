"""The headers that records have are those that `docs/events.md` describes."""

from collections.abc import Sequence
from uuid import uuid4

from common.contracts.dead_letters import Unreadable
from common.contracts.describe import HEADERS, LETTER_HEADERS
from common.contracts.events import InvoiceFetched
from common.contracts.topics import MAX_RECORD_BYTES, Group, Topic
from common.kafka.dead_letters import DeadLetters
from common.observability.tracing import correlation_id
from tests.unit.common.test_announcing import FakeBroker, announcer


class NoStore:
    async def keep(self, group: Group, records: Sequence[Unreadable]) -> None:
        pass


async def test_an_event_has_the_headers_that_are_described() -> None:
    broker = FakeBroker()
    correlation_id.set("correlation-1")
    await announcer(broker).announce(Topic.INVOICES_FETCHED, [InvoiceFetched(id=uuid4(), version=1)])
    assert set(broker.records[0][2]["headers"]) == set(HEADERS)


async def test_a_dead_letter_has_its_own_headers_and_those_that_are_described() -> None:
    broker = FakeBroker()
    small, large = (Unreadable("t", 0, 1, None, b"x" * size, {"own": "1"}, "why") for size in (1, MAX_RECORD_BYTES))
    await DeadLetters(Group.SENDER, NoStore(), announcer(broker)).park([small, large])
    kept, cut = (set(options["headers"]) for _, _, options in broker.records)
    assert kept | cut == {*LETTER_HEADERS, "own"}
    assert cut - kept == {"x-omitted"}
