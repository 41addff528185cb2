"""The direct POST keeps nothing, follows nothing, and writes the address that was asked for."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qsl

from common.http.client import make_client
from common.http.direct import DirectPost
from common.observability.spans import tracer
from common.observability.tracing import Context, current

ANSWER = (
    b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: session=kept\r\nRetry-After: 7\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)


@asynccontextmanager
async def recording() -> AsyncGenerator[tuple[DirectPost, list[str]], None]:
    """A server that answers every request alike, and the heads that it saw."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                heads.append(head)
                length = next(line for line in head.lower().splitlines() if line.startswith("content-length"))
                await reader.readexactly(int(length.split(":")[1]))
                writer.write(ANSWER)
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        post = DirectPost(
            f"http://127.0.0.1:{port}/invoices",
            token="secret",
            content_type="application/xml",
            connections=1,
            timeout=timedelta(seconds=5),
            keepalive=timedelta(seconds=5),
        )
        try:
            yield post, heads
        finally:
            await post.aclose()


async def test_a_redirect_is_an_answer_and_a_cookie_is_forgotten() -> None:
    async with recording() as (post, heads):
        for _ in range(2):
            answered = await post(b"<a/>", params={"comment": "a"}, headers={})
            assert (answered.status_code, answered.content, answered.headers.get("retry-after")) == (302, b"{}", "7")
    assert len(heads) == 2
    assert not any("cookie" in head.lower() for head in heads)


async def test_parameters_and_headers_arrive_as_they_were_given() -> None:
    params = {"administration": "0123456749", "comment": "a b+c/é&d=e%41 ;#?"}
    async with recording() as (post, heads):
        await post(b"<a/>", params=params, headers={"Idempotency-Key": "k-1"})
    first, *lines = heads[0].splitlines()
    path, _, query = first.split(" ")[1].partition("?")
    assert (path, dict(parse_qsl(query))) == ("/invoices", params)
    assert {"Idempotency-Key: k-1", "Authorization: Bearer secret", "Content-Type: application/xml"} <= set(lines)


async def test_the_trace_goes_along_where_it_is_told_and_nowhere_else() -> None:
    open_ = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)
    tracer.use(lambda _: None, ratio=1.0)
    async with recording() as (post, heads):
        await post(b"<a/>", params={}, headers={})
        host = next(line.split(": ")[1] for line in heads.pop().splitlines() if line.startswith("Host"))
        client = make_client(base_url=f"http://{host}", token=None, connections=1)
        for context in (open_, open_._replace(sampled=False), None):
            token = current.set(context)
            await post(b"<a/>", params={}, headers={})
            await client.post("", content=b"<a/>")
            current.reset(token)
        await client.aclose()
    tracer.use(None)
    assert [open_.traceparent in head for head in heads] == [True, True, False, False, False, False]
    assert sum("traceparent" in head.lower() for head in heads) == 2
