"""The span of a request: what is always told, what is told in part, what an error is worth."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.observability.spans import Kind, Span, tracer
from common.observability.tracing import Context, current
from gateway.routes.traced import Traced

CALLER = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)


@pytest.fixture
def told() -> Iterator[list[Span]]:
    """What is told while no read is sampled."""
    spans: list[Span] = []
    tracer.use(spans.append, ratio=0.0)
    yield spans
    tracer.use(None)


async def ask(method: str, path: str, caller: Context | None = None) -> Context | None:
    """The span that was open inside."""
    inside: list[Context | None] = []

    async def answer(request: Request) -> Response:
        inside.append(current.get())
        return Response(status_code=int(request.path_params["status"]))

    async def broken(_: Request) -> Response:
        raise ConnectionResetError

    async def live(_: Request) -> Response:
        return Response()

    routes = [
        Route("/things/{status}", answer, methods=["GET", "POST"]),
        Route("/broken", broken),
        Route("/health/live", live),
    ]
    transport = httpx.ASGITransport(Traced(Starlette(routes=routes)), raise_app_exceptions=False)
    headers = {"traceparent": caller.traceparent} if caller else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        await http.request(method, path, headers=headers)
    return inside[0] if inside else None


async def test_what_may_change_something_is_told_and_what_is_read_is_not(told: list[Span]) -> None:
    inside = await ask("POST", "/things/202")
    await ask("GET", "/things/200")
    [span] = told
    assert (span.name, span.kind, span.parent, span.error) == ("POST /things/{status}", Kind.SERVER, None, None)
    assert span.context == inside
    assert span.attributes == {
        "http.route": "/things/{status}",
        "http.request.method": "POST",
        "http.response.status_code": 202,
    }


async def test_reads_are_told_by_their_part(told: list[Span]) -> None:
    tracer.use(told.append, ratio=1.0)
    await ask("GET", "/things/200")
    assert [span.name for span in told] == ["GET /things/{status}"]


async def test_of_a_read_that_fails_the_span_is_told_though_it_was_not_sampled(told: list[Span]) -> None:
    inside = await ask("GET", "/things/503")
    await ask("GET", "/broken")
    await ask("GET", "/things/404")
    assert [(span.name, span.error) for span in told] == [("GET /things/{status}", "503"), ("GET /broken", "500")]
    assert inside is not None
    assert not inside.sampled
    assert all(span.context.sampled for span in told)


async def test_the_callers_trace_goes_on_as_the_caller_decided(told: list[Span]) -> None:
    inside = await ask("GET", "/things/200", CALLER)
    quiet = await ask("POST", "/things/202", CALLER._replace(sampled=False))
    assert [(span.context.trace, span.parent) for span in told] == [(CALLER.trace, CALLER.span)]
    assert inside == told[0].context
    assert quiet is not None
    assert (quiet.trace, quiet.sampled) == (CALLER.trace, False)


async def test_health_is_nobodys_trace(told: list[Span]) -> None:
    tracer.use(told.append, ratio=1.0)
    await ask("GET", "/health/live")
    assert told == []
