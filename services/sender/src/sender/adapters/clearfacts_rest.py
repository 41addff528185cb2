"""Clearfacts by the `rest` transport (docs/api/destination.openapi.yaml): key and lookup by reference."""

import asyncio
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
import orjson

from common.clock import SYSTEM_CLOCK, Clock
from common.http.client import TRANSPORT_ERRORS, never_left, observed
from common.http.direct import DirectPost
from sender.domain import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, Refused

API = "clearfacts"
LONGEST_WAIT = timedelta(hours=1)
KEEPALIVE = timedelta(seconds=15)
_WRONG_DOCUMENT = frozenset({400, 413, 422})
_NOT_NOW = frozenset({401, 403, 429})
_LONGEST_UUID = 200
_SANE_DIGITS = 9
_TOKEN_WAIT = timedelta(seconds=60)


class RestDestination:
    lookup = True

    def __init__(self, post: DirectPost, *, deadline: timedelta, clock: Clock = SYSTEM_CLOCK) -> None:
        self._post = post
        self._deadline = deadline.total_seconds()
        self._clock = clock

    @classmethod
    def at(
        cls,
        url: str,
        *,
        token: str | None,
        connections: int,
        deadline: timedelta,
        keepalive: timedelta = KEEPALIVE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """The destination at a base URL, with connections of its own: `aclose` them."""
        post = DirectPost(
            f"{url.rstrip('/')}/invoices",
            content_type="application/xml",
            token=token,
            connections=connections,
            timeout=deadline,
            keepalive=keepalive,
        )
        return cls(post, deadline=deadline, clock=clock)

    async def aclose(self) -> None:
        await self._post.aclose()

    async def deliver(self, claim: Claim) -> Delivery:
        """POST the document once; what the answer proves decides, never the type of an exception."""
        async with observed(API, "POST") as outcome:
            try:
                async with asyncio.timeout(self._deadline):
                    response = await self._send(claim)
            except TimeoutError:
                return OutcomeUnknown(f"no answer within {self._deadline:g} s")
            except TRANSPORT_ERRORS as error:
                return _no_answer(error)
            outcome.name = str(response.status_code)
        return self._read(response)

    async def _send(self, claim: Claim) -> httpx.Response:
        reference = str(claim.reference)
        params = {
            "administration": claim.dossier,
            "direction": claim.direction,
            "filename": f"{reference}.xml",
            "comment": f"{claim.source_id[:100]} {reference}",
        }
        if claim.journal:
            params["journal"] = claim.journal
        return await self._post(claim.content, params=params, headers={"Idempotency-Key": reference})

    def _read(self, response: httpx.Response) -> Delivery:
        code = response.status_code
        body = _json(response)
        if code in {200, 201}:
            uuid = body.get("uuid")
            if isinstance(uuid, str) and 0 < len(uuid) <= _LONGEST_UUID and uuid.isprintable():
                return Accepted(uuid, body)
            return OutcomeUnknown(f"answered {code} without a uuid")
        wait = self._retry_after(response)
        if code in _WRONG_DOCUMENT and isinstance(body.get("error"), dict):
            error: dict[str, Any] = body["error"]
            return Refused(str(error.get("code", code))[:100], str(error.get("message", "")), body)
        if code in _NOT_NOW:
            usual = None if code == 429 else _TOKEN_WAIT
            return NotAccepted(f"answered {code}", usual if wait is None else wait, everyone=True)
        if code == 503 and wait is not None:
            return NotAccepted("answered 503 with Retry-After", wait, everyone=True)
        return OutcomeUnknown(f"answered {code}")

    def _retry_after(self, response: httpx.Response) -> timedelta | None:
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
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - self._clock.now()  # an old spelling names no zone: GMT
        return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _no_answer(error: Exception) -> Delivery:
    if never_left(error):
        return NotAccepted(f"could not connect: {error}", everyone=True)
    return OutcomeUnknown(f"no whole answer: {type(error).__name__}: {error}"[:500])


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
