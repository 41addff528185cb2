"""Speaking to the gateway: the envelope, the token, and what no answer means."""

import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from client.errors import ApiError, GatewayUnreachable
from client.shapes import Token

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_UNAUTHENTICATED = 401


class Connection:
    """One gateway, perhaps signed in: what every call goes through.

    Every call raises ApiError or GatewayUnreachable. With `credentials` (username, password) an expired or missing
    token is replaced by signing in, once a call.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        credentials: tuple[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = httpx.Client(
            base_url=url.rstrip("/"), timeout=_TIMEOUT, transport=transport, trust_env=not _is_loopback(url)
        )
        self._token = token
        self._credentials = credentials
        self._sleep = sleep
        self._monotonic = monotonic

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def login(self, username: str, password: str) -> Token:
        """Sign in; later calls carry the token."""
        body = {"username": username, "password": password}
        token = _data(self._send("POST", "/auth/login", json=body), Token)
        self._token = token.access_token
        return token

    def _call(self, method: str, path: str, kind: type[AnswerT], **options: Any) -> AnswerT:
        answer = self._send(method, path, **options)
        if answer.status_code == _UNAUTHENTICATED and self._credentials is not None:
            self.login(*self._credentials)
            answer = self._send(method, path, **options)
        return _data(answer, kind)

    @contextmanager
    def _events(self, path: str, headers: Mapping[str, str], timeout: httpx.Timeout) -> Generator[httpx.Response]:
        """A stream of events, to be read as it comes."""
        with self._body(_is_stream, path, headers=headers, timeout=timeout) as answer:
            yield answer

    @contextmanager
    def _file(self, path: str, **options: Any) -> Generator[httpx.Response]:
        """A download, to be read as it comes; what breaks while it is read raises GatewayUnreachable."""
        with self._body(_is_file, path, **options) as answer:
            try:
                yield answer
            except httpx.TransportError as error:
                raise GatewayUnreachable(f"the file broke off: {error or type(error).__name__}") from error

    @contextmanager
    def _body(self, meant: Callable[[httpx.Response], bool], path: str, **options: Any) -> Generator[httpx.Response]:
        answer = self._begin(meant, path, **options)
        if answer.status_code == _UNAUTHENTICATED and self._credentials is not None:
            self.login(*self._credentials)
            answer = self._begin(meant, path, **options)
        with closing(answer):
            if not meant(answer):
                _data(answer, BaseModel)
                raise not_an_envelope(answer)
            yield answer

    def _begin(
        self,
        meant: Callable[[httpx.Response], bool],
        path: str,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """An answer whose body is yet to come where it is what is meant, else whole."""
        signed = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        request = self._http.build_request("GET", path, headers={**signed, **(headers or {})}, **options)
        try:
            answer = self._http.send(request, stream=True)
            if not meant(answer):
                answer.read()
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise GatewayUnreachable(f"no answer from {self._http.base_url}: {reason}") from error
        return answer

    def _send(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            return self._http.request(method, path, headers={**signed, **(headers or {})}, **options)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise GatewayUnreachable(f"no answer from {self._http.base_url}: {reason}") from error


def _data(answer: httpx.Response, kind: type[AnswerT]) -> AnswerT:
    """What is inside the envelope, or the error that it tells of."""
    try:
        envelope = answer.json()
        if envelope["success"]:
            return kind.model_validate_json(json.dumps(envelope["data"]))
        error = envelope["error"]
        raise ApiError(
            status=answer.status_code,
            code=error["code"],
            message=error["message"],
            details=error["details"],
            correlation_id=envelope["correlation_id"],
        )
    except (ValueError, KeyError, TypeError, ValidationError):
        raise not_an_envelope(answer) from None


def _is_stream(answer: httpx.Response) -> bool:
    kind: str = answer.headers.get("Content-Type", "")
    return answer.is_success and kind.startswith("text/event-stream")


def _is_file(answer: httpx.Response) -> bool:
    return answer.is_success and answer.headers.get("content-disposition", "").startswith("attachment")


def not_an_envelope(answer: httpx.Response) -> ApiError:
    return ApiError(
        status=answer.status_code,
        code="NOT_AN_ENVELOPE",
        message=f"{answer.request.url} answered {answer.status_code} in a way that is not the gateway's",
        details={},
        correlation_id=answer.headers.get("X-Correlation-ID"),
    )


def given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _is_loopback(url: str) -> bool:
    """A proxy of the environment has no business between us and this machine."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
