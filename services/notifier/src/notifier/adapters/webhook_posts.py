"""Posts to addresses that others chose: judged when the socket is made, bounded in time and size."""

import errno
import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any

import aiohttp

from common.contracts.webhooks import IPNetwork, may_connect
from common.http.client import observed
from notifier.webhooks.rules import Answer, Answered, NoAnswer

LONGEST_ANSWER = 65_536
SHOWN = 200
_NOT_ALLOWED = "the address is not allowed"
_CONNECT_TIMEOUT = 5.0
_HEADERS = {"Content-Type": "application/json", "User-Agent": "Clearfacts-Webhooks/1", "Accept-Encoding": "identity"}


class AddressRefused(OSError):
    def __init__(self) -> None:
        super().__init__(errno.EACCES, _NOT_ALLOWED)  # the text survives being wrapped


class HttpPoster:
    """No redirects, cookies, proxies or compression. Plain HTTP goes into `networks` only."""

    def __init__(self, networks: Sequence[IPNetwork], *, timeout: timedelta) -> None:
        self._networks = networks
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds(), sock_connect=_CONNECT_TIMEOUT)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        started = perf_counter()
        async with observed("webhook", "POST") as call:
            try:
                answer = await self._post(url, body, headers, started)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                return NoAnswer(_said(error), _since(started))
            call.name = "ok" if answer.status < 300 else "error"
            return answer

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], started: float) -> Answered:
        session = self._session(url)
        async with session.post(url, data=body, headers={**_HEADERS, **headers}, allow_redirects=False) as answer:
            text = await _beginning(answer)
            return Answered(answer.status, _since(started), _escaped(text), _retry_after(answer.headers))

    def _session(self, url: str) -> aiohttp.ClientSession:
        plain = not url.startswith("https://")
        if plain not in self._sessions:  # a session belongs to the loop that runs
            self._sessions[plain] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=256, socket_factory=partial(self._socket, plain=plain)),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                auto_decompress=False,
                trust_env=False,
            )
        return self._sessions[plain]

    def _socket(self, info: tuple[Any, Any, int, str, tuple[Any, ...]], *, plain: bool) -> socket.socket:
        family, kind, protocol, _, place = info
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        inside = any(address in network for network in self._networks)
        if not (inside if plain else may_connect(address, self._networks)):
            raise AddressRefused
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """What is there of it; the status counts, whatever becomes of the body. What is too long is cut off."""
    found = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            found += chunk
            if len(found) > LONGEST_ANSWER:
                answer.close()
                break
    except (aiohttp.ClientError, OSError, TimeoutError):
        answer.close()
    return bytes(found)


def _escaped(body: bytes) -> str:
    """The first characters, none of which a terminal or a page could take for anything but text."""
    text = body[: SHOWN * 4].decode("utf-8", "replace")[:SHOWN]
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)[:SHOWN]


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("Retry-After", "")
    return timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() and len(text) < 10 else None


_SAYINGS: Sequence[tuple[Callable[[BaseException], bool], str]] = (
    (lambda error: _NOT_ALLOWED in str(error), _NOT_ALLOWED),
    (lambda error: isinstance(error, TimeoutError), "no answer in time"),
    (lambda error: isinstance(error, aiohttp.ClientSSLError), "no trusted TLS connection"),
    (lambda error: isinstance(error, aiohttp.ClientConnectorDNSError), "the name cannot be resolved"),
)


def _said(error: BaseException) -> str:
    """Its own text may hold the address, which may hold a secret."""
    return next((text for fits, text in _SAYINGS if fits(error)), f"no answer: {type(error).__name__}")


def _since(started: float) -> timedelta:
    return timedelta(seconds=perf_counter() - started)
