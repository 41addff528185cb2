"""Worker processes that die, in the middle of a call and between two."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator

import pytest

from common.errors import RetryableError
from common.workers import Workers


@pytest.fixture
async def workers() -> AsyncGenerator[Workers]:
    pool = Workers(1, limit=20.0)
    yield pool
    await pool.close()


async def test_a_worker_that_dies_in_a_call_costs_a_retry(workers: Workers) -> None:
    with pytest.raises(RetryableError):
        await workers.run(os._exit, 1)
    assert await workers.run(abs, -1) == 1


async def test_a_worker_that_died_while_it_was_idle_costs_a_retry_at_most(workers: Workers) -> None:
    os.kill(await workers.run(os.getpid), signal.SIGKILL)
    async with asyncio.timeout(10):
        while not workers._pool._broken:  # pyright: ignore[reportPrivateUsage] - the moment that is meant
            await asyncio.sleep(0.01)
    with pytest.raises(RetryableError):
        await workers.run(abs, -1)
    assert await workers.run(abs, -1) == 1


async def test_a_worker_that_takes_too_long_is_killed() -> None:
    slow = Workers(1, limit=1.5)
    pid = await slow.run(os.getpid)
    with pytest.raises(RetryableError, match="did not end"):
        await slow.run(time.sleep, 60)
    async with asyncio.timeout(10):
        while pid == await slow.run(os.getpid):
            pass
    await slow.close()
