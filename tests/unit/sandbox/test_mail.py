"""The mail receiver: what it keeps, what it shows, and what it can be told to spoil."""

import smtplib
from asyncio import to_thread
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sandbox.faults import Behaviour
from sandbox.mail import Mail
from sandbox.web import Request
from tests.unit.sandbox.calls import FakeClock, content, get, reply

pytestmark = pytest.mark.enable_socket
LETTER = "Subject: job 1 =?utf-8?q?=E2=9C=93?=\r\nMessage-ID: <1@us.test>\r\n\r\nall is well\r\n"


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncGenerator[tuple[Mail, int]]:
    mail = Mail(tmp_path / "mail.jsonl", clock=FakeClock())
    server = await mail.serve()
    yield mail, server.sockets[0].getsockname()[1]
    server.close()
    mail.close()


def send(port: int, *to: str) -> dict[str, tuple[int, bytes]]:
    """What the standard library's client is told of recipients that were refused."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        return client.sendmail("us@us.test", to, LETTER)


async def test_a_mail_is_kept_and_listed(mail: tuple[Mail, int]) -> None:
    receiver, port = mail
    assert await to_thread(send, port, "ann@x.test", "bob@x.test") == {}
    (listed,) = content(get(receiver.routes(), "/sandbox/messages"))["items"]
    assert {name: listed[name] for name in listed if name != "raw"} == {
        "received_at": "2026-02-02T02:40:00.000000Z",
        "from": "us@us.test",
        "to": ["ann@x.test", "bob@x.test"],
        "subject": "job 1 ✓",
        "message_id": "<1@us.test>",
        "text": "all is well\r\n",
    }


async def test_mails_survive_a_restart_and_can_be_forgotten(mail: tuple[Mail, int], tmp_path: Path) -> None:
    receiver, port = mail
    await to_thread(send, port, "ann@x.test")
    again = Mail(tmp_path / "mail.jsonl")
    assert len(again.messages()) == 1
    assert reply(again.routes()(Request("DELETE", "/sandbox/messages", {}, {}, b""))).status == 200
    assert receiver.messages() == []
    again.close()


async def test_a_script_refuses_the_recipients_that_it_names(mail: tuple[Mail, int]) -> None:
    receiver, port = mail
    receiver.player.play(Behaviour.model_validate({"rules": [{"effect": "refuse", "matching": "^bob"}]}))
    refused = await to_thread(send, port, "bob@x.test", "ann@x.test")
    assert {address: code for address, (code, _) in refused.items()} == {"bob@x.test": 550}
    assert receiver.messages()[0]["to"] == ["ann@x.test"]


def test_an_effect_without_a_meaning_for_mail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such effect here: absent"):
        Mail(tmp_path / "mail.jsonl", behaviour=Behaviour.model_validate({"rules": [{"effect": "absent"}]}))
