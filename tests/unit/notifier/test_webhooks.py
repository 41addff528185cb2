"""Deliveries: signed, judged, tried again; each endpoint for itself."""

import asyncio
import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import Clock
from common.contracts.webhooks import key_id, secret_of
from common.errors import InfrastructureError
from notifier.webhooks.rules import (
    LONGEST_RETRY_AFTER,
    LONGEST_WAIT,
    Answer,
    Answered,
    Claim,
    Endpoint,
    Mood,
    NoAnswer,
    Settled,
    headers,
    mood,
    settle,
    sign,
    wait_before,
)
from notifier.webhooks.sending import Deliver

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "a signing key of thirty-two letters or more"
CHANCE = random.Random(7)
FAST = timedelta(milliseconds=5)


def endpoint(*, url: str = "https://a.example", failures: int = 0, **given: object) -> Endpoint:
    fields = {"key_id": key_id(KEY), "secret_number": 1, "previous_until": None, "open": True} | given
    return Endpoint(uuid4(), url, failures=failures, **fields)  # type: ignore[arg-type]


def claim(attempt: int = 1) -> Claim:
    return Claim(uuid4(), uuid4(), "evt_1_4", '{"type": "invoice.sent"}', attempt, NOON + timedelta(days=3))


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The example of Standard Webhooks' own libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("until", "signatures"), [(None, 1), (NOON, 1), (NOON + FAST, 2)])
def test_the_secret_before_signs_until_its_end(until: datetime | None, signatures: int) -> None:
    to = endpoint(secret_number=2, previous_until=until)
    made = headers(to, claim(), KEY, NOON)["webhook-signature"].split(" ")
    expected = [sign(secret_of(KEY, to.id, n), "evt_1_4", int(NOON.timestamp()), claim().body.encode()) for n in (2, 1)]
    assert made == expected[:signatures]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_received(status: int) -> None:
    settled = settle(claim(), Answered(status, FAST), NOON, CHANCE)
    assert (settled.status, settled.wait, settled.error) == ("delivered", None, None)


@pytest.mark.parametrize("status", [100, 301, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    settled = settle(claim(), Answered(status, FAST), NOON, CHANCE)
    assert settled.status == "waiting"
    assert str(status) in (settled.error or "")


def test_gone_is_the_end_of_it() -> None:
    gone = settle(claim(), Answered(410, FAST), NOON, CHANCE)
    assert (gone.status, mood(endpoint(), [gone], CHANCE).gone) == ("failed", True)


def test_what_could_only_be_tried_after_its_time_is_given_up() -> None:
    late = NOON + timedelta(days=3)
    assert settle(claim(), NoAnswer("no answer in time", FAST), late, CHANCE).status == "failed"


@given(st.integers(1, 10_000), st.integers(0, 10**6))
def test_waits_are_random_grow_and_stay_within_their_bound(attempt: int, seed: int) -> None:
    bound = min(timedelta(seconds=10) * 2 ** min(attempt - 1, 30), LONGEST_WAIT)
    assert timedelta(seconds=1) <= wait_before(attempt, random.Random(seed)) <= bound


@pytest.mark.parametrize(("asked", "least"), [(600, timedelta(minutes=10)), (10**6, LONGEST_RETRY_AFTER)])
def test_retry_after_is_a_floor_with_a_cap(asked: int, least: timedelta) -> None:
    answer = Answered(429, FAST, retry_after=timedelta(seconds=asked))
    settled = settle(claim(), answer, NOON, CHANCE)
    assert settled.wait is not None
    assert settled.wait >= least
    assert mood(endpoint(), [settled], CHANCE).quiet == least


@dataclass
class FakeOutbox:
    endpoints: list[Endpoint]
    waiting: dict[UUID, list[Claim]]
    settled: list[Settled] = field(default_factory=list[Settled])
    asked_for: list[int] = field(default_factory=list[int])
    broken: bool = False

    async def due(self) -> Sequence[Endpoint]:
        if self.broken:
            self.broken = False
            raise InfrastructureError("database: away")
        return [one for one in self.endpoints if self.waiting[one.id]]

    async def claim(self, endpoint: Endpoint, most: int, lease: timedelta) -> Sequence[Claim]:
        self.asked_for.append(most)
        waiting = self.waiting[endpoint.id]
        taken, waiting[:] = waiting[:most], waiting[most:]
        return taken

    async def settle(self, endpoint_id: UUID, results: Sequence[Settled], mood: Mood) -> str | None:
        self.settled += results
        return None

    async def tidy(self) -> None: ...


@dataclass
class FakePoster:
    hanging: str = ""
    posted: list[tuple[str, Mapping[str, str]]] = field(default_factory=list[tuple[str, Mapping[str, str]]])

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.posted.append((url, headers))
        if url == self.hanging:
            await asyncio.Event().wait()
        return Answered(200, FAST)


def deliverer(outbox: FakeOutbox, poster: FakePoster, key: str | None = KEY) -> Deliver:
    return Deliver(outbox, poster, key=key, lease=timedelta(seconds=45), clock=Clock(now=lambda: NOON))


async def test_an_endpoint_that_hangs_holds_no_other_up_and_a_database_that_was_away_neither() -> None:
    slow, fast = endpoint(url="https://slow.example"), endpoint()
    outbox = FakeOutbox([slow, fast], {slow.id: [claim()], fast.id: [claim() for _ in range(40)]}, broken=True)
    poster = FakePoster(hanging=slow.url)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(deliverer(outbox, poster).run())
        while len(outbox.settled) < 40:
            await asyncio.sleep(0.01)
        running.cancel()
    assert {url for url, _ in poster.posted} == {slow.url, fast.url}


async def test_in_a_long_backlog_its_endpoint_is_read_anew() -> None:
    """It may have been disabled meanwhile."""
    one, ticks = endpoint(), iter(range(0, 10_000, 3))
    outbox = FakeOutbox([one], {one.id: [claim() for _ in range(100)]})
    clock = Clock(now=lambda: NOON, monotonic=lambda: float(next(ticks)))
    deliver = Deliver(outbox, FakePoster(), key=KEY, lease=timedelta(seconds=45), clock=clock)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(deliver.run())
        while len(outbox.settled) < 32:
            await asyncio.sleep(0)
        outbox.endpoints.clear()
        await asyncio.sleep(0.7)
        running.cancel()
    assert len(outbox.settled) == 32


async def test_one_that_failed_often_is_spared() -> None:
    troubled = endpoint(failures=5)
    outbox = FakeOutbox([troubled], {troubled.id: [claim(), claim()]})
    assert await deliverer(outbox, FakePoster()).deliver(troubled) == 1
    assert outbox.asked_for == [1]


@pytest.mark.parametrize("key", [None, "another key that has thirty-two letters too"])
async def test_without_its_key_nothing_is_posted_and_the_log_says_why(key: str | None) -> None:
    one = endpoint()
    outbox, poster = FakeOutbox([one], {one.id: [claim()]}), FakePoster()
    assert await deliverer(outbox, poster, key).deliver(one) == 0
    assert poster.posted == []
    assert "WEBHOOK_SIGNING_KEY" in (outbox.settled[0].error or "")
