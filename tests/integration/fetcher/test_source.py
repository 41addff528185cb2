"""The source's adapter against answers that no contract promises."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from common.http.client import make_client
from fetcher.adapters.source_rest import Fields, RestSource
from fetcher.domain import SourcePage
from fetcher.ports import SourceRefused, SourceUnavailable
from sandbox.web import Hang, Plan, Reply, Request, Reset, Routes, listen

ITEM = {"id": "s-1", "modified_at": "2026-02-02T02:40:00Z", "ubl": "<a/>"}


@asynccontextmanager
async def backend(
    answer: Callable[[Request], Plan], *, fields: Fields | None = None, seconds: float = 5.0
) -> AsyncGenerator[RestSource]:
    listener = await listen(Routes({("GET", "/invoices"): answer}), 0)
    try:
        async with make_client(base_url=f"http://127.0.0.1:{listener.port}", token="t", connections=2) as client:
            yield RestSource(client, limit=7, timeout=seconds, fields=fields or Fields())
    finally:
        listener.stop()


async def page_of(body: object, *, cursor: str | None = None, fields: Fields | None = None) -> SourcePage:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with backend(lambda _: Reply(HTTPStatus.OK, raw), fields=fields) as source:
        return await source.page(cursor, since=None, ids=None)


def items(*found: object, **rest: object) -> dict[str, object]:
    return {"items": list(found), "next_cursor": None, "total": len(found), **rest}


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"{}"), 500),
        (Reply(HTTPStatus.SERVICE_UNAVAILABLE, b"{}"), 503),
        (Reply(HTTPStatus.TOO_MANY_REQUESTS, b"{}"), 429),
        (Reply(HTTPStatus.OK, b"<html>a proxy's page</html>"), 200),
        (Reply(HTTPStatus.OK, b""), 200),
        (Reply(HTTPStatus.OK, b"[]"), 200),
        (Reply(HTTPStatus.OK, b"null"), 200),
        (Reply(HTTPStatus.OK, b'{"items":null,"next_cursor":null}'), 200),
        (Reply(HTTPStatus.OK, b'{"items":{},"next_cursor":null}'), 200),
        (Reply(HTTPStatus.OK, b'{"next_cursor":null}'), 200),
        (Reply(HTTPStatus.OK, b"[" * 100_000), 200),
        (Reply(HTTPStatus.OK, json.dumps(items(ITEM)).encode(), cut=0.5), None),
        (Reset(), None),
        (Hang(), None),
    ],
)
async def test_what_may_be_better_next_time_is_unavailable(plan: Plan, status: int | None) -> None:
    async with backend(lambda _: plan, seconds=0.3 if isinstance(plan, Hang) else 5.0) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.page(None, since=None, ids=None)
    assert caught.value.status_code == status
    assert caught.value.endpoint.endswith("/invoices")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
async def test_what_will_be_the_same_next_time_is_refused(status: int) -> None:
    async with backend(lambda _: Reply(HTTPStatus(status), b"{}")) as source:
        with pytest.raises(SourceRefused) as caught:
            await source.page(None, since=None, ids=None)
    assert caught.value.status_code == status


@pytest.mark.parametrize("following", ["here", 7, "a\x00b", "x" * 5000, ["c"]])
async def test_a_next_cursor_that_does_not_advance_or_is_none_is_refused(following: object) -> None:
    with pytest.raises(SourceRefused, match="does not advance"):
        await page_of(items(ITEM, next_cursor=following), cursor="here")


@pytest.mark.parametrize("total", [None, True, -1, "5", 10**12, 1.5])
async def test_a_total_that_is_no_count_is_none(total: object) -> None:
    assert (await page_of(items(ITEM, total=total))).total is None


@pytest.mark.parametrize(
    ("modified_at", "expected"),
    [
        ("2026-02-02T02:40:00Z", "2026-02-02T02:40:00+00:00"),
        ("2026-02-02T02:40:00+02:00", "2026-02-02T00:40:00+00:00"),
        ("2026-02-02T02:40:00", "2026-02-02T02:40:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("yesterday", None),
        (1770000000, None),
        (None, None),
    ],
)
async def test_a_time_is_an_instant_in_utc_or_none(modified_at: object, expected: str | None) -> None:
    (item,) = (await page_of(items({**ITEM, "modified_at": modified_at}))).items
    assert (item.modified_at.isoformat() if item.modified_at else None) == expected
    assert item.problem is None


@pytest.mark.parametrize(
    "odd", [{}, [], None, "text", 7, {"id": None, "ubl": "<a/>"}, {"id": "x"}, {**ITEM, "id": 10**30, "ubl": 1}]
)
async def test_an_item_that_is_none_is_kept_and_the_others_are_read(odd: Any) -> None:
    page = await page_of(items(odd, ITEM))
    assert [item.problem is None for item in page.items] == [False, True]
    if not isinstance(odd, dict) or "ubl" not in odd:
        assert json.loads(page.items[0].document) == odd


@pytest.mark.parametrize(
    ("spelt", "content"),
    [
        (rb'"<a>\ud800</a>"', b"<a>\xed\xa0\x80</a>"),
        (rb'"<a>\u0000</a>"', b"<a>\x00</a>"),
        (b'"<a>\xe9</a>"', b"<a>\xe9</a>"),
    ],
)
async def test_a_document_with_half_a_character_or_bad_utf8_does_not_spoil_its_page(
    spelt: bytes, content: bytes
) -> None:
    body = b'{"items":[{"id":"odd","ubl":' + spelt + b'},{"id":"fine","ubl":"<a/>"}],"next_cursor":null}'
    page = await page_of(body)
    assert [(item.source_id, item.document) for item in page.items] == [("odd", content), ("fine", b"<a/>")]
    assert page.items[0].text is None


@pytest.mark.parametrize(
    ("date", "clock"),
    [
        ("Mon, 02 Feb 2026 02:40:00 GMT", "2026-02-02T02:40:00+00:00"),
        ("Mon, 02 Feb 2026 02:40:00 -0000", "2026-02-02T02:40:00+00:00"),
        ("nonsense", None),
        ("Mon, 02 Feb 99999 02:40:00 GMT", None),
        (None, None),
    ],
)
async def test_the_sources_clock_is_its_date_or_none(date: str | None, clock: str | None) -> None:
    headers = {"date": date} if date is not None else {}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, json=items(ITEM)))
    async with httpx.AsyncClient(transport=answer, base_url="http://backend") as client:
        page = await RestSource(client, limit=7, timeout=5, fields=Fields()).page(None, since=None, ids=None)
    assert (page.source_clock.isoformat() if page.source_clock else None) == clock


async def test_the_fields_have_the_backends_own_names() -> None:
    theirs = {"nr": 12, "at": "2026-02-02T02:40:00Z", "xml": "<b/>"}
    (item,) = (await page_of(items(theirs), fields=Fields("nr", "at", "xml"))).items
    assert (item.source_id, item.text, item.modified_at is None) == ("12", "<b/>", False)


async def test_many_ids_are_asked_for_in_parts_that_fit_an_address_and_every_one_once() -> None:
    ids = [f"invoice/é-{n:05}" for n in range(700)]
    asked: list[list[str]] = []

    def answer(request: Request) -> Plan:
        wanted = request.query["ids"].split(",")
        begin = int(request.query.get("cursor") or 0)
        if begin == 0:
            asked.append(wanted)
        end = begin + int(request.query["limit"])
        following = str(end) if end < len(wanted) else None
        found = [{**ITEM, "id": source_id} for source_id in wanted[begin:end]]
        return Reply(HTTPStatus.OK, json.dumps(items(*found, next_cursor=following)).encode())

    async with backend(answer) as source:
        pages = [await source.page(None, since=None, ids=ids)]
        while (cursor := pages[-1].next_cursor) is not None:
            assert len(pages) < 1000
            pages.append(await source.page(cursor, since=None, ids=ids))
    assert [item.source_id for page in pages for item in page.items] == ids
    assert len(asked) > 3
    assert [source_id for part in asked for source_id in part] == ids
    cursors = [page.cursor for page in pages]
    assert len(set(cursors)) == len(cursors)
    assert [page.next_cursor for page in pages[:-1]] == cursors[1:]
