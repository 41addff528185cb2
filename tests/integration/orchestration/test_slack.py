"""Slack itself, for when nobody else can speak."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from common.errors import InfrastructureError
from orchestration.adapters.slack import TRIES, SlackVoice


@contextmanager
def slack(*answers: int) -> Generator[tuple[str, list[bytes]]]:
    """A webhook that answers with these, one after the other; what it was told."""
    left, told = list(answers), list[bytes]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(left.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def voice(url: str | None) -> tuple[SlackVoice, list[float]]:
    slept = list[float]()
    return SlackVoice(url, sleep=slept.append), slept


def test_what_is_said_arrives_at_the_second_try_too() -> None:
    with slack(500, 200) as (url, told):
        speaking, slept = voice(url)
        speaking.say("the gateway is away")
    assert told == [b'{"text": "the gateway is away"}'] * 2
    assert slept == [1]


def test_what_is_never_taken_is_an_error_that_says_why() -> None:
    with slack(*[503] * TRIES) as (url, told), pytest.raises(InfrastructureError, match="slack: answered 503"):
        voice(url)[0].say("the gateway is away")
    assert len(told) == TRIES


def test_nobody_there_is_an_error_and_no_webhook_is_none() -> None:
    with slack() as (url, _):
        pass
    with pytest.raises(InfrastructureError, match="slack: URLError"):
        voice(url)[0].say("the gateway is away")
    voice(None)[0].say("the gateway is away")
