"""What a handler is given, and what it may plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

import orjson

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """Header names are lower case, header values are as sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    body: bytes


class Reply(NamedTuple):
    """Sent `delay` seconds after the request was read; with `cut`, only that share of the body is, then the end."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = ()
    delay: float = 0.0
    cut: float | None = None


class Reset(NamedTuple):
    """The client sees a TCP reset, `delay` seconds after the request was read."""

    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer, ever; the connection stays open."""


class Later(NamedTuple):
    """`then` is asked after `delay` seconds, also when the client has gone meanwhile."""

    delay: float
    then: Callable[[], "Plan"]


Plan: TypeAlias = Reply | Reset | Hang | Later
Handler: TypeAlias = Callable[[Request], Plan]


def json_reply(content: object, status: int = HTTPStatus.OK, headers: Headers = ()) -> Reply:
    return Reply(status, orjson.dumps(content), headers=headers)


def error(status: int, code: str, message: str, headers: Headers = ()) -> Reply:
    return json_reply({"error": {"code": code, "message": message}}, status, headers)
