"""The story of a listing: page by page to its end, whatever the source does meanwhile."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from common.clock import Clock
from common.contracts.events import JobEventKind
from common.errors import InfrastructureError, RowFault
from common.invoice.move import Moved
from fetcher.domain import SourcePage
from fetcher.ports import LeasedJob, LeaseLost, SourceRefused, SourceUnavailable
from fetcher.use_cases import ListSource
from tests.unit.fetcher.fakes import NOW, FakeJobs, FakePages, FakeSource, Heard, leased, moved

DOCUMENTS = [(f"s-{n}", NOW + timedelta(minutes=n), f"<a>{n}</a>") for n in range(5)]
ALL = [source_id for source_id, _, _ in DOCUMENTS]
DOWN = SourceUnavailable("answered 503", endpoint="http://backend/invoices", status_code=503)
REFUSED = SourceRefused("answered 401", endpoint="http://backend/invoices", status_code=401)
STARTED, SETTLING = JobEventKind.STARTED, JobEventKind.SETTLING


class World:
    def __init__(self, source: FakeSource | None = None, pages: FakePages | None = None, retries: int = 2) -> None:
        self.source = source or FakeSource(DOCUMENTS)
        self.jobs = FakeJobs()
        self.pages = pages or FakePages()
        self.heard = Heard()
        self.story = ListSource(
            self.source,
            self.jobs,
            self.pages,
            announce=self.heard.announce,
            announce_jobs=self.heard.announce_jobs,
            retries=retries,
            clock=Clock(now=lambda: NOW, chance=random.Random(1)),
        )


async def test_every_page_is_recorded_and_announced_in_order() -> None:
    world = World()
    await world.story(leased())
    assert [number for number, _ in world.pages.recorded] == [0, 1, 2]
    assert world.pages.ids() == ALL
    assert [m.source_id for m in world.heard.moves] == ALL
    assert [(e.kind, e.version) for e in world.heard.jobs] == [(STARTED, 2), (SETTLING, 3)]


async def test_an_empty_source_is_one_empty_page() -> None:
    world = World(FakeSource([]))
    await world.story(leased())
    assert [len(page.items) for _, page in world.pages.recorded] == [0]
    assert world.heard.kinds() == [STARTED, SETTLING]


async def test_since_and_ids_are_asked_for_on_every_page() -> None:
    world = World()
    await world.story(leased(since=NOW + timedelta(minutes=1), invoice_ids=("s-1", "s-3", "s-4")))
    assert world.pages.ids() == ["s-1", "s-3", "s-4"]
    assert {(since, ids) for _, since, ids in world.source.asked} == {
        (NOW + timedelta(minutes=1), ("s-1", "s-3", "s-4"))
    }


async def test_a_job_taken_over_announces_what_may_not_have_been_and_goes_on_at_its_page() -> None:
    before = World()
    await before.story(leased())
    left_over = [moved("s-1")]
    world = World(pages=FakePages(left_over=left_over))
    await world.story(leased(started_now=False, page=1, cursor=before.pages.recorded[1][1].cursor))
    assert world.pages.ids() == ["s-2", "s-3", "s-4"]
    assert world.heard.moves[:1] == left_over
    assert world.heard.kinds() == [SETTLING]


async def test_a_source_that_is_down_for_a_while_costs_time_only() -> None:
    world = World(FakeSource(DOCUMENTS, faults=[DOWN, DOWN]))
    await world.story(leased())
    assert world.pages.ids() == ALL
    assert world.jobs.failures == []


async def test_a_source_that_stays_down_fails_the_listing_with_the_seeds_error() -> None:
    world = World(FakeSource(DOCUMENTS, faults=[DOWN, DOWN]), retries=1)
    await world.story(leased())
    ((_, error),) = world.jobs.failures
    assert error == {
        "code": "EXTERNAL_API_ERROR",
        "message": "The listing could not be completed: answered 503",
        "details": {
            "api_endpoint": "http://backend/invoices",
            "status_code": 503,
            "retry_count": 1,
            "next_retry_at": None,
        },
    }
    assert world.heard.kinds() == [STARTED, SETTLING]


async def test_a_refusal_is_not_tried_again() -> None:
    world = World(FakeSource(DOCUMENTS, faults=[REFUSED]))
    await world.story(leased())
    ((_, error),) = world.jobs.failures
    assert (error["details"]["status_code"], error["details"]["retry_count"]) == (401, 0)
    assert len(world.source.asked) == 1


class SlowPages(FakePages):
    """Records a page only after the source was asked for the next one and has answered."""

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().record(job, page)


async def test_a_source_that_refuses_the_next_page_does_not_undo_the_page_that_is_being_recorded() -> None:
    class OnePage(FakeSource):
        async def page(self, cursor: str | None, **wanted: object) -> SourcePage:  # type: ignore[override]
            if cursor is not None:
                raise REFUSED
            return await super().page(cursor, **wanted)  # type: ignore[arg-type]

    source = OnePage(DOCUMENTS)
    world = World(source, SlowPages())
    await world.story(leased())
    assert world.pages.ids() == ["s-0", "s-1"]
    assert [m.source_id for m in world.heard.moves] == ["s-0", "s-1"]
    assert len(world.jobs.failures) == 1


async def test_cursors_that_go_round_in_a_circle_end_the_listing() -> None:
    class Circle(FakeSource):
        async def page(self, cursor: str | None, **wanted: object) -> SourcePage:  # type: ignore[override]
            return SourcePage((), cursor, "b" if cursor == "a" else "a", None, None)

    world = World(Circle([]))
    await world.story(leased())
    ((_, error),) = world.jobs.failures
    assert "circle" in error["message"]


async def test_a_lost_lease_is_left_to_the_others_in_silence() -> None:
    world = World(pages=FakePages(refuse={1: LeaseLost("gone")}))
    await world.story(leased())
    assert world.pages.ids() == ["s-0", "s-1"]
    assert world.jobs.failures == []
    assert world.heard.kinds() == [STARTED]


async def test_a_page_that_the_database_refuses_as_a_whole_fails_the_listing_instead_of_going_round_for_ever() -> None:
    world = World(pages=FakePages(refuse={1: RowFault("22021: no")}))
    await world.story(leased())
    ((_, error),) = world.jobs.failures
    assert (error["code"], error["message"]) == ("PAGE_NOT_RECORDED", "A page could not be recorded: 22021: no")


async def test_a_failure_of_a_job_that_is_somebody_elses_now_is_not_announced() -> None:
    world = World(FakeSource(DOCUMENTS, faults=[REFUSED]))
    world.jobs.lost = True
    await world.story(leased())
    assert world.heard.kinds() == [STARTED]


async def test_a_deaf_broker_gives_the_job_back() -> None:
    world = World()
    world.heard.deaf = InfrastructureError("kafka")
    with pytest.raises(InfrastructureError):
        await world.story(leased(started_now=False))
    assert world.jobs.failures == []
