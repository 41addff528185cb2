"""`/metrics`, `/health/live`, `/health/ready` over what the last reading left: a scrape never waits for Dagster."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

LATE_AFTER = 60.0
"""Seconds without a reading after which the exporter is not ready."""
HUNG_AFTER = 900.0
"""Seconds without an end of a reading, also of a failed one, after which it should be restarted."""


@dataclass(slots=True)
class Shown:
    """Written by the loop that reads, read by the requests: each field is replaced whole.

    `page` is empty before the first reading. Times are the monotonic clock's.
    """

    began_at: float
    page: bytes = b""
    read_at: float = float("-inf")
    tried_at: float = float("-inf")


def make_server(host: str, port: int, shown: Shown, now: Callable[[], float]) -> ThreadingHTTPServer:
    """Raises OSError where the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path, shown, now())
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Scrapes are not worth a line."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


def answer(path: str, shown: Shown, now: float) -> tuple[HTTPStatus, str, bytes]:
    """Status, content type and body."""
    match path.partition("?")[0]:
        case "/metrics" if shown.page:
            return HTTPStatus.OK, CONTENT_TYPE_LATEST, shown.page
        case "/metrics":
            return _health({"storage": False})
        case "/health/ready":
            return _health({"storage": now - shown.read_at < LATE_AFTER})
        case "/health/live":
            return _health({"loop": now - max(shown.began_at, shown.tried_at) < HUNG_AFTER})
        case _:
            return HTTPStatus.NOT_FOUND, "text/plain", b"not found\n"


def _health(parts: dict[str, bool]) -> tuple[HTTPStatus, str, bytes]:
    ok = all(parts.values())
    states = {name: "up" if up else "down" for name, up in parts.items()}
    body = {"status": "ok" if ok else "unavailable", "parts": states}
    return HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", json.dumps(body).encode()
