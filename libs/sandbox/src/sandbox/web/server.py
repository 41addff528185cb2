"""Connections: httptools reads, a synchronous handler plans, timers of the loop carry the plan out."""

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import assert_never, cast
from urllib.parse import unquote, unquote_plus

import httptools

from sandbox.web.messages import Handler, Hang, Later, Plan, Reply, Request, Reset, error

MAX_BODY = 20 * 1024 * 1024
BACKLOG = 4096
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


class Connection(asyncio.Protocol):
    """One client; requests that arrive while one is being answered wait their turn."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nobody upgrades here: the request is answered as if it had not asked
        except httptools.HttpParserError:
            self._write(error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "this is not HTTP/1.1"), keep=False)
            return
        self._next()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._transport and self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self._url.partition(b"?")
        request = Request(
            self._parser.get_method().decode("ascii"),
            unquote(path.decode("latin-1")) if b"%" in path else path.decode("latin-1"),
            _query(query.decode("latin-1")),
            self._headers,
            b"".join(self._body),
        )
        too_large = self._size > MAX_BODY
        self._begin()
        if too_large:
            self._write(error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", "more than 20 MiB"), keep=False)
        else:
            self._waiting.append((request, self._parser.should_keep_alive()))

    def _next(self) -> None:
        while self._waiting and not self._busy and self._transport:
            request, keep = self._waiting.popleft()
            self._busy = True
            self._carry_out(self._handler(request), keep=keep)

    def _carry_out(self, plan: Plan, *, keep: bool) -> None:
        match plan:
            case Reply(delay=delay):
                self._after(delay, plan, keep=keep)
            case Reset(delay=delay):
                self._after(delay, plan, keep=keep)
            case Later(delay=delay, then=then):
                asyncio.get_running_loop().call_later(delay, lambda: self._carry_out(then(), keep=keep))
            case Hang():
                pass  # stays busy, so nothing further on this connection is answered either
            case _:
                assert_never(plan)

    def _after(self, delay: float, plan: Reply | Reset, *, keep: bool) -> None:
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self._finish, plan, keep)
        else:
            self._finish(plan, keep)

    def _finish(self, plan: Reply | Reset, keep: bool) -> None:  # noqa: FBT001 call_later takes positions only
        if isinstance(plan, Reset):
            self.reset()
            return
        self._write(plan, keep=keep)
        self._busy = False
        self._next()

    def _write(self, reply: Reply, *, keep: bool) -> None:
        if self._transport is None:
            return
        body = reply.body if reply.cut is None else reply.body[: int(len(reply.body) * reply.cut)]
        self._transport.writelines((_head(reply, keep=keep), body))
        if not keep or reply.cut is not None:
            self.close()

    def reset(self) -> None:
        if self._transport is not None:
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._transport.abort()
            self._transport = None

    def close(self) -> None:
        """What has been written is still sent; a request that hangs or waits gets no answer."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _query(text: str) -> dict[str, str]:
    """Names as sent, of two values the last: urllib's parse_qsl costs as much as the rest of the parsing."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {name: unquote_plus(value) if "%" in value or "+" in value else value for name, _, value in pairs}


def _head(reply: Reply, *, keep: bool) -> bytes:
    extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    return (
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, '')}\r\ndate: {_http_date()}\r\n"
        f"content-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}\r\n{extra}"
        f"{'' if keep else 'connection: close' + chr(13) + chr(10)}\r\n"
    ).encode("latin-1")


def _http_date() -> str:
    return _date_of(int(time.time()))


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


class Listener:
    """A listening server; `stop` refuses new connections and ends the open ones."""

    def __init__(self, server: asyncio.Server, connections: set[Connection]) -> None:
        self._server = server
        self._connections = connections

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.close()


async def listen(handler: Handler, port: int = 0, host: str = "127.0.0.1") -> Listener:
    """Raises OSError when the port is taken; port 0 takes a free one."""
    connections: set[Connection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(handler, connections), host, port, backlog=BACKLOG
    )
    return Listener(server, connections)


@asynccontextmanager
async def listening(handler: Handler, port: int = 0, host: str = "127.0.0.1") -> AsyncGenerator[str]:
    """The base URL of a server that lives as long as the block."""
    listener = await listen(handler, port, host)
    try:
        yield f"http://{host}:{listener.port}"
    finally:
        listener.stop()
