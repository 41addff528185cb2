"""The calls of the gateway's API, synchronous."""

from collections.abc import Sequence
from typing import Any

from client.admin import AdminCalls
from client.answers import Page
from client.connection import given, not_an_envelope
from client.failures import FailureCalls
from client.held import HeldCalls
from client.invoices import InvoiceCalls
from client.jobs import JobCalls
from client.operations import OperationCalls
from client.recovery import RecoveryCalls
from client.replays import ReplayCalls
from client.shapes import JobSummary, Profile, Started
from client.switches import SwitchCalls
from client.webhooks import WebhookCalls


class GatewayClient(
    JobCalls,
    InvoiceCalls,
    HeldCalls,
    FailureCalls,
    ReplayCalls,
    SwitchCalls,
    RecoveryCalls,
    OperationCalls,
    AdminCalls,
    WebhookCalls,
):
    """The whole API; see `Connection` for what every call raises."""

    def me(self) -> Profile:
        return self._call("GET", "/api/v1/auth/me", Profile)

    def start(
        self,
        *,
        invoice_ids: Sequence[str] | None = None,
        force_processing: bool = False,
        reason: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Started:
        """Start a job. With an `idempotency_key` a repetition after GatewayUnreachable is safe.

        A `dry_run` sends nothing. A gateway that does not know them yet refuses it: it never runs as a job.
        """
        body: dict[str, Any] = {"force_processing": force_processing}
        if dry_run:
            body["dry_run"] = True
        if invoice_ids is not None:
            body["invoice_ids"] = list(invoice_ids)
        if reason is not None:
            body["reason"] = reason
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/api/v1/invoices/process", Started, json=body, headers=headers)

    def jobs(
        self,
        *,
        status: str | None = None,
        job_type: str | None = None,
        dry_run: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[JobSummary]:
        """Newest first; dry runs are a list of their own."""
        query = {"status": status, "job_type": job_type, "limit": limit, "cursor": cursor}
        query["dry_run"] = "true" if dry_run else None
        return self._call("GET", "/api/v1/jobs", Page[JobSummary], params=given(query))

    def health(self) -> dict[str, Any]:
        """The gateway's readiness: `status` and the state of each of its `parts`."""
        answer = self._send("GET", "/health/ready")
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise not_an_envelope(answer) from None
        return found
