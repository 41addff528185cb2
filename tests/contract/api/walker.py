"""Every operation of the description, how to ask it, and what each answer must be."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from gateway.domain.access import PERMISSIONS, Permission, Role
from gateway.routes.openapi import document
from tests.contract.schema import problems, resolved
from tests.unit.gateway.test_permissions import routes

DESCRIBED: dict[str, Any] = json.loads(document())
METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"
NOBODY = "nobody"
CALLERS: tuple[str, ...] = (NOBODY, *Role)
_NEEDED: Mapping[tuple[str, str], Permission | None] = {
    (method, path): permission for method, path, permission in routes()
}
BEFORE_THE_GUARD = frozenset({400, 413, 415})
"""A body that cannot be read is refused before anybody asks who sent it."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The body's part of the description, with schema and examples."""
        return self.described["requestBody"]["content"][JSON] if "requestBody" in self.described else None

    def parameters(self, where: str) -> dict[str, Mapping[str, Any]]:
        found = (resolved(parameter, DESCRIBED) for parameter in self.described["parameters"])
        return {parameter["name"]: parameter for parameter in found if parameter["in"] == where}

    def filled(self, ids: Mapping[str, str]) -> str:
        path = self.path
        for name, parameter in self.parameters("path").items():
            value = ids.get(name) or resolved(parameter["schema"], DESCRIBED).get("enum", ["unknown"])[0]
            path = path.replace(f"{{{name}}}", value)
        return path

    def required(self) -> tuple[tuple[str, str], ...]:
        """The query parameters that there must be, with a value that is allowed."""
        query = self.parameters("query").items()
        return tuple(
            (name, resolved(given["schema"], DESCRIBED)["enum"][0]) for name, given in query if given["required"]
        )

    def refusal(self, caller: str) -> int | None:
        """401, 403, or None for a caller who may: by the table of permissions."""
        needed = _NEEDED[self.method.upper(), self.path]
        if needed is None:
            return None
        if caller == NOBODY:
            return 401
        return None if needed in PERMISSIONS[Role(caller)] else 403


OPERATIONS = [
    Operation(method, path, item[method])
    for path, item in DESCRIBED["paths"].items()
    for method in METHODS
    if method in item
]


def taken(path: str) -> set[str]:
    """The methods of every operation whose address this is: `/replays/rehearsal` could be a replay, too."""
    return {
        operation.method.upper()
        for operation in OPERATIONS
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path)
    }


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    content: bytes | None = None
    headers: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    params: tuple[tuple[str, str], ...] = ()

    def with_json(self, body: Any) -> "Request":
        content = json.dumps(body).encode("utf-8", "surrogatepass")
        return replace(self, content=content, headers={**self.headers, "Content-Type": JSON})

    def with_headers(self, headers: Mapping[str, str | bytes]) -> "Request":
        return replace(self, headers={**self.headers, **headers})


async def send(http: httpx.AsyncClient, request: Request) -> httpx.Response:
    headers = request.headers.items()
    return await http.request(
        request.method,
        request.path,
        content=request.content,
        headers=[(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers],
        params=list(request.params) or None,
    )


def check(answer: httpx.Response, operation: Operation | None = None) -> None:
    """What holds for every answer; with `operation`, that it is one of those which the description names."""
    what = f"{answer.request.method} {answer.request.url} -> {answer.status_code} {answer.text[:500]}"
    assert answer.status_code < 500, what
    assert answer.headers.get("X-Correlation-ID"), what
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        _check_error(answer, what)
    if operation is not None:
        _check_described(answer, operation, what)


def _check_error(answer: httpx.Response, what: str) -> None:
    assert answer.headers["Content-Type"] == JSON, what
    body = answer.json()
    assert not problems(body, {"$ref": "#/components/schemas/ErrorEnvelope"}, DESCRIBED), what
    assert body["correlation_id"] == answer.headers["X-Correlation-ID"], what
    expected = {401: "WWW-Authenticate", 403: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
    if answer.status_code in expected:
        assert answer.headers.get(expected[answer.status_code]), what
    if body["error"]["code"] == "VALIDATION_ERROR":
        assert all(error.keys() == {"field", "code", "message"} for error in body["error"]["details"]["errors"]), what


def _check_described(answer: httpx.Response, operation: Operation, what: str) -> None:
    described = operation.described["responses"]
    assert str(answer.status_code) in described, f"not described: {what}"
    content = resolved(described[str(answer.status_code)], DESCRIBED).get("content", {})
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if not content:
        assert not answer.content, what
        return
    assert kind in content, f"{kind} is not described: {what}"
    if kind == JSON:
        assert not (found := problems(answer.json(), content[JSON].get("schema", {}), DESCRIBED)), f"{found}: {what}"
