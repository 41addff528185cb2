"""Endpoints of integrators in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from common.clock import Clock
from common.contracts.webhooks import WebhookEvent
from gateway.adapters.webhook_addresses import WebhookAddresses
from gateway.domain.access import Caller, User
from gateway.domain.cursors import Cursors
from gateway.domain.faults import IdempotencyKeyReused, NotAllowedNow, NotFound
from gateway.domain.webhooks import (
    Action,
    Asked,
    Attempt,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryState,
    DeliverySummary,
    EndpointChange,
    EndpointReading,
    EndpointState,
    NewEndpoint,
    Queued,
    ReplayWindow,
)
from gateway.webhooks.stories import ManageEndpoints, TellAgain, WebhookStories

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SIGNING_KEY = "a signing key of thirty-two letters or more"
_STATES: dict[Action, EndpointState] = {"enable": "active", "disable": "disabled"}


@dataclass
class FakeWebhooks:
    """Endpoints and deliveries; `asked` is everything that was asked for with a key."""

    rows: list[EndpointReading] = field(default_factory=list[EndpointReading])
    log: list[DeliveryDetail] = field(default_factory=list[DeliveryDetail])
    asked: dict[str, tuple[bytes, Any]] = field(default_factory=dict[str, tuple[bytes, Any]])
    windows: list[ReplayWindow] = field(default_factory=list[ReplayWindow])
    key: str | None = SIGNING_KEY
    ping_ends: DeliveryState = "delivered"

    def stories(self, clock: Clock, cursors: Cursors) -> WebhookStories:
        deliveries = FakeDeliveries(self)
        manage = ManageEndpoints(self, WebhookAddresses(()), cursors, clock, self.key)
        return WebhookStories(self, deliveries, manage, TellAgain(deliveries, cursors, clock))

    async def all(self, *, before: UUID | None, limit: int) -> Sequence[EndpointReading]:
        newest = sorted(self.rows, key=lambda row: row.id, reverse=True)
        return [row for row in newest if before is None or row.id < before][:limit]

    async def one(self, webhook_id: UUID) -> EndpointReading:
        found = next((row for row in self.rows if row.id == webhook_id), None)
        if found is None:
            raise NotFound("webhook", str(webhook_id))
        return found

    async def create(self, new: NewEndpoint, key_id: str, asked: Asked) -> tuple[EndpointReading, bool]:
        made, again = self.once(asked, lambda: endpoint(url=new.url, events=list(new.events)))
        if not again:
            self.rows.append(made)
        return made, again

    async def change(self, webhook_id: UUID, change: EndpointChange, user: User, caller: Caller) -> EndpointReading:
        before = await self.one(webhook_id)
        return self._put(before, replace(before, url=change.url or before.url))

    async def act(self, webhook_id: UUID, action: Action, reason: str, user: User, caller: Caller) -> EndpointReading:
        before = await self.one(webhook_id)
        if action == "remove":
            self.rows.remove(before)
            return before
        return self._put(before, replace(before, state=_STATES[action]))

    async def rotate(
        self, webhook_id: UUID, key_id: str, until: datetime, reason: str, asked: Asked
    ) -> tuple[EndpointReading, int, bool]:
        before = await self.one(webhook_id)
        number, again = self.once(asked, lambda: 2)
        return self._put(before, replace(before, previous_secret_until=until)), number, again

    def once(self, asked: Asked, make: Any) -> tuple[Any, bool]:
        if asked.key is None:
            return make(), False
        known = self.asked.setdefault(f"{asked.user.id}/{asked.key}", (asked.fingerprint, None))
        if known[0] != asked.fingerprint:
            raise IdempotencyKeyReused
        if known[1] is not None:
            return known[1], True
        made = make()
        self.asked[f"{asked.user.id}/{asked.key}"] = (asked.fingerprint, made)
        return made, False

    def _put(self, before: EndpointReading, after: EndpointReading) -> EndpointReading:
        self.rows[self.rows.index(before)] = after
        return after


@dataclass
class FakeDeliveries:
    of: FakeWebhooks

    async def page(
        self, webhook_id: UUID, chosen: DeliveryFilter, *, before: UUID | None, limit: int
    ) -> Sequence[DeliverySummary]:
        await self.of.one(webhook_id)
        newest = sorted((one.delivery for one in self.of.log), key=lambda one: one.id, reverse=True)
        found = [one for one in newest if chosen.status in {None, one.status} and (before is None or one.id < before)]
        return found[:limit]

    async def one(self, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
        await self.of.one(webhook_id)
        found = next((one for one in self.of.log if one.delivery.id == delivery_id), None)
        if found is None:
            raise NotFound("delivery", str(delivery_id))
        return found

    async def ping(self, webhook_id: UUID, asked: Asked) -> tuple[UUID, bool]:
        """It arrives at once."""
        await self.of.one(webhook_id)
        found, again = self.of.once(asked, uuid4)
        arrived = Attempt(NOON, 12, 200, None, "ok")
        if not again:
            self.of.log.append(delivery(id=found, type="webhook.ping", status=self.of.ping_ends, last=arrived))
        return found, again

    async def again(self, webhook_id: UUID, delivery_id: UUID, user: User, caller: Caller) -> DeliveryDetail:
        found = await self.one(webhook_id, delivery_id)
        if found.delivery.status == "waiting":
            raise NotAllowedNow("It waits to be delivered already", {"status": "waiting"})
        return found

    async def replay(self, webhook_id: UUID, window: ReplayWindow, asked: Asked) -> tuple[Queued, bool]:
        if (await self.of.one(webhook_id)).state == "disabled":
            raise NotAllowedNow("The endpoint is disabled: enable it first")
        self.of.windows.append(window)
        return self.of.once(asked, lambda: Queued(1, more=False))


def endpoint(**given: Any) -> EndpointReading:
    nothing: dict[str, Any] = dict.fromkeys(EndpointReading.__slots__)
    fields: dict[str, Any] = {
        "id": uuid4(),
        "url": "https://hooks.example.com/clearfacts",
        "description": "",
        "events": [WebhookEvent.INVOICE_SENT],
        "state": "active",
        "waiting": 0,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return EndpointReading(**nothing | fields | given)


def delivery(**given: Any) -> DeliveryDetail:
    nothing: dict[str, Any] = dict.fromkeys(DeliverySummary.__slots__)
    fields: dict[str, Any] = {
        "id": uuid4(),
        "event_id": "evt_1_4",
        "type": "invoice.sent",
        "status": "failed",
        "attempts": 3,
        "occurred_at": NOON,
        "created_at": NOON,
    }
    summary = DeliverySummary(**nothing | fields | given)
    return DeliveryDetail(summary, NOON + timedelta(days=3), "{}", [])
