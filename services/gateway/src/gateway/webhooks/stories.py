"""What admins and operators do with endpoints of integrators."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from common.clock import Clock
from common.contracts.webhooks import key_id, secret_of, shown
from gateway.domain.access import Caller, User
from gateway.domain.cursors import Cursors
from gateway.domain.faults import FieldRefused, NotAllowedNow
from gateway.domain.readings import Page
from gateway.domain.webhooks import (
    LONGEST_REPLAY,
    Action,
    Asked,
    DeliveryDetail,
    DeliveryFilter,
    DeliverySummary,
    EndpointChange,
    EndpointReading,
    EndpointSecret,
    NewEndpoint,
    Queued,
    ReplayWindow,
)
from gateway.paging import read_id, read_page
from gateway.webhooks.ports import Addresses, Deliveries, Endpoints

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ManageEndpoints:
    """`key` is what secrets are made from; None where nobody set it."""

    endpoints: Endpoints
    addresses: Addresses
    cursors: Cursors
    clock: Clock
    key: str | None

    async def page(self, *, cursor: str | None, limit: int) -> Page[EndpointReading]:
        """Raises CursorInvalid."""
        return await read_page(
            self.cursors, {"list": "webhooks"}, cursor, limit,
            ask=lambda before, most: self.endpoints.all(before=before, limit=most),
            place_of=lambda one: (str(one.id),), read_place=read_id,
        )  # fmt: skip

    async def create(self, new: NewEndpoint, user: User, caller: Caller, *, key: str | None) -> EndpointSecret:
        """Raises FieldRefused for an address where none may be, NotAllowedNow, IdempotencyKeyReused."""
        signing, asked = self._signing_key(), Asked(user, caller, key, ("create", asdict(new)))
        self._refuse(new.url)
        made, again = await self.endpoints.create(new, key_id(signing), asked)
        log.info("webhook_registered", endpoint=str(made.id), again=again)
        return EndpointSecret(made, None if again else shown(secret_of(signing, made.id, 1)))

    async def change(self, webhook_id: UUID, change: EndpointChange, user: User, caller: Caller) -> EndpointReading:
        """Raises NotFound, FieldRefused."""
        if change.url is not None:
            self._refuse(change.url)
        return await self.endpoints.change(webhook_id, change, user, caller)

    async def act(self, webhook_id: UUID, action: Action, reason: str, user: User, caller: Caller) -> EndpointReading:
        """Raises NotFound."""
        log.info("webhook_changed", endpoint=str(webhook_id), action=action)
        return await self.endpoints.act(webhook_id, action, reason, user, caller)

    async def rotate(
        self, webhook_id: UUID, overlap: timedelta, reason: str, user: User, caller: Caller, *, key: str | None
    ) -> EndpointSecret:
        """A new secret; until the overlap is over both sign. Raises NotFound, NotAllowedNow, IdempotencyKeyReused."""
        signing, asked = self._signing_key(), Asked(user, caller, key, ("rotate", webhook_id, overlap, reason))
        until = self.clock.now() + overlap
        one, number, again = await self.endpoints.rotate(webhook_id, key_id(signing), until, reason, asked)
        return EndpointSecret(one, None if again else shown(secret_of(signing, webhook_id, number)))

    def _signing_key(self) -> str:
        if self.key is None:
            raise NotAllowedNow("There are no webhooks here: WEBHOOK_SIGNING_KEY is not set")
        return self.key

    def _refuse(self, url: str) -> None:
        if (why := self.addresses.refused(url)) is not None:
            raise FieldRefused("body.url", "address_refused", why)


@dataclass(frozen=True, slots=True)
class TellAgain:
    """The log of deliveries, and what of it goes again."""

    deliveries: Deliveries
    cursors: Cursors
    clock: Clock

    async def page(
        self, webhook_id: UUID, chosen: DeliveryFilter, *, cursor: str | None, limit: int
    ) -> Page[DeliverySummary]:
        """Raises NotFound, CursorInvalid."""
        bound = {"list": "webhook_log", "webhook": str(webhook_id), **asdict(chosen)}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda before, most: self.deliveries.page(webhook_id, chosen, before=before, limit=most),
            place_of=lambda one: (str(one.id),), read_place=read_id,
        )  # fmt: skip

    async def ping(self, webhook_id: UUID, user: User, caller: Caller, *, key: str | None) -> tuple[UUID, bool]:
        """Raises NotFound, IdempotencyKeyReused."""
        return await self.deliveries.ping(webhook_id, Asked(user, caller, key, ("ping", webhook_id)))

    async def one_again(self, webhook_id: UUID, delivery_id: UUID, user: User, caller: Caller) -> DeliveryDetail:
        """Raises NotFound, NotAllowedNow."""
        return await self.deliveries.again(webhook_id, delivery_id, user, caller)

    async def replay(
        self,
        webhook_id: UUID,
        since: datetime,
        until: datetime | None,
        user: User,
        caller: Caller,
        *,
        also_delivered: bool,
        key: str | None,
    ) -> tuple[Queued, bool]:
        """Raises NotFound, NotAllowedNow, FieldRefused, IdempotencyKeyReused."""
        now = self.clock.now()
        if since < now - LONGEST_REPLAY:
            raise FieldRefused("body.since", "too_old", f"A replay reaches back {LONGEST_REPLAY.days} days")
        if until is not None and until <= since:
            raise FieldRefused("body.until", "before_since", "`until` must be after `since`")
        words = ("replay", webhook_id, since, until, also_delivered)
        window = ReplayWindow(since, until or now, also_delivered)
        return await self.deliveries.replay(webhook_id, window, Asked(user, caller, key, words))


@dataclass(frozen=True, slots=True)
class WebhookStories:
    endpoints: Endpoints
    deliveries: Deliveries
    manage: ManageEndpoints
    tell_again: TellAgain
