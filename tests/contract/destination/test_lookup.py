"""The real lookup against answers that speak of something else, and of more than one document."""

from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from sandbox.destination import Destination as SandboxDestination
from sandbox.ledger import Ledger
from sandbox.web import listening
from sender.adapters.clearfacts_rest import RestDestination
from sender.domain import Accepted
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed
from tests.contract.destination.test_destination import TOKEN, claim
from tests.contract.destination.test_wire import Call, alone, answer, closed_port, facing

REFERENCE = uuid4()


def item(uuid: object = "u-1", reference: object = str(REFERENCE)) -> dict[str, object]:
    return {"uuid": uuid, "reference": reference, "sha256": "0" * 64, "accepted_at": "2026-11-24T12:00:00Z"}


async def told(body: object, status: str = "200 OK") -> Evidence:
    async def talk(call: Call) -> None:
        await call.say(answer(status, orjson.dumps(body)))

    async with facing(talk) as (destination, server):
        evidence = await destination.find(REFERENCE)
        assert len(server.calls) == 1, "asked more than once"
        assert f"/invoices?reference={REFERENCE}" in server.calls[0].head.decode().split("\r\n")[0]
        assert b"authorization: bearer t" in server.calls[0].head.lower()
        return evidence


async def test_every_document_under_the_reference_is_told_once() -> None:
    assert await told({"items": [item("u-2"), item("u-1"), item("u-2")]}) == Found(("u-2", "u-1"))


async def test_an_empty_list_is_absent() -> None:
    assert await told({"items": []}) == Absent()


NONSENSE = {
    "another's document": {"items": [item(reference=str(uuid4()))]},
    "ours and another's": {"items": [item(), item("u-2", str(uuid4()))]},
    "no reference": {"items": [{"uuid": "u-1"}]},
    "no uuid": {"items": [item(None)]},
    "a uuid that cannot be stored": {"items": [item("u\x00")]},
    "a text": {"items": ["u-1"]},
    "no list": {"items": {}},
    "no items": {},
    "a list": [],
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_an_answer_about_something_else_is_no_evidence(body: object) -> None:
    assert isinstance(await told(body), LookupFailed)


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "301 Moved", "404 Not Found", "410 Gone"])
async def test_only_200_is_an_answer(status: str) -> None:
    assert isinstance(await told({"items": []}, status), LookupFailed)


async def test_nobody_there_is_no_evidence() -> None:
    async with alone(f"http://127.0.0.1:{closed_port()}") as destination:
        assert isinstance(await destination.find(REFERENCE), LookupFailed)


async def test_a_destination_that_forgot_a_key_shows_both_documents(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "oracle.jsonl", key_life=0)
    async with listening(SandboxDestination(ledger, token=TOKEN).routes()) as url:
        rest = RestDestination.at(url, token=TOKEN, connections=1, deadline=timedelta(seconds=2))
        async with aclosing(rest) as destination:
            sent = claim()
            first, second = await destination.deliver(sent), await destination.deliver(sent)
            assert isinstance(first, Accepted)
            assert isinstance(second, Accepted)
            assert await destination.find(sent.reference) == Found((first.uuid, second.uuid))
    ledger.close()
