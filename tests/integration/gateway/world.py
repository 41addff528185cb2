"""The API over the real PostgreSQL, without a process around it; and rows as the other services leave them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
from pydantic import SecretStr
from starlette.types import ASGIApp

from common.amnesia import last_claims_in
from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.kafka import Announcer
from gateway.adapters.argon2_passwords import Argon2Passwords
from gateway.adapters.es256_tokens import Es256Tokens
from gateway.adapters.installed import installed
from gateway.adapters.kafka_outcomes import KafkaOutcomes
from gateway.adapters.limits_throttle import LimitsThrottle
from gateway.adapters.postgres_dry_runs import PostgresDryRuns
from gateway.adapters.postgres_held import PostgresHeld
from gateway.adapters.postgres_job_control import PostgresJobControl
from gateway.adapters.postgres_jobs import PostgresJobs
from gateway.adapters.postgres_operations import PostgresOperations
from gateway.adapters.postgres_progress import PostgresProgress
from gateway.adapters.postgres_recovery import PostgresRecovery
from gateway.adapters.postgres_switches import PostgresSwitches
from gateway.adapters.postgres_users import PostgresUsers
from gateway.adapters.ubl_comparison import Comparing
from gateway.administering import build_admin
from gateway.domain.access import User
from gateway.domain.cursors import Cursors
from gateway.held import ReadHeld, ResolveHeld
from gateway.integrating import build_webhooks
from gateway.jobs.cancelling import CancelJob
from gateway.jobs.dry_runs import ReadDryRuns
from gateway.jobs.progress import Limits, Watches
from gateway.operations import OperationStories, ReadAlerts, ReadSystem
from gateway.reading_invoices import build_invoices
from gateway.recovery.story import Recover
from gateway.replay.retrying import RetryFailed
from gateway.replay.stories import ReplayStories
from gateway.replaying import build_replaying
from gateway.routes.api import Stories
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize, CreateFirstAdmin, ReadJobs, SignIn, StartProcessing
from tests.unit.gateway.fakes import ISSUER, KEY, FakeRequests
from tests.unit.gateway.fakes_held import SETTLE, FakeOutcomes
from tests.unit.gateway.fakes_invoices import in_this_process
from tests.unit.gateway.fakes_webhooks import SIGNING_KEY
from tests.unit.gateway.one_api import api_of

NO_BROKER = "127.0.0.1:9"
ADMIN, PASSWORD = "admin", "the admin's password"


@dataclass
class RealWorld:
    database: Database
    requests: FakeRequests = field(default_factory=FakeRequests)
    outcomes: FakeOutcomes = field(default_factory=FakeOutcomes)
    passwords: Argon2Passwords = field(default_factory=lambda: Argon2Passwords(memory_kib=64))
    streams: Limits = field(default_factory=lambda: Limits(200, 500))
    export_rows: int = 100_000
    watches: Watches = field(init=False)
    _built: ASGIApp | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.watches = Watches(PostgresProgress(self.database), SYSTEM_CLOCK, self.streams)

    async def admin(self) -> User:
        """The first admin, made where there is none yet."""
        users = PostgresUsers(self.database)
        await CreateFirstAdmin(users, self.passwords)(ADMIN, PASSWORD)
        account = await users.account(ADMIN)
        assert account is not None
        return account.user

    def api(self) -> ASGIApp:
        users, cursors = PostgresUsers(self.database), Cursors(b"k" * 32)
        jobs, tokens = PostgresJobs(self.database, SYSTEM_CLOCK), self._tokens()
        held = PostgresHeld(self.database, Comparing(), settle=SETTLE)
        operations = PostgresOperations(self.database)
        control, replays = PostgresJobControl(self.database), self._replays(cursors)
        stories = Stories(
            sign_in=SignIn(users, self.passwords, LimitsThrottle(None, clock=SYSTEM_CLOCK), tokens),
            authorize=Authorize(users, tokens),
            start=StartProcessing(jobs, self.requests, SYSTEM_CLOCK),
            read_jobs=ReadJobs(jobs, cursors),
            read_dry_runs=ReadDryRuns(PostgresDryRuns(self.database), cursors),
            cancel_job=CancelJob(control),
            watches=self.watches,
            retry_failed=RetryFailed(control, replays.start),
            invoices=build_invoices(
                self.database,
                cursors,
                compare=Comparing(),
                run=in_this_process,
                export_rows=self.export_rows,
                standing=Authorize(users, tokens),
            ),
            read_held=ReadHeld(held, cursors),
            read_switches=ReadSwitches(PostgresSwitches(self.database)),
            flip_switch=FlipSwitch(PostgresSwitches(self.database)),
            resolve_held=ResolveHeld(held, self.outcomes),
            recover=Recover(KafkaOutcomes(NO_BROKER), PostgresRecovery(self.database, last_claims_in(NO_BROKER))),
            replays=replays,
            operations=OperationStories(
                ReadAlerts(operations, cursors), operations, ReadSystem(operations, installed(), {"LOG_LEVEL": "info"})
            ),
            admin=build_admin(self.database, self.passwords, cursors),
            webhooks=build_webhooks(self.database, cursors, key=SecretStr(SIGNING_KEY), networks=()),
            tokens=tokens,
        )
        return api_of(stories, SYSTEM_CLOCK)

    def http(self, **headers: str) -> httpx.AsyncClient:
        self._built = self._built or self.api()  # once: who asks at the same time shares a reading of users
        transport = httpx.ASGITransport(self._built, client=("192.0.2.7", 1))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers, timeout=60)

    def _replays(self, cursors: Cursors) -> ReplayStories:
        announcer = Announcer(cast("Any", None), source="gateway", send=nobody)
        return build_replaying(
            self.database,
            announcer,
            cursors,
            bootstrap=NO_BROKER,
            lease=timedelta(seconds=2),
            clock=SYSTEM_CLOCK,
        ).stories

    async def signed_in(self) -> httpx.AsyncClient:
        return self.http(**self.signs_in(await self.admin()))

    def signs_in(self, user: User) -> dict[str, str]:
        """The header of a token."""
        return {"Authorization": f"Bearer {self._tokens().issue(user).access_token}"}

    def _tokens(self) -> Es256Tokens:
        return Es256Tokens([KEY], issuer=ISSUER, lifetime=timedelta(hours=1), clock=SYSTEM_CLOCK)


async def nobody(topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
    """A broker that never answers."""
    raise OSError("nobody there")


async def insert_job(database: Database, **columns: Any) -> UUID:
    return await _insert(database, "jobs", {"job_type": "manual", "status": "running"} | columns)


async def insert_invoice(database: Database, **columns: Any) -> UUID:
    row_id = SYSTEM_CLOCK.new_id()
    usual = {
        "id": row_id,
        "invoice_id": f"SRC-{row_id}",
        "ubl_data": "<Invoice/>",
        "status": "sent",
        "stage": "sent",
        "raw_sha256": b"\x01",
    }
    return await _insert(database, "invoices", usual | columns)


async def _insert(database: Database, table: str, columns: dict[str, Any]) -> UUID:
    columns = {"id": SYSTEM_CLOCK.new_id()} | columns
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    await database.execute(sql, *columns.values())
    row_id: UUID = columns["id"]
    return row_id
