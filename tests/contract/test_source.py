"""What the fetcher may expect of a source: the fake in memory and the real adapter on the sandbox's backend alike."""

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.http.client import make_client
from fetcher.adapters.source_rest import Fields, RestSource
from fetcher.domain import SourcePage
from fetcher.ports import Source, SourceUnavailable
from sandbox.catalogue import FolderCatalogue
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.source import Source as SandboxSource
from sandbox.web import listen
from tests.unit.fetcher.fakes import FakeSource

TOKEN = "a-token"
NOW = datetime(2026, 2, 2, 2, 40, tzinfo=UTC)
DOCUMENTS = [(f"s-{n}", NOW + timedelta(minutes=n), f"<a>é {n}</a>") for n in range(5)]
Made = tuple[Source, Callable[[], None]]
"""A source of these documents in pages of two, and a way to make its next answer a failure that passes."""


async def the_fake(_: Path) -> AsyncGenerator[Made]:
    fake = FakeSource(DOCUMENTS, limit=2)
    yield fake, lambda: fake.faults.append(SourceUnavailable("answered 503", endpoint="/invoices", status_code=503))


async def the_real(folder: Path) -> AsyncGenerator[Made]:
    for source_id, at, text in DOCUMENTS:
        path = folder / f"{source_id}.xml"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (at.timestamp(), at.timestamp()))
    backend = SandboxSource(FolderCatalogue(folder), token=TOKEN)
    listener = await listen(backend.routes(), 0)
    fault = Behaviour(rules=(Rule(effect=Effect.UNAVAILABLE, next=1),))
    async with make_client(base_url=f"http://127.0.0.1:{listener.port}", token=TOKEN, connections=2) as client:
        yield RestSource(client, limit=2, timeout=5, fields=Fields()), lambda: backend.player.play(fault)
    listener.stop()


@pytest.fixture(params=[the_fake, the_real])
async def made(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Made]:
    async with asynccontextmanager(request.param)(tmp_path) as pair:
        yield pair


@pytest.fixture
def source(made: Made) -> Source:
    return made[0]


async def every_page(
    source: Source, *, since: datetime | None = None, ids: Sequence[str] | None = None
) -> list[SourcePage]:
    pages = [await source.page(None, since=since, ids=ids)]
    while pages[-1].next_cursor is not None:
        pages.append(await source.page(pages[-1].next_cursor, since=since, ids=ids))
        assert pages[-1].cursor == pages[-2].next_cursor
    return pages


def ids_of(pages: Sequence[SourcePage]) -> list[str]:
    return [item.source_id for page in pages for item in page.items]


async def test_pages_follow_each_other_to_the_end_in_the_order_of_modification(source: Source) -> None:
    pages = await every_page(source)
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert ids_of(pages) == [source_id for source_id, _, _ in DOCUMENTS]
    assert [page.total for page in pages] == [5, 5, 5]


async def test_an_item_has_its_document_and_its_time(source: Source) -> None:
    item = (await source.page(None, since=None, ids=None)).items[1]
    assert (item.source_id, item.text, item.modified_at, item.problem) == (
        "s-1", "<a>é 1</a>", NOW + timedelta(minutes=1), None,
    )  # fmt: skip
    assert item.document == "<a>é 1</a>".encode()


async def test_a_page_has_the_sources_clock(source: Source) -> None:
    clock = (await source.page(None, since=None, ids=None)).source_clock
    assert clock is not None
    assert clock.utcoffset() == timedelta(0)


async def test_since_takes_what_was_modified_then_or_later(source: Source) -> None:
    assert ids_of(await every_page(source, since=NOW + timedelta(minutes=3))) == ["s-3", "s-4"]
    assert ids_of(await every_page(source, since=NOW + timedelta(days=1))) == []


async def test_ids_take_exactly_these_and_those_that_are_not_there_are_no_error(source: Source) -> None:
    assert ids_of(await every_page(source, ids=["s-4", "nobody", "s-0", "s-2"])) == ["s-0", "s-2", "s-4"]
    assert ids_of(await every_page(source, ids=["nobody"])) == []


async def test_a_failure_that_passes_says_so_and_the_same_page_comes_afterwards(made: Made) -> None:
    source, fail = made
    first = await source.page(None, since=None, ids=None)
    fail()
    with pytest.raises(SourceUnavailable) as caught:
        await source.page(first.next_cursor, since=None, ids=None)
    assert caught.value.status_code == 503
    assert (await source.page(first.next_cursor, since=None, ids=None)).items[0].source_id == "s-2"
