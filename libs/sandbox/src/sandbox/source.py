"""A Java backend: `GET /invoices` in keyset order, with faults by script."""

import base64
import binascii
import hmac
import json
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

from sandbox.catalogue import Catalogue, CorpusCatalogue, Key, microseconds
from sandbox.control import Player
from sandbox.faults import Behaviour, Effect, apply
from sandbox.web import Plan, Reply, Request, Routes, error, json_reply

_DEFAULT_LIMIT = 100
_MAX_LIMIT = 1000
_EFFECTS = frozenset(
    {
        Effect.BAD_REQUEST,
        Effect.UNAUTHORIZED,
        Effect.FORBIDDEN,
        Effect.TOO_MANY,
        Effect.SERVER_ERROR,
        Effect.UNAVAILABLE,
        Effect.BAD_GATEWAY,
        Effect.RESET_BEFORE,
        Effect.HANG_BEFORE,
        Effect.GARBAGE,
        Effect.CUT,
        Effect.SLOW,
        Effect.SHIFT,
    }
)


class Wanted(NamedTuple):
    """A page's question; `after` is the cursor's key."""

    after: Key | None
    limit: int
    since: int | None
    ids: tuple[str, ...] | None


class Source:
    """The rules' `matching` sees the path and query of the call."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        token: str,
        behaviour: Behaviour | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalogue = catalogue
        self._token = f"Bearer {token}".encode()
        self._clock = clock
        self.player = Player(behaviour or Behaviour(), "get", _EFFECTS)
        self.counts: Counter[str] = Counter()

    def routes(self) -> Routes:
        return Routes(
            {
                ("GET", "/invoices"): self.page,
                ("GET", "/sandbox/counts"): lambda _: json_reply(dict(self.counts)),
                ("POST", "/sandbox/documents"): self._add,
                **self.player.routes(),
            }
        )

    def page(self, request: Request) -> Plan:
        self.counts["pages"] += 1
        if not hmac.compare_digest(request.headers.get(b"authorization", b""), self._token):
            return error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "the token is not known")
        try:
            wanted = _wanted(request.query)
        except ValueError as wrong:
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", str(wrong))
        rule = self.player.script.pick("get", "&".join(f"{name}={value}" for name, value in request.query.items()))
        shift = rule.shift if rule and rule.effect is Effect.SHIFT else 0
        return apply(rule, self._answer(wanted, shift)._replace(delay=self.player.script.latency()))

    def _answer(self, wanted: Wanted, shift: int) -> Reply:
        catalogue = self._catalogue
        catalogue.refresh()
        places = self._places(wanted)
        begin = 0 if wanted.after is None else bisect_right(places, wanted.after, key=catalogue.key)
        begin = max(0, begin + shift)
        end = min(len(places), begin + wanted.limit)
        items = [catalogue.item(place) for place in places[begin:end]]
        self.counts["items"] += len(items)
        cursor = "null" if end >= len(places) else json.dumps(_cursor(catalogue.key(places[end - 1])))
        tail = f'],"next_cursor":{cursor},"total":{len(places)}}}'
        return Reply(HTTPStatus.OK, b"".join((b'{"items":[', b",".join(items), tail.encode())))

    def _places(self, wanted: Wanted) -> Sequence[int]:
        catalogue = self._catalogue
        lowest = 0
        if wanted.since is not None:
            lowest = bisect_left(range(len(catalogue)), Key(wanted.since, ""), key=catalogue.key)
        if wanted.ids is None:
            return range(lowest, len(catalogue))
        found = {catalogue.find(source_id) for source_id in wanted.ids}
        return sorted(place for place in found if place is not None and place >= lowest)

    def _add(self, request: Request) -> Plan:
        """`{"count": n}` appends n documents to a generated corpus; a folder grows by files."""
        if not isinstance(self._catalogue, CorpusCatalogue):
            return error(HTTPStatus.CONFLICT, "NOT_GENERATED", "this source serves a folder: put files there")
        try:
            count = int(json.loads(request.body)["count"])
        except (ValueError, KeyError, TypeError):
            return error(HTTPStatus.UNPROCESSABLE_ENTITY, "BAD_REQUEST", 'the body is {"count": n}')
        ids = self._catalogue.add(count, datetime.fromtimestamp(self._clock(), UTC))
        return json_reply({"ids": ids}, HTTPStatus.CREATED)


def _wanted(query: Mapping[str, str]) -> Wanted:
    """Raises ValueError with one clear line."""
    limit = query.get("limit") or str(_DEFAULT_LIMIT)
    if not limit.isdecimal() or not 1 <= int(limit) <= _MAX_LIMIT:
        raise ValueError(f"limit: a number from 1 to {_MAX_LIMIT} is needed")
    cursor, since, ids = query.get("cursor"), query.get("since"), query.get("ids")
    return Wanted(
        after=_key(cursor) if cursor else None,
        limit=int(limit),
        since=_since(since) if since else None,
        ids=tuple(filter(None, ids.split(","))) if ids is not None else None,
    )


def _since(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("since: a time by RFC 3339 is needed") from None
    if at.tzinfo is None:
        raise ValueError("since: the offset from UTC is missing")
    return microseconds(at)


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _key(cursor: str) -> Key:
    try:
        modified, source_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return Key(int(modified), str(source_id))
    except (ValueError, TypeError, binascii.Error):
        raise ValueError("cursor: not one of ours") from None
