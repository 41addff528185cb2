"""The seed's envelopes: every answer of the API is one of the two."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from common.clock import Clock
from common.observability.tracing import correlation_id
from gateway.routes.codes import MEANINGS, ErrorCode

Item = TypeVar("Item")


class Envelope(BaseModel, Generic[Item]):
    success: Literal[True] = True
    data: Item
    timestamp: datetime
    correlation_id: str


class ErrorBody(BaseModel):
    code: ErrorCode
    message: str
    details: dict[str, Any] = Field(description="always an object; for VALIDATION_ERROR `errors` lists the fields")


class ErrorEnvelope(BaseModel):
    success: Literal[False] = False
    error: ErrorBody
    timestamp: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as HTTP says it."""

    code: ErrorCode
    message: str
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def status(self) -> int:
        return MEANINGS[self.code].status


@dataclass(frozen=True, slots=True)
class Envelopes:
    clock: Clock

    def success(self, data: Item) -> Envelope[Item]:
        return Envelope(data=data, timestamp=self.clock.now(), correlation_id=correlation_id.get() or "")

    def failure(self, refusal: Refusal) -> JSONResponse:
        body = ErrorEnvelope(
            error=ErrorBody(code=refusal.code, message=refusal.message, details=refusal.details),
            timestamp=self.clock.now(),
            correlation_id=correlation_id.get() or "",
        )
        return JSONResponse(body.model_dump(mode="json"), refusal.status, headers=refusal.headers)
