"""Clearfacts by the `rest` transport (docs/api/destination.openapi.yaml): key and lookup by reference."""

import asyncio
from datetime import timedelta
from typing import Any, Self

from common.clock import SYSTEM_CLOCK, Clock
from common.http.client import TRANSPORT_ERRORS, observed
from common.http.direct import Answer, DirectPost
from sender.adapters.answers import no_answer, not_now, object_of, silence, unclear, usable_uuid
from sender.domain import Accepted, Claim, Delivery, OutcomeUnknown, Refused

API = "clearfacts"
KEEPALIVE = timedelta(seconds=15)
_WRONG_DOCUMENT = frozenset({400, 413, 422})


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
                return silence(self._deadline)
            except TRANSPORT_ERRORS as error:
                return no_answer(error)
            outcome.name = str(response.status_code)
        return self._read(response)

    async def _send(self, claim: Claim) -> Answer:
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

    def _read(self, response: Answer) -> Delivery:
        code = response.status_code
        body = object_of(response)
        if code in {200, 201}:
            uuid = usable_uuid(body.get("uuid"))
            return Accepted(uuid, body) if uuid else OutcomeUnknown(f"answered {code} without a uuid")
        if code in _WRONG_DOCUMENT and isinstance(body.get("error"), dict):
            error: dict[str, Any] = body["error"]
            return Refused(str(error.get("code", code))[:100], str(error.get("message", "")), body)
        return not_now(response, self._clock) or unclear(code)
