"""Password hashes: argon2id, off the event loop, few at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from gateway.domain.faults import Busy

AT_ONCE = 2
WAITING = 32


class Argon2Passwords:
    """46 MiB, one pass, one lane: the first of OWASP's equal choices (Password Storage Cheat Sheet)."""

    def __init__(self, *, memory_kib: int = 47_104, passes: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._dummy = self._hasher.hash("nobody has this password")
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None, None]:
        if self._inside >= AT_ONCE + WAITING:
            raise Busy
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1

    async def matches(self, password_hash: str | None, password: str) -> bool:
        right = await asyncio.to_thread(self._verify, password_hash or self._dummy, password)
        return right and password_hash is not None

    async def hashed(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, password)

    def outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
