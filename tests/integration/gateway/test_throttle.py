"""The throttle on the real Valkey, and without it."""

import asyncio
from time import monotonic
from uuid import uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from gateway.adapters.limits_throttle import REDIS_PAUSE, REDIS_TIMEOUT, LimitsThrottle
from gateway.domain.faults import TooManyAttempts
from local.infrastructure import Infrastructure
from tests.unit.gateway.fakes import OwnedTime

pytestmark = pytest.mark.stack


async def fail_ten_times(throttle: LimitsThrottle, name: str, ip: str) -> None:
    for _ in range(10):
        await throttle.failed(name, ip)


async def test_replicas_share_what_they_saw(infrastructure: Infrastructure) -> None:
    name, ip = f"name-{uuid4()}", "192.0.2.1"
    one, two = (LimitsThrottle(infrastructure.redis_url, clock=SYSTEM_CLOCK) for _ in range(2))
    await fail_ten_times(one, name, ip)
    with pytest.raises(TooManyAttempts):
        await two.check(name, ip)
    await two.succeeded(name, ip)
    await one.check(name, ip)
    await one.close()
    await two.close()


async def test_without_valkey_each_replica_throttles_alone() -> None:
    throttle = LimitsThrottle("redis://127.0.0.1:1/0", clock=SYSTEM_CLOCK)
    await fail_ten_times(throttle, "ann", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        await throttle.check("ann", "192.0.2.1")
    await throttle.close()


async def test_a_valkey_that_never_answers_costs_one_short_wait() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    time = OwnedTime()
    throttle = LimitsThrottle(f"valkey://127.0.0.1:{port}/0", clock=time.clock())
    started = monotonic()
    await fail_ten_times(throttle, "ann", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        await throttle.check("ann", "192.0.2.1")
    assert monotonic() - started < 2 * REDIS_TIMEOUT
    time.seconds = REDIS_PAUSE
    await throttle.failed("bob", "192.0.2.1")
    assert monotonic() - started < 4 * REDIS_TIMEOUT, "asked again after the pause, once"
    await throttle.close()
    server.close()
