"""A log line as Elastic Common Schema names its fields; what is ours alone stands under `clearfacts`.

https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html. Texts of errors may quote a document or a name:
of each only the first line is written, without what stands in quotes.
"""

import re
import time
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from functools import lru_cache
from typing import Any

from common.observability.tracing import correlation_id, current, job_id, trace_id

ECS_VERSION = "8.11.0"
LONGEST_TEXT = 500
_LONGEST_STACK = 10_000
_SECRET = re.compile(r"password|token|secret|authorization|cookie|webhook_url", re.IGNORECASE)
_TEXTS = frozenset({"error", "cause", "why"})
"""Fields of ours that may say what an exception says."""

# A name of the database's own, which PostgreSQL quotes too, is nobody's. What is quoted may have been cut.
_QUOTED = re.compile(
    r"""((?:column|relation|constraint|table|index|type) "\w+")|"[^"]*(?:"|$)|(?<!\w)'[^']*(?:'|$)"""
    r"""|<[?/]?[A-Za-z].*|[\w.+-]+@[\w-]+\.[\w.-]+"""
)

Line = dict[str, Any]


def ecs(service: str) -> Callable[[Any, str, MutableMapping[str, Any]], Line]:
    """The processor of structlog that makes the line; the last one before it is written down."""
    fixed = {"service.name": service, "ecs.version": ECS_VERSION}

    def line(_: Any, level: str, event: MutableMapping[str, Any]) -> Line:
        message = event.pop("event", "")
        made: Line = {"@timestamp": _now(), "log.level": level, "message": message, **fixed}
        if (logger := event.pop("logger", None)) is None:
            made["event.action"] = message
        else:  # somebody else's words
            made["log.logger"], made["message"] = logger, told(str(message))
        if (error := event.pop("exc_info", None)) is not None:
            made |= _error(error)
        _say_where(made, event)
        if event:
            made["clearfacts"] = {name: _shown(name, value) for name, value in event.items()}
        return made

    return line


def told(text: str) -> str:
    """The first line without what it quotes, without markup and without addresses of people."""
    return _QUOTED.sub(_kept, text.split("\n", 1)[0])[:LONGEST_TEXT]


def _kept(found: re.Match[str]) -> str:
    return found[1] or "<value>"


def stack(error: BaseException) -> str:
    """Where it came from, the cause first, and what each error says as far as it may be told."""
    return "".join(_stack(error))[:_LONGEST_STACK]


def _say_where(made: Line, event: MutableMapping[str, Any]) -> None:
    if (span := current.get()) is not None:
        made["trace.id"], made["span.id"] = span.trace, span.span
    elif (trace := trace_id.get()) is not None:
        made["trace.id"] = trace
    if (correlation := correlation_id.get()) is not None:
        event.setdefault("correlation_id", correlation)
    if (job := job_id.get()) is not None:
        event.setdefault("job_id", job)


def _shown(name: str, value: Any) -> Any:
    if name in _TEXTS and isinstance(value, str):
        return told(value)
    return "***" if _is_secret(name) else value


@lru_cache(maxsize=4096)
def _is_secret(field: str) -> bool:
    return _SECRET.search(field) is not None


def _now() -> str:
    now = time.time()
    second = int(now)
    return f"{_second(second)}.{int((now - second) * 1e6):06d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _error(info: Any) -> Line:
    error = info[1] if isinstance(info, tuple) else info
    if not isinstance(error, BaseException):
        return {}
    return {"error.type": type(error).__name__, "error.message": told(str(error)), "error.stack_trace": stack(error)}


def _stack(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _stack(before)
        yield "\n"
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
    yield f"{type(error).__name__}: {told(str(error))}\n"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _stack(inner)
