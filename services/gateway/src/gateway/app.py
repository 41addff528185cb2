"""The composition root."""

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
from gateway.jobs.cancelling import CancelJob
from gateway.jobs.progress import Limits, Watches
from gateway.operations import OperationStories, ReadAlerts, ReadSystem
from gateway.reading_invoices import build_invoices
from gateway.recovery.story import Recover
from gateway.replay.retrying import RetryFailed
from gateway.replaying import build_replaying
from gateway.routes.api import Stories, make_api
from gateway.settings import GatewaySettings
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize, CreateFirstAdmin, ReadJobs, SignIn, StartProcessing


async def build_app(settings: GatewaySettings, resources: Resources) -> App:
    clock = SYSTEM_CLOCK
    keys = load_keys(settings.jwt_keys_dir)
    users, jobs = PostgresUsers(resources.database), PostgresJobs(resources.database, clock)
    passwords = Argon2Passwords()
    throttle = LimitsThrottle(settings.redis_url.get_secret_value() if settings.redis_url else None, clock=clock)
    tokens = Es256Tokens(
        keys, issuer=settings.issuer, lifetime=timedelta(seconds=settings.access_token_seconds), clock=clock
    )
    cursors = Cursors(cursor_key(keys))
    announcer = Announcer(resources.broker, source="gateway")
    control = PostgresJobControl(resources.database)
    watches = Watches(PostgresProgress(resources.database), clock, _limits(settings))
    comparing = Comparing()
    held = PostgresHeld(resources.database, comparing, settle=settings.send_settle)
    operations, switches = PostgresOperations(resources.database), PostgresSwitches(resources.database)
    bootstrap = settings.kafka_bootstrap_servers
    replaying = build_replaying(
        resources.database, announcer, cursors, bootstrap=bootstrap, lease=settings.replay_lease, clock=clock
    )
    stories = Stories(
        sign_in=SignIn(users, passwords, throttle, tokens),
        authorize=Authorize(users, tokens),
        start=StartProcessing(jobs, KafkaJobRequests(announcer), clock),
        read_jobs=ReadJobs(jobs, cursors),
        cancel_job=CancelJob(control),
        watches=watches,
        retry_failed=RetryFailed(control, replaying.stories.start),
        invoices=build_invoices(
            resources.database, cursors, compare=comparing, run=replaying.workers.run, export_rows=settings.export_rows
        ),
        read_held=ReadHeld(held, cursors),
        read_switches=ReadSwitches(switches),
        flip_switch=FlipSwitch(switches),
        resolve_held=ResolveHeld(held, KafkaMoves(MoveAnnouncer(announcer, resources.database, service="gateway"))),
        recover=Recover(KafkaOutcomes(bootstrap), PostgresRecovery(resources.database, last_claims_in(bootstrap))),
        replays=replaying.stories,
        operations=OperationStories(
            ReadAlerts(operations, cursors), operations, ReadSystem(operations, installed(), redacted(settings))
        ),
        admin=build_admin(
            resources.database,
            passwords,
            cursors,
            outside(resources.broker, throttle, bootstrap, settings.environment),
        ),
        tokens=tokens,
    )
    await _make_first_admin(settings, CreateFirstAdmin(users, passwords))

    def asgi(health: Health) -> Any:
        return make_api(stories, clock=clock, health=health.routes(), behind_tls=settings.behind_tls)

    return App(
        asgi=asgi,
        loops=[replaying.replayer.run],
        drain=[watches.drain],
        close=[throttle.close, replaying.workers.close],
    )


def _limits(settings: GatewaySettings) -> Limits:
    """A stream lives as long as a token: then who it is for is asked anew."""
    life = timedelta(seconds=settings.access_token_seconds)
    return Limits(settings.event_streams_per_user, settings.event_streams, life)


async def _make_first_admin(settings: GatewaySettings, create: CreateFirstAdmin) -> None:
    if settings.bootstrap_admin_username and settings.bootstrap_admin_password:
        await create(settings.bootstrap_admin_username, settings.bootstrap_admin_password.get_secret_value())
