"""Endpoints of integrators and what was delivered to them. A secret is in the answer that makes it alone."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from common.contracts.webhooks import WebhookEvent
from gateway.domain.access import Caller, User

MOST_ENDPOINTS = 50
LONGEST_REPLAY = timedelta(days=30)
"""How far back a replay reaches."""

EndpointState: TypeAlias = Literal["active", "paused", "disabled"]
DeliveryState: TypeAlias = Literal["waiting", "delivered", "failed"]
Action: TypeAlias = Literal["enable", "disable", "remove"]


@dataclass(frozen=True, slots=True)
class EndpointReading:
    """`why` it is not active: `by_admin`, `gone` (it answered 410) or `failing`. `waiting`: counted to 10,000."""

    id: UUID
    url: str
    description: str
    events: list[WebhookEvent]
    state: EndpointState
    why: Literal["by_admin", "gone", "failing"] | None
    stopped_at: datetime | None
    failing_since: datetime | None
    delivered_at: datetime | None
    waiting: int
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """`secret` is null where an earlier request with the same Idempotency-Key was answered with it."""

    endpoint: EndpointReading
    secret: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """`excerpt`: the first 200 characters of the answer, escaped."""

    at: datetime
    latency_ms: int
    response_code: int | None
    error: str | None
    excerpt: str | None


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """`attempts` since it was made or replayed; `next_at` while it waits; `last` is the latest attempt."""

    id: UUID
    event_id: str
    type: str
    status: DeliveryState
    attempts: int
    invoice_id: UUID | None
    job_id: UUID | None
    occurred_at: datetime
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None
    last: Attempt | None


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """With the body as it is sent, and the newest 20 attempts, the latest last."""

    delivery: DeliverySummary
    give_up_at: datetime
    body: str
    log: list[Attempt]


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """By when the outcome was; `since` is part of the window, `until` is not."""

    status: DeliveryState | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    url: str
    description: str
    events: Sequence[WebhookEvent]


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What is None stays as it is."""

    url: str | None = None
    description: str | None = None
    events: Sequence[WebhookEvent] | None = None


@dataclass(frozen=True, slots=True)
class ReplayWindow:
    since: datetime
    until: datetime
    also_delivered: bool


@dataclass(frozen=True, slots=True)
class Pinged:
    """The test delivery: how it goes is in the log."""

    delivery_id: UUID


@dataclass(frozen=True, slots=True)
class Queued:
    """How many deliveries wait now; `more`: the limit was reached."""

    queued: int
    more: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, once: the same key and the same words again change nothing."""

    user: User
    caller: Caller
    key: str | None
    words: Sequence[Any]

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(json.dumps(list(self.words), default=str).encode()).digest()
