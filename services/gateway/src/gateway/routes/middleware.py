"""One pure ASGI middleware around everything: correlation, limits, faults, headers, and what is counted and logged."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.observability import metrics
from common.observability.tracing import accept_correlation_id, correlation_id, parse_traceparent, trace_id
from gateway.routes.codes import ErrorCode
from gateway.routes.envelopes import Envelopes
from gateway.routes.faults import DEFECT, explain
from gateway.routes.headers import CORRELATION_HEADER, AnswerHeaders, are_events, has_length, text_of

log = structlog.get_logger()

LONGEST_BODY = 2 * 1024 * 1024
"""Room for 1,000 source ids of 255 characters."""
LONGEST_REQUEST = 10.0
"""Seconds; a caller that sends its body slower is cut off. A database that hangs adds ten until asyncpg lets it go."""
LONGEST_STREAM = 900.0
"""Seconds for a file that is streamed: a reader that stops reading is let go."""

_CORRELATION = CORRELATION_HEADER.lower()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
_PLAIN = _QUIET | {"/openapi.json"}
"""Starlette's own routes, which leave no trace in the scope."""
_MOST_SERIES = 4096


class Edge:
    """What every request passes, in one layer because each costs every answer.

    It has an id, the caller's where that is harmless; its body is no longer than LONGEST_BODY, whatever its headers
    claim; it ends in time, or as a 503; whatever goes wrong inside leaves as an error envelope; every answer carries
    the id and the headers of `routes.headers`; each is counted, timed and logged by its route's template.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        envelopes: Envelopes,
        behind_tls: bool = False,
        longest: float = LONGEST_REQUEST,
        longest_stream: float = LONGEST_STREAM,
    ) -> None:
        self._app = app
        self._envelopes = envelopes
        self._headers = AnswerHeaders(behind_tls=behind_tls)
        self._longest = longest
        self._longest_stream = longest_stream
        self._log = log.bind()  # the one of the module is made anew for each line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = text_of(scope["headers"])
        current = accept_correlation_id(given.get(_CORRELATION)) or str(uuid4())
        exchange = _Exchange(scope, receive, send, self._headers, current, self._longest_stream)
        of_correlation = correlation_id.set(current)
        of_trace = trace_id.set(parse_traceparent(given.get("traceparent")))
        started = perf_counter()
        try:
            await self._answer(exchange, given.get("content-length", ""))
        finally:
            self._observe(exchange, perf_counter() - started)
            correlation_id.reset(of_correlation)
            trace_id.reset(of_trace)

    async def _answer(self, exchange: "_Exchange", claimed: str) -> None:
        scope = exchange.scope
        try:
            exchange.claim(claimed)
            async with asyncio.timeout(self._longest) as exchange.limit:
                await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if exchange.status:  # too late for an envelope: the server cuts the connection, which the caller notices
                raise
            refusal = explain(error) or DEFECT
            if refusal is DEFECT:
                log.exception("defect")
            elif refusal.code is ErrorCode.SERVICE_UNAVAILABLE:
                log.warning("unavailable", error=str(error) or type(error).__name__)
            exchange.limit = None
            await self._envelopes.failure(refusal)(scope, exchange.receive, exchange.send)

    def _observe(self, exchange: "_Exchange", seconds: float) -> None:
        method, route = _method(exchange.scope), _template(exchange.scope)
        requests, duration = _series(method, route, exchange.status)
        requests.inc()
        if not exchange.endless:  # how long somebody watched is no latency
            duration.observe(seconds)
        if route not in _QUIET:
            ms = round(seconds * 1000, 1)
            self._log.info("request", method=method, route=route, status=exchange.status, ms=ms)


@dataclass(slots=True)
class _Exchange:
    """A request and how far its answer is: `status` is 0 until it begins; `endless` where it says no length."""

    scope: Scope
    _receive: Receive
    _send: Send
    _headers: AnswerHeaders
    _correlation: str
    _longest_stream: float
    limit: asyncio.Timeout | None = None
    status: int = 0
    endless: bool = False
    _seen: int = 0

    def claim(self, length: str) -> None:
        """Raises HTTPException 413 where the body is said to be too long."""
        if length.isdecimal() and int(length) > LONGEST_BODY:
            raise HTTPException(413)

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > LONGEST_BODY:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        await self._send(message)

    def _begin(self, message: Message) -> None:
        headers, self.status = message["headers"], message["status"]
        if self.status == HTTPStatus.OK and not has_length(headers):
            self.endless = True
            if self.limit is not None:
                now = asyncio.get_running_loop().time()
                self.limit.reschedule(None if are_events(headers) else now + self._longest_stream)
        private = self.scope["path"].startswith(("/api", "/auth"))
        message["headers"] = self._headers.completed(headers, self._correlation, private=private)


@lru_cache(maxsize=_MOST_SERIES)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return (
        metrics.HTTP_REQUESTS.labels(method, route, str(status)),
        metrics.HTTP_REQUEST_SECONDS.labels(method, route),
    )


def _method(scope: Scope) -> str:
    return str(scope["method"]) if scope["method"] in _METHODS else "OTHER"


def _template(scope: Scope) -> str:
    if scope["path"] in _PLAIN:
        return str(scope["path"])
    return str(getattr(scope.get("route"), "path", "unmatched"))
