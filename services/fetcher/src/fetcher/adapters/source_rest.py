"""The Java backend over HTTP (docs/api/source.openapi.yaml)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from common.http.client import TRANSPORT_ERRORS, observed
from fetcher.domain import Listed, SourcePage, listed
from fetcher.ports import SourceRefused, SourceUnavailable

API = "source"
_PATH = "/invoices"
_WAIT_FOR = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Fields:
    """What the backend calls the three parts of an item."""

    id: str = "id"
    modified_at: str = "modified_at"
    document: str = "ubl"


class RestSource:
    def __init__(self, client: httpx.AsyncClient, *, limit: int, timeout: float, fields: Fields) -> None:
        self._client = client
        self._limit = limit
        self._timeout = timeout
        self._fields = fields
        self._endpoint = f"{client.base_url}".rstrip("/") + _PATH

    async def page(self, cursor: str | None, *, since: datetime | None, ids: Sequence[str] | None) -> SourcePage:
        """One page. Raises SourceUnavailable or SourceRefused."""
        wanted = {
            "limit": str(self._limit),
            "cursor": cursor,
            "since": since.isoformat().replace("+00:00", "Z") if since else None,
            "ids": ",".join(ids) if ids else None,
        }
        params = {name: value for name, value in wanted.items() if value is not None}
        async with observed(API, "GET") as outcome:
            try:
                async with asyncio.timeout(self._timeout):  # the client's own is per read: a slow drip passes it
                    response = await self._client.get(_PATH, params=params)
            except TRANSPORT_ERRORS as error:
                raise self._unavailable(f"{type(error).__name__}: {error}") from error
            outcome.name = str(response.status_code)
        self._check(response)
        return self._read(response, cursor)

    def _check(self, response: httpx.Response) -> None:
        code = response.status_code
        if code == 200:
            return
        if code >= 500 or code in _WAIT_FOR:
            raise self._unavailable(f"answered {code}", code)
        raise SourceRefused(f"answered {code}", endpoint=self._endpoint, status_code=code)

    def _read(self, response: httpx.Response, cursor: str | None) -> SourcePage:
        try:
            body = orjson.loads(response.content)
            items = tuple(self._item(item) for item in body["items"])
            next_cursor = body.get("next_cursor")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise self._unavailable(f"the answer is not a page: {type(error).__name__}: {error}", 200) from error
        if next_cursor is not None and (not isinstance(next_cursor, str) or next_cursor == cursor):
            raise SourceRefused("next_cursor does not advance", endpoint=self._endpoint, status_code=200)
        total = body.get("total")
        return SourcePage(
            items, cursor, next_cursor or None, total if isinstance(total, int) else None, _date(response)
        )

    def _item(self, item: Any) -> Listed:
        fields: Mapping[str, Any] = item if isinstance(item, dict) else {}
        modified_at = _instant(fields.get(self._fields.modified_at))
        raw = b"" if isinstance(fields.get(self._fields.document), str) else orjson.dumps(item)
        return listed(fields.get(self._fields.id), modified_at, fields.get(self._fields.document), raw)

    def _unavailable(self, message: str, status_code: int | None = None) -> SourceUnavailable:
        return SourceUnavailable(message, endpoint=self._endpoint, status_code=status_code)


def _instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None
