"""The real adapter against servers that answer byte by byte as they should not."""

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from urllib.parse import parse_qsl

import pytest

from common.clock import Clock
from sender.adapters.clearfacts_rest import RestDestination
from sender.domain import Accepted, Delivery, NotAccepted, OutcomeUnknown, Refused
from tests.contract.destination.test_destination import claim

DEADLINE = 0.5
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
Talk: TypeAlias = Callable[["Call"], Awaitable[None]]


class Call:
    """One request as it arrived, and the way to answer it in bytes."""

    def __init__(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.head, self.body, self.writer = head, body, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def hang_up(self) -> None:
        self.writer.close()


class Server:
    """Counts every request that arrives whole, whatever `talk` then says."""

    def __init__(self, talk: Talk) -> None:
        self.calls: list[Call] = []
        self.connections = 0
        self._talk = talk

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
                )
                call = Call(head, await reader.readexactly(length), writer)
                self.calls.append(call)
                await self._talk(call)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def facing(talk: Talk) -> AsyncGenerator[tuple[RestDestination, Server]]:
    server = Server(talk)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    url, clock = f"http://127.0.0.1:{port}/api", Clock(now=lambda: NOW)
    destination = RestDestination.at(url, token="t", connections=4, deadline=timedelta(seconds=DEADLINE), clock=clock)
    try:
        yield destination, server
    finally:
        await destination.aclose()
        listener.close()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def delivered(data: bytes, *, then_hang_up: bool = False) -> Delivery:
    async def talk(call: Call) -> None:
        await call.say(data)
        if then_hang_up:
            call.hang_up()

    async with facing(talk) as (destination, server):
        delivery = await destination.deliver(claim())
        assert len(server.calls) == 1, "sent more than once"
        return delivery


CREATED = answer("201 Created", b'{"uuid":"u-1","amountOfPages":1}')
ERROR = b'{"error":{"code":"X","message":"m"}}'


async def test_the_request_is_as_the_contract_says() -> None:
    async def talk(call: Call) -> None:
        await call.say(CREATED)

    sent = claim(source_id="INV é/1&x=2+3%;#4", journal="VKN", content=b"<Invoice>\xc3\xa9</Invoice>")
    async with facing(talk) as (destination, server):
        assert await destination.deliver(sent) == Accepted("u-1", {"uuid": "u-1", "amountOfPages": 1})
        call = server.calls[0]
    line, *headers = call.head.decode().split("\r\n")
    path, _, query = line.split(" ")[1].partition("?")
    assert path == "/api/invoices"
    assert dict(parse_qsl(query, strict_parsing=True)) == {
        "administration": "0123456749",
        "direction": "SALE",
        "filename": f"{sent.reference}.xml",
        "comment": f"INV é/1&x=2+3%;#4 {sent.reference}",
        "journal": "VKN",
    }
    lowered = [header.lower() for header in headers]
    assert "authorization: bearer t" in lowered
    assert "content-type: application/xml" in lowered
    assert f"idempotency-key: {sent.reference}" in lowered
    assert call.body == sent.content


async def test_a_replayed_acceptance_is_an_acceptance() -> None:
    replayed = answer("200 OK", b'{"uuid":"u-1","amountOfPages":1}', "Idempotency-Replayed: true")
    assert isinstance(await delivered(replayed), Accepted)


WAITS = [
    ("120", timedelta(minutes=2)),
    ("0", timedelta(0)),
    (" 5 ", timedelta(seconds=5)),
    ("86400", timedelta(hours=1)),
    ("9" * 30, timedelta(hours=1)),
    ("9" * 5000, timedelta(hours=1)),
    ("Tue, 24 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
    ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta(0)),
    ("Tuesday, 24-Nov-26 12:00:30 GMT", timedelta(seconds=30)),
    ("Tue Nov 24 12:00:30 2026", timedelta(seconds=30)),
    ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=1)),
]


@pytest.mark.parametrize(("value", "wait"), WAITS, ids=[value[:32] for value, _ in WAITS])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_retry_after_is_read_in_every_spelling_and_capped_at_an_hour(
    status: str, value: str, wait: timedelta
) -> None:
    delivery = await delivered(answer(status, ERROR, f"Retry-After: {value}"))
    why = f"answered {status[:3]}" + (" with Retry-After" if status[0] == "5" else "")
    assert delivery == NotAccepted(why, wait, everyone=True, throttled=status[0] == "4")


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "\xb2", "Tue, 99 Nov 2026 12:00:30 GMT"])
async def test_a_retry_after_that_says_nothing_proves_nothing(value: str) -> None:
    assert isinstance(await delivered(answer("503 Unavailable", ERROR, f"Retry-After: {value}")), OutcomeUnknown)
    delivery = await delivered(answer("429 Too Many Requests", ERROR, f"Retry-After: {value}"))
    assert delivery == NotAccepted("answered 429", None, everyone=True, throttled=True)


