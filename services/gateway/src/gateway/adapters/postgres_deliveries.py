"""The log of deliveries in PostgreSQL, and asking for them again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.pool import Connection, Database, Row
from common.db.webhooks import MOST_AGAIN, deliver_again, deliver_one_again, deliver_ping
from gateway.adapters.conditions import Conditions
from gateway.adapters.postgres_webhooks import audit, lock_endpoint, read_endpoint
from gateway.adapters.webhook_requests import earlier, keep
from gateway.domain.access import Caller, User
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.webhooks import (
    Asked,
    Attempt,
    DeliveryDetail,
    DeliveryFilter,
    DeliverySummary,
    EndpointReading,
    Queued,
    ReplayWindow,
)

_SUMMARY = """id, event_id, type, status, attempts, invoice_id, job_id, occurred_at, created_at, wake_at AS next_at,
    finished_at, log->-1 AS last"""
_DETAIL = f"SELECT {_SUMMARY}, give_up_at, body, log FROM webhook_deliveries WHERE endpoint_id = $1 AND id = $2"


class PostgresDeliveries:
    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    async def page(
        self, webhook_id: UUID, chosen: DeliveryFilter, *, before: UUID | None, limit: int
    ) -> Sequence[DeliverySummary]:
        where = Conditions()
        where.equal("endpoint_id", webhook_id)
        where.equal("status", chosen.status)
        where.equal("type", chosen.type)
        if chosen.since is not None:
            where.add("occurred_at >= {}", chosen.since)
        if chosen.until is not None:
            where.add("occurred_at < {}", chosen.until)
        if before is not None:
            where.add("id < {}", before)
        sql = f"SELECT {_SUMMARY} FROM webhook_deliveries {where.sql} ORDER BY id DESC LIMIT {limit:d}"
        async with self._database.connection() as connection:
            await read_endpoint(connection, webhook_id)
            return [_summary(row) for row in await connection.fetch(sql, *where.values)]

    async def one(self, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
        async with self._database.connection() as connection:
            await read_endpoint(connection, webhook_id)
            return await _detail(connection, webhook_id, delivery_id)

    async def ping(self, webhook_id: UUID, asked: Asked) -> tuple[UUID, bool]:
        async with self._database.transaction() as connection:
            if (answer := await earlier(connection, asked)) is not None:
                return UUID(answer["id"]), True
            await lock_endpoint(connection, webhook_id)
            delivery = await deliver_ping(connection, webhook_id, self._clock.new_id())
            await keep(connection, asked, {"id": str(delivery)})
            await audit(connection, "ping", webhook_id, asked.user, asked.caller, {})
            return delivery, False

    async def again(self, webhook_id: UUID, delivery_id: UUID, user: User, caller: Caller) -> DeliveryDetail:
        async with self._database.transaction() as connection:
            _refuse_disabled(await lock_endpoint(connection, webhook_id))
            if not await deliver_one_again(connection, webhook_id, delivery_id):
                await _detail(connection, webhook_id, delivery_id)
                raise NotAllowedNow("It waits to be delivered already", {"status": "waiting"})
            await audit(connection, "replay", webhook_id, user, caller, {"delivery": str(delivery_id)})
            return await _detail(connection, webhook_id, delivery_id)

    async def replay(self, webhook_id: UUID, window: ReplayWindow, asked: Asked) -> tuple[Queued, bool]:
        async with self._database.transaction() as connection:
            if (answer := await earlier(connection, asked)) is not None:
                return Queued(**answer), True
            _refuse_disabled(await lock_endpoint(connection, webhook_id))
            span = (window.since, window.until)
            queued = await deliver_again(connection, webhook_id, span, also_delivered=window.also_delivered)
            found = Queued(queued, more=queued >= MOST_AGAIN)
            await keep(connection, asked, asdict(found))
            details = {"since": span[0].isoformat(), "until": span[1].isoformat(), "queued": queued,
                       "also_delivered": window.also_delivered}  # fmt: skip
            await audit(connection, "replay", webhook_id, asked.user, asked.caller, details)
            return found, False


def _refuse_disabled(endpoint: EndpointReading) -> None:
    if endpoint.state == "disabled":
        raise NotAllowedNow("The endpoint is disabled: enable it first", {"state": endpoint.state, "why": endpoint.why})


async def _detail(connection: Connection, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
    row = await connection.fetchrow(_DETAIL, webhook_id, delivery_id)
    if row is None:
        raise NotFound("delivery", str(delivery_id))
    return DeliveryDetail(_summary(row), row["give_up_at"], row["body"], [_attempt(entry) for entry in row["log"]])


def _summary(row: Row) -> DeliverySummary:
    values: dict[str, Any] = {name: row[name] for name in DeliverySummary.__slots__}
    values["last"] = _attempt(row["last"]) if row["last"] else None
    return DeliverySummary(**values)


def _attempt(entry: Mapping[str, Any]) -> Attempt:
    values: dict[str, Any] = {**entry, "at": datetime.fromisoformat(entry["at"])}
    return Attempt(**values)
