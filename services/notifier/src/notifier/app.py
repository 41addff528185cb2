"""The notifier, wired."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from common.configuration import Value
from common.contracts.events import JobEvent
from common.contracts.topics import Group, Topic
from common.db.configuration import LiveConfiguration
from common.db.dead_letters import PostgresDeadLetters
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.errors import ClearfactsError
from common.kafka import Announcer, Consumers
from common.kafka.dead_letters import DeadLetters
from common.kafka.lag import lags
from common.runtime import App, Loop, Resources
from notifier.adapters.gauges import Gauges
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.webhook_posts import HttpPoster
from notifier.adapters.webhook_rows import PostgresOutbox, PostgresOutcomes
from notifier.channelling import LEASE_IN_TIMEOUTS, channels_of, live_hours, owners_of, telling
from notifier.handlers import make_handler
from notifier.settings import NotifierSettings
from notifier.use_cases import RecordAlerts, RecordFinishedJobs, RecordOpenJobs, RecordTheRest, Rhythm
from notifier.webhooks.sending import Deliver

log = structlog.get_logger()

SEND_EVERY = 1.0
SWEEP_EVERY = 10.0
ALERTS_EVERY = 2.0
COLLECT_EVERY = 1.0
TIDY_EVERY = 300.0


async def build_app(settings: NotifierSettings, resources: Resources) -> App:
    database, broker = resources.database, resources.broker
    channels, owners = channels_of(settings), owners_of(settings)
    notifications = PostgresNotifications(database, tuple(channels), owners=owners.channels)
    live = LiveConfiguration(database, "notifier")
    zone, rhythm = ZoneInfo(settings.schedule_timezone), live_rhythm(settings, live)
    record, record_open = RecordFinishedJobs(notifications), RecordOpenJobs(notifications, zone=zone, rhythm=rhythm)
    record_alerts, record_rest = RecordAlerts(notifications), RecordTheRest(notifications)
    tellers = telling(settings, database, channels, owners, live_hours(settings, live))
    bells = [asyncio.Event() for _ in tellers]
    store = PostgresDeadLetters(database, cluster=settings.kafka_bootstrap_servers)
    dead_letters = DeadLetters(Group.NOTIFIER, store, Announcer(broker, source=Group.NOTIFIER))
    besides, close = _besides(settings, database)
    consumers = Consumers(broker, Group.NOTIFIER, dead_letters, alerts=PostgresAlerts(database))
    consumers.on(Topic.JOBS_EVENTS, JobEvent, make_handler(record, lambda: _ring(bells)))

    async def sweep() -> None:
        found = [await record.sweep(), await record_open(), await record_rest()]
        if any(found):
            _ring(bells)

    async def look_for_alerts() -> None:
        if await record_alerts():
            _ring(bells)

    return App(
        subscribers=consumers.subscribers,
        loops=[
            *(_every(SEND_EVERY, tell, bell) for tell, bell in zip(tellers, bells, strict=True)),
            _every(SWEEP_EVERY, sweep, asyncio.Event()),
            _every(ALERTS_EVERY, look_for_alerts, asyncio.Event()),
            *besides,
        ],
        close=[close],
    )


def _ring(bells: Sequence[asyncio.Event]) -> None:
    for bell in bells:
        bell.set()


def _besides(settings: NotifierSettings, database: Database) -> tuple[Sequence[Loop], Loop]:
    """The loops that tell no person anything, webhooks and gauges, and how to end what they hold."""
    timeout = timedelta(seconds=settings.webhook_timeout)
    outcomes, outbox = PostgresOutcomes(database), PostgresOutbox(database)
    poster = HttpPoster(settings.webhook_networks, timeout=timeout)
    key = settings.webhook_signing_key.get_secret_value() if settings.webhook_signing_key else None
    deliver = Deliver(outbox, poster, key=key, lease=timeout * LEASE_IN_TIMEOUTS)

    async def collect() -> None:
        await outcomes.collect()

    every = (_every(COLLECT_EVERY, collect, asyncio.Event()), _every(TIDY_EVERY, outbox.tidy, asyncio.Event()))
    gauges = Gauges(database, partial(lags, settings.kafka_bootstrap_servers))
    return [*every, deliver.run, gauges.run], poster.close


def live_rhythm(
    settings: NotifierSettings, live: Callable[[], Awaitable[Mapping[str, Value]]]
) -> Callable[[], Awaitable[Rhythm]]:
    """What the table says, and where it says nothing the environment."""

    async def rhythm() -> Rhythm:
        values = await live()
        at, late = values.get("report_at"), values.get("job_late_after")
        return Rhythm(
            settings.report_at if at is None else time.fromisoformat(str(at)),
            settings.job_late_after if late is None else timedelta(seconds=float(late)),
        )

    return rhythm


def _every(seconds: float, step: Callable[[], Awaitable[None]], bell: asyncio.Event) -> Loop:
    """Take `step` when the bell rings, and at least every `seconds`; a fault is logged and the next round comes."""

    async def loop() -> None:
        while True:
            bell.clear()
            try:
                await step()
            except ClearfactsError as error:
                log.warning("round_failed", error=str(error))
            try:
                async with asyncio.timeout(seconds):
                    await bell.wait()
            except TimeoutError:
                pass

    return loop
