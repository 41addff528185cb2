"""Worker processes that die, in the middle of a call and between two."""

import asyncio
import os
import signal
import sys
import time
from asyncio import subprocess
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


OWNER = """
import asyncio, os, sys, time
from common.workers import Workers

async def main():
    workers = Workers(2, preload=sys.argv[1:])
    await asyncio.gather(*[workers.run(time.sleep, 0.2) for _ in range(2)])
    print(await workers.run(os.getpid), flush=True)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("preload", [[], ["json"]], ids=["spawned", "forked"])
async def test_workers_end_with_their_owner_although_it_is_killed(preload: list[str]) -> None:
    owner = await subprocess.create_subprocess_exec(
        sys.executable, "-c", OWNER, *preload, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    worker = int(await owner.stdout.readline())
    owner.kill()
    try:
        async with asyncio.timeout(10):
            assert await owner.stdout.read() == b"", "it ends when the last of them has closed it"
    except TimeoutError:
        os.kill(worker, signal.SIGKILL)
        raise
    finally:
        await owner.wait()
