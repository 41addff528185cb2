"""The two loads that the system is measured beside do what they say, against the sandbox's own faces."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from benchmarks import limit, sequential
from benchmarks.child import Work
from sandbox.app import build_destination, build_source
from sandbox.oracle import Oracle
from sandbox.settings import Settings
from sandbox.web import listening

pytestmark = pytest.mark.stack

LISTED = 250
"""More than one page."""


@pytest.fixture
async def work(tmp_path: Path) -> AsyncGenerator[Work, None]:
    settings = Settings(data_dir=tmp_path, corpus="bench-1", count=LISTED)
    with ExitStack() as closing:
        source, destination = build_source(settings, closing), build_destination(settings, closing)
        async with listening(source) as source_url, listening(destination) as destination_url:
            token = settings.token.get_secret_value()
            yield Work(source_url=source_url, destination_url=destination_url, token=token, count=40, in_flight=4)


async def test_the_limit_posts_what_it_counts_and_its_warm_up(work: Work, tmp_path: Path) -> None:
    done = await limit.measure(work)

    assert done.count == 40
    assert len(Oracle(tmp_path).accepted()) == 40 + limit.WARM_ROUNDS * 4
    assert done.seconds > 0


async def test_the_limit_begins_again_when_the_documents_are_used_up(work: Work, tmp_path: Path) -> None:
    await limit.measure(work.model_copy(update={"count": LISTED + 50}))

    assert len({document.number for document in Oracle(tmp_path).accepted()}) == LISTED


async def test_the_sequential_design_writes_and_sends_each_invoice_once(
    work: Work, tmp_path: Path, database_url: str
) -> None:
    done = await sequential.measure(work.model_copy(update={"count": 210, "database_url": database_url}))

    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT status, clearfacts_response->>'uuid' AS uuid FROM invoices")
    await connection.close()
    accepted = {document.uuid for document in Oracle(tmp_path).accepted()}
    assert done.count == 210
    assert {row["status"] for row in rows} == {"sent"}
    assert {row["uuid"] for row in rows} == accepted
    assert len(accepted) == 210 + sequential.WARM


async def test_the_sequential_design_does_not_count_a_duplicate(work: Work, database_url: str) -> None:
    of_its_own = work.model_copy(update={"count": 30, "database_url": database_url})
    await sequential.measure(of_its_own)

    assert (await sequential.measure(of_its_own)).count == 0
