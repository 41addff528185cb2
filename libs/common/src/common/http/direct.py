"""POST to one address by aiohttp itself: for the one call that is made hundreds of times a second.

`httpx.AsyncClient` on `httpx-aiohttp` merges URLs and headers, looks for cookies, credentials and redirects, and wraps
request and answer in objects of its own at every call: a third of the sender's work (measured). The engine below it,
its errors and its limits are the same here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from httpx_aiohttp.transport import map_aiohttp_exceptions

from common.observability.tracing import outgoing

CONNECT_TIMEOUT = 5.0


class Answer(Protocol):
    """What an answer is read by, `httpx.Response` or ours."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in any spelling of upper and lower case."""
        ...

    @property
    def content(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class DirectPost:
    """No retries, no redirects, no cookies, no proxies. `timeout` is per read: the caller has a deadline of its own.

    Raises one of `common.http.client.TRANSPORT_ERRORS`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        content_type: str,
        connections: int,
        timeout: timedelta,
        keepalive: timedelta,
    ) -> None:
        self._connections = connections
        self._keepalive = keepalive.total_seconds()
        self._session: ClientSession | None = None
        self._url = url
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._headers = {"Content-Type": content_type, "Accept": "application/json", **authorization}
        self._timeout = ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=timeout.total_seconds())

    async def __call__(self, content: bytes, *, params: Mapping[str, str], headers: Mapping[str, str]) -> Answered:
        """Send one body and read the whole answer."""
        if self._session is None:  # a session belongs to the loop that runs
            self._session = self._make_session()
        with map_aiohttp_exceptions():
            async with self._session.post(
                self._url,
                params=params,
                data=content,
                headers={**self._headers, **headers, **outgoing()},
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                return Answered(answer.status, answer.headers, await answer.read())

    def _make_session(self) -> ClientSession:
        connector = TCPConnector(
            limit=self._connections,
            keepalive_timeout=self._keepalive,
            ssl=httpx.create_ssl_context(trust_env=False),
        )
        return ClientSession(connector=connector, cookie_jar=DummyCookieJar())

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
