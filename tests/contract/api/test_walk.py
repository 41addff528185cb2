"""The whole API, asked well and badly, by everybody: never a defect, always an envelope as it is described.

What schemathesis does not ask: bytes that are no JSON, headers, paths and methods that nobody describes. Over fakes;
test_schemathesis has the rest.
"""

import asyncio
import itertools
from functools import cache
from typing import Any

import httpx
import pytest

from gateway.domain.access import Role
from tests.contract.api.asking import BROWSER, CANARY, odd_kinds, odd_parameters, other_bodies, usual
from tests.contract.api.rows import IDS, furnish
from tests.contract.api.walker import (
    BEFORE_THE_GUARD,
    CALLERS,
    METHODS,
    NOBODY,
    OPERATIONS,
    Operation,
    Request,
    check,
    send,
    taken,
)
from tests.unit.gateway.fakes import World, user

LONGEST = 5.0
names = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


class Callers:
    """One application, and a client for each kind of caller."""

    def __init__(self) -> None:
        self.world = World()
        transport = httpx.ASGITransport(self.world.api())
        self._clients: dict[str, httpx.AsyncClient] = {}
        for caller in CALLERS:
            headers: dict[str, str] = {}
            if caller != NOBODY:
                grant = self.world.tokens().issue(self.world.users.add(user(Role(caller))))
                headers = {"Authorization": f"Bearer {grant.access_token}"}
            self._clients[caller] = httpx.AsyncClient(
                transport=transport, base_url="http://gateway.test", headers=headers
            )

    async def ask(self, caller: str, request: Request, operation: Operation | None) -> httpx.Response:
        """Fails where the answer is not what every answer must be, or not what the table of permissions says."""
        async with asyncio.timeout(LONGEST):
            answer = await send(self._clients[caller], request)
        check(answer, operation)
        if operation is not None:
            refusal, what = operation.refusal(caller), (caller, request, answer.status_code, answer.text[:300])
            if refusal is None:
                assert answer.status_code not in ({403} if operation.name == "auth_login" else {401, 403}), what
            else:
                assert answer.status_code in {refusal, *BEFORE_THE_GUARD}, what
        return answer


@cache
def _shared() -> Callers:
    return Callers()


@pytest.fixture
def callers() -> Callers:
    """The rows are as at the start."""
    furnish(_shared().world)
    return _shared()


@names
async def test_who_asks_well_is_answered_or_refused_by_the_table(operation: Operation, callers: Callers) -> None:
    for caller in CALLERS:
        answer = await callers.ask(caller, usual(operation), operation)
        refusal = operation.refusal(caller)
        understood = answer.status_code not in {400, 413, 415} and '"VALIDATION_ERROR"' not in answer.text
        assert answer.status_code == refusal if refusal else understood, answer.text


@names
@pytest.mark.parametrize("ask", [other_bodies, odd_kinds, odd_parameters])
async def test_who_asks_badly_is_told_so_in_an_envelope(ask: Any, operation: Operation, callers: Callers) -> None:
    for request in ask(operation):
        for caller in CALLERS:
            answer = await callers.ask(caller, request, operation)
            if answer.status_code in {400, 422}:
                assert CANARY not in answer.text, "what was sent is repeated"


@names
async def test_a_method_that_is_not_described_is_told_the_right_ones(operation: Operation, callers: Callers) -> None:
    path = operation.filled(IDS)
    for method in {*map(str.upper, METHODS), "HEAD", "OPTIONS", "TRACE", "BREW"} - taken(path):
        answer = await callers.ask(NOBODY, Request(method, path), None)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == taken(path)


@pytest.mark.parametrize(
    "path", ["..%2F..", "jobs%2F", "v1//jobs", "%2e%2e", "jobs/%00/x", "💩", "jobs;x=1", "JOBS", "."]
)
async def test_a_path_that_is_nobodys_is_an_envelope(path: str, callers: Callers) -> None:
    for root, caller, accept in itertools.product(("/api/v1/", "/auth/"), CALLERS, ("*/*", BROWSER)):
        answer = await callers.ask(caller, Request("GET", root + path, headers={"Accept": accept}), None)
        assert answer.status_code == 404
