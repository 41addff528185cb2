"""Which method and path goes to which handler."""

from collections.abc import Mapping
from http import HTTPStatus

from sandbox.web.messages import Handler, Plan, Request, error, json_reply


class Routes:
    """Exact paths; a path that ends in `*` takes all that begin like it. `/health/live` is always there."""

    def __init__(self, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._exact: dict[tuple[str, str], Handler] = {("GET", "/health/live"): _live, ("GET", "/health/ready"): _live}
        self._prefixes: list[tuple[str, str, Handler]] = []
        for (method, path), handler in handlers.items():
            if path.endswith("*"):
                self._prefixes.append((method, path[:-1], handler))
            else:
                self._exact[method, path] = handler

    def __call__(self, request: Request) -> Plan:
        handler = self._exact.get((request.method, request.path)) or self._by_prefix(request)
        return handler(request) if handler else self._missing(request.path)

    def _by_prefix(self, request: Request) -> Handler | None:
        for method, prefix, handler in self._prefixes:
            if method == request.method and request.path.startswith(prefix):
                return handler
        return None

    def _missing(self, path: str) -> Plan:
        allowed = sorted(
            {method for method, known in self._exact if known == path}
            | {method for method, prefix, _ in self._prefixes if path.startswith(prefix)}
        )
        if allowed:
            headers = (("allow", ", ".join(allowed)),)
            return error(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"use {', '.join(allowed)}", headers)
        return error(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"there is nothing at {path}")


def _live(_: Request) -> Plan:
    return json_reply({"status": "live"})
