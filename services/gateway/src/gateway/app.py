"""The composition root."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from common.amnesia import last_claims_in
from common.clock import SYSTEM_CLOCK
from common.health import Health
from common.kafka import Announcer
from common.outcomes import MoveAnnouncer
from common.runtime import App, Resources
from common.settings import redacted
from gateway.adapters.argon2_passwords import Argon2Passwords
from gateway.adapters.es256_tokens import Es256Tokens
from gateway.adapters.installed import installed
from gateway.adapters.kafka_moves import KafkaMoves
from gateway.adapters.kafka_outcomes import KafkaOutcomes
from gateway.adapters.kafka_requests import KafkaJobRequests
from gateway.adapters.key_files import cursor_key, load_keys
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
from gateway.administering import build_admin, outside
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
from gateway.replaying import Replaying, build_replaying
from gateway.routes.api import Stories, make_api
from gateway.settings import GatewaySettings
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize, CreateFirstAdmin, ReadJobs, SignIn, StartProcessing


@dataclass(frozen=True, slots=True)
class _Shared:
    """What several stories need."""

    settings: GatewaySettings
    resources: Resources
    tokens: Es256Tokens
    cursors: Cursors
    passwords: Argon2Passwords
    throttle: LimitsThrottle
    announcer: Announcer
    replaying: Replaying
    watches: Watches


async def build_app(settings: GatewaySettings, resources: Resources) -> App:
    clock, database = SYSTEM_CLOCK, resources.database
    keys = load_keys(settings.jwt_keys_dir)
    lifetime = timedelta(seconds=settings.access_token_seconds)
    cursors, announcer = Cursors(cursor_key(keys)), Announcer(resources.broker, source="gateway")
    bootstrap, lease = settings.kafka_bootstrap_servers, settings.replay_lease
    shared = _Shared(
        settings,
        resources,
        tokens=Es256Tokens(keys, issuer=settings.issuer, lifetime=lifetime, clock=clock),
        cursors=cursors,
        passwords=Argon2Passwords(),
        throttle=LimitsThrottle(settings.redis_url.get_secret_value() if settings.redis_url else None, clock=clock),
        announcer=announcer,
        replaying=build_replaying(database, announcer, cursors, bootstrap=bootstrap, lease=lease, clock=clock),
        # a stream lives as long as a token: then who it is for is asked anew
        watches=Watches(
            PostgresProgress(database), clock, Limits(settings.event_streams_per_user, settings.event_streams, lifetime)
        ),
    )
    stories = _stories(shared)
    await _make_first_admin(settings, CreateFirstAdmin(PostgresUsers(database), shared.passwords))

    def asgi(health: Health) -> Any:
        return make_api(stories, clock=clock, health=health.routes(), behind_tls=settings.behind_tls)

    return App(
        asgi=asgi,
        loops=[shared.replaying.replayer.run],
        drain=[shared.watches.drain],
        close=[shared.throttle.close, shared.replaying.workers.close],
    )


def _stories(shared: _Shared) -> Stories:
    settings, database, cursors = shared.settings, shared.resources.database, shared.cursors
    users, control = PostgresUsers(database), PostgresJobControl(database)
    jobs = PostgresJobs(database, SYSTEM_CLOCK, dry_run_kept=settings.dry_run_kept)
    operations, switches, comparing = PostgresOperations(database), PostgresSwitches(database), Comparing()
    held = PostgresHeld(database, comparing, settle=settings.send_settle)
    moves = KafkaMoves(MoveAnnouncer(shared.announcer, database, service="gateway"))
    bootstrap, run = settings.kafka_bootstrap_servers, shared.replaying.workers.run
    authorize = Authorize(users, shared.tokens)
    parts = outside(shared.resources.broker, shared.throttle, bootstrap, settings.environment)
    return Stories(
        sign_in=SignIn(users, shared.passwords, shared.throttle, shared.tokens),
        authorize=authorize,
        start=StartProcessing(jobs, KafkaJobRequests(shared.announcer), SYSTEM_CLOCK),
        read_jobs=ReadJobs(jobs, cursors),
        read_dry_runs=ReadDryRuns(PostgresDryRuns(database), cursors),
        cancel_job=CancelJob(control),
        watches=shared.watches,
        retry_failed=RetryFailed(control, shared.replaying.stories.start),
        invoices=build_invoices(
            database, cursors, compare=comparing, run=run, export_rows=settings.export_rows, standing=authorize
        ),
        read_held=ReadHeld(held, cursors),
        read_switches=ReadSwitches(switches),
        flip_switch=FlipSwitch(switches),
        resolve_held=ResolveHeld(held, moves),
        recover=Recover(KafkaOutcomes(bootstrap), PostgresRecovery(database, last_claims_in(bootstrap))),
        replays=shared.replaying.stories,
        operations=OperationStories(
            ReadAlerts(operations, cursors), operations, ReadSystem(operations, installed(), redacted(settings))
        ),
        admin=build_admin(database, shared.passwords, cursors, parts),
        webhooks=build_webhooks(
            database, cursors, key=settings.webhook_signing_key, networks=settings.webhook_networks
        ),
        tokens=shared.tokens,
    )


async def _make_first_admin(settings: GatewaySettings, create: CreateFirstAdmin) -> None:
    if settings.bootstrap_admin_username and settings.bootstrap_admin_password:
        await create(settings.bootstrap_admin_username, settings.bootstrap_admin_password.get_secret_value())
