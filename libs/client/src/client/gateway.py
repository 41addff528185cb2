"""The calls of the gateway's API, synchronous."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from client.answers import Invoice, InvoiceSummary, Job, JobSummary, Page, Profile, Started, Token
from client.errors import ApiError, GatewayUnreachable, JobNotFinished

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_UNAUTHENTICATED, _UNAVAILABLE = 401, 503
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0


class GatewayClient:
    """One gateway, perhaps signed in.

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

    def me(self) -> Profile:
        return self._call("GET", "/api/v1/auth/me", Profile)

    def start(
        self,
        *,
        invoice_ids: Sequence[str] | None = None,
        force_processing: bool = False,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Started:
        """Start a job. With an `idempotency_key` a repetition after GatewayUnreachable is safe."""
        body: dict[str, Any] = {"force_processing": force_processing}
        if invoice_ids is not None:
            body["invoice_ids"] = list(invoice_ids)
        if reason is not None:
            body["reason"] = reason
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/api/v1/invoices/process", Started, json=body, headers=headers)

    def job(self, job_id: UUID | str) -> Job:
        return self._call("GET", f"/api/v1/jobs/{job_id}", Job)

    def jobs(
        self, *, status: str | None = None, job_type: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[JobSummary]:
        """Newest first."""
        query = {"status": status, "job_type": job_type, "limit": limit, "cursor": cursor}
        return self._call("GET", "/api/v1/jobs", Page[JobSummary], params=_given(query))

    def invoices(
        self,
        *,
        status: str | None = None,
        stage: str | None = None,
        job_id: UUID | str | None = None,
        number: str | None = None,
        invoice_id: str | None = None,
        dossier: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[InvoiceSummary]:
        """Newest first. `invoice_id` is the source's id."""
        query = {
            "status": status,
            "stage": stage,
            "job_id": str(job_id) if job_id else None,
            "number": number,
            "invoice_id": invoice_id,
            "dossier": dossier,
            "limit": limit,
            "cursor": cursor,
        }
        return self._call("GET", "/api/v1/invoices", Page[InvoiceSummary], params=_given(query))

    def invoice(self, row_id: UUID | str) -> Invoice:
        return self._call("GET", f"/api/v1/invoices/{row_id}", Invoice)

    def health(self) -> dict[str, Any]:
        """The gateway's readiness: `status` and the state of each of its `parts`."""
        answer = self._send("GET", "/health/ready")
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise _not_an_envelope(answer) from None
        return found

    def wait(
        self,
        job_id: UUID | str,
        *,
        timeout: timedelta = timedelta(hours=1),
        on_progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """Follow a job to its end. A gateway that is away for a while is waited for; raises JobNotFinished."""
        deadline, pause = self._monotonic() + timeout.total_seconds(), _FIRST_PAUSE
        while True:
            job = self._job_or_silence(job_id)
            if job is not None and on_progress is not None:
                on_progress(job)
            if job is not None and job.finished:
                return job
            if self._monotonic() + pause > deadline:
                raise JobNotFinished(f"job {job_id} did not end within {timeout}; it goes on")
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _job_or_silence(self, job_id: UUID | str) -> Job | None:
        try:
            return self.job(job_id)
        except GatewayUnreachable:
            return None
        except ApiError as error:
            if error.status == _UNAVAILABLE:
                return None
            raise

    def _call(self, method: str, path: str, kind: type[AnswerT], **options: Any) -> AnswerT:
        answer = self._send(method, path, **options)
        if answer.status_code == _UNAUTHENTICATED and self._credentials is not None:
            self.login(*self._credentials)
            answer = self._send(method, path, **options)
        return _data(answer, kind)

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
        raise _not_an_envelope(answer) from None


def _not_an_envelope(answer: httpx.Response) -> ApiError:
    return ApiError(
        status=answer.status_code,
        code="NOT_AN_ENVELOPE",
        message=f"{answer.request.url} answered {answer.status_code} in a way that is not the gateway's",
        details={},
        correlation_id=answer.headers.get("X-Correlation-ID"),
    )


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _is_loopback(url: str) -> bool:
    """A proxy of the environment has no business between us and this machine."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
