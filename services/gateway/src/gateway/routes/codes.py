"""Every error code: its status, when it comes, what to do. `python -m gateway.routes.codes` writes docs/errors.md."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.contracts.faults import JobErrorCode


class ErrorCode(StrEnum):
    """Stable: callers may decide by it."""

    BAD_REQUEST = "BAD_REQUEST"
    CURSOR_INVALID = "CURSOR_INVALID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    DOCUMENT_INVALID = "DOCUMENT_INVALID"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    EXTERNAL_API_ERROR = "EXTERNAL_API_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Meaning:
    status: int
    when: str
    remedy: str


MEANINGS: Mapping[ErrorCode, Meaning] = {
    ErrorCode.BAD_REQUEST: Meaning(
        400, "the request or its body cannot be read: no JSON, no UTF-8", "mend the request; the same one fails again"
    ),
    ErrorCode.CURSOR_INVALID: Meaning(
        400,
        "the cursor was changed, belongs to another list or other filters, or its signing key is gone",
        "begin the list again without `cursor`",
    ),
    ErrorCode.UNAUTHENTICATED: Meaning(
        401,
        "no token, or one that is not ours, not for us, expired, or of a user who is disabled",
        "sign in again and repeat; `WWW-Authenticate` says whether a token was seen at all",
    ),
    ErrorCode.INVALID_CREDENTIALS: Meaning(
        401,
        "username or password is wrong; an unknown and a disabled user look the same",
        "ask for the right ones: many failures end in `TOO_MANY_REQUESTS`",
    ),
    ErrorCode.FORBIDDEN: Meaning(
        403,
        "the user's role (`details.role`) lacks `details.permission`",
        "ask an admin; the role counts from the next request on, no new token is needed",
    ),
    ErrorCode.NOT_FOUND: Meaning(
        404, "nothing is at this address, or no row has this id (`details` names it)", "look at the path and the id"
    ),
    ErrorCode.METHOD_NOT_ALLOWED: Meaning(
        405, "the address exists, the method does not", "use one of those in the header `Allow`"
    ),
    ErrorCode.CONFLICT: Meaning(
        409,
        "not allowed as things stand now; the message says why, `details` how they stand",
        "read it again, then decide anew; where `Retry-After` is given, repeat after it",
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: Meaning(413, "the body is above the [limit](limits.md)", "send less at once"),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: Meaning(
        415, "the body does not say that it is JSON", "send `Content-Type: application/json`"
    ),
    ErrorCode.VALIDATION_ERROR: Meaning(
        422,
        "a field is missing, unknown, or has a value that it cannot have",
        "`details.errors` lists `field`, `code`, `message`; values that were sent are never repeated",
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: Meaning(
        422, "this `Idempotency-Key` came before with another body", "take a new key for a new request"
    ),
    ErrorCode.DOCUMENT_INVALID: Meaning(
        422, "an edited document would fail again", "mend what `details.findings` lists, then send it again"
    ),
    ErrorCode.TOO_MANY_REQUESTS: Meaning(
        429, "a [limit](limits.md) of this caller is used up", "wait for `Retry-After` seconds"
    ),
    ErrorCode.INTERNAL_ERROR: Meaning(
        500, "a defect on our side, with no detail", "report the correlation id: it finds the cause in the logs"
    ),
    ErrorCode.EXTERNAL_API_ERROR: Meaning(
        502,
        "a system outside did not answer, or with an error: `api_endpoint`, `status_code` (null: no answer), "
        "`retry_count`, `next_retry_at` (null: nothing tries again by itself)",
        "look at that system; repeat after `Retry-After` where it is given",
    ),
    ErrorCode.SERVICE_UNAVAILABLE: Meaning(
        503, "a part that this needs does not answer in time, or too many wait for it", "repeat after `Retry-After`"
    ),
}

OF_JOBS: Mapping[JobErrorCode, tuple[str, str]] = {
    JobErrorCode.EXTERNAL_API_ERROR: (
        "the source did not give its whole listing; details as above",
        "look at the source; the next job lists from the same place",
    ),
    JobErrorCode.PAGE_NOT_RECORDED: ("the database cannot hold a page of the listing", "report the correlation id"),
    JobErrorCode.BALANCE_BROKEN: (
        "what was listed and what became of it do not add up: `details.contradictions`",
        "treat it as an incident: nothing is sent twice by it, something may be missing",
    ),
    JobErrorCode.CANCELLED: ("somebody cancelled the job", "start another one for what was left"),
    JobErrorCode.INVALID_REQUEST: ("the request on Kafka cannot be carried out", "mend whoever writes it"),
    JobErrorCode.DRY_RUN_TIMED_OUT: (
        "a dry run waited too long for `details.waiting_for` (listing, validation); nothing was sent or kept from it",
        "look at that service (`GET /api/v1/system/status`), then start it again",
    ),
    JobErrorCode.DRY_RUN_TOO_LARGE: (
        "a dry run found more than `details.limit` invoices; those it had are judged and shown",
        "ask for some of them by `invoice_ids`",
    ),
}

_INTRODUCTION = """\
# Errors
Written by `just errors` from `gateway.routes.codes`; a test compares the two.

Every error of `/api` and `/auth` is an envelope, whatever `Accept` asks for:
`{"success": false, "error": {"code", "message", "details"}, "timestamp", "correlation_id"}`.
Decide by `code`; `message` is for people and may change; `details` is always an object; `correlation_id` is also the
header `X-Correlation-ID`. Codes are added, never renamed: treat one that you do not know as its status.
"""
_JOBS = """
## In a job
A job that failed has the same shape in `data.error`, while the request that reads it succeeds.
"""


def document() -> str:
    """The page as it is committed."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _INTRODUCTION
    yield "| code | status | when | what to do |\n| --- | --- | --- | --- |"
    for code, meaning in MEANINGS.items():
        yield f"| `{code}` | {meaning.status} | {meaning.when} | {meaning.remedy} |"
    yield _JOBS
    yield "| code | when | what to do |\n| --- | --- | --- |"
    for of_job, (when, remedy) in OF_JOBS.items():
        yield f"| `{of_job}` | {when} | {remedy} |"


if __name__ == "__main__":
    sys.stdout.write(document())
