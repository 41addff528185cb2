"""The whole ASGI application from the stories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from common.clock import Clock
from common.observability.spans import tracer
from gateway.admin.stories import AdminStories
from gateway.held import ReadHeld, ResolveHeld
from gateway.invoices.stories import InvoiceStories
from gateway.jobs.cancelling import CancelJob
from gateway.jobs.dry_runs import ReadDryRuns
from gateway.jobs.progress import Watches
from gateway.operations import OperationStories
from gateway.ports import Tokens
from gateway.recovery.story import Recover
from gateway.replay.retrying import RetryFailed
from gateway.replay.stories import ReplayStories
from gateway.routes.admin import add_admin_routes
from gateway.routes.auth import add_auth_routes
from gateway.routes.description import DescribedApi
from gateway.routes.dry_runs import add_dry_run_routes
from gateway.routes.envelopes import Envelopes, ErrorEnvelope
from gateway.routes.failed_messages import add_failed_message_routes
from gateway.routes.faults import DEFECT, explain, with_every_method
from gateway.routes.guarded import GuardedRoute
from gateway.routes.held import add_held_routes
from gateway.routes.invoices import add_invoice_routes
from gateway.routes.job_control import add_job_control_routes
from gateway.routes.job_events import add_job_event_routes
from gateway.routes.jobs import add_job_routes
from gateway.routes.middleware import Edge
from gateway.routes.operations import add_operation_routes
from gateway.routes.recovery import add_recovery_routes
from gateway.routes.replays import add_replay_routes
from gateway.routes.switches import add_switch_routes
from gateway.routes.traced import Traced
from gateway.routes.webhooks import add_webhook_routes
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize, ReadJobs, SignIn, StartProcessing
from gateway.webhooks.stories import WebhookStories

PUBLIC = frozenset(
    {"/auth/login", "/.well-known/jwks.json", "/openapi.json", "/health/live", "/health/ready", "/metrics"}
)
"""Every other route needs a permission; a test walks them."""

_ENVELOPES: dict[int | str, dict[str, Any]] = {422: {"model": ErrorEnvelope}}
"""In the place of FastAPI's own; which errors an operation answers: `routes.description`."""


@dataclass(frozen=True, slots=True)
class Stories:
    sign_in: SignIn
    authorize: Authorize
    start: StartProcessing
    read_jobs: ReadJobs
    read_dry_runs: ReadDryRuns
    cancel_job: CancelJob
    watches: Watches
    retry_failed: RetryFailed
    invoices: InvoiceStories
    read_held: ReadHeld
    resolve_held: ResolveHeld
    read_switches: ReadSwitches
    flip_switch: FlipSwitch
    replays: ReplayStories
    recover: Recover
    operations: OperationStories
    admin: AdminStories
    webhooks: WebhookStories
    tokens: Tokens


def make_api(stories: Stories, *, clock: Clock, health: Sequence[BaseRoute] = (), behind_tls: bool = False) -> FastAPI:
    envelopes = Envelopes(clock)
    api = DescribedApi(
        title="Clearfacts invoice integration",
        version="1",
        docs_url=None,  # its page loads scripts from a content delivery network
        redoc_url=None,
        redirect_slashes=False,
        responses=_ENVELOPES,
        generate_unique_id_function=_operation_id,
        exception_handlers=_handlers(envelopes),
    )
    api.router.route_class = GuardedRoute
    common: dict[str, Any] = {"authorize": stories.authorize, "envelopes": envelopes}
    # what is asked most comes first: a request is compared with one route after the other
    add_job_routes(api, start=stories.start, read=stories.read_jobs, **common)
    add_invoice_routes(api, stories=stories.invoices, **common)
    add_auth_routes(api, sign_in=stories.sign_in, tokens=stories.tokens, **common)
    add_job_control_routes(api, cancel=stories.cancel_job, retry=stories.retry_failed, **common)
    add_dry_run_routes(api, read=stories.read_dry_runs, **common)
    add_job_event_routes(api, watches=stories.watches, authorize=stories.authorize)
    add_held_routes(api, read=stories.read_held, resolve=stories.resolve_held, **common)
    add_switch_routes(api, read=stories.read_switches, flip=stories.flip_switch, **common)
    add_failed_message_routes(api, stories=stories.replays, **common)
    add_replay_routes(api, stories=stories.replays, **common)
    add_recovery_routes(api, recover=stories.recover, **common)
    add_operation_routes(api, stories=stories.operations, **common)
    add_admin_routes(api, stories=stories.admin, **common)
    add_webhook_routes(api, stories=stories.webhooks, **common)
    api.router.routes.extend(health)
    api.add_middleware(Edge, envelopes=envelopes, behind_tls=behind_tls)
    if tracer.on:
        api.add_middleware(Traced)  # the last one added is the outermost
    return api


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"


def _handlers(envelopes: Envelopes) -> dict[int | type[Exception], Any]:
    """For the two errors that FastAPI would answer in its own way; all others reach `Faults`."""

    async def refuse(request: Request, error: Exception) -> Response:
        return envelopes.failure(with_every_method(explain(error) or DEFECT, request))

    return {HTTPException: refuse, RequestValidationError: refuse}
