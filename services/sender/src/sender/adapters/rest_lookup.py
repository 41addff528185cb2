"""What the destination has under a reference, by `GET /invoices?reference=` (docs/api/destination.openapi.yaml)."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from common.http.client import TRANSPORT_ERRORS, observed
from sender.adapters.answers import object_of, usable_uuid
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed

API = "clearfacts"
LONGEST_LOOKUP = timedelta(seconds=10)


class RestLookup:
    """Only a whole answer that speaks of our reference, and of nothing else, says anything."""

    def __init__(self, client: httpx.AsyncClient, *, deadline: timedelta = LONGEST_LOOKUP) -> None:
        self._client = client
        self._deadline = deadline.total_seconds()

    async def find(self, reference: UUID) -> Evidence:
        """Ask once, within the deadline."""
        async with observed(API, "GET") as outcome:
            try:
                async with asyncio.timeout(self._deadline):
                    response = await self._client.get("/invoices", params={"reference": str(reference)})
            except TimeoutError:
                return LookupFailed(f"no answer within {self._deadline:g} s")
            except TRANSPORT_ERRORS as error:
                return LookupFailed(f"no whole answer: {type(error).__name__}: {error}"[:500])
            outcome.name = str(response.status_code)
        if response.status_code != 200:
            return LookupFailed(f"answered {response.status_code}")
        return _read(object_of(response), str(reference))

    async def aclose(self) -> None:
        await self._client.aclose()


def _read(body: Mapping[str, Any], reference: str) -> Evidence:
    items = body.get("items")
    if not isinstance(items, list):
        return LookupFailed("answered without a list of items")
    uuids = [_uuid(item, reference) for item in items]
    found = tuple(dict.fromkeys(uuid for uuid in uuids if uuid is not None))
    if None in uuids:  # a peer that does not know the filter lists documents of others
        return LookupFailed("answered with something else than documents under our reference")
    return Found(found) if found else Absent()


def _uuid(item: object, reference: str) -> str | None:
    if not isinstance(item, dict) or str(item.get("reference")).lower() != reference:
        return None
    return usable_uuid(item.get("uuid"))
