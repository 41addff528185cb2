"""The watchdog on a real broker: it ends what hangs, and nothing else."""

import asyncio
import signal
import sys
from asyncio import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.ending import STANDSTILL
from common.kafka.provisioning import ensure_topics
from common.settings import Environment
from local.infrastructure import Infrastructure
from tests.chaos.proxy import HOST, Proxy, Way, Weather
from tests.integration.common.hanging import LIMIT
from tests.integration.common.kafka import announce, committed

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]


@dataclass
class Hanging:
    process: subprocess.Process

    async def says(self, word: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while word not in (line := (await self.process.stdout.readline()).decode()):
                assert line, f"it ended before it said {word}"

    async def ends(self, seconds: float) -> tuple[int, str]:
        """The exit code and what was written down."""
        async with asyncio.timeout(seconds):
            _, stacks = await self.process.communicate()
        return self.process.returncode or 0, stacks.decode()

    async def lives_for(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            return True
        return False

    async def works_off(self, bootstrap: str, count: int) -> None:
        """Wait until it has acknowledged `count` records, alive all the while."""
        async with asyncio.timeout(60):
            while await committed(bootstrap) < count:
                assert self.process.returncode is None, await self.ends(1)
                await asyncio.sleep(0.2)


@asynccontextmanager
async def hanging(how: str, *bootstraps: str) -> AsyncGenerator[Hanging]:
    process = await subprocess.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.common.hanging", how, *bootstraps,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Hanging(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ends_while_records_come(one: Hanging, bootstrap: str) -> int:
    ending = asyncio.ensure_future(one.ends(LIMIT + 8))
    while not ending.done():
        await announce(bootstrap, 1)
        await asyncio.sleep(0.2)
    return (await ending)[0]


@pytest.mark.parametrize("how", ["handler", "loop"])
async def test_a_handler_that_never_ends_ends_its_process_and_says_where_it_stood(
    kafka_bootstrap: str, how: str
) -> None:
    async with hanging(how, kafka_bootstrap) as one:
        await announce(kafka_bootstrap, 5)
        await one.says("hangs")
        code, stacks = await one.ends(LIMIT + 6)
    assert code == STANDSTILL
    assert {"handler": "waits_for_ever", "loop": "blocks"}[how] in stacks


async def test_a_hang_is_seen_although_new_records_keep_coming(kafka_bootstrap: str) -> None:
    async with hanging("handler", kafka_bootstrap) as one:
        await announce(kafka_bootstrap, 5)
        await one.says("hangs")
        assert await ends_while_records_come(one, kafka_bootstrap) == STANDSTILL


@pytest.mark.parametrize("how", ["fetching", "polling"])
async def test_a_consumer_that_silently_stops_asking_ends_its_process(kafka_bootstrap: str, how: str) -> None:
    async with hanging(how, kafka_bootstrap) as one:
        await announce(kafka_bootstrap, 5)
        await one.says("worked")
        await one.says("hangs")
        assert await ends_while_records_come(one, kafka_bootstrap) == STANDSTILL


@pytest.mark.parametrize("how", ["idle", "declared", "slow"])
async def test_control_who_is_idle_waits_on_purpose_or_is_slow_goes_on(kafka_bootstrap: str, how: str) -> None:
    async with hanging(how, kafka_bootstrap) as one:
        await one.says("ready")
        if how != "idle":
            await announce(kafka_bootstrap, 5)
        assert await one.lives_for(LIMIT * 3)


async def test_control_a_stopped_process_that_continues_goes_on(kafka_bootstrap: str) -> None:
    async with hanging("works", kafka_bootstrap) as one:
        await announce(kafka_bootstrap, 5)
        await one.says("worked")
        one.process.send_signal(signal.SIGSTOP)
        await announce(kafka_bootstrap, 5)
        await asyncio.sleep(LIMIT * 2.5)
        one.process.send_signal(signal.SIGCONT)
        assert await one.lives_for(LIMIT * 2)
        await one.works_off(kafka_bootstrap, 10)


@pytest.mark.parametrize("how", ["down", "stopped"])
async def test_control_a_broker_that_is_away_or_does_not_answer_ends_nobody(
    kafka_bootstrap: str, infrastructure: Infrastructure, how: str
) -> None:
    async with hanging("works", kafka_bootstrap) as one:
        await announce(kafka_bootstrap, 5)
        await one.says("worked")
        await announce(kafka_bootstrap, 200)
        await _away(infrastructure, how)
        try:
            assert await one.lives_for(LIMIT * 2)
        finally:
            await _back(infrastructure, how)
        await announce(kafka_bootstrap, 5)
        lives = await one.lives_for(LIMIT * 2)
        assert lives, await one.ends(1)
        await one.works_off(kafka_bootstrap, 210)


@pytest.fixture(scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Infrastructure, Proxy]]:
    """A broker of its own with a line that can be holed."""
    data: Path = tmp_path_factory.mktemp("proxied")
    async with Infrastructure(data, parts=frozenset({"kafka"}), kafka_by_proxy=True, say=lambda _: None) as running:
        await ensure_topics(running.kafka_bootstrap, Environment.LOCAL)
        ports = running.kafka_proxied
        async with Proxy.between(ports.advertised, ports.listens) as line:
            yield running, line


async def test_control_a_line_to_the_broker_that_swallows_everything_ends_nobody(
    proxied: tuple[Infrastructure, Proxy],
) -> None:
    running, line = proxied
    through = f"{HOST}:{running.kafka_proxied.advertised}"
    async with hanging("works", through) as one:
        await announce(running.kafka_bootstrap, 5)
        await one.says("worked")
        line.set(Weather(hole=Way.BOTH))
        await announce(running.kafka_bootstrap, 20)
        try:
            assert await one.lives_for(LIMIT * 3)
        finally:
            line.clear()
        await one.says("worked")
        assert await one.lives_for(LIMIT)


async def test_a_consumer_whose_own_line_swallows_everything_while_the_broker_answers_others_ends(
    proxied: tuple[Infrastructure, Proxy],
) -> None:
    running, line = proxied
    through = f"{HOST}:{running.kafka_proxied.advertised}"
    async with hanging("works", through, running.kafka_bootstrap) as one:
        await announce(running.kafka_bootstrap, 5)
        await one.says("worked")
        await one.lives_for(1.0)
        line.set(Weather(hole=Way.BOTH))
        try:
            assert await ends_while_records_come(one, running.kafka_bootstrap) == STANDSTILL
        finally:
            line.clear()


async def _away(infrastructure: Infrastructure, how: str) -> None:
    if how == "down":
        await infrastructure.hold("kafka")
    else:
        infrastructure.signal("kafka", signal.SIGSTOP)


async def _back(infrastructure: Infrastructure, how: str) -> None:
    if how == "down":
        await infrastructure.release("kafka")
    else:
        infrastructure.signal("kafka", signal.SIGCONT)
