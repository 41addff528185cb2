"""The benchmark of reads asks what the API answers: small, on the real PostgreSQL, both servers in this process."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI

from benchmarks.reads import bare
from benchmarks.reads.filling import fill
from benchmarks.reads.load import Asked, Orders, by_the_clock, in_turns
from benchmarks.reads.questions import Group, Question, questions, sample
from benchmarks.reads.watching import watch
from common.db.pool import Database
from gateway.domain.cursors import Cursors
from tests.integration.gateway.streams import Served, served
from tests.integration.gateway.world import RealWorld

pytestmark = pytest.mark.stack

ROWS, SEED = 600, 1
OF_THE_WORLD = Cursors(b"k" * 32)


@dataclass(frozen=True)
class There:
    token: str
    port: int
    bare_port: int
    asked: list[Question]

    def orders(self, asked: list[Question]) -> Orders:
        return Orders(
            questions=[Asked(name=one.name, share=one.share, paths=one.paths, bare=one.bare) for one in asked],
            token=self.token,
            seed=SEED,
            port=self.port,
            bare_port=self.bare_port,
        )


@pytest.fixture
async def there(database: Database) -> AsyncGenerator[There, None]:
    await fill(database, ROWS, SEED)
    world, chance = RealWorld(database), random.Random(SEED)
    token = world.signs_in(await world.admin())["Authorization"].removeprefix("Bearer ")
    asked = questions(await sample(database, ROWS, chance), OF_THE_WORLD, chance)
    async with served(world) as replica, serving(bare.make_api(database)) as bare_port:
        yield There(token, port_of(replica), bare_port, asked)


def port_of(replica: Served) -> int:
    return int(replica.url.rpartition(":")[2])


@asynccontextmanager
async def serving(api: FastAPI) -> AsyncGenerator[int, None]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server._serve(sockets=[listener]))  # pyright: ignore[reportPrivateUsage]
        yield listener.getsockname()[1]
        server.should_exit = True


async def test_each_question_is_answered_by_the_clock(there: There) -> None:
    told = await by_the_clock(there.orders(there.asked).model_copy(update={"rate": 50.0, "seconds": 1.0}))

    assert told.refused == {}
    assert {name: len(took) for name, took in told.took.items()} == {one.name: one.share for one in there.asked}
    assert {one.group for one in there.asked} == set(Group)


async def test_bare_fastapi_answers_the_same_questions_in_turns(there: There) -> None:
    compared = [question for question in there.asked if question.bare]
    orders = there.orders(compared).model_copy(update={"slices": 1, "slice_seconds": 0.05, "connections": 2})

    told = await in_turns(orders)

    assert told.turns.keys() == {question.name for question in compared}
    assert all(turns.gateway.answered and turns.bare.answered for turns in told.turns.values())


async def test_what_was_made_is_what_the_services_leave(database: Database) -> None:
    await fill(database, ROWS, SEED)
    row = await database.fetchrow(
        """SELECT count(*) AS invoices, count(DISTINCT job_id) AS jobs, avg(length(ubl_data))::int AS body,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            (SELECT count(*) FROM invoice_events) AS events,
            (SELECT count(*) FROM pg_index WHERE indrelid = 'invoices'::regclass AND NOT indisprimary) AS indexes
        FROM invoices"""
    )
    assert row is not None
    assert (row["invoices"], row["jobs"], row["body"], row["events"]) == (ROWS, ROWS, 1000, 4 * ROWS)
    assert row["failed"] > 0
    assert row["indexes"] > 10


async def test_browsers_are_told_what_moves_and_cost_less_than_they_are(database: Database) -> None:
    world = RealWorld(database)
    token = world.signs_in(await world.admin())["Authorization"].removeprefix("Bearer ")
    async with served(world) as replica:
        watched = await watch(database, port_of(replica), token, seconds=1.0, browsers=20)

    assert watched.events >= 20
    assert watched.statements - watched.without < 20
