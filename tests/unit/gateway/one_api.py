"""One API for all worlds of a process: FastAPI takes longer to put it together than most tests to use it."""

from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from common.clock import Clock
from common.health import Health
from gateway.routes.api import Stories, make_api

_ASKED: ContextVar[tuple[Stories, Clock]] = ContextVar("asked")


@dataclass(frozen=True, slots=True)
class _OfTheOneAsked:
    """A story, or what it has, of the world whose API is asked at the moment."""

    path: tuple[str, ...]

    def __getattr__(self, name: str) -> "_OfTheOneAsked":
        return _OfTheOneAsked((*self.path, name))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        found: Any = _ASKED.get()[0]
        for name in self.path:
            found = getattr(found, name)
        return found(*arguments, **named)


def api_of(stories: Stories, clock: Clock, *, behind_tls: bool = False) -> ASGIApp:
    """The API over these stories; its health is fine."""

    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        before = _ASKED.set((stories, clock))
        try:
            await _one(type(structlog.get_config()["logger_factory"]), behind_tls=behind_tls)(scope, receive, send)
        finally:
            _ASKED.reset(before)

    return api


@cache
def _one(logger: type, *, behind_tls: bool) -> FastAPI:
    stories: dict[str, Any] = {story.name: _OfTheOneAsked((story.name,)) for story in fields(Stories)}
    clock = Clock(now=lambda: _clock().now(), monotonic=lambda: _clock().monotonic())
    return make_api(Stories(**stories), clock=clock, health=Health({}).routes(), behind_tls=behind_tls)


def _clock() -> Clock:
    return _ASKED.get()[1]
