"""How each error is said in HTTP: one table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match

from common.errors import InfrastructureError, RetryableError
from gateway.domain.faults import (
    Busy,
    CursorInvalid,
    DocumentInvalid,
    ExternalApiFailed,
    FieldRefused,
    IdempotencyKeyReused,
    NotAllowedNow,
    NotFound,
    NotPermitted,
    NotSignedIn,
    RequestRefused,
    SignInRefused,
    TooManyAttempts,
    TooManyJobs,
    TooManyStreams,
)
from gateway.routes.codes import ErrorCode
from gateway.routes.envelopes import Refusal

RETRY_AFTER = {"Retry-After": "5"}
MOST_FIELD_ERRORS = 50
LONGEST_FIELD_NAME = 100
_PLAINER = {
    "string_pattern_mismatch": "Has characters that are not allowed here",
    "uuid_parsing": "Input should be a valid UUID",  # the library's own words quote a character of it
}

_OF_STATUS = {
    400: (ErrorCode.BAD_REQUEST, "The request cannot be read"),
    404: (ErrorCode.NOT_FOUND, "There is nothing at this address"),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "This address does not take this method"),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "The request body is too large"),
    415: (ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json"),
}


def explain(error: Exception) -> Refusal | None:
    """The answer for an error that has one; None for a defect of ours."""
    match error:
        case RequestRefused():
            return Refusal(OF_REFUSAL[type(error)], str(error), error.details, _headers(error))
        case InfrastructureError() | RetryableError() | TimeoutError():
            message = "A part that this needs does not answer; try again in a few seconds"
            return Refusal(ErrorCode.SERVICE_UNAVAILABLE, message, headers=RETRY_AFTER)
        case RequestValidationError():
            return _invalid(error.errors())
        case HTTPException() if error.status_code in _OF_STATUS:
            code, message = _OF_STATUS[error.status_code]
            return Refusal(code, message, headers=dict(error.headers or {}))
        case _:
            return None


def with_every_method(refusal: Refusal, request: Request) -> Refusal:
    """A 405 that names the methods of every route that has this address, not only of the first (RFC 9110, 15.5.6)."""
    if refusal.code is not ErrorCode.METHOD_NOT_ALLOWED:
        return refusal
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in route.methods or ()}
    return replace(refusal, headers={"Allow": ", ".join(sorted(methods))})


DEFECT = Refusal(ErrorCode.INTERNAL_ERROR, "A defect on our side; the correlation id finds it in the logs")

OF_REFUSAL: Mapping[type[RequestRefused], ErrorCode] = {
    SignInRefused: ErrorCode.INVALID_CREDENTIALS,
    NotSignedIn: ErrorCode.UNAUTHENTICATED,
    NotPermitted: ErrorCode.FORBIDDEN,
    NotFound: ErrorCode.NOT_FOUND,
    CursorInvalid: ErrorCode.CURSOR_INVALID,
    IdempotencyKeyReused: ErrorCode.IDEMPOTENCY_KEY_REUSED,
    NotAllowedNow: ErrorCode.CONFLICT,
    DocumentInvalid: ErrorCode.DOCUMENT_INVALID,
    FieldRefused: ErrorCode.VALIDATION_ERROR,
    TooManyAttempts: ErrorCode.TOO_MANY_REQUESTS,
    TooManyJobs: ErrorCode.TOO_MANY_REQUESTS,
    TooManyStreams: ErrorCode.TOO_MANY_REQUESTS,
    ExternalApiFailed: ErrorCode.EXTERNAL_API_ERROR,
    Busy: ErrorCode.SERVICE_UNAVAILABLE,
}
"""A refusal that is not here would be a defect: a test looks for one."""


def _headers(error: RequestRefused) -> dict[str, str]:
    """Challenges (RFC 6750), and when to come back."""
    match error:
        case SignInRefused():
            return {"WWW-Authenticate": "Bearer"}
        case NotSignedIn():  # a request without any token is told no error
            return {"WWW-Authenticate": 'Bearer error="invalid_token"' if error.presented else "Bearer"}
        case NotPermitted():
            return {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        case _:
            return _retry_after(error)


def _retry_after(error: RequestRefused) -> dict[str, str]:
    match error:
        case TooManyAttempts():
            return {"Retry-After": str(error.seconds)}
        case Busy() | TooManyStreams() | TooManyJobs():
            return RETRY_AFTER
        case ExternalApiFailed() if error.next_retry_at is not None:
            return {"Retry-After": format_datetime(error.next_retry_at.astimezone(UTC), usegmt=True)}
        case _:
            return {}


def _invalid(errors: Sequence[Any]) -> Refusal:
    """What is wrong where; never what was sent, which may be a password."""
    if any(error["type"] == "json_invalid" for error in errors):
        code, message = _OF_STATUS[400]
        return Refusal(code, f"{message}: the body is not JSON")
    fields = [_field(error) for error in errors[:MOST_FIELD_ERRORS]]
    return Refusal(ErrorCode.VALIDATION_ERROR, "The request is not valid", {"errors": fields})


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    where = ".".join(map(str, error["loc"]))[:LONGEST_FIELD_NAME]  # an unknown field's name is the caller's text
    message = _PLAINER.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return {"field": where, "code": error["type"], "message": message}
