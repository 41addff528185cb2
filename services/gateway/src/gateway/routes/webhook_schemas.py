"""What callers may send about webhooks."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints, model_validator

from common.contracts.webhooks import WebhookEvent
from gateway.domain.webhooks import DeliveryFilter, DeliveryState, EndpointChange, NewEndpoint
from gateway.routes.schemas import NO_CONTROLS, Instant, Paging, Sent

Url = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[\x21-\x7e]+$")
]
Description = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Events = Annotated[list[WebhookEvent], Field(min_length=1, max_length=20)]
Why = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS),
    Field(description="why, for the audit log"),
]


class RegisterWebhookRequest(Sent):
    url: Url = Field(description="public and https, without username and password")
    events: Events = Field(description="which outcomes it is told")
    description: Description = ""

    def new(self) -> NewEndpoint:
        return NewEndpoint(self.url, self.description, list(dict.fromkeys(self.events)))


class ChangeWebhookRequest(Sent):
    url: Url | None = None
    events: Events | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ChangeWebhookRequest":
        if self.url is None and self.events is None and self.description is None:
            raise ValueError("give url, events or description")
        return self

    def change(self) -> EndpointChange:
        events = list(dict.fromkeys(self.events)) if self.events is not None else None
        return EndpointChange(self.url, self.description, events)


class WebhookReasonRequest(Sent):
    reason: Why


class RotateRequest(Sent):
    overlap_seconds: int = Field(default=86_400, ge=0, le=604_800, description="how long the old secret signs, too")
    reason: Why

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class RedeliverRequest(Sent):
    since: Instant = Field(description="30 days ago at most, by when the outcome was")
    until: Instant | None = Field(default=None, description="not included; now where it is left out")
    also_delivered: StrictBool = Field(default=False, description="also what arrived, under the same ids")


class DeliveryQuery(Paging):
    status: DeliveryState | None = None
    type: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)] | None = None
    since: Instant | None = None
    until: Instant | None = None

    def chosen(self) -> DeliveryFilter:
        return DeliveryFilter(self.status, self.type, self.since, self.until)
