"""Whether the database remembers every sending that Kafka and this process know of.

A database that was restored, or failed over, to an older state has forgotten sends: who claims from it sends twice. The
sequence alone does not show it: PostgreSQL logs it 32 numbers ahead, so a failover that lost some claims may be past
them. So the last claims that Kafka knows have to be there, each by its primary key, and the sequence past them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import orjson
import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.topics import Topic
from common.db.alerts import close_alert, open_alert
from common.db.pool import Database
from common.errors import ClearfactsError, InfrastructureError
from common.kafka.tail import Spans, read_span, spans

log = structlog.get_logger()

ALERT = "amnesia"
SUBJECT = "database"
MEMORY_CHECK = "memory"
"""The readiness check of a service that claims nothing from a database that has forgotten."""
LOOK_AGAIN = 2.0
LAST_CLAIMS = 1_000
"""How many of the last claims have to be there: more than all senders together can have open at one time."""
_FIRST_WINDOW = 2_000
_WIDEST_WINDOW = 32_000
"""Records of a partition. Ends that were never sent (invalid, duplicate) may stand between the claims."""
_LONGEST_LOOK = timedelta(seconds=20)

_REMEMBERED = """
SELECT (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM attempt_number) AS last,
    (SELECT count(*) FROM unnest($1::uuid[], $2::bigint[]) AS t(id, number) WHERE NOT EXISTS (
        SELECT FROM attempts a WHERE a.invoice_id = t.id AND a.number = t.number)) AS forgotten
"""


class KnownClaim(NamedTuple):
    number: int
    invoice: UUID


class Remembered(NamedTuple):
    """`last`: the sequence's number; `highest`: of any attempt that is known; `forgotten`: known claims not there."""

    last: int
    highest: int
    forgotten: int

    @property
    def everything(self) -> bool:
        return self.last >= self.highest and self.forgotten == 0


LastClaims = Callable[[], Awaitable[Sequence[KnownClaim]]]


def last_claims_in(bootstrap_servers: str) -> LastClaims:
    """The last claims on `invoices.outcomes.v1`. Raises InfrastructureError when they cannot be read in time."""

    async def read() -> Sequence[KnownClaim]:
        try:
            async with asyncio.timeout(_LONGEST_LOOK.total_seconds()):
                return await _last_claims(bootstrap_servers)
        except TimeoutError:
            raise InfrastructureError("kafka: the last claims could not be read in time") from None

    return read


async def _last_claims(bootstrap_servers: str) -> Sequence[KnownClaim]:
    """Each partition is read from its end, further back until it shows a claim."""
    found: set[KnownClaim] = set()
    wanted: Spans = await spans(bootstrap_servers, Topic.INVOICES_OUTCOMES)
    window = _FIRST_WINDOW
    while wanted and window <= _WIDEST_WINDOW:
        cut = {partition: (max(begin, end - window), end) for partition, (begin, end) in wanted.items()}
        telling: set[object] = set()
        async for record in read_span(bootstrap_servers, cut):
            if claim := claim_of(record.value):
                found.add(claim)
                telling.add((record.topic, record.partition))
        wanted = {
            partition: span
            for partition, span in wanted.items()
            if cut[partition][0] > span[0] and (partition.topic, partition.partition) not in telling
        }
        window *= 4
    return sorted(found, reverse=True)[:LAST_CLAIMS]


def claim_of(value: bytes | None) -> KnownClaim | None:
    """The attempt that a record tells of; None for ends that were never sent and for what is no such record."""
    try:
        content = orjson.loads(value or b"")
        return KnownClaim(int(content["attempt"]), UUID(content["id"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


async def look(database: Database, last_claims: LastClaims, *, seen: int = 0) -> Remembered:
    """Compare Kafka, and `seen` by this process, with the database. Raises InfrastructureError."""
    claims = await last_claims()
    row = await database.fetchrow(_REMEMBERED, [claim.invoice for claim in claims], [claim.number for claim in claims])
    highest = max((claim.number for claim in claims), default=0)
    return Remembered(int(row["last"]), max(highest, seen), int(row["forgotten"])) if row else Remembered(0, 0, 0)


class Memory:
    """Asked before and after every claim. Without a new connection to the database that is one comparison."""

    def __init__(self, database: Database, last_claims: LastClaims, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._last_claims = last_claims
        self._clock = clock
        self._sure_at = -1
        self._highest = 0
        self._look_at = 0.0
        self._forgetful = False
        self._looking = asyncio.Lock()

    async def sure(self) -> bool:
        """Whether it is proven, for every connection there is, that nothing is forgotten."""
        if self._sure_at == self._database.connections_made:
            return True
        async with self._looking:
            if self._sure_at == self._database.connections_made:
                return True
            if self._clock.monotonic() < self._look_at:
                return False
            return await self._look()

    async def remembers(self) -> bool:
        """For readiness: False only once it is proven that something is forgotten."""
        return not self._forgetful

    def follows(self, numbers: Iterable[int]) -> bool:
        """Whether new attempts come after all that this process has seen; if not, nothing is sure any more."""
        numbers = list(numbers)
        ok = min(numbers, default=self._highest + 1) > self._highest
        if ok:
            self._highest = max(numbers, default=self._highest)
        else:
            self._sure_at = -1
        return ok

    async def _look(self) -> bool:
        made = self._database.connections_made
        self._look_at = self._clock.monotonic() + LOOK_AGAIN
        try:
            found = await look(self._database, self._last_claims, seen=self._highest)
            await self._say(found)
        except ClearfactsError as error:
            log.warning("memory_not_compared", error=str(error))
            return False
        if found.everything:
            self._sure_at = made
            self._look_at = 0.0
        return found.everything

    async def _say(self, found: Remembered) -> None:
        """Opens the alert, or closes it; each look says it again, in case the first could not be stored."""
        async with self._database.connection() as connection:
            if found.everything:
                await close_alert(connection, ALERT, SUBJECT)
            else:
                await open_alert(connection, ALERT, SUBJECT, "critical", found._asdict())
        if not found.everything and not self._forgetful:
            log.critical(
                "database_has_forgotten_sends", **found._asdict(), do="nothing is claimed; run `clearfacts recover`"
            )
        if found.everything and self._forgetful:
            log.info("database_remembers_again", **found._asdict())
        self._forgetful = not found.everything
