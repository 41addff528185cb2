"""How an operation can be asked: as it should be, and in ways that schemathesis does not know."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.routes.middleware import LONGEST_BODY
from tests.contract.api.rows import IDS
from tests.contract.api.walker import JSON, Operation, Request

CANARY = "canary-7f3a"
"""A value that no answer may repeat."""
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def usual(operation: Operation) -> Request:
    request = Request(operation.method.upper(), operation.filled(IDS), params=operation.required())
    if operation.body is None:
        return request
    example = next(iter(operation.body["examples"].values()))["value"]
    return request.with_json(example)


def other_bodies(operation: Operation) -> Iterator[Request]:
    """Bodies that are missing, broken, too large, of another type, or have other fields than they should."""
    request = usual(operation)
    if operation.body is None:
        return
    yield Request(request.method, request.path)
    yield Request(request.method, request.path, headers={"Content-Type": JSON})
    for content in (b"{", b"\xff\xfe", b'{"a":1e999}', b"[" * 5000, b'{"\xed\xa0\x80":1}', b'"\\ud800"', b"NaN"):
        yield Request(request.method, request.path, content, {"Content-Type": JSON})
    yield Request(request.method, request.path, b" " * (LONGEST_BODY + 1), {"Content-Type": JSON})
    for body in ({}, [], None, CANARY, 10**400, True):
        yield request.with_json(body)
    example: Mapping[str, Any] = next(iter(operation.body["examples"].values()))["value"]
    yield request.with_json({**example, CANARY[::-1]: CANARY})
    for name, value in itertools.product(example, (CANARY, [CANARY], {"x": CANARY}, 10**30, -1.5, None, "\0", "")):
        yield request.with_json({**example, name: value})


def odd_kinds(operation: Operation) -> Iterator[Request]:
    request = usual(operation)
    for accept in (BROWSER, "image/png", "application/json;q=0", "", "no/such/type;;"):
        yield request.with_headers({"Accept": accept})
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", "", ";"):
        yield request.with_headers({"Content-Type": kind})


def odd_parameters(operation: Operation) -> Iterator[Request]:
    request = usual(operation)
    for name in operation.parameters("path"):
        for value in ("x" * 5000, "%00", "%FF%FE", "'%20OR%201=1", "%F0%9F%92%A9", "0" * 36, CANARY):
            path = operation.path.replace(f"{{{name}}}", value)
            yield Request(request.method, _rest(path), request.content, request.headers)
    for name in (*operation.parameters("query"), "stauts"):
        for value in ("", "x" * 5000, "\0", "-1", "0", "9" * 40, "💩", CANARY, "null", "1e5", "0001-01-01T00:00:00Z"):
            yield Request(
                request.method, request.path, request.content, request.headers, (*request.params, (name, value))
            )
    for name in operation.parameters("header"):
        for value in (b"", b"x" * 5000, b"\xff", b"a\tb", b"-1", b"9" * 40):
            yield request.with_headers({name: value})


def _rest(path: str) -> str:
    for name, value in IDS.items():
        path = path.replace(f"{{{name}}}", value)
    return path.replace("{action}", "pause")
