import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.destination import Destination
from sandbox.faults import Behaviour
from sandbox.invoices import document
from sandbox.ledger import Ledger
from sandbox.oracle import Oracle
from sandbox.web import Hang, Later, Request, Reset
from tests.unit.sandbox.calls import AUTHORISED, TOKEN, FakeClock, content, get, post_invoice, reply

UBL = document(1, 1).ubl


class Bench:
    """A destination on a fresh log, and the oracle that reads it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        path = folder / "oracle.jsonl"
        self.clock = FakeClock()
        self.ledger = Ledger(path, clock=self.clock, **options)
        self.oracle = Oracle(path)
        self.conflicting = Destination(self.ledger, token=TOKEN, conflicts=True).routes()
        self.behave()

    def behave(self, *rules: dict[str, object], latency: float = 0) -> None:
        behaviour = Behaviour.model_validate({"latency": latency, "rules": rules})
        self.destination = Destination(self.ledger, token=TOKEN, behaviour=behaviour)
        self.routes = self.destination.routes()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.ledger.close()


def test_an_accepted_document_is_in_the_oracle_when_the_answer_is_made(bench: Bench) -> None:
    answer = reply(post_invoice(bench.routes, UBL, filename="ä b.xml", journal="VKN"))
    assert answer.status == 201
    recorded = bench.oracle.accepted()[0]
    assert content(answer) == {"uuid": recorded.uuid, "amountOfPages": 1}
    assert (recorded.reference, recorded.number) == ("key-1", document(1, 1).number)
    assert (recorded.filename, recorded.journal) == ("ä b.xml", "VKN")
    assert recorded.sha256 == hashlib.sha256(UBL).hexdigest()
    assert recorded.accepted_at == "2026-02-02T02:40:00.000000Z"


def test_the_same_key_is_answered_with_the_same_uuid_and_records_nothing(bench: Bench) -> None:
    first = post_invoice(bench.routes, UBL)
    again = reply(post_invoice(bench.routes, UBL))
    assert (again.status, again.headers) == (200, (("idempotency-replayed", "true"),))
    assert content(again) == content(first)
    assert len(bench.oracle.accepted()) == 1


def test_another_key_makes_a_second_document_and_the_oracle_says_so(bench: Bench) -> None:
    for key in ("key-1", "key-2"):
        post_invoice(bench.routes, UBL, key)
    assert content(get(bench.routes, "/sandbox/oracle"))["duplicates"] == 1


def test_the_conflict_mode_answers_409_to_a_document_under_another_key(bench: Bench) -> None:
    post_invoice(bench.conflicting, UBL)
    answer = reply(post_invoice(bench.conflicting, UBL, "key-2"))
    assert (answer.status, content(answer)["error"]["code"]) == (409, "ALREADY_EXISTS")
    assert reply(post_invoice(bench.conflicting, UBL)).status == 200


def test_other_content_under_a_known_key_is_a_replay_and_is_counted(bench: Bench) -> None:
    post_invoice(bench.routes, UBL)
    assert reply(post_invoice(bench.routes, document(1, 2).ubl)).status == 200
    assert content(get(bench.routes, "/sandbox/oracle"))["by_outcome"]["replays_of_other_content"] == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"administration": "123"}, 400),
        ({"administration": "BE 0123.456.749"}, 400),
        ({"direction": "BOTH"}, 400),
        ({}, 422),
    ],
)
def test_a_wrong_request_is_refused_and_nothing_is_recorded(bench: Bench, changes: dict[str, str], status: int) -> None:
    body = UBL if changes else b"<html/>"
    assert reply(post_invoice(bench.routes, body, **changes)).status == status
    assert bench.oracle.accepted() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_token_is_refused(bench: Bench, method: str) -> None:
    request = Request(method, "/invoices", {"reference": "a"}, {b"authorization": b"Bearer wrong"}, UBL)
    assert reply(bench.routes(request)).status == 401


def test_a_lookup_finds_what_was_accepted_under_the_reference(bench: Bench) -> None:
    uuid = content(post_invoice(bench.routes, UBL))["uuid"]
    item = content(get(bench.routes, "/invoices", reference="key-1"))["items"][0]
    assert item == {
        "uuid": uuid,
        "reference": "key-1",
        "sha256": hashlib.sha256(UBL).hexdigest(),
        "accepted_at": "2026-02-02T02:40:00.000000Z",
    }
    assert content(get(bench.routes, "/invoices", reference="key-2")) == {"items": []}
    assert reply(get(bench.routes, "/invoices")).status == 400


@pytest.mark.parametrize(
    ("effect", "recorded"),
    [
        ("refuse", 0),
        ("bad_request", 0),
        ("too_large", 0),
        ("conflict", 0),
        ("unauthorized", 0),
        ("forbidden", 0),
        ("too_many", 0),
        ("server_error", 0),
        ("unavailable", 0),
        ("bad_gateway", 0),
        ("reset_before", 0),
        ("hang_before", 0),
        ("reset_after", 1),
        ("hang_after", 1),
        ("server_error_after", 1),
        ("garbage", 1),
        ("cut", 1),
        ("slow", 1),
    ],
)
def test_a_fault_before_acceptance_records_nothing_and_one_after_it_does(
    bench: Bench, effect: str, recorded: int
) -> None:
    bench.behave({"effect": effect})
    post_invoice(bench.routes, UBL)
    assert len(bench.oracle.accepted()) == recorded
    assert content(get(bench.routes, "/sandbox/oracle"))["by_outcome"][f"spoilt_{effect}"] == 1


def test_resets_hangs_and_broken_bodies_are_what_they_say(bench: Bench) -> None:
    plans: dict[str, object] = {}
    for effect in ("reset_after", "hang_after", "cut", "garbage"):
        bench.behave({"effect": effect})
        plans[effect] = post_invoice(bench.routes, UBL, effect)
    assert isinstance(plans["reset_after"], Reset)
    assert isinstance(plans["hang_after"], Hang)
    assert reply(plans["cut"]).cut == 0.5  # type: ignore[arg-type]
    assert not reply(plans["garbage"]).body.startswith(b"{")  # type: ignore[arg-type]


def test_a_late_acceptance_is_recorded_when_its_time_has_come(bench: Bench) -> None:
    bench.behave({"effect": "late_accept", "seconds": 3})
    plan = post_invoice(bench.routes, UBL)
    assert isinstance(plan, Later)
    assert (plan.delay, bench.oracle.accepted()) == (3, [])
    assert reply(plan.then()).status == 201
    assert len(bench.oracle.accepted()) == 1


def test_a_lookup_can_deny_fail_and_lag(bench: Bench) -> None:
    bench.behave({"effect": "absent", "on": "get", "next": 1}, {"effect": "server_error", "on": "get", "next": 1})
    post_invoice(bench.routes, UBL)
    answers = [reply(get(bench.routes, "/invoices", reference="key-1")) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert [len(content(answers[place])["items"]) for place in (0, 2)] == [0, 1]


def test_latency_delays_acceptances_refusals_and_lookups(bench: Bench) -> None:
    bench.behave(latency=0.05)
    answers = (
        post_invoice(bench.routes, UBL),
        post_invoice(bench.routes, b"", "key-2"),
        get(bench.routes, "/invoices", reference="a"),
    )
    assert [reply(answer).delay for answer in answers] == [0.05] * 3


def test_the_oracle_counts_calls_by_outcome(bench: Bench) -> None:
    for key in ("a", "b", "a"):
        post_invoice(bench.routes, UBL, key)
    post_invoice(bench.routes, b"", "c")
    counted = content(get(bench.routes, "/sandbox/oracle"))
    assert counted == {
        "accepted": 2,
        "distinct_references": 2,
        "duplicates": 1,
        "posts": 4,
        "by_outcome": {"accepted": 2, "posts": 4, "refused_422": 1, "replays": 1},
    }


def test_accepted_documents_are_listed_by_filter_and_page(bench: Bench) -> None:
    for n in range(5):
        post_invoice(bench.routes, document(1, n).ubl, f"key-{n}")
    number = document(1, 3).number
    path = "/sandbox/oracle/documents"
    assert [item["reference"] for item in content(get(bench.routes, path, number=number))["items"]] == ["key-3"]
    page = content(get(bench.routes, path, offset="1", limit="2"))["items"]
    assert [item["reference"] for item in page] == ["key-1", "key-2"]
    assert reply(get(bench.routes, path, limit="all")).status == 400


def test_a_full_disk_is_answered_as_an_unclear_500_and_remembered_nowhere(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.ledger.close()
    assert reply(post_invoice(bench.routes, UBL)).status == 500
    assert content(get(bench.routes, "/invoices", reference="key-1")) == {"items": []}


def test_without_a_key_every_document_is_new(bench: Bench) -> None:
    query = {"administration": "0123456749", "direction": "SALE"}
    for _ in range(2):
        assert reply(bench.routes(Request("POST", "/invoices", query, AUTHORISED, UBL))).status == 201
