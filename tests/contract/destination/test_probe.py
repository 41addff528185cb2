"""Probing a destination that is left alone: a read, never a document."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.destination import Destination as SandboxDestination
from sandbox.ledger import Ledger
from sandbox.web import Hang, Plan, Reply, Request, Reset, listening
from sender.adapters.clearfacts_graphql import GraphqlDestination
from sender.adapters.clearfacts_rest import RestDestination
from tests.contract.destination.test_destination import DEADLINE, TOKEN, Transport

KINDS = pytest.mark.parametrize("kind", [RestDestination, GraphqlDestination], ids=["rest", "graphql"])


async def probed(kind: Transport, url: str, *, token: str = TOKEN) -> str | None:
    deadline = timedelta(seconds=DEADLINE)
    async with aclosing(kind.at(url, token=token, connections=1, deadline=deadline)) as destination:
        return await destination.probe()


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncGenerator[tuple[str, SandboxDestination]]:
    ledger = Ledger(tmp_path / "oracle.jsonl")
    face = SandboxDestination(ledger, token=TOKEN)
    try:
        async with listening(face.routes()) as url:
            yield url, face
    finally:
        ledger.close()


@KINDS
async def test_one_that_is_well_is_well_and_gets_no_document(
    sandbox: tuple[str, SandboxDestination], kind: Transport
) -> None:
    url, face = sandbox
    assert await probed(kind, url) is None
    assert face.counts["posts"] == 0


@KINDS
async def test_a_token_that_does_not_work_is_unwell(sandbox: tuple[str, SandboxDestination], kind: Transport) -> None:
    why = await probed(kind, sandbox[0], token="another")
    assert why
    assert "401" in why


@KINDS
@pytest.mark.parametrize(
    "plan",
    [
        Reply(500, b"{}"),
        Reply(503, b"maintenance"),
        Reply(200, b"<html>a captive portal</html>"),
        Reply(200, b'{"errors":[{"message":"Internal server error"}]}'),
        Reply(429, b"{}"),
        Reset(),
        Hang(),
    ],
    ids=["500", "503", "no JSON", "errors", "429", "reset", "silence"],
)
async def test_anything_else_is_unwell(plan: Plan, kind: Transport) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Plan:
        asked.append(f"{request.method} {request.path}")
        return plan

    async with listening(answer) as url:
        assert await probed(kind, url)
    assert set(asked) == {"GET /invoices" if kind is RestDestination else "POST /graphql"}
    assert len(asked) <= 2, "the transport itself repeats a GET, once, whose connection was reset"


@KINDS
async def test_one_that_is_not_there_is_unwell(kind: Transport) -> None:
    assert await probed(kind, "http://127.0.0.1:1")


@KINDS
async def test_administrations_are_told_where_the_transport_can_be_asked(
    sandbox: tuple[str, SandboxDestination], kind: Transport
) -> None:
    deadline, numbers = timedelta(seconds=DEADLINE), [f"0{n:09}" for n in range(120)]
    async with aclosing(kind.at(sandbox[0], token=TOKEN, connections=1, deadline=deadline)) as destination:
        missing = await destination.unreachable(numbers)
    told = "the rest transport cannot be asked for its 120 administrations"
    assert missing == ([] if kind is GraphqlDestination else told)


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (b'{"data":{"a0":{"companyNumber":"1"},"a1":null},"errors":[{"message":"Access denied"}]}', ["2"]),
        (b'{"errors":[{"message":"Cannot query field \\"administration\\" on type \\"Query\\""}]}', None),
        (b"<html>", None),
    ],
)
async def test_what_a_token_may_not_read_is_missing_and_an_answer_without_data_says_nothing(
    answer: bytes, missing: list[str] | None
) -> None:
    def peer(request: Request) -> Plan:
        return Reply(200, answer)

    deadline = timedelta(seconds=DEADLINE)
    async with (
        listening(peer) as url,
        aclosing(GraphqlDestination.at(url, token=TOKEN, connections=1, deadline=deadline)) as destination,
    ):
        found = await destination.unreachable(["1", "2"])
    assert found == missing if missing is not None else isinstance(found, str)
