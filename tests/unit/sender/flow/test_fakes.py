"""The fake keeps what PostgreSQL keeps."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sender.ports import Shared
from tests.unit.sender.flow.contract import CHECKS
from tests.unit.sender.flow.fakes import FakeShared


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_shared(check: Callable[[Shared], Awaitable[None]]) -> None:
    await check(FakeShared(asyncio.get_running_loop().time))