UNCLEAR = {
    "503 without Retry-After": answer("503 Service Unavailable", ERROR),
    "502 of a proxy": answer("502 Bad Gateway", b"<html>", "Content-Type: text/html"),
    "504": answer("504 Gateway Timeout"),
    "500 with an error": answer("500 Internal Server Error", ERROR),
    "409": answer("409 Conflict", ERROR),
    "404": answer("404 Not Found", ERROR),
    "422 of a proxy": answer("422 Unprocessable Entity", b"<html>"),
    "400 with a text as error": answer("400 Bad Request", b'{"error":"no"}'),
    "413 with a list": answer("413 Too Large", b"[]"),
    "201 without a body": answer("201 Created"),
    "201 with a number as uuid": answer("201 Created", b'{"uuid":1}'),
    "201 with an empty uuid": answer("201 Created", b'{"uuid":""}'),
    "201 with a uuid of control characters": answer("201 Created", b'{"uuid":"u\\u0000"}'),
    "201 with an endless uuid": answer("201 Created", b'{"uuid":"' + b"u" * 10_000 + b'"}'),
    "201 that is no UTF-8": answer("201 Created", b'{"uuid":"\xff"}'),
    "201 that is not gzip": answer("201 Created", b"nonsense", "Content-Encoding: gzip"),
    "202": answer("202 Accepted", b'{"uuid":"u-1"}'),
    "204": answer("204 No Content"),
    "not HTTP": b"\x00\x01\x02 hello\r\n\r\n",
    "an unknown version": b"HTTP/9.9 201 Created\r\n\r\n",
}
BREAKING_OFF = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "half the headers": b"HTTP/1.1 201 Created\r\nContent-Le",
    "half the body": CREATED[:-5],
    "a chunk too few": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + b'{"uuid":"u-1"',
}


@pytest.mark.parametrize("data", UNCLEAR.values(), ids=UNCLEAR.keys())
async def test_an_answer_that_proves_nothing_is_unknown(data: bytes) -> None:
    assert isinstance(await delivered(data), OutcomeUnknown)


@pytest.mark.parametrize("data", BREAKING_OFF.values(), ids=BREAKING_OFF.keys())
async def test_an_answer_that_breaks_off_is_unknown(data: bytes) -> None:
    assert isinstance(await delivered(data, then_hang_up=True), OutcomeUnknown)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"]
)
async def test_a_redirect_is_never_followed(status: str) -> None:
    assert isinstance(await delivered(answer(status, b"", "Location: /api/elsewhere")), OutcomeUnknown)


async def test_an_early_hint_is_not_the_answer() -> None:
    assert isinstance(await delivered(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CREATED), Accepted)


async def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(b'{"uuid":"u-1","amountOfPages":1}')
    assert isinstance(await delivered(answer("201 Created", body, "Content-Encoding: gzip")), Accepted)


async def test_an_answer_that_drips_beyond_the_deadline_is_unknown_at_the_deadline() -> None:
    async def talk(call: Call) -> None:
        for byte in CREATED:
            await call.say(bytes([byte]))
            await asyncio.sleep(DEADLINE / 10)

    async with facing(talk) as (destination, server):
        started = asyncio.get_running_loop().time()
        assert isinstance(await destination.deliver(claim()), OutcomeUnknown)
        assert asyncio.get_running_loop().time() - started < DEADLINE * 2
        assert len(server.calls) == 1


def alone(url: str) -> "aclosing[RestDestination]":
    return aclosing(RestDestination.at(url, token=None, connections=1, deadline=timedelta(seconds=DEADLINE)))


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_connection_that_never_came_to_be_proves_non_acceptance(scheme: str) -> None:
    async with alone(f"{scheme}://127.0.0.1:{closed_port()}") as destination:
        delivery = await destination.deliver(claim())
    assert isinstance(delivery, NotAccepted)
    assert delivery.everyone


async def test_an_idle_connection_that_the_server_closed_is_not_used_again() -> None:
    async def talk(call: Call) -> None:
        await call.say(CREATED)
        call.hang_up()

    async with facing(talk) as (destination, server):
        for _ in range(3):
            assert isinstance(await destination.deliver(claim()), Accepted)
            await asyncio.sleep(0.02)
        assert (len(server.calls), server.connections) == (3, 3)


async def test_a_kept_connection_that_dies_under_a_request_is_unknown_and_not_tried_again() -> None:
    async def talk(call: Call) -> None:
        if len(server.calls) == 1:
            await call.say(CREATED)
        else:
            call.hang_up()

    async with facing(talk) as (destination, server):
        assert isinstance(await destination.deliver(claim()), Accepted)
        assert isinstance(await destination.deliver(claim()), OutcomeUnknown)
        assert len(server.calls) == 2


async def test_a_request_that_is_reset_in_its_middle_is_unknown() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3000)
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with alone(f"http://127.0.0.1:{port}") as destination:
            assert isinstance(await destination.deliver(claim(content=b"x" * 900_000)), OutcomeUnknown)


async def test_a_refusal_with_a_long_message_is_cut_before_it_is_stored() -> None:
    body = b'{"error":{"code":"' + b"c" * 500 + b'","message":"m"}}'
    delivery = await delivered(answer("422 Unprocessable Entity", body))
    assert isinstance(delivery, Refused)
    assert len(delivery.code) == 100
