"""Fakes of the gateway's ports, a clock that a test owns, and the whole API over them, without a socket."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from joserfc.jwk import ECKey
from starlette.types import ASGIApp

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobRequested
from common.errors import InfrastructureError
from gateway.adapters.es256_tokens import Es256Tokens
from gateway.adapters.limits_throttle import LimitsThrottle
from gateway.domain.access import Account, Caller, Role, User
from gateway.domain.cursors import Cursors
from gateway.domain.faults import Busy, IdempotencyKeyReused, TooManyJobs
from gateway.domain.orders import MOST_OPEN_DRY_RUNS, MOST_OPEN_JOBS, Placed, Receipt
from gateway.domain.pace import Pace
from gateway.domain.readings import (
    InvoiceDetail,
    JobFilter,
    JobStatus,
    JobSummary,
    Results,
    ValidationReport,
)
from gateway.held import ReadHeld, ResolveHeld
from gateway.jobs.cancelling import CancelJob
from gateway.jobs.dry_runs import ReadDryRuns
from gateway.jobs.progress import Limits, Watches
from gateway.recovery.story import Recover
from gateway.replay.retrying import RetryFailed
from gateway.routes.api import Stories
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize, ReadJobs, SignIn, StartProcessing
from tests.unit.gateway.fakes_admin import FakeAdmin
from tests.unit.gateway.fakes_held import FakeHeld, FakeOutcomes
from tests.unit.gateway.fakes_invoices import FakeInvoices
from tests.unit.gateway.fakes_jobs import FakeDryRuns, FakeJobControl, FakeProgress
from tests.unit.gateway.fakes_operations import FakeOperations
from tests.unit.gateway.fakes_recovery import FakeOutcomeLog, FakeRestoring
from tests.unit.gateway.fakes_replays import FakeReplays
from tests.unit.gateway.fakes_switches import FakeSwitches
from tests.unit.gateway.fakes_webhooks import FakeWebhooks
from tests.unit.gateway.one_api import api_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ISSUER = "clearfacts-gateway"
PASSWORD = "correct horse battery"


@dataclass
class OwnedTime:
    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: NOON + timedelta(seconds=self.seconds), monotonic=lambda: self.seconds)


def user(role: Role = Role.OPERATOR, *, active: bool = True, name: str | None = None) -> User:
    name = name or f"{role}-{uuid4().hex[:6]}"
    return User(uuid4(), name, f"{name}@example.test", role, active)


@dataclass
class FakeUsers:
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    audit: list[tuple[str, UUID | None]] = field(default_factory=list[tuple[str, UUID | None]])
    broken: Exception | None = None

    def add(self, someone: User, password: str = PASSWORD) -> User:
        self.accounts[someone.username] = Account(someone, f"new:{password}")
        return someone

    async def account(self, username: str) -> Account | None:
        self._fail()
        return self.accounts.get(username)

    async def user(self, user_id: UUID) -> User | None:
        self._fail()
        return next((account.user for account in self.accounts.values() if account.user.id == user_id), None)

    async def lately(self, user_id: UUID) -> User | None:
        return await self.user(user_id)

    async def signed_in(self, user: User, caller: Caller, *, new_hash: str | None) -> None:
        self.audit.append(("auth.login", user.id))
        now = self.accounts[user.username].user
        if new_hash is not None and now.token_generation == user.token_generation:
            self.accounts[user.username] = Account(now, new_hash)

    async def sign_in_failed(self, username: str, user: User | None, caller: Caller) -> None:
        self.audit.append(("auth.login_failed", user.id if user else None))

    async def create_first_admin(self, username: str, password_hash: str) -> bool:
        if username in self.accounts or any(one.user.role is Role.ADMIN for one in self.accounts.values()):
            return False
        self.accounts[username] = Account(user(Role.ADMIN, name=username), password_hash)
        return True

    def _fail(self) -> None:
        if self.broken is not None:
            raise self.broken


@dataclass
class PlainPasswords:
    """`new:` and `old:` stand for hashes with today's and yesterday's parameters."""

    compared: list[str | None] = field(default_factory=list[str | None])
    full: bool = False

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        if self.full:
            raise Busy
        yield

    async def matches(self, password_hash: str | None, password: str) -> bool:
        self.compared.append(password_hash)
        return password_hash in {f"new:{password}", f"old:{password}"}

    async def hashed(self, password: str) -> str:
        return f"new:{password}"

    def outdated(self, password_hash: str) -> bool:
        return password_hash.startswith("old:")


@dataclass
class FakeJobs:
    placed: list[Placed] = field(default_factory=list[Placed])
    rows: list[JobStatus] = field(default_factory=list[JobStatus])
    measured: Pace | None = None
    broken: Exception | None = None

    async def place(self, placed: Placed) -> Receipt:
        for earlier in self.placed:
            if placed.idempotency_key and (earlier.user.id, earlier.idempotency_key) == (
                placed.user.id,
                placed.idempotency_key,
            ):
                if earlier.order.fingerprint != placed.order.fingerprint:
                    raise IdempotencyKeyReused
                return Receipt(earlier.job_id, earlier.estimated_completion, replayed=True)
        dry, most = placed.order.dry_run, MOST_OPEN_DRY_RUNS if placed.order.dry_run else MOST_OPEN_JOBS
        if sum((one.user.id, one.order.dry_run) == (placed.user.id, dry) for one in self.placed) >= most:
            raise TooManyJobs(most)
        self.placed.append(placed)
        return Receipt(placed.job_id, placed.estimated_completion)

    async def pace(self) -> Pace | None:
        return self.measured

    async def job(self, job_id: UUID) -> JobStatus | None:
        if self.broken is not None:
            raise self.broken
        return next((row for row in self.rows if row.job_id == job_id), None)

    async def jobs(self, chosen: JobFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[JobSummary]:
        found = [
            row
            for row in sorted(self.rows, key=lambda row: (row.created_at, row.job_id), reverse=True)
            if chosen.dry_run == row.dry_run
            and chosen.status in {None, row.status}
            and chosen.job_type in {None, row.job_type}
            and (after is None or (row.created_at, row.job_id) < after)
        ]
        return found[:limit]


@dataclass
class FakeRequests:
    announced: list[JobRequested] = field(default_factory=list[JobRequested])
    dead: bool = False

    async def announce(self, event: JobRequested) -> None:
        if self.dead:
            raise InfrastructureError("kafka: nobody there")
        self.announced.append(event)


KEY = ECKey.generate_key("P-256")


@dataclass
class World:
    """The API over fakes; `key` signs its tokens."""

    key: ECKey = field(default_factory=lambda: KEY)
    time: OwnedTime = field(default_factory=OwnedTime)
    users: FakeUsers = field(default_factory=FakeUsers)
    passwords: PlainPasswords = field(default_factory=PlainPasswords)
    jobs: FakeJobs = field(default_factory=FakeJobs)
    dry_runs: FakeDryRuns = field(default_factory=FakeDryRuns)
    invoices: FakeInvoices = field(default_factory=FakeInvoices)
    requests: FakeRequests = field(default_factory=FakeRequests)
    held: FakeHeld = field(default_factory=FakeHeld)
    outcomes: FakeOutcomes = field(default_factory=FakeOutcomes)
    operations: FakeOperations = field(default_factory=FakeOperations)
    replays: FakeReplays = field(default_factory=FakeReplays)
    restoring: FakeRestoring = field(default_factory=FakeRestoring)
    switches: FakeSwitches = field(default_factory=FakeSwitches)
    admin: FakeAdmin = field(default_factory=FakeAdmin)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    behind_tls: bool = False
    streams: Limits = field(default_factory=lambda: Limits(2, 3, timedelta(seconds=0.05), every=0.01))

    def tokens(self, lifetime: timedelta = timedelta(hours=1)) -> Es256Tokens:
        return Es256Tokens([self.key], issuer=ISSUER, lifetime=lifetime, clock=self.time.clock())

    def api(self) -> ASGIApp:
        return api_of(self.stories(), self.time.clock(), behind_tls=self.behind_tls)

    def stories(self) -> Stories:
        clock, tokens, cursors = self.time.clock(), self.tokens(), Cursors(b"k" * 32)
        replays = self.replays.stories(clock, cursors)
        return Stories(
            sign_in=SignIn(self.users, self.passwords, LimitsThrottle(None, clock=clock), tokens),
            authorize=Authorize(self.users, tokens),
            start=StartProcessing(self.jobs, self.requests, clock),
            read_jobs=ReadJobs(self.jobs, cursors),
            read_dry_runs=ReadDryRuns(self.dry_runs, cursors),
            watches=Watches(FakeProgress(self.jobs.rows), SYSTEM_CLOCK, self.streams),
            cancel_job=CancelJob(FakeJobControl(self.jobs.rows, self.time.clock())),
            retry_failed=RetryFailed(FakeJobControl(self.jobs.rows, self.time.clock()), replays.start),
            invoices=self.invoices.stories(cursors),
            read_held=ReadHeld(self.held, cursors),
            read_switches=ReadSwitches(self.switches),
            flip_switch=FlipSwitch(self.switches),
            resolve_held=ResolveHeld(self.held, self.outcomes),
            replays=replays,
            recover=Recover(FakeOutcomeLog(), self.restoring),
            operations=self.operations.stories(cursors),
            admin=self.admin.stories(self.users.accounts, self.passwords, cursors),
            webhooks=self.webhooks.stories(clock, cursors),
            tokens=tokens,
        )

    def http(self) -> httpx.AsyncClient:
        """Anonymous; an exception that leaves the application fails the test."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.api()), base_url="http://gateway.test")

    def signed_in(self, someone: User | None = None) -> httpx.AsyncClient:
        grant = self.tokens().issue(someone or self.users.add(user()))
        http = self.http()
        http.headers["Authorization"] = f"Bearer {grant.access_token}"
        return http


