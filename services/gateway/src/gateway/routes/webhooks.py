"""Webhooks: where integrators are told, and what they were told."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response

from gateway.domain.access import Permission, User
from gateway.domain.readings import Page
from gateway.domain.webhooks import (
    Action,
    DeliveryDetail,
    DeliverySummary,
    EndpointReading,
    EndpointSecret,
    Pinged,
    Queued,
)
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.jobs import IdempotencyKey
from gateway.routes.schemas import Paging
from gateway.routes.webhook_schemas import (
    ChangeWebhookRequest,
    DeliveryQuery,
    RedeliverRequest,
    RegisterWebhookRequest,
    RotateRequest,
    WebhookReasonRequest,
)
from gateway.use_cases import Authorize
from gateway.webhooks.stories import ManageEndpoints, TellAgain, WebhookStories

_PATH = "/api/v1/webhooks"
_ONE = f"{_PATH}/{{webhook_id}}"
_DELIVERIES = f"{_ONE}/deliveries"
_JSON = [Depends(json_only)]


def add_webhook_routes(api: FastAPI, *, stories: WebhookStories, authorize: Authorize, envelopes: Envelopes) -> None:
    writer = Guard(authorize, Permission.WEBHOOKS_WRITE)
    _add_readings(api, stories, authorize, envelopes)
    operator = Guard(authorize, Permission.WEBHOOKS_REPLAY)
    _add_ping(api, stories.tell_again, operator, envelopes)
    _add_replays(api, stories.tell_again, operator, envelopes)
    _add_secrets(api, stories.manage, writer, envelopes)
    _add_changes(api, stories.manage, writer, envelopes)


def _add_readings(api: FastAPI, stories: WebhookStories, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = [Depends(Guard(authorize, Permission.WEBHOOKS_READ))]

    @api.get(_PATH, tags=["webhooks"], name="list", dependencies=reader)
    async def webhooks(query: Annotated[Paging, Query()]) -> Envelope[Page[EndpointReading]]:
        """Endpoints, newest first."""
        return envelopes.success(await stories.manage.page(cursor=query.cursor, limit=query.limit))

    @api.get(_ONE, tags=["webhooks"], name="get", dependencies=reader)
    async def one(webhook_id: UUID) -> Envelope[EndpointReading]:
        """One endpoint: whether it is active, and why not."""
        return envelopes.success(await stories.endpoints.one(webhook_id))

    @api.get(_DELIVERIES, tags=["webhooks"], name="deliveries", dependencies=reader)
    async def deliveries(webhook_id: UUID, query: Annotated[DeliveryQuery, Query()]) -> Envelope[Page[DeliverySummary]]:
        """The log of an endpoint, newest first, with the latest attempt of each delivery."""
        page = await stories.tell_again.page(webhook_id, query.chosen(), cursor=query.cursor, limit=query.limit)
        return envelopes.success(page)

    @api.get(f"{_DELIVERIES}/{{delivery_id}}", tags=["webhooks"], name="delivery", dependencies=reader)
    async def delivery(webhook_id: UUID, delivery_id: UUID) -> Envelope[DeliveryDetail]:
        """One delivery: its body and its attempts."""
        return envelopes.success(await stories.deliveries.one(webhook_id, delivery_id))


def _add_ping(api: FastAPI, again: TellAgain, guard: Guard, envelopes: Envelopes) -> None:
    @api.post(f"{_ONE}/ping", tags=["webhooks"], status_code=202)
    async def ping(
        webhook_id: UUID,
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        response: Response,
        key: IdempotencyKey = None,
    ) -> Envelope[Pinged]:
        """A signed test delivery, tried for ten minutes, also to an endpoint that is not active."""
        delivery_id, replayed = await again.ping(webhook_id, user, caller, key=key)
        _located(response, f"{_PATH}/{webhook_id}/deliveries/{delivery_id}", replayed=replayed)
        return envelopes.success(Pinged(delivery_id=delivery_id))


def _add_replays(api: FastAPI, again: TellAgain, guard: Guard, envelopes: Envelopes) -> None:
    @api.post(f"{_ONE}/replay", tags=["webhooks"], name="replay", status_code=202, dependencies=_JSON)
    async def window(
        webhook_id: UUID,
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        response: Response,
        body: RedeliverRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[Queued]:
        """Deliver what of a window did not arrive or was never made; 10,000 deliveries at most."""
        queued, replayed = await again.replay(
            webhook_id, body.since, body.until, user, caller, also_delivered=body.also_delivered, key=key
        )
        _located(response, f"{_PATH}/{webhook_id}/deliveries", replayed=replayed)
        return envelopes.success(queued)

    @api.post(f"{_DELIVERIES}/{{delivery_id}}/replay", tags=["webhooks"], name="replay_one", status_code=202)
    async def one_again(
        webhook_id: UUID,
        delivery_id: UUID,
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        response: Response,
    ) -> Envelope[DeliveryDetail]:
        """Deliver one again, under the same id; 409 while it waits."""
        found = await again.one_again(webhook_id, delivery_id, user, caller)
        _located(response, f"{_PATH}/{webhook_id}/deliveries/{delivery_id}", replayed=False)
        return envelopes.success(found)


def _add_secrets(api: FastAPI, manage: ManageEndpoints, guard: Guard, envelopes: Envelopes) -> None:
    @api.post(_PATH, tags=["webhooks"], status_code=201, dependencies=_JSON)
    async def register(
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        response: Response,
        body: RegisterWebhookRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[EndpointSecret]:
        """A new endpoint with its secret, which is shown this once; a repetition by the same key shows none."""
        made = await manage.create(body.new(), user, caller, key=key)
        _located(response, f"{_PATH}/{made.endpoint.id}", replayed=made.secret is None)
        return envelopes.success(made)

    @api.post(f"{_ONE}/rotate", tags=["webhooks"], dependencies=_JSON)
    async def rotate(
        webhook_id: UUID,
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        response: Response,
        body: RotateRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[EndpointSecret]:
        """A new secret, shown this once; during the overlap the one before signs, too."""
        made = await manage.rotate(webhook_id, body.overlap, body.reason, user, caller, key=key)
        if made.secret is None:
            response.headers["Idempotency-Replayed"] = "true"
        return envelopes.success(made)


def _add_changes(api: FastAPI, manage: ManageEndpoints, guard: Guard, envelopes: Envelopes) -> None:
    @api.patch(_ONE, tags=["webhooks"], dependencies=_JSON)
    async def change(
        webhook_id: UUID, user: Annotated[User, Depends(guard)], caller: FromCaller, body: ChangeWebhookRequest
    ) -> Envelope[EndpointReading]:
        """Change address, events or description; what waits goes to the new address."""
        return envelopes.success(await manage.change(webhook_id, body.change(), user, caller))

    @api.post(f"{_ONE}/{{action}}", tags=["webhooks"], name="control", dependencies=_JSON)
    async def act(
        webhook_id: UUID,
        action: Action,
        user: Annotated[User, Depends(guard)],
        caller: FromCaller,
        body: WebhookReasonRequest,
    ) -> Envelope[EndpointReading]:
        """Enable, disable or remove. Outcomes while it is disabled are not collected: a replay brings them."""
        return envelopes.success(await manage.act(webhook_id, action, body.reason, user, caller))


def _located(response: Response, place: str, *, replayed: bool) -> None:
    response.headers["Location"] = place
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
