"""What every transport reads alike in an answer, or in its absence."""

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from common.clock import Clock
from common.http.client import never_left
from common.http.direct import Answer
from sender.domain import Delivery, NotAccepted, OutcomeUnknown

LONGEST_WAIT = timedelta(hours=1)
_LONGEST_UUID = 200
_SANE_DIGITS = 9


def retry_after(response: Answer, clock: Clock) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds or a date; absurd values are capped at an hour."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return LONGEST_WAIT if len(value) > _SANE_DIGITS else min(timedelta(seconds=int(value)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - clock.now()  # an old spelling names no zone: GMT
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def not_now(response: Answer, clock: Clock) -> NotAccepted | None:
    """What proves, by its status, that the document was not taken, for a reason that is not its own."""
    code = response.status_code
    wait = retry_after(response, clock)
    if code == 429:
        return NotAccepted("answered 429", wait, everyone=True, throttled=True)
    if code in {401, 403}:
        return NotAccepted(f"answered {code}", wait, everyone=True)
    if code == 503 and wait is not None:
        return NotAccepted("answered 503 with Retry-After", wait, everyone=True)
    return None


def no_answer(error: Exception) -> Delivery:
    """What an exception proves: nothing, unless no connection ever came to be."""
    if never_left(error):
        return NotAccepted(f"could not connect: {error}", everyone=True)
    return OutcomeUnknown(f"no whole answer: {type(error).__name__}: {error}"[:500], everyone=True)


def silence(seconds: float) -> OutcomeUnknown:
    """The deadline passed."""
    return OutcomeUnknown(f"no answer within {seconds:g} s", everyone=True)


def unclear(code: int) -> OutcomeUnknown:
    """A status that proves nothing about the document; from 500 on the destination is failing."""
    return OutcomeUnknown(f"answered {code}", everyone=code >= 500)


def object_of(response: Answer) -> dict[str, Any]:
    """The JSON object in the body; empty for anything else."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def usable_uuid(value: object) -> str | None:
    """The destination's own id, if it is one that can be stored and shown."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_UUID and value.isprintable() else None