def job(**given: Any) -> JobStatus:
    fields: dict[str, Any] = {
        "job_id": uuid4(),
        "job_type": "manual",
        "status": "completed",
        "created_at": NOON,
        "started_at": NOON,
        "completed_at": NOON + timedelta(seconds=300),
        "duration_seconds": 300,
        "results": Results(),
        "error": None,
        "triggered_by": None,
        "force_processing": False,
        "reason": None,
        "correlation_id": None,
        "listed_at": None,
        "cancelled_at": None,
        "invoice_ids": None,
        "estimated_completion": None,
        "errors": [],
        "errors_total": 0,
        "errors_link": None,
        "held_link": None,
    }
    return JobStatus(**fields | given)


def invoice(**given: Any) -> InvoiceDetail:
    nothing: dict[str, Any] = dict.fromkeys(InvoiceDetail.__dataclass_fields__)
    fields: dict[str, Any] = {
        "id": uuid4(),
        "invoice_id": "SRC-1",
        "status": "sent",
        "stage": "sent",
        "created_at": NOON,
        "updated_at": NOON,
        "version": 4,
        "maybe_sent": False,
        "generation": 0,
        "raw_sha256": "00",
        "timeline": [],
        "attempts": [],
        "validation": ValidationReport(None, None, []),
    }
    return InvoiceDetail(**nothing | fields | given)
