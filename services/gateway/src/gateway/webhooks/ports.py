"""What the stories of webhooks need from outside. Each change and its audit entry are one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.access import Caller, User
from gateway.domain.webhooks import (
    Action,
    Asked,
    DeliveryDetail,
    DeliveryFilter,
    DeliverySummary,
    EndpointChange,
    EndpointReading,
    NewEndpoint,
    Queued,
    ReplayWindow,
)


class Endpoints(Protocol):
    """An id that no endpoint has raises NotFound."""

    async def all(self, *, before: UUID | None, limit: int) -> Sequence[EndpointReading]:
        """Newest first."""
        ...

    async def one(self, webhook_id: UUID) -> EndpointReading: ...

    async def create(self, new: NewEndpoint, key_id: str, asked: Asked) -> tuple[EndpointReading, bool]:
        """And whether it was there already, by its key. Raises NotAllowedNow at the most, IdempotencyKeyReused."""
        ...

    async def change(self, webhook_id: UUID, change: EndpointChange, user: User, caller: Caller) -> EndpointReading: ...

    async def act(self, webhook_id: UUID, action: Action, reason: str, user: User, caller: Caller) -> EndpointReading:
        """Asked for again it changes nothing. What is removed is shown for the last time."""
        ...

    async def rotate(
        self, webhook_id: UUID, key_id: str, until: datetime, reason: str, asked: Asked
    ) -> tuple[EndpointReading, int, bool]:
        """With the number of the new secret, and whether that was done already, by its key."""
        ...


class Deliveries(Protocol):
    async def page(
        self, webhook_id: UUID, chosen: DeliveryFilter, *, before: UUID | None, limit: int
    ) -> Sequence[DeliverySummary]:
        """Newest first. Raises NotFound."""
        ...

    async def one(self, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
        """Raises NotFound."""
        ...

    async def ping(self, webhook_id: UUID, asked: Asked) -> tuple[UUID, bool]:
        """The test delivery, and whether it was there already, by its key. Raises NotFound."""
        ...

    async def again(self, webhook_id: UUID, delivery_id: UUID, user: User, caller: Caller) -> DeliveryDetail:
        """Raises NotFound, or NotAllowedNow while it waits or the endpoint is disabled."""
        ...

    async def replay(self, webhook_id: UUID, window: ReplayWindow, asked: Asked) -> tuple[Queued, bool]:
        """And whether that was done already, by its key. Raises NotFound, NotAllowedNow."""
        ...


class Addresses(Protocol):
    def refused(self, url: str) -> str | None:
        """Why no endpoint may be there, as far as the address itself says; the rest is judged at each connection."""
        ...
