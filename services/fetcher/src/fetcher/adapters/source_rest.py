"""The Java backend over HTTP (docs/api/source.openapi.yaml)."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from common.http.client import TRANSPORT_ERRORS, observed
from fetcher.domain import Listed, SourcePage, listed
from fetcher.ports import SourceRefused, SourceUnavailable

API = "source"
_PATH = "/invoices"
_WAIT_FOR = frozenset({408, 425, 429})
_MAX_CURSOR = 4096
_LONGEST_IDS = 4000  # usual servers take 8 kB for the request line, a cursor included
_LARGEST_TOTAL = 2**31 - 1
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


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
        """One page. Raises SourceUnavailable or SourceRefused.

        Ids are asked for in parts that fit an address; the part's number is then in front of the source's own cursor.
        """
        if ids is None:
            return await self._page(cursor, since, None)
        parts = _parts(ids)
        part, _, theirs = (cursor or "0:").partition(":")
        page = await self._page(theirs or None, since, parts[int(part)])
        following = f"{int(part) + 1}:" if int(part) + 1 < len(parts) else None
        if page.next_cursor is not None:
            following = f"{part}:{page.next_cursor}"
        return replace(page, cursor=cursor, next_cursor=following, total=page.total if len(parts) == 1 else None)

    async def _page(self, cursor: str | None, since: datetime | None, ids: Sequence[str] | None) -> SourcePage:
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
            body = _load(response.content)
            items = tuple(self._item(item) for item in _list(body["items"]))
            next_cursor = body.get("next_cursor")
            total = body.get("total")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._unavailable(f"the answer is not a page: {type(error).__name__}: {error}", 200) from error
        if next_cursor is not None and (not _usable(next_cursor) or next_cursor == cursor):
            raise SourceRefused("next_cursor does not advance", endpoint=self._endpoint, status_code=200)
        counted = type(total) is int and 0 <= total <= _LARGEST_TOTAL  # true is an int too
        return SourcePage(items, cursor, next_cursor or None, total if counted else None, _date(response))

    def _item(self, item: Any) -> Listed:
        fields: Mapping[str, Any] = item if isinstance(item, dict) else {}
        modified_at = _instant(fields.get(self._fields.modified_at))
        document = fields.get(self._fields.document)
        raw = b"" if isinstance(document, str) else json.dumps(item, ensure_ascii=True).encode()
        return listed(fields.get(self._fields.id), modified_at, document, raw)

    def _unavailable(self, message: str, status_code: int | None = None) -> SourceUnavailable:
        return SourceUnavailable(message, endpoint=self._endpoint, status_code=status_code)


def _parts(ids: Sequence[str]) -> list[list[str]]:
    """The ids in order, cut into parts whose encoded lengths fit an address; at least one part."""
    parts: list[list[str]] = [[]]
    length = 0
    for source_id in ids:
        size = len(quote(source_id, safe="")) + 3  # and the comma, encoded
        if parts[-1] and length + size > _LONGEST_IDS:
            parts.append([])
            length = 0
        parts[-1].append(source_id)
        length += size
    return parts


def _load(content: bytes) -> Any:
    """JSON; the second reader takes what the fast one refuses a whole page for: half characters and bad UTF-8."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content.decode("utf-8", "surrogateescape"))


def _list(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise TypeError("items is not a list")
    return items


def _usable(cursor: Any) -> bool:
    return isinstance(cursor, str) and len(cursor) <= _MAX_CURSOR and cursor.isprintable()


def _instant(value: Any) -> datetime | None:
    """An instant in UTC; None for anything else, and for the ends of the calendar that stand for "never"."""
    try:
        instant = datetime.fromisoformat(value)
        instant = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return instant if _FIRST_YEAR <= instant.year <= _LAST_YEAR else None


def _date(response: httpx.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
