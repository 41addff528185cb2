"""The whole API, asked well and badly, by everybody: never a defect, always an envelope as it is described.

In place of schemathesis, over fakes and in this process; tests/integration/gateway walks it over PostgreSQL.
"""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.access import Role
from gateway.routes.middleware import LONGEST_BODY
from tests.contract.api.generating import CANARY, bodies, wild
from tests.contract.api.rows import IDS, furnish
from tests.contract.api.walker import (
    BEFORE_THE_GUARD,
    CALLERS,
    DESCRIBED,
    JSON,
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
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
MORE = settings(max_examples=25, deadline=None, database=None, print_blob=True)
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


def usual(operation: Operation) -> Request:
    request = Request(operation.method.upper(), operation.filled(IDS))
    if operation.body is None:
        return request
    example = next(iter(operation.body["examples"].values()))["value"]
    return request.with_json(example)


def other_bodies(operation: Operation) -> Iterator[Request]:
    """Bodies that are missing, broken, too large, of another type, or have other fields than they should."""
    request = usual(operation)
    if operation.body is None:
        return
    yield Request(request.method, request.path)
    yield Request(request.method, request.path, headers={"Content-Type": JSON})
    for content in (b"{", b"\xff\xfe", b'{"a":1e999}', b"[" * 5000, b'{"\xed\xa0\x80":1}', b'"\\ud800"', b"NaN"):
        yield Request(request.method, request.path, content, {"Content-Type": JSON})
    yield Request(request.method, request.path, b" " * (LONGEST_BODY + 1), {"Content-Type": JSON})
    for body in ({}, [], None, CANARY, 10**400, True):
        yield request.with_json(body)
    example: Mapping[str, Any] = next(iter(operation.body["examples"].values()))["value"]
    yield request.with_json({**example, CANARY[::-1]: CANARY})
    for name, value in itertools.product(example, (CANARY, [CANARY], {"x": CANARY}, 10**30, -1.5, None, "\0", "")):
        yield request.with_json({**example, name: value})


def odd_kinds(operation: Operation) -> Iterator[Request]:
    request = usual(operation)
    for accept in (BROWSER, "image/png", "application/json;q=0", "", "no/such/type;;"):
        yield request.with_headers({"Accept": accept})
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", "", ";"):
        yield request.with_headers({"Content-Type": kind})


def odd_parameters(operation: Operation) -> Iterator[Request]:
    request = usual(operation)
    for name in operation.parameters("path"):
        for value in ("x" * 5000, "%00", "%FF%FE", "'%20OR%201=1", "%F0%9F%92%A9", "0" * 36, CANARY):
            path = operation.path.replace(f"{{{name}}}", value)
            yield Request(request.method, _rest(path), request.content, request.headers)
    for name in (*operation.parameters("query"), "stauts"):
        for value in ("", "x" * 5000, "\0", "-1", "0", "9" * 40, "💩", CANARY, "null", "1e5", "0001-01-01T00:00:00Z"):
            yield Request(request.method, request.path, request.content, request.headers, ((name, value),))
    for name in operation.parameters("header"):
        for value in (b"", b"x" * 5000, b"\xff", b"a\tb", b"-1", b"9" * 40):
            yield request.with_headers({name: value})


def _rest(path: str) -> str:
    for name, value in IDS.items():
        path = path.replace(f"{{{name}}}", value)
    return path.replace("{action}", "pause")


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


@names
@MORE
@given(data=st.data())
async def test_whatever_is_sent_is_answered_as_it_is_described(operation: Operation, data: st.DataObject) -> None:
    callers = _shared()
    furnish(callers.world)
    request = Request(operation.method.upper(), operation.filled(IDS))
    queries = sorted(operation.parameters("query"))
    if queries and data.draw(st.booleans()):
        pairs = st.tuples(st.sampled_from(queries), st.text(max_size=40) | wild().map(str))
        request = Request(request.method, request.path, params=tuple(data.draw(st.lists(pairs, max_size=3))))
    if operation.body is not None:
        request = request.with_json(data.draw(bodies(operation.body["schema"], DESCRIBED)))
    await callers.ask(data.draw(st.sampled_from(CALLERS)), request, operation)
