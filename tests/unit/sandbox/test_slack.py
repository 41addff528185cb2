from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.faults import Behaviour
from sandbox.slack import Slack
from sandbox.web import Request, Reset
from tests.unit.sandbox.calls import FakeClock, content, get, reply, send

HOOK = "/services/T1/B2/secret"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    slack = Slack(tmp_path / "slack.jsonl", clock=FakeClock())
    yield slack
    slack.close()


def texts(slack: Slack) -> list[object]:
    return [message["message"] for message in slack.messages()]


def test_a_posted_message_is_kept_and_listed(slack: Slack) -> None:
    answer = reply(send(slack.routes(), "POST", HOOK, {"text": "job 1 ✓"}))
    assert (answer.status, answer.body) == (200, b"ok")
    listed = content(get(slack.routes(), "/sandbox/messages"))["items"]
    assert listed == [{"received_at": "2026-02-02T02:40:00.000000Z", "path": HOOK, "message": {"text": "job 1 ✓"}}]


def test_messages_survive_a_restart_and_can_be_forgotten(slack: Slack, tmp_path: Path) -> None:
    send(slack.routes(), "POST", HOOK, {"text": "a"})
    again = Slack(tmp_path / "slack.jsonl")
    assert texts(again) == [{"text": "a"}]
    again.routes()(Request("DELETE", "/sandbox/messages", {}, {}, b""))
    assert texts(slack) == []
    again.close()


@pytest.mark.parametrize(("body", "word"), [([], b"invalid_payload"), ({"text": ""}, b"no_text"), ({}, b"no_text")])
def test_a_wrong_message_is_refused_with_slacks_word(slack: Slack, body: object, word: bytes) -> None:
    answer = reply(send(slack.routes(), "POST", HOOK, body))
    assert (answer.status, answer.body) == (400, word)
    assert reply(slack.routes()(Request("POST", HOOK, {}, {}, b"{"))).body == b"invalid_payload"
    assert texts(slack) == []


@pytest.mark.parametrize(
    ("effect", "stored"),
    [("too_many", 0), ("server_error", 0), ("reset_before", 0), ("reset_after", 1), ("hang_after", 1)],
)
def test_faults_store_the_message_or_do_not(slack: Slack, effect: str, stored: int) -> None:
    slack.player.play(Behaviour.model_validate({"rules": [{"effect": effect}]}))
    plan = send(slack.routes(), "POST", HOOK, {"text": "a"})
    assert len(texts(slack)) == stored
    assert isinstance(plan, Reset) == effect.startswith("reset")
