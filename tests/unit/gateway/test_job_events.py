"""One watch for all who watch a job, and what the middleware does to streams that do not end."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send

from common.clock import SYSTEM_CLOCK
from common.errors import InfrastructureError
from gateway.domain.access import Role
from gateway.domain.faults import NotFound, TooManyStreams
from gateway.domain.progress import LAST, Reading, Viewer
from gateway.jobs.progress import Limits, Watches
from gateway.routes.envelopes import Envelopes
from gateway.routes.middleware import Edge
from tests.unit.gateway.fakes import OwnedTime, World, job, user
from tests.unit.gateway.fakes_jobs import FakeProgress

ANN, BOB = Viewer(uuid4(), 0), Viewer(uuid4(), 0)
LIMITS = Limits(per_user=2, total=3, every=0.01)


def watched(status: str = "running", limits: Limits = LIMITS) -> tuple[UUID, FakeProgress, Watches]:
    row = job(status=status)
    progress = FakeProgress([row])
    return row.job_id, progress, Watches(progress, SYSTEM_CLOCK, limits)


async def follow(watches: Watches, job_id: UUID, *, after: int = 0, who: Viewer = ANN) -> list[Reading]:
    async with asyncio.timeout(10), watches.seat(job_id, who, after=after) as seat:
        return [reading async for reading in seat.readings()]


async def seen(progress: FakeProgress, readings: int) -> None:
    async with asyncio.timeout(10):
        while len(progress.reads) < readings:
            await asyncio.sleep(0.001)


def end(progress: FakeProgress) -> None:
    progress.rows[0] = job(job_id=progress.rows[0].job_id, status="completed")


async def test_all_who_watch_a_job_share_its_readings() -> None:
    job_id, progress, watches = watched(limits=Limits(50, 50, every=0.05))
    tasks = [asyncio.ensure_future(follow(watches, job_id)) for _ in range(50)]
    await seen(progress, 4)
    end(progress)
    found = await asyncio.gather(*tasks)
    assert [[reading.number for reading in readings] for readings in found] == [[1, LAST]] * 50
    assert len(progress.reads) <= 6


async def test_a_viewer_who_leaves_while_reading_for_all_costs_no_second_reading_at_once() -> None:
    job_id, progress, watches = watched(limits=Limits(5, 5, every=0.2))
    hang = asyncio.Event()
    asked = progress.progress

    async def slow(job_id: UUID, viewers: object) -> object:
        found = await asked(job_id, [])
        if len(progress.reads) == 2:
            await hang.wait()
        return found

    progress.progress = slow  # pyright: ignore[reportAttributeAccessIssue]
    leader = asyncio.ensure_future(follow(watches, job_id))
    await seen(progress, 2)
    other = asyncio.ensure_future(follow(watches, job_id))
    begun = SYSTEM_CLOCK.monotonic()
    await asyncio.sleep(0)
    leader.cancel()
    await seen(progress, 3)
    assert SYSTEM_CLOCK.monotonic() - begun > 0.15
    end(progress)
    assert [reading.number for reading in await other] == [1, LAST]


async def test_a_database_that_is_away_is_waited_for() -> None:
    job_id, progress, watches = watched()
    following = asyncio.ensure_future(follow(watches, job_id))
    await seen(progress, 1)
    progress.broken = InfrastructureError("nobody there")
    await seen(progress, 3)
    progress.broken = None
    end(progress)
    assert [reading.number for reading in await following] == [1, LAST]


async def test_without_a_first_reading_there_is_no_stream() -> None:
    job_id, progress, watches = watched()
    progress.broken = InfrastructureError("nobody there")
    with pytest.raises(InfrastructureError):
        await follow(watches, job_id)
    progress.broken = None
    with pytest.raises(NotFound):
        await follow(watches, uuid4())


async def test_who_comes_from_a_replica_that_was_ahead_is_told_nothing_older() -> None:
    job_id, progress, watches = watched()
    progress.versions[job_id] = 5
    following = asyncio.ensure_future(follow(watches, job_id, after=7))
    await seen(progress, 3)
    progress.versions[job_id] = 8
    await seen(progress, 6)
    end(progress)
    assert [reading.number for reading in await following] == [8, LAST]


async def test_streams_are_bounded_by_user_and_in_all_and_given_back() -> None:
    job_id, _, watches = watched()
    async with watches.seat(job_id, ANN, after=0), watches.seat(job_id, ANN, after=0):
        with pytest.raises(TooManyStreams, match="one user"):
            await follow(watches, job_id)
        async with watches.seat(job_id, BOB, after=0):
            with pytest.raises(TooManyStreams, match="everybody"):
                await follow(watches, job_id, who=BOB)
    async with watches.seat(job_id, ANN, after=0), watches.seat(job_id, ANN, after=0):
        pass


async def test_a_job_that_nobody_watches_is_not_read() -> None:
    job_id, progress, watches = watched(limits=Limits(2, 3, life=timedelta(seconds=0.03), every=0.01))
    await follow(watches, job_id)
    read = len(progress.reads)
    await asyncio.sleep(0.05)
    assert len(progress.reads) == read


async def test_a_stream_lives_as_long_as_it_may_and_its_viewer_comes_again() -> None:
    job_id, _, watches = watched(limits=Limits(2, 3, life=timedelta(seconds=0.03), every=0.01))
    async with asyncio.timeout(5):
        assert [reading.number for reading in await follow(watches, job_id)] == [1]
        assert await follow(watches, job_id, after=1) == []


async def test_who_may_not_sign_in_any_more_is_shown_out() -> None:
    job_id, progress, watches = watched()
    ann, bob = (asyncio.ensure_future(follow(watches, job_id, who=who)) for who in (ANN, BOB))
    await seen(progress, 2)
    progress.barred.add(ANN)
    progress.versions[job_id] = 2
    async with asyncio.timeout(5):
        assert [reading.number for reading in await ann] == [1]
    end(progress)
    assert (await bob)[-1].number == LAST


async def test_a_process_that_stops_lets_everybody_go_and_takes_nobody() -> None:
    job_id, progress, watches = watched(limits=Limits(2, 3, every=30))
    following = asyncio.ensure_future(follow(watches, job_id))
    await seen(progress, 1)
    async with asyncio.timeout(5):
        await watches.drain()
        assert [reading.number for reading in await following] == [1]
    with pytest.raises(InfrastructureError, match="stopping"):
        await follow(watches, job_id)


async def test_the_end_is_an_event_of_its_own_with_the_jobs_results() -> None:
    world = World()
    world.jobs.rows.append(job())
    answer = await world.signed_in(world.users.add(user(Role.USER))).get(url(world))
    lines = answer.text.splitlines()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert (answer.headers["X-Accel-Buffering"], answer.headers["Cache-Control"]) == ("no", "no-store")
    assert (lines[0], lines[2]) == ("event: end", f"id: {LAST}")
    assert '"completed_at":"2026-11-24T12:05:00Z"' in lines[1]


def url(world: World) -> str:
    return f"/api/v1/jobs/{world.jobs.rows[0].job_id}/events"


@pytest.mark.parametrize("given", ["-1", "x", str(LAST + 1), "1e3"])
async def test_an_event_id_that_is_none_of_ours_is_refused(given: str) -> None:
    world = World()
    world.jobs.rows.append(job())
    answer = await world.signed_in().get(url(world), headers={"Last-Event-ID": given})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


async def test_one_stream_too_many_is_told_when_to_come_back() -> None:
    world = World(streams=Limits(0, 5))
    world.jobs.rows.append(job())
    answer = await world.signed_in().get(url(world))
    assert (answer.status_code, answer.json()["error"]["details"]) == (429, {"limit": 0})
    assert answer.headers["Retry-After"]


async def slow_events(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": b": ping\n\n"})


async def test_no_time_limit_cuts_events_off_and_no_latency_is_counted_for_them() -> None:
    app = Edge(slow_events, envelopes=Envelopes(OwnedTime().clock()), longest=0.01)
    labels = {"method": "GET", "route": "unmatched"}
    before = REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http:
        answer = await http.get("/")
    assert answer.text == ": ping\n\n"
    assert REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) in {before, None}
