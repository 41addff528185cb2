"""Why a request is refused. `routes.faults` says each one in HTTP."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from common.contracts.faults import ExternalCall
from common.errors import ClearfactsError


class RequestRefused(ClearfactsError):
    """Root of the refusals; the message and the details are for the caller and name no secret."""

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = dict(details or {})


class SignInRefused(RequestRefused):
    def __init__(self) -> None:
        super().__init__("Username or password is wrong")


class NotSignedIn(RequestRefused):
    """No token, or one that proves nothing. `presented`: whether there was one at all."""

    def __init__(self, message: str, *, presented: bool = True) -> None:
        super().__init__(message)
        self.presented = presented


class NotPermitted(RequestRefused):
    def __init__(self, permission: str, role: str) -> None:
        super().__init__(f"The role {role} has no permission {permission}", {"permission": permission, "role": role})


class TooManyAttempts(RequestRefused):
    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        self.seconds = math.ceil(retry_after.total_seconds())
        super().__init__("Too many failed sign-ins; try again later", {"retry_after_seconds": self.seconds})


class Busy(RequestRefused):
    def __init__(self) -> None:
        super().__init__("Too many sign-ins at once; try again in a few seconds")


class TooManyStreams(RequestRefused):
    """`whose`: everybody's streams together, or one user's."""

    def __init__(self, whose: str, limit: int) -> None:
        super().__init__(f"Only {limit} streams at once for {whose}; close one, or try again later", {"limit": limit})


class TooManyJobs(RequestRefused):
    def __init__(self, limit: int, what: str = "jobs") -> None:
        super().__init__(f"You have {limit} {what} that have not ended; wait for one, or cancel one", {"limit": limit})


class NotFound(RequestRefused):
    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"No such {what}", {what: key})


class CursorInvalid(RequestRefused):
    def __init__(self) -> None:
        super().__init__("The cursor is not one of ours for these filters; start again without it")


class IdempotencyKeyReused(RequestRefused):
    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another request body; use a new key")


class NotAllowedNow(RequestRefused):
    """What is asked for does not fit where the thing stands; the message says why, `details` how it stands."""


class DocumentInvalid(RequestRefused):
    """An edited document that would fail again. `findings` say where."""

    def __init__(self, message: str, findings: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message, {"findings": list(findings)})


class ExternalApiFailed(RequestRefused):
    """A system outside is needed for this answer and gave none."""

    def __init__(self, message: str, call: ExternalCall) -> None:
        super().__init__(message, call.details)
        self.next_retry_at = call.next_retry_at


class FieldRefused(RequestRefused):
    """A field that fits its type and not the rules behind it; said as a validation error, without its value."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__("The request is not valid", {"errors": [{"field": field, "code": code, "message": message}]})
