import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from sandbox.web import Handler, Hang, Later, Plan, Reply, Request, Reset, Routes, json_reply, listen, listening
from sandbox.web.server import MAX_BODY

pytestmark = pytest.mark.enable_socket


@asynccontextmanager
async def client(handler: Handler) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with listening(handler) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        try:
            yield reader, writer
        finally:
            writer.close()


def request(path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length), head


def echo(asked: Request) -> Plan:
    return json_reply({"path": asked.path, "query": dict(asked.query), "body": asked.body.decode()})


def always(plan: Plan) -> Callable[[Request], Plan]:
    return lambda _: plan


async def test_a_request_arrives_whole_in_any_pieces() -> None:
    async with client(echo) as (reader, writer):
        for byte in request("/a%20b?x=%C3%A9+1&y=&x=2&z", b"body"):
            writer.write(bytes([byte]))
            await writer.drain()
        status, body, head = await answer(reader)
    assert (status, body) == (200, b'{"path":"/a b","query":{"x":"2","y":"","z":""},"body":"body"}')
    assert b"\r\ndate: " in head


async def test_one_connection_takes_many_requests_and_pipelined_ones_are_answered_in_order() -> None:
    def slow_first(asked: Request) -> Plan:
        return Reply(200, asked.path.encode(), delay=0.05 if asked.path == "/0" else 0)

    async with client(slow_first) as (reader, writer):
        writer.write(b"".join(request(f"/{n}") for n in range(5)))
        assert [(await answer(reader))[1] for _ in range(5)] == [b"/0", b"/1", b"/2", b"/3", b"/4"]


async def test_a_chunked_body_is_read() -> None:
    async with client(echo) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert b'"abcde"' in (await answer(reader))[1]


async def test_a_client_that_asks_to_continue_is_told_to() -> None:
    async with client(echo) as (reader, writer):
        writer.write(request("/", b"abc", "Expect: 100-continue")[:-3])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await answer(reader))[0] == 200


async def test_a_reset_is_a_tcp_reset() -> None:
    async with client(always(Reset())) as (reader, writer):
        writer.write(request("/"))
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_cut_answer_promises_more_than_it_sends() -> None:
    async with client(always(Reply(200, b"x" * 100, cut=0.5))) as (reader, writer):
        writer.write(request("/"))
        received = await reader.read()
    assert b"content-length: 100" in received
    assert received.endswith(b"\r\n\r\n" + b"x" * 50)


async def test_a_hanging_call_is_never_answered_and_holds_up_nobody_else() -> None:
    def by_path(asked: Request) -> Plan:
        return Hang() if asked.path == "/hang" else json_reply({})

    async with listening(by_path) as url:
        port = int(url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/hang") + request("/other"))
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
        other_writer.write(request("/other"))
        assert (await answer(other_reader))[0] == 200
        other_writer.close()
    assert await reader.read() == b"", "only the end of the server ends it"
    writer.close()


async def test_what_is_planned_for_later_happens_also_when_the_client_has_gone() -> None:
    happened = asyncio.Event()

    def then() -> Plan:
        happened.set()
        return json_reply({})

    async with client(always(Later(0.05, then))) as (_, writer):
        writer.write(request("/"))
        await writer.drain()
        writer.close()
        await asyncio.wait_for(happened.wait(), 5)


async def test_a_client_that_wants_to_close_is_closed_after_its_answer() -> None:
    async with client(echo) as (reader, writer):
        writer.write(request("/", b"", "Connection: close"))
        assert (await answer(reader))[0] == 200
        assert await reader.read() == b""


async def test_what_is_not_http_is_told_so() -> None:
    async with client(echo) as (reader, writer):
        writer.write(b"\x16\x03\x01\r\n\r\n")
        assert (await answer(reader))[0] == 400
        assert await reader.read() == b""


async def test_a_body_beyond_the_limit_is_too_large() -> None:
    async with client(echo) as (reader, writer):
        writer.write(request("/", b"x" * (MAX_BODY + 1)))
        assert (await answer(reader))[0] == 413


async def test_a_taken_port_is_an_error_at_once() -> None:
    listener = await listen(echo)
    with pytest.raises(OSError, match="address already in use"):
        await listen(echo, listener.port)
    listener.stop()


def test_unknown_paths_and_methods_are_told_apart() -> None:
    routes = Routes({("GET", "/a"): echo, ("POST", "/b/*"): echo})
    asked = [("GET", "/a"), ("POST", "/b/x"), ("PUT", "/a"), ("GET", "/b/x"), ("GET", "/c"), ("GET", "/health/live")]
    plans = [routes(Request(method, path, {}, {}, b"")) for method, path in asked]
    assert [plan.status for plan in plans if isinstance(plan, Reply)] == [200, 200, 405, 405, 404, 200]
