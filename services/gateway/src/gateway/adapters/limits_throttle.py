"""Sign-in throttle with `limits`: shared through Valkey where there is one, else in this process.

Only failures count. There is no limit on a name alone that a stranger could use up to lock its owner out cheaply: the
tight one is on name and address together.
"""

import asyncio
import ipaddress
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from common.clock import Clock
from gateway.domain.faults import TooManyAttempts

log = structlog.get_logger()

Result = TypeVar("Result")

PER_NAME_AND_ADDRESS = RateLimitItemPerMinute(10, 15, namespace="login-pair")
PER_ADDRESS = RateLimitItemPerMinute(30, 5, namespace="login-address")
PER_NAME = RateLimitItemPerMinute(100, 15, namespace="login-name")

REDIS_TIMEOUT = 0.5
REDIS_PAUSE = 5.0
"""After a failure nobody waits for Valkey for this many seconds."""


class LimitsThrottle:
    def __init__(self, redis_url: str | None, *, clock: Clock) -> None:
        self._clock = clock
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._redis = _storage(redis_url) if redis_url else None
        self._shared = MovingWindowRateLimiter(self._redis) if self._redis else None
        self._paused_until = 0.0

    async def check(self, username: str, ip: str | None) -> None:
        for item, keys in _limits(username, ip):
            if (wait := await self._ask(lambda limiter, item=item, keys=keys: _wait(limiter, item, keys))) is not None:
                raise TooManyAttempts(wait)

    async def failed(self, username: str, ip: str | None) -> None:
        for item, keys in _limits(username, ip):
            await self._ask(lambda limiter, item=item, keys=keys: limiter.hit(item, *keys))

    async def succeeded(self, username: str, ip: str | None) -> None:
        """Forget this name at this address; the address keeps what it did to other names."""
        item, keys = _limits(username, ip)[0]
        await self._ask(lambda limiter: limiter.clear(item, *keys))

    @property
    def is_shared(self) -> bool:
        """Whether there is a Valkey to count in."""
        return self._redis is not None

    async def answers(self) -> bool:
        """Whether Valkey does."""
        try:
            return self._redis is not None and await self._redis.check()
        except (RedisError, OSError):
            return False

    async def close(self) -> None:
        if self._redis is not None:
            client: Any = getattr(self._redis.bridge, "storage")  # noqa: B009 - the typed surface has no way to close it
            await client.aclose()

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], Awaitable[Result]]) -> Result:
        if self._shared is not None and self._clock.monotonic() >= self._paused_until:
            try:
                async with asyncio.timeout(REDIS_TIMEOUT):
                    return await question(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._paused_until = self._clock.monotonic() + REDIS_PAUSE
                log.warning("throttle_is_local", error=type(error).__name__)
        return await question(self._local)


def _storage(url: str) -> RedisStorage:
    return RedisStorage(
        "async+" + re.sub("^valkey", "redis", url),
        implementation="redispy",
        socket_timeout=REDIS_TIMEOUT,
        socket_connect_timeout=REDIS_TIMEOUT,
    )


def _limits(username: str, ip: str | None) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    address, name = network(ip), sha256(username.encode()).hexdigest()[:32]
    return [
        (PER_NAME_AND_ADDRESS, (name, address)),
        (PER_ADDRESS, (address,)),
        (PER_NAME, (name,)),
    ]


def network(ip: str | None) -> str:
    """An IPv6 caller owns a /64, so that is one address here."""
    if ip is None:
        return "unknown"
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, keys: tuple[str, ...]) -> timedelta | None:
    if await limiter.test(item, *keys):
        return None
    stats = await limiter.get_window_stats(item, *keys)
    # `limits` keeps time by the wall clock itself, so its answer is compared with the same
    return timedelta(seconds=max(1.0, stats.reset_time - time.time()))
