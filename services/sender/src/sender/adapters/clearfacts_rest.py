"""Clearfacts by the `rest` transport (docs/api/destination.openapi.yaml): key and lookup by reference."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.http.client import TRANSPORT_ERRORS, make_client, observed
from common.http.direct import Answer, DirectPost
from sender.adapters.answers import no_answer, not_now, object_of, silence, unclear, usable_uuid
from sender.adapters.rest_lookup import LONGEST_LOOKUP, RestLookup
from sender.domain import Accepted, Claim, Delivery, OutcomeUnknown, Refused
from sender.domain.evidence import Evidence, LookupFailed

API = "clearfacts"
KEEPALIVE = timedelta(seconds=15)
KEY_LIFE = timedelta(hours=24)
LOOKUP_CONNECTIONS = 8
_WRONG_DOCUMENT = frozenset({400, 413, 422})


class RestDestination:
    lookup = True

    def __init__(
        self,
        post: DirectPost,
        lookup: RestLookup,
        *,
        deadline: timedelta,
        key_life: timedelta = KEY_LIFE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.idempotency_key: timedelta | None = key_life
        self._post = post
        self._lookup = lookup
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
        key_life: timedelta = KEY_LIFE,
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
        client = make_client(
            base_url=url, token=token, connections=LOOKUP_CONNECTIONS, timeout=deadline, keepalive=keepalive
        )
        lookup = RestLookup(client, deadline=min(deadline, LONGEST_LOOKUP))
        return cls(post, lookup, deadline=deadline, key_life=key_life, clock=clock)

    async def aclose(self) -> None:
        await self._post.aclose()
        await self._lookup.aclose()

    async def find(self, reference: UUID) -> Evidence:
        """What the destination has under a reference."""
        return await self._lookup.find(reference)

    async def probe(self) -> str | None:
        """Look up a reference that nobody ever used; why that was not answered as it should be, else None."""
        evidence = await self._lookup.find(self._clock.new_id())
        return evidence.why if isinstance(evidence, LookupFailed) else None

    async def unreachable(self, administrations: Sequence[str]) -> Sequence[str] | str:
        """This contract has no question by administration."""
        return f"the rest transport cannot be asked for its {len(administrations)} administrations"

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
        if code == 409:
            return OutcomeUnknown("the destination says that it has the document already", exists=True)
        return not_now(response, self._clock) or unclear(code)
