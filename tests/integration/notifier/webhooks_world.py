"""Deliveries over the real PostgreSQL: endpoints, outcomes as the moves leave them, and time that passes."""

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK
from common.contracts.webhooks import WebhookEvent, key_id
from common.db.pool import Database
from notifier.adapters.webhook_posts import HttpPoster
from notifier.adapters.webhook_rows import PostgresOutbox, PostgresOutcomes
from notifier.webhooks.sending import Deliver

KEY = "a signing key of thirty-two letters or more"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
_MOVE = """
WITH moved AS (
    UPDATE invoices SET stage = $2::text, status = $2::text, version = version + 1, processed_at = now(),
        clearfacts_response = CASE WHEN $2::text = 'sent' THEN '{"uuid": "cf-1"}'::jsonb END
    WHERE id = $1 RETURNING id, version
)
INSERT INTO invoice_events (invoice_id, version, stage, actor) SELECT id, version, $2::text, 'test' FROM moved
"""
_INVOICE = """
INSERT INTO invoices (invoice_id, ubl_data, status, stage, raw_sha256) VALUES ('SRC-1', '', 'pending', 'fetched', '')
RETURNING id
"""


@dataclass
class Webhooks:
    database: Database
    poster: HttpPoster = field(default_factory=lambda: HttpPoster(LOOPBACK, timeout=timedelta(seconds=1)))
    key: str | None = KEY

    def __post_init__(self) -> None:
        self.outcomes = PostgresOutcomes(self.database)
        self.outbox = PostgresOutbox(self.database)

    def deliverer(self, lease: timedelta = timedelta(seconds=3)) -> Deliver:
        return Deliver(self.outbox, self.poster, key=self.key, lease=lease, clock=SYSTEM_CLOCK)

    async def endpoint(self, url: str, *events: WebhookEvent) -> UUID:
        wanted = [event.value for event in events or tuple(WebhookEvent)]
        return await self.database.fetchval(
            "INSERT INTO webhook_endpoints (url, events, key_id) VALUES ($1, $2, $3) RETURNING id",
            url, wanted, key_id(KEY),
        )  # fmt: skip

    async def invoice(self, *stages: str) -> UUID:
        """A row that went through these stages."""
        row: UUID = await self.database.fetchval(_INVOICE)
        await self.move(row, *stages)
        return row

    async def move(self, row: UUID, *stages: str) -> None:
        for stage in stages:
            await self.database.execute(_MOVE, row, stage)

    async def deliver(self) -> int:
        """One round over everything that is due; how many arrived."""
        deliver = self.deliverer()
        return sum([await deliver.deliver(endpoint) for endpoint in await self.outbox.due()])

    async def round(self) -> int:
        """Collect, then deliver what is due."""
        await self.outcomes.collect()
        return await self.deliver()

    async def later(self, span: timedelta) -> None:
        """Let that much time pass for deliveries and endpoints."""
        for table, columns in (
            ("webhook_deliveries", ("wake_at", "give_up_at", "created_at")),
            ("webhook_health", ("failing_since", "quiet_until")),
        ):
            shifted = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
            await self.database.execute(f"UPDATE {table} SET {shifted}", span)

    async def rows(self) -> list[dict[str, Any]]:
        found = await self.database.fetch("SELECT * FROM webhook_deliveries ORDER BY id")
        return [dict(row) for row in found]
