"""The spans of a trace, from the receiver of the sandbox: not the gateway's, and without a token."""

from collections.abc import Sequence
from typing import Any

import httpx

from client.errors import ClientError

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


def read_trace(
    receiver: str, trace_id: str, *, transport: httpx.BaseTransport | None = None
) -> Sequence[dict[str, Any]]:
    """By their beginning, each once. Raises ClientError with one line where the receiver does not answer so."""
    address = f"{receiver.rstrip('/')}/sandbox/traces/{trace_id}"
    try:
        with httpx.Client(timeout=_TIMEOUT, transport=transport, trust_env=False) as http:
            items: Sequence[dict[str, Any]] = http.get(address).raise_for_status().json()["items"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise ClientError(f"{receiver} gives no traces ({type(error).__name__}); is it the sandbox's?") from None
    return items
