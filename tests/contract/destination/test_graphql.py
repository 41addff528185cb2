"""The public API's transport: what it sends, and what it makes of answers that only this API gives."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.destination import Destination as SandboxDestination
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.ledger import Ledger
from sandbox.multipart import parts_of
from sandbox.oracle import Oracle
from sandbox.web import Handler, Plan, Reply, Request, json_reply, listening
from sender.adapters.clearfacts_graphql import GraphqlDestination, endpoint
from sender.domain import Accepted, Delivery, NotAccepted, OutcomeUnknown, ReadBack, Refused
from tests.contract.destination.test_destination import DEADLINE, TOKEN, claim

UUID_OF_THEIRS = "B74D7E7D-2408-4517-AA31-BB76018E844D"
UPLOADED = {"data": {"uploadFile": {"uuid": UUID_OF_THEIRS, "amountOfPages": 1}}}


def transport(url: str, **options: Any) -> "aclosing[GraphqlDestination]":
    made = GraphqlDestination.at(url, token=TOKEN, connections=2, deadline=timedelta(seconds=DEADLINE), **options)
    return aclosing(made)


class Peer:
    """Answers every call with one reply, and keeps what was asked."""

    def __init__(self, answer: Reply) -> None:
        self.answer = answer
        self.calls: list[Request] = []

    def __call__(self, request: Request) -> Plan:
        self.calls.append(request)
        return self.answer


async def delivered(answer: Reply) -> Delivery:
    peer: Handler = Peer(answer)
    async with listening(peer) as url, transport(url) as destination:
        return await destination.deliver(claim())


def errors(*messages: str, executed: bool = True) -> Reply:
    content: dict[str, object] = {"errors": [{"message": message} for message in messages]}
    return json_reply({**content, "data": {"uploadFile": None}} if executed else content)


@pytest.mark.parametrize("company_field", ["companyNumber", "vatnumber"])
async def test_an_upload_has_the_three_parts_that_the_documentation_names(company_field: str) -> None:
    peer = Peer(json_reply(UPLOADED))
    sent = claim(source_id='INV "é"/1', direction="PURCHASE", journal="VKN")
    async with listening(peer) as url, transport(url, company_field=company_field) as destination:
        assert await destination.deliver(sent) == Accepted(UUID_OF_THEIRS, UPLOADED["data"]["uploadFile"])
    request = peer.calls[0]
    assert (request.method, request.path) == ("POST", "/graphql")
    assert request.headers[b"authorization"] == f"Bearer {TOKEN}".encode()
    parts = parts_of(request.headers[b"content-type"].decode(), request.body)
    assert set(parts) == {"query", "variables", "file"}
    assert parts["file"] == (sent.content, f"{sent.reference}.xml", "application/xml")
    assert json.loads(parts["variables"].content) == {
        "company": sent.dossier,
        "filename": f"{sent.reference}.xml",
        "comment": f'INV "é"/1 {sent.reference}',
        "invoicetype": "PURCHASE",
        "journal": "VKN",
    }
    query = parts["query"].content.decode()
    assert f"uploadFile({company_field}: $company, " in query
    assert "tags" not in query


async def test_a_journal_is_only_mentioned_where_there_is_one() -> None:
    peer = Peer(json_reply(UPLOADED))
    async with listening(peer) as url, transport(url) as destination:
        await destination.deliver(claim())
    assert b"journal" not in peer.calls[0].body


@pytest.mark.parametrize(
    "message",
    [
        "The file is not a valid UBL document",
        'Variable "$invoicetype" got invalid value "X"; expected type InvoiceTypeArgument',
        "No administration was found for this companyNumber",
        "Unsupported mime type",
    ],
)
async def test_an_error_that_names_the_input_refuses_the_document(message: str) -> None:
    delivery = await delivered(errors(message))
    assert isinstance(delivery, Refused)
    assert (delivery.code, delivery.message) == ("GRAPHQL", message)


@pytest.mark.parametrize(
    "messages",
    [
        ["Internal server error"],
        ["The file is not valid", "Internal server Error"],
        ["This document exists already"],
        ["Possible duplicate invoice"],
        ["Something went wrong"],
        [""],
    ],
)
async def test_an_error_that_proves_nothing_leaves_the_outcome_unknown(messages: list[str]) -> None:
    assert isinstance(await delivered(errors(*messages)), OutcomeUnknown)


NOTHING = {
    "null data": json_reply({"data": {"uploadFile": None}}),
    "no data": json_reply({}),
    "null": json_reply(None),
    "an empty uuid": json_reply({"data": {"uploadFile": {"uuid": ""}}}),
    "a number": json_reply({"data": {"uploadFile": {"uuid": 1}}}),
    "data that is a list": json_reply({"data": []}),
    "errors that are a text": json_reply({"errors": "the file"}),
    "half an upload": json_reply({"data": {"uploadFile": {"uuid": None}}, "errors": [{"message": "the file"}]}),
    "a uuid with another status": json_reply(UPLOADED, 500),
    "an error with another status": json_reply({"errors": [{"message": "the file"}]}, 500),
    "HTML": Reply(200, b"<html>", "text/html"),
    "502 of a proxy": Reply(502, b"<html>", "text/html"),
    "503 without Retry-After": Reply(503, b""),
    "a redirect": Reply(302, b"", headers=(("location", "/graphql"),)),
}


@pytest.mark.parametrize("answer", NOTHING.values(), ids=NOTHING.keys())
async def test_an_answer_without_uuid_and_without_a_clear_error_is_unknown(answer: Reply) -> None:
    assert isinstance(await delivered(answer), OutcomeUnknown)


async def test_a_uuid_beside_an_error_is_an_acceptance() -> None:
    assert isinstance(await delivered(json_reply({**UPLOADED, "errors": [{"message": "amountOfPages"}]})), Accepted)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "message",
    ['Unknown argument "comment" on field "uploadFile"', "Syntax Error: Unexpected Name", "Cannot query field"],
)
async def test_a_query_that_the_schema_rejects_stops_everybody_and_refuses_nobody(status: int, message: str) -> None:
    delivery = await delivered(errors(message, executed=False)._replace(status=status))
    assert isinstance(delivery, NotAccepted)
    assert delivery.everyone


async def test_an_administration_that_the_token_may_not_touch_waits_alone() -> None:
    delivery = await delivered(errors("Access denied to this field."))
    assert isinstance(delivery, NotAccepted)
    assert not delivery.everyone


async def test_a_body_that_is_too_large_is_refused_whoever_says_so() -> None:
    assert isinstance(await delivered(Reply(413, b"<html>", "text/html")), Refused)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[tuple[GraphqlDestination, SandboxDestination, Oracle]]:
    ledger = Ledger(tmp_path / "oracle.jsonl")
    sandbox = SandboxDestination(ledger, token=TOKEN)
    async with listening(sandbox.routes()) as url, transport(url) as destination:
        yield destination, sandbox, Oracle(tmp_path / "oracle.jsonl")
    ledger.close()


Desk = tuple[GraphqlDestination, SandboxDestination, Oracle]


async def test_there_is_no_key_a_second_upload_is_a_second_document(desk: Desk) -> None:
    destination, _, oracle = desk
    sent = claim()
    uuids = {(await destination.deliver(sent)).uuid for _ in range(2)}  # pyright: ignore[reportAttributeAccessIssue]
    assert len(uuids) == 2
    assert [len(group) for group in oracle.duplicates()] == [2]


async def test_an_accepted_document_is_read_back_by_its_uuid(desk: Desk) -> None:
    destination, _, _ = desk
    sent = claim()
    delivery = await destination.deliver(sent)
    assert isinstance(delivery, Accepted)
    assert await destination.read_back(delivery.uuid, sent.reference) is ReadBack.OURS
    assert await destination.read_back(delivery.uuid, uuid4()) is ReadBack.FOREIGN
    assert await destination.read_back('no "such" \\ id', sent.reference) is ReadBack.ABSENT


@pytest.mark.parametrize("effect", [Effect.SERVER_ERROR, Effect.HANG_AFTER, Effect.BAD_GATEWAY, Effect.GARBAGE])
async def test_a_read_that_is_not_answered_says_nothing_about_the_document(desk: Desk, effect: Effect) -> None:
    destination, sandbox, _ = desk
    sandbox.player.play(Behaviour(rules=(Rule(effect=effect, on="get"),)))
    assert await destination.read_back(UUID_OF_THEIRS, uuid4()) is ReadBack.UNANSWERED


async def test_it_says_that_it_cannot_be_asked_for_a_reference(desk: Desk) -> None:
    assert desk[0].lookup is False


def test_the_endpoint_may_be_named_with_or_without_its_path() -> None:
    assert endpoint("https://api.clearfacts.be/") == "https://api.clearfacts.be/graphql"
    assert endpoint("https://api.clearfacts.be/graphql") == "https://api.clearfacts.be/graphql"
