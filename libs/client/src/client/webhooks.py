"""Webhooks: endpoints of integrators, and the log of what they were told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import Delivery, DeliveryDetail, Pinged, Queued, Webhook, WebhookSecret

_PATH = "/api/v1/webhooks"


class WebhookCalls(Connection):
    def webhooks(self, *, limit: int = 50, cursor: str | None = None) -> Page[Webhook]:
        """Newest first."""
        return self._call("GET", _PATH, Page[Webhook], params=given({"limit": limit, "cursor": cursor}))

    def webhook(self, webhook_id: UUID | str) -> Webhook:
        return self._call("GET", f"{_PATH}/{webhook_id}", Webhook)

    def register_webhook(
        self, url: str, events: Sequence[str], *, description: str = "", idempotency_key: str | None = None
    ) -> WebhookSecret:
        """The secret is in this answer alone."""
        body = {"url": url, "events": list(events), "description": description}
        return self._call("POST", _PATH, WebhookSecret, json=body, headers=_key(idempotency_key))

    def change_webhook(
        self,
        webhook_id: UUID | str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
    ) -> Webhook:
        body = given({"url": url, "events": list(events) if events else None, "description": description})
        return self._call("PATCH", f"{_PATH}/{webhook_id}", Webhook, json=body)

    def rotate_webhook(
        self, webhook_id: UUID | str, *, overlap_seconds: int, reason: str, idempotency_key: str | None = None
    ) -> WebhookSecret:
        """For the overlap the secret before signs, too."""
        body = {"overlap_seconds": overlap_seconds, "reason": reason}
        path = f"{_PATH}/{webhook_id}/rotate"
        return self._call("POST", path, WebhookSecret, json=body, headers=_key(idempotency_key))

    def control_webhook(self, webhook_id: UUID | str, action: str, *, reason: str) -> Webhook:
        """`action`: enable, disable or remove."""
        return self._call("POST", f"{_PATH}/{webhook_id}/{action}", Webhook, json={"reason": reason})

    def ping_webhook(self, webhook_id: UUID | str, *, idempotency_key: str | None = None) -> Pinged:
        return self._call("POST", f"{_PATH}/{webhook_id}/ping", Pinged, headers=_key(idempotency_key))

    def deliveries(
        self,
        webhook_id: UUID | str,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the field's name
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Delivery]:
        """Newest first; the times are the outcomes' and must be aware."""
        query: dict[str, Any] = {"status": status, "type": type, "limit": limit, "cursor": cursor}
        query |= {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
        return self._call("GET", f"{_PATH}/{webhook_id}/deliveries", Page[Delivery], params=given(query))

    def delivery(self, webhook_id: UUID | str, delivery_id: UUID | str) -> DeliveryDetail:
        return self._call("GET", f"{_PATH}/{webhook_id}/deliveries/{delivery_id}", DeliveryDetail)

    def replay_delivery(self, webhook_id: UUID | str, delivery_id: UUID | str) -> DeliveryDetail:
        """Under the same id."""
        return self._call("POST", f"{_PATH}/{webhook_id}/deliveries/{delivery_id}/replay", DeliveryDetail)

    def replay_deliveries(
        self,
        webhook_id: UUID | str,
        *,
        since: datetime,
        until: datetime | None = None,
        also_delivered: bool = False,
        idempotency_key: str | None = None,
    ) -> Queued:
        """What of a window did not arrive or was never made."""
        body: dict[str, Any] = {"since": since.isoformat(), "also_delivered": also_delivered}
        if until is not None:
            body["until"] = until.isoformat()
        return self._call("POST", f"{_PATH}/{webhook_id}/replay", Queued, json=body, headers=_key(idempotency_key))


def _key(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}
