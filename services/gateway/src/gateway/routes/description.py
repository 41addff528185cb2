"""What the description says beyond the routes: errors as envelopes, headers, tags, examples."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from gateway.routes.codes import MEANINGS
from gateway.routes.examples import ERROR, PARAMETERS, REQUESTS, RESPONSES

INTRODUCTION = """\
Every answer is an envelope: `success`, `data` or `error`, `timestamp`, `correlation_id`. Error codes and what to do \
about each are in `docs/errors.md`, limits in `docs/limits.md`, everything else in `docs/api.md`. Fields and values of \
enums are only ever added: ignore those that you do not know. Fields that the API does not know are refused."""

TAGS: Mapping[str, str] = {
    "auth": "Signing in, who one is, the public keys of tokens.",
    "jobs": "Starting the work, watching it, ending it.",
    "invoices": "What became of each invoice: found, shown, downloaded, exported.",
    "held": "Invoices that wait for a person, and what that person decides.",
    "failed": "Failed invoices and unreadable records, by cause; looked at, edited, set aside.",
    "replays": "What failed goes again: rehearsed, a canary first, then at a rate.",
    "switches": "Pauses of a service, for all or one administration.",
    "operations": "For those who run the system: alerts, what waits where, versions and settings.",
    "recovery": "Giving a restored database back what it has forgotten.",
    "users": "Who may sign in, and as what.",
    "configuration": "What can be changed while the system runs, with its history.",
    "audit": "Who did what, when, from where.",
    "webhooks": "Where integrators are told of outcomes, and what they were told.",
    "ui": "What the web interface asks before it starts.",
    "system": "Each dependency, what waits where, the last night.",
}
_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}
_CORRELATION = "X-Correlation-ID"
_NOTHING_SAID = "Successful Response"
_METHODS = ("get", "post", "put", "patch", "delete")


class DescribedApi(FastAPI):
    """A FastAPI whose description is ours."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The document that FastAPI made, in place, with what it cannot know."""
    document["info"]["description"] = INTRODUCTION
    document["servers"] = [{"url": "/", "description": "the gateway that gives this document"}]
    components = document["components"]
    components["parameters"] = {"CorrelationId": _CORRELATION_PARAMETER}
    components["headers"] = dict(_HEADERS)
    components["responses"] = {f"Error{status}": _error(status) for status in _REFUSALS}
    components["schemas"]["ErrorEnvelope"]["examples"] = [ERROR]
    used: set[str] = set()
    for path, item in document["paths"].items():
        for method in _METHODS:
            if (operation := item.get(method)) is not None:
                used.update(operation["tags"])
                _complete(operation, path, method)
    document["tags"] = [{"name": tag, "description": meaning} for tag, meaning in TAGS.items() if tag in used]
    return document


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    name = operation["operationId"]
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["name"] in PARAMETERS:
            parameter["example"] = PARAMETERS[parameter["name"]]
    expected = {str(status) for status in _statuses(operation, path, method)}
    kept = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    refused = {status: {"$ref": f"#/components/responses/Error{status}"} for status in sorted(expected)}
    operation["responses"] = kept | refused
    for status, answer in kept.items():
        if answer["description"] == _NOTHING_SAID:
            answer["description"] = HTTPStatus(int(status)).phrase
        answer["headers"] = {header: _header(header) for header in _success_headers(operation, status)}
        if name in RESPONSES and "application/json" in answer.get("content", {}):
            answer["content"]["application/json"]["examples"] = _examples({"usual": _envelope(RESPONSES[name])})
    if name in REQUESTS:
        operation["requestBody"]["content"]["application/json"]["examples"] = _examples(REQUESTS[name])
    parameters.append({"$ref": "#/components/parameters/CorrelationId"})


def _statuses(operation: Mapping[str, Any], path: str, method: str) -> Iterator[int]:
    """The errors that such an operation can answer; a test walks them all."""
    names = {parameter["name"] for parameter in operation["parameters"]}
    signed_in, has_body = "security" in operation, "requestBody" in operation
    yield from (500, 503)
    if signed_in:
        yield from (401, 403)
    if has_body:
        yield from (400, 413, 415, 422)
    if names:
        yield 422
    if "cursor" in names:
        yield 400
    if "{" in path:
        yield 404
    if signed_in and method != "get":
        yield 409
    if not signed_in and has_body:  # signing in
        yield from (401, 429)
    if "Idempotency-Key" in names or _streams(operation):
        yield 429


def _streams(operation: Mapping[str, Any]) -> bool:
    """Whether it answers with anything but JSON: events and downloads are limited in number."""
    contents = (answer.get("content", {}) for answer in operation["responses"].values())
    return any(kind != "application/json" for content in contents for kind in content)


def _error(status: int) -> dict[str, Any]:
    codes = [f"`{code}`" for code, meaning in MEANINGS.items() if meaning.status == status]
    return {
        "description": f"{HTTPStatus(status).phrase}: {' or '.join(codes)}",
        "content": _ERROR_CONTENT,
        "headers": {name: _header(name) for name in (_CORRELATION, *_OF_STATUS.get(status, ()))},
    }


def _success_headers(operation: Mapping[str, Any], status: str) -> Iterator[str]:
    yield _CORRELATION
    if status in {"201", "202"}:
        yield "Location"
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]):
        yield "Idempotency-Replayed"


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _examples(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in named.items()}


def _envelope(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data, **{name: ERROR[name] for name in ("timestamp", "correlation_id")}}


_REFUSALS = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)
_OF_STATUS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_TEXT = {"type": "string"}
_HEADERS: Mapping[str, dict[str, Any]] = {
    _CORRELATION: {"description": "the request's, or a new one; also in the body and the logs", "schema": _TEXT},
    "Retry-After": {"description": "seconds, or a date, after which to come back", "schema": _TEXT},
    "WWW-Authenticate": {"description": "the challenge of RFC 6750", "schema": _TEXT},
    "Location": {"description": "where to find what was made or started", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "`true` where an earlier request with this key did it", "schema": _TEXT},
}
_CORRELATION_PARAMETER: Mapping[str, Any] = {
    "name": _CORRELATION,
    "in": "header",
    "required": False,
    "description": (
        "follows the request through logs, jobs and records; "
        "a new one where it is missing or not 8 to 64 letters, digits, - and _"
    ),
    "schema": {"type": "string"},
    "example": ERROR["correlation_id"],
}
